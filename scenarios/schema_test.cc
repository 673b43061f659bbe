#include "scenarios/schema.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "scenarios/language.h"
#include "scenarios/test_util.h"

namespace rtclab::scenarios {
namespace {

// RTCLAB_UPDATE=1 writes the file anew.
TEST(SchemaTest, ThePublishedFileIsWhatTheTablesSay) {
  const auto file = RoomDirectory() / "scenario.schema.json";
  const std::string expected = ScenarioSchema().dump(2) + "\n";
  if (std::getenv("RTCLAB_UPDATE") != nullptr) std::ofstream(file, std::ios::binary) << expected;
  EXPECT_EQ(ReadText(file), expected)
      << "run this test with RTCLAB_UPDATE=1 after a change of the language";
}

TEST(SchemaTest, OffersEveryPreset) {
  const Json schema = ScenarioSchema();
  for (const auto& [name, presets] :
       {std::pair("nat-preset", NatPresetNames()), std::pair("link-preset", LinkPresetNames()),
        std::pair("firewall-preset", FirewallPresetNames())}) {
    EXPECT_EQ(schema["definitions"][name]["anyOf"][0]["enum"], Json(presets)) << name;
  }
}

TEST(SchemaTest, DescribesEveryKey) {
  const Json schema = ScenarioSchema();
  for (const auto& [name, definition] : schema["definitions"].items()) {
    if (!definition.contains("properties")) continue;
    for (const auto& [key, property] : definition["properties"].items()) {
      EXPECT_TRUE(property.contains("description") &&
                  property["description"].get<std::string>().size() > 4)
          << name << "." << key;
    }
  }
}

}  // namespace
}  // namespace rtclab::scenarios
