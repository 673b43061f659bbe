#include "stack/ice/checklist.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/ice/priority.h"

namespace rtclab::ice {
namespace {

using testing::ElementsAre;

// A set that is filled by foundation number, as the columns of RFC 8445 table 1 and RFC 8838 section 12.
class ChecklistTest : public testing::Test {
 protected:
  int Local(ChecklistSet& set, int stream, int component, uint32_t foundation,
            uint32_t priority = 1000) {
    LocalCandidate l;
    l.stream = stream;
    l.foundation = foundation;
    l.conveyed = true;
    l.candidate.component = component;
    l.candidate.priority = priority;
    l.candidate.address = {IpAddress::V4(10, 0, 0, 1), next_port_++};
    return set.AddLocal(std::move(l));
  }
  int Remote(ChecklistSet& set, int stream, int component, std::string_view foundation,
             uint32_t priority = 1000) {
    RemoteCandidate r;
    r.stream = stream;
    r.foundation = set.RemoteFoundation(foundation);
    r.signalled = true;
    r.candidate.component = component;
    r.candidate.priority = priority;
    r.candidate.address = {IpAddress::V4(10, 0, 0, 2), next_port_++};
    return set.AddRemote(std::move(r));
  }
  static PairState State(ChecklistSet& set, int stream, int component,
                         std::string_view remote_foundation) {
    for (Pair& p : set.pairs()) {
      if (p.serial != 0 && p.stream == stream && p.component == component &&
          p.foundation_remote == set.RemoteFoundation(remote_foundation)) {
        return p.state;
      }
    }
    ADD_FAILURE() << "no such pair";
    return PairState::kFailed;
  }
  static Pair& PairOf(ChecklistSet& set, int stream, int component,
                      std::string_view remote_foundation) {
    for (Pair& p : set.pairs()) {
      if (p.serial != 0 && p.stream == stream && p.component == component &&
          p.foundation_remote == set.RemoteFoundation(remote_foundation)) {
        return p;
      }
    }
    std::abort();
  }
  static Pair* Pick(ChecklistSet& set, int stream) {
    bool triggered = false;
    return set.Pick(
        stream, [](const Pair&) { return true; }, triggered);
  }
  uint16_t next_port_ = 1;
};

constexpr auto F = PairState::kFrozen;
constexpr auto W = PairState::kWaiting;

TEST_F(ChecklistTest, InitialStatesAreThoseOfRfc8445Table1) {
  ChecklistSet set({1, 1, 1}, 100);
  for (int s = 0; s < 3; ++s) Local(set, s, 1, 1);
  for (const char* f : {"f1", "f2", "f3"}) Remote(set, 0, 1, f);
  for (const char* f : {"f1", "f2", "f3", "f4"}) Remote(set, 1, 1, f);
  for (const char* f : {"f1", "f5"}) Remote(set, 2, 1, f);
  set.FormAll(Role::kControlling);
  for (const char* f : {"f1", "f2", "f3"}) EXPECT_EQ(State(set, 0, 1, f), W) << f;
  for (const char* f : {"f1", "f2", "f3"}) EXPECT_EQ(State(set, 1, 1, f), F) << f;
  EXPECT_EQ(State(set, 1, 1, "f4"), W);
  EXPECT_EQ(State(set, 2, 1, "f1"), F);
  EXPECT_EQ(State(set, 2, 1, "f5"), W);
  EXPECT_EQ(set.count(W), 5);
  EXPECT_EQ(set.count(F), 4);
}

TEST_F(ChecklistTest, OfOneFoundationTheLowestComponentThenTheHighestPriorityWaits) {
  ChecklistSet set({2}, 100);
  Local(set, 0, 1, 1);
  Local(set, 0, 2, 1, 5000);
  Remote(set, 0, 2, "f", 9000);
  Remote(set, 0, 1, "f", 10);
  Remote(set, 0, 1, "f", 20);
  set.FormAll(Role::kControlling);
  EXPECT_EQ(set.count(W), 1);
  for (const Pair& p : set.pairs())
    EXPECT_EQ(p.state == W, p.component == 1 && p.remote_priority == 20);
}

// RFC 8838 section 12, tables 2 to 6.
TEST_F(ChecklistTest, TrickledPairsFollowTheThreeRules) {
  ChecklistSet set({2, 2}, 100);
  for (int s = 0; s < 2; ++s) {
    for (int c = 1; c <= 2; ++c) Local(set, s, c, 1);
  }
  for (const char* f : {"f1", "f2", "f3"}) Remote(set, 0, 1, f);
  for (const char* f : {"f1", "f2", "f3", "f4"}) Remote(set, 0, 2, f);
  Remote(set, 1, 1, "f1");
  Remote(set, 1, 2, "f1");
  set.FormAll(Role::kControlling);
  EXPECT_EQ(State(set, 0, 1, "f1"), W);
  EXPECT_EQ(State(set, 0, 2, "f1"), F);
  EXPECT_EQ(State(set, 0, 2, "f4"), W);
  EXPECT_EQ(State(set, 1, 1, "f1"), F);
  Pair& first = PairOf(set, 0, 1, "f1");
  set.SetState(first, PairState::kSucceeded);
  set.Unfreeze(first);  // table 3
  EXPECT_EQ(State(set, 0, 2, "f1"), W);
  EXPECT_EQ(State(set, 1, 1, "f1"), W);
  EXPECT_EQ(State(set, 1, 2, "f1"), W);
  EXPECT_EQ(State(set, 0, 2, "f2"), F);
  set.PairRemote(Remote(set, 0, 1, "f5"), Role::kControlling);  // table 4, rule 1
  EXPECT_EQ(State(set, 0, 1, "f5"), W);
  set.SetState(PairOf(set, 0, 1, "f5"), PairState::kSucceeded);
  set.PairRemote(Remote(set, 0, 2, "f5"), Role::kControlling);  // table 5, rule 2
  EXPECT_EQ(State(set, 0, 2, "f5"), W);
  set.PairRemote(Remote(set, 1, 1, "f3"), Role::kControlling);  // table 6, rule 3
  EXPECT_EQ(State(set, 1, 1, "f3"), F);
}

TEST_F(ChecklistTest, TricklingEverythingAtOnceDiffersInNothing) {
  ChecklistSet all({2}, 100), trickled({2}, 100);
  for (ChecklistSet* set : {&all, &trickled}) {
    next_port_ = 1;
    Local(*set, 0, 1, 1);
    Local(*set, 0, 2, 1);
    for (int c = 1; c <= 2; ++c) {
      for (uint32_t i = 0; i < 3; ++i) {
        const int r = Remote(*set, 0, c, "f" + std::to_string(i), 100 - i);
        if (set == &trickled) set->PairRemote(r, Role::kControlled);
      }
    }
  }
  all.FormAll(Role::kControlled);
  for (const char* f : {"f0", "f1", "f2"}) {
    for (int c = 1; c <= 2; ++c) EXPECT_EQ(State(all, 0, c, f), State(trickled, 0, c, f)) << f << c;
  }
}

TEST_F(ChecklistTest, RedundantPairsArePruned) {
  ChecklistSet set({1}, 100);
  const int host = Local(set, 0, 1, 1, 2000);
  LocalCandidate srflx;
  srflx.base = host;
  srflx.foundation = 2;
  srflx.conveyed = true;
  srflx.candidate.type = CandidateType::kServerReflexive;
  srflx.candidate.priority = 1000;
  srflx.candidate.address = {IpAddress::V4(192, 0, 2, 1), 1};
  set.AddLocal(srflx);
  Remote(set, 0, 1, "f1");
  set.FormAll(Role::kControlling);
  // The reflexive candidate's pair becomes its base's and goes (RFC 8445 section 6.1.2.4).
  ASSERT_EQ(set.live_pairs(), 1);
  EXPECT_EQ(set.pairs()[0].local, host);
  EXPECT_EQ(set.pairs()[0].local_priority, 2000u);
  // A better redundant pair takes the place of one that waits, but not of one that is being checked (RFC 8838 section 10).
  srflx.candidate.priority = 3000;
  set.PairLocal(set.AddLocal(srflx), Role::kControlling);
  EXPECT_EQ(set.live_pairs(), 1);
  EXPECT_EQ(set.pairs()[0].local_priority, 3000u);
  EXPECT_EQ(set.pairs()[0].foundation_local, 2u);
  set.SetState(set.pairs()[0], PairState::kInProgress);
  srflx.candidate.priority = 4000;
  set.PairLocal(set.AddLocal(srflx), Role::kControlling);
  EXPECT_EQ(set.live_pairs(), 1);
  EXPECT_EQ(set.pairs()[0].local_priority, 3000u);
}

TEST_F(ChecklistTest, FamiliesAndLinkLocalAddressesStayAmongThemselves) {
  struct {
    const char* local;
    const char* remote;
    bool paired;
  } const kCases[] = {{"10.0.0.1", "192.0.2.1", true},     {"10.0.0.1", "2001:db8::1", false},
                      {"fe80::1", "fe80::2", true},        {"fe80::1", "2001:db8::1", false},
                      {"2001:db8::1", "fe80::2", false},   {"169.254.0.1", "10.0.0.1", true},
                      {"2001:db8::1", "2001:db8::2", true}};
  for (const auto& test : kCases) {
    ChecklistSet set({1}, 100);
    const int l = Local(set, 0, 1, 1);
    const int r = Remote(set, 0, 1, "f");
    set.local(l).candidate.address.ip = *IpAddress::Parse(test.local);
    set.remote(r).candidate.address.ip = *IpAddress::Parse(test.remote);
    set.FormAll(Role::kControlling);
    EXPECT_EQ(set.live_pairs() == 1, test.paired) << test.local << " " << test.remote;
  }
}

TEST_F(ChecklistTest, TheLimitDropsTheWorstPairsEvenly) {
  ChecklistSet set({1, 1}, 10);
  for (int s = 0; s < 2; ++s) Local(set, s, 1, 1);
  for (uint32_t i = 1; i <= 20; ++i) Remote(set, 0, 1, "f" + std::to_string(i), i);
  for (uint32_t i = 1; i <= 20; ++i) Remote(set, 1, 1, "g" + std::to_string(i), i);
  set.FormAll(Role::kControlling);
  EXPECT_EQ(set.live_pairs(), 10);
  EXPECT_EQ(set.list(0).pairs, 5);
  EXPECT_EQ(set.list(1).pairs, 5);
  for (const Pair& p : set.pairs()) {
    if (p.serial != 0) {
      EXPECT_GT(p.remote_priority, 15u);
    }
  }
}

TEST_F(ChecklistTest, FailedPairsMakeRoomFirst) {
  ChecklistSet set({1}, 2);
  Local(set, 0, 1, 1);
  Remote(set, 0, 1, "f1", 900);
  Remote(set, 0, 1, "f2", 100);
  set.FormAll(Role::kControlling);
  set.SetFailed(PairOf(set, 0, 1, "f1"), FailureCause::kTimeout);
  set.PairRemote(Remote(set, 0, 1, "f3", 50), Role::kControlling);
  EXPECT_EQ(set.live_pairs(), 2);
  EXPECT_EQ(State(set, 0, 1, "f2"), W);
  EXPECT_EQ(State(set, 0, 1, "f3"), W);
  // Neither failed nor worse: the new one goes.
  set.PairRemote(Remote(set, 0, 1, "f4", 20), Role::kControlling);
  for (const Pair& p : set.pairs()) EXPECT_NE(p.remote_priority, 20u);
}

TEST_F(ChecklistTest, PicksTriggeredThenWaitingByPriorityThenUnfreezesIdleFoundations) {
  ChecklistSet set({1}, 100);
  Local(set, 0, 1, 1);
  Remote(set, 0, 1, "f1", 30);
  Remote(set, 0, 1, "f1", 20);  // frozen behind the first
  Remote(set, 0, 1, "f2", 10);
  set.FormAll(Role::kControlling);
  Pair& low = PairOf(set, 0, 1, "f2");
  set.Trigger(low);
  set.Trigger(low);  // once is enough
  bool triggered = false;
  const auto any = [](const Pair&) { return true; };
  Pair* pick = set.Pick(0, any, triggered);
  ASSERT_EQ(pick, &low);
  EXPECT_TRUE(triggered);
  set.SetState(low, PairState::kInProgress);
  pick = set.Pick(0, any, triggered);
  ASSERT_NE(pick, nullptr);
  EXPECT_EQ(pick->remote_priority, 30u);
  EXPECT_FALSE(triggered);
  set.SetState(*pick, PairState::kInProgress);
  // The foundation is being checked: its other pair stays frozen.
  EXPECT_EQ(Pick(set, 0), nullptr);
  set.SetFailed(*pick, FailureCause::kTimeout);
  Pair* last = Pick(set, 0);
  ASSERT_NE(last, nullptr);
  EXPECT_EQ(last->remote_priority, 20u);
}

TEST_F(ChecklistTest, PairsWithoutPermissionArePassedOver) {
  ChecklistSet set({1}, 100);
  Local(set, 0, 1, 1);
  Remote(set, 0, 1, "f1", 30);
  Remote(set, 0, 1, "f2", 20);
  set.FormAll(Role::kControlling);
  bool triggered = false;
  Pair* pick = set.Pick(
      0, [](const Pair& p) { return p.remote_priority != 30; }, triggered);
  ASSERT_NE(pick, nullptr);
  EXPECT_EQ(pick->remote_priority, 20u);
}

TEST_F(ChecklistTest, PrioritiesFollowTheRole) {
  ChecklistSet set({1}, 100);
  Local(set, 0, 1, 1, 500);
  Remote(set, 0, 1, "f1", 400);
  set.FormAll(Role::kControlling);
  EXPECT_EQ(set.pairs()[0].priority, PairPriority(500, 400));
  set.RecomputePriorities(Role::kControlled);
  EXPECT_EQ(set.pairs()[0].priority, PairPriority(400, 500));
}

TEST_F(ChecklistTest, SlotsAreReusedUnderAnotherSerial) {
  ChecklistSet set({1}, 100);
  Local(set, 0, 1, 1);
  Remote(set, 0, 1, "f1");
  set.FormAll(Role::kControlling);
  const PairRef old = set.RefOf(set.pairs()[0]);
  set.Trigger(set.pairs()[0]);
  set.Remove(set.pairs()[0]);
  EXPECT_FALSE(set.AnyTriggered());
  EXPECT_EQ(set.Find(old), nullptr);
  set.PairRemote(Remote(set, 0, 1, "f2"), Role::kControlling);
  EXPECT_EQ(set.pairs().size(), 1u);
  EXPECT_EQ(set.Find(old), nullptr);
  EXPECT_NE(set.Find(set.RefOf(set.pairs()[0])), nullptr);
}

}  // namespace
}  // namespace rtclab::ice
