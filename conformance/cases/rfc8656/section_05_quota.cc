// RFC 8656 sections 5 and 7.2 (10): how many allocations a user may have.
#include <string>
#include <utility>
#include <vector>

#include "conformance/cases/rfc8656/steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

constexpr int kMostAllocations = 64;  // a quota above that is not tried
constexpr int kUnknownQuota = 16;     // how many are tried where the profile names no quota

struct Filled {
  std::vector<Client> clients;
  Response refusal;
};

// Allocations for the first user until one is refused or there are `limit`.
Filled FillQuota(Test& t, int limit) {
  Filled filled;
  for (int i = 0; i < limit; ++i) {
    Client client = t.Connect();
    Response response = client.Call(AllocateRequest());
    if (!response.success()) {
      filled.refusal = std::move(response);
      break;
    }
    filled.clients.push_back(std::move(client));
  }
  return filled;
}

// The same, until the server has forgotten what others of the user's allocations were deleted just before.
Filled FillWholeQuota(Test& t, int quota) {
  constexpr int kAttempts = 4;
  constexpr TimeDelta kPause = TimeDelta::Millis(1'500);
  for (int i = 0; i < kAttempts; ++i) {
    Filled filled = FillQuota(t, quota + 1);
    if (static_cast<int>(filled.clients.size()) >= quota || filled.refusal.code() != 486)
      return filled;
    filled.clients.clear();
    t.Sleep(kPause);
  }
  t.Block("the user has other allocations: fewer than the quota of " + std::to_string(quota) +
          " can be made");
}

int QuotaOf(Test& t) {
  const auto quota = t.target().user_quota;
  if (quota && *quota > kMostAllocations)
    t.Skip("the quota of " + std::to_string(*quota) + " allocations is more than is tried");
  return quota.value_or(0);
}

void QuotaReached(Test& t) {
  const int quota = QuotaOf(t);
  const Filled filled = quota > 0 ? FillWholeQuota(t, quota) : FillQuota(t, kUnknownQuota);
  const auto held = std::to_string(filled.clients.size());
  if (!filled.refusal) {
    if (quota == 0) t.Info(held + " allocations of one user, and none refused");
    t.Fail("486 to allocation number " + std::to_string(quota + 1),
           held + " allocations of one user, and none refused");
  }
  t.ExpectError(filled.refusal, 486, "the allocation after " + held + " of one user");
}

void QuotaByUser(Test& t) {
  const int quota = QuotaOf(t);
  if (quota == 0) t.Skip("the target's profile names no user_quota");
  const Filled filled = FillWholeQuota(t, quota);
  if (filled.refusal.code() != 486) t.Block("the first user's quota can't be reached");
  Client other = t.ConnectAs(*t.target().second_user);
  t.ExpectSuccess(
      other.Call(AllocateRequest()),
      "Allocate of a second user whose neighbour on the same host has used up its quota");
}

}  // namespace

void AddRfc8656Section05Quota(CaseList& cases) {
  cases.push_back(
      {.id = "turn.gen.quota",
       .title =
           "A user has a limited number of allocations at a time; the next is refused with 486",
       .clauses = {{"8656", "5", Level::kRecommended,
                    "it is RECOMMENDED that the server impose limits on both the number of "
                    "allocations active at one time for a given username"},
                   {"8656", "5", Level::kProse,
                    "exceed the limit on the allowed number of allocations active at one time with "
                    "a 486 (Allocation Quota Exceeded)"}},
       .needs = TurnNeedsUser(),
       .exclusive = true,
       .run = QuotaReached});
  cases.push_back({.id = "turn.alloc.486-by-user",
                   .title = "The quota counts a user's allocations, not those of an address",
                   .clauses = {{"8656", "7.2", Level::kShould,
                                "it SHOULD define it based on the username used to authenticate "
                                "the request and not on the client's transport address."}},
                   .needs = TurnNeedsUser(true),
                   .exclusive = true,
                   .run = QuotaByUser});
}

}  // namespace rtclab::conformance
