#include "stack/media/frame_content.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "stack/base/check.h"
#include "stack/rtp/opus.h"
#include "stack/rtp/vp8.h"

namespace rtclab::media {
namespace {

constexpr std::size_t kFrameTag = 3;
constexpr std::size_t kKeyFrameHeader = 10;
// Marks a frame of this code; then number (4 bytes), capture time in microseconds (8), digest (8).
constexpr std::array<uint8_t, 4> kVideoMagic = {0x72, 0x74, 0x63, 0x6c};
constexpr std::size_t kVideoIdentity = 24;
// TOC, mark, number (4), capture time in microseconds (6), digest (4).
constexpr uint8_t kAudioMagic = 0xa7;
constexpr std::size_t kAudioIdentity = 16;
constexpr uint64_t kMicrosMask48 = (uint64_t{1} << 48) - 1;

constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio

constexpr uint64_t Mix(uint64_t value) {
  value ^= value >> 32;
  value *= kMultiplier;
  return value ^ value >> 29;
}

// Filling comes from one page of arbitrary bytes, begun at a place that depends on the frame.
constexpr std::size_t kPage = 4096;
constexpr std::array<uint8_t, kPage> MakePage() {
  std::array<uint8_t, kPage> page{};
  uint64_t state = 1;
  for (auto& byte : page) {
    state = Mix(state + kMultiplier);
    byte = static_cast<uint8_t>(state >> 56);
  }
  return page;
}
constexpr std::array<uint8_t, kPage> kFillingPage = MakePage();

void Fill(std::span<uint8_t> out, uint32_t number) {
  std::size_t at = Mix(number + 1) % kPage;
  std::size_t done = 0;
  while (done < out.size()) {
    const std::size_t part = std::min(out.size() - done, kPage - at);
    std::memcpy(out.data() + done, kFillingPage.data() + at, part);
    done += part;
    at = 0;
  }
}

// A 64-bit digest in four lanes of multiply and rotate, eight bytes at a time: not for security,
// but a changed, missing or moved byte shows. Words are read big-endian, so that it is the same on
// every machine.
uint64_t ContentDigest(ByteView bytes, uint64_t seed) {
  std::array<uint64_t, 4> lanes = {seed, seed + 1, seed + 2, seed + 3};
  const uint8_t* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 32; left -= 32, p += 32) {
    for (std::size_t i = 0; i < 4; ++i) {
      const uint64_t mixed = (lanes[i] ^ LoadU64(p + 8 * i)) * kMultiplier;
      lanes[i] = mixed << 31 | mixed >> 33;
    }
  }
  uint64_t digest = bytes.size();
  for (const uint64_t lane : lanes) digest = Mix(digest ^ lane);
  for (; left > 0; --left, ++p) digest = Mix(digest ^ *p);
  return digest;
}

uint64_t VideoSeed(uint32_t number, uint64_t captured_us) {
  return Mix(captured_us + kMultiplier) + number;
}

}  // namespace

void WriteVideoFrame(std::span<uint8_t> out, bool key_frame, int width, int height, uint32_t number,
                     Timestamp captured) {
  const std::size_t header = key_frame ? kKeyFrameHeader : kFrameTag;
  CHECK(out.size() >= header + kVideoIdentity);
  rtp::Vp8FrameHeader fields;
  fields.keyframe = key_frame;
  fields.show_frame = true;
  // All that follows, or as much as 19 bits hold.
  fields.first_partition_size =
      static_cast<uint32_t>(std::min<std::size_t>(out.size() - header, (1u << 19) - 1));
  fields.width = static_cast<uint16_t>(width);
  fields.height = static_cast<uint16_t>(height);
  Bytes written;
  written.reserve(kKeyFrameHeader);
  rtp::WriteVp8FrameHeader(fields, written);
  std::copy(written.begin(), written.end(), out.begin());
  uint8_t* identity = out.data() + header;
  const auto captured_us = static_cast<uint64_t>(captured.micros());
  std::copy(kVideoMagic.begin(), kVideoMagic.end(), identity);
  StoreU32(identity + 4, number);
  StoreU64(identity + 8, captured_us);
  const auto filling = out.subspan(header + kVideoIdentity);
  Fill(filling, number);
  StoreU64(identity + 16, ContentDigest(filling, VideoSeed(number, captured_us)));
}

FrameIdentity ReadVideoFrame(ByteView frame) {
  FrameIdentity result;
  if (frame.empty()) return result;
  const std::size_t header = (frame[0] & 1) == 0 ? kKeyFrameHeader : kFrameTag;
  if (frame.size() < header + kVideoIdentity) return result;
  const uint8_t* identity = frame.data() + header;
  if (!std::equal(kVideoMagic.begin(), kVideoMagic.end(), identity)) return result;
  result.number = LoadU32(identity + 4);
  const uint64_t captured_us = LoadU64(identity + 8);
  result.captured =
      Timestamp::Zero() + TimeDelta::Micros(static_cast<int64_t>(captured_us & kMicrosMask48));
  const uint64_t digest =
      ContentDigest(frame.subspan(header + kVideoIdentity), VideoSeed(result.number, captured_us));
  result.check = digest == LoadU64(identity + 16) ? ContentCheck::kIntact : ContentCheck::kCorrupt;
  return result;
}

void WriteAudioFrame(std::span<uint8_t> out, TimeDelta duration, bool pause, bool stereo,
                     uint32_t number, Timestamp captured) {
  CHECK(out.size() >= 2);
  // RFC 6716 table 2: 30 and 31 are fullband CELT of 10 and 20 ms, 8 to 11 wideband SILK of 10 to
  // 60 ms.
  const bool speech_coding = pause || duration > TimeDelta::Millis(20);
  const int length = duration <= TimeDelta::Millis(10)   ? 0
                     : duration <= TimeDelta::Millis(20) ? 1
                     : duration <= TimeDelta::Millis(40) ? 2
                                                         : 3;
  rtp::OpusToc toc;
  toc.config = static_cast<uint8_t>((speech_coding ? 8 : 30) + length);
  toc.stereo = stereo;
  out[0] = toc.Encode();
  if (out.size() < kAudioIdentity) {
    Fill(out.subspan(1), number);
    // Not to be taken for an identity that was cut.
    if (out[1] == kAudioMagic) out[1] = 0;
    return;
  }
  const uint64_t captured_us = static_cast<uint64_t>(captured.micros()) & kMicrosMask48;
  out[1] = kAudioMagic;
  StoreU32(&out[2], number);
  StoreU16(&out[6], static_cast<uint16_t>(captured_us >> 32));
  StoreU32(&out[8], static_cast<uint32_t>(captured_us));
  const auto filling = out.subspan(kAudioIdentity);
  Fill(filling, number);
  StoreU32(&out[12],
           static_cast<uint32_t>(ContentDigest(filling, VideoSeed(number, captured_us)) >> 32));
}

FrameIdentity ReadAudioFrame(ByteView packet) {
  FrameIdentity result;
  if (packet.size() < kAudioIdentity || packet[1] != kAudioMagic) return result;
  result.number = LoadU32(&packet[2]);
  const uint64_t captured_us = uint64_t{LoadU16(&packet[6])} << 32 | LoadU32(&packet[8]);
  result.captured = Timestamp::Zero() + TimeDelta::Micros(static_cast<int64_t>(captured_us));
  const uint64_t digest =
      ContentDigest(packet.subspan(kAudioIdentity), VideoSeed(result.number, captured_us));
  result.check = static_cast<uint32_t>(digest >> 32) == LoadU32(&packet[12])
                     ? ContentCheck::kIntact
                     : ContentCheck::kCorrupt;
  return result;
}

bool IsComfortNoise(ByteView packet) {
  if (packet.size() <= 2) return true;
  return packet.size() <= kAudioIdentity &&
         rtp::OpusToc::Decode(packet[0]).mode() == rtp::OpusMode::kSilk;
}

}  // namespace rtclab::media
