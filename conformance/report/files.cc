// The documents of report.h into files.
#include "conformance/report/report.h"
#include "results/whole_file.h"

namespace rtclab::conformance {

Result<void> WriteJson(const RunReport& report, const std::filesystem::path& path) {
  return results::WriteOutput(path, ToJson(report));
}

Result<void> WriteJunit(const RunReport& report, const std::filesystem::path& path) {
  return results::WriteOutput(path, ToJunit(report));
}

Result<void> WriteHtml(const RunReport& report, const std::filesystem::path& path) {
  return results::WriteOutput(path, ToHtml(report));
}

}  // namespace rtclab::conformance
