#include "conformance/cases/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace rtclab::conformance {
namespace {

constexpr std::string_view kTableBegins = "<!-- coverage begins -->\n";
constexpr std::string_view kTableEnds = "<!-- coverage ends -->\n";

std::string SourceName(std::string_view rfc) {
  const bool number = !rfc.empty() && std::all_of(rfc.begin(), rfc.end(),
                                                  [](char c) { return c >= '0' && c <= '9'; });
  return number ? fmt::format("RFC {}", rfc) : std::string(rfc);
}

// Text inside a table's cell.
std::string Cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string Marks(const Case& c) {
  std::string out;
  if (c.slow) out += " (slow)";
  if (c.safety) out += " (safety)";
  if (c.edition == Edition::kClassic) out += " (5389+5766)";
  return out;
}

std::string CaseCell(const std::vector<const Case*>& cases, const Requirement& requirement) {
  std::string out;
  for (const Case* c : cases) {
    out += fmt::format("{}{}{}", out.empty() ? "" : ", ",
                       c->id == requirement.id ? "itself" : fmt::format("`{}`", c->id), Marks(*c));
  }
  return out.empty() ? "not covered: " + Cell(requirement.not_covered) : out;
}

}  // namespace

std::vector<const Case*> CoveringCases(const CaseList& cases, std::string_view requirement) {
  std::vector<const Case*> out;
  for (const Case& c : cases) {
    const bool named = std::find(c.covers.begin(), c.covers.end(), requirement) != c.covers.end();
    if (c.id == requirement || named) out.push_back(&c);
  }
  return out;
}

std::string CoverageTable(const CaseList& cases, std::span<const Requirement> requirements) {
  std::vector<std::string_view> sources;
  std::set<std::string_view> ids;
  for (const Requirement& r : requirements) {
    if (std::find(sources.begin(), sources.end(), r.rfc) == sources.end()) sources.push_back(r.rfc);
    ids.insert(r.id);
  }
  std::string summary =
      "| source | requirements | covered | not covered |\n| --- | --- | --- | --- |\n";
  std::string tables;
  for (const std::string_view source : sources) {
    int all = 0, covered = 0;
    tables += fmt::format(
        "\n### {}\n\n| requirement | section | what | cases |\n| --- | --- | --- | --- |\n",
        SourceName(source));
    for (const Requirement& r : requirements) {
      if (r.rfc != source) continue;
      const std::vector<const Case*> by = CoveringCases(cases, r.id);
      ++all;
      covered += by.empty() ? 0 : 1;
      tables +=
          fmt::format("| `{}` | {} | {} | {} |\n", r.id, r.section, Cell(r.title), CaseCell(by, r));
    }
    summary +=
        fmt::format("| {} | {} | {} | {} |\n", SourceName(source), all, covered, all - covered);
  }
  std::string further;
  for (const Case& c : cases) {
    if (ids.contains(c.id) || !c.covers.empty()) continue;
    further += fmt::format("| `{}`{} | {} | {} |\n", c.id, Marks(c),
                           c.clauses.empty() ? ""
                                             : SourceName(c.clauses.front().rfc) + " " +
                                                   std::string(c.clauses.front().section),
                           Cell(c.title));
  }
  if (!further.empty()) {
    tables += "\n### Further cases\n\n| case | section | what |\n| --- | --- | --- |\n" + further;
  }
  return fmt::format("{} cases, {} requirements.\n\n{}{}", cases.size(), requirements.size(),
                     summary, tables);
}

std::string ReplaceCoverage(std::string_view document, std::string_view table) {
  const std::size_t begin = document.find(kTableBegins);
  const std::size_t end = document.find(kTableEnds);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return "";
  std::string out(document.substr(0, begin + kTableBegins.size()));
  out += "\n";
  out += table;
  out += "\n";
  out += document.substr(end);
  return out;
}

}  // namespace rtclab::conformance
