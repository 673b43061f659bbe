// Nonces that can be guessed, and requests that are sent a second time by somebody else.
#include <algorithm>
#include <string>
#include <vector>

#include "conformance/cases/safety/safety_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

std::size_t SecDifferences(std::string_view a, std::string_view b) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) out += a[i] != b[i];
  return out + std::max(a.size(), b.size()) - std::min(a.size(), b.size());
}

void SecNonceEntropy(Test& t) {
  constexpr std::size_t kNonces = 64;
  // Random nonces of eight hexadecimal digits are alike in all but two once in some 100,000 pairs; a counter, in nearly all of them.
  constexpr std::size_t kLeastDifferences = 3;
  constexpr std::size_t kPairsOfChance = 2;
  std::vector<std::string> nonces;
  std::size_t alike = 0;
  std::string example;
  for (std::size_t i = 0; i < kNonces; ++i) {
    t.SpendProbe();
    Client client = t.Connect();
    client.Challenge();
    for (const std::string& other : nonces) {
      t.Expect(other != client.nonce(), "another nonce on every 5-tuple",
               '"' + other + "\" a second time");
      if (SecDifferences(other, client.nonce()) >= kLeastDifferences) continue;
      ++alike;
      example = '"' + other + "\" and \"" + client.nonce() + '"';
    }
    nonces.push_back(client.nonce());
  }
  t.Expect(alike <= kPairsOfChance, "nonces that do not follow from each other",
           std::to_string(alike) + " pairs that are nearly alike: " + example);
}

void SecReplayOtherSource(Test& t) {
  t.SpendProbe(6);
  Client victim = t.Connect();
  victim.Allocate();
  const auto id = stun::NewTransactionId(t.rng());
  const Bytes captured = victim.Encode(AllocateRequest().TransactionId(id));
  if (victim.realm().empty()) t.Skip("the server asks for no credentials");
  Client attacker = t.Connect();
  t.Note("a captured request from another 5-tuple");
  const Response response = attacker.OnceRaw(captured, id, true);
  t.Expect(!response.success(), "438 to a request with another source's nonce",
           response.Describe() + ": an allocation for who only listened");
}

void SecReplayAfterDelete(Test& t) {
  t.SpendProbe(6);
  Client client = t.Connect();
  client.Allocate();
  const auto id = stun::NewTransactionId(t.rng());
  const TransportAddress peer{client.server().ip, 9};
  const Bytes captured =
      client.Encode(Request(stun::Method::kCreatePermission).PeerAddress(peer).TransactionId(id));
  if (!client.OnceRaw(captured, id, true).success())
    t.Skip("no permission for the server's own address");
  client.Release();
  t.Sleep(TimeDelta::Millis(1'200));  // some servers take a moment
  if (client.Call(Request(stun::Method::kRefresh).Lifetime(0)).code() != 437)
    t.Info("the allocation outlives its deletion; what a replay does cannot be told");
  const Response replayed = client.OnceRaw(captured, id, true);
  // A server may answer from its memory of transactions (RFC 5389 section 7.3.1); then there must be nothing behind it.
  if (!replayed.success()) return;
  const Response refresh = client.Call(Request(stun::Method::kRefresh));
  t.ExpectError(refresh, 437,
                "Refresh after a replayed CreatePermission, with the allocation deleted before");
}

}  // namespace

void AddSafetyReplay(CaseList& cases) {
  Needs user = SafetyNeeds({Feature::kTurn});
  user.credentials = true;
  cases.push_back({.id = "sec.nonce.entropy",
                   .title = "Nonces cannot be told from those of other 5-tuples",
                   .clauses = {SafetyRule("RFC 8656 section 5",
                                          "A nonce is random: who has seen some knows no other.")},
                   .needs = user,
                   .safety = true,
                   .run = SecNonceEntropy});
  cases.push_back({.id = "sec.nonce.cross-source",
                   .title = "A captured request makes no allocation from another 5-tuple",
                   .clauses = {SafetyRule("RFC 8489 section 9.2.4",
                                          "A nonce is good for one source address and port.")},
                   .needs = user,
                   .safety = true,
                   .run = SecReplayOtherSource});
  cases.push_back({.id = "sec.request.replay",
                   .title = "A captured request makes no state after the allocation is deleted",
                   .clauses = {SafetyRule("RFC 8489 section 9.2",
                                          "A request that is sent again brings nothing back.")},
                   .needs = user,
                   .safety = true,
                   .run = SecReplayAfterDelete});
}

}  // namespace rtclab::conformance
