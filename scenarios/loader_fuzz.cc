// Whatever the bytes: a suite or diagnostics, never an exception, and in bearable time.
#include <cstddef>
#include <cstdint>

#include "scenarios/loader.h"
#include "stack/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  rtclab::scenarios::LoadOptions options;
  options.max_runs = 100;
  const auto result =
      rtclab::scenarios::LoadText({reinterpret_cast<const char*>(data), size}, "f.json", options);
  CHECK(result.ok() == !result.runs.empty());
  for (const auto& diagnostic : result.diagnostics) {
    CHECK(diagnostic.ToString().find('\n') == std::string::npos);
  }
  return 0;
}
