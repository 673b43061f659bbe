// How far `rtclab conform` is: a bar that redraws itself on a terminal, plain lines elsewhere.
#ifndef RTCLAB_CLI_CONFORM_PROGRESS_H_
#define RTCLAB_CLI_CONFORM_PROGRESS_H_

#include <chrono>
#include <cstdio>

#include "conformance/engine/run_report.h"
#include "results/report/terminal.h"

namespace rtclab::cli {

class ConformProgress {
 public:
  ConformProgress(std::FILE* file, const results::Terminal& terminal, bool quiet)
      : file_(file), terminal_(terminal), quiet_(quiet) {}

  // Shown before the first case ends.
  void Begin(std::string_view what);
  // A case ended: the `done`th of `total`. One that failed unexpectedly gets a line of its own.
  void CaseEnded(int done, int total, const conformance::CaseResult& last);
  // Takes the bar away.
  void Finish();

 private:
  using Clock = std::chrono::steady_clock;

  std::FILE* file_;
  results::Terminal terminal_;
  bool quiet_;
  int failed_ = 0, errors_ = 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_{};
  Clock::time_point line_ = start_;
};

}  // namespace rtclab::cli

#endif  // RTCLAB_CLI_CONFORM_PROGRESS_H_
