#include "results/report/explanation.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "results/json.h"

namespace rtclab::results {
namespace {

// `label` in a column of its own, the text beside it wrapped.
void AddField(std::string& out, const std::string& label, const std::string& text,
              const Terminal& t, std::size_t indent = 2) {
  constexpr std::size_t kLabelWidth = 10;
  const std::size_t left = indent + kLabelWidth;
  const auto width = static_cast<std::size_t>(t.width);
  bool first = true;
  for (const std::string& line : Wrap(Printable(text), width > left + 20 ? width - left : 20)) {
    out += first ? std::string(indent, ' ') + Paint(t, Color::kDim, PadRight(label, kLabelWidth))
                 : std::string(left, ' ');
    out += line + "\n";
    first = false;
  }
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
    if (!c.pair.empty()) text += " (check " + c.pair + ")";
    text += fmt::format(" ended at {} by rule {}, first at {:.3f} ms: {}", c.where, c.rule,
                        c.first_ms, c.text);
    AddField(out, "cause", text, t);
  }
}

void AddChecks(std::string& out, const Session& s, const Terminal& t) {
  if (s.check_log.empty()) return;
  const std::vector<std::string> head = {"agent", "local",    "remote", "sent ms",
                                         "tries", "answered", "outcome"};
  std::vector<std::vector<std::string>> rows = {head};
  for (const CheckRecord& c : s.check_log) {
    rows.push_back({Printable(c.agent), Printable(c.local), Printable(c.remote),
                    fmt::format("{:.3f}", c.sent_ms), fmt::format("{}", c.transmissions),
                    c.answered_ms ? fmt::format("{:.3f}", *c.answered_ms) : "-",
                    Printable(c.outcome) + (c.nominating ? ", nominating" : "")});
  }
  std::vector<std::size_t> widths(head.size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Columns(row[i]));
  }
  out += "\n  Connectivity checks\n";
  for (const auto& row : rows) {
    std::string line = "  ";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool number = i >= 3 && i <= 5;
      line += number ? PadLeft(row[i], widths[i]) : PadRight(row[i], widths[i]);
      line += "  ";
    }
    line.resize(line.find_last_not_of(' ') + 1);
    const bool is_head = &row == &rows.front();
    out += Paint(t, is_head ? Color::kDim : Color::kNone, line) + "\n";
  }
}

void AddSession(std::string& out, const Session& s, const Terminal& t) {
  out += "\n" + Paint(t, Color::kBold, Printable(s.name)) + "  " +
         Paint(t, s.state == "connected" ? Color::kGreen : Color::kMagenta, Printable(s.state)) +
         "\n";
  if (s.selected_pair) {
    AddField(out, "pair",
             Describe(s.selected_pair->local) + " <-> " + Describe(s.selected_pair->remote), t);
  }
  AddField(out, "times",
           fmt::format("gathered {}, first valid pair {}, connected {}", Ms(s.timing_ms.gathering),
                       Ms(s.timing_ms.first_valid_pair), Ms(s.timing_ms.ice_connected)),
           t);
  AddField(out, "checks",
           fmt::format("{} sent, {} received, {} succeeded, {} failed, {} retransmissions, {} role "
                       "conflicts",
                       s.checks.sent, s.checks.received, s.checks.succeeded, s.checks.failed,
                       s.checks.retransmissions, s.checks.role_conflicts),
           t);
  for (const auto& [key, value] : s.extra.items()) {
    AddField(out, key, value.dump(-1, ' ', false, Json::error_handler_t::replace), t);
  }
  if (!s.why.text.empty()) AddField(out, "why", s.why.text, t);
  AddCauses(out, s, t);
  AddChecks(out, s, t);
}

}  // namespace

std::string Explanation(const Run& run, const Terminal& t) {
  const Color color = run.verdict == Verdict::kPass ? Color::kGreen : Color::kRed;
  std::string out = Paint(t, Color::kBold, Printable(run.id)) + "  " +
                    Paint(t, color, ToString(run.verdict)) + "\n";
  if (run.verdict == Verdict::kError) AddField(out, "error", run.error, t);
  for (const Failure& f : run.failures) {
    AddField(out, "failed", f.expectation, t);
    AddField(out, "expected", f.expected, t);
    AddField(out, "actual", f.actual, t);
    if (!f.message.empty()) AddField(out, "", f.message, t);
  }
  for (const Session& s : run.sessions) AddSession(out, s, t);
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
