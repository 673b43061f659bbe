#include "results/report/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "results/report/call_tables.h"
#include "results/report/extra.h"

namespace rtclab::results {
namespace {

constexpr std::array kOutcomes = {"host", "srflx", "prflx", "relay", "failed"};

int Rank(const std::string& type) {
  const auto* const found = std::find(kOutcomes.begin(), kOutcomes.end(), type);
  return static_cast<int>(found - kOutcomes.begin());
}

// Nearest-rank percentile of sorted values.
double Percentile(const std::vector<double>& sorted, std::size_t percent) {
  const std::size_t rank = (sorted.size() * percent + 99) / 100;
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

struct Line {
  std::string name;
  Counts counts;
  std::array<int, kOutcomes.size()> outcomes{};
  std::vector<double> times;

  void Add(const Digest& d) {
    counts.Add(d.verdict);
    const int rank = Rank(d.outcome);
    if (d.session && rank < static_cast<int>(kOutcomes.size())) {
      ++outcomes[static_cast<std::size_t>(rank)];
    }
    if (d.setup_ms) times.push_back(*d.setup_ms);
  }
};

std::string Count(const Terminal& t, int count, Color color) {
  return Paint(t, count > 0 ? color : Color::kDim, fmt::format("{:>6}", count));
}

std::string Render(Line& line, std::size_t name_width, bool any_outcome, const Terminal& t) {
  std::string out = PadRight(line.name, name_width);
  out += fmt::format("{:>6}", line.counts.runs);
  out += Count(t, line.counts.passed, Color::kGreen) + Count(t, line.counts.failed, Color::kRed) +
         Count(t, line.counts.errors, Color::kRed);
  if (!any_outcome) return out + "\n";
  out += "  ";
  for (const int count : line.outcomes) out += Count(t, count, Color::kNone);
  if (!line.times.empty()) {
    std::sort(line.times.begin(), line.times.end());
    out += fmt::format("  {:>8.1f}{:>8.1f}{:>8.1f}", Percentile(line.times, 50),
                       Percentile(line.times, 95), line.times.back());
  }
  return out + "\n";
}

// `lead` before the first line, as many spaces before the others.
void AddWrapped(std::string& out, std::string_view lead, std::string_view text, const Terminal& t) {
  const auto columns = static_cast<std::size_t>(t.width);
  const std::size_t width = std::max(columns, lead.size() + 20) - lead.size();
  bool first = true;
  for (const std::string& line : Wrap(Printable(text), width)) {
    out += (std::exchange(first, false) ? std::string(lead) : std::string(lead.size(), ' ')) + line;
    out += "\n";
  }
}

void AddMedia(const Run& run, Digest& d) {
  double longest_ms = 0, used = 0;
  for (const Session& s : run.sessions) {
    const Json& paths = ElementsOf(s.extra, "paths");
    if (paths.empty()) continue;
    const Json& path = paths.front();
    const auto ms = NumberOf(path, "duration_ms"), share = NumberOf(path, "utilisation");
    if (ms && share) {
      longest_ms = std::max(longest_ms, *ms);
      used += *share * *ms;
    }
    const auto delay = path.find("queue_delay_ms");
    if (delay == path.end()) continue;
    if (const auto p95 = NumberOf(*delay, "p95")) {
      d.queue_p95_ms = std::max(d.queue_p95_ms.value_or(0), *p95);
    }
  }
  if (longest_ms > 0) d.utilisation = used / longest_ms;
}

// The session's first host: the first that `phases` names.
std::string FirstHost(const Session& s) {
  const Json& phases = ElementsOf(s.extra, "phases");
  return phases.empty() ? "" : TextOf(phases.front(), "host");
}

CallDigest CallDigestOf(const Session& s) {
  CallDigest d;
  d.has_media = !ElementsOf(s.extra, "media").empty();
  d.has_data = !ElementsOf(s.extra, "data_channels").empty();
  if (s.state != "connected") {
    const auto failure = s.extra.find("failure");
    if (failure != s.extra.end()) d.failure = TextOf(*failure, "reason");
    if (d.failure.empty()) d.failure = "failed";
    return d;
  }
  const std::string first = FirstHost(s);
  for (const Json& path : ElementsOf(s.extra, "paths")) {
    const bool forth = TextOf(path, "from") == first;
    (forth ? d.forth_bps : d.back_bps) = NumberOf(path, "throughput_bps");
    const auto delay = path.find("queue_delay_ms");
    if (delay != path.end()) {
      (forth ? d.forth_queue_ms : d.back_queue_ms) = NumberOf(*delay, "p95");
    }
  }
  for (const Json& stream : ElementsOf(s.extra, "media")) {
    d.freezes += static_cast<int>(NumberOf(stream, "freeze_count").value_or(0));
    d.freeze_ms += NumberOf(stream, "freeze_ms").value_or(0);
  }
  for (const Json& channel : ElementsOf(s.extra, "data_channels")) {
    const std::optional<double> bps = NumberOf(channel, "throughput_bps");
    std::optional<double>& sum =
        TextOf(channel, "from") == first ? d.forth_data_bps : d.back_data_bps;
    if (bps) sum = sum.value_or(0) + *bps;
  }
  return d;
}

struct CallColumns {
  bool media = false, data = false;
  std::size_t name_width = 0;
};

// The calls' names without what all of them begin and end with, up to and from a '/'.
std::vector<std::string> ShortNames(std::span<const CallDigest* const> calls) {
  std::vector<std::string> names;
  names.reserve(calls.size());
  for (const CallDigest* call : calls) names.push_back(Printable(call->name));
  if (names.size() < 2) return names;
  const std::string first = names.front();
  std::size_t head = first.size(), tail = first.size();
  for (const std::string& name : names) {
    const auto from_front = std::mismatch(first.begin(), first.end(), name.begin(), name.end());
    const auto from_back = std::mismatch(first.rbegin(), first.rend(), name.rbegin(), name.rend());
    head = std::min(head, static_cast<std::size_t>(from_front.first - first.begin()));
    tail = std::min(tail, static_cast<std::size_t>(from_back.first - first.rbegin()));
  }
  const std::size_t slash = head == 0 ? std::string::npos : first.rfind('/', head - 1);
  head = slash == std::string::npos ? 0 : slash + 1;
  const std::size_t end = first.find('/', first.size() - tail);
  tail = end == std::string::npos ? 0 : first.size() - end;
  const bool fits = std::all_of(names.begin(), names.end(),
                                [&](const std::string& name) { return name.size() > head + tail; });
  if (!fits) return names;
  for (std::string& name : names) name = name.substr(head, name.size() - head - tail);
  return names;
}

// "scenario/link=cable,nat=none" as "scenario/cable,none".
std::string ValuesOnly(const std::string& name) {
  std::string out;
  std::size_t part = 0;  // where the present part of `out` begins
  for (const char c : name) {
    if (c == '=') {
      out.resize(part);
      continue;
    }
    out += c;
    if (c == '/' || c == ',' || c == ' ') part = out.size();
  }
  return out;
}

std::string CallLine(const CallDigest& d, const std::string& name, const CallColumns& columns,
                     const Terminal& t) {
  const bool fits = Columns(name) <= columns.name_width;
  std::string line =
      PadRight(Shortened(fits ? name : ValuesOnly(name), columns.name_width), columns.name_width);
  if (!d.failure.empty()) {
    const std::string said = d.failure == "failed" ? d.failure : "failed: " + d.failure;
    return line + "  " + Paint(t, Color::kMagenta, Printable(said)) + "\n";
  }
  if (columns.media) {
    const auto ms = [](const std::optional<double>& v) {
      return v ? fmt::format("{:.1f}", *v) : std::string("-");
    };
    line += fmt::format("{:>9}{:>8}{:>9}{:>8}", MegabitText(d.forth_bps), MegabitText(d.back_bps),
                        ms(d.forth_queue_ms), ms(d.back_queue_ms));
    line += d.has_media ? Paint(t, d.freezes > 0 ? Color::kYellow : Color::kNone,
                                fmt::format("{:>7}{:>8.0f}", d.freezes, d.freeze_ms))
                        : fmt::format("{:>7}{:>8}", "-", "-");
  }
  if (columns.data) {
    line += fmt::format("{:>10}{:>9}", MegabitText(d.forth_data_bps), MegabitText(d.back_data_bps));
  }
  return line + "\n";
}

}  // namespace

Digest DigestOf(const Run& run) {
  Digest d;
  d.scenario = run.scenario;
  d.parameters = run.parameters;
  d.verdict = run.verdict;
  d.missed = !run.misses.empty();
  AddMedia(run, d);
  if (run.verdict == Verdict::kError) {
    d.outcome = "error";
  } else if (!run.sessions.empty()) {
    const Session& s = run.sessions.front();
    d.setup_ms = s.timing_ms.ice_connected;
    d.session = true;
    d.outcome = "failed";
    if (s.state == "connected" && s.selected_pair) {
      const std::string& local = s.selected_pair->local.type;
      const std::string& remote = s.selected_pair->remote.type;
      d.outcome = Rank(local) >= Rank(remote) ? local : remote;
    }
  } else if (!run.probes.empty()) {
    const Probe& p = run.probes.front();
    d.outcome = p.state == "done" ? p.mapping + "/" + p.filtering : "failed";
  }
  for (const Session& s : run.sessions) {
    if (!s.extra.contains("phases") && !s.extra.contains("media")) continue;
    d.calls.push_back(CallDigestOf(s));
    d.calls.back().name = run.sessions.size() == 1 ? run.id : run.id + " " + s.name;
  }
  return d;
}

std::string SummaryTable(std::span<const Digest> digests, const Terminal& terminal) {
  std::vector<Line> lines;
  Line total{"total", {}, {}, {}};
  for (const Digest& d : digests) {
    auto found = std::find_if(lines.begin(), lines.end(),
                              [&](const Line& l) { return l.name == Printable(d.scenario); });
    if (found == lines.end()) {
      found = lines.insert(lines.end(), Line{Printable(d.scenario), {}, {}, {}});
    }
    found->Add(d);
    total.Add(d);
  }
  const bool any_outcome =
      std::any_of(total.outcomes.begin(), total.outcomes.end(), [](int n) { return n > 0; });
  std::size_t width = 10;
  for (const Line& l : lines) width = std::max(width, Columns(l.name));
  std::string head = PadRight("scenario", width) + "  runs  pass  fail error";
  if (any_outcome) head += "    host srflx prflx relay  none";
  if (!total.times.empty()) head += "  median     p95  max ms";
  std::string out = Paint(terminal, Color::kBold, head) + "\n";
  for (Line& l : lines) out += Render(l, width, any_outcome, terminal);
  if (lines.size() > 1) out += Render(total, width, any_outcome, terminal);
  return out;
}

std::string CallSummary(std::span<const Digest> digests, const Terminal& terminal,
                        std::size_t most) {
  std::vector<const CallDigest*> calls;
  for (const Digest& d : digests) {
    for (const CallDigest& call : d.calls) calls.push_back(&call);
  }
  if (calls.empty()) return "";
  const std::size_t all = calls.size();
  calls.resize(std::min(most, all));
  const std::vector<std::string> names = ShortNames(calls);
  constexpr std::size_t kMostColumns = 100, kLeastName = 10, kMediaWidth = 49, kDataWidth = 19;
  CallColumns columns;
  std::size_t longest = kLeastName;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    columns.media |= calls[i]->has_media;
    columns.data |= calls[i]->has_data;
    longest = std::max(longest, Columns(names[i]));
  }
  const std::size_t taken = (columns.media ? kMediaWidth : 0) + (columns.data ? kDataWidth : 0);
  const std::size_t width = std::min(kMostColumns, static_cast<std::size_t>(terminal.width));
  columns.name_width = std::min(longest, std::max(width, taken + kLeastName) - taken);
  std::string head = PadRight("", columns.name_width);
  std::string ways = PadRight("call", columns.name_width);
  if (columns.media) {
    head += "     total Mbit/s     queue p95 ms        freezes";
    ways += "       ->      <-       ->      <-  count      ms";
  }
  if (columns.data) {
    head += "        data Mbit/s";
    ways += "        ->       <-";
  }
  std::string out =
      Paint(terminal, Color::kBold, head) + "\n" + Paint(terminal, Color::kBold, ways) + "\n";
  for (std::size_t i = 0; i < calls.size(); ++i) {
    out += CallLine(*calls[i], names[i], columns, terminal);
  }
  if (all > calls.size())
    out += fmt::format("... and {} more, in results.json\n", all - calls.size());
  return out;
}

std::string CountsLine(const Counts& c, const Terminal& t) {
  const std::string failed = fmt::format("{} failed", c.failed);
  const std::string errors = fmt::format("{} error{}", c.errors, c.errors == 1 ? "" : "s");
  return fmt::format("{} run{}: {}, {}, {}", c.runs, c.runs == 1 ? "" : "s",
                     Paint(t, Color::kGreen, fmt::format("{} passed", c.passed)),
                     c.failed > 0 ? Paint(t, Color::kRed, failed) : failed,
                     c.errors > 0 ? Paint(t, Color::kRed, errors) : errors);
}

std::string OwnMessage(const Failure& failure, const Run& run) {
  for (const Session& s : run.sessions) {
    std::string_view message = failure.message;
    if (s.why.text.empty() || !message.ends_with(s.why.text)) continue;
    message.remove_suffix(s.why.text.size());
    while (message.ends_with(' ') || message.ends_with(';')) message.remove_suffix(1);
    return std::string(message);
  }
  return failure.message;
}

std::string FailureReport(const Run& run, const Terminal& t) {
  const bool error = run.verdict == Verdict::kError;
  std::string out = Paint(t, Color::kRed, error ? "ERROR" : "FAIL") + " " +
                    Paint(t, Color::kBold, Printable(run.id)) + "\n";
  if (error) AddWrapped(out, "  ", run.error, t);
  for (const Failure& f : run.failures) {
    AddWrapped(out, "  ", f.expectation, t);
    AddWrapped(out, "    expected  ", f.expected, t);
    AddWrapped(out, "    actual    ", f.actual, t);
    const std::string message = OwnMessage(f, run);
    if (!message.empty()) AddWrapped(out, "    ", message, t);
  }
  for (const Session& s : run.sessions) {
    if (!s.why.text.empty()) AddWrapped(out, "  ", "why " + s.name + ": " + s.why.text, t);
    for (std::size_t i = 0; i < std::min<std::size_t>(s.why.causes.size(), 3); ++i) {
      const Cause& c = s.why.causes[i];
      AddWrapped(out, "    - ", fmt::format("{} x {} at {}: {}", c.count, c.rule, c.where, c.text),
                 t);
    }
  }
  return out;
}

}  // namespace rtclab::results
