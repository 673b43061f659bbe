// What a person sees at the end of a suite: a table of counts and times, and every failure with its reason.
#ifndef RTCLAB_RESULTS_REPORT_SUMMARY_H_
#define RTCLAB_RESULTS_REPORT_SUMMARY_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "results/json.h"
#include "results/model.h"
#include "results/report/terminal.h"

namespace rtclab::results {

// The little of a run that tables need, so that a large suite need not stay in memory.
//
// One session of peer connections. "Forth" is from its first host to its second.
struct CallDigest {
  std::string name;     // the run's id and, where it has several sessions, the session's name
  std::string failure;  // of one that failed: its reason, "failed" if it has none
  bool has_media = false, has_data = false;
  std::optional<double> forth_bps, back_bps;            // media and data, mean
  std::optional<double> forth_queue_ms, back_queue_ms;  // 95th percentile of the queueing delay
  int freezes = 0;                                      // of video, both ways
  double freeze_ms = 0;
  std::optional<double> forth_data_bps, back_data_bps;  // all data channels together
};

struct Digest {
  std::string scenario;
  Json parameters;
  Verdict verdict = Verdict::kPass;
  // What the run came to: "host", "srflx", "prflx" or "relay", the furthest type of the selected pair of its first
  // session; "failed" when that has none; "error"; "mapping/filtering" of its first probe when it has no session.
  std::string outcome;
  bool session = false;            // `outcome` is that of a session
  std::optional<double> setup_ms;  // ice_connected of the first session
  bool missed = false;             // Run::misses is not empty
  // Of the media that the sessions' first hosts sent: the share of the narrowest link that all sessions used together, and
  // the worst of their 95th percentiles of queueing delay.
  std::optional<double> utilisation, queue_p95_ms;
  std::vector<CallDigest> calls;
};
Digest DigestOf(const Run& run);

// One line a scenario (in order of appearance) and, with more than one, a total: runs and verdicts, then counts of the
// outcomes, then median, 95th percentile and maximum of the set-up time in virtual milliseconds.
std::string SummaryTable(std::span<const Digest> digests, const Terminal& terminal);

// A line a session of peer connections, at most `most`, within 100 columns or the terminal's width where that is less: mean
// throughput each way, 95th percentile of the queueing delay, freezes, throughput of the data channels;
// or that it failed. What all names have in common is left out. Empty text without such sessions.
std::string CallSummary(std::span<const Digest> digests, const Terminal& terminal,
                        std::size_t most = 40);

// "12 runs: 10 passed, 1 failed, 1 error".
std::string CountsLine(const Counts& counts, const Terminal& terminal);

// What `failure` says beyond the `why` of the sessions, which its message may end with: reports tell that once.
std::string OwnMessage(const Failure& failure, const Run& run);

// Several lines about a run that did not pass: its id; each failed expectation with expected and actual; why.
std::string FailureReport(const Run& run, const Terminal& terminal);

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_REPORT_SUMMARY_H_
