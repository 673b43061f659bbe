// The suites that rtclab ships, as files: they load, and their runs are what they claim to be.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "scenarios/language.h"
#include "scenarios/test_util.h"

namespace rtclab::scenarios {
namespace {

TEST(SuitesTest, EveryOneLoadsAndItsIdsAreUnique) {
  std::set<std::string> names, ids;
  for (const auto& file : SuiteFiles()) {
    const LoadResult result = Load(file);
    for (const Diagnostic& d : result.diagnostics) ADD_FAILURE() << d.ToString();
    names.insert(result.suite);
    for (const RunSpec& run : result.runs) EXPECT_TRUE(ids.insert(run.id).second) << run.id;
  }
  EXPECT_EQ(names, (std::set<std::string>{"call", "data-throughput", "firewall", "ice-restart",
                                          "lossy", "nat-behaviours", "nat-matrix", "quickstart",
                                          "rmcat", "setup-time", "trickle", "turn"}));
}

TEST(SuitesTest, EveryRunHasAnExpectationOfItsOutcome) {
  for (const auto& file : SuiteFiles()) {
    for (const RunSpec& run : Load(file).runs) {
      for (const SessionSpec& session : run.sessions) {
        const bool judged =
            std::any_of(run.expectations.begin(), run.expectations.end(),
                        [&](const Expectation& e) { return e.subject == session.name; });
        EXPECT_TRUE(judged) << run.id;
      }
    }
  }
}

TEST(SuitesTest, TheQuickstartFitsInFifteenLines) {
  const std::string text = ReadText(RoomDirectory() / "suites" / "quickstart.json");
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 15);
  EXPECT_EQ(Load(RoomDirectory() / "suites" / "quickstart.json").runs.size(), 1u);
}

TEST(SuitesTest, TheMatrixHasEveryOrderedPairOfPresets) {
  const LoadResult result = Load(RoomDirectory() / "suites" / "nat-matrix.json");
  const std::size_t presets = NatPresetNames().size();
  EXPECT_EQ(presets, 16u);
  EXPECT_EQ(result.runs.size(), presets * presets);
  EXPECT_EQ(result.runs.front().id, "nat-matrix/left=none,right=none/seed=1");
}

}  // namespace
}  // namespace rtclab::scenarios
