// RFC 7635 section 9: what is particular to TURN.
#include <string>

#include "conformance/cases/rfc7635/oauth_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

constexpr uint32_t kOauthShort = 300;
constexpr uint32_t kOauthLong = 3'600;

uint32_t OauthLifetimeIn(Test& t, const Response& response, std::string_view what) {
  t.ExpectSuccess(response, what);
  const auto lifetime = response.view().GetU32(stun::AttributeType::kLifetime);
  t.Expect(lifetime.has_value(), "LIFETIME in the response", "none");
  return *lifetime;
}

void OauthExpectCapped(Test& t, uint32_t lifetime) {
  // The formula that the same paragraph recommends adds Delta, 5 s, to what the MUST allows.
  t.Expect(lifetime <= kOauthShort + 5, "LIFETIME of at most the token's 300 s, and Delta",
           std::to_string(lifetime) + " s");
}

Request OauthRefreshRequest(Test& t, const OauthToken& token, uint32_t lifetime_s) {
  return Request(stun::Method::kRefresh)
      .Lifetime(lifetime_s)
      .Attribute(stun::AttributeType::kAccessToken, token.value)
      .Sign(OauthSigning(t, token));
}

void OauthCapAllocate(Test& t) {
  const OauthToken token = MakeOauthToken(t, {.lifetime_s = kOauthShort});
  Client client = OauthConnect(t);
  OauthExpectCapped(
      t, OauthLifetimeIn(t, OauthCall(client, OauthAllocate(t, token).Lifetime(kOauthLong)),
                         "Allocate with a token of 300 s"));
}

void OauthCapRefresh(Test& t) {
  const OauthToken token = MakeOauthToken(t, {.lifetime_s = kOauthShort});
  OauthAllocated open = OauthOpen(t, token);
  OauthExpectCapped(
      t, OauthLifetimeIn(t, OauthCall(open.client, OauthRefreshRequest(t, token, kOauthLong)),
                         "Refresh with a token of 300 s"));
}

void OauthReuse(Test& t) {
  const OauthToken token = MakeOauthToken(t);
  const OauthAllocated first = OauthOpen(t, token);
  Client second = OauthConnect(t);
  t.ExpectSuccess(OauthCall(second, OauthAllocate(t, token)),
                  "a second Allocate with the same token");
}

void OauthNewToken(Test& t) {
  const OauthToken token = MakeOauthToken(t);
  OauthAllocated open = OauthOpen(t, token);
  const OauthToken next = MakeOauthToken(t);
  t.ExpectSuccess(OauthCall(open.client, OauthRefreshRequest(t, next, 600)),
                  "Refresh with a new token");
}

void OauthWithoutToken(Test& t) {
  Peer peer = t.OpenPeer();
  const OauthToken token = MakeOauthToken(t);
  OauthAllocated open = OauthOpen(t, token);
  const Request request = Request(stun::Method::kCreatePermission)
                              .PeerAddress(peer.address())
                              .Sign(OauthSigning(t, token));
  t.ExpectSuccess(OauthCall(open.client, request),
                  "CreatePermission signed with the session key, without the token");
}

}  // namespace

void AddRfc7635Section09(CaseList& cases) {
  constexpr std::string_view kRfc = "7635";
  const Clause cap{kRfc, "9", Level::kMust,
                   "Refresh responses MUST be less than or equal to the lifetime of the token."};
  cases.push_back({.id = "oauth.lifetime-cap",
                   .title = "An allocation is granted for no longer than its token",
                   .clauses = {cap},
                   .needs = OauthNeeds(),
                   .run = OauthCapAllocate});
  cases.push_back({.id = "oauth.lifetime-cap-refresh",
                   .title = "A Refresh is granted for no longer than its token",
                   .clauses = {cap},
                   .needs = OauthNeeds(),
                   .run = OauthCapRefresh});
  cases.push_back({.id = "oauth.reuse",
                   .title = "A token is good for several allocations",
                   .clauses = {{kRfc, "9", Level::kProse,
                                "The access token can be reused for multiple Allocate requests to "
                                "the same TURN server."}},
                   .needs = OauthNeeds(),
                   .run = OauthReuse});
  cases.push_back({.id = "oauth.new-token",
                   .title = "A new token refreshes the allocation of an older one",
                   .clauses = {{kRfc, "9", Level::kMust,
                                "The client MUST use the new token to refresh existing "
                                "allocations."}},
                   .needs = OauthNeeds(),
                   .run = OauthNewToken});
  Needs peer = OauthNeeds();
  peer.peer = PeerNeed::kAny;
  cases.push_back({.id = "oauth.no-token-needed",
                   .title = "Requests other than Allocate and Refresh need no token",
                   .clauses = {{kRfc, "9", Level::kMust,
                                "The TURN client MUST include the ACCESS- TOKEN attribute only in "
                                "Allocate and Refresh requests."}},
                   .needs = peer,
                   .run = OauthWithoutToken});
}

}  // namespace rtclab::conformance
