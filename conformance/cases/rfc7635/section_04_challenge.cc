// RFC 7635 sections 4 and 6.1: how a server says that it takes tokens.
#include <string>

#include "conformance/cases/rfc7635/oauth_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

void OauthChallengeCase(Test& t) {
  Client client = t.Connect();
  const Response response = client.Once(AllocateRequest().Unsigned());
  t.ExpectError(response, 401, "an Allocate request without token");
  const auto name = response.view().Find(stun::AttributeType::kThirdPartyAuthorization);
  t.Expect(name.has_value(), "THIRD-PARTY-AUTHORIZATION in the 401", "none");
  t.Expect(response.Has(stun::AttributeType::kNonce), "NONCE in the 401", "none");
  const std::string text(AsString(*name));
  t.Expect(!text.empty(), "the server's name in THIRD-PARTY-AUTHORIZATION", "it is empty");
  const auto& oauth = t.target().oauth;
  t.Expect(!oauth || text == oauth->server_name,
           "THIRD-PARTY-AUTHORIZATION \"" + (oauth ? oauth->server_name : "") + '"',
           '"' + text + '"');
}

void OauthUnexpected(Test& t) {
  if (t.Supports(Feature::kOauth)) t.Skip("the server takes tokens");
  Client client = t.Connect();
  Bytes token(62);
  t.rng().Fill(token);
  token[0] = 0;
  token[1] = 12;
  t.ExpectError(client.Call(AllocateRequest().Attribute(stun::AttributeType::kAccessToken, token)),
                420, "ACCESS-TOKEN at a server that never offered third-party authorization");
}

}  // namespace

void AddRfc7635Section04(CaseList& cases) {
  constexpr std::string_view kRfc = "7635";
  cases.push_back({.id = "oauth.challenge",
                   .title = "The 401 names the server in THIRD-PARTY-AUTHORIZATION",
                   .clauses = {{kRfc, "4", Level::kProse,
                                "The STUN server also includes the additional STUN attribute "
                                "THIRD-PARTY-AUTHORIZATION"},
                               {kRfc, "6.1", Level::kProse,
                                "This attribute value contains the STUN server name."}},
                   .needs = OauthNeeds(),
                   .run = OauthChallengeCase});
  Needs turn;
  turn.features = {Feature::kTurn};
  cases.push_back({.id = "oauth.unexpected",
                   .title = "ACCESS-TOKEN gives 420 where tokens are not taken",
                   .clauses = {{kRfc, "7", Level::kProse,
                                "it will respond with an error code of 420 (Unknown Attribute) as "
                                "specified in Section 7.3.1 of [RFC5389]."}},
                   .needs = turn,
                   .run = OauthUnexpected});
}

}  // namespace rtclab::conformance
