// Any bytes as an Opus packet, an Opus fmtp line, a VP8 payload and a VP8 frame header.
#include <cstddef>
#include <cstdint>

#include "stack/rtp/opus.h"
#include "stack/rtp/vp8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rtclab;
  using namespace rtclab::rtp;
  const ByteView bytes(data, size);
  if (const auto opus = ParseOpusPacket(bytes)) {
    if (opus->frame_count == 0 || opus->duration() > TimeDelta::Millis(120)) __builtin_trap();
  }
  if (const auto parameters = ParseOpusParameters(AsString(bytes))) {
    const auto again = ParseOpusParameters(FormatOpusParameters(*parameters));
    if (!again || again->stereo != parameters->stereo) __builtin_trap();
  }
  if (const auto vp8 = ParseVp8Payload(bytes)) {
    Bytes written(Vp8DescriptorSize(vp8->descriptor));
    WriteVp8Descriptor(vp8->descriptor, written.data());
    written.push_back(0);
    const auto again = ParseVp8Payload(written);
    if (!again || again->descriptor != vp8->descriptor) __builtin_trap();
  }
  if (const auto header = ParseVp8FrameHeader(bytes)) {
    Bytes written;
    WriteVp8FrameHeader(*header, written);
    const auto again = ParseVp8FrameHeader(written);
    if (!again || *again != *header) __builtin_trap();
  }
  return 0;
}
