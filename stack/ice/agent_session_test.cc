// Whole sessions and the peer's side of them: trickle (RFC 8838), lite, several streams and
// components, loss, determinism.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/ice/agent_lab.h"

namespace rtclab::ice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

AgentConfig With(Role role, Trickle trickle = Trickle::kFull) {
  AgentConfig config;
  config.role = role;
  config.trickle = trickle;
  return config;
}

// --- Trickle -------------------------------------------------------------------------------------

TEST(AgentTrickleTest, EveryModeConnectsThroughNats) {
  for (const Trickle a : {Trickle::kNone, Trickle::kHalf, Trickle::kFull}) {
    for (const Trickle b : {Trickle::kNone, Trickle::kHalf, Trickle::kFull}) {
      Lab lab(With(Role::kControlling, a), With(Role::kControlled, b));
      lab.stun_servers = {Addr("198.51.100.1:3478")};
      lab.Nat(0, "203.0.113.1");
      lab.Nat(1, "203.0.113.2");
      lab.Start({Addr("10.0.0.1:1000")}, {Addr("10.0.0.2:2000")});
      ASSERT_TRUE(Completes(lab)) << static_cast<int>(a) << static_cast<int>(b);
      EXPECT_EQ(lab.agent(0).selected_pair()->remote.address, Addr("203.0.113.2:40000"));
    }
  }
}

TEST(AgentTrickleTest, AnEmptyRunningChecklistWaitsForTrickledCandidates) {
  AgentConfig config;
  config.patience = TimeDelta::Millis(1);
  config.patience_ends_candidates = false;
  Solo solo(config);
  solo.Gather();
  solo.SetRemote();
  solo.RunFor(TimeDelta::Seconds(60));  // RFC 8838 section 8: Running while candidates may come
  EXPECT_EQ(solo.agent.checklist_state(), ChecklistState::kRunning);
  EXPECT_EQ(solo.AddRemote("192.0.2.2:1"), AddResult::kAdded);
  EXPECT_EQ(solo.Take().size(), 1u);
  solo.End();
  solo.RunFor(TimeDelta::Millis(39'500));
  EXPECT_EQ(solo.agent.checklist_state(), ChecklistState::kFailed);
}

TEST(AgentTrickleTest, ThePacTimerStandsInForEndOfCandidates) {
  Solo solo;
  solo.Gather();
  solo.SetRemote();
  solo.AddRemote("192.0.2.2:1");
  solo.RunUntil(Timestamp::Millis(39'500));
  EXPECT_EQ(solo.agent.state(), AgentState::kFailed);
}

TEST(AgentTrickleTest, CandidatesAreTaggedByGeneration) {
  Solo solo;
  solo.Gather();
  EXPECT_EQ(solo.AddRemote("192.0.2.2:1", 9, "1", "RFRAG"), AddResult::kBuffered);
  EXPECT_EQ(solo.AddRemote("192.0.2.2:2", 9, "1", "OTHER"), AddResult::kBuffered);
  EXPECT_EQ(solo.AddRemote("192.0.2.2:3"), AddResult::kBuffered);
  solo.SetRemote();
  ASSERT_EQ(solo.agent.remote_candidates().size(), 2u);
  EXPECT_EQ(solo.AddRemote("192.0.2.2:4", 9, "1", "OTHER"), AddResult::kStaleGeneration);
  EXPECT_EQ(solo.AddRemote("192.0.2.2:1", 9, "1", "RFRAG"), AddResult::kDuplicate);
  solo.agent.EndOfRemoteCandidates(solo.now, "OTHER");
  EXPECT_EQ(solo.AddRemote("192.0.2.2:5", 9, "1", "RFRAG"), AddResult::kAdded);
  solo.agent.EndOfRemoteCandidates(solo.now, "RFRAG");
  EXPECT_EQ(solo.AddRemote("192.0.2.2:6", 9, "1", "RFRAG"), AddResult::kAfterEnd);
}

TEST(AgentTrickleTest, UnusableCandidatesAreRefused) {
  Solo solo;
  solo.Gather();
  solo.SetRemote();
  for (const char* line :
       {"candidate:1 1 tcp 5 10.0.0.1 9 typ host tcptype active",
        "candidate:1 1 udp 5 abc.local 9 typ host", "candidate:1 2 udp 5 10.0.0.1 9 typ host",
        "candidate:1 1 udp 5 0.0.0.0 9 typ host", "candidate:1 1 udp 5 224.0.0.1 9 typ host"}) {
    EXPECT_EQ(solo.agent.AddRemoteCandidate(solo.now, *ParseCandidate(line)),
              AddResult::kUnsupported)
        << line;
  }
  EXPECT_EQ(
      solo.agent.AddRemoteCandidate(solo.now, *ParseCandidate("1 1 udp 5 10.0.0.1 9 typ host"), 1),
      AddResult::kUnsupported);
  EXPECT_TRUE(solo.agent.remote_candidates().empty());
}

TEST(AgentTrickleTest, SignalledCandidatesAreLimited) {
  AgentConfig config;
  config.max_remote_candidates = 3;
  Solo solo(config);
  solo.Gather();
  solo.SetRemote();
  for (int i = 1; i <= 3; ++i)
    EXPECT_EQ(solo.AddRemote("192.0.2.2:" + std::to_string(i)), AddResult::kAdded);
  EXPECT_EQ(solo.AddRemote("192.0.2.2:4"), AddResult::kTooMany);
  Solo early(config);
  for (int i = 1; i <= 3; ++i)
    EXPECT_EQ(early.AddRemote("192.0.2.2:" + std::to_string(i)), AddResult::kBuffered);
  EXPECT_EQ(early.AddRemote("192.0.2.2:4"), AddResult::kTooMany);
}

// RFC 8838 section 11, item 4A.
TEST(AgentTrickleTest, APeerReflexiveCandidateThatIsSignalledLaterKeepsThePairsPriority) {
  Solo solo;
  solo.Gather();
  solo.SetRemote();
  ASSERT_TRUE(solo.Receive(Addr("203.0.113.9:9"), solo.Request()));
  ASSERT_EQ(solo.agent.checklist().size(), 1u);
  const uint64_t priority = solo.agent.checklist()[0].pair.priority;
  Candidate c = *ParseCandidate(
      "candidate:7 1 udp 1694498815 203.0.113.9 9 typ srflx raddr 10.0.0.1 rport 9");
  EXPECT_EQ(solo.agent.AddRemoteCandidate(solo.now, c), AddResult::kDuplicate);
  ASSERT_EQ(solo.agent.checklist().size(), 1u);
  const auto entry = solo.agent.checklist()[0];
  EXPECT_EQ(entry.pair.remote.type, CandidateType::kServerReflexive);
  EXPECT_EQ(entry.pair.remote.foundation, "7");
  EXPECT_EQ(entry.pair.priority, priority);
  EXPECT_EQ(entry.state, PairState::kInProgress);
}

TEST(AgentTrickleTest, APeerWithoutCandidatesIsFoundByItsChecks) {
  Lab lab(Controlling(), Controlled());
  lab.peer(1).may_trickle = false;
  lab.Start({Addr("192.0.2.1:1000")}, {Addr("192.0.2.2:2000")});
  ASSERT_TRUE(Completes(lab));
  EXPECT_EQ(lab.agent(0).selected_pair()->remote.type, CandidateType::kPeerReflexive);
}

// --- The peer's parameters --------------------------------------------------------------------------

TEST(AgentSessionTest, BadCredentialsAreRefused) {
  Solo solo;
  const auto set = [&solo](std::string ufrag, std::string password) {
    return solo.agent
        .SetRemoteParameters(solo.now, {.credentials = {std::move(ufrag), std::move(password)}})
        .has_value();
  };
  EXPECT_FALSE(set("abc", std::string(22, 'p')));
  EXPECT_FALSE(set(std::string(257, 'u'), std::string(22, 'p')));
  EXPECT_FALSE(set("abcd", std::string(21, 'p')));
  EXPECT_FALSE(set("abcd", std::string(257, 'p')));
  EXPECT_FALSE(set("ab:d", std::string(22, 'p')));
  EXPECT_TRUE(set(std::string(256, 'u'), std::string(256, 'p')));
}

// --- Lite ----------------------------------------------------------------------------------------

TEST(AgentLiteTest, AFullAgentControlsALiteOne) {
  for (const bool lite_first : {false, true}) {
    AgentConfig a = Controlling(), b = Controlled();
    (lite_first ? a : b).lite = true;
    Lab lab(a, b);
    lab.Nat(lite_first ? 1 : 0, "203.0.113.1");
    lab.Start({Addr(lite_first ? "192.0.2.1:1000" : "10.0.0.1:1000")},
              {Addr(lite_first ? "10.0.0.2:2000" : "192.0.2.2:2000")});
    ASSERT_TRUE(Completes(lab)) << lite_first;
    const int lite = lite_first ? 0 : 1;
    EXPECT_EQ(lab.agent(lite).role(), Role::kControlled);
    EXPECT_EQ(lab.agent(1 - lite).role(), Role::kControlling);
    EXPECT_EQ(lab.agent(lite).counters().checks_sent, 0u);
    EXPECT_EQ(lab.agent(lite).selected_pair()->remote.address, Addr("203.0.113.1:40000"));
    EXPECT_TRUE(lab.Send(lite, "x"));
    lab.RunFor(TimeDelta::Seconds(60));
    EXPECT_EQ(lab.peer(1 - lite).received.size(), 1u);
    EXPECT_EQ(lab.agent(lite).counters().consent_sent, 0u);  // RFC 7675 section 2
    EXPECT_GT(lab.agent(lite).counters().keepalives_sent, 2u);
    EXPECT_TRUE(lab.BothAre(AgentState::kCompleted));
  }
}

TEST(AgentLiteTest, TwoLiteAgentsConcludeWithoutChecks) {
  AgentConfig a = Controlling(), b = Controlled();
  a.lite = b.lite = true;
  Lab lab(a, b);
  lab.Start({Addr("192.0.2.1:1000"), Addr("[2001:db8::1]:1000")},
            {Addr("192.0.2.2:2000"), Addr("[2001:db8::2]:2000")});
  ASSERT_TRUE(Completes(lab));
  EXPECT_EQ(lab.agent(0).selected_pair()->remote.address, Addr("[2001:db8::2]:2000"));
  EXPECT_EQ(lab.agent(1).selected_pair()->remote.address, Addr("[2001:db8::1]:1000"));
  EXPECT_TRUE(lab.peer(0).sent.empty());
  // RFC 6724's precedences as local preferences.
  EXPECT_EQ(lab.agent(0).local_candidates()[0].priority, (126u << 24) + (35u << 8) + 255);
  EXPECT_EQ(lab.agent(0).local_candidates()[1].priority, (126u << 24) + (40u << 8) + 255);
}

TEST(AgentLiteTest, ALiteAgentSelectsNothingWithoutANomination) {
  AgentConfig config = Controlled();
  config.lite = true;
  Solo solo(config);
  solo.Gather();
  solo.SetRemote();
  ASSERT_TRUE(solo.Receive(Addr("192.0.2.2:1"), solo.Request({.role = Role::kControlling})));
  EXPECT_EQ(solo.agent.state(), AgentState::kChecking);
  EXPECT_FALSE(solo.agent.Send(solo.now, AsBytes("x")));
  ASSERT_TRUE(solo.Receive(Addr("192.0.2.2:1"),
                           solo.Request({.role = Role::kControlling, .use_candidate = true})));
  EXPECT_EQ(solo.agent.state(), AgentState::kCompleted);
  EXPECT_TRUE(solo.agent.Send(solo.now, AsBytes("x")));
}

// --- Streams and components ----------------------------------------------------------------------

TEST(AgentStreamsTest, ChecksGoRoundTheChecklistsAndComponentsUnfreeze) {
  AgentConfig config;
  config.streams = {2, 1};
  Solo solo(config);
  const std::vector<HostAddress> hosts = {
      {Addr("192.0.2.1:1"), 0, 1}, {Addr("192.0.2.1:2"), 0, 2}, {Addr("192.0.2.1:3"), 1, 1}};
  solo.agent.Gather(solo.now, hosts, {}, {});
  solo.Pump();
  for (int s = 0; s < 2; ++s) {
    for (const Candidate& c : solo.agent.local_candidates(s)) EXPECT_EQ(c.foundation, "1");
  }
  EXPECT_EQ(solo.agent.local_candidates(0)[0].priority,
            solo.agent.local_candidates(0)[1].priority + 1);
  const auto add = [&solo](int stream, int component, const char* address, const char* foundation) {
    Candidate c;
    c.component = component;
    c.address = Addr(address);
    c.foundation = foundation;
    c.priority = 1000;
    EXPECT_EQ(solo.agent.AddRemoteCandidate(solo.now, c, stream), AddResult::kBuffered);
  };
  add(0, 1, "192.0.2.2:1", "a");
  add(0, 2, "192.0.2.2:2", "a");
  add(1, 1, "192.0.2.2:3", "a");
  add(0, 1, "192.0.2.3:1", "b");
  add(1, 1, "192.0.2.3:3", "c");
  solo.SetRemote();
  solo.End();
  // Foundation a is Waiting in the first checklist only, so the second one begins with c.
  solo.RunFor(TimeDelta::Millis(200));
  auto sent = solo.Take();
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[0].destination, Addr("192.0.2.2:1"));
  EXPECT_EQ(sent[1].destination, Addr("192.0.2.3:3"));
  EXPECT_EQ(sent[2].destination, Addr("192.0.2.3:1"));
  ASSERT_TRUE(solo.agent.HandlePacket(
      solo.now, {sent[0].destination, sent[0].source, solo.Success(sent[0], sent[0].source)}));
  solo.Pump();
  EXPECT_EQ(solo.agent.state(), AgentState::kChecking);
  solo.RunFor(TimeDelta::Millis(100));
  sent = solo.Take();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].destination, Addr("192.0.2.2:3"));
  EXPECT_EQ(sent[1].destination, Addr("192.0.2.2:2"));
}

TEST(AgentStreamsTest, AllStreamsAndComponentsComplete) {
  AgentConfig a = Controlling(), b = Controlled();
  a.streams = b.streams = {2, 1};
  Lab lab(a, b);
  std::vector<HostAddress> hosts[2];
  for (int i = 0; i < 2; ++i) {
    const std::string ip = "192.0.2." + std::to_string(i + 1) + ":";
    hosts[i] = {{Addr(ip + "1"), 0, 1}, {Addr(ip + "2"), 0, 2}, {Addr(ip + "3"), 1, 1}};
    for (const HostAddress& h : hosts[i]) lab.peer(i).hosts.push_back(h.address);
    lab.agent(i).Gather(lab.now(), hosts[i], {}, {});
    lab.Pump(i);
  }
  lab.SendParameters(0, lab.signalling);
  lab.SendParameters(1, lab.signalling);
  ASSERT_TRUE(Completes(lab));
  for (int i = 0; i < 2; ++i) {
    for (const HostAddress& h : hosts[i]) {
      const auto pair = lab.agent(i).selected_pair(h.stream, h.component);
      ASSERT_TRUE(pair);
      EXPECT_EQ(pair->local.address, h.address);
      EXPECT_TRUE(lab.agent(i).Send(lab.now(), AsBytes("x"), h.stream, h.component));
    }
  }
  EXPECT_FALSE(lab.agent(0).Send(lab.now(), AsBytes("x"), 1, 2));
}

TEST(AgentStreamsTest, ComponentsThatThePeerLacksAreNotWaitedFor) {
  AgentConfig config;
  config.streams = {2};
  Solo solo(config);
  const std::vector<HostAddress> hosts = {{solo.host, 0, 1}, {Addr("192.0.2.1:2"), 0, 2}};
  solo.agent.Gather(solo.now, hosts, {}, {});
  solo.SetRemote();
  solo.AddRemote("192.0.2.2:1");
  solo.End();
  ASSERT_TRUE(solo.Answer(solo.Take().at(0)));
  EXPECT_EQ(solo.agent.state(), AgentState::kConnected);
}

TEST(AgentStreamsTest, AFailedStreamFailsTheSessionUnlessItMayGoOn) {
  for (const bool go_on : {false, true}) {
    AgentConfig config;
    config.streams = {1, 1};
    config.patience = TimeDelta::Seconds(1);
    config.continue_without_failed_streams = go_on;
    Solo solo(config);
    const std::vector<HostAddress> hosts = {{solo.host, 0, 1}, {Addr("192.0.2.1:2"), 1, 1}};
    solo.agent.Gather(solo.now, hosts, {}, {});
    solo.SetRemote();
    solo.AddRemote("192.0.2.2:1");
    solo.End();
    ASSERT_TRUE(solo.Answer(solo.Take().at(0)));
    solo.RunFor(TimeDelta::Millis(100));
    for (const Transmit& t : solo.Take()) EXPECT_TRUE(solo.Answer(t));
    EXPECT_EQ(solo.agent.checklist_state(0), ChecklistState::kCompleted);
    solo.RunFor(TimeDelta::Seconds(1));
    EXPECT_EQ(solo.agent.checklist_state(1), ChecklistState::kFailed);
    EXPECT_EQ(solo.agent.state(), go_on ? AgentState::kCompleted : AgentState::kFailed);
  }
}

// --- Networks ------------------------------------------------------------------------------------

TEST(AgentSessionTest, DualStackPrefersIpv6AndFallsBack) {
  for (const bool ipv6_works : {true, false}) {
    Lab lab(Controlling(), Controlled());
    lab.filter = [ipv6_works](int, Transmit& t) { return ipv6_works || t.destination.ip.IsV4(); };
    lab.Start({Addr("192.0.2.1:1000"), Addr("[2001:db8::1]:1000")},
              {Addr("192.0.2.2:2000"), Addr("[2001:db8::2]:2000")});
    ASSERT_TRUE(Completes(lab));
    EXPECT_EQ(lab.agent(0).selected_pair()->remote.address.ip.IsV6(), ipv6_works);
    EXPECT_LT(lab.now(), Timestamp::Millis(1000));
  }
}

TEST(AgentSessionTest, LossDelaysButDoesNotPrevent) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    Lab lab(Controlling(), Controlled(), seed);
    Rng loss(seed, "loss");
    lab.filter = [&loss](int, Transmit&) { return !loss.Bernoulli(0.3); };
    lab.Start({Addr("192.0.2.1:1000")}, {Addr("192.0.2.2:2000")});
    EXPECT_TRUE(Completes(lab, TimeDelta::Seconds(60))) << "seed " << seed;
  }
}

TEST(AgentSessionTest, ABlockedNetworkFailsWithAReason) {
  Lab lab(Controlling(), Controlled());
  lab.filter = [](int, Transmit&) { return false; };
  lab.Start({Addr("192.0.2.1:1000")}, {Addr("192.0.2.2:2000")});
  lab.RunFor(TimeDelta::Seconds(60));
  ASSERT_TRUE(lab.BothAre(AgentState::kFailed));
  EXPECT_THAT(lab.agent(0).failure_reason(), HasSubstr("1 pair failed (1 no answer)"));
}

TEST(AgentSessionTest, SelectedPairsMirrorEachOtherWhateverIsLost) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Lab lab(Controlling(), Controlled(), seed);
    lab.stun_servers = {Addr("198.51.100.1:3478")};
    lab.relay_servers = {{Addr("198.51.100.2:3478")}};
    lab.Nat(0, "203.0.113.1", seed % 2 == 0);
    if (seed % 3 != 0) lab.Nat(1, "203.0.113.2", seed % 5 == 0, seed % 7 == 0);
    Rng loss(seed, "loss");
    lab.filter = [&loss](int, Transmit&) { return !loss.Bernoulli(0.15); };
    lab.Start({Addr("10.0.0.1:1000"), Addr("10.0.0.3:1000")}, {Addr("10.0.0.2:2000")});
    ASSERT_TRUE(Completes(lab, TimeDelta::Seconds(90))) << "seed " << seed;
    lab.filter = nullptr;
    lab.RunFor(TimeDelta::Seconds(2));
    ASSERT_TRUE(lab.Send(0, "a")) << seed;
    ASSERT_TRUE(lab.Send(1, "b")) << seed;
    lab.RunFor(TimeDelta::Seconds(1));
    EXPECT_EQ(lab.peer(0).received.size(), 1u) << seed;
    EXPECT_EQ(lab.peer(1).received.size(), 1u) << seed;
    EXPECT_EQ(lab.agent(0).selected_pair()->local.address,
              lab.agent(1).selected_pair()->remote.address)
        << seed;
    EXPECT_EQ(lab.agent(0).selected_pair()->remote.address,
              lab.agent(1).selected_pair()->local.address)
        << seed;
  }
}

TEST(AgentSessionTest, CandidatesThatComeAfterTheNominationAreNotConveyed) {
  Lab lab(Controlling(), Controlled());
  lab.relay_servers = {{Addr("198.51.100.2:3478")}};
  lab.turn_delay = TimeDelta::Seconds(2);
  lab.Start({Addr("192.0.2.1:1000")}, {Addr("192.0.2.2:2000")});
  ASSERT_TRUE(Completes(lab));
  EXPECT_LT(lab.now(), Timestamp::Seconds(1));
  lab.RunFor(TimeDelta::Seconds(10));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(lab.Events<LocalCandidateGathered>(i).size(), 1u);
    EXPECT_EQ(lab.Events<CandidateReleased>(i).size(), 1u);
  }
}

TEST(AgentSessionTest, TheStateGoesThroughCheckingAndConnectedToCompleted) {
  Lab lab(Controlling(), Controlled());
  lab.Start({Addr("192.0.2.1:1000")}, {Addr("192.0.2.2:2000")});
  ASSERT_TRUE(Completes(lab));
  lab.agent(0).Close(lab.now());
  lab.Pump(0);
  std::vector<AgentState> states;
  for (const auto& e : lab.Events<StateChanged>(0)) states.push_back(e.state);
  EXPECT_THAT(states, ElementsAre(AgentState::kChecking, AgentState::kConnected,
                                  AgentState::kCompleted, AgentState::kClosed));
}

TEST(AgentSessionTest, OneSeedGivesTheSameBytesAtTheSameTimes) {
  const auto run = [](uint64_t seed) {
    Lab lab(Controlling(), Controlled(), seed);
    lab.stun_servers = {Addr("198.51.100.1:3478")};
    lab.relay_servers = {{Addr("198.51.100.2:3478")}};
    lab.Nat(0, "203.0.113.1", true);
    lab.Nat(1, "203.0.113.2");
    lab.Start({Addr("10.0.0.1:1000")}, {Addr("10.0.0.2:2000")});
    lab.RunFor(TimeDelta::Seconds(30));
    std::string trace;
    for (int i = 0; i < 2; ++i) {
      for (const auto& s : lab.peer(i).sent) {
        trace +=
            std::to_string(s.at.nanos()) + s.from.ToString() + s.to.ToString() + ToHex(s.payload);
      }
    }
    return trace;
  };
  EXPECT_EQ(run(5), run(5));
  EXPECT_NE(run(5), run(6));
}

// RFC 8445 section 15.1: L behind a NAT with address-dependent filtering, R public, one STUN server.
TEST(AgentSessionTest, TheRfcsExampleEndsAsItSays) {
  Lab lab(Controlling(), Controlled());
  lab.stun_servers = {Addr("192.0.2.2:3478")};
  lab.Nat(0, "192.0.2.3");
  lab.Start({Addr("10.0.1.1:1000")}, {Addr("192.0.2.1:2000")});
  ASSERT_TRUE(Completes(lab));
  const auto l = lab.agent(0).selected_pair();
  EXPECT_EQ(l->local.address, Addr("192.0.2.3:40000"));  // pair L2
  EXPECT_EQ(l->local.type, CandidateType::kServerReflexive);
  EXPECT_EQ(l->remote.address, Addr("192.0.2.1:2000"));
  const auto r = lab.agent(1).selected_pair();  // pair R2
  EXPECT_EQ(r->local.address, Addr("192.0.2.1:2000"));
  EXPECT_EQ(r->remote.address, Addr("192.0.2.3:40000"));
  EXPECT_EQ(lab.agent(1).local_candidates().size(), 1u);  // R's reflexive candidate was redundant
}

}  // namespace
}  // namespace rtclab::ice
