// Any bytes into the message parser and every getter; what parses is also verified.
#include <cstddef>
#include <cstdint>

#include "stack/stun/demux.h"
#include "stack/stun/message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rtclab;
  using namespace rtclab::stun;
  const ByteView bytes(data, size);
  Classify(bytes);
  const auto view = MessageView::ParseClassic(bytes);
  if (MessageView::Parse(bytes) && !view) __builtin_trap();
  if (!view) return 0;
  static const IntegrityKey key = IntegrityKey::ShortTerm("VOkJxbRl1RmTxUk/WvJxBt");
  view->VerifyIntegrity(key);
  view->VerifyIntegritySha256(key, 16);
  view->VerifyFingerprint();
  view->UnknownRequired({});
  for (const AttributeInfo& info : AttributeRegistry()) {
    view->GetAddress(info.type);
    view->GetXorAddress(info.type);
    view->GetAddresses(info.type);
    view->GetXorAddresses(info.type);
    view->GetU32(info.type);
    view->GetU64(info.type);
    view->GetString(info.type);
  }
  view->GetErrorCode();
  view->GetChangeRequest();
  view->GetUnknownAttributes();
  view->GetPasswordAlgorithm();
  view->GetPasswordAlgorithms();
  return 0;
}
