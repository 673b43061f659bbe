// Any bytes as a datagram, as a stream and as every attribute's value: lines, each one line of printable text.
#include <cstddef>
#include <cstdint>

#include "conformance/report/describe.h"
#include "conformance/report/describe_attribute.h"

namespace {

void CheckLines(const rtclab::conformance::Lines& lines) {
  if (lines.empty()) __builtin_trap();
  for (const std::string& line : lines) {
    for (const char c : line) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) __builtin_trap();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rtclab;
  using namespace rtclab::conformance;
  const ByteView bytes(data, size);
  CheckLines(DescribeDatagram(bytes));
  if (size > 0) CheckLines(DescribeStream(bytes));
  for (const stun::AttributeInfo& info : stun::AttributeRegistry()) {
    CheckLines({DescribeValue(info.type, bytes, {})});
  }
  return 0;
}
