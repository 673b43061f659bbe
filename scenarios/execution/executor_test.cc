#include "scenarios/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "results/json.h"
#include "scenarios/execution/spec_for_test.h"

namespace rtclab::scenarios {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

results::Session RunOne(const RunSpec& spec) {
  const Outcome outcome = Execute(spec, {});
  EXPECT_NE(outcome.run.verdict, results::Verdict::kError) << outcome.run.error;
  return outcome.run.sessions.at(0);
}

std::string Types(const results::Session& session) {
  if (!session.selected_pair) return session.state;
  return session.selected_pair->local.type + "-" + session.selected_pair->remote.type;
}

TEST(ExecutorTest, HostsOfOneLanConnectByHostCandidates) {
  RunSpec spec = TwoHosts(PortRestricted(), PortRestricted());
  spec.network.hosts[1].attachments[0].lan = "a";
  const results::Session session = RunOne(spec);
  EXPECT_EQ(Types(session), "host-host");
  EXPECT_THAT(session.why.text, HasSubstr("Direct"));
}

TEST(ExecutorTest, PortRestrictedNatsConnectByServerReflexiveCandidates) {
  const results::Session session = RunOne(TwoHosts(PortRestricted(), PortRestricted()));
  EXPECT_EQ(Types(session), "srflx-srflx");
  // Gathering takes a round trip to the STUN server over both links, and a path between the NATs has twice 10 ms.
  ASSERT_TRUE(session.timing_ms.first_valid_pair && session.timing_ms.ice_connected &&
              session.timing_ms.gathering);
  EXPECT_GE(*session.timing_ms.first_valid_pair, 60);
  EXPECT_GE(*session.timing_ms.ice_connected, *session.timing_ms.first_valid_pair);
}

TEST(ExecutorTest, SymmetricNatsNeedARelayAndTheReasonNamesTheFilter) {
  const results::Session session = RunOne(TwoHosts(Symmetric(), Symmetric()));
  ASSERT_TRUE(session.selected_pair);
  EXPECT_TRUE(session.selected_pair->local.type == "relay" ||
              session.selected_pair->remote.type == "relay")
      << Types(session);
  EXPECT_THAT(session.why.text, HasSubstr("no direct pair worked"));
  EXPECT_THAT(session.why.text, HasSubstr("nat.filter.address-and-port-dependent"));
  EXPECT_THAT(session.why.causes, Contains(Field(&results::Cause::where, "nat/b")));
}

TEST(ExecutorTest, WithoutARelaySymmetricNatsFailAndSaySo) {
  const results::Session session = RunOne(TwoHosts(Symmetric(), Symmetric(), /*turn=*/false));
  EXPECT_EQ(session.state, "failed");
  EXPECT_FALSE(session.selected_pair);
  EXPECT_THAT(session.why.text, HasSubstr("No candidate pair worked"));
  EXPECT_THAT(session.why.causes, Not(IsEmpty()));
}

TEST(ExecutorTest, BlockedUdpFailsByTheFirewall) {
  RunSpec spec = TwoHosts(PortRestricted(), PortRestricted());
  sim::FirewallBehaviour firewall;
  firewall.rules.push_back({.name = "no-udp",
                            .allow = false,
                            .direction = sim::Direction::kOutbound,
                            .protocol = sim::IpProtocol::kUdp});
  spec.network.lans[0].firewall = firewall;
  const results::Session session = RunOne(spec);
  EXPECT_EQ(session.state, "failed");
  EXPECT_THAT(session.why.causes, Contains(Field(&results::Cause::where, "firewall/a")));
  EXPECT_THAT(session.why.causes, Contains(Field(&results::Cause::rule, HasSubstr("no-udp"))));
}

TEST(ExecutorTest, SameSeedGivesTheSameRunAndAnotherSeedAnother) {
  RunSpec spec = TwoHosts(Symmetric(), Symmetric());
  const std::string first = results::ToJson(Execute(spec, {}).run).dump();
  EXPECT_EQ(results::ToJson(Execute(spec, {}).run).dump(), first);
  spec.seed = spec.network.seed = 2;
  EXPECT_NE(results::ToJson(Execute(spec, {}).run).dump(), first);
}

TEST(ExecutorTest, TrickleModesAllConnectAndTheOneWithoutIsSlower) {
  const auto connected_ms = [](IceSpec::Trickle trickle) {
    RunSpec spec = TwoHosts(PortRestricted(), PortRestricted());
    spec.sessions[0].a.ice.trickle = spec.sessions[0].b.ice.trickle = trickle;
    const results::Session session = RunOne(spec);
    EXPECT_EQ(Types(session), "srflx-srflx");
    return session.timing_ms.ice_connected.value_or(-1);
  };
  const double full = connected_ms(IceSpec::Trickle::kFull);
  const double half = connected_ms(IceSpec::Trickle::kHalf);
  const double none = connected_ms(IceSpec::Trickle::kNone);
  EXPECT_LT(full, half);
  EXPECT_LE(half, none);
}

TEST(ExecutorTest, RelayPolicyUsesRelayedCandidatesOnly) {
  RunSpec spec = TwoHosts(std::nullopt, std::nullopt);
  spec.sessions[0].a.ice.policy = spec.sessions[0].b.ice.policy = IceSpec::Policy::kRelay;
  const results::Session session = RunOne(spec);
  EXPECT_EQ(Types(session), "relay-relay");
  EXPECT_THAT(session.why.text, HasSubstr("relayed candidates only"));
}

TEST(ExecutorTest, ASilentServerIsNamed) {
  RunSpec spec = TwoHosts(PortRestricted(), PortRestricted());
  spec.servers[1].silent = true;
  const results::Session session = RunOne(spec);
  EXPECT_EQ(Types(session), "srflx-srflx");
  RunSpec lonely = TwoHosts(Symmetric(), Symmetric());
  lonely.servers[1].silent = true;
  const results::Session failed = RunOne(lonely);
  EXPECT_EQ(failed.state, "failed");
  EXPECT_THAT(failed.why.causes, Contains(Field(&results::Cause::where, "server/turn")));
}

TEST(ExecutorTest, IceRestartSelectsAgain) {
  RunSpec spec = TwoHosts(PortRestricted(), PortRestricted());
  spec.sessions[0].actions.push_back(
      {.kind = ActionSpec::Kind::kIceRestart, .at = TimeDelta::Seconds(5), .target = "alice"});
  const results::Session session = RunOne(spec);
  EXPECT_EQ(session.state, "connected");
  const auto& restarts = session.extra.at("restarts");
  ASSERT_EQ(restarts.size(), 1u);
  EXPECT_GT(restarts[0].at("connected_ms").get<double>(), 5000);
}

// A late answer to an offer that a restart has overtaken must not restart anybody.
TEST(ExecutorTest, RestartsThatOvertakeTheirOffersSettle) {
  const auto restart_at = [](std::initializer_list<int> times_ms) {
    RunSpec spec =
        TwoHosts(NatOf(sim::Mapping::kEndpointIndependent, sim::Filtering::kEndpointIndependent),
                 PortRestricted());
    for (const int ms : times_ms) {
      spec.sessions[0].actions.push_back(
          {.kind = ActionSpec::Kind::kIceRestart, .at = TimeDelta::Millis(ms), .target = "alice"});
    }
    for (const int delay_ms : {0, 20, 50}) {
      spec.sessions[0].signalling_delay = TimeDelta::Millis(delay_ms);
      const results::Session session = RunOne(spec);
      EXPECT_EQ(session.state, "connected") << delay_ms;
      EXPECT_LT(session.checks.sent, 100) << delay_ms;
    }
  };
  restart_at({0});
  restart_at({10});
  restart_at({5000, 5000});
  restart_at({5000, 5020});
}

TEST(ExecutorTest, LostAnswersOfServersAreBlamedOnTheLinkThatLostThem) {
  RunSpec spec = TwoHosts(Symmetric(), Symmetric());
  spec.network.lans[0].uplink.down.loss = 1;
  const results::Session session = RunOne(spec);
  EXPECT_EQ(session.state, "failed");
  EXPECT_THAT(session.why.causes,
              Contains(testing::AllOf(Field(&results::Cause::where, "link/a/down"),
                                      Field(&results::Cause::agent, "alice"))));
  EXPECT_THAT(session.why.text, HasSubstr("link.loss"));
}

TEST(ExecutorTest, DataGoesOverTheSelectedPair) {
  RunSpec spec = TwoHosts(Symmetric(), Symmetric());
  spec.sessions[0].actions.push_back({.kind = ActionSpec::Kind::kSendData,
                                      .at = TimeDelta::Seconds(5),
                                      .target = "bob",
                                      .count = 50,
                                      .size = 1000,
                                      .interval = TimeDelta::Millis(20)});
  const results::Session session = RunOne(spec);
  EXPECT_EQ(session.extra.at("data").at("sent"), 50);
  EXPECT_EQ(session.extra.at("data").at("received"), 50);
}

TEST(ExecutorTest, ADeadLinkEndsConsent) {
  RunSpec spec = TwoHosts(PortRestricted(), PortRestricted());
  spec.sessions[0].actions.push_back(
      {.kind = ActionSpec::Kind::kLinkDown, .at = TimeDelta::Seconds(5), .target = "b"});
  // Something to wait for beyond the 30 s of RFC 7675 section 5.1.
  spec.sessions[0].actions.push_back({.kind = ActionSpec::Kind::kSendData,
                                      .at = TimeDelta::Seconds(45),
                                      .target = "alice",
                                      .count = 1,
                                      .size = 100});
  const results::Session session = RunOne(spec);
  EXPECT_EQ(session.extra.at("consent_expired"), true);
  EXPECT_NE(session.extra.at("final_state"), "connected");
  EXPECT_TRUE(session.selected_pair);
  EXPECT_THAT(session.why.text, HasSubstr("It was lost later"));
  EXPECT_THAT(session.why.text, HasSubstr("link.down"));
}

TEST(ExecutorTest, StoryTellsOfMessagesAndDropsInOrder) {
  const Outcome outcome =
      Execute(TwoHosts(Symmetric(), PortRestricted()), {.pcapng = std::nullopt, .story = true});
  EXPECT_TRUE(std::is_sorted(
      outcome.story.begin(), outcome.story.end(),
      [](const StoryEvent& x, const StoryEvent& y) { return x.time_ms < y.time_ms; }));
  EXPECT_THAT(outcome.story, Contains(Field(&StoryEvent::text, HasSubstr("Binding request"))));
  EXPECT_THAT(outcome.story, Contains(Field(&StoryEvent::dropped, HasSubstr("nat.filter"))));
  EXPECT_THAT(outcome.story, Contains(Field(&StoryEvent::text, HasSubstr("gathering complete"))));
}

}  // namespace
}  // namespace rtclab::scenarios
