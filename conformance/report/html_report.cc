// ToHtml() of report.h.
#include <fmt/format.h>

#include <algorithm>

#include "conformance/report/exchange_describer.h"
#include "conformance/report/page.h"
#include "conformance/report/report.h"
#include "conformance/report/sections.h"
#include "results/version.h"

namespace rtclab::conformance {
namespace {

// Of one case; the first packets tell the story of a flood.
constexpr std::size_t kMostShownPackets = 200;

std::string ClauseLink(const Clause& clause) {
  const std::string name = Escaped(ClauseName(clause));
  if (!IsRfc(clause.rfc)) return name;
  std::string anchor;
  if (!clause.section.empty()) {
    anchor = (IsAppendix(clause.section) ? "#appendix-" : "#section-") + Escaped(clause.section);
  }
  return fmt::format("<a href=\"https://www.rfc-editor.org/rfc/rfc{}{}\">{}</a>",
                     Escaped(clause.rfc), anchor, name);
}

std::string_view OutcomeCss(const CaseResult& result) {
  return result.flaky ? "flaky" : ToString(result.verdict.outcome);
}

// "fail", "fail (known)", "pass (listed as failing)", "pass (flaky)".
std::string OutcomeText(const CaseResult& result) {
  std::string text(ToString(result.verdict.outcome));
  if (result.expectation == Expectation::kExpectedFail) text += " (known)";
  if (result.expectation == Expectation::kUnexpectedPass) text += " (listed as failing)";
  if (result.flaky) text += " (flaky)";
  return text;
}

bool HasArticle(const CaseResult& result) {
  return HasEvidence(result) || result.expectation == Expectation::kUnexpectedPass;
}

void Definition(Page& page, std::string_view term, std::string_view text) {
  if (text.empty()) return;
  page.Element("dt", term).Element("dd", text).Raw("\n");
}

void WriteExchange(Page& page, const Exchange& exchange) {
  if (exchange.empty()) return;
  page.Raw("<details><summary>")
      .Text(fmt::format("exchange: {} packet{} and events, decoded", exchange.size(),
                        exchange.size() == 1 ? "" : "s"))
      .Raw("</summary>\n<pre>");
  const std::size_t shown = std::min(exchange.size(), kMostShownPackets);
  for (const std::string& line :
       DescribeExchange(Exchange(exchange.begin(), exchange.begin() + static_cast<long>(shown)))) {
    page.Text(line).Raw("\n");
  }
  if (shown < exchange.size()) {
    page.Text(fmt::format("... {} more, which the JSON report and the capture have",
                          exchange.size() - shown));
  }
  page.Raw("</pre></details>\n");
}

void WriteArticle(Page& page, const CaseResult& result) {
  const Case& test_case = *result.test_case;
  page.Raw("<article id=\"").Text(test_case.id).Raw("\">\n<h3>");
  page.Element("span", OutcomeText(result), OutcomeCss(result)).Raw(" ");
  page.Element("code", test_case.id).Raw("</h3>\n").Element("p", test_case.title).Raw("\n<dl>\n");
  Definition(page, "expected", result.verdict.expected);
  Definition(page, "actual", result.verdict.actual);
  Definition(page, "reason", result.verdict.reason);
  if (result.flaky) Definition(page, "at first", result.first_failure);
  Definition(page, "known", result.known);
  Definition(page, "over",
             fmt::format("{}, {:.0f} ms", ToString(result.transport), result.elapsed.millis_f()));
  page.Raw("</dl>\n");
  for (const Clause& clause : test_case.clauses) {
    page.Raw("<blockquote>").Text(clause.quote).Raw("<br><span class=\"soft\">");
    page.Raw(ClauseLink(clause)).Text(fmt::format(", {}", ToString(clause.level)));
    page.Raw("</span></blockquote>\n");
  }
  WriteExchange(page, result.exchange);
  page.Raw("</article>\n");
}

// Where a result is told of, in this order; every result that HasArticle() in one of them.
enum class Chapter : uint8_t { kFailed, kError, kBlocked, kUnexpected, kFlaky, kWeak, kKnown };
constexpr Chapter kChapters[] = {Chapter::kFailed,     Chapter::kError, Chapter::kBlocked,
                                 Chapter::kUnexpected, Chapter::kFlaky, Chapter::kWeak,
                                 Chapter::kKnown};

std::string_view HeadingOf(Chapter chapter) {
  switch (chapter) {
    case Chapter::kFailed:
      return "Failures";
    case Chapter::kError:
      return "Errors of our own";
    case Chapter::kBlocked:
      return "Blocked: a step before the one that matters failed";
    case Chapter::kUnexpected:
      return "Pass, and are listed as failing: the overlay is out of date";
    case Chapter::kFlaky:
      return "Flaky: failed, and passed when run again";
    case Chapter::kWeak:
      return "Weak: recommendations not met";
    case Chapter::kKnown:
      break;
  }
  return "Known failures";
}

Chapter ChapterOf(const CaseResult& result) {
  if (result.expectation == Expectation::kExpectedFail) return Chapter::kKnown;
  if (result.expectation == Expectation::kUnexpectedPass) return Chapter::kUnexpected;
  switch (result.verdict.outcome) {
    case Outcome::kFail:
      return Chapter::kFailed;
    case Outcome::kError:
      return Chapter::kError;
    case Outcome::kBlocked:
      return Chapter::kBlocked;
    case Outcome::kWeak:
      return result.flaky ? Chapter::kFlaky : Chapter::kWeak;
    case Outcome::kPass:
    case Outcome::kInfo:
    case Outcome::kUnsupported:
    case Outcome::kSkipped:
      break;
  }
  return Chapter::kFlaky;
}

void WriteChapter(Page& page, const RunReport& report, Chapter chapter) {
  bool any = false;
  for (const CaseResult& result : report.results) {
    if (!HasArticle(result) || ChapterOf(result) != chapter) continue;
    if (!any) page.Element("h2", HeadingOf(chapter)).Raw("\n");
    any = true;
    WriteArticle(page, result);
  }
}

void WriteTop(Page& page, const RunReport& report) {
  const Target& target = report.target;
  page.Raw("<h1>").Text(report.uri).Raw("</h1>\n");
  std::string line = target.name == target.host ? "" : target.name;
  if (!target.version.empty()) line += (line.empty() ? "" : " ") + target.version;
  if (!report.software.empty()) {
    line += (line.empty() ? "" : "; ") + ("SOFTWARE \"" + report.software + '"');
  }
  if (!line.empty()) page.Element("p", line).Raw("\n");
  const bool classic = target.edition == Edition::kClassic;
  page.Element(
          "p",
          fmt::format("Held to {}. rtclab {}, seed {}{}, {:.1f} s.",
                      classic ? "RFC 5389 and RFC 5766" : "RFC 8489 and RFC 8656", results::Build(),
                      report.seed, report.shuffled ? ", shuffled" : "", report.elapsed.seconds()),
          "soft")
      .Raw("\n");
  for (const std::string& warning : report.warnings) {
    page.Element("p", "Warning: " + warning, "banner").Raw("\n");
  }
  for (const NotTested& one : report.not_tested) {
    page.Element("p",
                 fmt::format("Not tested: {}{}: {}. To test it: {}.", one.part,
                             one.cases > 0 ? fmt::format(" ({} cases)", one.cases) : "", one.why,
                             one.how),
                 "banner")
        .Raw("\n");
  }
  if (!report.complete) {
    page.Element("p", "Not complete: " + report.incomplete_why, "banner").Raw("\n");
  }
  const int code = ExitCode(report);
  const bool all = code != 0 || report.not_tested.empty();
  page.Element("p",
               !all        ? "No unexpected failure, but not all was tested."
               : code == 0 ? "No unexpected failure."
               : code == 1 ? "Failed."
                           : "The run did not reach its end.",
               code == 0 && all ? "verdict pass" : "verdict fail")
      .Raw("\n");
}

void WriteTiles(Page& page, const RunReport& report) {
  const Counts c = Count(report);
  struct Tile {
    std::string_view label, css;
    int count;
  };
  const Tile tiles[] = {
      {"passed", "pass", c.pass},
      {"failed", "fail", c.fail},
      {"weak", "weak", c.weak},
      {"blocked", "blocked", c.blocked},
      {"in error", "error", c.error},
      {"info", "info", c.info},
      {"unsupported", "unsupported", c.unsupported},
      {"skipped", "skipped", c.skipped},
      {"known failures", "info", c.expected_fail},
      {"unexpected passes", "fail", c.unexpected_pass},
      {"flaky", "flaky", c.flaky},
  };
  page.Raw("<ul class=\"tiles\">\n");
  for (const Tile& tile : tiles) {
    if (tile.count == 0 && tile.label != "passed" && tile.label != "failed") continue;
    page.Raw("<li>").Element("b", std::to_string(tile.count), tile.css);
    page.Text(tile.label).Raw("</li>\n");
  }
  page.Raw("</ul>\n");
}

void WriteFeatures(Page& page, const RunReport& report) {
  if (report.features.empty()) return;
  page.Raw("<h2>What the server has</h2>\n<table><thead><tr><th>feature</th><th></th>");
  page.Raw("<th>how it is known</th></tr></thead><tbody>\n");
  for (const auto& [feature, state] : report.features) {
    page.Raw("<tr>").Element("td", ToString(feature));
    page.Element("td", state.present ? "yes" : "no", state.present ? "pass" : "unsupported");
    page.Element("td", state.how).Raw("</tr>\n");
  }
  page.Raw("</tbody></table>\n");
}

// What a row of the table says of a result.
std::string NoteText(const CaseResult& result) {
  const Verdict& v = result.verdict;
  switch (v.outcome) {
    case Outcome::kFail:
    case Outcome::kWeak:
      return "expected " + v.expected + "; actual " + v.actual;
    case Outcome::kInfo:
      return v.actual;
    case Outcome::kPass:
    case Outcome::kUnsupported:
    case Outcome::kSkipped:
    case Outcome::kBlocked:
    case Outcome::kError:
      break;
  }
  return v.reason;
}

void WriteSectionTable(Page& page, const SectionResults& section) {
  page.Raw("<h3>").Raw(ClauseLink({.rfc = section.rfc, .section = section.section}));
  page.Raw("</h3>\n<table><thead><tr><th>case</th><th>level</th><th>verdict</th><th></th></tr>");
  page.Raw("</thead><tbody>\n");
  for (const CaseResult* result : section.results) {
    const Case& test_case = *result->test_case;
    page.Raw("<tr><td>");
    if (HasArticle(*result)) {
      page.Raw("<a href=\"#").Text(test_case.id).Raw("\">");
      page.Element("code", test_case.id).Raw("</a>");
    } else {
      page.Element("code", test_case.id);
    }
    page.Raw("</td>");
    const Level level = test_case.clauses.empty() ? Level::kInfo : test_case.clauses.front().level;
    page.Element("td", ToString(level)).Element("td", OutcomeText(*result), OutcomeCss(*result));
    page.Raw("<td>").Text(test_case.title);
    const std::string note = NoteText(*result);
    if (!note.empty()) page.Raw("<br>").Element("span", note, "soft");
    page.Raw("</td></tr>\n");
  }
  page.Raw("</tbody></table>\n");
}

}  // namespace

std::string ToHtml(const RunReport& report) {
  Page page;
  page.Raw(PageHead("rtclab conform " + report.uri)).Raw("<body>\n");
  WriteTop(page, report);
  WriteTiles(page, report);
  for (const Chapter chapter : kChapters) WriteChapter(page, report, chapter);
  WriteFeatures(page, report);
  page.Raw("<h2>By section</h2>\n");
  for (const SectionResults& section : BySection(report)) WriteSectionTable(page, section);
  return page.Raw("</body>\n</html>\n").Take();
}

}  // namespace rtclab::conformance
