// Any bytes as a stream of frames: each that is taken is written again to the same bytes, and what is taken makes the buffer shorter.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "conformance/engine/echo_frame.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rtclab;
  using namespace rtclab::conformance;
  Bytes buffer(data, data + size);
  std::size_t taken = 0;
  for (;;) {
    const auto frame = TakeEchoFrame(buffer);
    if (!frame || !*frame) break;
    const Bytes again = EncodeEchoFrame((*frame)->address, (*frame)->datagram);
    if (again.size() + buffer.size() + taken != size) __builtin_trap();
    if (!std::equal(again.begin(), again.end(), data + taken)) __builtin_trap();
    taken += again.size();
  }
  return 0;
}
