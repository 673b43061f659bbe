#include "results/report/explanation.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "results/json.h"
#include "results/report/summary.h"

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
    if (!c.pair.empty()) text += " (check " + c.pair + ")";
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
  std::size_t needed = 0;
  for (const std::size_t width : widths) needed += 2 + width;
  if (needed > static_cast<std::size_t>(t.width)) return ListChecks(out, s, t);
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
    AddField(out, key, Readable(value), t);
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
    if (const std::string message = OwnMessage(f, run); !message.empty()) {
      AddField(out, "", message, t);
    }
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
