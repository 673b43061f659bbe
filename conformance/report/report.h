// A run of the catalogue as JSON, JUnit XML, a self-contained HTML page, captures and text. Nothing here ever writes a password or a key:
// the writers don't read them, whatever the report holds.
#ifndef RTCLAB_CONFORMANCE_REPORT_REPORT_H_
#define RTCLAB_CONFORMANCE_REPORT_REPORT_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/engine/case.h"
#include "conformance/engine/run_report.h"
#include "stack/base/error.h"

namespace rtclab::conformance {

// The documents as text.
std::string ToJson(const RunReport& report);   // conformance.schema.json
std::string ToJunit(const RunReport& report);  // JUnit XML: one <testcase> a case
std::string ToHtml(const RunReport& report);   // one page without scripts or external assets

// The same into a file, which appears whole or not at all (a pipe or a device is written to directly). Errors name the file.
Result<void> WriteJson(const RunReport& report, const std::filesystem::path& path);
Result<void> WriteJunit(const RunReport& report, const std::filesystem::path& path);
Result<void> WriteHtml(const RunReport& report, const std::filesystem::path& path);

// A pcapng file "<case id>.pcapng" in `directory` (made if it is missing) for every case that HasEvidence() and exchanged something. IP,
// UDP and TCP headers are synthesised around the bytes above them; what TLS and DTLS protect is there in clear, and the server's port is
// then 3478, so that Wireshark reads it as STUN: the packet's comment says where it went. Time zero is the begin of the run.
Result<void> WriteFailureCaptures(const RunReport& report, const std::filesystem::path& directory);
// Makes `directory` and sees that files can be made in it, which is better known before a run.
Result<void> CheckCaptureDirectory(const std::filesystem::path& directory);

// What a person sees at the end: warnings, failures with expected, actual and clause, unexpected passes, flaky and weak cases, counts by
// section. At most 100 columns; `colour`: with escape codes.
std::string Summary(const RunReport& report, bool colour);

// Of --list: a line a case: id, level, clause, marks (slow, safety, edition), title.
std::string ListCases(const std::vector<const Case*>& cases);

// The published JSON Schema of ToJson(), as text.
std::string_view ConformanceSchema();

// Whether the verdict asks for the bytes that led to it: fail, weak, blocked, error, and every flaky case.
bool HasEvidence(const CaseResult& result);

// "RFC 8656 section 7.2"; for a policy its source.
std::string ClauseName(const Clause& clause);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_REPORT_REPORT_H_
