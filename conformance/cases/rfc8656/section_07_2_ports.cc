// RFC 8656 section 7.2: which port an allocation gets: EVEN-PORT, reservations and their tokens, the range, randomness.
#include <string>
#include <vector>

#include "conformance/cases/rfc8656/steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

constexpr int kEvenTries = 6;  // a port is even by chance half the time
constexpr int kPortSample = 12;
constexpr uint16_t kDynamicFirst = 49'152;
constexpr uint16_t kWellKnownLast = 1'023;

Request ReservingAllocate() { return AllocateRequest().EvenPort(true); }

// An allocation with the port above it reserved.
Allocated AllocateWithToken(Test& t) {
  Allocated one = ConnectAndAllocate(t, ReservingAllocate());
  if (!one.allocation.token) t.Block("EVEN-PORT with R=1 gives no RESERVATION-TOKEN");
  return one;
}

void ExpectNextPort(Test& t, const Allocation& first, const TransportAddress& second) {
  const TransportAddress expected = {first.relayed.ip,
                                     static_cast<uint16_t>(first.relayed.port + 1)};
  t.Expect(second == expected, "the relayed address " + expected.ToString(), second.ToString());
}

void PortEven(Test& t) {
  for (int i = 0; i < kEvenTries; ++i) {
    Client client = t.Connect();
    const Response response = client.Call(AllocateRequest().EvenPort(false));
    const TransportAddress relayed = RelayedIn(t, response, "Allocate with EVEN-PORT, R=0");
    t.Expect(relayed.port % 2 == 0, "an even port", relayed.ToString());
    t.Expect(!response.Has(stun::AttributeType::kReservationToken), "no RESERVATION-TOKEN",
             "one, though R is 0");
  }
}

void PortEvenReserve(Test& t) {
  for (int i = 0; i < kEvenTries; ++i) {
    Client client = t.Connect();
    const Response response = client.Call(ReservingAllocate());
    const TransportAddress relayed = RelayedIn(t, response, "Allocate with EVEN-PORT, R=1");
    t.Expect(relayed.port % 2 == 0, "an even port", relayed.ToString());
    t.Expect(response.view().GetU64(stun::AttributeType::kReservationToken).has_value(),
             "RESERVATION-TOKEN of 8 bytes",
             response.Has(stun::AttributeType::kReservationToken) ? "one of another size" : "none");
  }
}

void PortEvenReserved(Test& t) {
  const Bytes rffu = {0x7f};
  for (int i = 0; i < kEvenTries; ++i) {
    Client client = t.Connect();
    const Response response =
        client.Call(AllocateRequest().Attribute(stun::AttributeType::kEvenPort, rffu));
    const TransportAddress relayed = RelayedIn(t, response, "EVEN-PORT with R=0 and RFFU bits set");
    t.Expect(relayed.port % 2 == 0, "an even port", relayed.ToString());
    t.Expect(!response.Has(stun::AttributeType::kReservationToken), "no RESERVATION-TOKEN",
             "one, though R is 0");
  }
}

void TokenUse(Test& t) {
  const Allocated first = AllocateWithToken(t);
  Client second = t.Connect();
  const Response response =
      second.Call(AllocateRequest().ReservationToken(*first.allocation.token));
  ExpectNextPort(t, first.allocation, RelayedIn(t, response, "Allocate with the token"));
}

void TokenOtherTransport(Test& t) {
  const Allocated first = AllocateWithToken(t);
  Client second = t.Connect({.transport = Transport::kTcp});
  const Response response =
      second.Call(AllocateRequest().ReservationToken(*first.allocation.token));
  ExpectNextPort(t, first.allocation, RelayedIn(t, response, "Allocate with the token over TCP"));
}

void TokenHeld(Test& t) {
  const Allocated first = AllocateWithToken(t);
  t.Sleep(TimeDelta::Seconds(29));
  Client second = t.Connect();
  const Response response =
      second.Call(AllocateRequest().ReservationToken(*first.allocation.token));
  ExpectNextPort(t, first.allocation, RelayedIn(t, response, "Allocate with the token after 29 s"));
}

// The server may hold a reservation for as long as it likes, and so a token that is still good proves nothing.
void TokenExpired(Test& t) {
  const int64_t wait_s = t.target().reservation_lifetime_s + 45;
  if (wait_s > 600) t.Skip("reservations are said to be held for longer than is waited");
  Allocated first = AllocateWithToken(t);
  first.client.Release();
  t.Sleep(TimeDelta::Seconds(wait_s));
  Client second = t.Connect();
  const Response response =
      second.Call(AllocateRequest().ReservationToken(*first.allocation.token));
  if (response.success())
    t.Info("the reservation is still held after " + std::to_string(wait_s) + " s");
  t.ExpectError(response, 508, "Allocate with an expired token");
}

void TokenUnknown(Test& t) {
  Client client = t.Connect();
  t.ExpectError(client.Call(AllocateRequest().ReservationToken(t.rng().NextU64())), 508,
                "Allocate with a token that was never given out");
}

void TokenReused(Test& t) {
  const Allocated first = AllocateWithToken(t);
  Client second = t.Connect();
  second.Allocate(AllocateRequest().ReservationToken(*first.allocation.token));
  Client third = t.Connect();
  t.ExpectError(third.Call(AllocateRequest().ReservationToken(*first.allocation.token)), 508,
                "Allocate with a token that another allocation has used");
}

void TokenMalformed(Test& t) {
  const Bytes value = t.Payload(4);
  Client client = t.Connect();
  t.ExpectError(
      client.Call(AllocateRequest().Attribute(stun::AttributeType::kReservationToken, value)),
      {400, 508}, "Allocate with a token of four bytes");
}

void TokenWithEvenPort(Test& t) {
  const Allocated first = AllocateWithToken(t);
  Client client = t.Connect();
  t.ExpectError(
      client.Call(AllocateRequest().EvenPort(false).ReservationToken(*first.allocation.token)), 400,
      "Allocate with RESERVATION-TOKEN and EVEN-PORT");
}

void TokenWithFamily(Test& t) {
  const Allocated first = AllocateWithToken(t);
  Client client = t.Connect();
  t.ExpectError(
      client.Call(
          AllocateRequest().RequestedFamily(kFamilyIpv4).ReservationToken(*first.allocation.token)),
      400, "Allocate with RESERVATION-TOKEN and REQUESTED-ADDRESS-FAMILY");
}

void TokenWithSecondFamily(Test& t) {
  const Allocated first = AllocateWithToken(t);
  Client client = t.Connect();
  t.ExpectError(client.Call(AllocateRequest()
                                .AdditionalFamily(kFamilyIpv6)
                                .ReservationToken(*first.allocation.token)),
                400, "Allocate with RESERVATION-TOKEN and ADDITIONAL-ADDRESS-FAMILY");
}

void PortRange(Test& t) {
  for (const Allocated& one : AllocateMany(t, kPortSample))
    t.Expect(one.allocation.relayed.port >= kDynamicFirst, "ports from 49152 to 65535",
             one.allocation.relayed.ToString());
}

void PortNotWellKnown(Test& t) {
  for (const Allocated& one : AllocateMany(t, kPortSample))
    t.Expect(one.allocation.relayed.port > kWellKnownLast, "no port below 1024",
             one.allocation.relayed.ToString());
}

// Random ports come in rising or falling order, with one step back at the ends of the range, less than once in a million times.
void PortRandom(Test& t) {
  std::string list;
  int up = 0, down = 0;
  uint16_t last = 0;
  for (const Allocated& one : AllocateMany(t, kPortSample)) {
    const uint16_t port = one.allocation.relayed.port;
    if (last != 0) ++(port > last ? up : down);
    list += (list.empty() ? "" : " ") + std::to_string(port);
    last = port;
  }
  t.Expect(up > 1 && down > 1, "relayed ports in no order", list);
}

constexpr std::string_view kTokenAloneClause =
    "also contains an EVEN-PORT or REQUESTED-ADDRESS-FAMILY or ADDITIONAL-ADDRESS-FAMILY "
    "attribute, the server rejects the request with a 400 (Bad Request) error.";
constexpr std::string_view kTokenInvalidClause =
    "If the token is not valid for some reason, the server rejects the request with a 508 "
    "(Insufficient Capacity) error.";
constexpr std::string_view kReservedAddressClause =
    "the server uses the previously reserved transport address corresponding to the included token "
    "(if it is still available).";

void AddTokens(CaseList& cases) {
  const Needs needs = TurnNeeds(PeerNeed::kNone, {Feature::kReservation});
  cases.push_back({.id = "turn.alloc.token-use",
                   .title = "A token gives the port that was reserved, the next one up",
                   .clauses = {{"8656", "7.2", Level::kProse, kReservedAddressClause}},
                   .needs = needs,
                   .run = TokenUse});
  cases.push_back({.id = "turn.alloc.token-other-transport",
                   .title = "A token can be used over another transport",
                   .clauses = {{"8656", "7.2", Level::kProse,
                                "it can use a different client IP address and port, a different "
                                "transport protocol"}},
                   .needs = TurnNeedsOver(Transport::kUdp, PeerNeed::kNone,
                                          {Feature::kReservation, Feature::kTcpTransport}),
                   .run = TokenOtherTransport});
  cases.push_back({.id = "turn.alloc.token-30s",
                   .title = "A reservation is held for 30 s",
                   .clauses = {{"8656", "7.2", Level::kMust,
                                "The server MUST hold this reservation for at least 30 seconds"}},
                   .needs = needs,
                   .slow = true,
                   .run = TokenHeld});
  cases.push_back({.id = "turn.alloc.token-expired",
                   .title = "A token that has expired is answered with 508",
                   .clauses = {{"8656", "7.2", Level::kProse, kTokenInvalidClause}},
                   .needs = needs,
                   .slow = true,
                   .run = TokenExpired});
  cases.push_back({.id = "turn.alloc.token-invalid",
                   .title = "A token that was never given out is answered with 508",
                   .clauses = {{"8656", "7.2", Level::kProse, kTokenInvalidClause}},
                   .needs = needs,
                   .run = TokenUnknown});
  cases.push_back({.id = "turn.alloc.token-reused",
                   .title = "A token that was used is answered with 508",
                   .clauses = {{"8656", "7.2", Level::kProse, kTokenInvalidClause}},
                   .needs = needs,
                   .run = TokenReused});
  cases.push_back({.id = "turn.alloc.token-malformed",
                   .title = "A token of four bytes is refused",
                   .clauses = {{"8656", "18.10", Level::kProse,
                                "The attribute value is 8 bytes and contains the token value."},
                               {"8656", "7.2", Level::kProse, kTokenInvalidClause}},
                   .needs = needs,
                   .run = TokenMalformed});
  cases.push_back({.id = "turn.alloc.token-even",
                   .title = "RESERVATION-TOKEN with EVEN-PORT is answered with 400",
                   .clauses = {{"8656", "7.2", Level::kProse, kTokenAloneClause}},
                   .needs = needs,
                   .run = TokenWithEvenPort});
  cases.push_back({.id = "turn.alloc.token-raf",
                   .title = "RESERVATION-TOKEN with REQUESTED-ADDRESS-FAMILY is answered with 400",
                   .clauses = {{"8656", "7.2", Level::kProse, kTokenAloneClause}},
                   .needs = needs,
                   .edition = Edition::kCurrent,
                   .run = TokenWithFamily});
  cases.push_back({.id = "turn.alloc.token-aaf",
                   .title = "RESERVATION-TOKEN with ADDITIONAL-ADDRESS-FAMILY is answered with 400",
                   .clauses = {{"8656", "7.2", Level::kProse, kTokenAloneClause}},
                   .needs = needs,
                   .edition = Edition::kCurrent,
                   .run = TokenWithSecondFamily});
}

}  // namespace

void AddRfc8656Section07Ports(CaseList& cases) {
  cases.push_back({.id = "turn.alloc.even-r0",
                   .title = "EVEN-PORT with R=0 gives an even port and reserves nothing",
                   .clauses = {{"8656", "7.2", Level::kProse,
                                "then the server allocates a relayed transport address with an "
                                "even port number."}},
                   .needs = TurnNeeds(PeerNeed::kNone, {Feature::kEvenPort}),
                   .run = PortEven});
  cases.push_back({.id = "turn.alloc.even-r1",
                   .title = "EVEN-PORT with R=1 gives an even port and a token for the next one",
                   .clauses = {{"8656", "7.2", Level::kProse,
                                "The server then includes the token in a RESERVATION-TOKEN "
                                "attribute in the success response."}},
                   .needs = TurnNeeds(PeerNeed::kNone, {Feature::kReservation}),
                   .run = PortEvenReserve});
  cases.push_back({.id = "turn.alloc.even-rffu",
                   .title = "The reserved bits of EVEN-PORT are ignored",
                   .clauses = {{"8656", "18.7", Level::kProse,
                                "The RFFU field must be set to zero on transmission and ignored on "
                                "reception."}},
                   .needs = TurnNeeds(PeerNeed::kNone, {Feature::kEvenPort}),
                   .run = PortEvenReserved});
  AddTokens(cases);
  cases.push_back({.id = "turn.alloc.port-range",
                   .title = "Relayed ports are dynamic ports",
                   .clauses = {{"8656", "7.2", Level::kShould,
                                "the server SHOULD only allocate ports from the range 49152 - "
                                "65535 (the Dynamic and/or Private Port range"}},
                   .needs = TurnNeeds(),
                   .run = PortRange});
  cases.push_back({.id = "turn.alloc.port-well-known",
                   .title = "Relayed ports are no well-known ports",
                   .clauses = {{"8656", "7.2", Level::kShouldNot,
                                "the TURN server SHOULD NOT allocate ports in the range 0 - 1023 "
                                "(the Well-Known Port range)"}},
                   .needs = TurnNeeds(),
                   .run = PortNotWellKnown});
  cases.push_back({.id = "turn.alloc.port-random",
                   .title = "Relayed ports are chosen at random",
                   .clauses = {{"8656", "7.2", Level::kRecommended,
                                "It is RECOMMENDED that a TURN server implement a randomized port "
                                "assignment algorithm"}},
                   .needs = TurnNeeds(),
                   .run = PortRandom});
}

}  // namespace rtclab::conformance
