// What the RFCs ask of a server, as a list: each is covered by a case (of the same id, or one that names it in `covers`) or is not,
// for a stated reason. The table in conformance/cases/README.md is made from this list and the catalogue.
#ifndef RTCLAB_CONFORMANCE_CASES_REQUIREMENTS_H_
#define RTCLAB_CONFORMANCE_CASES_REQUIREMENTS_H_

#include <span>
#include <string_view>

namespace rtclab::conformance {

struct Requirement {
  std::string_view id;       // "turn.alloc.token-even"
  std::string_view rfc;      // "8656", or "policy"
  std::string_view section;  // "7.2"
  std::string_view title;
  std::string_view not_covered{};  // why no case covers it; empty: one does
};

std::span<const Requirement> Requirements();

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_CASES_REQUIREMENTS_H_
