// RED, ULPFEC and FlexFEC: bytes of the RFCs, truncation, and recovery of whatever the masks allow.
#include <gmock/gmock.h>

#include <set>

#include "stack/rtp/flexfec.h"
#include "stack/rtp/red.h"
#include "stack/rtp/test_util.h"
#include "stack/rtp/ulpfec.h"

namespace rtclab::rtp {
namespace {

using testing::ExpectEveryPrefixRefused;
using testing::Hex;
using testing::MakeRtp;
using testing::RandomRtp;

constexpr uint32_t kMediaSsrc = 0x4d4d4d4d;

std::vector<ByteView> Views(const std::vector<Bytes>& packets) {
  return {packets.begin(), packets.end()};
}

TEST(RedTest, RedundantBlockBeforeThePrimary) {
  // PT 5, 160 units older, 3 bytes; primary PT 0.
  const Bytes bytes = Hex("85 028003 00 616263 6465");
  const auto blocks = ParseRed(bytes);
  ASSERT_TRUE(blocks);
  ASSERT_EQ(blocks->size(), 2u);
  EXPECT_EQ(blocks->at(0).payload_type, 5);
  EXPECT_EQ(blocks->at(0).timestamp_offset, 160);
  EXPECT_EQ(AsString(blocks->at(0).data), "abc");
  EXPECT_EQ(blocks->at(1).payload_type, 0);
  EXPECT_EQ(AsString(blocks->at(1).data), "de");
  Bytes again;
  EXPECT_TRUE(AppendRed(*blocks, again));
  EXPECT_EQ(again, bytes);
  // The primary may be empty, so only what is in front of it counts.
  ExpectEveryPrefixRefused(ByteView(bytes).first(8),
                           [](ByteView b) { return ParseRed(b).has_value(); });
}

TEST(RedTest, WhatDoesNotFitTheHeaderIsRefused) {
  Bytes out;
  const Bytes large(1024);
  const RedBlock too_long[] = {{96, 1, large}, {96, 0, large}};
  const RedBlock too_old[] = {{96, 0x4000, {}}, {96, 0, large}};
  EXPECT_FALSE(AppendRed(too_long, out));
  EXPECT_FALSE(AppendRed(too_old, out));
  EXPECT_FALSE(AppendRed({}, out));
  EXPECT_TRUE(out.empty());
}

// RFC 5109 section 10.1: packets 8 to 11 of 200, 140, 100 and 340 bytes.
TEST(UlpfecTest, HeaderOfTheRfcsExample) {
  std::vector<Bytes> packets;
  const struct {
    std::size_t size;
    bool marker;
    uint8_t payload_type;
    uint32_t timestamp;
  } rfc[] = {{200, true, 11, 3}, {140, false, 18, 5}, {100, true, 11, 7}, {340, false, 18, 9}};
  uint16_t sequence = 8;
  for (const auto& p : rfc)
    packets.push_back(
        MakeRtp({p.marker, p.payload_type, sequence++, p.timestamp, 2}, Bytes(p.size, 1)));
  const auto fec = EncodeUlpfec(Views(packets), 1);
  ASSERT_EQ(fec.size(), 1u);
  EXPECT_EQ(ToHex(ByteView(fec[0]).first(14)),
            "0000"
            "0008"
            "00000008"
            "0174"
            "0154"
            "f000");
  EXPECT_EQ(fec[0].size(), 14u + 340);
  const auto repair = ParseUlpfec(fec[0], 2);
  ASSERT_TRUE(repair);
  EXPECT_EQ(repair->targets.size(), 4u);
  EXPECT_EQ(repair->targets[3], (FecTarget{2, 11}));
}

TEST(UlpfecTest, RefusesTruncationAndNonsense) {
  std::vector<Bytes> packets;
  for (uint16_t i = 0; i < 40; ++i) packets.push_back(MakeRtp({false, 96, i, 1, 2}, Bytes(3, 1)));
  const std::vector<ByteView> views = Views(packets);
  for (const std::size_t n : {4u, 40u}) {
    const auto fec = EncodeUlpfec(std::span(views).first(n), 1);
    ASSERT_EQ(fec.size(), 1u);
    EXPECT_EQ(ParseUlpfec(fec[0], 2)->targets.size(), n);
    ExpectEveryPrefixRefused(fec[0], [](ByteView b) { return ParseUlpfec(b, 2).has_value(); });
  }
  EXPECT_FALSE(ParseUlpfec(Hex("8000 0008 00000008 0174 0000 f000"), 2));  // E
  EXPECT_FALSE(ParseUlpfec(Hex("0000 0008 00000008 0174 0000 0000"), 2));  // protects nothing
  EXPECT_TRUE(EncodeUlpfec({}, 1).empty());
  EXPECT_TRUE(EncodeUlpfec(Views(packets), 0).empty());
  packets.push_back(MakeRtp({false, 96, 48, 1, 2}, Bytes(3, 1)));
  EXPECT_TRUE(EncodeUlpfec(Views(packets), 1).empty());  // 49 numbers
}

TEST(UlpfecTest, PacketCountFollowsTheProtection) {
  EXPECT_EQ(FecPacketCount(10, 0), 0u);
  EXPECT_EQ(FecPacketCount(10, 1), 1u);
  EXPECT_EQ(FecPacketCount(10, 128), 5u);
  EXPECT_EQ(FecPacketCount(3, 255), 3u);
  EXPECT_EQ(FecPacketCount(0, 255), 0u);
}

// Which lost packets parity can bring back: again and again the one unknown of an equation.
std::set<uint16_t> Recoverable(std::set<uint16_t> lost,
                               const std::vector<std::vector<FecTarget>>& equations) {
  std::set<uint16_t> recovered;
  for (bool progress = true; progress;) {
    progress = false;
    for (const auto& equation : equations) {
      std::vector<uint16_t> unknown;
      for (const FecTarget& target : equation) {
        if (lost.contains(target.sequence)) unknown.push_back(target.sequence);
      }
      if (unknown.size() != 1) continue;
      lost.erase(unknown[0]);
      recovered.insert(unknown[0]);
      progress = true;
    }
  }
  return recovered;
}

TEST(UlpfecTest, RandomLossesAreRecoveredAsTheMasksAllow) {
  constexpr uint64_t kSeed = 5109;
  SCOPED_TRACE(kSeed);
  Rng rng(kSeed);
  std::size_t total = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<Bytes> packets;
    const auto first = static_cast<uint16_t>(rng.NextU32());
    const auto count = static_cast<uint16_t>(rng.Uniform(1, 48));
    for (uint16_t i = 0; i < count; ++i) {
      // Padding stays outside of RED, so media without it.
      Bytes packet = RandomRtp(rng, kMediaSsrc, static_cast<uint16_t>(first + i));
      packet.resize(packet.size() - PacketView::Parse(packet)->padding_size());
      packet[0] &= 0xDF;
      packets.push_back(std::move(packet));
    }
    const auto fec = EncodeUlpfec(Views(packets), rng.Uniform(1, 8));
    UlpfecReceiver receiver(kMediaSsrc, 120, 121);
    std::set<uint16_t> lost;
    std::vector<std::vector<FecTarget>> equations;
    const double loss = rng.UniformReal() * 0.4;
    std::vector<Bytes> wire;
    for (const Bytes& packet : packets) {
      const auto view = PacketView::Parse(packet);
      if (rng.Bernoulli(loss)) {
        lost.insert(view->sequence_number());
        continue;
      }
      const RedBlock block{view->payload_type(), 0, view->payload()};
      Bytes red(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(view->header_size()));
      SetPayloadType(red, 120);
      ASSERT_TRUE(AppendRed({&block, 1}, red));
      wire.push_back(std::move(red));
    }
    auto sequence = static_cast<uint16_t>(first + count);
    for (const Bytes& payload : fec) {
      if (rng.Bernoulli(loss)) continue;
      equations.push_back(ParseUlpfec(payload, kMediaSsrc)->targets);
      Bytes red = MakeRtp({false, 120, sequence++, 0, kMediaSsrc}, Bytes{121});
      red.insert(red.end(), payload.begin(), payload.end());
      wire.insert(wire.begin() + static_cast<std::ptrdiff_t>(rng.Uniform(0, wire.size())),
                  std::move(red));
    }
    std::size_t media = 0;
    for (const Bytes& packet : wire) {
      const auto out = receiver.HandlePacket(packet);
      ASSERT_TRUE(out) << out.error().reason;
      if (*out) {
        ++media;
        EXPECT_EQ(**out, packets[static_cast<uint16_t>(LoadU16((*out)->data() + 2) - first)]);
      }
    }
    EXPECT_EQ(media, packets.size() - lost.size());
    std::set<uint16_t> recovered;
    while (const auto packet = receiver.PollRecovered()) {
      const uint16_t s = LoadU16(packet->data() + 2);
      EXPECT_EQ(*packet, packets[static_cast<uint16_t>(s - first)]);
      // Parity may be ahead of packets that come after all.
      if (lost.contains(s)) recovered.insert(s);
    }
    EXPECT_EQ(recovered, Recoverable(lost, equations)) << "round " << round;
    total += recovered.size();
  }
  EXPECT_GT(total, 150u);
}

TEST(UlpfecTest, ParityOfOtherPacketsIsNoPacket) {
  // Says that it protects packet 8 alone, with a length beyond the payload.
  FecRecovery recovery;
  recovery.AddStream(2);
  recovery.AddRepair(*ParseUlpfec(Hex("0000 0008 00000008 0174 0001 8000 aa"), 2));
  EXPECT_FALSE(recovery.PollRecovered());
  EXPECT_EQ(recovery.waiting_repairs(), 0u);
  // Another SSRC's: not kept.
  recovery.AddRepair(*ParseUlpfec(Hex("0000 0008 00000008 0001 0001 8000 aa"), 3));
  EXPECT_FALSE(recovery.PollRecovered());
}

TEST(FlexfecTest, MaskHeaderAsBytes) {
  FlexfecEncoder encoder(118, 0xfecfecfe, 7);
  const Bytes a = MakeRtp({true, 96, 100, 0x10, kMediaSsrc}, Hex("01020304"));
  const Bytes b = MakeRtp({false, 97, 102, 0x30, kMediaSsrc}, Hex("1122"));
  const ByteView packets[] = {a, b};
  const auto repair = encoder.ProtectMask(0x99, packets);
  ASSERT_TRUE(repair);
  // M 1 xor 0, PT 96 xor 97, lengths 4 xor 2; base 100 with bits 0 and 2.
  EXPECT_EQ(
      ToHex(*repair),
      ToHex(Hex("8176 0007 00000099 fecfecfe 4d4d4d4d  0081 0006 00000020 0064 5000 10200304")));
}

TEST(FlexfecTest, FixedBlockAndRetransmissionAsBytes) {
  FlexfecEncoder encoder(118, 0xfecfecfe, 7);
  std::vector<Bytes> packets;
  for (uint16_t i = 0; i < 4; ++i)
    packets.push_back(MakeRtp({false, 96, static_cast<uint16_t>(100 + i), 0, kMediaSsrc},
                              Bytes{static_cast<uint8_t>(i)}));
  const auto repairs = encoder.ProtectBlock(0, Views(packets), 2, 2, FlexfecPattern::kBoth);
  ASSERT_EQ(repairs.size(), 4u);
  EXPECT_EQ(ToHex(ByteView(repairs[1]).subspan(16)),
            "40000000"
            "00000000"
            "00660201"
            "01");  // second row, D of 1
  EXPECT_EQ(ToHex(ByteView(repairs[3]).subspan(16)),
            "40000000"
            "00000000"
            "00650202"
            "02");  // second column
  const Bytes again = encoder.Retransmit(5, packets[0]);
  EXPECT_EQ(ToHex(ByteView(again).first(12)), ToHex(Hex("8076 000b 00000005 fecfecfe")));
  EXPECT_EQ(Bytes(again.begin() + 12, again.end()), packets[0]);
}

TEST(FlexfecTest, RefusesTruncationOfItsHeaders) {
  FlexfecEncoder encoder(118, 1, 7);
  std::vector<Bytes> packets;
  for (const int s : {0, 20, 109})
    packets.push_back(MakeRtp({false, 96, static_cast<uint16_t>(s), 0, kMediaSsrc}, Bytes(3)));
  packets.push_back(MakeRtp({false, 96, 5, 0, 99}, Bytes(3)));
  const auto repair = encoder.ProtectMask(0, Views(packets));
  ASSERT_TRUE(repair);
  const auto parse = [](ByteView b) {
    const auto view = PacketView::Parse(b);
    return view && ParseFlexfec(*view);
  };
  ASSERT_TRUE(parse(*repair));
  // Header 12, two CSRCs, common header 8, masks of 16 and 4.
  ExpectEveryPrefixRefused(ByteView(*repair).first(12 + 8 + 8 + 16 + 4), parse);
  for (const std::string_view text : {
           "8076 0000 00000000 00000001 c000 0000 00000000 00000000",           // R and F
           "8076 0000 00000000 00000001 0000 0000 00000000 00008000",           // no CSRC
           "8176 0000 00000000 00000001 4d4d4d4d 0000 0000 00000000 00000000",  // empty mask
           "8176 0000 00000000 00000001 4d4d4d4d 4000 0000 00000000 00000005",  // L of 0
           "8076 0000 00000000 00000001 8000 0000 00000000",  // no whole RTP packet
       }) {
    EXPECT_FALSE(parse(Hex(text))) << text;
  }
}

TEST(FlexfecTest, EncoderRefusesWhatNoMaskHolds) {
  FlexfecEncoder encoder(118, 1, 7);
  std::vector<Bytes> packets;
  for (const int s : {0, 110})
    packets.push_back(MakeRtp({false, 96, static_cast<uint16_t>(s), 0, kMediaSsrc}, Bytes(3)));
  EXPECT_FALSE(encoder.ProtectMask(0, Views(packets)));
  EXPECT_FALSE(encoder.ProtectMask(0, {}));
  const ByteView twice[] = {packets[0], packets[0]};
  EXPECT_FALSE(encoder.ProtectMask(0, twice));
  EXPECT_TRUE(encoder.ProtectBlock(0, Views(packets), 2, 1, FlexfecPattern::kRows)
                  .empty());  // not consecutive
  EXPECT_TRUE(
      encoder.ProtectBlock(0, Views(packets), 1, 1, FlexfecPattern::kColumns).empty());  // not two
}

// One round of packets, repairs, losses in random order; gives how many came back.
std::size_t FlexfecRound(Rng& rng, const std::vector<Bytes>& packets,
                         const std::vector<Bytes>& repairs) {
  const uint32_t protected_ssrcs[] = {kMediaSsrc};
  FlexfecReceiver receiver(protected_ssrcs);
  const double loss = rng.UniformReal() * 0.5;
  std::set<uint16_t> lost;
  std::vector<std::vector<FecTarget>> equations;
  std::vector<std::pair<uint64_t, Bytes>> wire;
  for (const Bytes& packet : packets) {
    if (rng.Bernoulli(loss)) {
      lost.insert(LoadU16(packet.data() + 2));
    } else {
      wire.emplace_back(rng.NextU64(), packet);
    }
  }
  for (const Bytes& packet : repairs) {
    if (rng.Bernoulli(loss)) continue;
    equations.push_back(ParseFlexfec(*PacketView::Parse(packet))->repair.targets);
    wire.emplace_back(rng.NextU64(), packet);
  }
  std::sort(wire.begin(), wire.end());
  for (const auto& [key, packet] : wire) {
    const auto view = PacketView::Parse(packet);
    if (view->ssrc() == kMediaSsrc) {
      receiver.HandleMedia(packet);
    } else {
      EXPECT_TRUE(receiver.HandleRepair(*view));
    }
  }
  std::set<uint16_t> recovered;
  const uint16_t first = LoadU16(packets.front().data() + 2);
  while (const auto packet = receiver.PollRecovered()) {
    const uint16_t s = LoadU16(packet->data() + 2);
    EXPECT_EQ(*packet, packets[static_cast<uint16_t>(s - first)]);
    recovered.insert(s);
  }
  // What came in between may have been recovered before it came; what never came is recovered or beyond
  // help.
  std::set<uint16_t> recovered_lost;
  for (const uint16_t s : recovered) {
    if (lost.contains(s)) recovered_lost.insert(s);
  }
  EXPECT_EQ(recovered_lost, Recoverable(lost, equations));
  return recovered_lost.size();
}

TEST(FlexfecTest, RandomLossesAreRecoveredAsTheMasksAllow) {
  constexpr uint64_t kSeed = 8627;
  SCOPED_TRACE(kSeed);
  Rng rng(kSeed);
  std::size_t total = 0;
  for (int round = 0; round < 200; ++round) {
    const auto columns = static_cast<uint8_t>(rng.Uniform(1, 10));
    const auto rows = static_cast<uint8_t>(rng.Uniform(2, 10));
    const auto first = static_cast<uint16_t>(rng.NextU32());
    std::vector<Bytes> packets;
    for (int i = 0; i < columns * rows; ++i)
      packets.push_back(RandomRtp(rng, kMediaSsrc, static_cast<uint16_t>(first + i), 60));
    FlexfecEncoder encoder(118, 1, 0);
    std::vector<Bytes> repairs;
    if (round % 4 < 3) {
      repairs = encoder.ProtectBlock(0, Views(packets), columns, rows,
                                     static_cast<FlexfecPattern>(round % 4));
    } else {
      for (int r = 0; r < 6; ++r) {
        std::vector<ByteView> chosen;
        for (const Bytes& packet : packets) {
          if (rng.Bernoulli(0.3)) chosen.push_back(packet);
        }
        if (auto repair = encoder.ProtectMask(0, chosen)) repairs.push_back(std::move(*repair));
      }
    }
    total += FlexfecRound(rng, packets, repairs);
    if (HasFailure()) break;
  }
  EXPECT_GT(total, 250u);
}

TEST(FlexfecTest, OneRepairPacketMayProtectSeveralStreams) {
  const Bytes a = MakeRtp({true, 96, 65535, 0x10, 10}, Hex("01020304"));
  const Bytes b = MakeRtp({false, 97, 102, 0x30, 20}, Hex("112233"));
  const Bytes c = MakeRtp({false, 97, 1, 0x30, 10}, Hex("445566778899"));
  const ByteView packets[] = {c, b, a};
  FlexfecEncoder encoder(118, 30, 0);
  const auto repair = encoder.ProtectMask(0, packets);
  ASSERT_TRUE(repair);
  const uint32_t ssrcs[] = {10, 20};
  FlexfecReceiver receiver(ssrcs);
  receiver.HandleMedia(a);
  EXPECT_TRUE(receiver.HandleRepair(*PacketView::Parse(*repair)));
  EXPECT_FALSE(receiver.PollRecovered());
  receiver.HandleMedia(c);
  EXPECT_EQ(receiver.PollRecovered(), b);
  EXPECT_TRUE(receiver.HandleRepair(*PacketView::Parse(encoder.Retransmit(0, a))));
  EXPECT_EQ(receiver.PollRecovered(), a);
  EXPECT_FALSE(receiver.HandleRepair(
      *PacketView::Parse(encoder.Retransmit(0, MakeRtp({false, 1, 1, 1, 77}, {})))));
}

}  // namespace
}  // namespace rtclab::rtp
