// results.json: writing the model as JSON and reading it back. The names are fixed, see results.schema.json.
//
// One line a run, in order of expansion, so that `diff`, `grep` and a journal work on it. Times are milliseconds rounded
// to 3 decimals: the same bytes from every build.
#ifndef RTCLAB_RESULTS_JSON_H_
#define RTCLAB_RESULTS_JSON_H_

#include <string>
#include <string_view>

#include "results/model.h"
#include "stack/base/error.h"

namespace rtclab::results {

std::string_view ToString(Verdict verdict);  // pass, fail, error

struct Counts {
  int runs = 0, passed = 0, failed = 0, errors = 0;

  void Add(Verdict verdict);
  bool operator==(const Counts&) const = default;
};
Counts Count(const Suite& suite);

// Milliseconds rounded to 3 decimals, half away from zero. Minus zero becomes zero; what is not finite becomes null.
Json Millis(double value);

Json ToJson(const Run& run);
// One line without a line break; text that is not UTF-8 is replaced by U+FFFD.
std::string ToLine(const Run& run);

// results.json is Head(...) + lines joined by ",\n" + Tail(). Head and Tail are apart so that a suite of any size can
// be written without holding it in memory.
std::string Head(const Suite& suite_without_runs, const Counts& counts);
std::string_view LineSeparator();
std::string_view Tail();
std::string ToText(const Suite& suite);

// Reads what ToText or ToLine wrote. Strict about types, required keys and value sets; unknown keys are ignored, since a
// later version may add some (in a session they are kept in `extra`). The error names the JSON pointer, what was
// expected and what was found.
Result<Suite> ParseSuite(std::string_view text);
Result<Run> ParseRun(std::string_view line);

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_JSON_H_
