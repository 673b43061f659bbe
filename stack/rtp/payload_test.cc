// Opus and VP8 payloads.
#include <gmock/gmock.h>

#include "stack/rtp/opus.h"
#include "stack/rtp/test_util.h"
#include "stack/rtp/vp8.h"
#include "stack/rtp/vp8_assembler.h"

namespace rtclab::rtp {
namespace {

using testing::ExpectEveryPrefixRefused;
using testing::Hex;

TEST(OpusTest, TableOfContents) {
  // RFC 6716 section 3.1, table 2, a row of each kind.
  const struct {
    uint8_t config;
    OpusMode mode;
    OpusBandwidth bandwidth;
    int64_t micros;
  } rows[] = {
      {0, OpusMode::kSilk, OpusBandwidth::kNarrow, 10'000},
      {3, OpusMode::kSilk, OpusBandwidth::kNarrow, 60'000},
      {6, OpusMode::kSilk, OpusBandwidth::kMedium, 40'000},
      {9, OpusMode::kSilk, OpusBandwidth::kWide, 20'000},
      {12, OpusMode::kHybrid, OpusBandwidth::kSuperWide, 10'000},
      {15, OpusMode::kHybrid, OpusBandwidth::kFull, 20'000},
      {16, OpusMode::kCelt, OpusBandwidth::kNarrow, 2'500},
      {21, OpusMode::kCelt, OpusBandwidth::kWide, 5'000},
      {26, OpusMode::kCelt, OpusBandwidth::kSuperWide, 10'000},
      {31, OpusMode::kCelt, OpusBandwidth::kFull, 20'000},
  };
  for (const auto& row : rows) {
    const OpusToc toc{row.config, true, 1};
    EXPECT_EQ(OpusToc::Decode(toc.Encode()), toc);
    EXPECT_EQ(toc.mode(), row.mode) << int{row.config};
    EXPECT_EQ(toc.bandwidth(), row.bandwidth) << int{row.config};
    EXPECT_EQ(toc.frame_duration().micros(), row.micros) << int{row.config};
  }
}

TEST(OpusTest, FramesOfEveryCode) {
  // Configuration 31 (20 ms) is 0xf8 + s + c.
  const struct {
    const char* what;
    Bytes bytes;
    std::size_t frames;
    std::size_t padding;
    bool dtx;
  } good[] = {
      {"code 0", Hex("f8 010203"), 1, 0, false},
      {"code 0, no frame", Hex("f8"), 1, 0, true},
      {"code 0, one byte", Hex("f8 01"), 1, 0, true},
      {"code 1", Hex("f9 01020304"), 2, 0, false},
      {"code 2", Hex("fa 01 01 020304"), 2, 0, false},
      {"code 3, CBR", Hex("fb 03 010203 040506"), 3, 0, false},
      {"code 3, VBR and padding", Hex("fb c2 03 02 0102 0304 000000"), 2, 3, false},
      {"code 3, padding of 255",
       [] {
         Bytes b = Hex("fb 41 ff 01 0102");
         b.resize(b.size() + 255);
         return b;
       }(),
       1, 255, false},
  };
  for (const auto& c : good) {
    const auto packet = ParseOpusPacket(c.bytes);
    ASSERT_TRUE(packet) << c.what << ": " << packet.error().reason;
    EXPECT_EQ(packet->frame_count, c.frames) << c.what;
    EXPECT_EQ(packet->padding, c.padding) << c.what;
    EXPECT_EQ(packet->dtx, c.dtx) << c.what;
    EXPECT_EQ(packet->samples(), 960 * c.frames) << c.what;
  }
}

TEST(OpusTest, RefusesWhatSection34Forbids) {
  const struct {
    const char* what;
    Bytes bytes;
  } bad[] = {
      {"R1: nothing", {}},
      {"R2: 1276 bytes", Bytes(1277, 0xf8)},
      {"R3: odd", Hex("f9 010203")},
      {"R4: no length", Hex("fa")},
      {"R4: half a length", Hex("fa fc")},
      {"R4: longer than the packet", Hex("fa 05 0102")},
      {"R5: no frames", Hex("fb 00")},
      {"R5: 140 ms", Hex("fb 07 01020304050607")},
      {"R6: not a multiple", Hex("fb 03 01020304")},
      {"R6: padding beyond the packet", Hex("fb 41 05 0102")},
      {"R7: lengths beyond the packet", Hex("fb 82 05 0102")},
      {"R7: lengths cut", Hex("fb 83 01")},
      {"code 3 alone", Hex("fb")},
  };
  for (const auto& c : bad) EXPECT_FALSE(ParseOpusPacket(c.bytes)) << c.what;
  // A frame's end is the packet's, so truncation shows where lengths are given.
  ExpectEveryPrefixRefused(Hex("fb 42 03 010203"),
                           [](ByteView b) { return ParseOpusPacket(b).has_value(); });
}

TEST(OpusTest, Parameters) {
  const auto p = ParseOpusParameters(
      "minptime=10;useinbandfec=1; stereo=1 "
      ";maxaveragebitrate=64000;usedtx=1;maxplaybackrate=16000");
  ASSERT_TRUE(p) << p.error().reason;
  EXPECT_TRUE(p->use_inband_fec && p->stereo && p->use_dtx && !p->cbr);
  EXPECT_EQ(p->max_average_bitrate, 64000);
  EXPECT_EQ(p->max_playback_rate, 16000);
  EXPECT_EQ(ParseOpusParameters(FormatOpusParameters(*p)), p);
  EXPECT_EQ(ParseOpusParameters(""), OpusParameters());
  EXPECT_EQ(FormatOpusParameters({}), "");
  EXPECT_FALSE(ParseOpusParameters("maxaveragebitrate=600000")->max_average_bitrate);
  for (const char* bad :
       {"stereo=2", "stereo=", "stereo", "cbr=x", "maxplaybackrate=7999", "maxaveragebitrate=0"}) {
    EXPECT_FALSE(ParseOpusParameters(bad)) << bad;
  }
  EXPECT_EQ(ParseOpusParameters("cbr=1;usedtx=7").error().offset, 6u);
}

struct Vp8Case {
  const char* name;
  std::string_view bytes;  // descriptor
  Vp8Descriptor descriptor;
};

const std::vector<Vp8Case>& Vp8Cases() {
  static const std::vector<Vp8Case> cases = {
      {"required byte", "10", {.start_of_partition = true}},
      {"non-reference, partition 3", "23", {.non_reference = true, .partition = 3}},
      {"short picture ID", "80 80 11", {.picture_id = 17, .wide_picture_id = false}},
      {"long picture ID", "90 80 9111", {.start_of_partition = true, .picture_id = 0x1111}},
      {"TL0PICIDX and TID",
       "90 60 99 a0",
       {.start_of_partition = true, .tl0_pic_idx = 0x99, .temporal = {{2, true}}}},
      {"KEYIDX alone", "80 10 1f", {.key_index = 31}},
      {"everything",
       "b7 f0 ffff 01 d5",
       {.non_reference = true,
        .start_of_partition = true,
        .partition = 7,
        .picture_id = 0x7fff,
        .tl0_pic_idx = 1,
        .temporal = {{3, false}},
        .key_index = 21}},
  };
  return cases;
}

TEST(Vp8Test, DescriptorsBothWaysAndCut) {
  for (const Vp8Case& c : Vp8Cases()) {
    SCOPED_TRACE(c.name);
    Bytes bytes = Hex(c.bytes);
    Bytes written(Vp8DescriptorSize(c.descriptor));
    WriteVp8Descriptor(c.descriptor, written.data());
    EXPECT_EQ(ToHex(written), ToHex(bytes));
    bytes.push_back(0x55);
    const auto parsed = ParseVp8Payload(bytes);
    ASSERT_TRUE(parsed) << parsed.error().reason;
    EXPECT_EQ(parsed->descriptor, c.descriptor);
    EXPECT_EQ(ToHex(parsed->data), "55");
    ExpectEveryPrefixRefused(bytes, [](ByteView b) { return ParseVp8Payload(b).has_value(); });
  }
}

TEST(Vp8Test, FrameHeaders) {
  // RFC 6386 section 9.1: a shown keyframe of 640x480 whose first partition has 0x1234 bytes.
  const Bytes key = Hex("904602 9d012a 8002 e001");
  const auto header = ParseVp8FrameHeader(key);
  ASSERT_TRUE(header);
  EXPECT_EQ(*header, (Vp8FrameHeader{true, 0, true, 0x1234, 640, 480}));
  Bytes written;
  WriteVp8FrameHeader(*header, written);
  EXPECT_EQ(ToHex(written), ToHex(key));
  ExpectEveryPrefixRefused(key, [](ByteView b) { return ParseVp8FrameHeader(b).has_value(); });
  const Bytes inter = Hex("b10000");
  EXPECT_EQ(*ParseVp8FrameHeader(inter), (Vp8FrameHeader{false, 0, true, 5, 0, 0}));
  EXPECT_FALSE(ParseVp8FrameHeader(Hex("904602 9d012b 8002 e001")));
  // The scale bits above the sizes are not part of them.
  EXPECT_EQ(ParseVp8FrameHeader(Hex("904602 9d012a 8042 e0c1"))->width, 640);
}

std::vector<Bytes> PacketizeFrame(ByteView frame, uint16_t picture_id, std::size_t max_payload,
                                  uint16_t sequence, uint32_t timestamp) {
  std::vector<Bytes> out;
  Vp8Packetizer packetizer(frame, {.picture_id = picture_id}, max_payload);
  while (const std::size_t size = packetizer.NextSize()) {
    PacketBuilder builder({false, 96, sequence++, timestamp, 1});
    const bool last = packetizer.Next(builder.AllocatePayload(size).data());
    Bytes packet = builder.Build();
    SetMarker(packet, last);
    EXPECT_LE(size, max_payload);
    out.push_back(std::move(packet));
  }
  EXPECT_EQ(out.size(), packetizer.packet_count());
  return out;
}

TEST(Vp8Test, PacketsAreOfNearlyEqualSize) {
  const Bytes frame(2500, 1);
  const auto packets = PacketizeFrame(frame, 1, 1004, 0, 0);
  ASSERT_EQ(packets.size(), 3u);
  EXPECT_EQ(packets[0].size(), 12 + 4 + 834u);
  EXPECT_EQ(packets[2].size(), 12 + 4 + 833u);
}

TEST(Vp8AssemblerTest, FramesComeWholeInAnyOrderWithDuplicates) {
  constexpr uint64_t kSeed = 7741;
  SCOPED_TRACE(kSeed);
  Rng rng(kSeed);
  std::vector<Bytes> frames;
  std::vector<Bytes> wire;
  uint16_t sequence = 65500;
  for (uint16_t i = 0; i < 60; ++i) {
    Bytes frame;
    WriteVp8FrameHeader({i % 20 == 0, 0, true, 100, 320, 240}, frame);
    const std::size_t at = frame.size();
    frame.resize(at + rng.Uniform(1, 6000));
    rng.Fill(std::span(frame).subspan(at));
    const auto packets = PacketizeFrame(frame, i, rng.Uniform(50, 1200), sequence, i * 3000u);
    sequence = static_cast<uint16_t>(sequence + packets.size());
    wire.insert(wire.end(), packets.begin(), packets.end());
    frames.push_back(std::move(frame));
  }
  // The first stays in front: its number is where counting begins.
  for (std::size_t i = 1; i + 20 < wire.size(); ++i) {
    if (rng.Bernoulli(0.3)) std::swap(wire[i], wire[i + rng.Uniform(0, 20)]);
  }
  Vp8Assembler assembler;
  std::vector<bool> seen(frames.size());
  for (const Bytes& packet : wire) {
    const auto view = PacketView::Parse(packet);
    EXPECT_TRUE(assembler.Insert(Timestamp::Zero(), *view));
    EXPECT_FALSE(assembler.Insert(Timestamp::Zero(), *view));
    while (const auto frame = assembler.PollFrame()) {
      const std::size_t id = frame->descriptor.picture_id.value();
      EXPECT_FALSE(seen.at(id));
      seen[id] = true;
      EXPECT_EQ(frame->data, frames[id]);
      EXPECT_EQ(frame->keyframe, id % 20 == 0);
      EXPECT_EQ(frame->width, id % 20 == 0 ? 320 : 0);
      EXPECT_EQ(frame->timestamp, id * 3000);
    }
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 60);
  EXPECT_EQ(assembler.buffered_packets(), 0u);
}

TEST(Vp8AssemblerTest, AHoleHoldsTheFrameBack) {
  const Bytes frame(3000, 9);
  const auto packets = PacketizeFrame(frame, 1, 500, 10, 0);
  Vp8Assembler assembler;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    if (i != 3)
      assembler.Insert(Timestamp::Millis(static_cast<int64_t>(i)), *PacketView::Parse(packets[i]));
  }
  EXPECT_FALSE(assembler.PollFrame());
  EXPECT_EQ(assembler.buffered_packets(), packets.size() - 1);
  EXPECT_TRUE(assembler.Insert(Timestamp::Millis(50), *PacketView::Parse(packets[3])));
  const auto whole = assembler.PollFrame();
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->data, frame);
  EXPECT_EQ(whole->first_arrival, Timestamp::Zero());
  EXPECT_EQ(whole->last_arrival, Timestamp::Millis(50));
}

TEST(Vp8AssemblerTest, OldPacketsAreRefused) {
  Vp8Assembler assembler(16);
  const auto insert = [&](uint16_t sequence) {
    const Bytes packet =
        testing::MakeRtp({true, 96, sequence, sequence, 1}, Hex("00 01"));  // never a start
    return assembler.Insert(Timestamp::Zero(), *PacketView::Parse(packet));
  };
  EXPECT_TRUE(insert(100));
  EXPECT_TRUE(insert(120));
  EXPECT_FALSE(insert(104));
  EXPECT_TRUE(insert(105));
  assembler.DropBefore(0x10000 + 110);
  EXPECT_EQ(assembler.buffered_packets(), 1u);
  EXPECT_FALSE(insert(109));
  EXPECT_TRUE(insert(110));
  EXPECT_FALSE(assembler.Insert(
      Timestamp::Zero(), *PacketView::Parse(testing::MakeRtp({true, 96, 121, 0, 1}, Hex("80")))));
}

}  // namespace
}  // namespace rtclab::rtp
