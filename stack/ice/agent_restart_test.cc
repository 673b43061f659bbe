// Restarts, RFC 8445 section 9: credentials, the old pair, relays.
#include <gtest/gtest.h>

#include "stack/ice/agent_lab.h"

namespace rtclab::ice {
namespace {

TEST(AgentRestartTest, ARestartChangesCredentialsKeepsRolesAndDataFlows) {
  Lab lab(Controlling(), Controlled());
  lab.stun_servers = {Addr("198.51.100.1:3478")};
  lab.Nat(0, "203.0.113.1");
  lab.Nat(1, "203.0.113.2");
  lab.Start({Addr("10.0.0.1:1000")}, {Addr("10.0.0.2:2000")});
  ASSERT_TRUE(Completes(lab));
  lab.RunFor(TimeDelta::Seconds(10));
  const Credentials before[2] = {lab.agent(0).local_credentials(),
                                 lab.agent(1).local_credentials()};
  lab.Restart(1);  // by the controlled agent, for once
  EXPECT_EQ(lab.agent(1).state(), AgentState::kConnected);
  EXPECT_NE(lab.agent(1).local_credentials().ufrag, before[1].ufrag);
  EXPECT_NE(lab.agent(1).local_credentials().password, before[1].password);
  int sent = 0;
  const Timestamp start = lab.now();
  while (!lab.BothAre(AgentState::kCompleted)) {
    // RFC 8445 section 12.1: over the old pair until there is a new one.
    EXPECT_TRUE(lab.Send(0, "x"));
    EXPECT_TRUE(lab.Send(1, "x"));
    ++sent;
    lab.RunFor(TimeDelta::Millis(10));
    ASSERT_LT(lab.now(), start + TimeDelta::Seconds(5));
  }
  lab.RunFor(TimeDelta::Seconds(1));
  EXPECT_EQ(lab.peer(0).received.size(), static_cast<std::size_t>(sent));
  EXPECT_EQ(lab.peer(1).received.size(), static_cast<std::size_t>(sent));
  EXPECT_NE(lab.agent(0).local_credentials(), before[0]);
  EXPECT_EQ(lab.agent(0).role(), Role::kControlling);
  EXPECT_EQ(lab.agent(1).role(), Role::kControlled);
  EXPECT_EQ(lab.agent(0).generation(), 1);
  EXPECT_EQ(lab.Events<Restarted>(0).size(), 1u);
  EXPECT_EQ(lab.Events<Restarted>(1).size(), 0u);
  // Consent goes on with the new credentials.
  lab.RunFor(TimeDelta::Seconds(60));
  EXPECT_TRUE(lab.BothAre(AgentState::kCompleted));
}

TEST(AgentRestartTest, DuringARestartConsentGoesOnWithTheOldCredentials) {
  Lab lab(Controlling(), Controlled());
  lab.Start({Addr("192.0.2.1:1000")}, {Addr("192.0.2.2:2000")});
  ASSERT_TRUE(Completes(lab));
  lab.agent(0).Restart(lab.now());  // and its description never reaches the peer
  lab.Pump(0);
  lab.RunFor(TimeDelta::Seconds(38));
  EXPECT_EQ(lab.agent(1).state(), AgentState::kCompleted);
  EXPECT_EQ(lab.agent(0).state(), AgentState::kConnected);
  EXPECT_TRUE(lab.Send(0, "x"));
  EXPECT_GT(lab.agent(0).counters().consent_answered, 5u);
  EXPECT_GT(lab.agent(1).counters().consent_answered, 5u);
}

TEST(AgentRestartTest, ARestartBringsBackAFailedSession) {
  Lab lab(Controlling(), Controlled());
  bool cut = false;
  lab.filter = [&cut](int, Transmit&) { return !cut; };
  lab.Start({Addr("192.0.2.1:1000")}, {Addr("192.0.2.2:2000")});
  ASSERT_TRUE(Completes(lab));
  cut = true;
  lab.RunFor(TimeDelta::Seconds(40));
  ASSERT_TRUE(lab.BothAre(AgentState::kFailed));
  cut = false;
  lab.Restart(0);
  EXPECT_EQ(lab.agent(0).state(), AgentState::kChecking);
  ASSERT_TRUE(Completes(lab));
  EXPECT_TRUE(lab.Send(1, "x"));
}

TEST(AgentRestartTest, ALateCandidateOfTheOldGenerationIsIgnored) {
  Solo solo;
  solo.Start({"192.0.2.2:1"});
  solo.agent.Restart(solo.now);
  solo.Pump();
  EXPECT_EQ(solo.AddRemote("192.0.2.2:7", 9, "1", "RFRAG"), AddResult::kBuffered);
  solo.remote = {"NEWFRAG", "abcdefghijklmnopqrstuvwx"};
  solo.SetRemote();
  EXPECT_TRUE(solo.agent.remote_candidates().empty());
  EXPECT_EQ(solo.AddRemote("192.0.2.2:7", 9, "1", "RFRAG"), AddResult::kStaleGeneration);
  EXPECT_TRUE(solo.Events<Restarted>().empty());
  // Checks of the first generation are marked as given up.
  EXPECT_EQ(solo.agent.check_log()[0].outcome, CheckOutcome::kCancelled);
  EXPECT_EQ(solo.agent.check_log()[0].generation, 0);
}

// As Chromium does, where the other end controls.
TEST(AgentRestartTest, DataOfAPeerThatStaysWithTheOldPairIsTaken) {
  Solo solo;
  solo.Start({"192.0.2.2:1"});
  const Bytes data{0x80, 1};
  EXPECT_FALSE(solo.Receive(Addr("192.0.2.2:9"), data));
  EXPECT_TRUE(solo.Receive(Addr("192.0.2.2:9"), solo.Request()));
  EXPECT_TRUE(solo.Receive(Addr("192.0.2.2:9"), data));
  solo.agent.Restart(solo.now);
  solo.Pump();
  solo.remote = {"NEWFRAG", "abcdefghijklmnopqrstuvwx"};
  solo.SetRemote();
  solo.AddRemote("192.0.2.2:2");
  solo.End();
  EXPECT_TRUE(solo.Receive(Addr("192.0.2.2:2"), data));
  EXPECT_TRUE(solo.Receive(Addr("192.0.2.2:9"), data));
  EXPECT_FALSE(solo.Receive(Addr("192.0.2.3:9"), data));
}

// What Chromium sends in a restart before it has the answer.
TEST(AgentRestartTest, ACheckAcrossGenerationsIsRefusedBeforeAndAfterOurRestart) {
  Solo solo;
  solo.Start({"192.0.2.2:1"});
  const Credentials old_local = solo.agent.local_credentials();
  const auto answer_to = [&](std::string_view remote_ufrag) {
    solo.out.clear();
    const std::string username = old_local.ufrag + ":" + std::string(remote_ufrag);
    EXPECT_TRUE(solo.Receive(Addr("192.0.2.2:9"),
                             solo.Request({.username = username, .password = old_local.password})));
    CHECK(!solo.out.empty());
    return Solo::ResponseCode(solo.out.front().second);
  };
  EXPECT_EQ(answer_to("NEWFRAG"), 401);
  solo.agent.Restart(solo.now);
  solo.Pump();
  EXPECT_EQ(answer_to("NEWFRAG"), 401);
  EXPECT_EQ(answer_to("RFRAG"), 0);  // the old path lives on
  solo.remote = {"NEWFRAG", "abcdefghijklmnopqrstuvwx"};
  solo.SetRemote();
  EXPECT_EQ(answer_to("NEWFRAG"), 401);
}

// One agent whose selected pair goes out through its only relay.
TEST(AgentRestartTest, CredentialsMayBeGivenFromOutside) {
  AgentConfig config = Controlling();
  config.credentials = {"OFFR", "abcdefghijklmnopqrstuv"};
  Solo solo(config);
  EXPECT_EQ(solo.agent.local_credentials(), config.credentials);
  const Credentials next{"NEXT", "vutsrqponmlkjihgfedcba"};
  solo.agent.Restart(solo.now, next);
  EXPECT_EQ(solo.agent.local_credentials(), next);
  solo.agent.Restart(solo.now);
  EXPECT_EQ(solo.agent.local_credentials().ufrag.size(), 8u);
}

TEST(AgentRestartTest, OtherServersAreAskedFromTheNextRestartOn) {
  Solo solo;
  solo.Gather({Addr("198.51.100.1:3478")});
  solo.RunFor(TimeDelta::Millis(200));
  solo.agent.SetServers(CandidatePolicy::kAll, {Addr("198.51.100.2:3478")}, {});
  const auto asked = [&solo](std::string_view server) {
    return std::any_of(solo.out.begin(), solo.out.end(),
                       [&](const auto& t) { return t.second.destination == Addr(server); });
  };
  solo.RunFor(TimeDelta::Millis(200));
  EXPECT_TRUE(asked("198.51.100.1:3478"));
  EXPECT_FALSE(asked("198.51.100.2:3478"));
  solo.out.clear();
  solo.agent.Restart(solo.now);
  solo.Pump();
  solo.RunFor(TimeDelta::Millis(200));
  EXPECT_FALSE(asked("198.51.100.1:3478"));
  EXPECT_TRUE(asked("198.51.100.2:3478"));
}

class RelayRestartTest : public testing::Test {
 protected:
  void SetUp() override {
    solo_.Gather({}, {{server_}});
    AnswerRequest(0, old_);
    solo_.SetRemote();
    solo_.AddRemote("192.0.2.2:1");
    solo_.End();
    Grant(old_);
    Connect(old_);
    ASSERT_TRUE(solo_.agent.selected_pair());
    ASSERT_EQ(solo_.agent.selected_pair()->local.base, old_);
    // Beyond the release of what is not used.
    solo_.RunFor(TimeDelta::Seconds(4));
    solo_.Take();
  }
  static AgentConfig RelayOnly() {
    AgentConfig config;
    config.policy = CandidatePolicy::kRelayOnly;
    return config;
  }
  void Restart() {
    solo_.agent.Restart(solo_.now);
    solo_.Pump();
    old_remote_ = solo_.remote;
    solo_.remote = {"NEWFRAG", "abcdefghijklmnopqrstuvwx"};
    solo_.SetRemote();
    solo_.AddRemote("192.0.2.2:1");
    solo_.End();
    solo_.RunFor(TimeDelta::Millis(100));
    ASSERT_EQ(solo_.Events<RelayRequested>().size(), 2u);
    EXPECT_FALSE(solo_.agent.gathering_complete());
  }
  void AnswerRequest(std::size_t nth, const TransportAddress& relayed) {
    const RelayRequested request = solo_.Events<RelayRequested>().at(nth);
    EXPECT_EQ(request.server, server_);
    solo_.agent.AddRelayedCandidate(solo_.now, request.request_id, relayed,
                                    Addr("203.0.113.1:5000"));
    solo_.Pump();
  }
  void Grant(const TransportAddress& relayed) {
    solo_.RunFor(TimeDelta::Millis(100));
    solo_.agent.PermissionGranted(solo_.now, relayed, peer_.ip);
    solo_.Pump();
  }
  // Answers every check from `relayed` until a pair is selected.
  void Connect(const TransportAddress& relayed) {
    for (int i = 0; i < 20; ++i) {
      solo_.RunFor(TimeDelta::Millis(100));
      for (const Transmit& t : solo_.Take()) {
        if (!Solo::IsRequest(t) || t.source != relayed) continue;
        solo_.agent.HandlePacket(solo_.now, {t.destination, relayed, solo_.Success(t, relayed)});
        solo_.Pump();
      }
    }
  }
  std::vector<TransportAddress> Released() const {
    std::vector<TransportAddress> out;
    for (const CandidateReleased& e : solo_.Events<CandidateReleased>()) {
      if (e.candidate.type == CandidateType::kRelayed) out.push_back(e.candidate.address);
    }
    return out;
  }

  const TransportAddress server_ = Addr("198.51.100.3:3478");
  const TransportAddress old_ = Addr("198.51.100.3:50000");
  const TransportAddress new_ = Addr("198.51.100.3:50001");
  const TransportAddress peer_ = Addr("192.0.2.2:1");
  Credentials old_remote_;
  Solo solo_{RelayOnly()};
};

TEST_F(RelayRestartTest, ALiveRelayIsConfirmedAndKeepsItsPermissions) {
  Restart();
  AnswerRequest(1, old_);
  EXPECT_TRUE(solo_.agent.gathering_complete());
  ASSERT_EQ(solo_.agent.local_candidates().size(), 1u);
  EXPECT_EQ(solo_.agent.local_candidates()[0].address, old_);
  Connect(old_);
  EXPECT_EQ(solo_.Events<PermissionWanted>().size(), 1u);  // the first generation's
  EXPECT_EQ(solo_.agent.state(), AgentState::kCompleted);
  solo_.RunFor(TimeDelta::Seconds(5));
  EXPECT_TRUE(Released().empty());
}

TEST_F(RelayRestartTest, TheOldRelayServesTheOldPairUntilAnotherIsSelected) {
  const Credentials old_local = solo_.agent.local_credentials();
  Restart();
  // Data both ways and the peer's consent checks.
  EXPECT_TRUE(solo_.agent.Send(solo_.now, AsBytes("\x80")));
  solo_.Pump();
  const auto sent = solo_.Take();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent.back().source, old_);
  EXPECT_TRUE(solo_.agent.HandlePacket(solo_.now, {peer_, old_, Bytes{0x80, 1}}));
  const Bytes consent = solo_.Request(
      {.username = old_local.ufrag + ":" + old_remote_.ufrag, .password = old_local.password});
  EXPECT_TRUE(solo_.agent.HandlePacket(solo_.now, {peer_, old_, consent}));
  solo_.Pump();
  const auto answers = solo_.Take();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(Solo::ResponseCode(answers[0]), 0);
  // A check of the new generation is nothing for it.
  EXPECT_FALSE(solo_.agent.HandlePacket(solo_.now, {peer_, old_, solo_.Request()}));

  AnswerRequest(1, new_);
  ASSERT_EQ(solo_.agent.local_candidates().size(), 1u);
  EXPECT_EQ(solo_.agent.local_candidates()[0].address, new_);
  EXPECT_TRUE(Released().empty());
  Grant(new_);
  Connect(new_);
  ASSERT_EQ(solo_.agent.selected_pair()->local.base, new_);
  solo_.RunFor(TimeDelta::Seconds(4));
  EXPECT_EQ(Released(), std::vector<TransportAddress>{old_});
}

TEST_F(RelayRestartTest, ARelayThatIsGoneIsAskedForAnew) {
  solo_.agent.RemoveLocalAddress(solo_.now, old_);
  solo_.Pump();
  EXPECT_EQ(solo_.Events<ConsentExpired>().size(), 1u);
  Restart();
  AnswerRequest(1, new_);
  Grant(new_);
  Connect(new_);
  EXPECT_EQ(solo_.agent.state(), AgentState::kCompleted);
  EXPECT_EQ(solo_.agent.selected_pair()->local.base, new_);
}

TEST_F(RelayRestartTest, ARefusedRelayIsReleasedWhenTheSessionFails) {
  Restart();
  solo_.agent.RelayFailed(solo_.now, solo_.Events<RelayRequested>().at(1).request_id, 401, "no");
  solo_.Pump();
  EXPECT_TRUE(Released().empty());
  EXPECT_TRUE(solo_.agent.gathering_complete());
  solo_.RunFor(TimeDelta::Seconds(60));
  EXPECT_EQ(solo_.agent.state(), AgentState::kFailed);
  EXPECT_EQ(Released(), std::vector<TransportAddress>{old_});
}

}  // namespace
}  // namespace rtclab::ice
