#include "conformance/load/process_cpu.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace rtclab::conformance {

std::optional<TimeDelta> ProcessCpu(int pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  // The second field is the program's name in parentheses and may hold anything: count from the last one.
  if (!std::getline(file, line) || line.rfind(')') == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  int64_t user = 0, system = 0;  // fields 14 and 15
  if (!(fields >> user >> system)) return std::nullopt;
  const int64_t ticks_per_s = sysconf(_SC_CLK_TCK);
  if (ticks_per_s <= 0) return std::nullopt;
  return TimeDelta::Nanos((user + system) * (1'000'000'000 / ticks_per_s));
}

}  // namespace rtclab::conformance
