#include "stack/rtp/header_extensions.h"

#include <algorithm>

namespace rtclab::rtp {
namespace {

constexpr std::array<std::string_view, kExtensionTypeCount> kExtensionUris = {
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    "urn:ietf:params:rtp-hdrext:sdes:mid",
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
};

}  // namespace

std::string_view ExtensionUri(ExtensionType type) {
  return kExtensionUris[static_cast<std::size_t>(type)];
}

std::optional<ExtensionType> ExtensionFromUri(std::string_view uri) {
  const auto it = std::find(kExtensionUris.begin(), kExtensionUris.end(), uri);
  if (it == kExtensionUris.end()) return std::nullopt;
  return static_cast<ExtensionType>(it - kExtensionUris.begin());
}

bool ExtensionMap::Register(ExtensionType type, uint8_t id) {
  if (id == 0 || id == 15) return false;
  const auto other = Type(id);
  if (other && *other != type) return false;
  ids_[static_cast<std::size_t>(type)] = id;
  return true;
}

std::optional<ExtensionType> ExtensionMap::Type(uint8_t id) const {
  if (id == 0) return std::nullopt;
  const auto it = std::find(ids_.begin(), ids_.end(), id);
  if (it == ids_.end()) return std::nullopt;
  return static_cast<ExtensionType>(it - ids_.begin());
}

uint32_t ToAbsSendTime(Timestamp time) {
  constexpr int64_t kPeriodNanos = 64'000'000'000;
  int64_t nanos = time.nanos() % kPeriodNanos;
  if (nanos < 0) nanos += kPeriodNanos;
  // 2^18 steps a second, to the nearest.
  return static_cast<uint32_t>(((nanos << 18) + 500'000'000) / 1'000'000'000) & 0xFFFFFF;
}

void StoreAbsSendTime(std::span<uint8_t> value, Timestamp time) {
  const uint32_t v = ToAbsSendTime(time);
  value[0] = static_cast<uint8_t>(v >> 16);
  StoreU16(value.data() + 1, static_cast<uint16_t>(v));
}

std::optional<uint32_t> ReadAbsSendTime(ByteView value) {
  if (value.size() != 3) return std::nullopt;
  return uint32_t{value[0]} << 16 | LoadU16(value.data() + 1);
}

TimeDelta AbsSendTimeDelta(uint32_t from, uint32_t to) {
  // The 24 bits moved to the top of 32, so that the subtraction wraps where they do.
  const int64_t steps = static_cast<int32_t>((to - from) << 8) / 256;
  return TimeDelta::Nanos(steps * 1'000'000'000 / (1 << 18));
}

void StoreTransportSequence(std::span<uint8_t> value, uint16_t sequence) {
  StoreU16(value.data(), sequence);
}

std::optional<uint16_t> ReadTransportSequence(ByteView value) {
  if (value.size() != 2 && value.size() != 4) return std::nullopt;
  return LoadU16(value.data());
}

uint8_t EncodeAudioLevel(AudioLevel level) {
  return static_cast<uint8_t>((level.voice ? 0x80 : 0) | std::min<uint8_t>(level.level_dbov, 127));
}

std::optional<AudioLevel> ReadAudioLevel(ByteView value) {
  if (value.size() != 1) return std::nullopt;
  return AudioLevel{(value[0] & 0x80) != 0, static_cast<uint8_t>(value[0] & 0x7f)};
}

std::optional<std::string_view> ReadTextExtension(ByteView value) {
  if (value.empty()) return std::nullopt;
  const auto control = [](uint8_t c) { return c < 0x20 || c == 0x7f; };
  if (std::any_of(value.begin(), value.end(), control)) return std::nullopt;
  return AsString(value);
}

}  // namespace rtclab::rtp
