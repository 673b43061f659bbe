// What a node does with a packet that it has read stays inside the packet, whatever is in it.
#include "sim/ip/packet_bytes.h"
#include "sim/ip/reassembly.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace rtclab;
  using namespace rtclab::sim;
  if (size > 65535) return 0;
  const ByteView bytes(data, size);
  const auto view = IpView::Parse(bytes.first(std::min(size, kHeadBytes)), size);
  if (!view) return 0;
  const bool v4 = view->version == 4;
  Bytes copy(bytes.begin(), bytes.end());
  if (view->is_fragment()) {
    Reassembler reassembler;
    reassembler.Add(Timestamp::Zero(), bytes, *view);
    if (const auto whole = reassembler.Add(Timestamp::Zero(), bytes, *view))
      IpView::Parse(*whole, whole->size());
    return 0;
  }
  L4ChecksumOk(bytes, *view);
  ReadIcmpError(bytes, *view);
  MakeEchoReply(bytes, *view);
  MakeIcmpError(v4 ? IpAddress::V4(192, 0, 2, 1) : *IpAddress::Parse("2001:db8::1"), bytes, *view,
                3, 1, 0);
  FlowTuple to = view->tuple;
  std::swap(to.source, to.destination);
  if (view->is_icmp_error()) {
    if (const auto info = DescribePacket(bytes, *view)) {
      FlowTuple embedded = info->icmp_error->tuple;
      if (embedded.source.family() == to.source.family()) {
        std::swap(embedded.source, embedded.destination);
        RewriteIcmpError(copy, *view, to, embedded);
      }
    }
  } else {
    RewriteTuple(std::span(copy).first(std::min(size, kHeadBytes)), *view, to);
  }
  DecrementTtl(copy.data(), *view);
  if (RewriteSpan(*view) > size) __builtin_trap();
  Fragment(bytes, *view, 68 + 60, 7);
  return 0;
}
