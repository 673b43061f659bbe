// The catalogue holds together: ids, levels, quotations, coverage. Nothing is sent.
#include "conformance/cases/catalogue.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "conformance/cases/coverage.h"
#include "conformance/cases/requirements.h"

namespace rtclab::conformance {
namespace {

using ::testing::HasSubstr;

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

bool IsRfc(std::string_view source) {
  return !source.empty() &&
         std::all_of(source.begin(), source.end(), [](char c) { return c >= '0' && c <= '9'; });
}

TEST(CatalogueTest, IdsAreUniqueAndWellFormed) {
  std::set<std::string_view> seen;
  for (const Case& c : Catalogue()) {
    EXPECT_TRUE(seen.insert(c.id).second) << c.id << " stands twice";
    EXPECT_TRUE(!c.id.empty() && std::all_of(c.id.begin(), c.id.end(), [](char x) {
      return (x >= 'a' && x <= 'z') || (x >= '0' && x <= '9') || x == '.' || x == '-';
    })) << c.id;
    EXPECT_FALSE(c.title.empty()) << c.id;
    EXPECT_NE(c.run, nullptr) << c.id;
    EXPECT_FALSE(c.clauses.empty()) << c.id;
  }
  EXPECT_GT(seen.size(), 200u);
}

// The capital words that a quotation of this level has; none: it must have no MUST or SHALL.
std::vector<std::string_view> CapitalWords(Level level) {
  switch (level) {
    case Level::kMust:
      return {"MUST", "SHALL", "REQUIRED"};
    case Level::kMustNot:
      return {"MUST NOT", "SHALL NOT"};
    case Level::kShould:
      return {"SHOULD", "RECOMMENDED"};
    case Level::kShouldNot:
      return {"SHOULD NOT", "NOT RECOMMENDED"};
    case Level::kRecommended:
      return {"RECOMMENDED"};
    case Level::kMay:
      return {"MAY", "OPTIONAL"};
    default:
      return {};
  }
}

TEST(CatalogueTest, AQuotationIsShortAndHoldsTheCapitalWordOfItsLevel) {
  for (const Case& c : Catalogue()) {
    for (const Clause& clause : c.clauses) {
      std::istringstream words{std::string(clause.quote)};
      std::string word;
      int count = 0;
      while (words >> word) ++count;
      EXPECT_GT(count, 0) << c.id;
      EXPECT_TRUE(count <= 25 || !IsRfc(clause.rfc)) << c.id << ": " << clause.quote;
      const auto capitals = CapitalWords(clause.level);
      if (!capitals.empty()) {
        EXPECT_TRUE(std::any_of(capitals.begin(), capitals.end(),
                                [&](std::string_view capital) {
                                  return clause.quote.find(capital) != std::string_view::npos;
                                }))
            << c.id << " is " << ToString(clause.level) << ": " << clause.quote;
      } else if (clause.level == Level::kProse) {
        EXPECT_EQ(clause.quote.find("MUST"), std::string_view::npos)
            << c.id << ": " << clause.quote;
      }
    }
  }
}

std::string SingleSpaced(const std::string& text) {
  std::istringstream words(text);
  std::string word, out;
  while (words >> word) out += word + " ";
  return out;
}

// "7.2" of a line such as "7.2.  Receiving an Allocate Request", if the same stands in the table of contents; items of numbered lists look
// alike and don't.
std::string HeadingNumber(const std::string& line, const std::string& all) {
  std::istringstream words(line);
  std::string number, word;
  words >> number;
  if (number.size() < 2 || number.back() != '.' ||
      number.find_first_not_of("0123456789.") != std::string::npos) {
    return "";
  }
  std::string key = number;
  for (int i = 0; i < 3 && words >> word; ++i) key += " " + word;
  const std::size_t first = all.find(key);
  const bool twice = first != std::string::npos && all.find(key, first + 1) != std::string::npos;
  return twice && key != number ? number.substr(0, number.size() - 1) : "";
}

// An RFC's text by section, white space made single spaces, page headers and footers left out.
std::map<std::string, std::string> Sections(std::string text) {
  std::map<std::string, std::string> sections;
  // No-break spaces, as some tables of contents have them.
  for (std::size_t at = 0; (at = text.find("\xc2\xa0", at)) != std::string::npos;) {
    text.replace(at, 2, " ");
  }
  const std::string all = SingleSpaced(text);
  std::string section, line;
  std::istringstream lines(text);
  while (std::getline(lines, line)) {
    const std::size_t start = line.find_first_not_of(' ');
    const bool header = start != std::string::npos && line.compare(start, 4, "RFC ") == 0 &&
                        line.find("   ", start) != std::string::npos;
    const bool rule = start != std::string::npos && line.size() - start > 60 &&
                      line.find_first_not_of("-\f", start) == std::string::npos;
    if (header || rule || line.find("[Page ") != std::string::npos) continue;
    const std::string number = HeadingNumber(line, all);
    if (!number.empty()) section = number;
    sections[section] += SingleSpaced(line);
  }
  return sections;
}

TEST(CatalogueTest, EveryQuotationStandsInTheNamedSection) {
  const char* folder = std::getenv("RTCLAB_RFC_DIR");
  if (folder == nullptr) GTEST_SKIP() << "RTCLAB_RFC_DIR names no folder with the RFCs' texts";
  std::map<std::string, std::map<std::string, std::string>> rfcs;
  int checked = 0;
  for (const Case& c : Catalogue()) {
    for (const Clause& clause : c.clauses) {
      if (!IsRfc(clause.rfc)) continue;
      const std::string rfc(clause.rfc);
      if (!rfcs.contains(rfc))
        rfcs[rfc] = Sections(ReadAll(std::string(folder) + "/rfc" + rfc + ".txt"));
      ASSERT_FALSE(rfcs[rfc].empty()) << "no text of RFC " << rfc;
      bool found = false;
      std::string elsewhere;
      const std::string below = std::string(clause.section) + ".";
      for (const auto& [section, text] : rfcs[rfc]) {
        if (text.find(clause.quote) == std::string::npos) continue;
        found |= section == clause.section || section.starts_with(below);
        elsewhere += " " + section;
      }
      ++checked;
      EXPECT_TRUE(found) << c.id << ": not in RFC " << rfc << " section " << clause.section
                         << (elsewhere.empty() ? " nor elsewhere" : ", but in" + elsewhere) << ": "
                         << clause.quote;
    }
  }
  EXPECT_GT(checked, 200);
}

TEST(CatalogueTest, EveryRequirementIsCoveredOrSaysWhyNot) {
  std::set<std::string_view> ids;
  for (const Requirement& r : Requirements()) {
    EXPECT_TRUE(ids.insert(r.id).second) << r.id << " stands twice";
    const bool covered = !CoveringCases(Catalogue(), r.id).empty();
    EXPECT_NE(covered, !r.not_covered.empty())
        << r.id << (covered ? " is covered and says why not" : " has neither case nor reason");
    EXPECT_FALSE(r.title.empty()) << r.id;
    EXPECT_FALSE(r.rfc.empty()) << r.id;
  }
  for (const Case& c : Catalogue()) {
    for (const std::string_view covered : c.covers) {
      EXPECT_TRUE(ids.contains(covered))
          << c.id << " covers " << covered << ", which is no requirement";
    }
  }
}

TEST(CatalogueTest, TheReadmeHasTheTableOfCoverage) {
  const std::string path = RTCLAB_CASES_README;
  const std::string document = ReadAll(path);
  const std::string expected =
      ReplaceCoverage(document, CoverageTable(Catalogue(), Requirements()));
  ASSERT_FALSE(expected.empty()) << path << " has no marks for the table";
  if (document != expected && std::getenv("RTCLAB_UPDATE") != nullptr) {
    std::ofstream(path, std::ios::binary) << expected;
    return;
  }
  EXPECT_TRUE(document == expected) << "the table is out of date: RTCLAB_UPDATE=1 rewrites it";
}

TEST(CoverageTest, TheTableSaysWhatIsCoveredAndWhyNot) {
  const CaseList cases = {
      {.id = "a.one", .title = "one", .clauses = {}, .covers = {"a.two"}},
      {.id = "b.alone", .title = "alone", .clauses = {{"8656", "5", Level::kMust, "MUST"}}}};
  const std::array<Requirement, 3> requirements = {
      {{"a.one", "8489", "1", "First"},
       {"a.two", "8489", "2", "Second"},
       {"a.three", "8656", "3", "Third", "can't be seen"}}};
  const std::string table = CoverageTable(cases, requirements);
  EXPECT_THAT(table, HasSubstr("| RFC 8489 | 2 | 2 | 0 |"));
  EXPECT_THAT(table, HasSubstr("| RFC 8656 | 1 | 0 | 1 |"));
  EXPECT_THAT(table, HasSubstr("| `a.one` | 1 | First | itself |"));
  EXPECT_THAT(table, HasSubstr("| `a.two` | 2 | Second | `a.one` |"));
  EXPECT_THAT(table, HasSubstr("not covered: can't be seen"));
  EXPECT_THAT(table, HasSubstr("| `b.alone` | RFC 8656 5 | alone |"));
  EXPECT_EQ(ReplaceCoverage("x\n<!-- coverage begins -->\nold\n<!-- coverage ends -->\ny\n", "new"),
            "x\n<!-- coverage begins -->\n\nnew\n<!-- coverage ends -->\ny\n");
  EXPECT_EQ(ReplaceCoverage("no marks", "new"), "");
}

}  // namespace
}  // namespace rtclab::conformance
