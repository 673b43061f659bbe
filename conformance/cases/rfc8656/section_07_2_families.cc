// RFC 8656 section 7.2 (6) to (9): REQUESTED-ADDRESS-FAMILY and ADDITIONAL-ADDRESS-FAMILY.
#include <string>
#include <vector>

#include "conformance/cases/rfc8656/steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

constexpr std::size_t kMaxReasonBytes = 763;  // RFC 8656 section 18.12

Request DualAllocate() { return AllocateRequest().AdditionalFamily(kFamilyIpv6); }

void FamilyBoth(Test& t) {
  Client client = t.Connect();
  t.ExpectError(
      client.Call(AllocateRequest().RequestedFamily(kFamilyIpv4).AdditionalFamily(kFamilyIpv6)),
      400, "Allocate with REQUESTED- and ADDITIONAL-ADDRESS-FAMILY");
}

// 5 names no family: a server may take it for one that it does not support, or for a malformed attribute.
void FamilyUnsupported(Test& t) {
  Client client = t.Connect();
  t.ExpectError(client.Call(AllocateRequest().RequestedFamily(5)), {440, 400},
                "Allocate with REQUESTED-ADDRESS-FAMILY 5");
}

void FamilyAbsentWithoutIpv4(Test& t) {
  if (t.Supports(Feature::kIpv4Relay)) t.Skip("the server has IPv4 relayed addresses");
  Client client = t.Connect();
  t.ExpectError(client.Call(AllocateRequest()), 440,
                "Allocate without a family at a server without IPv4");
}

void ExpectFamily(Test& t, const Request& request, AddressFamily family) {
  Client client = t.Connect();
  const TransportAddress relayed = RelayedIn(t, client.Call(request), "Allocate");
  t.Expect(relayed.family() == family,
           family == AddressFamily::kIpv4 ? "an IPv4 relayed address" : "an IPv6 relayed address",
           relayed.ToString());
}

void FamilyAbsent(Test& t) { ExpectFamily(t, AllocateRequest(), AddressFamily::kIpv4); }

void FamilyIpv4(Test& t) {
  ExpectFamily(t, AllocateRequest().RequestedFamily(kFamilyIpv4), AddressFamily::kIpv4);
}

void FamilyIpv6(Test& t) {
  if (t.Supports(Feature::kIpv6Relay))
    return ExpectFamily(t, AllocateRequest().RequestedFamily(kFamilyIpv6), AddressFamily::kIpv6);
  Client client = t.Connect();
  t.ExpectError(client.Call(AllocateRequest().RequestedFamily(kFamilyIpv6)), 440,
                "Allocate for an IPv6 address at a server that has none");
}

void FamilyReserved(Test& t) {
  const Bytes value = {kFamilyIpv4, 0xff, 0xa5, 0x01};
  ExpectFamily(t, AllocateRequest().Attribute(stun::AttributeType::kRequestedAddressFamily, value),
               AddressFamily::kIpv4);
}

void DualWithReservation(Test& t) {
  Client client = t.Connect();
  t.ExpectError(client.Call(AllocateRequest().EvenPort(true).AdditionalFamily(kFamilyIpv6)), 400,
                "Allocate with EVEN-PORT R=1 and ADDITIONAL-ADDRESS-FAMILY");
}

void DualWithIpv4(Test& t) {
  Client client = t.Connect();
  t.ExpectError(client.Call(AllocateRequest().AdditionalFamily(kFamilyIpv4)), 400,
                "Allocate with ADDITIONAL-ADDRESS-FAMILY IPv4");
}

void DualFull(Test& t) {
  Client client = t.Connect();
  const Response response = client.Call(DualAllocate());
  t.ExpectSuccess(response, "Allocate with ADDITIONAL-ADDRESS-FAMILY");
  const auto relayed = response.view().GetXorAddresses(stun::AttributeType::kXorRelayedAddress);
  t.Expect(relayed && relayed->size() == 2, "two XOR-RELAYED-ADDRESS",
           relayed ? std::to_string(relayed->size()) : "malformed ones");
  t.Expect(relayed->front().family() != relayed->back().family(), "one address of each family",
           relayed->front().ToString() + " and " + relayed->back().ToString());
  t.Expect(!response.Has(stun::AttributeType::kAddressErrorCode),
           "no ADDRESS-ERROR-CODE where both are given", "one");
}

// A success response with one address only, that has to say why.
Response PartialAllocate(Test& t, Client& client) {
  if (t.Supports(Feature::kDualAllocation)) t.Skip("the server gives both families");
  Response response = client.Call(DualAllocate());
  if (response.code() == 508) return response;
  t.ExpectSuccess(response, "Allocate with ADDITIONAL-ADDRESS-FAMILY");
  const auto relayed = response.view().GetXorAddresses(stun::AttributeType::kXorRelayedAddress);
  t.Expect(relayed && relayed->size() == 1, "one XOR-RELAYED-ADDRESS",
           relayed ? std::to_string(relayed->size()) : "malformed ones");
  return response;
}

void DualPartial(Test& t) {
  Client client = t.Connect();
  const Response response = PartialAllocate(t, client);
  if (!response.success()) return;
  t.Expect(response.Has(stun::AttributeType::kAddressErrorCode),
           "ADDRESS-ERROR-CODE beside the one relayed address", "none");
}

// |  Family       |    Reserved             |Class|     Number    |
void DualErrorFormat(Test& t) {
  Client client = t.Connect();
  const Response response = PartialAllocate(t, client);
  if (!response.success()) t.Skip("there is no ADDRESS-ERROR-CODE to look at");
  const auto value = response.view().Find(stun::AttributeType::kAddressErrorCode);
  if (!value) t.Skip("there is no ADDRESS-ERROR-CODE to look at");
  t.Expect(value->size() >= 4 && value->size() <= 4 + kMaxReasonBytes, "4 to 767 bytes",
           std::to_string(value->size()));
  const uint8_t* p = value->data();
  t.Expect(p[0] == kFamilyIpv6 || p[0] == kFamilyIpv4, "a family of 1 or 2", std::to_string(p[0]));
  t.Expect(p[1] == 0 && p[2] >> 3 == 0, "13 reserved bits of zero", ToHex(value->first(4)));
  const int code = (p[2] & 7) * 100 + p[3];
  t.Expect(code == 440 || code == 508, "error code 440 or 508", std::to_string(code));
}

Needs CurrentFamilies(std::vector<Feature> more = {}) {
  return TurnNeeds(PeerNeed::kNone, std::move(more));
}

constexpr std::string_view kIpv4ByDefaultClause =
    "the server MUST allocate an IPv4 relayed transport address for the TURN client.";
constexpr std::string_view kNotSupportedClause =
    "it MUST include an ERROR-CODE attribute with the 440 (Address Family not Supported) response "
    "code.";

void AddRequestedFamily(CaseList& cases) {
  cases.push_back({.id = "turn.alloc.raf-aaf",
                   .title = "Both address family attributes together are answered with 400",
                   .clauses = {{"8656", "7.2", Level::kProse,
                                "If yes, then the server rejects the request with a 400 (Bad "
                                "Request) error."}},
                   .needs = CurrentFamilies(),
                   .edition = Edition::kCurrent,
                   .run = FamilyBoth});
  cases.push_back({.id = "turn.alloc.raf-unsupported",
                   .title = "An address family that does not exist is refused",
                   .clauses = {{"8656", "7.2", Level::kMust, kNotSupportedClause}},
                   .needs = CurrentFamilies(),
                   .edition = Edition::kCurrent,
                   .run = FamilyUnsupported});
  Needs any = CurrentFamilies();
  any.features = {Feature::kTurn};
  cases.push_back({.id = "turn.alloc.raf-absent-no-v4",
                   .title = "Without a family, a server that has no IPv4 answers with 440",
                   .clauses = {{"8656", "7.2", Level::kMust,
                                "the server MUST include an ERROR-CODE attribute with the 440 "
                                "(Address Family not Supported) response code."}},
                   .needs = any,
                   .edition = Edition::kCurrent,
                   .run = FamilyAbsentWithoutIpv4});
  cases.push_back({.id = "turn.alloc.raf-absent-v4",
                   .title = "Without a family, the relayed address is IPv4",
                   .clauses = {{"8656", "7.2", Level::kMust, kIpv4ByDefaultClause}},
                   .needs = CurrentFamilies(),
                   .run = FamilyAbsent});
  Needs over_ipv6 = CurrentFamilies();
  over_ipv6.family = AddressFamily::kIpv6;
  cases.push_back({.id = "turn.alloc.raf-absent-over-v6",
                   .title = "Without a family, a client on IPv6 gets an IPv4 relayed address",
                   .clauses = {{"8656", "7.2", Level::kMust, kIpv4ByDefaultClause}},
                   .needs = over_ipv6,
                   .edition = Edition::kCurrent,
                   .covers = {"turn.alloc.raf-absent-v4"},
                   .run = FamilyAbsent});
  cases.push_back({.id = "turn.alloc.raf-v4",
                   .title = "REQUESTED-ADDRESS-FAMILY IPv4 gives an IPv4 relayed address",
                   .clauses = {{"8656", "7.1", Level::kProse,
                                "This attribute indicates the specific address type the client "
                                "wishes the TURN server to allocate."}},
                   .needs = CurrentFamilies(),
                   .edition = Edition::kCurrent,
                   .run = FamilyIpv4});
  cases.push_back({.id = "turn.alloc.raf-v6",
                   .title = "REQUESTED-ADDRESS-FAMILY IPv6 gives an IPv6 address, or 440",
                   .clauses = {{"8656", "7.2", Level::kMust, kNotSupportedClause}},
                   .needs = any,
                   .edition = Edition::kCurrent,
                   .run = FamilyIpv6});
  cases.push_back({.id = "turn.alloc.raf-reserved",
                   .title = "The reserved bits of REQUESTED-ADDRESS-FAMILY are ignored",
                   .clauses = {{"8656", "18.6", Level::kMust,
                                "the 24 bits in the Reserved field MUST be set to zero by the "
                                "client and MUST be ignored by the server."}},
                   .needs = CurrentFamilies(),
                   .edition = Edition::kCurrent,
                   .run = FamilyReserved});
}

}  // namespace

void AddRfc8656Section07Families(CaseList& cases) {
  AddRequestedFamily(cases);
  cases.push_back({.id = "turn.alloc.even-r1-aaf",
                   .title = "EVEN-PORT R=1 with ADDITIONAL-ADDRESS-FAMILY is answered with 400",
                   .clauses = {{"8656", "7.2", Level::kProse,
                                "and the request also contains an ADDITIONAL-ADDRESS-FAMILY "
                                "attribute, the server rejects the request with a 400 (Bad "
                                "Request) error."}},
                   .needs = CurrentFamilies({Feature::kEvenPort}),
                   .edition = Edition::kCurrent,
                   .run = DualWithReservation});
  cases.push_back({.id = "turn.alloc.aaf-v4",
                   .title = "ADDITIONAL-ADDRESS-FAMILY IPv4 is answered with 400",
                   .clauses = {{"8656", "7.2", Level::kProse,
                                "and the attribute value is 0x01 (IPv4 address family), then the "
                                "server rejects the request with a 400 (Bad Request) error."}},
                   .needs = CurrentFamilies(),
                   .edition = Edition::kCurrent,
                   .run = DualWithIpv4});
  cases.push_back({.id = "turn.alloc.aaf-full",
                   .title = "A dual allocation has one relayed address of each family",
                   .clauses = {{"8656", "7.2", Level::kProse,
                                "then the server allocates one IPv4 and one IPv6 relay address"}},
                   .needs = CurrentFamilies({Feature::kDualAllocation}),
                   .edition = Edition::kCurrent,
                   .run = DualFull});
  cases.push_back({.id = "turn.alloc.aaf-partial",
                   .title = "One address where two were asked for comes with ADDRESS-ERROR-CODE",
                   .clauses = {{"8656", "7.2", Level::kProse,
                                "then it includes ADDRESS-ERROR-CODE attribute in the success "
                                "response to inform the client the reason for partial failure"}},
                   .needs = CurrentFamilies(),
                   .edition = Edition::kCurrent,
                   .run = DualPartial});
  cases.push_back({.id = "turn.alloc.aec-format",
                   .title = "ADDRESS-ERROR-CODE is well formed",
                   .clauses = {{"8656", "18.12", Level::kMust,
                                "the 13 bits in the Reserved field MUST be set to zero by the "
                                "server and MUST be ignored by the client."},
                               {"8656", "18.12", Level::kProse,
                                "The error code values could be either 440 (Address Family not "
                                "Supported) or 508 (Insufficient Capacity)."}},
                   .needs = CurrentFamilies(),
                   .edition = Edition::kCurrent,
                   .run = DualErrorFormat});
}

}  // namespace rtclab::conformance
