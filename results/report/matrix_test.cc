#include "results/report/matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace rtclab::results {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<Digest> Pairs(const std::vector<std::string>& names, int seeds = 1) {
  std::vector<Digest> digests;
  for (const std::string& a : names) {
    for (const std::string& b : names) {
      for (int seed = 0; seed < seeds; ++seed) {
        Digest& d = digests.emplace_back();
        d.parameters = {{"nat_a", a}, {"nat_b", b}};
        d.outcome = a == b ? "host" : "srflx";
        d.setup_ms = 150.4 + seed;
      }
    }
  }
  return digests;
}

std::vector<std::string> Names(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back("port-restricted-nat" + std::to_string(i));
  return names;
}

std::size_t LongestLine(const std::string& text) {
  std::size_t longest = 0;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) longest = std::max(longest, Columns(line));
  return longest;
}

TEST(MatrixTest, NamesAndWordsWhereTheyFit) {
  const std::string table = MatrixTable(Pairs({"cone", "symmetric"}), {.width = 100});
  EXPECT_EQ(table,
            "nat_a \\ nat_b       cone  symmetric\n"
            "cone            host 150  srflx 150\n"
            "symmetric      srflx 150   host 150\n"
            "numbers: set-up time in virtual ms\n");
}

TEST(MatrixTest, SixteenBySixteenFitsWithAbbreviations) {
  const std::vector<Digest> digests = Pairs(Names(16));
  const std::string narrow = MatrixTable(digests, {.width = 120});
  EXPECT_LE(LongestLine(narrow), 120U) << narrow;
  EXPECT_THAT(narrow, HasSubstr("16 port-restricted-nat15"));
  EXPECT_THAT(narrow, HasSubstr("h host, s srflx"));
  EXPECT_LE(LongestLine(MatrixTable(digests, {.width = 180})), 180U);
  const std::string wide = MatrixTable(digests, {.width = 240});
  EXPECT_THAT(wide, HasSubstr("srflx 150"));
}

TEST(MatrixTest, IsAListWhereItDoesNotFit) {
  const std::string list = MatrixTable(Pairs(Names(16)), {.width = 40});
  EXPECT_LE(LongestLine(list), 40U) << list;
  EXPECT_THAT(list, HasSubstr("as a list: the matrix needs "));
  EXPECT_THAT(list, HasSubstr("port-restricted-nat3 \\\nport-restricted-nat3: host 150\n"));
  EXPECT_THAT(list, HasSubstr("numbers: set-up time"));
}

TEST(MatrixTest, FailedExpectationsAndMixedCellsShow) {
  std::vector<Digest> digests = Pairs({"x", "y"}, 3);
  digests[0].outcome = "relay";
  digests[0].verdict = Verdict::kFail;
  digests[11].outcome = "host";
  const std::string table = MatrixTable(digests, {.width = 100});
  EXPECT_THAT(table, HasSubstr("mixed 151!"));
  EXPECT_THAT(table, HasSubstr("!: an expectation failed"));
}

TEST(MatrixTest, OnlyTwoVaryingParametersMakeAMatrix) {
  std::vector<Digest> digests = Pairs({"x", "y"});
  EXPECT_NE(MatrixTable(digests, {}), "");
  for (std::size_t i = 0; i < digests.size(); ++i) digests[i].parameters["loss"] = i % 2;
  EXPECT_EQ(MatrixTable(digests, {}), "");
  const auto is_nat = [](std::string_view v) { return v == "x" || v == "y"; };
  EXPECT_THAT(MatrixTable(digests, {}, is_nat), HasSubstr("nat_a \\ nat_b"));
  EXPECT_EQ(MatrixTable(std::span(digests).first(1), {}), "");
  EXPECT_EQ(MatrixTable({}, {}), "");
}

TEST(MatrixTest, DifferentAxesGetALegendOfColumns) {
  std::vector<Digest> digests;
  for (int row = 0; row < 2; ++row) {
    for (const std::string& name : Names(8)) {
      Digest& d = digests.emplace_back();
      d.parameters = {{"loss", row}, {"nat", name}};
      d.outcome = "failed";
    }
  }
  EXPECT_THAT(MatrixTable(digests, {.width = 100}),
              HasSubstr("columns: 1 port-restricted-nat0, 2 port-restricted-nat1"));
}

TEST(MatrixTest, ColorsOnlyWhereAskedFor) {
  EXPECT_THAT(MatrixTable(Pairs({"x", "y"}), {.width = 100}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(MatrixTable(Pairs({"x", "y"}), {.width = 100, .tty = true, .color = true}),
              HasSubstr("\x1b[32mhost 150\x1b[0m"));
}

}  // namespace
}  // namespace rtclab::results
