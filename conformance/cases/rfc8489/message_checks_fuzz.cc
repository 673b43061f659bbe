// Any bytes into the lenient reader, every check, and the readers of TLS and DTLS hellos.
#include <cstddef>
#include <cstdint>

#include "conformance/cases/rfc8489/client_hello.h"
#include "conformance/cases/rfc8489/message_checks.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rtclab;
  using namespace rtclab::conformance;
  const ByteView bytes(data, size);
  ReadTlsAnswer(bytes);
  ReadDtlsAnswer(bytes);
  const auto message = ReadLeniently(bytes);
  if (!message) return 0;
  for (const MessageCheck check :
       {LengthFault, PaddingFault, ErrorCodeMissing, ErrorClassFault, ErrorReservedFault,
        ReasonFault, SoftwareFault, FirstByteFault, FingerprintPlaceFault, FingerprintValueFault,
        UnknownListFault, RealmNonceSizeFault, RealmNonceGrammarFault, AlgorithmsFault}) {
    check(*message, bytes);
  }
  return 0;
}
