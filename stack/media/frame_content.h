// The bytes of a simulated frame: a real codec's header, so that any depacketiser takes it, then
// who the frame is (number, capture time, digest), then filling that depends on the number. A
// receiver checks that what it put together is what was sent.
#ifndef RTCLAB_STACK_MEDIA_FRAME_CONTENT_H_
#define RTCLAB_STACK_MEDIA_FRAME_CONTENT_H_

#include <cstdint>
#include <optional>
#include <span>

#include "stack/base/bytes.h"
#include "stack/base/units.h"

namespace rtclab::media {

enum class ContentCheck : uint8_t {
  kIntact,      // as it was made
  kCorrupt,     // carries an identity, but not the bytes that go with it
  kUnverified,  // carries none: not made by this code, or too short
};

struct FrameIdentity {
  ContentCheck check = ContentCheck::kUnverified;
  uint32_t number = 0;  // valid unless kUnverified, as are the others
  Timestamp captured;   // to the microsecond
};

// A VP8 frame (RFC 6386 section 9.1: frame tag, for key frames the start code and the picture's
// size), its identity and filling. `out` is the whole frame, at least 48 bytes; width and height
// are below 16384.
void WriteVideoFrame(std::span<uint8_t> out, bool key_frame, int width, int height, uint32_t number,
                     Timestamp captured);
FrameIdentity ReadVideoFrame(ByteView frame);

// An Opus packet of one frame (RFC 6716 section 3.1, code 0) of fullband CELT with the `duration`
// (10 or 20 ms; longer ones and `pause`, a frame of
// discontinuous transmission, are SILK at wideband), its identity and filling. `out` is the whole
// packet, at least 2 bytes; below 16 it has no identity.
void WriteAudioFrame(std::span<uint8_t> out, TimeDelta duration, bool pause, bool stereo,
                     uint32_t number, Timestamp captured);
FrameIdentity ReadAudioFrame(ByteView packet);
// Whether silence follows this packet: a frame without content (RFC 6716 section 2.1.9), or a short
// one of speech coding, which is how the pause's refreshes look here and in libopus.
bool IsComfortNoise(ByteView packet);

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_FRAME_CONTENT_H_
