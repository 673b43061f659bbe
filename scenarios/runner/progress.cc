#include "scenarios/runner/progress.h"

#include <fmt/format.h>

#include <algorithm>

namespace rtclab::scenarios {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr int kMaxNamed = 50;  // runs that get a line of their own while the suite runs

std::string Duration(double seconds) {
  const int s = static_cast<int>(std::min(seconds + 0.5, 359'999.0));
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

}  // namespace

std::string ProgressBar(const results::Counts& counts, std::size_t total, double seconds_left,
                        std::size_t width) {
  const auto done = static_cast<std::size_t>(counts.runs);
  std::string text = fmt::format(" {}/{}", done, total);
  if (counts.failed > 0) text += fmt::format("  {} failed", counts.failed);
  if (counts.errors > 0)
    text += fmt::format("  {} error{}", counts.errors, counts.errors == 1 ? "" : "s");
  if (seconds_left >= 0) text += fmt::format("  {} left", Duration(seconds_left));
  // The last column stays empty: some terminals wrap when it is written.
  const std::size_t room = width > text.size() + 1 ? width - text.size() - 1 : 0;
  if (room < 7) return text.substr(0, width > 0 ? width - 1 : 0);
  const std::size_t cells = std::min<std::size_t>(room - 2, 50);
  const std::size_t full = total == 0 ? cells : cells * std::min(done, total) / total;
  return "[" + std::string(full, '#') + std::string(cells - full, '.') + "]" + text;
}

Progress::Progress(std::FILE* file, const results::Terminal& terminal, std::size_t total,
                   const results::Counts& counts, bool quiet, std::chrono::milliseconds pace)
    : file_(file),
      terminal_(terminal),
      total_(total),
      counts_(counts),
      quiet_(quiet),
      pace_(pace),
      done_before_(counts.runs),
      tenths_(total == 0 ? 10
                         : static_cast<int>(static_cast<std::size_t>(counts.runs) * 10 / total)) {
  if (!quiet_ && done_before_ > 0) {
    results::Print(file_, fmt::format("{} of {} runs are done already\n", done_before_, total_));
  }
  if (!quiet_ && terminal_.tty) Draw();
}

void Progress::RunEnded(results::Verdict verdict, std::string_view id) {
  counts_.Add(verdict);
  dirty_ = true;
  if (quiet_) return;
  const Clock::time_point now = Clock::now();
  std::string text;
  if (verdict != results::Verdict::kPass && named_ < kMaxNamed && now - start_ >= pace_) {
    ++named_;
    text = verdict == results::Verdict::kFail ? "FAIL  " : "ERROR ";
    text += results::Printable(id) + "\n";
    if (named_ == kMaxNamed) text += "(more are named at the end)\n";
  }
  const int tenths = static_cast<int>(static_cast<std::size_t>(counts_.runs) * 10 / total_);
  if (!terminal_.tty && tenths > tenths_ && now - line_ >= pace_) {
    text +=
        fmt::format("{}/{} runs: {} passed, {} failed, {} error{}\n", counts_.runs, total_,
                    counts_.passed, counts_.failed, counts_.errors, counts_.errors == 1 ? "" : "s");
    line_ = now;
    tenths_ = tenths;
  }
  if (text.empty()) return;
  // One write, so that the line never stands beside a half-drawn bar.
  results::Print(file_, (terminal_.tty ? "\r\x1b[K" : "") + text);
  if (terminal_.tty) Draw();
  std::fflush(file_);
}

void Progress::Tick() {
  if (quiet_ || !terminal_.tty || !dirty_ || Clock::now() - drawn_ < kRedraw) return;
  Draw();
}

void Progress::Draw() {
  drawn_ = Clock::now();
  dirty_ = false;
  const double elapsed = std::chrono::duration<double>(drawn_ - start_).count();
  const int done = counts_.runs - done_before_;
  double left = -1;
  if (elapsed > 1 && done > 0) {
    left = elapsed / done * static_cast<double>(total_ - static_cast<std::size_t>(counts_.runs));
  }
  const std::string bar =
      ProgressBar(counts_, total_, left, static_cast<std::size_t>(terminal_.width));
  results::Print(file_, "\r" + bar + "\x1b[K");
  std::fflush(file_);
}

void Progress::Finish() {
  if (quiet_ || !terminal_.tty) return;
  results::Print(file_, "\r\x1b[K");
  std::fflush(file_);
}

}  // namespace rtclab::scenarios
