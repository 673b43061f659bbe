#include "scenarios/runner/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace rtclab::scenarios {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(SelectionTest, FilterIsAPartOfTheIdOrAPattern) {
  EXPECT_TRUE(Matches("nat-matrix/a=cone,b=symmetric", ""));
  EXPECT_TRUE(Matches("nat-matrix/a=cone,b=symmetric", "symmetric"));
  EXPECT_TRUE(Matches("nat-matrix/a=cone,b=symmetric", "*a=cone*"));
  EXPECT_TRUE(Matches("x[1]", "x[1]")) << "an id with pattern characters is its own pattern";
  EXPECT_TRUE(Matches("ab", "?b"));
  EXPECT_FALSE(Matches("nat-matrix/a=cone,b=symmetric", "a=cone*"))
      << "patterns match the whole id";
  EXPECT_FALSE(Matches("nat-matrix", "matrices"));
}

TEST(SelectionTest, ShardsAreDisjointAndCompleteForEveryCount) {
  std::vector<std::string> ids;
  for (int i = 0; i < 37; ++i) ids.push_back((i % 3 == 0 ? "x" : "y") + std::to_string(i));
  for (const std::string& filter : {std::string(), std::string("x")}) {
    const std::vector<std::size_t> all = Select(ids, filter, {});
    for (int count = 1; count <= 40; ++count) {
      std::multiset<std::size_t> together;
      std::size_t largest = 0;
      std::size_t smallest = all.size();
      for (int index = 1; index <= count; ++index) {
        const std::vector<std::size_t> part = Select(ids, filter, {index, count});
        EXPECT_TRUE(std::is_sorted(part.begin(), part.end()));
        together.insert(part.begin(), part.end());
        largest = std::max(largest, part.size());
        smallest = std::min(smallest, part.size());
      }
      EXPECT_THAT(together, testing::ElementsAreArray(all)) << count;
      EXPECT_LE(largest - smallest, 1U);
    }
  }
}

TEST(SelectionTest, ShardTextIsChecked) {
  EXPECT_EQ(ParseShard("2/5")->index, 2);
  EXPECT_EQ(ParseShard("2/5")->count, 5);
  for (const char* bad : {"", "2", "0/5", "6/5", "2/", "/5", "2/5x", "-1/5", "2/0", "a/b",
                          "99999999999/99999999999"}) {
    const Result<Shard> shard = ParseShard(bad);
    ASSERT_FALSE(shard) << bad;
    EXPECT_THAT(shard.error().reason, HasSubstr("such as 2/5"));
  }
}

TEST(SelectionTest, FindsByExactIdBeforeParts) {
  const std::vector<std::string> ids = {"call", "call/a", "other"};
  EXPECT_THAT(Find(ids, "call"), ElementsAre(0));
  EXPECT_THAT(Find(ids, "ca"), ElementsAre(0, 1));
  EXPECT_THAT(Find(ids, "/a"), ElementsAre(1));
  EXPECT_THAT(Find(ids, "x"), IsEmpty());
}

TEST(SelectionTest, NearestNameForASlipNotForAnything) {
  const std::vector<std::string> names = {"check", "explain", "list", "presets", "run"};
  EXPECT_EQ(Nearest("explian", names), "explain");
  EXPECT_EQ(Nearest("lst", names), "list");
  EXPECT_EQ(Nearest("wireshark-plugin", names), "");
}

TEST(SelectionTest, SafeNamesAreFileNamesAndDiffer) {
  EXPECT_EQ(SafeName("quickstart-1"), "quickstart-1");
  const std::vector<std::string> ids = {"a/b",
                                        "a b",
                                        "a_b",
                                        "..",
                                        ".hidden",
                                        "",
                                        "a\nb",
                                        "\xC3\xA9",
                                        std::string(500, 'x'),
                                        std::string(501, 'x'),
                                        std::string(120, 'x')};
  std::set<std::string> names;
  for (const std::string& id : ids) {
    const std::string name = SafeName(id);
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._=+-"),
              std::string::npos);
    EXPECT_NE(name.front(), '.');
    EXPECT_LE(name.size(), 140U);
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

}  // namespace
}  // namespace rtclab::scenarios
