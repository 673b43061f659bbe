// RFC 8489 sections 10 and 14.8: redirecting to another server.
#include <fmt/format.h>

#include "conformance/cases/rfc8489/stun_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;

Client AltConnect(Test& t) {
  if (!t.target().redirecting) t.Skip("the target's profile names no endpoint that redirects");
  return t.Connect({.server = *t.target().redirecting});
}

// The 300 to an authenticated request; blocked without one.
Response AltRedirect(Test& t, Client& client) {
  const Response first = client.Once(AllocateRequest().Unsigned());
  if (first.code() == 300) return first;
  Response response = client.Call(AllocateRequest());
  if (response.code() != 300) t.Block("no 300 but " + response.Describe());
  return response;
}

void AltAuthenticated(Test& t) {
  Client client = AltConnect(t);
  const Response first = client.Once(AllocateRequest().Unsigned());
  if (!first) t.Block("no answer to an unsigned Allocate request");
  t.Expect(first.code() != 300, "no 300 to an unsigned request", first.Describe());
  const Response response = client.Call(AllocateRequest());
  if (response.code() != 300) t.Block("no 300 but " + response.Describe());
  t.Expect(client.Authentic(response), "a 300 with an integrity attribute that holds",
           response.view().HasIntegrity() || response.view().HasIntegritySha256()
               ? "one that does not hold"
               : "none");
}

void AltSameFamily(Test& t) {
  Client client = AltConnect(t);
  const Response response = AltRedirect(t, client);
  const auto servers = response.view().GetAddresses(AttributeType::kAlternateServer);
  t.Expect(servers && !servers->empty(), "an ALTERNATE-SERVER in the 300",
           response.Has(AttributeType::kAlternateServer) ? "a malformed one" : "none");
  const AddressFamily family = client.local().family();
  t.Expect(servers->front().family() == family,
           "the first ALTERNATE-SERVER of the request's address family",
           servers->front().ToString());
}

Needs AltNeeds() { return {.features = {Feature::kRedirect}, .credentials = true}; }

}  // namespace

void AddRfc8489Section10(CaseList& cases) {
  cases.push_back(
      {.id = "stun.alt.300-authenticated",
       .title = "Only an authenticated request is redirected, by a signed response",
       .clauses = {{"8489", "14.8", Level::kMust,
                    "This error response MUST only be sent if the request included either a "
                    "USERNAME or USERHASH attribute and a valid MESSAGE-INTEGRITY"},
                   {"8489", "14.8", Level::kMust,
                    "This error response MUST be protected with the MESSAGE-INTEGRITY or "
                    "MESSAGE-INTEGRITY-SHA256 attribute"}},
       .needs = AltNeeds(),
       .run = AltAuthenticated});
  cases.push_back(
      {.id = "stun.alt.same-family",
       .title = "The first ALTERNATE-SERVER has the request's address family",
       .clauses = {{"8489", "10", Level::kMust,
                    "The server MUST include at least one ALTERNATE-SERVER attribute in the error "
                    "response, which MUST contain an IP address of the same address family"},
                   {"5389", "15.11", Level::kMust,
                    "The IP address family MUST be identical to that of the source IP address of "
                    "the request."}},
       .needs = AltNeeds(),
       .run = AltSameFamily});
}

}  // namespace rtclab::conformance
