// Any bytes as a DCEP message; what is accepted must survive a round trip.
#include <cstddef>
#include <cstdint>
#include <variant>

#include "stack/base/check.h"
#include "stack/datachannel/dcep.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  namespace dc = rtclab::datachannel;
  const auto message = dc::ParseDcep({data, size});
  if (!message) return 0;
  const rtclab::Bytes built = std::visit([](const auto& m) { return dc::BuildDcep(m); }, *message);
  const auto again = dc::ParseDcep(built);
  CHECK(again && *again == *message);
  return 0;
}
