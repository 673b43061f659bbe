// What all controllers share: names, limits, REMB; the feedback adapter; the fixed rate.
#include "stack/congestion/controller.h"

#include <gtest/gtest.h>

#include "stack/congestion/feedback_adapter.h"
#include "stack/congestion/queue_delay.h"
#include "stack/congestion/rtt.h"
#include "stack/congestion/test_util.h"

namespace rtclab::congestion {
namespace {

using test::At;
using test::Kbps;
using test::Ms;

constexpr ControllerKind kEveryKind[] = {ControllerKind::kGcc, ControllerKind::kNada,
                                         ControllerKind::kScream, ControllerKind::kNone};

TEST(ControllerTest, NamesRoundTrip) {
  for (const ControllerKind kind : kEveryKind) {
    const auto parsed = ParseControllerKind(ControllerKindName(kind));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, kind);
    EXPECT_EQ(MakeController(kind, {})->name(), ControllerKindName(kind));
  }
  for (const char* wrong : {"", "GCC", "bbr", "gcc "}) {
    const auto parsed = ParseControllerKind(wrong);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_NE(parsed.error().reason.find("gcc, nada, scream, none"), std::string::npos);
  }
}

TEST(ControllerTest, BeginsAtTheStartRate) {
  ControllerConfig config;
  config.limits = {.min = Kbps(100), .start = Kbps(400), .max = Kbps(2000)};
  for (const ControllerKind kind : kEveryKind) {
    const auto controller = MakeController(kind, config);
    const bool fixed = kind == ControllerKind::kNone;
    EXPECT_EQ(controller->output().target, Kbps(fixed ? 2000 : 400)) << controller->name();
    EXPECT_GE(controller->output().pacing, controller->output().target);
    EXPECT_EQ(controller->output().window.has_value(), kind == ControllerKind::kScream);
  }
}

TEST(ControllerTest, NewLimitsApplyAtOnce) {
  for (const ControllerKind kind : kEveryKind) {
    const auto controller = MakeController(kind, {});
    controller->OnAllocation(
        At(1), {.min = Kbps(500), .start = Kbps(600), .max = Kbps(700), .padding = Kbps(100)});
    const DataRate target = controller->output().target;
    EXPECT_EQ(target, Kbps(kind == ControllerKind::kNone ? 700 : 600)) << controller->name();
    EXPECT_EQ(controller->output().changed, At(1));
  }
}

TEST(ControllerTest, RembIsAnUpperBound) {
  for (const ControllerKind kind : kEveryKind) {
    if (kind == ControllerKind::kNone) continue;
    const auto controller = MakeController(kind, {});
    controller->OnRemb(At(1), Kbps(200));
    EXPECT_EQ(controller->output().target, Kbps(200)) << controller->name();
    EXPECT_EQ(controller->output().reason, "remb") << controller->name();
  }
}

TEST(ControllerTest, GccFollowsReceiverReportsWithoutTransportFeedback) {
  const auto gcc = MakeController(ControllerKind::kGcc, {});
  gcc->OnReceiverReport(At(1), Ms(80), 0.2);  // section 7 and 6
  EXPECT_EQ(gcc->output().target, Kbps(270));
  EXPECT_EQ(gcc->output().rtt, Ms(80));
  EXPECT_EQ(gcc->output().reason, "loss");
  gcc->OnReceiverReport(At(3), Ms(80), 0);
  EXPECT_NEAR(Bps(gcc->output().target), 270'000 * 1.08 + 1000, 1);
}

// Feedback comes from the network: whatever times and losses it claims, the rates stay within their
// limits and timers lie ahead.
TEST(ControllerTest, AnyFeedbackKeepsTheRatesWithinTheirLimits) {
  for (const ControllerKind kind : kEveryKind) {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      SCOPED_TRACE(std::string(ControllerKindName(kind)) + " seed " + std::to_string(seed));
      Rng rng(seed);
      ControllerConfig config;
      const auto controller = MakeController(kind, config);
      FeedbackAdapter adapter;
      controller->OnNetworkAvailable(At(0), true);
      Timestamp now = At(1);
      int64_t id = 0;
      int64_t reported = 0;
      for (int step = 0; step < 300; ++step) {
        now += Ms(static_cast<double>(rng.Uniform(0, rng.Bernoulli(0.05) ? 20'000 : 100)));
        for (uint64_t n = rng.Uniform(0, 10); n > 0; --n) {
          controller->OnPacketSent(adapter.OnPacketSent(
              {.id = id++,
               .sent = now,
               .size = DataSize::Bytes(static_cast<int64_t>(rng.Uniform(1, 1500)))}));
        }
        std::vector<PacketReport> reports;
        for (; reported < id; ++reported) {
          PacketReport report{reported, {}, static_cast<uint8_t>(rng.Uniform(0, 3))};
          if (!rng.Bernoulli(0.3)) report.received = now;
          if (report.received && rng.Bernoulli(0.2)) {
            report.received = At(rng.UniformReal() * 2e6 - 1e6);
          }
          reports.push_back(report);
        }
        controller->OnFeedback(now, adapter.OnFeedback(now, reports));
        controller->OnQueue(now, DataSize::Bytes(static_cast<int64_t>(rng.Uniform(0, 1 << 20))));
        controller->HandleTimeout(now);
        while (controller->PollProbe()) {
        }
        const ControllerOutput& output = controller->output();
        ASSERT_GE(output.target, config.limits.min);
        ASSERT_LE(output.target, config.limits.max);
        ASSERT_GT(output.pacing, DataRate());
        ASSERT_TRUE(!output.window || output.window->bytes() >= 3000);
        ASSERT_GE(output.queue_delay, TimeDelta::Zero());
        ASSERT_GT(controller->NextTimeout(), now);
      }
    }
  }
}

TEST(FeedbackAdapterTest, JoinsReportsWithWhatWasSent) {
  FeedbackAdapter adapter;
  for (int64_t id = 100; id < 105; ++id) {
    const SentPacket packet = adapter.OnPacketSent(
        {.id = id, .sent = At(0.001 * static_cast<double>(id)), .size = DataSize::Bytes(id)});
    EXPECT_EQ(packet.in_flight_before.bytes(), (id - 100) * 100 + (id - 100) * (id - 101) / 2);
  }
  const PacketReport reports[] = {
      {99, At(1), 0}, {100, At(1), 0}, {101, {}, 0}, {102, At(2), 3}, {200, At(2), 0}};
  const TransportFeedback& feedback = adapter.OnFeedback(At(3), reports);
  ASSERT_EQ(feedback.packets.size(), 3u);  // 99 and 200 are unknown
  EXPECT_EQ(feedback.packets[0].sent.id, 100);
  EXPECT_EQ(feedback.packets[0].received, At(1));
  EXPECT_FALSE(feedback.packets[1].received);
  EXPECT_EQ(feedback.packets[2].ecn, 3);
  EXPECT_EQ(feedback.in_flight.bytes(), 103 + 104);
}

TEST(FeedbackAdapterTest, ALatePacketIsReportedOnce) {
  FeedbackAdapter adapter;
  for (int64_t id = 0; id < 3; ++id) {
    adapter.OnPacketSent({.id = id, .sent = At(0), .size = DataSize::Bytes(100)});
  }
  const PacketReport gap[] = {{0, {}, 0}, {1, At(1), 0}};
  EXPECT_EQ(adapter.OnFeedback(At(1), gap).packets.size(), 2u);
  const PacketReport late[] = {{0, At(2), 0}, {1, At(1), 0}};
  const auto& feedback = adapter.OnFeedback(At(2), late);
  ASSERT_EQ(feedback.packets.size(), 1u);
  EXPECT_EQ(feedback.packets[0].received, At(2));
  EXPECT_EQ(feedback.in_flight.bytes(), 100);
}

TEST(FeedbackAdapterTest, WhatLostFeedbackLeftOutLeavesTheFlight) {
  FeedbackAdapter adapter;
  for (int64_t id = 0; id < 10; ++id) {
    adapter.OnPacketSent({.id = id, .sent = At(0), .size = DataSize::Bytes(100)});
  }
  const PacketReport report[] = {{8, At(1), 0}};
  EXPECT_EQ(adapter.OnFeedback(At(1), report).packets.size(), 1u);
  EXPECT_EQ(adapter.in_flight().bytes(), 100);
  adapter.Reset();
  EXPECT_EQ(adapter.in_flight().bytes(), 0);
  adapter.OnPacketSent({.id = 50, .sent = At(2), .size = DataSize::Bytes(100)});
  EXPECT_EQ(adapter.in_flight().bytes(), 100);
}

TEST(FeedbackAdapterTest, ForgetsAfterTenSeconds) {
  FeedbackAdapter adapter;
  adapter.OnPacketSent({.id = 0, .sent = At(0), .size = DataSize::Bytes(100)});
  adapter.OnPacketSent({.id = 1, .sent = At(10.1), .size = DataSize::Bytes(100)});
  EXPECT_EQ(adapter.in_flight().bytes(), 100);
  const PacketReport report[] = {{0, At(1), 0}};
  EXPECT_TRUE(adapter.OnFeedback(At(11), report).packets.empty());
}

TEST(QueueDelayTest, MeasuresAgainstTheLeastOfTenMinutes) {
  QueueDelay delay;
  const auto sample = [&](double sent, double one_way_ms) {
    return delay.Update(At(sent), At(sent - 300) + Ms(one_way_ms));  // clocks 300 s apart
  };
  EXPECT_EQ(sample(301, 50), Ms(0));
  EXPECT_EQ(sample(302, 80), Ms(30));
  EXPECT_EQ(sample(303, 40), Ms(0));
  EXPECT_EQ(sample(700, 60), Ms(20));
  EXPECT_EQ(sample(839, 60), Ms(20));
  EXPECT_EQ(sample(901, 60), Ms(0));  // the minute of the 40 ms is over: a new route
}

TEST(RttTest, TakesThePacketReceivedLast) {
  SmoothedRtt rtt;
  TransportFeedback feedback;
  feedback.packets.resize(3);
  feedback.packets[0] = {.sent = {.sent = At(1.0)}, .received = At(9.1)};
  feedback.packets[1] = {.sent = {.sent = At(1.1)}, .received = At(9.2)};
  feedback.packets[2] = {.sent = {.sent = At(1.2)}};
  rtt.OnFeedback(At(1.2), feedback);
  EXPECT_EQ(rtt.smoothed(), Ms(100));
  rtt.AddSample(Ms(180));
  EXPECT_EQ(rtt.smoothed(), Ms(110));
  EXPECT_EQ(rtt.latest(), Ms(180));
  EXPECT_EQ(rtt.min(), Ms(100));
}

}  // namespace
}  // namespace rtclab::congestion
