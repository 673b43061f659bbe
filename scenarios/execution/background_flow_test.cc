// Background traffic arrives, at its rate and in its time, the same every time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/json.h"
#include "scenarios/execution/spec_for_test.h"
#include "scenarios/executor.h"

namespace rtclab::scenarios {
namespace {

// x and y on the core, 5 ms from it, `rate` from x; a session of ICE beside them that is over soon.
RunSpec WithFlow(FlowSpec flow, int64_t seconds, bool v4 = true, bool v6 = false) {
  RunSpec spec = TwoHosts(std::nullopt, std::nullopt, false);
  for (const char* name : {"x", "y"}) {
    AddHost(spec, name, "");
    sim::HostSpec& host = spec.network.hosts.back();
    host.ipv4 = v4 || name == std::string("y");
    host.ipv6 = v6;
    host.ns3_stack = flow.kind == FlowSpec::Kind::kTcp;
    host.attachments.front().access = LinkOf(TimeDelta::Millis(5));
  }
  spec.network.hosts[spec.network.hosts.size() - 2].attachments.front().access.up.rate =
      DataRate::MegabitsPerSec(2);
  flow.name = "flow";
  flow.from = "x";
  flow.to = "y";
  spec.flows = {flow};
  spec.min_duration = TimeDelta::Seconds(seconds);
  return spec;
}

results::Json FlowOf(const RunSpec& spec) {
  const Outcome outcome = Execute(spec, {});
  EXPECT_EQ(outcome.run.verdict, results::Verdict::kPass) << outcome.run.error;
  return outcome.run.network.at("flows").at(0);
}

TEST(BackgroundFlowTest, UdpHasItsConstantRate) {
  FlowSpec flow;
  flow.kind = FlowSpec::Kind::kUdp;
  flow.rate = DataRate::KilobitsPerSec(960);  // 100 packets of 1,200 bytes a second
  flow.start = TimeDelta::Seconds(1);
  flow.stop = TimeDelta::Seconds(3);
  EXPECT_EQ(FlowOf(WithFlow(flow, 4)).at("bytes_received"), 200 * 1172);
  // More than the link carries: what does not fit is lost, not late. 2 Mbit/s are 208.3 packets a second.
  flow.rate = DataRate::MegabitsPerSec(4);
  RunSpec narrow = WithFlow(flow, 4);
  narrow.network.hosts[narrow.network.hosts.size() - 2]
      .attachments.front()
      .access.up.queue_packets = 2;
  const auto received = FlowOf(narrow).at("bytes_received").get<int64_t>();
  EXPECT_NEAR(static_cast<double>(received) / 1172, 416.7, 5);
}

TEST(BackgroundFlowTest, TheFamilyIsOneThatBothHave) {
  FlowSpec flow;
  flow.kind = FlowSpec::Kind::kUdp;
  flow.rate = DataRate::KilobitsPerSec(976);  // 100 packets of 1,220 bytes: IPv6's header is longer
  flow.stop = TimeDelta::Seconds(1);
  EXPECT_EQ(FlowOf(WithFlow(flow, 2, false, true)).at("bytes_received"), 100 * 1172);
  flow.kind = FlowSpec::Kind::kTcp;
  flow.amount = 50'000;
  flow.stop = TimeDelta::PlusInfinity();
  EXPECT_EQ(FlowOf(WithFlow(flow, 2, false, true)).at("bytes_received"), 50'000);
}

TEST(BackgroundFlowTest, TcpDeliversItsAmount) {
  FlowSpec flow;
  flow.amount = 200'000;
  EXPECT_EQ(FlowOf(WithFlow(flow, 3)).at("bytes_received"), 200'000);
}

TEST(BackgroundFlowTest, TcpWithoutAnAmountFillsTheLinkUntilItStops) {
  FlowSpec flow;
  flow.start = TimeDelta::Seconds(1);
  flow.stop = TimeDelta::Seconds(4);
  RunSpec spec = WithFlow(flow, 8);
  spec.network.hosts[spec.network.hosts.size() - 2].attachments.front().access.up.queue_packets =
      20;
  const auto received = FlowOf(spec).at("bytes_received").get<int64_t>();
  // 3 s at 2 Mbit/s carry 750,000 bytes; what had been given to TCP still arrives.
  EXPECT_GT(received, 500'000);
  EXPECT_LT(received, 900'000);
}

TEST(BackgroundFlowTest, FilesFollowEachOtherWithPauses) {
  FlowSpec flow;
  flow.file_min = 10'000;
  flow.file_max = 30'000;
  flow.idle_mean = TimeDelta::Millis(200);
  const results::Json often = FlowOf(WithFlow(flow, 10));
  const int files = often.at("files").get<int>();
  EXPECT_GT(files, 10);
  EXPECT_GE(often.at("bytes_received").get<int64_t>(), files * 10'000);
  EXPECT_LE(often.at("bytes_received").get<int64_t>(), (files + 1) * 30'000);
  flow.idle_mean = TimeDelta::Seconds(3);
  EXPECT_LT(FlowOf(WithFlow(flow, 10)).at("files").get<int>(), 10);
  flow.idle_mean = TimeDelta::Seconds(1000);
  flow.starts_idle = true;
  EXPECT_EQ(FlowOf(WithFlow(flow, 5)).at("files"), 0);
}

TEST(BackgroundFlowTest, TheSameSeedMovesTheSameBytes) {
  FlowSpec flow;
  flow.file_min = 10'000;
  flow.file_max = 300'000;
  flow.idle_mean = TimeDelta::Millis(200);
  RunSpec spec = WithFlow(flow, 5);
  const auto line = [](const RunSpec& s) { return results::ToLine(Execute(s, {}).run); };
  const std::string first = line(spec);
  EXPECT_EQ(line(spec), first);
  const results::Json before = FlowOf(spec);
  spec.seed = spec.network.seed = 2;
  EXPECT_NE(FlowOf(spec), before);
}

}  // namespace
}  // namespace rtclab::scenarios
