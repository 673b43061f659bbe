#include "conformance/report/sections.h"

#include <algorithm>
#include <map>
#include <utility>

#include "conformance/report/report.h"

namespace rtclab::conformance {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The part of a section number before the next dot, which is taken off.
std::string_view NextPart(std::string_view& section) {
  const std::size_t dot = std::min(section.find('.'), section.size());
  const std::string_view part = section.substr(0, dot);
  section.remove_prefix(std::min(dot + 1, section.size()));
  return part;
}

struct SectionOrder {
  using Key = std::pair<std::string_view, std::string_view>;
  bool operator()(const Key& a, const Key& b) const {
    const bool a_rfc = IsRfc(a.first), b_rfc = IsRfc(b.first);
    if (a_rfc != b_rfc) return a_rfc;
    if (a.first != b.first) return a_rfc ? SectionLess(a.first, b.first) : a.first < b.first;
    return SectionLess(a.second, b.second);
  }
};

const Clause& FirstClause(const CaseResult& result) {
  static const Clause kNone{};
  const bool none = result.test_case == nullptr || result.test_case->clauses.empty();
  return none ? kNone : result.test_case->clauses.front();
}

}  // namespace

bool IsRfc(std::string_view source) {
  return !source.empty() && std::all_of(source.begin(), source.end(), IsDigit);
}

bool IsAppendix(std::string_view section) { return !section.empty() && !IsDigit(section[0]); }

std::string SourceName(std::string_view source) {
  return (IsRfc(source) ? "RFC " : "") + std::string(source);
}

bool SectionLess(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const std::string_view x = NextPart(a), y = NextPart(b);
    if (x == y) continue;
    if (!IsRfc(x) || !IsRfc(y)) return x < y;  // digits come before letters
    return x.size() != y.size() ? x.size() < y.size() : x < y;
  }
  return a.empty() && !b.empty();
}

std::vector<SectionResults> BySection(const RunReport& report) {
  std::map<SectionOrder::Key, SectionResults, SectionOrder> sections;
  for (const CaseResult& result : report.results) {
    const Clause& clause = FirstClause(result);
    SectionResults& section = sections[{clause.rfc, clause.section}];
    section.rfc = clause.rfc;
    section.section = clause.section;
    section.results.push_back(&result);
  }
  std::vector<SectionResults> out;
  out.reserve(sections.size());
  for (auto& [key, section] : sections) out.push_back(std::move(section));
  return out;
}

std::vector<const CaseResult*> WithOutcome(const RunReport& report, Outcome outcome) {
  std::vector<const CaseResult*> out;
  for (const CaseResult& result : report.results) {
    if (result.verdict.outcome == outcome) out.push_back(&result);
  }
  return out;
}

Counts CountOf(const std::vector<const CaseResult*>& results) {
  RunReport part;
  for (const CaseResult* result : results) {
    part.results.push_back({.test_case = result->test_case,
                            .verdict = {.outcome = result->verdict.outcome},
                            .expectation = result->expectation,
                            .flaky = result->flaky});
  }
  return Count(part);
}

bool HasEvidence(const CaseResult& result) {
  switch (result.verdict.outcome) {
    case Outcome::kFail:
    case Outcome::kWeak:
    case Outcome::kBlocked:
    case Outcome::kError:
      return true;
    case Outcome::kPass:
    case Outcome::kInfo:
    case Outcome::kUnsupported:
    case Outcome::kSkipped:
      break;
  }
  return result.flaky;
}

std::string ClauseName(const Clause& clause) {
  std::string name = SourceName(clause.rfc);
  if (clause.section.empty()) return name;
  return name + (IsAppendix(clause.section) ? " appendix " : " section ") +
         std::string(clause.section);
}

}  // namespace rtclab::conformance
