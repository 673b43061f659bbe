// Which requirement is covered by which case, as the table in conformance/cases/README.md.
#ifndef RTCLAB_CONFORMANCE_CASES_COVERAGE_H_
#define RTCLAB_CONFORMANCE_CASES_COVERAGE_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/cases/requirements.h"
#include "conformance/engine/case.h"

namespace rtclab::conformance {

// The cases that cover `requirement`: of the same id, or naming it in `covers`.
std::vector<const Case*> CoveringCases(const CaseList& cases, std::string_view requirement);

// Markdown: a summary by RFC, then a table an RFC: requirement, section, cases or why there is none. Cases that are no requirement's
// stand at the end.
std::string CoverageTable(const CaseList& cases, std::span<const Requirement> requirements);

// `document` with what stands between the two marks of the table replaced by `table`; empty when it has no marks.
std::string ReplaceCoverage(std::string_view document, std::string_view table);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_CASES_COVERAGE_H_
