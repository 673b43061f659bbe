// The header extensions that WebRTC uses: their URIs, which identifier stands for which in a session,
// and what their values mean.
#ifndef RTCLAB_STACK_RTP_HEADER_EXTENSIONS_H_
#define RTCLAB_STACK_RTP_HEADER_EXTENSIONS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "stack/base/bytes.h"
#include "stack/base/units.h"

namespace rtclab::rtp {

enum class ExtensionType : uint8_t {
  kAbsSendTime,          // 3 bytes; webrtc.org/experiments/rtp-hdrext/abs-send-time
  kTransportSequence,    // 2 bytes; draft-holmer-rmcat-transport-wide-cc-extensions-01
  kMid,                  // text; RFC 9143 section 15
  kRtpStreamId,          // text; RFC 8852
  kRepairedRtpStreamId,  // text; RFC 8852
  kAudioLevel,           // 1 byte; RFC 6464
};
inline constexpr std::size_t kExtensionTypeCount = 6;

std::string_view ExtensionUri(ExtensionType type);
std::optional<ExtensionType> ExtensionFromUri(std::string_view uri);

// Which identifier (a=extmap) stands for which extension. Lookups cost an array access.
class ExtensionMap {
 public:
  // False, and nothing changed, for identifier 0 or 15 (RFC 8285 section 4.2 and 5) or one that
  // already stands for another extension. A later identifier for the same extension replaces the
  // earlier one.
  bool Register(ExtensionType type, uint8_t id);
  // 0: not negotiated.
  uint8_t Id(ExtensionType type) const { return ids_[static_cast<std::size_t>(type)]; }
  bool Has(ExtensionType type) const { return Id(type) != 0; }
  std::optional<ExtensionType> Type(uint8_t id) const;

 private:
  std::array<uint8_t, kExtensionTypeCount> ids_{};
};

// abs-send-time: seconds modulo 64 as 6.18 fixed point, 24 bits. `value` has at least 3 bytes.
uint32_t ToAbsSendTime(Timestamp time);
void StoreAbsSendTime(std::span<uint8_t> value, Timestamp time);
// The 24 bits, or nullopt when `value` does not have 3 bytes.
std::optional<uint32_t> ReadAbsSendTime(ByteView value);
// How much later `to` is than `from`, taking the shorter way round the 64 seconds.
TimeDelta AbsSendTimeDelta(uint32_t from, uint32_t to);

// Transport-wide sequence number. Version 2 of the extension appends a feedback request of 2 bytes,
// which is ignored. `value` has at least 2 bytes when storing.
void StoreTransportSequence(std::span<uint8_t> value, uint16_t sequence);
std::optional<uint16_t> ReadTransportSequence(ByteView value);

// RFC 6464 section 3.
struct AudioLevel {
  bool voice = false;        // "V": the packet contains speech
  uint8_t level_dbov = 127;  // -dBov: 0 is the loudest, 127 silence

  bool operator==(const AudioLevel&) const = default;
};
uint8_t EncodeAudioLevel(AudioLevel level);
std::optional<AudioLevel> ReadAudioLevel(ByteView value);

// Mid, rid and repaired rid: the text, or nullopt when it is empty or has a control character. It
// refers to `value`.
std::optional<std::string_view> ReadTextExtension(ByteView value);

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_HEADER_EXTENSIONS_H_
