// Whatever arrives, the packet readers stay inside it.
#include "sim/trace/ip_view.h"
#include "sim/trace/tracer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace rtclab;
  using namespace rtclab::sim;
  const ByteView bytes(data, size);
  FindStunTransaction(bytes);
  FindStunTransaction(UdpPayload(bytes));
  const ByteView head = bytes.first(std::min(size, kHeadBytes));
  if (const auto view = IpView::Parse(head, size)) {
    if (view->l4_offset + std::size_t{view->l4_head_size} > head.size()) __builtin_trap();
    if (view->total_length > size) __builtin_trap();
    DescribePacket(bytes.first(view->total_length), *view);
  }
  return 0;
}
