#include "results/version.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace rtclab::results {
namespace {

TEST(VersionTest, BuildIsVersionAndRevisionAndNothingElse) {
  const std::string build(Build());
  ASSERT_TRUE(build.starts_with(std::string(Version()) + "+")) << build;
  const std::string revision = build.substr(Version().size() + 1);
  const std::string hash = revision.substr(0, revision.find('.'));
  if (hash != "unknown") {
    EXPECT_EQ(hash.size(), 12U);
    EXPECT_EQ(hash.find_first_not_of("0123456789abcdef"), std::string::npos);
  }
}

TEST(VersionTest, CarriesTheSchema) {
  const auto schema = nlohmann::json::parse(ResultsSchema());
  EXPECT_EQ(schema["properties"]["schema_version"]["const"], 1);
}

}  // namespace
}  // namespace rtclab::results
