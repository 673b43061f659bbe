#include "cli/conform_progress.h"

#include <fmt/format.h>

#include "scenarios/runner/progress.h"

namespace rtclab::cli {
namespace {

constexpr auto kRedrawEvery = std::chrono::milliseconds(100);
constexpr auto kLineEvery = std::chrono::seconds(5);

}  // namespace

void ConformProgress::Begin(std::string_view what) {
  if (quiet_ || !terminal_.tty) return;
  results::Print(file_, fmt::format("\r{}\x1b[K", results::Printable(what)));
  std::fflush(file_);
}

void ConformProgress::CaseEnded(int done, int total, const conformance::CaseResult& last) {
  using conformance::Outcome;
  const Outcome outcome = last.verdict.outcome;
  const bool expected = last.expectation == conformance::Expectation::kExpectedFail;
  const bool failed = outcome == Outcome::kFail && !expected;
  const bool error = (outcome == Outcome::kBlocked || outcome == Outcome::kError) && !expected;
  failed_ += failed ? 1 : 0;
  errors_ += error ? 1 : 0;
  if (quiet_) return;
  const Clock::time_point now = Clock::now();
  std::string text;
  if (failed || error) {
    text = fmt::format("{:<7} {}\n", ToString(outcome), last.test_case->id);
  }
  if (!terminal_.tty && done < total && now - line_ >= kLineEvery) {
    line_ = now;
    text += fmt::format("{}/{} cases: {} failed, {} blocked or in error\n", done, total, failed_,
                        errors_);
  }
  if (terminal_.tty && (!text.empty() || now - drawn_ >= kRedrawEvery || done == total)) {
    drawn_ = now;
    results::Counts counts;
    counts.runs = done;
    counts.failed = failed_;
    counts.errors = errors_;
    text = "\r\x1b[K" + text +
           scenarios::ProgressBar(counts, static_cast<std::size_t>(total), -1,
                                  static_cast<std::size_t>(terminal_.width));
  }
  if (text.empty()) return;
  results::Print(file_, text);
  std::fflush(file_);
}

void ConformProgress::Finish() {
  if (quiet_ || !terminal_.tty) return;
  results::Print(file_, "\r\x1b[K");
  std::fflush(file_);
}

}  // namespace rtclab::cli
