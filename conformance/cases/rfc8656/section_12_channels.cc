// RFC 8656 sections 12 to 12.2: ChannelBind.
#include <string>

#include "conformance/cases/rfc8656/steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

constexpr uint16_t kSecondChannel = 0x4001;

void ChannelWithoutNumber(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  t.ExpectError(client.Call(Request(stun::Method::kChannelBind).PeerAddress(peer.address())), 400,
                "ChannelBind without CHANNEL-NUMBER");
}

void ChannelWithoutPeer(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t);
  t.ExpectError(client.Call(Request(stun::Method::kChannelBind).ChannelNumber(kFirstChannel)), 400,
                "ChannelBind without XOR-PEER-ADDRESS");
}

void ChannelMalformedPeer(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t);
  const Bytes short_value = {0x00, 0x01, 0x2c, 0xbf, 0x5e};
  t.ExpectError(client.Call(Request(stun::Method::kChannelBind)
                                .ChannelNumber(kFirstChannel)
                                .Attribute(stun::AttributeType::kXorPeerAddress, short_value)),
                400, "ChannelBind with an XOR-PEER-ADDRESS of five bytes");
}

std::string HexNumber(uint16_t number) {
  uint8_t bytes[2];
  StoreU16(bytes, number);
  return "0x" + ToHex(bytes);
}

void ExpectNumberRefused(Test& t, std::initializer_list<uint16_t> numbers) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  for (const uint16_t number : numbers)
    t.ExpectError(client.Call(TurnChannelBind(number, peer.address())), 400,
                  "ChannelBind for " + HexNumber(number));
}

void ExpectNumberTaken(Test& t, std::initializer_list<uint16_t> numbers) {
  for (const uint16_t number : numbers) {
    Peer peer = t.OpenPeer();
    auto [client, allocation] = ConnectAndAllocate(t);
    t.ExpectSuccess(client.Call(TurnChannelBind(number, peer.address())),
                    "ChannelBind for " + HexNumber(number));
    const Bytes data = t.Payload(11);
    client.SendRaw(PaddedChannelData(number, data));
    t.ExpectAtPeer(peer, data, "ChannelData on " + HexNumber(number));
  }
}

void ChannelTooLow(Test& t) { ExpectNumberRefused(t, {0x3fff, 0x0000}); }
void ChannelLimits(Test& t) { ExpectNumberTaken(t, {0x4000, 0x4fff}); }
void ChannelTooHigh(Test& t) { ExpectNumberRefused(t, {0x5000, 0x7ffe, 0x7fff, 0x8000, 0xffff}); }
void ChannelClassicLimits(Test& t) { ExpectNumberTaken(t, {0x4000, 0x7ffe}); }
// Whether 0x7FFF may be bound is not the same in sections 11 and 11.2 of RFC 5766.
void ChannelClassicTooHigh(Test& t) { ExpectNumberRefused(t, {0x8000, 0xffff}); }

void ChannelNumberTaken(Test& t) {
  Peer first = t.OpenPeer();
  Peer second = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  client.BindChannel(kFirstChannel, first.address());
  t.ExpectError(client.Call(TurnChannelBind(kFirstChannel, second.address())), 400,
                "the same channel for another peer");
  const Bytes data = t.Payload(52);
  client.SendRaw(PaddedChannelData(kFirstChannel, data));
  t.ExpectAtPeer(first, data, "the channel is still the first peer's");
  t.ExpectNothingAtPeer(second, "data on the first peer's channel");
}

void ChannelPeerTaken(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  client.BindChannel(kFirstChannel, peer.address());
  t.ExpectError(client.Call(TurnChannelBind(kSecondChannel, peer.address())), 400,
                "another channel for the same peer");
}

void ChannelRebind(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  client.BindChannel(kFirstChannel, peer.address());
  t.ExpectSuccess(client.Call(TurnChannelBind(kFirstChannel, peer.address())),
                  "the same channel for the same peer");
  const Bytes data = t.Payload(53);
  client.SendRaw(PaddedChannelData(kFirstChannel, data));
  t.ExpectAtPeer(peer, data, "ChannelData after binding once more");
}

void ChannelFamilyMismatch(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t);
  // Of the documentation prefix, and never sent to.
  const TransportAddress peer = *TransportAddress::Parse("[2001:db8::7]:3478");
  t.ExpectError(client.Call(TurnChannelBind(kFirstChannel, peer)), 443,
                "an IPv6 peer for an IPv4 relayed address");
}

void ChannelForbidden(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t);
  t.ExpectError(client.Call(TurnChannelBind(kFirstChannel, *t.target().denied_peer)), 403,
                "ChannelBind for an address that the server is said to deny");
}

void ChannelGivesPermission(Test& t) {
  Peer bound = t.OpenPeer();
  Peer neighbour = t.OpenPeer();
  if (bound.address().ip != neighbour.address().ip)
    t.Skip("the peers at hand have different addresses");
  auto [client, allocation] = ConnectAndAllocate(t);
  client.BindChannel(kFirstChannel, bound.address());
  const Bytes data = t.Payload(54);
  bound.Send(allocation.relayed, data);
  t.ExpectAtClient(client, data, "data of a peer that only ChannelBind named");
  ExpectBothWays(t, client, allocation, neighbour);
}

void ChannelReserved(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  const Bytes value = {0x40, 0x00, 0xbe, 0xef};
  t.ExpectSuccess(client.Call(Request(stun::Method::kChannelBind)
                                  .Attribute(stun::AttributeType::kChannelNumber, value)
                                  .PeerAddress(peer.address())),
                  "CHANNEL-NUMBER with RFFU bits set");
  const Bytes data = t.Payload(55);
  client.SendRaw(PaddedChannelData(kFirstChannel, data));
  t.ExpectAtPeer(peer, data, "ChannelData on that channel");
}

void ChannelIsolation(Test& t) {
  Peer peer_a = t.OpenPeer();
  Peer peer_b = t.OpenPeer();
  Allocated a = ConnectAndAllocate(t);
  Allocated b = ConnectAndAllocate(t);
  a.client.BindChannel(kFirstChannel, peer_a.address());
  t.ExpectSuccess(b.client.Call(TurnChannelBind(kFirstChannel, peer_b.address())),
                  "a channel number that another allocation has bound");
  t.ExpectSuccess(b.client.Call(TurnChannelBind(kSecondChannel, peer_a.address())),
                  "a peer that another allocation has bound");
  const Bytes from_a = t.Payload(56), from_b = t.Payload(57);
  a.client.SendRaw(PaddedChannelData(kFirstChannel, from_a));
  t.ExpectAtPeer(peer_a, from_a, "data on the first allocation's channel");
  b.client.SendRaw(PaddedChannelData(kFirstChannel, from_b));
  t.ExpectAtPeer(peer_b, from_b, "data on the second allocation's channel");
}

void ChannelBesideSend(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  client.BindChannel(kFirstChannel, peer.address());
  const Bytes data = t.Payload(58);
  client.SendIndication(peer.address(), data);
  const Peer::Received received =
      t.ExpectAtPeer(peer, data, "a Send indication to a peer with a channel");
  t.Expect(received.from == allocation.relayed, "from " + allocation.relayed.ToString(),
           received.from.ToString());
}

constexpr std::string_view kTestsFailClause =
    "If any of these tests fail, the server replies with a 400 (Bad Request) error.";

void AddNumbers(CaseList& cases) {
  const Needs needs = TurnNeeds(PeerNeed::kAny);
  const Clause fail = {"8656", "12.2", Level::kProse, kTestsFailClause};
  const Clause range = {"8656", "12.2", Level::kProse,
                        "The channel number is in the range 0x4000 through 0x4FFF (inclusive);"};
  const Clause classic = {"5766", "11.2", Level::kProse,
                          "The channel number is in the range 0x4000 through 0x7FFE (inclusive);"};
  cases.push_back({.id = "turn.chan.range-low",
                   .title = "Channel numbers below 0x4000 are answered with 400",
                   .clauses = {range, fail},
                   .needs = needs,
                   .run = ChannelTooLow});
  cases.push_back({.id = "turn.chan.range-ok",
                   .title = "The first and the last channel number can be bound and used",
                   .clauses = {range},
                   .needs = needs,
                   .edition = Edition::kCurrent,
                   .run = ChannelLimits});
  cases.push_back({.id = "turn.chan.range-high",
                   .title = "Channel numbers above 0x4FFF are answered with 400",
                   .clauses = {range, fail},
                   .needs = needs,
                   .edition = Edition::kCurrent,
                   .run = ChannelTooHigh});
  cases.push_back({.id = "turn.chan.range-ok-5766",
                   .title = "The first and the last channel number of RFC 5766 can be bound",
                   .clauses = {classic},
                   .needs = needs,
                   .edition = Edition::kClassic,
                   .covers = {"turn.chan.range-ok"},
                   .run = ChannelClassicLimits});
  cases.push_back({.id = "turn.chan.range-high-5766",
                   .title = "Channel numbers from 0x8000 are answered with 400",
                   .clauses = {classic},
                   .needs = needs,
                   .edition = Edition::kClassic,
                   .covers = {"turn.chan.range-high"},
                   .run = ChannelClassicTooHigh});
}

// Requests without what they need.
void AddChannelMissing(CaseList& cases, const Needs& needs) {
  const Clause fail = {"8656", "12.2", Level::kProse, kTestsFailClause};
  const Clause both = {"8656", "12.2", Level::kProse,
                       "The request contains both a CHANNEL-NUMBER and an XOR-PEER-ADDRESS "
                       "attribute;"};
  cases.push_back({.id = "turn.chan.no-number",
                   .title = "ChannelBind without a number is answered with 400",
                   .clauses = {both, fail},
                   .needs = needs,
                   .run = ChannelWithoutNumber});
  cases.push_back({.id = "turn.chan.no-peer",
                   .title = "ChannelBind without a peer is answered with 400",
                   .clauses = {both, fail},
                   .needs = TurnNeeds(),
                   .run = ChannelWithoutPeer});
  cases.push_back({.id = "turn.chan.malformed-peer",
                   .title = "ChannelBind with a malformed peer is answered with 400",
                   .clauses = {both, fail},
                   .needs = TurnNeeds(),
                   .run = ChannelMalformedPeer});
}

// Numbers and peers that are taken, or not allowed.
void AddChannelTaken(CaseList& cases, const Needs& needs) {
  const Clause fail = {"8656", "12.2", Level::kProse, kTestsFailClause};
  cases.push_back({.id = "turn.chan.number-taken",
                   .title = "A channel that is bound to another peer is answered with 400",
                   .clauses = {{"8656", "12.2", Level::kProse,
                                "The channel number is not currently bound to a different "
                                "transport address (same transport address is OK);"},
                               fail},
                   .needs = needs,
                   .run = ChannelNumberTaken});
  cases.push_back({.id = "turn.chan.peer-taken",
                   .title = "A peer that is bound to another channel is answered with 400",
                   .clauses = {{"8656", "12.2", Level::kProse,
                                "The transport address is not currently bound to a different "
                                "channel number."},
                               fail},
                   .needs = needs,
                   .run = ChannelPeerTaken});
  cases.push_back({.id = "turn.chan.rebind",
                   .title = "A channel can be bound once more to its peer",
                   .clauses = {{"8656", "12.1", Level::kProse,
                                "Rebinding a channel to the same transport address that it is "
                                "already bound to provides a way to refresh a channel binding"}},
                   .needs = needs,
                   .run = ChannelRebind});
  cases.push_back({.id = "turn.chan.family",
                   .title = "ChannelBind for a peer of another family is answered with 443",
                   .clauses = {{"8656", "12.2", Level::kMust,
                                "the server MUST generate an error response with the 443 (Peer "
                                "Address Family Mismatch) response code."}},
                   .needs = TurnNeeds(),
                   .edition = Edition::kCurrent,
                   .run = ChannelFamilyMismatch});
  Needs denied = TurnNeeds();
  denied.denied_peer = true;
  cases.push_back({.id = "turn.chan.forbidden",
                   .title = "ChannelBind for a peer that the server denies is answered with 403",
                   .clauses = {{"8656", "12.2", Level::kProse,
                                "if a value is not allowed, the server rejects the request with a "
                                "403 (Forbidden) error."}},
                   .needs = denied,
                   .run = ChannelForbidden});
}

// What a binding does.
void AddChannelBindings(CaseList& cases, const Needs& needs) {
  cases.push_back({.id = "turn.chan.permission",
                   .title = "ChannelBind installs a permission for the peer's address",
                   .clauses = {{"8656", "12.2", Level::kProse,
                                "The server also installs or refreshes a permission for the IP "
                                "address in the XOR-PEER-ADDRESS attribute"}},
                   .needs = needs,
                   .run = ChannelGivesPermission});
  cases.push_back({.id = "turn.chan.rffu",
                   .title = "The reserved bits of CHANNEL-NUMBER are ignored",
                   .clauses = {{"8656", "18.1", Level::kMust,
                                "which MUST be set to 0 on transmission and MUST be ignored on "
                                "reception."}},
                   .needs = needs,
                   .run = ChannelReserved});
  cases.push_back({.id = "turn.chan.isolation",
                   .title = "Channels of one allocation are none of another",
                   .clauses = {{"8656", "12", Level::kProse,
                                "a channel binding in one allocation has no impact on their use in "
                                "a different allocation."}},
                   .needs = needs,
                   .run = ChannelIsolation});
  cases.push_back({.id = "turn.chan.send-too",
                   .title = "Send indications work beside a channel",
                   .clauses = {{"8656", "11.1", Level::kProse,
                                "A client may use a Send indication even if a channel is bound to "
                                "that peer."}},
                   .needs = needs,
                   .run = ChannelBesideSend});
}

}  // namespace

void AddRfc8656Section12(CaseList& cases) {
  const Needs needs = TurnNeeds(PeerNeed::kAny);
  AddChannelMissing(cases, needs);
  AddNumbers(cases);
  AddChannelTaken(cases, needs);
  AddChannelBindings(cases, needs);
}

}  // namespace rtclab::conformance
