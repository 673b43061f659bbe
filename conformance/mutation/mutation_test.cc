// That the catalogue catches faults, and that it finds none where there is none.
//
// With RTCLAB_UPDATE set the whole catalogue runs against every fault, which takes a while, and the table in README.md is written anew.
// RTCLAB_FAULTS is what the names of the faults to look at begin with ("code-4").
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <thread>

#include "conformance/cases/catalogue.h"
#include "conformance/engine/runner.h"
#include "conformance/mutation/fault.h"
#include "conformance/mutation/faulty_server.h"

namespace rtclab::conformance {
namespace {

// 300 s become 7.5 s: the few seconds that slow cases leave between "still there" and "gone" stay above 100 ms.
constexpr int kSlowClock = 40;
constexpr int kFaultsAtOnce = 12;
constexpr int kUpdateAtOnce = 10;

bool Updating() { return std::getenv("RTCLAB_UPDATE") != nullptr; }

const Case* FindCase(std::string_view id) {
  for (const Case& one : Catalogue()) {
    if (one.id == id) return &one;
  }
  return nullptr;
}

// The whole catalogue or these cases; what is slow on a server of its own whose clock runs fast.
std::vector<CaseResult> RunOn(const Fault* fault, const std::vector<std::string_view>& only,
                              bool repeat, int jobs) {
  std::vector<CaseResult> results;
  CaseList ordinary, slow;
  bool secure = only.empty();
  for (const Case& one : Catalogue()) {
    if (!only.empty() && std::find(only.begin(), only.end(), one.id) == only.end()) continue;
    (one.slow ? slow : ordinary).push_back(one);
    const auto transport = one.needs.transport.value_or(Transport::kUdp);
    secure = secure || transport == Transport::kTls || transport == Transport::kDtls;
  }
  // Nonces that end soon, for the cases that wait for that and nothing else; names that end, for those that need them.
  const auto take = [](CaseList& from, std::initializer_list<std::string_view> ids) {
    CaseList taken;
    std::erase_if(from, [&](const Case& one) {
      if (std::find(ids.begin(), ids.end(), one.id) == ids.end()) return false;
      taken.push_back(one);
      return true;
    });
    return taken;
  };
  const CaseList nonce = take(slow, {"stun.lt.stale-expired", "turn.gen.nonce-hourly"});
  const CaseList names = take(ordinary, {"sec.auth.expired-rest", "sec.auth.forged-rest"});
  std::vector<CaseResult> parts[4];
  const auto run = [&](const CaseList& cases, ServerPlan plan, std::vector<CaseResult>& part) {
    if (cases.empty()) return;
    plan.fault = fault;
    const FaultyServer server(plan);
    RunReport report = Run(cases, server.target(), {.slow = true, .jobs = jobs, .repeat = repeat});
    EXPECT_TRUE(report.complete) << (fault == nullptr ? "" : fault->id) << ": "
                                 << report.incomplete_why;
    // `cases` ends before the results.
    for (CaseResult& result : report.results) result.test_case = FindCase(result.test_case->id);
    part = std::move(report.results);
  };
  std::thread waiting([&] { run(slow, {.clock_speed = kSlowClock, .secure = secure}, parts[1]); });
  std::thread stale(
      [&] { run(nonce, {.clock_speed = kSlowClock, .nonce_lifetime_s = 120}, parts[2]); });
  run(names, {.secure = false, .time_limited = true}, parts[3]);
  run(ordinary, {.secure = secure, .redirecting = only.empty()}, parts[0]);
  waiting.join();
  stale.join();
  for (auto& part : parts) {
    std::move(part.begin(), part.end(), std::back_inserter(results));
  }
  return results;
}

bool Failed(const CaseResult& result) {
  return result.verdict.outcome == Outcome::kFail || result.verdict.outcome == Outcome::kWeak;
}

bool Names(const Case& test_case, const Fault& fault) {
  return std::any_of(test_case.clauses.begin(), test_case.clauses.end(), [&](const Clause& c) {
    return c.rfc == fault.rfc && c.section == fault.section;
  });
}

std::string Describe(const CaseResult& result) {
  const Verdict& verdict = result.verdict;
  return fmt::format("{}: {} {}{}{}", result.test_case->id, ToString(verdict.outcome),
                     verdict.reason, verdict.expected.empty() ? "" : "expected " + verdict.expected,
                     verdict.actual.empty() ? "" : ", got " + verdict.actual);
}

// --- The right server.

void ExpectClean(const std::vector<CaseResult>& results) {
  std::map<Outcome, int> counts;
  for (const CaseResult& result : results) {
    const Outcome outcome = result.verdict.outcome;
    ++counts[outcome];
    EXPECT_TRUE(outcome != Outcome::kFail && outcome != Outcome::kWeak &&
                outcome != Outcome::kBlocked && outcome != Outcome::kError)
        << Describe(result);
    if (outcome == Outcome::kSkipped || outcome == Outcome::kUnsupported)
      fmt::print("  {}\n", Describe(result));
    if (result.flaky) fmt::print("  flaky: {}: {}\n", result.test_case->id, result.first_failure);
  }
  for (const auto& [outcome, count] : counts) fmt::print("  {} {}\n", count, ToString(outcome));
}

TEST(MutationTest, TheRightServerFailsNothing) { ExpectClean(RunOn(nullptr, {}, true, 16)); }

void ExpectPasses(ServerPlan plan, std::initializer_list<std::string_view> ids) {
  plan.secure = false;
  const FaultyServer server(plan);
  CaseList cases;
  for (const std::string_view id : ids) cases.push_back(*FindCase(id));
  const RunReport report = Run(cases, server.target(), RunOptions{});
  ASSERT_TRUE(report.complete) << report.incomplete_why;
  for (const CaseResult& result : report.results) {
    EXPECT_EQ(result.verdict.outcome, Outcome::kPass) << Describe(result);
  }
}

// What a server that has everything can't show.
TEST(MutationTest, ARightServerWithLessFailsNothing) {
  ExpectPasses({.kind = ServerPlan::Kind::kPlain},
               {"stun.lt.opaquestring", "stun.lt.md5-key", "stun.lt.sha256-key", "stun.lt.userhash",
                "turn.alloc.aaf-partial", "turn.alloc.aec-format", "mob.alloc.forbidden",
                "oauth.unexpected", "nat.change-unsupported", "nat.change-unsupported-no-flag"});
  ExpectPasses({.kind = ServerPlan::Kind::kIpv6Relay}, {"turn.alloc.raf-absent-no-v4"});
}

// --- The faults.

struct Caught {
  std::vector<std::string_view> failed;   // that name the clause
  std::vector<std::string_view> besides;  // the others
  std::string told;                       // what became of those expected
};

Caught Try(const Fault& fault, bool everything) {
  Caught caught;
  std::vector<CaseResult> results;
  if (everything) results = RunOn(&fault, {}, true, 8);
  if (!fault.killers.empty()) {
    // Also alone: where nothing is ever deleted, the catalogue as a whole fills the quota.
    for (CaseResult& alone : RunOn(&fault, fault.killers, everything, 4)) {
      const auto same = std::find_if(results.begin(), results.end(), [&](const CaseResult& r) {
        return r.test_case == alone.test_case;
      });
      if (same == results.end()) {
        results.push_back(std::move(alone));
      } else if (Failed(alone)) {
        *same = std::move(alone);
      }
    }
  }
  for (const CaseResult& result : results) {
    const std::string_view id = result.test_case->id;
    if (Failed(result)) {
      (Names(*result.test_case, fault) ? caught.failed : caught.besides).push_back(id);
    }
    if (std::find(fault.killers.begin(), fault.killers.end(), id) != fault.killers.end())
      caught.told += "\n  " + Describe(result);
  }
  return caught;
}

// Cases that wait are begun first.
std::vector<const Fault*> InOrder() {
  const char* begin = std::getenv("RTCLAB_FAULTS");
  std::vector<const Fault*> order;
  for (const Fault& fault : Faults()) {
    if (begin == nullptr || fault.id.starts_with(begin)) order.push_back(&fault);
  }
  const auto waits = [](const Fault* fault) {
    return std::any_of(fault->killers.begin(), fault->killers.end(), [](std::string_view id) {
      const Case* one = FindCase(id);
      return one != nullptr && one->slow;
    });
  };
  std::stable_partition(order.begin(), order.end(), waits);
  return order;
}

std::map<std::string_view, Caught> TryAll(bool everything) {
  const std::vector<const Fault*> faults = InOrder();
  std::vector<Caught> caught(faults.size());
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  const int count = everything ? kUpdateAtOnce : kFaultsAtOnce;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&] {
      for (std::size_t at = next++; at < faults.size(); at = next++) {
        caught[at] = Try(*faults[at], everything);
        if (everything) fmt::print(stderr, "{} of {}: {}\n", at + 1, faults.size(), faults[at]->id);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::map<std::string_view, Caught> all;
  for (std::size_t i = 0; i < faults.size(); ++i) all[faults[i]->id] = std::move(caught[i]);
  return all;
}

// --- The table.

constexpr std::string_view kBegin = "<!-- faults: begin -->\n";
constexpr std::string_view kEnd = "<!-- faults: end -->\n";

std::string RowBegin(const Fault& fault) {
  const std::string clause = fault.section.empty()
                                 ? std::string(fault.rfc)
                                 : fmt::format("RFC {} section {}", fault.rfc, fault.section);
  return fmt::format("| `{}` | {} | {} | ", fault.id, fault.what, clause);
}

std::string ReadReadme() {
  std::ifstream file(RTCLAB_MUTATION_README);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Table(const std::map<std::string_view, Caught>& all) {
  std::string table = "| fault | the server ... | breaks | cases that fail |\n| - | - | - | - |\n";
  for (const Fault& fault : Faults()) {
    const Caught& caught = all.at(fault.id);
    std::string cases;
    for (const std::string_view id : caught.failed)
      cases += fmt::format("{}`{}`", cases.empty() ? "" : ", ", id);
    if (!caught.besides.empty()) {
      cases += fmt::format("{}{} more", cases.empty() ? "" : ", ", caught.besides.size());
    }
    if (caught.failed.empty()) cases = fmt::format("none: {}", fault.survives);
    table += RowBegin(fault) + cases + " |\n";
  }
  return table;
}

void WriteReadme(const std::string& table) {
  std::string text = ReadReadme();
  const std::size_t begin = text.find(kBegin), end = text.find(kEnd);
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos);
  text.replace(begin + kBegin.size(), end - begin - kBegin.size(), table);
  std::ofstream(RTCLAB_MUTATION_README) << text;
}

TEST(MutationTest, EveryFaultIsCaughtAndItsClauseNamed) {
  const auto all = TryAll(Updating());
  int survivors = 0;
  for (const auto& [id, caught] : all) {
    const Fault& fault = *std::find_if(Faults().begin(), Faults().end(),
                                       [name = id](const Fault& f) { return f.id == name; });
    if (!caught.failed.empty()) {
      EXPECT_TRUE(fault.survives.empty()) << id << " is caught after all";
      continue;
    }
    ++survivors;
    EXPECT_FALSE(fault.survives.empty())
        << id << " survives. It " << fault.what << "." << caught.told;
  }
  EXPECT_LE(survivors * 20, static_cast<int>(Faults().size())) << "more than 5 % survive";
  if (Updating() && std::getenv("RTCLAB_FAULTS") == nullptr) WriteReadme(Table(all));
}

TEST(MutationTest, FaultsAreWellFormedAndDistinct) {
  std::set<std::string_view> ids, texts;
  for (const Fault& fault : Faults()) {
    EXPECT_TRUE(ids.insert(fault.id).second) << fault.id;
    EXPECT_TRUE(texts.insert(fault.what).second) << fault.what;
    EXPECT_EQ(fault.killers.empty(), !fault.survives.empty()) << fault.id;
    for (const std::string_view killer : fault.killers) {
      const Case* one = FindCase(killer);
      ASSERT_NE(one, nullptr) << fault.id << ": " << killer;
      EXPECT_TRUE(Names(*one, fault)) << fault.id << " breaks RFC " << fault.rfc << " section "
                                      << fault.section << ", and " << killer << " does not say so";
    }
  }
  EXPECT_GE(ids.size(), 70u);
}

TEST(MutationTest, TheTableIsThatOfTheFaults) {
  const std::string text = ReadReadme();
  std::size_t at = text.find(kBegin);
  ASSERT_NE(at, std::string::npos);
  for (const Fault& fault : Faults()) {
    const std::size_t row = text.find(RowBegin(fault), at);
    ASSERT_NE(row, std::string::npos)
        << fault.id << ": the table is out of date: RTCLAB_UPDATE=1 rewrites it";
    const std::size_t end = text.find('\n', row);
    const std::string_view line(text.data() + row, end - row);
    for (const std::string_view killer : fault.killers) {
      EXPECT_NE(line.find(fmt::format("`{}`", killer)), std::string_view::npos)
          << fault.id << ": " << killer << " did not fail when the table was made";
    }
    at = end;
  }
}

}  // namespace
}  // namespace rtclab::conformance
