// Summary() and ListCases() of report.h.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "conformance/report/report.h"
#include "conformance/report/sections.h"
#include "results/report/table.h"
#include "results/report/terminal.h"

namespace rtclab::conformance {
namespace {

using results::Color;
using results::Printable;
using results::Terminal;

constexpr std::size_t kWidth = 100, kLabelWidth = 10;

// What one summary is written into.
class Writer {
 public:
  explicit Writer(bool colour) { terminal_.color = colour; }

  void Line(std::string_view text = {}) { out_ += std::string(text) + "\n"; }
  void Heading(std::string_view text) {
    Line();
    Line(Painted(Color::kBold, text));
  }
  // "      expected  what was expected, wrapped under itself".
  void Labelled(std::string_view label, std::string_view text) {
    if (text.empty()) return;
    const std::string indent(6, ' ');
    bool first = true;
    for (const std::string& line :
         results::Wrap(Printable(text), kWidth - indent.size() - kLabelWidth)) {
      Line(indent + results::PadRight(first ? label : "", kLabelWidth) + line);
      first = false;
    }
  }
  std::string Painted(Color color, std::string_view text) const {
    return results::Paint(terminal_, color, text);
  }
  // Wrapped, in one colour, the second line and those after it indented.
  void Paragraph(Color color, std::string_view text, std::size_t indent) {
    bool first = true;
    for (const std::string& line : results::Wrap(Printable(text), kWidth - indent)) {
      Line((first ? "" : std::string(indent, ' ')) + Painted(color, line));
      first = false;
    }
  }
  const Terminal& terminal() const { return terminal_; }
  std::string Take() { return std::move(out_); }
  void Append(std::string_view text) { out_ += text; }

 private:
  Terminal terminal_{.width = static_cast<int>(kWidth)};
  std::string out_;
};

std::string ClauseText(const Case& test_case) {
  if (test_case.clauses.empty()) return "";
  const Clause& clause = test_case.clauses.front();
  return fmt::format("{}, {}", ClauseName(clause), ToString(clause.level));
}

void CaseHead(Writer& out, Color color, std::string_view mark, const CaseResult& result) {
  std::string line = out.Painted(color, results::PadRight(mark, 6));
  line += out.Painted(Color::kBold, result.test_case->id);
  const std::string clause = ClauseText(*result.test_case);
  if (!clause.empty()) line += "  " + Printable(clause);
  if (result.transport != Transport::kUdp)
    line += fmt::format("  ({})", ToString(result.transport));
  out.Line(line);
}

void CaseBody(Writer& out, const CaseResult& result) {
  const Verdict& v = result.verdict;
  out.Labelled("expected", v.expected);
  out.Labelled(v.outcome == Outcome::kInfo ? "observed" : "actual", v.actual);
  out.Labelled("reason", v.reason);
  if (result.flaky) out.Labelled("at first", result.first_failure);
  const bool judged = v.outcome == Outcome::kFail || v.outcome == Outcome::kWeak;
  if (judged && !result.test_case->clauses.empty()) {
    out.Labelled("clause", fmt::format("\"{}\"", result.test_case->clauses.front().quote));
  }
  out.Labelled("known", result.known);
}

bool IsExpected(const CaseResult& result) {
  return result.expectation == Expectation::kExpectedFail;
}

// A list under a heading; nothing when no result is `wanted`.
template <typename Wanted>
void List(Writer& out, const RunReport& report, std::string_view heading, Color color,
          std::string_view mark, bool body, const Wanted& wanted) {
  bool any = false;
  for (const CaseResult& result : report.results) {
    if (!wanted(result)) continue;
    if (!any) out.Heading(heading);
    any = true;
    CaseHead(out, color, mark, result);
    if (body) CaseBody(out, result);
  }
}

void WriteHead(Writer& out, const RunReport& report) {
  const Target& target = report.target;
  std::string line = "rtclab conform " + Printable(report.uri);
  if (!target.name.empty() && target.name != target.host) {
    line += "  " + Printable(target.name) +
            (target.version.empty() ? "" : " " + Printable(target.version));
  }
  out.Line(out.Painted(Color::kBold, line));
  if (!report.software.empty()) out.Line("SOFTWARE \"" + Printable(report.software) + '"');
  for (const std::string& warning : report.warnings) {
    out.Paragraph(Color::kRed, "WARNING  " + warning, 9);
  }
  if (!report.complete) {
    out.Paragraph(Color::kRed, "NOT COMPLETE  " + report.incomplete_why, 14);
  }
}

// As loud as a warning, with the way out.
void WriteNotTested(Writer& out, const RunReport& report) {
  for (const NotTested& one : report.not_tested) {
    std::string text = "NOT TESTED  " + one.part;
    if (one.cases > 0) {
      text += fmt::format(" ({} of {} cases)", one.cases, report.results.size());
    }
    out.Paragraph(Color::kRed, text + ": " + one.why, 12);
    out.Paragraph(Color::kRed, "            To test it: " + one.how, 12);
  }
}

void WriteLists(Writer& out, const RunReport& report) {
  const auto is = [](Outcome outcome, bool expected) {
    return [outcome, expected](const CaseResult& r) {
      return r.verdict.outcome == outcome && IsExpected(r) == expected;
    };
  };
  List(out, report, "Failures", Color::kRed, "FAIL", true, is(Outcome::kFail, false));
  List(out, report, "Errors of our own", Color::kRed, "ERROR", true, is(Outcome::kError, false));
  List(out, report, "Blocked: a step before the one that matters failed", Color::kRed, "BLOCK",
       true, is(Outcome::kBlocked, false));
  List(out, report, "Pass, and are listed as failing: the overlay is out of date", Color::kRed,
       "XPASS", true,
       [](const CaseResult& r) { return r.expectation == Expectation::kUnexpectedPass; });
  List(out, report, "Flaky: failed, and passed when run again", Color::kYellow, "FLAKY", true,
       [](const CaseResult& r) { return r.flaky; });
  List(out, report, "Weak: recommendations not met", Color::kYellow, "WEAK", true,
       is(Outcome::kWeak, false));
  List(out, report, "Known failures", Color::kDim, "xfail", false,
       [](const CaseResult& r) { return IsExpected(r); });
}

std::string NumberText(int count) { return count == 0 ? "-" : std::to_string(count); }

// How many of `all` are behind each verdict; columns that are empty in every row are left out.
void WriteSections(Writer& out, const RunReport& report) {
  struct Column {
    std::string_view title;
    int Counts::*count;
  };
  constexpr Column kColumns[] = {{"pass", &Counts::pass},
                                 {"fail", &Counts::fail},
                                 {"weak", &Counts::weak},
                                 {"info", &Counts::info},
                                 {"unsupported", &Counts::unsupported},
                                 {"skipped", &Counts::skipped},
                                 {"blocked", &Counts::blocked},
                                 {"error", &Counts::error}};
  const Counts all = Count(report);
  std::vector<results::TableColumn> head{{"section", false}};
  for (const Column& column : kColumns) {
    if (all.*column.count > 0) head.push_back({std::string(column.title), true});
  }
  std::vector<results::TableRow> rows;
  for (const SectionResults& section : BySection(report)) {
    const Counts counts = CountOf(section.results);
    results::TableRow row{ClauseName({.rfc = section.rfc, .section = section.section})};
    for (const Column& column : kColumns) {
      if (all.*column.count > 0) row.push_back(NumberText(counts.*column.count));
    }
    rows.push_back(std::move(row));
  }
  if (rows.empty()) return;
  out.Heading("By section");
  out.Append(results::Table(head, rows, out.terminal()));
}

void WriteTotal(Writer& out, const RunReport& report) {
  const Counts c = Count(report);
  std::string line =
      fmt::format("{} case{} in {:.1f} s: {} passed", report.results.size(),
                  report.results.size() == 1 ? "" : "s", report.elapsed.seconds(), c.pass);
  const auto add = [&line](int count, std::string_view what) {
    if (count > 0) line += fmt::format(", {} {}", count, what);
  };
  add(c.fail, "failed");
  add(c.weak, "weak");
  add(c.blocked, "blocked");
  add(c.error, "in error");
  add(c.info, "info");
  add(c.unsupported, "unsupported");
  add(c.skipped, "skipped");
  std::string known;
  if (c.expected_fail > 0) known += fmt::format("; {} known", c.expected_fail);
  if (c.unexpected_pass > 0) known += fmt::format("; {} unexpectedly pass", c.unexpected_pass);
  if (c.flaky > 0) known += fmt::format("; {} flaky", c.flaky);
  const int code = ExitCode(report);
  out.Line();
  out.Paragraph(code == 0 ? Color::kGreen : Color::kRed, line + known, 2);
  const std::string_view verdict = code == 0   ? "No unexpected failure."
                                   : code == 1 ? "FAILED."
                                               : "The run did not reach its end.";
  if (code != 0 || report.not_tested.empty()) {
    return out.Line(out.Painted(code == 0 ? Color::kGreen : Color::kRed, verdict));
  }
  std::string parts;
  for (const NotTested& one : report.not_tested) parts += (parts.empty() ? "" : "; ") + one.part;
  out.Paragraph(Color::kRed, "No unexpected failure, but NOT TESTED: " + parts, 2);
}

}  // namespace

std::string Summary(const RunReport& report, bool colour) {
  Writer out(colour);
  WriteHead(out, report);
  WriteNotTested(out, report);
  WriteLists(out, report);
  WriteSections(out, report);
  WriteTotal(out, report);
  return out.Take();
}

std::string ListCases(const std::vector<const Case*>& cases) {
  std::size_t id_width = 0, clause_width = 0;
  for (const Case* c : cases) {
    id_width = std::max(id_width, c->id.size());
    clause_width = std::max(clause_width, ClauseText(*c).size());
  }
  std::string out;
  for (const Case* c : cases) {
    out += results::PadRight(c->id, id_width) + "  " +
           results::PadRight(ClauseText(*c), clause_width) + "  ";
    if (c->slow) out += "[slow] ";
    if (c->safety) out += "[safety] ";
    if (c->edition == Edition::kCurrent) out += "[RFC 8489/8656] ";
    if (c->edition == Edition::kClassic) out += "[RFC 5389/5766] ";
    out += std::string(c->title) + "\n";
  }
  return out;
}

}  // namespace rtclab::conformance
