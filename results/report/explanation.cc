#include "results/report/explanation.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "results/json.h"
#include "results/report/call_tables.h"
#include "results/report/phase_chart.h"
#include "results/report/series_chart.h"
#include "results/report/summary.h"
#include "results/report/table.h"

namespace rtclab::results {
namespace {

constexpr std::size_t kMinText = 20;

// `label` in a column of its own, the text beside it wrapped; below it, where a long label leaves no room.
void AddField(std::string& out, const std::string& label, const std::string& text,
              const Terminal& t, std::size_t indent = 2) {
  constexpr std::size_t kLabelWidth = 10;
  const auto width = static_cast<std::size_t>(t.width);
  const std::string name = Printable(label);
  const bool is_long = Columns(name) >= kLabelWidth;
  std::size_t left = indent + (is_long ? Columns(name) + 2 : kLabelWidth);
  out += std::string(indent, ' ') + Paint(t, Color::kDim, PadRight(name, left - indent));
  bool first = true;
  if (is_long && left + kMinText > width) {
    left = indent + kLabelWidth;
    out.resize(out.find_last_not_of(' ') + 1);
    out += "\n";
    first = false;
  }
  for (const std::string& line : Wrap(Printable(text), std::max(width, left + kMinText) - left)) {
    out += (first ? "" : std::string(left, ' ')) + line + "\n";
    first = false;
  }
}

// What a person reads for a member of Session::extra: counts as "2 srflx, 1 relay", other members as "key: value".
std::string Readable(const Json& value, int depth = 0) {
  constexpr int kMaxDepth = 4;
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_structured() || depth == kMaxDepth) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  if (value.empty()) return "none";
  const bool flat =
      std::none_of(value.begin(), value.end(), [](const Json& v) { return v.is_structured(); });
  const bool counts =
      value.is_object() &&
      std::all_of(value.begin(), value.end(), [](const Json& v) { return v.is_number_integer(); });
  std::string text;
  for (const auto& [key, member] : value.items()) {
    if (!text.empty()) text += flat ? ", " : "; ";
    const std::string said = Readable(member, depth + 1);
    text += value.is_array() ? said : counts ? said + " " + key : key + ": " + said;
  }
  return text;
}

std::string Describe(const SelectedCandidate& c) {
  const bool v6 = c.family == "ipv6";
  return fmt::format("{} {} {}{}{}:{}", c.type, c.protocol, v6 ? "[" : "", c.address, v6 ? "]" : "",
                     c.port);
}

std::string Ms(const std::optional<double>& ms) {
  return ms ? fmt::format("{:.3f} ms", *ms) : "never";
}

void AddCauses(std::string& out, const Session& s, const Terminal& t) {
  for (const Cause& c : s.why.causes) {
    std::string text = fmt::format("{} packet{} of {}", c.count, c.count == 1 ? "" : "s", c.agent);
    if (!c.pair.empty()) {
      // "host -> srflx" for checks; otherwise what the packets were.
      const bool check = c.pair.find("->") != std::string::npos;
      text += fmt::format(" ({}{})", check ? "check " : "", c.pair);
    }
    text += fmt::format(" ended at {} by rule {}, first at {:.3f} ms: {}", c.where, c.rule,
                        c.first_ms, c.text);
    AddField(out, "cause", text, t);
  }
}

// The checks where a table of them is too wide.
void ListChecks(std::string& out, const Session& s, const Terminal& t) {
  for (const CheckRecord& c : s.check_log) {
    std::string text = fmt::format("{}: {} -> {}, {} tr{}, ", c.agent, c.local, c.remote,
                                   c.transmissions, c.transmissions == 1 ? "y" : "ies");
    if (c.answered_ms) text += fmt::format("answered {:.3f}, ", *c.answered_ms);
    AddField(out, fmt::format("{:>9.3f}", c.sent_ms),
             text + c.outcome + (c.nominating ? ", nominating" : ""), t);
  }
}

void AddChecks(std::string& out, const Session& s, const Terminal& t) {
  if (s.check_log.empty()) return;
  std::vector<TableRow> rows;
  for (const CheckRecord& c : s.check_log) {
    rows.push_back({Printable(c.agent), Printable(c.local), Printable(c.remote),
                    fmt::format("{:.3f}", c.sent_ms), fmt::format("{}", c.transmissions),
                    c.answered_ms ? fmt::format("{:.3f}", *c.answered_ms) : "-",
                    Printable(c.outcome) + (c.nominating ? ", nominating" : "")});
  }
  out += "\n  Connectivity checks\n";
  const auto table = FittingTable({{"agent"},
                                   {"local"},
                                   {"remote"},
                                   {"sent ms", true},
                                   {"tries", true},
                                   {"answered", true},
                                   {"outcome"}},
                                  rows, t);
  if (!table) return ListChecks(out, s, t);
  out += *table;
}

std::string Times(const TimingMs& times) {
  std::string text =
      fmt::format("gathered {}, first valid pair {}, connected {}", Ms(times.gathering),
                  Ms(times.first_valid_pair), Ms(times.ice_connected));
  if (times.dtls_connected) text += ", DTLS " + Ms(times.dtls_connected);
  if (times.data_channel_open) text += ", data channels open " + Ms(times.data_channel_open);
  if (times.first_media) text += ", all media " + Ms(times.first_media);
  return text;
}

// What has a chart or table of its own.
bool IsDrawn(std::string_view key, const Json& value) {
  return value.is_array() &&
         (key == "phases" || key == "media" || key == "paths" || key == "data_channels");
}

void AddSession(std::string& out, const Session& s, std::span<const SeriesPoint> series,
                const Terminal& t) {
  out += "\n" + Paint(t, Color::kBold, Printable(s.name)) + "  " +
         Paint(t, s.state == "connected" ? Color::kGreen : Color::kMagenta, Printable(s.state)) +
         "\n";
  if (s.selected_pair) {
    AddField(out, "pair",
             Describe(s.selected_pair->local) + " <-> " + Describe(s.selected_pair->remote), t);
  }
  AddField(out, "times", Times(s.timing_ms), t);
  AddField(out, "checks",
           fmt::format("{} sent, {} received, {} succeeded, {} failed, {} retransmissions, {} role "
                       "conflicts",
                       s.checks.sent, s.checks.received, s.checks.succeeded, s.checks.failed,
                       s.checks.retransmissions, s.checks.role_conflicts),
           t);
  for (const auto& [key, value] : s.extra.items()) {
    if (!IsDrawn(key, value)) AddField(out, key, Readable(value), t);
  }
  if (!s.why.text.empty()) AddField(out, "why", s.why.text, t);
  AddCauses(out, s, t);
  if (const std::string chart = PhaseChart(s, t); !chart.empty()) {
    out += "\n  Set-up, virtual ms\n" + chart;
  }
  out += CallTables(s, t);
  if (const std::string chart = SeriesChart(series, s.name, t); !chart.empty()) {
    out += "\n  Over time\n" + chart;
  }
  AddChecks(out, s, t);
}

}  // namespace

std::string Explanation(const Run& run, const Terminal& t, std::span<const SeriesPoint> series) {
  const Color color = run.verdict == Verdict::kPass ? Color::kGreen : Color::kRed;
  std::string out = Paint(t, Color::kBold, Printable(run.id)) + "  " +
                    Paint(t, color, ToString(run.verdict)) + "\n";
  if (run.verdict == Verdict::kError) AddField(out, "error", run.error, t);
  for (const Failure& f : run.failures) {
    AddField(out, "failed", f.expectation, t);
    AddField(out, "expected", f.expected, t);
    AddField(out, "actual", f.actual, t);
    if (const std::string message = OwnMessage(f, run); !message.empty()) {
      AddField(out, "", message, t);
    }
  }
  for (const Session& s : run.sessions) AddSession(out, s, series, t);
  for (const Probe& p : run.probes) {
    out += "\n" + Paint(t, Color::kBold, Printable(p.name)) + "  " + Printable(p.state) + "\n";
    AddField(out, "mapping", p.mapping, t);
    AddField(out, "filtering", p.filtering, t);
    if (p.hairpinning) AddField(out, "hairpin", *p.hairpinning ? "yes" : "no", t);
    if (p.port_preserved) AddField(out, "port", *p.port_preserved ? "preserved" : "changed", t);
    if (p.lifetime_ms) AddField(out, "lifetime", Ms(p.lifetime_ms), t);
  }
  return out;
}

}  // namespace rtclab::results
