// Background traffic over a link of 2 Mbit/s: what arrives, and when it stops.
#include "scenarios/execution/background_flow.h"

#include <gtest/gtest.h>

#include "scenarios/execution/spec_for_test.h"
#include "scenarios/executor.h"

namespace rtclab::scenarios {
namespace {

// The run lasts 40 s; its session is done long before.
results::Json RunFlow(FlowSpec flow) {
  RunSpec spec = TwoHosts(std::nullopt, std::nullopt);
  sim::LinkSpec& link = spec.network.lans[0].uplink;
  link.up.rate = DataRate::MegabitsPerSec(2);
  link.up.queue_packets = 50;
  spec.min_duration = TimeDelta::Seconds(40);
  for (sim::HostSpec& host : spec.network.hosts) {
    host.ns3_stack =
        flow.kind == FlowSpec::Kind::kTcp && (host.name == "alice" || host.name == "bob");
  }
  flow.name = "flow";
  flow.from = "alice";
  flow.to = "bob";
  spec.flows.push_back(flow);
  const Outcome outcome = Execute(spec, {});
  EXPECT_EQ(outcome.run.verdict, results::Verdict::kPass) << outcome.run.error;
  return outcome.run.network.at("flows").at(0);
}

TEST(BackgroundFlowTest, ALongTcpFlowFillsItsBottleneckUntilItStops) {
  const results::Json flow =
      RunFlow({.start = TimeDelta::Seconds(5), .stop = TimeDelta::Seconds(25)});
  // 1,448 of the 1,500 bytes of a packet are payload.
  EXPECT_GT(flow.at("throughput_bps").get<double>(), 1.75e6);
  EXPECT_LT(flow.at("bytes_received").get<double>(), 2e6 / 8 * 20 * 1448 / 1500 + 200'000);
}

TEST(BackgroundFlowTest, ATransferHasItsSize) {
  EXPECT_EQ(RunFlow({.amount = 300'000}).at("bytes_received"), 300'000);
}

TEST(BackgroundFlowTest, FilesFollowEachOtherAfterPauses) {
  FlowSpec spec;
  spec.file_min = 30'000;
  spec.file_max = 50'000;
  spec.idle_mean = TimeDelta::Seconds(1);
  const results::Json flow = RunFlow(spec);
  const int files = flow.at("files").get<int>();
  // A file takes about half a second, and 40 s have room for about 27 of them: five standard deviations around.
  EXPECT_GE(files, 15);
  EXPECT_LE(files, 50);
  EXPECT_GE(flow.at("bytes_received").get<int>(), files * 30'000);
  EXPECT_LE(flow.at("bytes_received").get<int>(), (files + 1) * 50'000);
}

TEST(BackgroundFlowTest, AFlowThatStartsIdleWaitsFirst) {
  FlowSpec spec;
  spec.file_min = spec.file_max = 30'000;
  spec.idle_mean = TimeDelta::Seconds(3600);
  EXPECT_EQ(RunFlow(spec).at("files"), 1);
  spec.starts_idle = true;
  EXPECT_EQ(RunFlow(spec).at("files"), 0);
}

TEST(BackgroundFlowTest, UdpKeepsItsRateWhateverThePathCarries) {
  FlowSpec spec;
  spec.kind = FlowSpec::Kind::kUdp;
  spec.rate = DataRate::KilobitsPerSec(480);
  // 1,172 of 1,200 bytes are payload.
  EXPECT_NEAR(RunFlow(spec).at("throughput_bps").get<double>(), 480e3 * 1172 / 1200, 2e3);
  spec.rate = DataRate::MegabitsPerSec(4);
  EXPECT_NEAR(RunFlow(spec).at("throughput_bps").get<double>(), 2e6 * 1172 / 1200, 2e4);
}

}  // namespace
}  // namespace rtclab::scenarios
