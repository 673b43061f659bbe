#include "stack/rtp/rtcp.h"

#include <gmock/gmock.h>

#include "stack/rtp/test_util.h"

namespace rtclab::rtp {
namespace {

using testing::ExpectEveryPrefixRefused;
using testing::Hex;

constexpr uint32_t kWeSsrc = 0x11111111;
constexpr uint32_t kTheySsrc = 0x22222222;

// Each format once, its bytes written by hand from the RFC's diagram.
struct RtcpFormat {
  const char* name;
  std::string_view bytes;
  RtcpMessage message;
};

const std::vector<RtcpFormat>& RtcpFormats() {
  static const std::vector<RtcpFormat> formats = {
      {"SR with a block",
       "81c8000c 11111111 e1b52c00 80000000 00015f90 00000064 0000c350"
       "22222222 40fffffe 00010064 00000021 2c008000 00018000",
       SenderReport{kWeSsrc,
                    {0xe1b52c00, 0x80000000},
                    90000,
                    100,
                    50000,
                    {{kTheySsrc, 64, -2, 0x10064, 33, 0x2c008000, 0x18000}}}},
      {"RR without blocks", "80c90001 11111111", ReceiverReport{kWeSsrc, {}}},
      {"RR, most lost", "81c90007 11111111 22222222 ff7fffff 0000ffff 00000000 00000000 00000000",
       ReceiverReport{kWeSsrc, {{kTheySsrc, 255, 0x7fffff, 0xffff, 0, 0, 0}}}},
      {"SDES of two chunks", "82ca0005 11111111 0103 612e62 000000 22222222 0f0130 00",
       SourceDescription{
           {{kWeSsrc, {{SdesType::kCname, "a.b"}}}, {kTheySsrc, {{SdesType::kMid, "0"}}}}}},
      {"BYE with a reason", "82cb0004 11111111 22222222 04 676f6e65 000000",
       Goodbye{{kWeSsrc, kTheySsrc}, "gone"}},
      {"BYE of nobody", "80cb0000", Goodbye{}},
      {"APP", "85cc0003 11111111 74657374 01020304",
       AppPacket{5, kWeSsrc, {'t', 'e', 's', 't'}, Bytes{1, 2, 3, 4}}},
      {"XR with RRTR, DLRR and a block of type 7",
       "80cf000a 11111111 04000002 e1b52c00 80000000 05000003 22222222 2c008000 00018000 07ab0001 "
       "01020304",
       ExtendedReport{
           kWeSsrc,
           {ReceiverReferenceTime{{0xe1b52c00, 0x80000000}},
            Dlrr{{{kTheySsrc, 0x2c008000, 0x18000}}}, UnknownXrBlock{7, 0xab, Bytes{1, 2, 3, 4}}}}},
      {"NACK", "81cd0004 11111111 22222222 000a 8001 ffff 0001",
       Nack{kWeSsrc, kTheySsrc, {10, 11, 26, 0xffff, 0}}},
      {"TMMBR", "83cd0004 11111111 00000000 22222222 12dc6c28",
       Tmmbr{kWeSsrc, {{kTheySsrc, DataRate::BitsPerSec(1'500'000), 40}}}},
      {"TMMBN of nothing", "84cd0002 11111111 00000000", Tmmbn{kWeSsrc, {}}},
      {"congestion feedback", "8bcd0006 11111111 22222222 fffe 0003 8001 0000 fffe 0000 2c008000",
       CongestionFeedback{
           kWeSsrc, {{kTheySsrc, 0xfffe, {{true, 0, 1}, {}, {true, 3, 0x1ffe}}}}, 0x2c008000}},
      {"PLI", "81ce0002 11111111 22222222", PictureLoss{kWeSsrc, kTheySsrc}},
      {"SLI", "82ce0003 11111111 22222222 00080085", SliceLoss{kWeSsrc, kTheySsrc, {{1, 2, 5}}}},
      {"RPSI", "83ce0004 11111111 22222222 1860 a1b2c3 000000",
       ReferencePictureSelection{kWeSsrc, kTheySsrc, 96, Bytes{0xa1, 0xb2, 0xc3}, 0}},
      {"FIR", "84ce0004 11111111 00000000 22222222 09000000",
       FullIntraRequest{kWeSsrc, {{kTheySsrc, 9}}}},
      {"REMB", "8fce0005 11111111 00000000 52454d42 0107a120 22222222",
       Remb{kWeSsrc, DataRate::BitsPerSec(0x3a120 << 1), {kTheySsrc}}},
      {"AFB that is not REMB", "8fce0003 11111111 22222222 01020304",
       UnknownFeedback{true, 15, kWeSsrc, kTheySsrc, Bytes{1, 2, 3, 4}}},
      {"RTPFB of another FMT", "89cd0003 11111111 22222222 01020304",
       UnknownFeedback{false, 9, kWeSsrc, kTheySsrc, Bytes{1, 2, 3, 4}}},
      {"another packet type", "83d10001 01020304", UnknownRtcp{209, 3, Bytes{1, 2, 3, 4}}},
  };
  return formats;
}

TEST(RtcpTest, ReadsAndWritesEveryFormat) {
  for (const RtcpFormat& format : RtcpFormats()) {
    SCOPED_TRACE(format.name);
    const Bytes bytes = Hex(format.bytes);
    const auto parsed = ParseRtcp(bytes);
    ASSERT_TRUE(parsed) << parsed.error().reason << " at " << parsed.error().offset;
    ASSERT_EQ(parsed->size(), 1u);
    EXPECT_TRUE(parsed->front() == format.message);
    EXPECT_EQ(ToHex(BuildRtcp({&format.message, 1})), ToHex(bytes));
  }
}

TEST(RtcpTest, RefusesEveryTruncation) {
  for (const RtcpFormat& format : RtcpFormats()) {
    SCOPED_TRACE(format.name);
    ExpectEveryPrefixRefused(Hex(format.bytes),
                             [](ByteView b) { return ParseRtcp(b).has_value(); });
  }
}

// The length field says less than the contents need: a body cut at every word, with a true length. What is
// made of whole items may end after each of them.
TEST(RtcpTest, BodiesCutAtEveryWordNeverReadBeyond) {
  int refused = 0;
  for (const RtcpFormat& format : RtcpFormats()) {
    Bytes bytes = Hex(format.bytes);
    for (std::size_t words = bytes.size() / 4 - 1; words > 0; --words) {
      Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(4 * words));
      StoreU16(cut.data() + 2, static_cast<uint16_t>(words - 1));
      const auto parsed = ParseRtcp(cut);
      if (!parsed) {
        ++refused;
      } else {
        EXPECT_EQ(parsed->size(), 1u);
      }
    }
  }
  EXPECT_GT(refused, 40);
}

TEST(RtcpTest, RefusesWhatDoesNotAddUp) {
  const struct {
    const char* what;
    std::string_view bytes;
  } cases[] = {
      {"version 1", "40c90001 11111111"},
      {"five blocks said, none there", "85c90001 11111111"},
      {"length beyond the datagram", "80c90002 11111111"},
      {"bytes after the last packet", "80c90001 11111111 80"},
      {"padding on the first of two", "a0c90002 11111111 00000004 80c90001 11111111"},
      {"padding count 0", "a0c90002 11111111 00000000"},
      {"padding count 3", "a0c90002 11111111 00000003"},
      {"padding longer than the body", "a0c90001 1111110c"},
      {"SDES item beyond its chunk", "81ca0002 11111111 01ff6162"},
      {"SDES without an end", "81ca0002 11111111 01026162"},
      {"SDES longer than its chunks", "80ca0001 11111111"},
      {"BYE reason beyond the packet", "81cb0002 11111111 04616263"},
      {"XR block beyond the packet", "80cf0002 11111111 04000002"},
      {"RRTR of one word", "80cf0003 11111111 04000001 00000000"},
      {"DLRR of two words", "80cf0004 11111111 05000002 0000000000000000"},
      {"NACK of nothing", "81cd0002 11111111 22222222"},
      {"TMMBR item cut", "83cd0003 11111111 00000000 22222222"},
      {"PLI with FCI", "81ce0003 11111111 22222222 00000000"},
      {"FIR item cut", "84ce0003 11111111 00000000 22222222"},
      {"RPSI padding beyond the message", "83ce0003 11111111 22222222 116000 00"},
      {"REMB count beyond the packet", "8fce0004 11111111 00000000 52454d42 0207a120"},
      {"feedback without media source", "81ce0001 11111111"},
      {"CCFB without a timestamp", "8bcd0001 11111111"},
      {"CCFB with metrics beyond the packet", "8bcd0004 11111111 22222222 fffe0003 2c008000"},
  };
  for (const auto& c : cases) EXPECT_FALSE(ParseRtcp(Hex(c.bytes))) << c.what;
}

TEST(RtcpTest, PaddingOfTheLastPacketIsNoContent) {
  const auto parsed =
      ParseRtcp(Hex("80c90001 11111111 a1cd0005 11111111 22222222 000a0000 00000000 00000008"));
  ASSERT_TRUE(parsed) << parsed.error().reason;
  EXPECT_EQ(std::get<Nack>(parsed->at(1)).lost, std::vector<uint16_t>{10});
}

TEST(RtcpTest, CompoundBeginsWithAReport) {
  const Bytes pli = Hex("81ce0002 11111111 22222222");
  EXPECT_TRUE(ParseRtcp(pli, RtcpForm::kReducedSize));
  EXPECT_FALSE(ParseRtcp(pli, RtcpForm::kCompound));
  Bytes compound = Hex("80c90001 11111111");
  compound.insert(compound.end(), pli.begin(), pli.end());
  const auto parsed = ParseRtcp(compound, RtcpForm::kCompound);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->size(), 2u);
}

TEST(RtcpTest, ErrorsSayWhere) {
  const auto parsed = ParseRtcp(Hex("80c90001 11111111 81cd0002 11111111 22222222"));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().offset, 8u + 4 + 8);
}

TEST(RtcpTest, MoreThan31BlocksGoIntoFurtherReports) {
  SenderReport sr{kWeSsrc, {}, 0, 0, 0, std::vector<ReportBlock>(70)};
  for (uint32_t i = 0; i < 70; ++i) sr.reports[i].ssrc = i;
  const RtcpMessage message = sr;
  const auto parsed = ParseRtcp(BuildRtcp({&message, 1}), RtcpForm::kCompound);
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 3u);
  EXPECT_EQ(std::get<SenderReport>(parsed->at(0)).reports.size(), 31u);
  EXPECT_EQ(std::get<ReceiverReport>(parsed->at(1)).reports.size(), 31u);
  EXPECT_EQ(std::get<ReceiverReport>(parsed->at(2)).reports.at(7).ssrc, 69u);
}

TEST(RtcpTest, RatesAreRoundedDownToTheirMantissa) {
  const struct {
    int64_t bps;
    int64_t remb;
    int64_t tmmbr;
  } cases[] = {{0, 0, 0},
               {131071, 131071, 131071},
               {262143, 262143, 262142},
               {2'500'001, 2'500'000, 2'499'984 + 16}};
  for (const auto& c : cases) {
    const RtcpMessage messages[] = {Remb{1, DataRate::BitsPerSec(c.bps), {}},
                                    Tmmbr{1, {{2, DataRate::BitsPerSec(c.bps), 0}}}};
    const auto parsed = ParseRtcp(BuildRtcp(messages));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(std::get<Remb>(parsed->at(0)).bitrate.bps(), c.remb);
    EXPECT_EQ(std::get<Tmmbr>(parsed->at(1)).limits.at(0).max_total_rate.bps(), c.tmmbr);
  }
  // 2^18-1 << 63 is beyond any rate.
  const auto huge = ParseRtcp(Hex("8fce0004 11111111 00000000 52454d42 00ffffff"));
  ASSERT_TRUE(huge);
  EXPECT_GT(std::get<Remb>(huge->front()).bitrate.bps(), int64_t{1} << 62);
}

TEST(TransportFeedbackTest, ReadsEveryKindOfChunk) {
  // Base 65534; 1 run of 2 small deltas, a one-bit vector, a two-bit vector of the last three.
  const Bytes bytes =
      Hex("8fcd0008 11111111 22222222 fffe 0013 ffffff 07 2002 a800 d200"
          "04 08 0c 10 14 fff0 000000");
  const auto parsed = ParseRtcp(bytes);
  ASSERT_TRUE(parsed) << parsed.error().reason;
  const auto& feedback = std::get<TransportFeedback>(parsed->front());
  EXPECT_EQ(feedback.base_sequence, 0xfffe);
  EXPECT_EQ(feedback.reference_time, -1);
  EXPECT_EQ(feedback.feedback_count, 7);
  ASSERT_EQ(feedback.packets.size(), 19u);
  std::vector<std::pair<int, int>> received;
  for (std::size_t i = 0; i < feedback.packets.size(); ++i) {
    if (feedback.packets[i].received) received.emplace_back(i, feedback.packets[i].delta);
  }
  // 0xa800 has the first and third of 14; 0xd200 small, none, large.
  EXPECT_THAT(received,
              ::testing::ElementsAre(std::pair(0, 4), std::pair(1, 8), std::pair(2, 12),
                                     std::pair(4, 16), std::pair(16, 20), std::pair(18, -16)));
}

// As Chromium 156 sends it. Three in four of its messages end so.
TEST(TransportFeedbackTest, PaddingMayBePartOfAWord) {
  const struct {
    std::string_view bytes;
    std::size_t packets;
  } cases[] = {
      {"afcd0008 b91d2a41 b6a49bef 0000000c 09db9400 200c4b00 0b222908 00120a0d 0d160002", 12},
      {"afcd0007 b91d2a41 b6a49bef 00bd0007 09dbb321 2007e64f 0e32111f 30000003", 7},
  };
  for (const auto& c : cases) {
    const auto parsed = ParseRtcp(Hex(c.bytes));
    ASSERT_TRUE(parsed) << parsed.error().reason;
    EXPECT_EQ(std::get<TransportFeedback>(parsed->at(0)).packets.size(), c.packets);
  }
  // Generic NACK has whole words.
  EXPECT_FALSE(ParseRtcp(Hex("a1cd0004 11111111 22222222 000a0000 00000003")));
}

TEST(TransportFeedbackTest, RandomFeedbackComesBackTheSameAndNeverWhenCut) {
  constexpr uint64_t kSeed = 7;
  SCOPED_TRACE(kSeed);
  Rng rng(kSeed);
  for (int round = 0; round < 200; ++round) {
    TransportFeedback feedback{1,
                               2,
                               static_cast<uint16_t>(rng.NextU32()),
                               static_cast<uint8_t>(rng.NextU32()),
                               static_cast<int32_t>(rng.Uniform(0, 0xFFFFFF)) - 0x800000,
                               {}};
    const double loss = rng.UniformReal();
    const double large = rng.UniformReal() * rng.UniformReal();
    for (uint64_t i = rng.Uniform(1, 300); i > 0; --i) {
      const bool received = !rng.Bernoulli(loss);
      const auto any = static_cast<int16_t>(rng.NextU32());
      const auto delta = rng.Bernoulli(large) ? any : static_cast<int16_t>(any & 0xff);
      feedback.packets.push_back({received, received ? delta : int16_t{0}});
    }
    const RtcpMessage message = feedback;
    const Bytes bytes = BuildRtcp({&message, 1});
    const auto parsed = ParseRtcp(bytes);
    ASSERT_TRUE(parsed) << parsed.error().reason;
    ASSERT_TRUE(parsed->front() == message) << "round " << round;
    if (round < 20) {
      ExpectEveryPrefixRefused(bytes, [](ByteView b) { return ParseRtcp(b).has_value(); });
      // The FCI alone, as the length field would allow it.
      const ByteView fci = ByteView(bytes).subspan(12);
      std::size_t needed = fci.size();
      while (needed > 0 && ParseTransportFci(fci.first(needed - 1))) --needed;
      EXPECT_GE(needed + 4, fci.size());  // only the zero fill may be missing
      for (std::size_t size = 0; size < needed; ++size)
        EXPECT_FALSE(ParseTransportFci(fci.first(size)));
    }
  }
}

TEST(TransportFeedbackTest, RefusesReservedSymbolsAndNothing) {
  for (const std::string_view fci :
       {"0001 0000 00000000 2001", "0001 0001 00000000 6001", "0001 0001 00000000 f000",
        "0001 0001 00000000 2000", "0001 0001 00000000 2001"}) {
    EXPECT_FALSE(ParseTransportFci(Hex(fci))) << fci;
  }
}

TEST(TransportFeedbackTest, AMessageOfManyLostIsShort) {
  TransportFeedback feedback;
  feedback.packets.assign(5000, {});
  feedback.packets.front() = {true, 1};
  feedback.packets.back() = {true, 2};
  Bytes fci;
  AppendTransportFci(feedback, fci);
  EXPECT_LE(fci.size(), 20u);
}

TEST(CongestionFeedbackTest, SeveralStreamsComeBackTheSame) {
  constexpr uint64_t kSeed = 8;
  SCOPED_TRACE(kSeed);
  Rng rng(kSeed);
  for (int round = 0; round < 50; ++round) {
    CongestionFeedback feedback{1, {}, rng.NextU32()};
    for (uint64_t s = rng.Uniform(0, 4); s > 0; --s) {
      CongestionBlock block{rng.NextU32(), static_cast<uint16_t>(rng.NextU32()), {}};
      for (uint64_t i = rng.Uniform(0, 40); i > 0; --i) {
        if (rng.Bernoulli(0.3)) {
          block.metrics.emplace_back();
        } else {
          block.metrics.push_back({true, static_cast<uint8_t>(rng.Uniform(0, 3)),
                                   static_cast<uint16_t>(rng.Uniform(0, 0x1fff))});
        }
      }
      feedback.blocks.push_back(block);
    }
    const RtcpMessage message = feedback;
    const Bytes bytes = BuildRtcp({&message, 1});
    const auto parsed = ParseRtcp(bytes);
    ASSERT_TRUE(parsed) << parsed.error().reason;
    EXPECT_TRUE(parsed->front() == message);
    ExpectEveryPrefixRefused(bytes, [](ByteView b) { return ParseRtcp(b).has_value(); });
  }
}

TEST(CongestionFeedbackTest, RefusesMoreMetricsThanAQuarterOfTheCircle) {
  Bytes fci = Hex("22222222 0000 4001");
  fci.resize(fci.size() + 2 * 0x4002 + 4);
  EXPECT_FALSE(ParseCongestionFci(fci));
}

}  // namespace
}  // namespace rtclab::rtp
