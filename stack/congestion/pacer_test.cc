#include "stack/congestion/pacer.h"

#include <gtest/gtest.h>

#include "stack/congestion/test_util.h"

namespace rtclab::congestion {
namespace {

using test::At;
using test::Kbps;
using test::Ms;

PacedPacket Queued(PacketClass packet_class, uint64_t handle = 0, int64_t bytes = 1000) {
  PacedPacket packet;
  packet.packet_class = packet_class;
  packet.ssrc = static_cast<uint32_t>(packet_class) + 1;
  packet.size = DataSize::Bytes(bytes);
  packet.handle = handle;
  return packet;
}

struct Left {
  Timestamp time;
  PacedPacket packet;
};

// Runs the pacer by its own timeouts until `until` or nothing is left to do.
std::vector<Left> RunPacer(Pacer& pacer, Timestamp from, Timestamp until, bool pad = false) {
  std::vector<Left> left;
  Timestamp now = from;
  while (now <= until) {
    while (auto packet = pacer.Poll(now)) left.push_back({now, std::move(*packet)});
    const DataSize wanted = pacer.PaddingWanted(now);
    if (pad && wanted > DataSize()) {
      pacer.Enqueue(now, Queued(PacketClass::kPadding, 0, wanted.bytes()));
      continue;
    }
    const Timestamp next = pacer.NextTimeout();
    if (next.IsInfinite()) break;
    EXPECT_GT(next, now);  // no busy loop
    if (next <= now) break;
    now = next;
  }
  return left;
}

TEST(PacerTest, HigherPrioritiesLeaveFirst) {
  Pacer pacer({.pace_audio = true});
  pacer.SetRates(At(0), Kbps(1000), {});
  for (const auto c : {PacketClass::kPadding, PacketClass::kVideo, PacketClass::kFec,
                       PacketClass::kRetransmission, PacketClass::kAudio}) {
    pacer.Enqueue(At(0), Queued(c));
  }
  std::vector<PacketClass> order;
  for (const Left& l : RunPacer(pacer, At(0), At(1))) order.push_back(l.packet.packet_class);
  EXPECT_EQ(order, (std::vector{PacketClass::kAudio, PacketClass::kRetransmission,
                                PacketClass::kVideo, PacketClass::kFec, PacketClass::kPadding}));
  EXPECT_TRUE(pacer.empty());
}

TEST(PacerTest, SpacesPacketsByTheRate) {
  Pacer pacer;
  pacer.SetRates(At(0), Kbps(800), {});  // 1,000 bytes take 10 ms
  for (uint64_t i = 0; i < 10; ++i) pacer.Enqueue(At(0), Queued(PacketClass::kVideo, i));
  const auto left = RunPacer(pacer, At(0), At(1));
  ASSERT_EQ(left.size(), 10u);
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(left[i].packet.handle, i);
    EXPECT_NEAR(left[i].time.millis_f(), 10.0 * static_cast<double>(i), 0.001);
  }
}

TEST(PacerTest, SmallPacketsLeaveInBurstsOfFiveMilliseconds) {
  Pacer pacer;
  pacer.SetRates(At(0), Kbps(800), {});  // 5 ms are 500 bytes
  for (uint64_t i = 0; i < 20; ++i) pacer.Enqueue(At(0), Queued(PacketClass::kVideo, i, 100));
  const auto left = RunPacer(pacer, At(0), At(1));
  ASSERT_EQ(left.size(), 20u);
  EXPECT_EQ(left[5].time, At(0));
  EXPECT_NEAR(left[6].time.millis_f(), 6, 0.001);
  EXPECT_NEAR(left[19].time.millis_f(), 18, 0.001);
}

TEST(PacerTest, IdleTimeSavesNoCredit) {
  Pacer pacer;
  pacer.SetRates(At(0), Kbps(800), {});
  EXPECT_FALSE(pacer.Poll(At(10)));
  for (uint64_t i = 0; i < 3; ++i) pacer.Enqueue(At(10), Queued(PacketClass::kVideo, i));
  const auto left = RunPacer(pacer, At(10), At(11));
  ASSERT_EQ(left.size(), 3u);
  EXPECT_NEAR((left[2].time - At(10)).millis_f(), 20, 0.001);
}

TEST(PacerTest, AudioDoesNotWaitButCounts) {
  Pacer pacer;
  pacer.SetRates(At(0), Kbps(800), {});
  pacer.Enqueue(At(0), Queued(PacketClass::kVideo));
  ASSERT_TRUE(pacer.Poll(At(0)));
  pacer.Enqueue(At(0.001), Queued(PacketClass::kVideo));
  EXPECT_FALSE(pacer.Poll(At(0.001)));
  pacer.Enqueue(At(0.001), Queued(PacketClass::kAudio, 0, 100));
  const auto audio = pacer.Poll(At(0.001));
  ASSERT_TRUE(audio);
  EXPECT_EQ(audio->packet_class, PacketClass::kAudio);
  EXPECT_FALSE(pacer.Poll(At(0.001)));
  EXPECT_NEAR(pacer.NextTimeout().millis_f(), 11, 0.001);  // 1,100 bytes from 0
}

TEST(PacerTest, TheQueueTimeLimitRaisesTheRate) {
  Pacer pacer({.queue_time_limit = Ms(500)});
  pacer.SetRates(At(0), Kbps(80), {});  // 100 packets would take 10 s
  for (uint64_t i = 0; i < 100; ++i) pacer.Enqueue(At(0), Queued(PacketClass::kVideo, i));
  const auto left = RunPacer(pacer, At(0), At(20));
  ASSERT_EQ(left.size(), 100u);
  EXPECT_LE(left.back().time, At(0.51));
  EXPECT_GE(left.back().time, At(0.4));
  // Back at the configured rate afterwards.
  pacer.Enqueue(At(5), Queued(PacketClass::kVideo));
  pacer.Enqueue(At(5), Queued(PacketClass::kVideo));
  const auto later = RunPacer(pacer, At(5), At(6));
  ASSERT_EQ(later.size(), 2u);
  EXPECT_NEAR((later[1].time - later[0].time).millis_f(), 100, 1);
}

TEST(PacerTest, TheWindowHoldsPacketsBack) {
  Pacer pacer;
  pacer.SetRates(At(0), Kbps(8000), {});
  pacer.SetWindow(DataSize::Bytes(2500));
  for (uint64_t i = 0; i < 10; ++i) pacer.Enqueue(At(0), Queued(PacketClass::kVideo, i));
  EXPECT_EQ(RunPacer(pacer, At(0), At(0.1)).size(), 3u);  // the third began below the window
  EXPECT_EQ(pacer.in_flight(), DataSize::Bytes(3000));
  pacer.SetInFlight(DataSize::Bytes(1000));
  EXPECT_EQ(RunPacer(pacer, At(0.1), At(0.2)).size(), 2u);
}

TEST(PacerTest, AClosedWindowTrickles) {
  Pacer pacer;
  pacer.SetRates(At(0), Kbps(8000), {});
  pacer.SetWindow(DataSize::Bytes(1000));
  for (uint64_t i = 0; i < 10; ++i) pacer.Enqueue(At(0), Queued(PacketClass::kVideo, i));
  const auto left = RunPacer(pacer, At(0), At(1.2));
  ASSERT_EQ(left.size(), 3u);
  EXPECT_EQ(left[1].time, At(0.5));
  EXPECT_EQ(left[2].time, At(1.0));
}

TEST(PacerTest, AProbeLeavesAtItsRateFilledWithPadding) {
  Pacer pacer;
  pacer.SetRates(At(0), Kbps(500), {});
  pacer.AddProbe(At(0), {.id = 3, .rate = Kbps(2000)});        // at least 3,750 bytes, 5 packets
  EXPECT_TRUE(RunPacer(pacer, At(0), At(0.1), true).empty());  // waits for media
  pacer.Enqueue(At(0.1), Queued(PacketClass::kVideo));
  const auto left = RunPacer(pacer, At(0.1), At(1), true);
  DataSize sent;
  for (const Left& l : left) {
    EXPECT_EQ(l.packet.probe_cluster, 3);
    sent = sent + l.packet.size;
  }
  EXPECT_GE(left.size(), 5u);
  EXPECT_GE(sent.bytes(), 3750);
  EXPECT_LT(sent.bytes(), 3750 + 1000);
  const double seconds = (left.back().time - left.front().time).seconds();
  const auto before_last = static_cast<double>((sent - left.back().packet.size).bits());
  EXPECT_NEAR(before_last / seconds, 2e6, 1e4);
  EXPECT_FALSE(pacer.probing());
  pacer.Enqueue(At(1), Queued(PacketClass::kVideo));
  EXPECT_EQ(pacer.Poll(At(1))->probe_cluster, -1);
}

TEST(PacerTest, AProbeWithNothingToSendIsGivenUp) {
  Pacer pacer;
  pacer.SetRates(At(0), Kbps(500), {});
  pacer.AddProbe(At(0), {.id = 3, .rate = Kbps(2000)});
  pacer.Enqueue(At(0), Queued(PacketClass::kVideo));
  EXPECT_EQ(RunPacer(pacer, At(0), At(1), false).size(), 1u);
  EXPECT_FALSE(pacer.probing());
  pacer.AddProbe(At(2), {.id = 4, .rate = Kbps(2000)});
  pacer.Poll(At(7.1));
  EXPECT_FALSE(pacer.probing());
}

TEST(PacerTest, PaddingFillsUpToItsRate) {
  Pacer pacer;
  pacer.SetRates(At(0), Kbps(1000), Kbps(400));
  int64_t padding = 0;
  int64_t media = 0;
  Timestamp now = At(0);
  for (int frame = 0; frame < 30; ++frame) {
    pacer.Enqueue(now, Queued(PacketClass::kVideo, 0, 625));  // 200 kbit/s of 25 ms frames
    for (const Left& l : RunPacer(pacer, now, now + Ms(24.9), true)) {
      (l.packet.packet_class == PacketClass::kPadding ? padding : media) += l.packet.size.bytes();
    }
    now += Ms(25);
  }
  EXPECT_EQ(media, 30 * 625);
  EXPECT_NEAR(static_cast<double>(padding + media) * 8 / 0.75, 400e3, 10e3);
}

TEST(PacerTest, PausedNothingLeaves) {
  Pacer pacer;
  pacer.SetRates(At(0), Kbps(800), Kbps(800));
  pacer.Enqueue(At(0), Queued(PacketClass::kAudio));
  pacer.SetPaused(At(0), true);
  EXPECT_FALSE(pacer.Poll(At(1)));
  EXPECT_EQ(pacer.PaddingWanted(At(1)), DataSize());
  EXPECT_EQ(pacer.NextTimeout(), Timestamp::PlusInfinity());
  EXPECT_EQ(pacer.OldestAge(At(1)), Ms(1000));
  pacer.SetPaused(At(1), false);
  EXPECT_TRUE(pacer.Poll(At(1)));
}

TEST(PacerTest, RemovesAStreamAndKeepsCount) {
  Pacer pacer;
  pacer.SetRates(At(0), Kbps(800), {});
  for (uint64_t i = 0; i < 3; ++i) {
    pacer.Enqueue(At(0), Queued(PacketClass::kVideo, i));
    pacer.Enqueue(At(0), Queued(PacketClass::kRetransmission, 10 + i, 500));
  }
  EXPECT_EQ(pacer.queued(), DataSize::Bytes(4500));
  EXPECT_EQ(pacer.queued(PacketClass::kVideo), DataSize::Bytes(3000));
  EXPECT_EQ(pacer.ExpectedQueueTime(), Ms(45));
  pacer.RemoveStream(static_cast<uint32_t>(PacketClass::kVideo) + 1);
  EXPECT_EQ(pacer.queued_packets(), 3u);
  EXPECT_EQ(pacer.queued(), DataSize::Bytes(1500));
  for (const Left& l : RunPacer(pacer, At(0), At(1))) EXPECT_GE(l.packet.handle, 10u);
}

}  // namespace
}  // namespace rtclab::congestion
