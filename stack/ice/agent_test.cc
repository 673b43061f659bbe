// Two agents find each other: the ordinary cases.
#include "stack/ice/agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/ice/agent_lab.h"

namespace rtclab::ice {
namespace {

using testing::ElementsAre;

TEST(AgentTest, TwoHostsConnectDirectly) {
  Lab lab(Controlling(), Controlled());
  lab.Start({Addr("192.0.2.1:1000")}, {Addr("192.0.2.2:2000")});
  ASSERT_TRUE(
      lab.RunFor(TimeDelta::Seconds(2), [&] { return lab.BothAre(AgentState::kCompleted); }));
  EXPECT_LT(lab.now(), Timestamp::Millis(400));
  for (int i = 0; i < 2; ++i) {
    const auto pair = lab.agent(i).selected_pair();
    ASSERT_TRUE(pair);
    EXPECT_EQ(pair->local.type, CandidateType::kHost);
    EXPECT_EQ(pair->remote.type, CandidateType::kHost);
    EXPECT_EQ(pair->local.address, lab.peer(i).hosts[0]);
    EXPECT_EQ(pair->remote.address, lab.peer(1 - i).hosts[0]);
  }
  EXPECT_TRUE(lab.Send(0, "hello"));
  EXPECT_TRUE(lab.Send(1, "world"));
  lab.RunFor(TimeDelta::Seconds(1));
  EXPECT_THAT(lab.peer(1).received, ElementsAre(Bytes{'h', 'e', 'l', 'l', 'o'}));
  EXPECT_THAT(lab.peer(0).received, ElementsAre(Bytes{'w', 'o', 'r', 'l', 'd'}));
}

TEST(AgentTest, TwoPortRestrictedNatsConnectByReflexiveCandidates) {
  Lab lab(Controlling(), Controlled());
  lab.stun_servers = {Addr("198.51.100.1:3478")};
  lab.Nat(0, "203.0.113.1");
  lab.Nat(1, "203.0.113.2");
  lab.Start({Addr("10.0.0.1:1000")}, {Addr("10.0.0.2:2000")});
  ASSERT_TRUE(
      lab.RunFor(TimeDelta::Seconds(5), [&] { return lab.BothAre(AgentState::kCompleted); }));
  const auto pair = lab.agent(0).selected_pair();
  EXPECT_EQ(pair->local.type, CandidateType::kServerReflexive);
  EXPECT_EQ(pair->remote.type, CandidateType::kServerReflexive);
  EXPECT_EQ(pair->local.address, Addr("203.0.113.1:40000"));
  EXPECT_EQ(pair->remote.address, Addr("203.0.113.2:40000"));
  EXPECT_TRUE(lab.Send(0, "x"));
  lab.RunFor(TimeDelta::Seconds(1));
  EXPECT_EQ(lab.peer(1).received.size(), 1u);
}

TEST(AgentTest, TwoSymmetricNatsNeedTheRelay) {
  Lab lab(Controlling(), Controlled());
  lab.stun_servers = {Addr("198.51.100.1:3478")};
  lab.relay_servers = {{Addr("198.51.100.2:3478")}};
  lab.Nat(0, "203.0.113.1", true);
  lab.Nat(1, "203.0.113.2", true);
  lab.Start({Addr("10.0.0.1:1000")}, {Addr("10.0.0.2:2000")});
  ASSERT_TRUE(
      lab.RunFor(TimeDelta::Seconds(10), [&] { return lab.BothAre(AgentState::kCompleted); }));
  const auto a = lab.agent(0).selected_pair();
  const auto b = lab.agent(1).selected_pair();
  EXPECT_TRUE(a->local.type == CandidateType::kRelayed ||
              a->remote.type == CandidateType::kRelayed);
  EXPECT_EQ(a->remote.address, b->local.address);
  EXPECT_TRUE(lab.Send(0, "x"));
  EXPECT_TRUE(lab.Send(1, "x"));
  lab.RunFor(TimeDelta::Seconds(1));
  EXPECT_EQ(lab.peer(1).received.size(), 1u);
  EXPECT_EQ(lab.peer(0).received.size(), 1u);
}

}  // namespace
}  // namespace rtclab::ice
