// RFC 8656 section 7.2: Allocate: authentication, the 5-tuple, REQUESTED-TRANSPORT, DONT-FRAGMENT, lifetimes, the success response.
#include <algorithm>
#include <string>
#include <vector>

#include "conformance/cases/rfc8656/steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

constexpr uint32_t kRecommendedMaximum = 3'600;

void AllocAuth(Test& t) {
  Client client = t.Connect();
  t.ExpectError(client.Once(AllocateRequest().Unsigned()), 401,
                "an Allocate request without credentials");
}

void AllocExisting(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t);
  t.ExpectError(client.Call(AllocateRequest()), 437, "a second Allocate on the 5-tuple");
  t.ExpectSuccess(client.Call(TurnRefresh()), "Refresh of the first allocation");
}

void AllocRetransmit(Test& t) {
  Client client = t.Connect();
  LearnChallenge(client);
  const auto id = stun::NewTransactionId(t.rng());
  const Bytes request = client.Encode(AllocateRequest().TransactionId(id));
  const Response first = client.OnceRaw(request, id);
  if (!first.success()) t.Block("Allocate: " + first.Describe());
  const TransportAddress relayed = RelayedIn(t, first, "Allocate");
  const TransportAddress again =
      RelayedIn(t, client.OnceRaw(request, id), "the same Allocate request once more");
  t.Expect(again == relayed, relayed.ToString() + " in both responses", again.ToString());
  client.Release();
}

void AllocTransportMissing(Test& t) {
  Client client = t.Connect();
  t.ExpectError(client.Call(Request(stun::Method::kAllocate)), 400,
                "Allocate without REQUESTED-TRANSPORT");
}

void AllocTransportMalformed(Test& t) {
  for (const std::size_t size : {2, 0}) {
    Client client = t.Connect();
    const Bytes value = {17, 0};
    t.ExpectError(client.Call(Request(stun::Method::kAllocate)
                                  .Attribute(stun::AttributeType::kRequestedTransport,
                                             ByteView(value).first(size))),
                  400, "REQUESTED-TRANSPORT of " + std::to_string(size) + " bytes");
  }
}

void AllocTransportUnsupported(Test& t) {
  for (const uint8_t protocol : {uint8_t{132}, uint8_t{1}, uint8_t{255}}) {
    Client client = t.Connect();
    t.ExpectError(client.Call(Request(stun::Method::kAllocate).RequestedTransport(protocol)), 442,
                  "REQUESTED-TRANSPORT " + std::to_string(protocol));
  }
}

void AllocTransportReserved(Test& t) {
  Client client = t.Connect();
  const Bytes value = {17, 0xde, 0xad, 0xff};
  t.ExpectSuccess(client.Call(Request(stun::Method::kAllocate)
                                  .Attribute(stun::AttributeType::kRequestedTransport, value)),
                  "REQUESTED-TRANSPORT UDP with RFFU bits set");
}

void AllocDontFragment(Test& t) {
  Client client = t.Connect();
  const Response response = client.Call(AllocateRequest().DontFragment());
  if (response.success()) return;
  t.ExpectError(response, 420, "Allocate with DONT-FRAGMENT, which success would support");
  const auto unknown = response.view().GetUnknownAttributes();
  t.Expect(
      unknown && std::ranges::find(*unknown, stun::AttributeType::kDontFragment) != unknown->end(),
      "0x001A in UNKNOWN-ATTRIBUTES", unknown ? "it is not listed" : "malformed");
}

void AllocLifetimeZero(Test& t) {
  Client client = t.Connect();
  const uint32_t lifetime =
      LifetimeIn(t, client.Call(AllocateRequest().Lifetime(0)), "Allocate with LIFETIME 0");
  t.Expect(LifetimeIs(lifetime, kDefaultLifetime), "LIFETIME 600", std::to_string(lifetime));
  t.ExpectSuccess(client.Call(TurnRefresh()), "Refresh of that allocation");
}

void AllocLifetimeLow(Test& t) {
  for (const uint32_t wanted : {1u, 599u}) {
    Client client = t.Connect();
    const uint32_t lifetime = LifetimeIn(t, client.Call(AllocateRequest().Lifetime(wanted)),
                                         "Allocate with LIFETIME " + std::to_string(wanted));
    t.Expect(LifetimeIs(lifetime, kDefaultLifetime), "LIFETIME 600", std::to_string(lifetime));
  }
}

// What the server makes of a proposed lifetime above the default one.
uint32_t GrantedFor(Test& t, uint32_t wanted) {
  Client client = t.Connect();
  return LifetimeIn(t, client.Call(AllocateRequest().Lifetime(wanted)),
                    "Allocate with LIFETIME " + std::to_string(wanted));
}

void AllocLifetimeMiddle(Test& t) {
  constexpr uint32_t kWanted = 1'200;
  const uint32_t maximum = GrantedFor(t, 0xffff'ffff);
  const uint32_t lifetime = GrantedFor(t, kWanted);
  const uint32_t expected = std::max(kDefaultLifetime, std::min(kWanted, maximum));
  t.Expect(LifetimeIs(lifetime, expected),
           "LIFETIME " + std::to_string(expected) + ", as the server's maximum is " +
               std::to_string(maximum),
           std::to_string(lifetime));
}

void AllocLifetimeMaximum(Test& t) {
  const uint32_t maximum = GrantedFor(t, 0xffff'ffff);
  t.Expect(maximum <= kRecommendedMaximum, "at most 3600 s", std::to_string(maximum) + " s");
}

void AllocResponse(Test& t) {
  Client client = t.Connect();
  const Response binding = client.Once(Request(stun::Method::kBinding).Unsigned());
  const Response response = client.Call(AllocateRequest());
  const TransportAddress relayed = RelayedIn(t, response, "Allocate");
  t.Expect(relayed.port != 0 && !relayed.ip.IsAny(), "a relayed address that peers can send to",
           relayed.ToString());
  const uint32_t lifetime = LifetimeIn(t, response, "Allocate");
  t.Expect(lifetime > 0, "a LIFETIME above 0", std::to_string(lifetime));
  t.Expect(!response.Has(stun::AttributeType::kReservationToken),
           "no RESERVATION-TOKEN where none was asked for", "one");
  const auto mapped = response.view().GetXorAddress(stun::AttributeType::kXorMappedAddress);
  t.Expect(mapped.has_value(), "XOR-MAPPED-ADDRESS in the response", "none that can be read");
  if (!binding.success()) return;
  const auto seen = binding.view().GetXorAddress(stun::AttributeType::kXorMappedAddress);
  if (seen)
    t.Expect(*mapped == *seen,
             "XOR-MAPPED-ADDRESS " + seen->ToString() + ", as in a Binding response",
             mapped->ToString());
}

void AllocNoPermissionYet(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  peer.Send(allocation.relayed, t.Payload(40));
  t.ExpectNothingAtClient(client, "data of a peer without a permission");
  client.CreatePermission(peer.address());
  const Bytes data = t.Payload(41);
  peer.Send(allocation.relayed, data);
  ExpectNextAtClient(t, client, data, "data of a peer without a permission");
}

void AllocRedirect(Test& t) {
  const auto& listener = t.target().redirecting;
  if (!listener) t.Skip("the target's profile names no redirecting listener");
  Client client = t.Connect({.server = *listener});
  const Response response = client.Call(AllocateRequest());
  t.ExpectError(response, 300, "Allocate at the listener that redirects");
  t.Expect(response.view().GetAddress(stun::AttributeType::kAlternateServer).has_value(),
           "ALTERNATE-SERVER in the 300", "none that can be read");
}

constexpr std::string_view kTransportClause =
    "If the REQUESTED-TRANSPORT attribute is not included or is malformed, the server rejects the "
    "request with a 400 (Bad Request) error.";
constexpr std::string_view kOrDefaultClause = "Otherwise, the server uses the default lifetime.";

void AddChecks(CaseList& cases) {
  cases.push_back({.id = "turn.alloc.auth",
                   .title = "An Allocate request without credentials is answered with 401",
                   .clauses = {{"8656", "7.2", Level::kMust,
                                "the server MUST require that the request be authenticated."},
                               {"5766", "6.2", Level::kMust,
                                "The server MUST require that the request be authenticated."}},
                   .needs = TurnNeedsUser(),
                   .run = AllocAuth});
  cases.push_back({.id = "turn.alloc.existing",
                   .title = "Allocate on a 5-tuple that has an allocation is answered with 437",
                   .clauses = {{"8656", "7.2", Level::kProse,
                                "If yes, the server rejects the request with a 437 (Allocation "
                                "Mismatch) error."}},
                   .needs = TurnNeeds(),
                   .run = AllocExisting});
  cases.push_back({.id = "turn.alloc.retransmit",
                   .title = "A retransmitted Allocate request gets the same allocation",
                   .clauses = {{"8656", "7.2", Level::kProse,
                                "requires that the server handle the possible retransmissions of "
                                "the request so that retransmissions do not cause multiple "
                                "allocations to be created."}},
                   .needs = TurnNeedsOver(Transport::kUdp),
                   .run = AllocRetransmit});
  cases.push_back({.id = "turn.alloc.rt-missing",
                   .title = "Allocate without REQUESTED-TRANSPORT is answered with 400",
                   .clauses = {{"8656", "7.2", Level::kProse, kTransportClause}},
                   .needs = TurnNeeds(),
                   .run = AllocTransportMissing});
  cases.push_back({.id = "turn.alloc.rt-malformed",
                   .title = "Allocate with a malformed REQUESTED-TRANSPORT is answered with 400",
                   .clauses = {{"8656", "7.2", Level::kProse, kTransportClause}},
                   .needs = TurnNeeds(),
                   .run = AllocTransportMalformed});
  cases.push_back({.id = "turn.alloc.rt-unsupported",
                   .title = "Allocate for a transport that no TURN server has gets 442",
                   .clauses = {{"8656", "7.2", Level::kProse,
                                "the server rejects the request with a 442 (Unsupported Transport "
                                "Protocol) error."}},
                   .needs = TurnNeeds(),
                   .run = AllocTransportUnsupported});
  cases.push_back({.id = "turn.alloc.rt-rffu",
                   .title = "The reserved bits of REQUESTED-TRANSPORT are ignored",
                   .clauses = {{"8656", "18.8", Level::kMust,
                                "The RFFU field MUST be set to zero on transmission and MUST be "
                                "ignored on reception."}},
                   .needs = TurnNeeds(),
                   .run = AllocTransportReserved});
  cases.push_back({.id = "turn.alloc.df-unsupported",
                   .title = "DONT-FRAGMENT is supported, or refused with 420 and named there",
                   .clauses = {{"8656", "7.2", Level::kProse,
                                "then the server treats the DONT-FRAGMENT attribute in the "
                                "Allocate request as an unknown comprehension-required "
                                "attribute."}},
                   .needs = TurnNeeds(),
                   .run = AllocDontFragment});
  cases.push_back({.id = "turn.alloc.300",
                   .title = "A server that redirects names the other one in ALTERNATE-SERVER",
                   .clauses = {{"8656", "7.2", Level::kMay,
                                "the server MAY choose to reject the request with a 300 (Try "
                                "Alternate) error"}},
                   .needs = TurnNeeds(PeerNeed::kNone, {Feature::kRedirect}),
                   .run = AllocRedirect});
}

void AddLifetimes(CaseList& cases) {
  cases.push_back({.id = "turn.alloc.life-zero",
                   .title = "Allocate with LIFETIME 0 gets the default lifetime",
                   .clauses = {{"8656", "7.2", Level::kProse, kOrDefaultClause}},
                   .needs = TurnNeeds(),
                   .run = AllocLifetimeZero});
  cases.push_back({.id = "turn.alloc.life-low",
                   .title = "Allocate with a LIFETIME below the default gets the default",
                   .clauses = {{"8656", "7.2", Level::kProse, kOrDefaultClause}},
                   .needs = TurnNeeds(),
                   .run = AllocLifetimeLow});
  cases.push_back({.id = "turn.alloc.life-mid",
                   .title = "Allocate gets the LIFETIME it proposes up to the server's maximum",
                   .clauses = {{"8656", "7.2", Level::kProse,
                                "If this computed value is greater than the default lifetime, then "
                                "the server uses the computed lifetime as the initial value"}},
                   .needs = TurnNeeds(),
                   .run = AllocLifetimeMiddle});
  cases.push_back({.id = "turn.alloc.life-max",
                   .title = "No allocation is granted more than an hour",
                   .clauses = {{"8656", "7.2", Level::kRecommended,
                                "It is RECOMMENDED that the server use a maximum allowed lifetime "
                                "value of no more than 3600 seconds (1 hour)."}},
                   .needs = TurnNeeds(),
                   .run = AllocLifetimeMaximum});
}

}  // namespace

void AddRfc8656Section07Allocate(CaseList& cases) {
  AddChecks(cases);
  AddLifetimes(cases);
  cases.push_back({.id = "turn.alloc.resp-attrs",
                   .title = "The Allocate response has relayed address, lifetime, mapped address",
                   .clauses = {{"8656", "7.2", Level::kProse,
                                "A LIFETIME attribute containing the current value of the "
                                "time-to-expiry timer."},
                               {"8656", "7.2", Level::kProse,
                                "An XOR-MAPPED-ADDRESS attribute containing the client's IP "
                                "address and port (from the 5-tuple)."},
                               {"8656", "7.2", Level::kProse,
                                "An XOR-RELAYED-ADDRESS attribute containing the relayed transport "
                                "address"},
                               {"8656", "7.2", Level::kProse,
                                "A RESERVATION-TOKEN attribute (if a second relayed transport "
                                "address was reserved)."}},
                   .needs = TurnNeeds(),
                   .run = AllocResponse});
  cases.push_back({.id = "turn.alloc.no-initial-permission",
                   .title = "A new allocation lets no peer in",
                   .clauses = {{"8656", "7.2", Level::kProse,
                                "while the list of permissions and the list of channels are "
                                "initially empty."}},
                   .needs = TurnNeeds(PeerNeed::kAny),
                   .run = AllocNoPermissionYet});
}

}  // namespace rtclab::conformance
