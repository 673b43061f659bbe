// The results of a run in the order of a reader who holds the RFCs: by RFC, by section, policies last.
#ifndef RTCLAB_CONFORMANCE_REPORT_SECTIONS_H_
#define RTCLAB_CONFORMANCE_REPORT_SECTIONS_H_

#include <string>
#include <string_view>
#include <vector>

#include "conformance/engine/run_report.h"

namespace rtclab::conformance {

// Whether `source` (Clause::rfc) is the number of an RFC.
bool IsRfc(std::string_view source);
// "B.1" is of an appendix, "7.2" is not.
bool IsAppendix(std::string_view section);
// "RFC 8656"; the source of a policy as it is.
std::string SourceName(std::string_view source);

// Numbers as numbers: "9.2" before "9.10", "18" before "B.1".
bool SectionLess(std::string_view a, std::string_view b);

struct SectionResults {
  std::string_view rfc, section;           // of the cases' first clauses
  std::vector<const CaseResult*> results;  // in the catalogue's order
};
std::vector<SectionResults> BySection(const RunReport& report);

// The results with one of these verdicts, in the catalogue's order.
std::vector<const CaseResult*> WithOutcome(const RunReport& report, Outcome outcome);

Counts CountOf(const std::vector<const CaseResult*>& results);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_REPORT_SECTIONS_H_
