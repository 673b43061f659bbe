// The first byte says in what pieces the rest arrives. The frames must not depend on the pieces.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "stack/stun/stream_framer.h"

namespace {

std::vector<rtclab::Bytes> Frames(rtclab::ByteView stream, std::size_t chunk, bool& failed) {
  rtclab::stun::StreamFramer framer;
  std::vector<rtclab::Bytes> out;
  for (std::size_t at = 0; at < stream.size(); at += chunk) {
    framer.Push(stream.subspan(at, std::min(chunk, stream.size() - at)));
    for (;;) {
      const auto frame = framer.Next();
      failed = !frame;
      if (!frame || !*frame) break;
      out.emplace_back((*frame)->bytes.begin(), (*frame)->bytes.end());
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const rtclab::ByteView stream(data + 1, size - 1);
  bool failed_in_pieces = false;
  bool failed_whole = false;
  const auto pieces = Frames(stream, 1 + data[0] % 64u, failed_in_pieces);
  const auto whole = Frames(stream, stream.size(), failed_whole);
  if (pieces != whole || failed_in_pieces != failed_whole) __builtin_trap();
  return 0;
}
