#include "scenarios/document.h"

#include <gtest/gtest.h>

namespace rtclab::scenarios {
namespace {

// Pointer and position of every value, in the order of the text.
void Places(const Node& node, const Origins& origins, std::vector<std::string>& out) {
  const Position at = origins.value(node.origin);
  out.push_back(origins.Pointer(node.origin) + "@" + std::to_string(at.line) + ":" +
                std::to_string(at.column));
  for (const Node& item : node.items) Places(item, origins, out);
  for (const Member& member : node.members) Places(member.value, origins, out);
}

TEST(DocumentTest, EveryValueKnowsWhereItStood) {
  const auto document = ParseDocument(
      "{\"a\" : [1 ,-2.5e3,\n  {\"\\\"b,:{\": null}],\n\t\"\xC3\xA9\":\"x\", \"t\": true}", "f");
  ASSERT_TRUE(document.has_value()) << document.error().ToString();
  std::vector<std::string> places;
  Places(document->root, document->origins, places);
  EXPECT_EQ(places, (std::vector<std::string>{"@1:1", "/a@1:8", "/a/0@1:9", "/a/1@1:12", "/a/2@2:3",
                                              "/a/2/\"b,:{@2:14", "/\xC3\xA9@3:6", "/t@3:16"}));
  EXPECT_EQ(document->origins.key(document->root.members[2].value.origin), (Position{3, 11}));
  EXPECT_EQ(document->root.ToJson().dump(),
            "{\"a\":[1,-2500.0,{\"\\\"b,:{\":null}],\"\xC3\xA9\":\"x\",\"t\":true}");
}

TEST(DocumentTest, SixtyFourLevelsAreFine) {
  EXPECT_TRUE(ParseDocument(std::string(64, '[') + std::string(64, ']'), "f").has_value());
  EXPECT_FALSE(ParseDocument(std::string(65, '[') + std::string(65, ']'), "f").has_value());
}

TEST(DocumentTest, MergingLaysOneObjectOverAnother) {
  const auto base = ParseDocument(R"({"a": {"x": 1, "y": 2}, "b": [1], "c": 3})", "f");
  const auto patch = ParseDocument(R"({"a": {"y": null, "z": 4}, "b": [2], "d": {"e": 5}})", "f");
  EXPECT_EQ(Merged(base->root, patch->root).ToJson().dump(),
            R"({"a":{"x":1,"z":4},"b":[2],"c":3,"d":{"e":5}})");
}

TEST(DocumentTest, AReportSaysEachThingOnceAndInOrder) {
  const auto document = ParseDocument("[1,\n2]", "f");
  Report report("f", document->origins, 10);
  report.Add(document->root.items[1].origin, "two");
  report.Add(document->root.items[0].origin, "one");
  report.Add(document->root.items[1].origin, "two");
  const std::vector<Diagnostic> all = report.Take();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].ToString(), "f:1:2: /0: one");
  EXPECT_EQ(all[1].ToString(), "f:2:1: /1: two");
}

TEST(DiagnosticTest, SuggestsTheNearestName) {
  const std::vector<std::string> names = {"full-cone", "symmetric"};
  EXPECT_EQ(Suggestion("symetric", names),
            "; did you mean \"symmetric\"? (one of: full-cone, symmetric)");
  EXPECT_EQ(Suggestion("Full-Cone", names),
            "; did you mean \"full-cone\"? (one of: full-cone, symmetric)");
  EXPECT_EQ(Suggestion("upnp", names), "; expected one of: full-cone, symmetric");
  EXPECT_EQ(Suggestion("x", {}), "");
}

TEST(DiagnosticTest, QuotesOnOneShortLine) {
  EXPECT_EQ(Quoted("a\"b\\\n"), "\"a\\\"b\\\\\\u000a\"");
  EXPECT_EQ(Quoted(std::string(100, 'x')).size(), 65u);
}

}  // namespace
}  // namespace rtclab::scenarios
