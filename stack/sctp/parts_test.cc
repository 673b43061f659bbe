// The parts of an association by themselves: RTO, congestion window, SACK bookkeeping on both sides,
// reassembly, schedulers, cookies, path MTU search.
#include <gtest/gtest.h>

#include <string>

#include "stack/sctp/congestion.h"
#include "stack/sctp/cookie.h"
#include "stack/sctp/outstanding.h"
#include "stack/sctp/path_mtu.h"
#include "stack/sctp/reassembly.h"
#include "stack/sctp/rto.h"
#include "stack/sctp/send_queue.h"
#include "stack/sctp/tsn_tracker.h"

namespace rtclab::sctp {
namespace {

TEST(RtoTest, FollowsSection631) {
  RtoEstimator rto(TimeDelta::Seconds(1), TimeDelta::Millis(100), TimeDelta::Seconds(60));
  EXPECT_EQ(rto.rto(), TimeDelta::Seconds(1));
  rto.Measure(TimeDelta::Millis(100));  // SRTT 100, RTTVAR 50
  EXPECT_EQ(rto.rto(), TimeDelta::Millis(300));
  rto.Measure(TimeDelta::Millis(200));  // RTTVAR 62.5, SRTT 112.5
  EXPECT_EQ(rto.rto(), TimeDelta::Micros(362'500));
  rto.BackOff();
  EXPECT_EQ(rto.rto(), TimeDelta::Millis(725));
  for (int i = 0; i < 20; ++i) rto.BackOff();
  EXPECT_EQ(rto.rto(), TimeDelta::Seconds(60));
  for (int i = 0; i < 100; ++i) rto.Measure(TimeDelta::Millis(1));
  EXPECT_EQ(rto.rto(), TimeDelta::Millis(100));
}

TEST(CongestionTest, SlowStartGrowsOnlyWhenTheWindowIsUsed) {
  CongestionController cc(1000);
  EXPECT_EQ(cc.cwnd(), 4000u);
  cc.OnAck({2000, 3999, true, false, 1});
  EXPECT_EQ(cc.cwnd(), 4000u);
  cc.OnAck({2000, 4000, true, false, 2});
  EXPECT_EQ(cc.cwnd(), 6000u);
  cc.OnAck({5000, 6000, true, false, 3});
  EXPECT_EQ(cc.cwnd(), 8000u) << "two packets' worth at most";
  cc.OnAck({5000, 8000, false, false, 3});
  EXPECT_EQ(cc.cwnd(), 8000u) << "only when the cumulative TSN moves";
}

TEST(CongestionTest, LossHalvesOnceAWindowAndATimeoutStartsAnew) {
  CongestionController cc(1000);
  for (Tsn i = 1; i <= 10; ++i) cc.OnAck({2000, cc.cwnd(), true, false, i});
  EXPECT_EQ(cc.cwnd(), 24'000u);
  EXPECT_TRUE(cc.OnLoss(50));
  EXPECT_EQ(cc.cwnd(), 12'000u);
  EXPECT_FALSE(cc.OnLoss(60)) << "still in fast recovery";
  cc.OnAck({2000, 12'000, true, false, 49});
  EXPECT_TRUE(cc.in_fast_recovery());
  cc.OnAck({0, 12'000, true, false, 50});
  EXPECT_FALSE(cc.in_fast_recovery());
  // Congestion avoidance: a packet for each window acknowledged.
  const std::size_t before = cc.cwnd();
  EXPECT_LE(before, 13'000u);
  std::size_t acked = 0;
  while (cc.cwnd() == before || acked < 12'000) {
    cc.OnAck({1000, cc.cwnd(), true, false, 51});
    acked += 1000;
    ASSERT_LT(acked, 30'000u);
  }
  EXPECT_EQ(cc.cwnd(), before + 1000);
  cc.OnTimeout();
  EXPECT_EQ(cc.cwnd(), 1000u);
  EXPECT_EQ(cc.ssthresh(), std::max<std::size_t>((before + 1000) / 2, 4000));
}

TEST(CongestionTest, AnIdlePathShrinksTheWindow) {
  CongestionController cc(1000);
  for (Tsn i = 1; i <= 14; ++i) cc.OnAck({2000, cc.cwnd(), true, false, i});
  EXPECT_EQ(cc.cwnd(), 32'000u);
  cc.OnIdle(TimeDelta::Millis(900), TimeDelta::Seconds(1));
  EXPECT_EQ(cc.cwnd(), 32'000u);
  cc.OnIdle(TimeDelta::Millis(2500), TimeDelta::Seconds(1));
  EXPECT_EQ(cc.cwnd(), 8'000u);
  EXPECT_EQ(cc.ssthresh(), 32'000u);
  cc.OnIdle(TimeDelta::Seconds(100), TimeDelta::Seconds(1));
  EXPECT_EQ(cc.cwnd(), 4'000u);
}

TEST(TsnTrackerTest, GapsAndDuplicates) {
  TsnTracker tracker(0xFFFFFFFE);  // wraps after two
  const auto arrive = [&](uint32_t wire) {
    const Tsn tsn = tracker.Unwrap(wire);
    if (tracker.Check(tsn) != TsnTracker::Verdict::kNew) return tracker.RecordDuplicate(tsn);
    tracker.Record(tsn);
  };
  for (const uint32_t tsn : {0xFFFFFFFEu, 1u, 2u, 5u, 4u, 9u, 2u, 0xFFFFFFFEu}) arrive(tsn);
  SackChunk sack = tracker.MakeSack(1000, 200);
  EXPECT_EQ(sack.cumulative_tsn, 0xFFFFFFFEu);
  EXPECT_EQ(sack.gaps, (std::vector<SackChunk::GapBlock>{{3, 4}, {6, 7}, {11, 11}}));
  EXPECT_EQ(sack.duplicates, (std::vector<uint32_t>{2, 0xFFFFFFFE}));
  arrive(0xFFFFFFFF);
  arrive(0);
  sack = tracker.MakeSack(1000, 20);
  EXPECT_EQ(sack.cumulative_tsn, 2u);
  EXPECT_EQ(sack.gaps, (std::vector<SackChunk::GapBlock>{{2, 3}})) << "20 bytes take one block";
  EXPECT_TRUE(sack.duplicates.empty()) << "reported once";
  tracker.Forward(tracker.Unwrap(3));
  EXPECT_EQ(static_cast<uint32_t>(tracker.cumulative()), 5u);
  EXPECT_EQ(tracker.Check(tracker.Unwrap(5 + 0x10000)), TsnTracker::Verdict::kTooFar);
}

// A sender's bookkeeping with one-fragment messages of 100 bytes.
class OutstandingTest : public testing::Test {
 protected:
  OutstandingTest() : chunks_(kSerialBase + 1) { chunks_.SetPartialReliability(true); }
  void Send(uint32_t max_retransmits = UINT32_MAX) {
    Fragment f;
    f.message = MessageRef::Make();
    f.message->payload = Bytes(100);
    f.message->sequence = next_ssn_++;
    f.message->max_retransmits = max_retransmits;
    f.length = 100;
    f.begin = f.end = true;
    f.message->complete = true;
    Bytes packet;
    chunks_.Send(now_, std::move(f), 0, packet);
  }
  OutstandingChunks::SackResult Sack(uint32_t cumulative, std::vector<SackChunk::GapBlock> gaps) {
    SackChunk sack;
    sack.cumulative_tsn = cumulative;
    sack.gaps = std::move(gaps);
    return chunks_.HandleSack(now_, sack, false, abandoned_);
  }
  std::size_t Retransmit() {
    Bytes packet;
    return chunks_.Retransmit(now_, 1200, true, packet, abandoned_).chunks;
  }

  OutstandingChunks chunks_;
  std::vector<MessageRef> abandoned_;
  Timestamp now_;
  uint32_t next_ssn_ = 0;
};

TEST_F(OutstandingTest, ThreeMissesMarkAChunk) {
  for (int i = 0; i < 6; ++i) Send();
  EXPECT_EQ(chunks_.flight(), 6u * 116);
  EXPECT_FALSE(Sack(1, {{2, 2}}).loss);
  EXPECT_FALSE(Sack(1, {{2, 3}}).loss);
  EXPECT_FALSE(Sack(1, {{2, 3}}).loss) << "nothing newly acknowledged: no miss (HTNA)";
  EXPECT_TRUE(Sack(1, {{2, 4}}).loss);
  EXPECT_TRUE(chunks_.HasRetransmission());
  EXPECT_EQ(chunks_.flight(), 116u);
  EXPECT_EQ(Retransmit(), 1u);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Sack(1, {{2, 4}}).loss) << "fast only once";
  const auto result = Sack(6, {});
  EXPECT_EQ(result.acked_bytes, 2u * 116);
  EXPECT_TRUE(chunks_.empty());
  EXPECT_EQ(chunks_.flight(), 0u);
}

TEST_F(OutstandingTest, WhatIsReportedOnceMayBeTakenBack) {
  for (int i = 0; i < 3; ++i) Send();
  Sack(0, {{2, 3}});
  EXPECT_EQ(chunks_.flight(), 116u);
  Sack(0, {{2, 2}});
  EXPECT_EQ(chunks_.flight(), 2u * 116);
  Sack(3, {});
  EXPECT_TRUE(chunks_.empty());
}

TEST_F(OutstandingTest, OldAndImpossibleSacksAreTold) {
  for (int i = 0; i < 3; ++i) Send();
  using Verdict = OutstandingChunks::SackResult::Verdict;
  EXPECT_EQ(Sack(2, {}).verdict, Verdict::kFine);
  EXPECT_EQ(Sack(1, {}).verdict, Verdict::kOld);
  EXPECT_EQ(Sack(4, {}).verdict, Verdict::kNeverSent);
}

TEST_F(OutstandingTest, RoundTripsAreOfChunksSentOnce) {
  Send();
  now_ += TimeDelta::Millis(30);
  EXPECT_EQ(Sack(1, {}).rtt, TimeDelta::Millis(30));
  Send();
  chunks_.MarkAll(now_, abandoned_);
  Retransmit();
  now_ += TimeDelta::Millis(30);
  EXPECT_FALSE(Sack(2, {}).rtt) << "Karn's rule";
}

TEST_F(OutstandingTest, GivesUpAfterTheAllowedRetransmissions) {
  Send(0);
  Send();
  Send(1);
  chunks_.MarkAll(now_, abandoned_);
  EXPECT_EQ(abandoned_.size(), 1u);
  auto forward = chunks_.MakeForwardTsn(100);
  ASSERT_TRUE(forward);
  EXPECT_EQ(forward->new_cumulative_tsn, 1u);
  EXPECT_EQ(forward->skipped, (std::vector<ForwardTsnChunk::Skipped>{{0, false, 0}}));
  EXPECT_EQ(Retransmit(), 2u);
  chunks_.MarkAll(now_, abandoned_);
  EXPECT_EQ(abandoned_.size(), 2u);
  EXPECT_EQ(Retransmit(), 1u);
  Sack(1, {{1, 1}});
  forward = chunks_.MakeForwardTsn(100);
  ASSERT_FALSE(forward) << "nothing was given up right after the cumulative TSN";
  Sack(2, {});
  forward = chunks_.MakeForwardTsn(100);
  ASSERT_TRUE(forward);
  EXPECT_EQ(forward->new_cumulative_tsn, 3u);
}

// Reassembly fed with fragments by number.
DataChunk Piece(uint32_t tsn, uint16_t stream, uint32_t sequence, std::string_view text,
                uint8_t flags, uint32_t fsn = 0) {
  DataChunk d;
  d.tsn = tsn;
  d.stream = stream;
  d.sequence = sequence;
  d.payload = AsBytes(text);
  d.flags = flags;
  d.fsn = fsn;
  d.ppid = (flags & DataChunk::kBegin) != 0 ? 51 : 0;
  return d;
}
constexpr uint8_t kB = DataChunk::kBegin;
constexpr uint8_t kE = DataChunk::kEnd;
constexpr uint8_t kU = DataChunk::kUnordered;

std::string Texts(const std::vector<MessageReceived>& messages) {
  std::string all;
  for (const auto& m : messages) {
    if (!all.empty()) all += " ";
    all += AsString(m.payload);
  }
  return all;
}

TEST(ReassemblyTest, EveryOrderOfArrivalGivesTheSame) {
  // Three messages of one stream: ab|c, d, e|f|g.
  const std::vector<DataChunk> pieces = {Piece(1, 4, 0, "ab", kB),     Piece(2, 4, 0, "c", kE),
                                         Piece(3, 4, 1, "d", kB | kE), Piece(4, 4, 2, "e", kB),
                                         Piece(5, 4, 2, "f", 0),       Piece(6, 4, 2, "g", kE)};
  std::vector<std::size_t> order = {0, 1, 2, 3, 4, 5};
  do {
    Reassembly r(1000);
    std::vector<MessageReceived> out;
    for (const std::size_t i : order) {
      EXPECT_EQ(r.Add(kSerialBase + pieces[i].tsn, pieces[i], out), "");
    }
    ASSERT_EQ(Texts(out), "abc d efg");
    ASSERT_EQ(r.buffered(), 0u);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(ReassemblyTest, InterleavedMessagesAndUnorderedOnes) {
  Reassembly r(1000);
  r.SetInterleaving(true);
  std::vector<MessageReceived> out;
  uint64_t tsn = kSerialBase;
  const auto add = [&](const DataChunk& d) { EXPECT_EQ(r.Add(++tsn, d, out), ""); };
  add(Piece(0, 1, 0, "a", kB, 0));
  add(Piece(0, 2, 0, "x", kB, 0));
  add(Piece(0, 1, 0, "u", kB | kU, 0));  // the same number, unordered
  add(Piece(0, 2, 0, "y", kE, 1));
  EXPECT_EQ(Texts(out), "xy");
  add(Piece(0, 1, 0, "v", kE | kU, 1));
  EXPECT_EQ(Texts(out), "xy uv");
  EXPECT_FALSE(out[1].ordered);
  add(Piece(0, 1, 1, "later", kB | kE, 0));
  EXPECT_EQ(Texts(out), "xy uv");
  add(Piece(0, 1, 0, "b", kE, 1));
  EXPECT_EQ(Texts(out), "xy uv ab later");
  EXPECT_EQ(out[2].ppid, 51u);
  EXPECT_EQ(r.buffered(), 0u);
}

TEST(ReassemblyTest, SkippingDeliversWhatWaited) {
  for (const bool interleaving : {false, true}) {
    Reassembly r(1000);
    r.SetInterleaving(interleaving);
    std::vector<MessageReceived> out;
    r.Add(kSerialBase + 1, Piece(1, 1, 0, "half", kB, 0), out);  // its end is given up
    r.Add(kSerialBase + 4, Piece(4, 1, 2, "two", kB | kE, 0), out);
    EXPECT_EQ(Texts(out), "");
    ForwardTsnChunk forward{3, {{1, false, 1}}};
    r.Skip(kSerialBase + 3, forward, out);
    EXPECT_EQ(Texts(out), "two");
    EXPECT_EQ(r.buffered(), 0u);
    r.Add(kSerialBase + 5, Piece(5, 1, 3, "three", kB | kE, 0), out);
    EXPECT_EQ(Texts(out), "two three");
  }
}

TEST(ReassemblyTest, AFragmentOfASkippedMessageMayComeAfterTheSkip) {
  Reassembly r(1000);
  r.SetInterleaving(true);
  std::vector<MessageReceived> out;
  EXPECT_EQ(r.Add(kSerialBase + 1, Piece(1, 1, 0, "a", kB, 0), out), "");
  r.Skip(kSerialBase + 2, ForwardTsnChunk{2, {{1, false, 0}}}, out);
  EXPECT_EQ(r.Add(kSerialBase + 4, Piece(4, 1, 0, "c", kE, 2), out), "");
  EXPECT_EQ(r.Add(kSerialBase + 5, Piece(5, 1, 1, "next", kB | kE, 0), out), "");
  EXPECT_EQ(Texts(out), "next");
  EXPECT_EQ(r.buffered(), 0u);
}

TEST(ReassemblyTest, ContradictionsAreTold) {
  std::vector<MessageReceived> out;
  Reassembly r(1000);
  r.Add(kSerialBase + 1, Piece(1, 1, 0, "a", kB), out);
  EXPECT_NE(r.Add(kSerialBase + 2, Piece(2, 9, 0, "b", kE), out), "") << "another stream";
  Reassembly r2(1000);
  r2.Add(kSerialBase + 2, Piece(2, 1, 0, "b", kE), out);
  EXPECT_NE(r2.Add(kSerialBase + 3, Piece(3, 1, 1, "c", 0), out), "") << "a middle after an end";
  Reassembly r3(1000);
  r3.Add(kSerialBase + 1, Piece(1, 1, 0, "a", kB | kE), out);
  EXPECT_NE(r3.Add(kSerialBase + 2, Piece(2, 1, 0, "a", kB | kE), out), "") << "a number again";
  Reassembly r4(1000);
  EXPECT_NE(r4.Add(kSerialBase + 1, Piece(1, 1, 0, std::string(2000, 'x'), kB), out), "") << "size";
}

// Which streams the fragments come from, one letter each; streams a (0), b (1), c (2).
std::string Schedule(SchedulerKind kind, bool interleaving, int fragments,
                     std::vector<uint16_t> priorities = {256, 256, 256}) {
  SendQueue queue(kind);
  queue.SetInterleaving(interleaving);
  for (uint16_t i = 0; i < priorities.size(); ++i) queue.SetPriority(StreamId{i}, priorities[i]);
  for (int round = 0; round < 2; ++round) {
    for (uint16_t i = 0; i < priorities.size(); ++i) {
      MessageRef m = MessageRef::Make();
      m->stream = StreamId{i};
      m->payload = Bytes(3000);
      queue.Add(m);
    }
  }
  std::string order;
  std::vector<MessageRef> expired;
  for (int i = 0; i < fragments; ++i) {
    queue.PacketBegins();
    const auto f = queue.Produce(Timestamp(), 1000, 1000, expired);
    if (!f) break;
    order += static_cast<char>('a' + static_cast<uint16_t>(f->message->stream));
  }
  return order;
}

TEST(SchedulerTest, FollowsRfc8260Section3) {
  using Kind = SchedulerKind;
  EXPECT_EQ(Schedule(Kind::kFirstComeFirstServed, true, 9), "aaabbbccc");
  EXPECT_EQ(Schedule(Kind::kFirstComeFirstServed, false, 18), "aaabbbcccaaabbbccc");
  EXPECT_EQ(Schedule(Kind::kRoundRobin, true, 9), "abcabcabc");
  EXPECT_EQ(Schedule(Kind::kRoundRobin, false, 18), "aaabbbcccaaabbbccc");
  EXPECT_EQ(Schedule(Kind::kRoundRobinPerPacket, true, 9), "abcabcabc");
  EXPECT_EQ(Schedule(Kind::kPriority, true, 18, {1, 3, 2}), "bbbbbbccccccaaaaaa");
  EXPECT_EQ(Schedule(Kind::kPriority, false, 18, {1, 3, 2}), "bbbbbbccccccaaaaaa");
  EXPECT_EQ(Schedule(Kind::kFairCapacity, true, 9), "abcabcabc");
  const std::string weighted = Schedule(Kind::kWeightedFair, true, 8, {512, 128, 128});
  EXPECT_NEAR(static_cast<double>(std::count(weighted.begin(), weighted.end(), 'a')), 5, 1)
      << weighted;
}

TEST(SendQueueTest, ExpiredMessagesAreDroppedUnsentAndLowIsTold) {
  SendQueue queue(SchedulerKind::kWeightedFair);
  queue.SetLowThreshold(StreamId{1}, 100);
  for (int i = 0; i < 3; ++i) {
    MessageRef m = MessageRef::Make();
    m->stream = StreamId{1};
    m->payload = Bytes(100);
    if (i == 0) m->expires = Timestamp::Millis(5);
    queue.Add(m);
  }
  std::vector<MessageRef> expired;
  auto f = queue.Produce(Timestamp::Millis(10), 1000, 1000, expired);
  ASSERT_TRUE(f);
  EXPECT_EQ(expired.size(), 1u);
  EXPECT_EQ(f->message->sequence, 0u) << "the dropped one had no number";
  EXPECT_EQ(queue.buffered(StreamId{1}), 100u);
  EXPECT_EQ(queue.fell_low(), (std::vector<StreamId>{StreamId{1}}));
  EXPECT_FALSE(queue.Produce(Timestamp(), 50, 1000, expired)) << "waits for the next packet";
  EXPECT_TRUE(queue.Produce(Timestamp(), 100, 1000, expired));
  EXPECT_TRUE(queue.empty());
}

TEST(CookieTest, OpensWhatItSealedAndNothingElse) {
  Rng rng(5);
  const CookieJar jar(rng);
  const CookieJar other(rng);
  StateCookie cookie;
  cookie.created = Timestamp::Seconds(9);
  cookie.lifetime = TimeDelta::Seconds(60);
  cookie.local_tag = 1;
  cookie.peer_tag = 2;
  cookie.peer_window = 70'000;
  cookie.outbound_streams = 12;
  cookie.features = {true, false, true, true};
  const Bytes sealed = jar.Seal(cookie);
  EXPECT_EQ(jar.Open(sealed), cookie);
  EXPECT_FALSE(other.Open(sealed));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes bent = sealed;
    bent[i] ^= 1;
    EXPECT_FALSE(jar.Open(bent)) << i;
    EXPECT_FALSE(jar.Open(ByteView(sealed).first(i))) << i;
  }
}

TEST(PathMtuTest, FindsTheLargestSizeThatPasses) {
  for (const std::size_t path : {1200u, 1280u, 1400u, 1437u, 1500u, 9000u}) {
    PathMtuSearch search(1191, 1500);
    int probes = 0;
    while (const auto size = search.NextProbe()) {
      ASSERT_LT(++probes, 50);
      *size <= path ? static_cast<void>(search.OnAcknowledged(*size)) : search.OnTimeout();
    }
    EXPECT_TRUE(search.done());
    EXPECT_LE(search.mtu(), std::max<std::size_t>(path, 1191));
    EXPECT_GE(search.mtu() + 20, std::min<std::size_t>(path, 1500)) << path;
    EXPECT_EQ(search.OnBlackHole(), search.mtu() != 1191 || path >= 1220);
    EXPECT_EQ(search.mtu(), 1191u);
  }
  EXPECT_FALSE(PathMtuSearch(1191, 0).NextProbe());
}

}  // namespace
}  // namespace rtclab::sctp
