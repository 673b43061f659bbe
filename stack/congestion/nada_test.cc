// RFC 8698's equations with numbers computed by hand, and the signal's estimators.
#include <gtest/gtest.h>

#include "stack/congestion/nada.h"
#include "stack/congestion/nada_constants.h"
#include "stack/congestion/nada_signal.h"
#include "stack/congestion/test_util.h"

namespace rtclab::congestion {
namespace {

using test::At;
using test::Kbps;
using test::Ms;

TEST(NadaEquationsTest, Equation1WarpsDelayBeyondQth) {
  EXPECT_EQ(NadaSignal::Warp(Ms(49)), Ms(49));
  EXPECT_EQ(NadaSignal::Warp(Ms(50)), Ms(50));
  EXPECT_NEAR(NadaSignal::Warp(Ms(100)).millis_f(), 30.3265, 1e-4);  // 50 exp(-0.5)
  EXPECT_NEAR(NadaSignal::Warp(Ms(300)).millis_f(), 4.1042, 1e-4);   // 50 exp(-2.5)
}

TEST(NadaEquationsTest, Equation2AddsMarksAndLosses) {
  EXPECT_EQ(NadaSignal::Aggregate(Ms(12), 0, 0), Ms(12));
  EXPECT_EQ(NadaSignal::Aggregate(Ms(12), 0.01, 0), Ms(14));
  EXPECT_EQ(NadaSignal::Aggregate(Ms(12), 0, 0.01), Ms(22));
  EXPECT_EQ(NadaSignal::Aggregate(Ms(12), 0.03, 0.02), Ms(12 + 18 + 40));
  EXPECT_EQ(NadaSignal::Aggregate(Ms(12), 0, 0.5), nada::kXmax);
}

TEST(NadaEquationsTest, Equation3BoundsRampUpByTheLoopDelay) {
  EXPECT_NEAR(nada::Gamma(Ms(100)), 50.0 / 320, 1e-12);
  EXPECT_NEAR(nada::Gamma(Ms(0)), 50.0 / 220, 1e-12);
}

TEST(NadaEquationsTest, Equations5To7) {
  const auto update = [](double x_curr, double x_prev) {
    return nada::GradualUpdate(1e6, 1.5e6, 1, Ms(x_curr), Ms(x_prev), Ms(100));
  };
  // Equilibrium: x = PRIO * XREF * RMAX / r_ref = 15 ms.
  EXPECT_NEAR(update(15, 15), 1e6, 1e-3);
  // Offset 10 ms: 0.5 * 0.2 * 0.02 = 0.2 %; change 5 ms: 0.5 * 2 * 0.01 = 1 %.
  EXPECT_NEAR(update(25, 20), 988'000, 1e-3);
  EXPECT_NEAR(update(25, 25), 998'000, 1e-3);
  EXPECT_NEAR(update(5, 5), 1'002'000, 1e-3);
  // Twice the priority: equilibrium at 30 ms.
  EXPECT_NEAR(nada::GradualUpdate(1e6, 1.5e6, 2, Ms(30), Ms(30), Ms(100)), 1e6, 1e-3);
}

TEST(NadaEquationsTest, Equations11And12GiveTheRfcsExample) {
  // Section 5.2.2: 2000 bytes in the buffer make 48 kbit/s.
  EXPECT_NEAR(nada::BufferAdjustment(1e6, DataSize::Bytes(2000)), 48'000, 1e-6);
  EXPECT_NEAR(nada::BufferAdjustment(1e6, DataSize::Bytes(5000)), 50'000, 1e-6);  // 5 % at most
}

TEST(LossIntervalsTest, AveragesLikeTfrc) {
  LossIntervals intervals;
  const auto receive = [&](int n) {
    for (int i = 0; i < n; ++i) intervals.OnReceived();
  };
  EXPECT_EQ(intervals.Average(), 0);
  receive(99);
  intervals.OnLost(At(1), Ms(100));
  EXPECT_EQ(intervals.Average(), 100);
  receive(10);
  intervals.OnLost(At(1.05), Ms(100));  // the same round trip: the same event
  EXPECT_EQ(intervals.since_loss(), 0);
  receive(39);
  EXPECT_EQ(intervals.since_loss(), 39);
  intervals.OnLost(At(2), Ms(100));  // closes an interval of 11 + 40 packets
  // RFC 5348 section 5.4: (51 + 100) / 2, more than (0 + 51) / 2.
  EXPECT_EQ(intervals.Average(), 75.5);
  receive(200);
  EXPECT_EQ(intervals.Average(), (200 + 51) / 2.0);
}

PacketResult NadaPacket(double sent, double queue_ms, bool lost = false, bool marked = false) {
  PacketResult packet;
  packet.sent.sent = At(sent);
  packet.sent.size = DataSize::Bytes(1000);
  if (!lost) packet.received = At(sent + 1000.050) + Ms(queue_ms);
  packet.ecn = marked ? kEcnCongestionExperienced : uint8_t{0};
  return packet;
}

TEST(NadaSignalTest, QueueingDelayIsTheLeastOfFifteenSamples) {
  NadaSignal signal;
  signal.OnPacket(NadaPacket(0, 0), Ms(100));
  for (int i = 1; i <= 14; ++i) signal.OnPacket(NadaPacket(i * 0.01, 40), Ms(100));
  EXPECT_EQ(signal.d_queue(), Ms(0));
  signal.OnPacket(NadaPacket(0.15, 60), Ms(100));
  EXPECT_EQ(signal.d_queue(), Ms(40));
}

TEST(NadaSignalTest, RampsUpOnlyWithoutLossAndQueueInTheWindow) {
  NadaSignal signal;
  const auto run = [&](double from, double to, double queue_ms) {
    for (double t = from; t < to - 1e-9; t += 0.01) {
      signal.OnPacket(NadaPacket(t, queue_ms), Ms(100));
    }
    signal.Update();
  };
  run(0, 1, 9.9);  // the first sample is the base
  EXPECT_TRUE(signal.ramp_up());
  signal.OnPacket(NadaPacket(1, 0, true), Ms(100));
  run(1.01, 1.4, 5);
  EXPECT_FALSE(signal.ramp_up());
  run(1.4, 1.6, 5);  // the loss has left LOGWIN
  EXPECT_TRUE(signal.ramp_up());
  run(1.6, 1.9, 25);
  EXPECT_FALSE(signal.ramp_up());
}

TEST(NadaSignalTest, LossAndMarkRatiosAreSmoothed) {
  NadaSignal signal;
  for (int i = 0; i < 40; ++i) {
    signal.OnPacket(NadaPacket(i * 0.01, 0, i % 4 == 1, i % 4 == 2), Ms(100));
  }
  signal.Update();
  EXPECT_NEAR(signal.p_loss(), 0.025, 1e-12);  // equation (10): 0.1 * 0.25
  EXPECT_NEAR(signal.p_mark(), 0.025, 1e-12);
  signal.Update();
  EXPECT_NEAR(signal.p_loss(), 0.0475, 1e-12);
  // 30 packets of 1,000 bytes arrived in 390 ms.
  EXPECT_NEAR(Bps(signal.r_recv()), 240'000 / 0.39, 1);
}

TEST(NadaSignalTest, WarpingEndsWithTheLossesExpiration) {
  NadaSignal signal;
  double t = 0;
  const auto receive = [&](int n) {
    for (int i = 0; i < n; ++i) signal.OnPacket(NadaPacket(t += 0.01, 0), Ms(100));
  };
  EXPECT_EQ(signal.WarpShare(), 0);
  receive(9);
  signal.OnPacket(NadaPacket(t += 0.01, 0, true), Ms(100));  // interval of 10
  receive(70);
  // The open interval counts once it is longer: its average then is 70, and 7 * 70 > 70.
  EXPECT_EQ(signal.WarpShare(), 1);
}

ControllerConfig NadaConfig() {
  ControllerConfig config;
  config.limits = {.min = Kbps(150), .start = Kbps(300), .max = Kbps(1500)};
  return config;
}

TEST(NadaControllerTest, AcceleratedRampUpFollowsTheReceivingRate) {
  NadaController nada(NadaConfig());
  TransportFeedback feedback;
  // 500 ms of 400 kbit/s, one way 50 ms; the feedback arrives 50 ms after the last packet.
  for (int i = 0; i < 26; ++i) feedback.packets.push_back(NadaPacket(i * 0.02, 0));
  feedback.now = At(0.6);
  nada.OnFeedback(At(0.6), feedback);
  EXPECT_EQ(nada.output().rtt, Ms(100));
  EXPECT_EQ(nada.output().state, "ramp-up");
  // r_recv = 26 * 8000 / 0.5 = 416 kbit/s; 1 + 50 / (100 + 100 + 120).
  EXPECT_NEAR(Bps(nada.output().target), 416'000 * (1 + 50.0 / 320), 1);
}

TEST(NadaControllerTest, AFullSendBufferMovesEncoderAndPacerApart) {
  NadaController nada(NadaConfig());
  nada.OnQueue(At(0), DataSize::Bytes(500));
  EXPECT_EQ(nada.output().estimate, Kbps(300));
  EXPECT_EQ(nada.output().target, Kbps(288));  // 0.1 * 4000 * 30 = 12 kbit/s
  EXPECT_EQ(nada.output().pacing, Kbps(312));
}

TEST(NadaControllerTest, MissingFeedbackHalvesTheRate) {
  ControllerConfig config = NadaConfig();
  config.limits.start = Kbps(1000);
  NadaController nada(config);
  SentPacket packet;
  packet.sent = At(0);
  nada.OnPacketSent(packet);
  nada.HandleTimeout(nada.NextTimeout());
  EXPECT_EQ(nada.output().target, Kbps(1000));  // nothing has ever answered
  TransportFeedback feedback;
  feedback.packets = {NadaPacket(0.9, 0)};
  nada.OnFeedback(At(1), feedback);
  packet.sent = At(1);
  nada.OnPacketSent(packet);
  EXPECT_EQ(nada.NextTimeout(), At(1.6));
  nada.HandleTimeout(At(1.6));
  EXPECT_EQ(nada.output().target, Kbps(500));
  EXPECT_EQ(nada.output().reason, "no feedback");
  EXPECT_EQ(nada.NextTimeout(), Timestamp::PlusInfinity());
}

}  // namespace
}  // namespace rtclab::congestion
