// Opus in RTP (RFC 7587): what a packet's table of contents says (RFC 6716 section 3), and the format
// parameters of SDP.
#ifndef RTCLAB_STACK_RTP_OPUS_H_
#define RTCLAB_STACK_RTP_OPUS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/base/units.h"

namespace rtclab::rtp {

inline constexpr int kOpusClockRate = 48'000;  // always (RFC 7587 section 4.1)

enum class OpusMode : uint8_t { kSilk, kHybrid, kCelt };
enum class OpusBandwidth : uint8_t { kNarrow, kMedium, kWide, kSuperWide, kFull };

// RFC 6716 section 3.1:  0 1 2 3 4 | 5 | 6 7
//                         config   | s |  c
struct OpusToc {
  uint8_t config = 0;  // 0 to 31
  bool stereo = false;
  uint8_t code = 0;  // 0: one frame, 1: two of one size, 2: two, 3: any number

  OpusMode mode() const;
  OpusBandwidth bandwidth() const;
  TimeDelta frame_duration() const;  // 2.5 to 60 ms
  uint8_t Encode() const { return static_cast<uint8_t>(config << 3 | (stereo ? 4 : 0) | code); }
  static OpusToc Decode(uint8_t byte) {
    return {static_cast<uint8_t>(byte >> 3), (byte & 4) != 0, static_cast<uint8_t>(byte & 3)};
  }

  bool operator==(const OpusToc&) const = default;
};

struct OpusPacket {
  OpusToc toc;
  std::size_t frame_count = 0;  // 1 to 48
  std::size_t padding = 0;      // bytes of Opus padding (code 3)
  // Frames of at most one byte carry nothing: DTX (RFC 6716 section 2.1.9 and 3.2.1).
  bool dtx = false;

  TimeDelta duration() const { return toc.frame_duration() * static_cast<int64_t>(frame_count); }
  // In RTP timestamp units.
  uint32_t samples() const;
};

// Checks all of RFC 6716 section 3.4: R1 (not empty), R2 to R7 (sizes that fit, frames of at most 1275
// bytes, at most 120 ms).
Result<OpusPacket> ParseOpusPacket(ByteView payload);

// RFC 7587 section 6.1. What is absent from the fmtp line has the default.
struct OpusParameters {
  int max_playback_rate = 48'000;
  int sprop_max_capture_rate = 48'000;
  int max_ptime_ms = 120;
  int ptime_ms = 20;
  std::optional<int> max_average_bitrate;  // 6000 to 510000 bit/s
  bool stereo = false;
  bool sprop_stereo = false;
  bool cbr = false;
  bool use_inband_fec = false;
  bool use_dtx = false;

  bool operator==(const OpusParameters&) const = default;
};

// Reads "name=value;name=value". Unknown names are skipped (section 6.1 asks for it); errors: a value
// that is no number or out of its range. Error.offset is into `fmtp`.
Result<OpusParameters> ParseOpusParameters(std::string_view fmtp);
// Only what differs from the defaults, without ptime and maxptime, which are attributes of their own.
std::string FormatOpusParameters(const OpusParameters& parameters);

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_OPUS_H_
