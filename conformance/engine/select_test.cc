// Which cases are run, and in which order.
#include <gmock/gmock.h>

#include <mutex>

#include "conformance/engine/engine_test_util.h"
#include "conformance/engine/test.h"

namespace rtclab::conformance {
namespace {

TEST(SelectTest, ChoosesByGlobLevelEditionSlowAndSafety) {
  CaseList cases = {MakeCase("turn.alloc.a", Passes),
                    MakeCase("turn.alloc.b", Passes, Level::kShould),
                    MakeCase("turn.perm.c", Passes, Level::kMay),
                    MakeCase("slow", Passes),
                    MakeCase("safe", Passes),
                    MakeCase("old", Passes),
                    MakeCase("new", Passes)};
  cases[3].slow = true;
  cases[4].safety = true;
  cases[5].edition = Edition::kClassic;
  cases[6].edition = Edition::kCurrent;
  const auto chosen = [&cases](const Target& target, const RunOptions& options) {
    std::string out;
    for (const Case* c : Select(cases, target, options)) out += std::string(c->id) + " ";
    return out;
  };
  Target target;
  RunOptions options;
  EXPECT_EQ(chosen(target, options), "turn.alloc.a turn.alloc.b turn.perm.c new ");
  options.level = LevelFilter::kShould;
  EXPECT_EQ(chosen(target, options), "turn.alloc.a turn.alloc.b new ");
  options.level = LevelFilter::kMust;
  options.slow = true;
  target.safety.enabled = true;
  target.edition = Edition::kClassic;
  EXPECT_EQ(chosen(target, options), "turn.alloc.a slow safe old ");
  options.level = LevelFilter::kAll;
  options.only = {"turn.*.?"};
  EXPECT_EQ(chosen(target, options), "turn.alloc.a turn.alloc.b turn.perm.c ");
  options.only = {"*.a", "old"};
  EXPECT_EQ(chosen(target, options), "turn.alloc.a old ");
}

std::mutex g_order_mutex;
std::string g_order;
void NotesItsPlace(Test& t) {
  const std::lock_guard lock(g_order_mutex);
  g_order += t.test_case().id;
}

TEST(RunTest, TheOrderIsDrawnFromTheSeed) {
  const FakeUdpServer server(KindAnswer);
  const Target target = FakeTarget(server.address(), Transport::kUdp, false);
  CaseList cases;
  for (const char* id : {"a", "b", "c", "d", "e", "f", "g"})
    cases.push_back(MakeCase(id, NotesItsPlace));
  cases[0].exclusive = true;
  const auto order = [&](bool shuffle, uint64_t seed) {
    RunOptions options;
    options.jobs = 1;
    options.shuffle = shuffle;
    options.seed = seed;
    g_order.clear();
    RunCases(cases, target, options);
    return g_order;
  };
  EXPECT_EQ(order(false, 1), "bcdefga");
  const std::string one = order(true, 1);
  EXPECT_EQ(order(true, 1), one);
  EXPECT_NE(order(true, 2), one);
  EXPECT_EQ(one.back(), 'a');
}

}  // namespace
}  // namespace rtclab::conformance
