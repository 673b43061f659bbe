#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "conformance/load/load_json.h"
#include "conformance/load/load_run.h"
#include "conformance/load/process_cpu.h"
#include "conformance/server/turn_host.h"
#include "stack/stun/credentials.h"

namespace rtclab::conformance {
namespace {

TEST(LatencyHistogramTest, PercentilesAreWithinABucket) {
  LatencyHistogram latency;
  EXPECT_EQ(latency.Percentile(0.5), TimeDelta::Zero());
  for (int i = 1; i <= 1'000; ++i) latency.Add(TimeDelta::Micros(i));
  EXPECT_EQ(latency.count(), 1'000u);
  EXPECT_EQ(latency.max(), TimeDelta::Micros(1'000));
  for (const double fraction : {0.01, 0.5, 0.9, 0.99, 1.0}) {
    const double expected = 1'000'000 * fraction;
    EXPECT_NEAR(static_cast<double>(latency.Percentile(fraction).nanos()), expected,
                expected * 0.02 + 1'001);
  }
  latency.Add(TimeDelta::Seconds(3'000));
  EXPECT_EQ(latency.Percentile(1), TimeDelta::Seconds(3'000));
}

class LoadTest : public ::testing::Test {
 protected:
  explicit LoadTest(uint16_t min_port = 49'152, uint16_t max_port = 65'535) : rng_(3) {
    HostConfig config;
    config.listen = {*TransportAddress::Parse("127.0.0.1:0")};
    config.secure_listen = {*TransportAddress::Parse("127.0.0.1:0")};
    config.identities = {ServerIdentity::SelfSigned(ServerIdentity::Key::kEcdsa, {"127.0.0.1"})};
    config.turn.relay_addresses = {*IpAddress::Parse("127.0.0.1")};
    config.turn.peer_policy.allow_loopback = true;
    config.stop_at_interrupt = false;
    config.turn.min_port = min_port;
    config.turn.max_port = max_port;
    config.turn.max_allocations_per_user = 10'000;
    auto users = std::make_shared<stun::StaticCredentials>();
    EXPECT_TRUE(users->Add("u", "p"));
    config.turn.authentication.emplace();
    config.turn.authentication->credentials = users;
    config.turn.authentication->long_term.realm = "r";
    auto host = TurnHost::Start(std::move(config), rng_);
    EXPECT_TRUE(host);
    host_ = std::move(*host);
    thread_ = std::thread([this] { host_->Run(); });
  }
  ~LoadTest() override {
    host_->Stop();
    thread_.join();
  }

  LoadPlan Plan(Transport transport) const {
    LoadPlan plan;
    plan.client = {.transport = transport, .username = "u", .password = "p"};
    for (const auto& endpoint : host_->endpoints()) {
      if (endpoint.transport == transport) plan.client.server = endpoint.address;
    }
    if (transport == Transport::kTls || transport == Transport::kDtls) {
      const auto protocol =
          transport == Transport::kTls ? SecureProtocol::kTls : SecureProtocol::kDtls;
      plan.client.secure = *SecureContext::Client(protocol, {.insecure = true});
    }
    plan.clients = 4;
    plan.packets_per_s = 500;
    plan.step = TimeDelta::Millis(300);
    return plan;
  }

  Rng rng_;
  std::unique_ptr<TurnHost> host_;
  std::thread thread_;
};

class LoadTransportTest : public LoadTest, public ::testing::WithParamInterface<Transport> {};

TEST_P(LoadTransportTest, EveryPacketArrivesWhole) {
  LoadPlan plan = Plan(GetParam());
  plan.to_client = true;
  const LoadReport report = LoadRun(plan, {}).Run();
  EXPECT_TRUE(report.complete) << report.ended;
  EXPECT_EQ(report.allocations.made, 4);
  EXPECT_EQ(report.released, 4);
  ASSERT_EQ(report.steps.size(), 1u);
  const LoadStep& step = report.steps[0];
  EXPECT_GT(step.sent, 250u);
  EXPECT_EQ(step.received, step.sent);
  EXPECT_EQ(step.foreign, 0u);
  EXPECT_EQ(step.latency.count(), step.received);
}

INSTANTIATE_TEST_SUITE_P(All, LoadTransportTest,
                         ::testing::Values(Transport::kUdp, Transport::kTcp, Transport::kTls,
                                           Transport::kDtls),
                         [](const auto& tested) { return std::string(ToString(tested.param)); });

TEST_F(LoadTest, ClientsMayBeEachOthersPeers) {
  LoadPlan plan = Plan(Transport::kUdp);
  plan.peers = LoadPeers::kRelay;
  const LoadReport report = LoadRun(plan, {}).Run();
  EXPECT_TRUE(report.complete) << report.ended;
  EXPECT_GT(report.steps.at(0).sent, 100u);
  EXPECT_EQ(report.steps[0].received, report.steps[0].sent);
}

TEST_F(LoadTest, ARampEndsAtItsLimit) {
  LoadPlan plan = Plan(Transport::kUdp);
  plan.ramp = true;
  plan.ramp_factor = 2;
  plan.max_packets_per_s = 2'000;
  plan.step = TimeDelta::Millis(100);
  plan.max_p99 = TimeDelta::Seconds(1);
  const LoadReport report = LoadRun(plan, {}).Run();
  EXPECT_EQ(report.ended, "the highest rate was reached");
  EXPECT_FALSE(report.knee());
  ASSERT_TRUE(report.no_knee());
  EXPECT_EQ(report.no_knee()->up_to_packets_per_s, 2'000);
  EXPECT_EQ(report.no_knee()->why, report.ended);
  EXPECT_NE(LoadText(report, "turn:x")
                .find("no knee was found up to 2000 packets/s: the highest rate was reached"),
            std::string::npos);

  // No server is faster than light.
  plan.max_p99 = TimeDelta::Nanos(1);
  const LoadReport strict = LoadRun(plan, {}).Run();
  EXPECT_FALSE(strict.knee());
  EXPECT_EQ(strict.ended, "the limits were reached");
  ASSERT_TRUE(strict.no_knee());
  EXPECT_EQ(strict.no_knee()->up_to_packets_per_s, 0);
}

TEST_F(LoadTest, ARampThatRunsOutOfTimeOrPacketsHasNoKnee) {
  LoadPlan plan = Plan(Transport::kUdp);
  plan.ramp = true;
  plan.ramp_factor = 1.1;
  plan.step = TimeDelta::Millis(100);
  plan.max_p99 = TimeDelta::Seconds(1);
  LoadPlan few = plan;
  few.max_packets = 200;
  plan.max_time = TimeDelta::Millis(700);
  const std::pair<LoadPlan, std::string> rows[] = {{plan, "out of time"},
                                                   {few, "as many packets as allowed were sent"}};
  for (const auto& [row, why] : rows) {
    const LoadReport report = LoadRun(row, {}).Run();
    EXPECT_FALSE(report.complete);
    EXPECT_FALSE(report.knee());
    ASSERT_TRUE(report.no_knee()) << why;
    EXPECT_EQ(report.no_knee()->why, why);
    EXPECT_GE(report.no_knee()->up_to_packets_per_s, 500);
    const auto json = nlohmann::json::parse(LoadJson(report, "turn:x", "1"));
    EXPECT_TRUE(json["knee"].is_null());
    EXPECT_EQ(json["no_knee"]["why"], why);
  }
}

TEST_F(LoadTest, ARefusalIsCountedWithItsReason) {
  LoadPlan plan = Plan(Transport::kUdp);
  plan.client.password = "wrong";
  const LoadReport report = LoadRun(plan, {}).Run();
  EXPECT_FALSE(report.complete);
  EXPECT_EQ(report.allocations.failed, 4);
  EXPECT_NE(report.ended.find("no allocation succeeded: 401"), std::string::npos) << report.ended;
}

TEST_F(LoadTest, WhereNothingListensIsToldAtOnce) {
  LoadPlan plan = Plan(Transport::kUdp);
  {
    const auto unused = UdpSocket::Bind(*TransportAddress::Parse("127.0.0.1:0"));
    ASSERT_TRUE(unused);
    plan.client.server = unused->local();
  }
  const Timestamp start = RealNow();
  const LoadReport report = LoadRun(plan, {}).Run();
  EXPECT_FALSE(report.complete);
  EXPECT_THAT(report.ended, testing::HasSubstr("port unreachable"));
  EXPECT_EQ(report.allocations.failed, plan.clients);
  EXPECT_LT(RealNow() - start, TimeDelta::Seconds(3));
}

TEST_F(LoadTest, NoMorePacketsThanAllowed) {
  LoadPlan plan = Plan(Transport::kUdp);
  plan.max_packets = 20;
  const LoadReport report = LoadRun(plan, {}).Run();
  EXPECT_GE(report.steps.at(0).sent, 20u);
  EXPECT_LT(report.steps.at(0).sent, 20u + 256u);
  EXPECT_FALSE(report.complete);
}

TEST_F(LoadTest, AnInterruptReleasesWhatWasAllocated) {
  LoadPlan plan = Plan(Transport::kUdp);
  plan.step = TimeDelta::Seconds(30);
  std::thread user([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    Interrupt();
  });
  const LoadReport report = LoadRun(plan, {}).Run();
  user.join();
  EXPECT_TRUE(Interrupted());
  ClearInterrupt();
  EXPECT_EQ(report.ended, "interrupted");
  EXPECT_FALSE(report.complete);
  EXPECT_GT(report.steps.at(0).sent_per_s(), 0);
  EXPECT_EQ(report.released, 4);
  EXPECT_EQ(host_->server().allocation_count(), 0u);
}

TEST_F(LoadTest, AnInterruptWhileAllocatingReleasesWhatIsStillMade) {
  LoadPlan plan = Plan(Transport::kUdp);
  plan.clients = 2'000;
  plan.opening = 1'000;
  std::thread user([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    Interrupt();
  });
  const LoadReport report = LoadRun(plan, {}).Run();
  user.join();
  ClearInterrupt();
  EXPECT_EQ(report.ended, "interrupted");
  EXPECT_GT(report.released, 0);
  EXPECT_EQ(host_->server().allocation_count(), 0u);
}

// Whatever comes to a peer's socket or a client is counted or ignored by its first 24 bytes.
class LoadStrayTest : public LoadTest {
 protected:
  static constexpr uint16_t kFirst = 49'352, kLast = 49'355;
  LoadStrayTest() : LoadTest(kFirst, kLast) {}
};

TEST_F(LoadStrayTest, StraysAndShortPayloadsAreNotCounted) {
  LoadPlan plan = Plan(Transport::kUdp);
  plan.step = TimeDelta::Millis(400);
  plan.clients = 1;
  std::atomic<bool> over{false};
  std::thread stranger([&] {
    // Whoever has the permitted IP address is heard (RFC 8656 section 9).
    auto socket = *UdpSocket::Bind(*TransportAddress::Parse("127.0.0.1:0"));
    while (!over) {
      for (std::size_t size = 0; size < 40; ++size) {
        for (uint16_t port = kFirst; port <= kLast; ++port) {
          socket.Send({*IpAddress::Parse("127.0.0.1"), port}, Bytes(size), false);
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  const LoadReport report = LoadRun(plan, {}).Run();
  over = true;
  stranger.join();
  ASSERT_EQ(report.steps.size(), 1u);
  EXPECT_EQ(report.steps[0].received, report.steps[0].sent);
  EXPECT_GT(report.steps[0].foreign, 0u);
}

TEST_F(LoadTest, ItsOwnCpuIsTold) {
  LoadPlan plan = Plan(Transport::kUdp);
  plan.packets_per_s = 10'000;
  plan.server_pid = getpid();  // the server runs in this process
  const LoadReport report = LoadRun(plan, {}).Run();
  ASSERT_TRUE(report.steps.at(0).server_cpu);
  EXPECT_GT(*report.steps[0].server_cpu, TimeDelta::Zero());
  EXPECT_LT(*report.steps[0].server_cpu, TimeDelta::Seconds(20));
  EXPECT_NE(LoadText(report, "turn:x").find("us CPU a packet"), std::string::npos);
  EXPECT_FALSE(ProcessCpu(0));
  EXPECT_FALSE(ProcessCpu(-1));
}

TEST(LoadJsonTest, SecretsStayOutAndNumbersAreNamed) {
  LoadReport report;
  report.plan.client.password = "hunter2";
  report.steps.emplace_back();
  report.steps[0].sent = 10;
  report.steps[0].received = 9;
  report.steps[0].elapsed = TimeDelta::Seconds(1);
  report.steps[0].payload_bytes = 1'000;
  report.best = 0;
  report.over_limits = true;
  report.allocations.failures["bad \xff byte"] = 1;
  const std::string text = LoadJson(report, "turn:192.0.2.1:3478", "1");
  EXPECT_EQ(text.find("hunter2"), std::string::npos);
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["steps"][0]["loss"], 0.1);
  EXPECT_EQ(json["steps"][0]["received_mbit_per_s"], 0.072);
  EXPECT_EQ(json["knee"], 0);
  EXPECT_NE(LoadText(report, "turn:192.0.2.1:3478").find("<- knee"), std::string::npos);
}

}  // namespace
}  // namespace rtclab::conformance
