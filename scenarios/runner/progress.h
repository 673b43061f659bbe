// How far a suite is: a bar that redraws itself on a terminal, plain lines elsewhere.
#ifndef RTCLAB_SCENARIOS_RUNNER_PROGRESS_H_
#define RTCLAB_SCENARIOS_RUNNER_PROGRESS_H_

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

#include "results/json.h"
#include "results/report/terminal.h"

namespace rtclab::scenarios {

// The bar as one line of at most `width` columns: what is done, verdicts, seconds left (negative: not known yet).
std::string ProgressBar(const results::Counts& counts, std::size_t total, double seconds_left,
                        std::size_t width);

// Writes to `file`. Between construction and Finish() nothing else may write to a terminal that `file` is.
class Progress {
 public:
  // `counts` has what an earlier start of the suite did already. `quiet`: say nothing at all. Lines come at most one
  // every `pace`, so that a suite of a second says nothing but its summary.
  Progress(std::FILE* file, const results::Terminal& terminal, std::size_t total,
           const results::Counts& counts, bool quiet,
           std::chrono::milliseconds pace = std::chrono::seconds(1));

  // A run ended. In a suite that takes long, one that did not pass gets a line of its own at once.
  void RunEnded(results::Verdict verdict, std::string_view id);
  // Redraws where something changed and the last time is long enough ago.
  void Tick();
  // Takes the bar away.
  void Finish();

 private:
  using Clock = std::chrono::steady_clock;
  void Draw();

  std::FILE* file_;
  results::Terminal terminal_;
  std::size_t total_;
  results::Counts counts_;
  bool quiet_;
  std::chrono::milliseconds pace_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_ = start_;
  Clock::time_point line_ = start_;
  int done_before_;
  int tenths_;
  int named_ = 0;
  bool dirty_ = true;
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_RUNNER_PROGRESS_H_
