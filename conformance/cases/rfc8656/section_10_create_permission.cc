// RFC 8656 section 10: CreatePermission.
#include <string>

#include "conformance/cases/rfc8656/steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

// Of the documentation prefix, and never sent to: only requests name it.
TransportAddress SomeIpv6Peer() { return *TransportAddress::Parse("[2001:db8::7]:3478"); }

void CreateWithoutPeer(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t);
  t.ExpectError(client.Call(TurnPermission()), 400, "CreatePermission without XOR-PEER-ADDRESS");
}

void CreateMalformedPeer(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t);
  const Bytes short_value = {0x00, 0x01, 0x2c, 0xbf, 0x5e};
  t.ExpectError(
      client.Call(TurnPermission().Attribute(stun::AttributeType::kXorPeerAddress, short_value)),
      400, "XOR-PEER-ADDRESS of five bytes");
}

// A family that does not exist is an invalid attribute, or one that does not match the allocation.
void CreateUnknownFamily(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t);
  const Bytes strange_family = {0x00, 0x07, 0x2c, 0xbf, 0x5e, 0x12, 0xa4, 0x43};
  t.ExpectError(
      client.Call(TurnPermission().Attribute(stun::AttributeType::kXorPeerAddress, strange_family)),
      {400, 443}, "XOR-PEER-ADDRESS of family 7");
}

void CreateSecondMalformed(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  const Bytes short_value = {0x00, 0x01, 0x2c, 0xbf, 0x5e};
  t.ExpectError(client.Call(TurnPermission(peer.address())
                                .Attribute(stun::AttributeType::kXorPeerAddress, short_value)),
                400, "a good XOR-PEER-ADDRESS and one of five bytes");
}

void CreateFamilyMismatch(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t);
  t.ExpectError(client.Call(TurnPermission(SomeIpv6Peer())), 443,
                "an IPv6 peer for an IPv4 relayed address");
}

void CreateForbidden(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t);
  t.ExpectError(client.Call(TurnPermission(*t.target().denied_peer)), 403,
                "CreatePermission for an address that the server is said to deny");
}

void CreateSeveral(Test& t) {
  Peer first = t.OpenPeer();
  Peer second = t.OpenPeer({.which_address = 1});
  auto [client, allocation] = ConnectAndAllocate(t);
  t.ExpectSuccess(client.Call(TurnPermission(first.address())
                                  .PeerAddress(second.address())
                                  .PeerAddress(first.address())),
                  "CreatePermission for several peers");
  ExpectBothWays(t, client, allocation, first);
  ExpectBothWays(t, client, allocation, second);
}

void CreateOneForbidden(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  const Response response =
      client.Call(TurnPermission(peer.address()).PeerAddress(*t.target().denied_peer));
  client.SendIndication(peer.address(), t.Payload(30));
  const bool installed = peer.Receive(TimeDelta::Millis(500)).has_value();
  t.Info("a permitted and a forbidden peer in one request: " + response.Describe() +
         (installed ? "; the permission for the first is there" : "; no permission is installed"));
}

void CreatePortIgnored(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  TransportAddress no_port = peer.address();
  no_port.port = 0;
  t.ExpectSuccess(client.Call(TurnPermission(no_port)), "CreatePermission with port 0");
  ExpectBothWays(t, client, allocation, peer);
}

constexpr std::string_view kInvalidClause =
    "If no such attribute exists, or if any of these attributes are invalid, then a 400 (Bad "
    "Request) error is returned.";

}  // namespace

void AddRfc8656Section10(CaseList& cases) {
  const Clause invalid = {"8656", "10.2", Level::kProse, kInvalidClause};
  cases.push_back({.id = "turn.cp.no-peer",
                   .title = "CreatePermission without a peer is answered with 400",
                   .clauses = {invalid},
                   .needs = TurnNeeds(),
                   .run = CreateWithoutPeer});
  cases.push_back({.id = "turn.cp.malformed-peer",
                   .title = "CreatePermission with a malformed peer address is answered with 400",
                   .clauses = {invalid},
                   .needs = TurnNeeds(),
                   .run = CreateMalformedPeer});
  cases.push_back({.id = "turn.cp.unknown-family",
                   .title = "CreatePermission for an address of no known family is refused",
                   .clauses = {invalid},
                   .needs = TurnNeeds(),
                   .run = CreateUnknownFamily});
  cases.push_back({.id = "turn.cp.second-malformed",
                   .title = "One malformed peer address spoils the request",
                   .clauses = {invalid},
                   .needs = TurnNeeds(PeerNeed::kAny),
                   .run = CreateSecondMalformed});
  cases.push_back({.id = "turn.cp.family",
                   .title = "A peer of another family is answered with 443",
                   .clauses = {{"8656", "10.2", Level::kMust,
                                "the server MUST generate an error response with the 443 (Peer "
                                "Address Family Mismatch) response code."}},
                   .needs = TurnNeeds(),
                   .edition = Edition::kCurrent,
                   .run = CreateFamilyMismatch});
  Needs denied = TurnNeeds();
  denied.denied_peer = true;
  cases.push_back({.id = "turn.cp.forbidden",
                   .title = "A peer that the server denies is answered with 403",
                   .clauses = {{"8656", "10.2", Level::kProse,
                                "if a value is not allowed, the server rejects the request with a "
                                "403 (Forbidden) error."}},
                   .needs = denied,
                   .run = CreateForbidden});
  cases.push_back({.id = "turn.cp.multi",
                   .title = "One request installs permissions for several peers",
                   .clauses = {{"8656", "10.2", Level::kProse,
                                "then the server installs or refreshes a permission for the IP "
                                "address contained in each XOR-PEER-ADDRESS attribute"}},
                   .needs = TurnNeeds(PeerNeed::kTwoLocal),
                   .run = CreateSeveral});
  denied.peer = PeerNeed::kAny;
  cases.push_back({.id = "turn.cp.multi-one-bad",
                   .title = "What becomes of the good peers when one is forbidden",
                   .clauses = {{"8656", "10.2", Level::kInfo,
                                "if a value is not allowed, the server rejects the request with a "
                                "403 (Forbidden) error."}},
                   .needs = denied,
                   .run = CreateOneForbidden});
  cases.push_back({.id = "turn.cp.port-ignored",
                   .title = "The port of a peer in CreatePermission is ignored",
                   .clauses = {{"8656", "10.2", Level::kProse,
                                "The port portion of each attribute is ignored and may be any "
                                "arbitrary value."}},
                   .needs = TurnNeeds(PeerNeed::kAny),
                   .run = CreatePortIgnored});
}

}  // namespace rtclab::conformance
