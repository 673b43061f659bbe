// Feeds a session with packets to unprotect and to protect: the first byte chooses the function, whether extensions are encrypted and the profile, the rest is the
// packet. Bit 3 has it protected first, and the packet's own bytes laid over the result, so that some pass.
#include <cstddef>
#include <cstdint>

#include "stack/base/check.h"
#include "stack/srtp/session.h"

namespace rtclab::srtp {
namespace {

Session MakeFuzzSession(uint8_t choice, Direction direction) {
  const uint16_t profile = (choice >> 4) % 3 == 0 ? 1 : (choice >> 4) % 3 == 1 ? 7 : 8;
  SessionOptions options;
  if ((choice & 4) != 0) options.encrypted_extensions = {1, 3};
  auto session = Session::Create(profile, Bytes(profile == 8 ? 32 : 16, 1),
                                 Bytes(profile == 1 ? 14 : 12, 2), direction, options);
  CHECK(session.has_value());
  return std::move(*session);
}

void FuzzOne(uint8_t choice, ByteView input) {
  Session sender = MakeFuzzSession(choice, Direction::kSend);
  Session receiver = MakeFuzzSession(choice, Direction::kReceive);
  const bool rtcp = (choice & 1) != 0;
  Bytes packet(input.begin(), input.end());
  if ((choice & 8) != 0) {
    const auto done = rtcp ? sender.ProtectRtcp(packet) : sender.Protect(packet);
    if (!done) return;
    const Bytes sealed = packet;
    const auto opened = rtcp ? receiver.UnprotectRtcp(packet) : receiver.Unprotect(packet);
    CHECK(opened.has_value() &&
          std::equal(packet.begin(), packet.end(), input.begin(), input.end()));
    packet = sealed;
    if (!input.empty()) packet[input[0] % packet.size()] ^= input.back();
  }
  (void)(rtcp ? receiver.UnprotectRtcp(packet) : receiver.Unprotect(packet));
}

}  // namespace
}  // namespace rtclab::srtp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size > 0) rtclab::srtp::FuzzOne(data[0], {data + 1, size - 1});
  return 0;
}
