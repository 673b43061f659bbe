#include <fmt/format.h>

#include "conformance/engine/runner.h"

namespace rtclab::conformance {
namespace {

// * any text, ? one character.
bool MatchesGlob(std::string_view text, std::string_view glob) {
  std::size_t t = 0, g = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      mark = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

bool Passes(LevelFilter filter, Level level) {
  switch (level) {
    case Level::kMust:
    case Level::kMustNot:
    case Level::kProse:
    case Level::kPolicy:
      return true;
    case Level::kShould:
    case Level::kShouldNot:
    case Level::kRecommended:
      return filter != LevelFilter::kMust;
    case Level::kMay:
    case Level::kInfo:
      return filter == LevelFilter::kAll;
  }
  return true;
}

}  // namespace

std::vector<const Case*> Select(const CaseList& catalogue, const Target& target,
                                const RunOptions& options) {
  std::vector<const Case*> out;
  for (const Case& test_case : catalogue) {
    if (test_case.edition != Edition::kBoth && test_case.edition != target.edition) continue;
    if (test_case.slow && !options.slow) continue;
    if (test_case.safety && !target.safety.enabled) continue;
    if (!test_case.clauses.empty() && !Passes(options.level, test_case.clauses.front().level)) {
      continue;
    }
    bool wanted = options.only.empty();
    for (const std::string& glob : options.only) wanted |= MatchesGlob(test_case.id, glob);
    if (wanted) out.push_back(&test_case);
  }
  return out;
}

}  // namespace rtclab::conformance
