// Gathering: RFC 8445 section 5.1, RFC 8421, RFC 8838 sections 9 and 13.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/ice/agent_lab.h"

namespace rtclab::ice {
namespace {

using testing::ElementsAre;

constexpr auto kStun = "198.51.100.1:3478";
constexpr auto kStun2 = "198.51.100.2:3478";
constexpr auto kTurn = "198.51.100.3:3478";

Bytes StunSuccess(const Transmit& request, std::string_view mapped, bool xored = true) {
  auto b = stun::MessageBuilder::ResponseTo(*stun::MessageView::Parse(request.payload),
                                            stun::MessageClass::kSuccessResponse);
  if (xored) {
    b.AddXorAddress(stun::AttributeType::kXorMappedAddress, Addr(mapped));
  } else {
    b.AddAddress(stun::AttributeType::kMappedAddress, Addr(mapped));
  }
  return b.Build();
}

std::vector<std::string> Described(const Solo& solo) {
  std::vector<std::string> out;
  for (const auto& e : solo.Events<LocalCandidateGathered>()) out.push_back(Describe(e.candidate));
  return out;
}

TEST(AgentGatherTest, HostCandidatesAreThereAtOnce) {
  Solo solo;
  solo.Gather();
  EXPECT_THAT(Described(solo), ElementsAre("host 192.0.2.1:1000"));
  const Candidate c = solo.agent.local_candidates()[0];
  EXPECT_EQ(ToString(c), "candidate:1 1 udp 2130706431 192.0.2.1 1000 typ host ufrag " +
                             solo.agent.local_credentials().ufrag);
  EXPECT_TRUE(solo.agent.gathering_complete());
  ASSERT_EQ(solo.Events<GatheringComplete>().size(), 1u);
  EXPECT_EQ(solo.Events<GatheringComplete>()[0].ufrag, solo.agent.local_credentials().ufrag);
  EXPECT_EQ(solo.timer, Timestamp::PlusInfinity());
}

TEST(AgentGatherTest, ServersAreAskedOneEveryTaAndRetransmittedByTheGatheringRto) {
  Solo solo;
  solo.Gather({Addr(kStun), Addr(kStun2)}, {{Addr(kTurn)}});
  solo.RunUntil(Timestamp::Millis(600));
  // RFC 8445 section 14.3: MAX(500 ms, Ta * 4) for four reflexive and relayed candidates.
  std::vector<std::pair<int64_t, std::string>> seen;
  for (const auto& [at, t] : solo.out) seen.emplace_back(at.millis(), t.destination.ToString());
  EXPECT_THAT(seen, ElementsAre(std::pair(0, kStun), std::pair(50, kStun2), std::pair(500, kStun),
                                std::pair(550, kStun2)));
  ASSERT_EQ(solo.Events<RelayRequested>().size(), 1u);
  EXPECT_EQ(solo.Events<RelayRequested>()[0].base, solo.host);
  EXPECT_EQ(solo.Events<RelayRequested>()[0].server, Addr(kTurn));
  EXPECT_FALSE(solo.agent.gathering_complete());
}

TEST(AgentGatherTest, ServerReflexiveCandidatesNameBaseServerAndFoundation) {
  Solo solo;
  solo.Gather({Addr(kStun), Addr(kStun2)});
  solo.RunUntil(Timestamp::Millis(60));
  auto sent = solo.Take();
  ASSERT_TRUE(solo.Receive(Addr(kStun), StunSuccess(sent[0], "203.0.113.1:5000")));
  // The other server sees another mapping, and speaks like RFC 3489 (RFC 8445 section 5.1.1.2).
  ASSERT_TRUE(solo.Receive(Addr(kStun2), StunSuccess(sent[1], "203.0.113.1:5001", false)));
  EXPECT_THAT(Described(solo), ElementsAre("host 192.0.2.1:1000", "srflx 203.0.113.1:5000",
                                           "srflx 203.0.113.1:5001"));
  const auto c = solo.agent.local_candidates();
  EXPECT_EQ(c[1].base, solo.host);
  EXPECT_EQ(c[1].related, solo.host);
  EXPECT_EQ(c[1].server, Addr(kStun));
  EXPECT_GT(c[1].priority, c[2].priority);  // unique per type (RFC 8445 section 5.1.2.1)
  EXPECT_NE(c[1].foundation, c[2].foundation);
  EXPECT_TRUE(solo.agent.gathering_complete());
}

TEST(AgentGatherTest, RedundantCandidatesAreNotConveyed) {
  Solo solo;
  solo.Gather({Addr(kStun), Addr(kStun2)});
  solo.RunUntil(Timestamp::Millis(60));
  const auto sent = solo.Take();
  ASSERT_TRUE(solo.Receive(Addr(kStun), StunSuccess(sent[0], "192.0.2.1:1000")));  // no NAT
  ASSERT_TRUE(solo.Receive(Addr(kStun2), StunSuccess(sent[1], "192.0.2.1:1000")));
  EXPECT_THAT(Described(solo), ElementsAre("host 192.0.2.1:1000"));
  EXPECT_TRUE(solo.agent.gathering_complete());
}

TEST(AgentGatherTest, OfTwoEqualReflexiveCandidatesTheBetterStaysUntilOneIsConveyed) {
  for (const Trickle trickle : {Trickle::kNone, Trickle::kFull}) {
    AgentConfig config;
    config.trickle = trickle;
    Solo solo(config);
    solo.Gather({Addr(kStun), Addr(kStun2)});
    solo.RunUntil(Timestamp::Millis(60));
    const auto sent = solo.Take();
    ASSERT_TRUE(solo.Receive(Addr(kStun2), StunSuccess(sent[1], "203.0.113.1:5000")));
    ASSERT_TRUE(solo.Receive(Addr(kStun), StunSuccess(sent[0], "203.0.113.1:5000")));
    const auto gathered = solo.Events<LocalCandidateGathered>();
    ASSERT_EQ(gathered.size(), 2u);
    EXPECT_EQ(gathered[1].candidate.server, Addr(trickle == Trickle::kNone ? kStun : kStun2));
  }
}

TEST(AgentGatherTest, FakedAndFailedAnswers) {
  Solo solo;
  solo.Gather({Addr(kStun)});
  const auto sent = solo.Take();
  EXPECT_FALSE(solo.Receive(Addr(kStun2), StunSuccess(sent[0], "203.0.113.1:5000")));
  Bytes empty = stun::MessageBuilder::ResponseTo(*stun::MessageView::Parse(sent[0].payload),
                                                 stun::MessageClass::kSuccessResponse)
                    .Build();
  EXPECT_FALSE(solo.Receive(Addr(kStun), empty));
  EXPECT_TRUE(
      solo.Receive(Addr(kStun), stun::MessageBuilder::ErrorResponseTo(
                                    *stun::MessageView::Parse(sent[0].payload), 300, "go away")
                                    .Build()));
  ASSERT_EQ(solo.Events<GatheringFailed>().size(), 1u);
  EXPECT_EQ(solo.Events<GatheringFailed>()[0].error_code, 300);
  EXPECT_TRUE(solo.agent.gathering_complete());
  EXPECT_EQ(solo.agent.local_candidates().size(), 1u);
}

TEST(AgentGatherTest, AnUnreachableServerEndsGatheringAfterItsTransactionOrTheLimit) {
  for (const bool limited : {false, true}) {
    AgentConfig config;
    if (limited) config.gathering_timeout = TimeDelta::Seconds(5);
    Solo solo(config);
    solo.Gather({Addr(kStun)});
    const Timestamp end = limited ? Timestamp::Seconds(5) : Timestamp::Millis(39'500);
    solo.RunUntil(end - TimeDelta::Millis(1));
    EXPECT_FALSE(solo.agent.gathering_complete());
    solo.RunUntil(end);
    EXPECT_TRUE(solo.agent.gathering_complete());
    EXPECT_EQ(solo.timer, Timestamp::PlusInfinity());
  }
}

TEST(AgentGatherTest, AnAllocationGivesTwoCandidates) {
  Solo solo;
  solo.Gather({}, {{Addr(kTurn)}});
  const auto request = solo.Events<RelayRequested>().at(0);
  EXPECT_FALSE(solo.agent.gathering_complete());
  solo.agent.AddRelayedCandidate(solo.now, request.request_id, Addr("198.51.100.3:50000"),
                                 Addr("203.0.113.1:5000"));
  solo.Pump();
  EXPECT_THAT(Described(solo), ElementsAre("host 192.0.2.1:1000", "srflx 203.0.113.1:5000",
                                           "relay 198.51.100.3:50000"));
  const Candidate relay = solo.agent.local_candidates()[2];
  EXPECT_EQ(relay.related, Addr("203.0.113.1:5000"));
  EXPECT_EQ(relay.base, relay.address);
  EXPECT_EQ(relay.priority >> 24, 0u);
  EXPECT_TRUE(solo.agent.gathering_complete());
  // Answered already.
  solo.agent.AddRelayedCandidate(solo.now, request.request_id, Addr("198.51.100.3:50001"),
                                 Addr("203.0.113.1:5000"));
  EXPECT_EQ(solo.agent.local_candidates().size(), 3u);
}

TEST(AgentGatherTest, AServerWithoutResourcesIsAskedByABindingRequestInstead) {
  for (const int code : {486, 508, 401, 0}) {
    Solo solo;
    solo.Gather({}, {{Addr(kTurn)}});
    solo.Take();
    solo.agent.RelayFailed(solo.now, solo.Events<RelayRequested>().at(0).request_id, code, "no");
    solo.Pump();
    solo.RunFor(TimeDelta::Millis(60));
    const auto sent = solo.Take();
    const bool asks = code == 486 || code == 508;
    EXPECT_EQ(sent.size(), asks ? 1u : 0u) << code;
    EXPECT_EQ(solo.agent.gathering_complete(), !asks);
    EXPECT_EQ(solo.Events<GatheringFailed>().at(0).error_code, code);
  }
}

TEST(AgentGatherTest, BindingsAreKeptAliveUntilIceCompletes) {
  Solo solo;
  solo.Gather({Addr(kStun)});
  ASSERT_TRUE(solo.Receive(Addr(kStun), StunSuccess(solo.Take()[0], "203.0.113.1:5000")));
  solo.RunFor(TimeDelta::Millis(14'999));
  EXPECT_TRUE(solo.Take().empty());
  solo.RunFor(TimeDelta::Millis(1));
  const auto sent = solo.Take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_TRUE(solo.Receive(Addr(kStun), StunSuccess(sent[0], "203.0.113.1:5000")));
  EXPECT_EQ(solo.agent.local_candidates().size(), 2u);
  EXPECT_EQ(solo.Events<GatheringComplete>().size(), 1u);
}

TEST(AgentGatherTest, DualStackHostsInterleaveAndUseServersOfTheirFamily) {
  Solo solo;
  solo.agent.Gather(
      solo.now,
      std::vector<TransportAddress>{Addr("192.0.2.1:1000"), Addr("[2001:db8::1]:1001"),
                                    Addr("[fe80::1]:1002"), Addr("127.0.0.1:1003")},
      std::vector<TransportAddress>{Addr(kStun), Addr("[2001:db8::99]:3478")}, {});
  solo.Pump();
  solo.RunUntil(Timestamp::Millis(500));
  std::vector<std::string> asked;
  for (const auto& [at, t] : solo.out) {
    if (at < Timestamp::Millis(500))
      asked.push_back(t.source.ToString() + ">" + t.destination.ToString());
  }
  EXPECT_THAT(asked, ElementsAre("192.0.2.1:1000>198.51.100.1:3478",
                                 "[2001:db8::1]:1001>[2001:db8::99]:3478"));
  const auto c = solo.agent.local_candidates();
  ASSERT_EQ(c.size(), 3u);  // no loopback
  // Hi = 3 / 1: both IPv6 addresses before the IPv4 one.
  EXPECT_GT(c[1].priority, c[2].priority);
  EXPECT_GT(c[2].priority, c[0].priority);
}

TEST(AgentGatherTest, PoliciesHideCandidates) {
  for (const CandidatePolicy policy : {CandidatePolicy::kNoHost, CandidatePolicy::kRelayOnly}) {
    AgentConfig config;
    config.policy = policy;
    Solo solo(config);
    solo.Gather({Addr(kStun)}, {{Addr(kTurn)}});
    solo.RunUntil(Timestamp::Millis(60));
    for (const Transmit& t : solo.Take()) {
      EXPECT_TRUE(solo.Receive(Addr(kStun), StunSuccess(t, "203.0.113.1:5000")));
    }
    solo.agent.AddRelayedCandidate(solo.now, solo.Events<RelayRequested>().at(0).request_id,
                                   Addr("198.51.100.3:50000"), Addr("203.0.113.1:5000"));
    solo.Pump();
    if (policy == CandidatePolicy::kNoHost) {
      EXPECT_THAT(Described(solo),
                  ElementsAre("srflx 203.0.113.1:5000", "relay 198.51.100.3:50000"));
      EXPECT_EQ(solo.agent.local_candidates()[0].related, std::nullopt);
    } else {
      EXPECT_THAT(Described(solo), ElementsAre("relay 198.51.100.3:50000"));
      EXPECT_EQ(solo.agent.local_candidates()[0].related, std::nullopt);
      solo.SetRemote();
      EXPECT_FALSE(solo.Receive(Addr("192.0.2.2:1"), solo.Request()));
    }
  }
}

TEST(AgentGatherTest, WithoutTrickleNothingIsConveyedBeforeAllIsGathered) {
  for (const Trickle trickle : {Trickle::kNone, Trickle::kHalf, Trickle::kFull}) {
    for (const Role role : {Role::kControlling, Role::kControlled}) {
      AgentConfig config;
      config.trickle = trickle;
      config.role = role;
      Solo solo(config);
      solo.Gather({Addr(kStun)});
      const bool withheld =
          trickle == Trickle::kNone || (trickle == Trickle::kHalf && role == Role::kControlling);
      EXPECT_EQ(Described(solo).size(), withheld ? 0u : 1u);
      ASSERT_TRUE(solo.Receive(Addr(kStun), StunSuccess(solo.Take()[0], "203.0.113.1:5000")));
      EXPECT_EQ(Described(solo).size(), 2u);
    }
  }
}

// --- Relayed candidates and permissions, RFC 8445 section 7.2.1 ----------------------------------

TEST(AgentGatherTest, NoCheckLeavesARelayBeforeItsPermission) {
  AgentConfig config;
  config.policy = CandidatePolicy::kRelayOnly;
  Solo solo(config);
  solo.Gather({}, {{Addr(kTurn)}});
  const TransportAddress relayed = Addr("198.51.100.3:50000");
  solo.agent.AddRelayedCandidate(solo.now, solo.Events<RelayRequested>().at(0).request_id, relayed,
                                 Addr("203.0.113.1:5000"));
  solo.SetRemote();
  solo.AddRemote("192.0.2.2:1", 2000, "f1");
  solo.AddRemote("192.0.2.2:2", 1900, "f2");
  solo.AddRemote("192.0.2.3:1", 1000, "f3");
  solo.End();
  solo.RunFor(TimeDelta::Millis(500));
  EXPECT_TRUE(solo.Take().empty());
  const auto wanted = solo.Events<PermissionWanted>();
  ASSERT_EQ(wanted.size(), 1u);  // one request for both addresses
  EXPECT_EQ(wanted[0].relayed, relayed);
  EXPECT_THAT(wanted[0].peers, ElementsAre(Addr("192.0.2.2:1").ip, Addr("192.0.2.3:1").ip));
  solo.agent.PermissionFailed(solo.now, relayed, wanted[0].peers[1], "403");
  solo.agent.PermissionGranted(solo.now, relayed, wanted[0].peers[0]);
  solo.Pump();
  solo.RunFor(TimeDelta::Millis(200));
  const auto sent = solo.Take();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].source, relayed);
  EXPECT_EQ(sent[0].destination, Addr("192.0.2.2:1"));
  EXPECT_EQ(solo.agent.checklist()[2].state, PairState::kFailed);
  solo.RunUntil(Timestamp::Seconds(60));
  EXPECT_EQ(solo.agent.failure_reason(),
            "no valid pair: 3 pairs failed (2 no answer, 1 no TURN permission)");
}

TEST(AgentGatherTest, AFirstRelayAfterTheRemoteCandidatesAsksForPermissions) {
  AgentConfig config;
  config.policy = CandidatePolicy::kRelayOnly;
  Solo solo(config);
  solo.Gather({}, {{Addr(kTurn)}});
  solo.SetRemote();
  solo.AddRemote("192.0.2.2:1");
  solo.End();
  const TransportAddress relayed = Addr("198.51.100.3:50000");
  solo.agent.AddRelayedCandidate(solo.now, solo.Events<RelayRequested>().at(0).request_id, relayed,
                                 Addr("203.0.113.1:5000"));
  solo.Pump();
  solo.RunFor(TimeDelta::Millis(200));
  const auto wanted = solo.Events<PermissionWanted>();
  ASSERT_EQ(wanted.size(), 1u);
  EXPECT_EQ(wanted[0].relayed, relayed);
  EXPECT_THAT(wanted[0].peers, ElementsAre(Addr("192.0.2.2:1").ip));
}

TEST(AgentGatherTest, ACheckThroughTheRelayProvesItsPermission) {
  AgentConfig config;
  config.policy = CandidatePolicy::kRelayOnly;
  config.role = Role::kControlled;
  Solo solo(config);
  solo.Gather({}, {{Addr(kTurn)}});
  const TransportAddress relayed = Addr("198.51.100.3:50000");
  solo.agent.AddRelayedCandidate(solo.now, solo.Events<RelayRequested>().at(0).request_id, relayed,
                                 Addr("203.0.113.1:5000"));
  solo.SetRemote();
  solo.RunFor(TimeDelta::Millis(100));
  const Bytes request = solo.Request({.role = Role::kControlling});
  ASSERT_TRUE(solo.agent.HandlePacket(solo.now, {Addr("192.0.2.2:1"), relayed, request}));
  solo.Pump();
  const auto sent = solo.Take();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].source, relayed);  // the answer
  EXPECT_EQ(sent[1].source, relayed);  // the triggered check
  // RFC 8445 section 7.3.1.2: the mapped address is the source as the TURN server saw it.
  EXPECT_EQ(stun::MessageView::Parse(sent[0].payload)
                ->GetXorAddress(stun::AttributeType::kXorMappedAddress),
            Addr("192.0.2.2:1"));
}

}  // namespace
}  // namespace rtclab::ice
