// RFC 8656 sections 11.1 to 11.4: Send and Data indications.
#include <algorithm>
#include <string>

#include "conformance/cases/rfc8656/steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

constexpr uint16_t kDataIndicationType = 0x0017;

struct Permitted {
  Peer peer;
  Client client;
  Allocation allocation;
};

Permitted AllocateWithPermission(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  client.CreatePermission(peer.address());
  return {std::move(peer), std::move(client), std::move(allocation)};
}

Request BareSend() {
  return Request(stun::Method::kSend, stun::MessageClass::kIndication).Unsigned();
}

void SendRelayed(Test& t) {
  auto [peer, client, allocation] = AllocateWithPermission(t);
  for (const std::size_t size : {1, 5, 160, 1'100}) {
    const Bytes data = t.Payload(size);
    client.SendIndication(peer.address(), data);
    const Peer::Received received = t.ExpectAtPeer(peer, data);
    t.Expect(received.from == allocation.relayed,
             "from the relayed address " + allocation.relayed.ToString(), received.from.ToString());
  }
  t.ExpectSilence(client, "Send indications");
}

// A network may double a datagram, but not each of them.
constexpr int kCounted = 5;

void SendOnce(Test& t) {
  auto [peer, client, allocation] = AllocateWithPermission(t);
  for (int i = 0; i < kCounted; ++i) client.SendIndication(peer.address(), t.Payload(40));
  int arrived = 0;
  while (arrived < 2 * kCounted && peer.Receive(t.target().silence)) ++arrived;
  t.Expect(arrived < 2 * kCounted, std::to_string(kCounted) + " datagrams for as many indications",
           std::to_string(arrived) + " datagrams and perhaps more");
}

void DataOnce(Test& t) {
  auto [peer, client, allocation] = AllocateWithPermission(t);
  for (int i = 0; i < kCounted; ++i) peer.Send(allocation.relayed, t.Payload(40));
  int arrived = 0;
  while (arrived < 2 * kCounted && client.ReceiveData(t.target().silence)) ++arrived;
  t.Expect(arrived < 2 * kCounted, std::to_string(kCounted) + " Data indications for as many",
           std::to_string(arrived) + " Data indications and perhaps more");
}

void SendWithoutPeer(Test& t) {
  auto [peer, client, allocation] = AllocateWithPermission(t);
  client.Send(BareSend().Data(t.Payload(16)));
  ExpectDropped(t, client, peer, "a Send indication without XOR-PEER-ADDRESS");
}

void SendWithoutData(Test& t) {
  auto [peer, client, allocation] = AllocateWithPermission(t);
  client.Send(BareSend().PeerAddress(peer.address()));
  ExpectDropped(t, client, peer, "a Send indication without DATA");
}

void SendMalformedPeer(Test& t) {
  auto [peer, client, allocation] = AllocateWithPermission(t);
  const Bytes short_value = {0x00, 0x01, 0x2c, 0xbf, 0x5e};
  client.Send(
      BareSend().Attribute(stun::AttributeType::kXorPeerAddress, short_value).Data(t.Payload(16)));
  ExpectDropped(t, client, peer, "a Send indication with an XOR-PEER-ADDRESS of five bytes");
}

void SendUnknownAttribute(Test& t) {
  auto [peer, client, allocation] = AllocateWithPermission(t);
  const Bytes value = {1, 2, 3, 4};
  client.Send(TurnSend(peer.address(), t.Payload(16)).Attribute(0x7ffe, value));
  ExpectDropped(t, client, peer,
                "a Send indication with an unknown comprehension-required attribute");
}

void SendEmpty(Test& t) {
  auto [peer, client, allocation] = AllocateWithPermission(t);
  client.SendIndication(peer.address(), {});
  t.ExpectAtPeer(peer, {}, "an empty datagram");
}

void SendWithoutPermission(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  client.SendIndication(peer.address(), t.Payload(23));
  t.ExpectNothingAtPeer(peer, "data to a peer without a permission");
  client.CreatePermission(peer.address());
  ExpectDropped(t, client, peer, "data to a peer without a permission");
}

void SendDontFragment(Test& t) {
  Peer peer = t.OpenPeer();
  Client client = t.Connect();
  Response response = client.Call(AllocateRequest().DontFragment());
  const bool supported = response.success();
  if (!supported) {
    if (response.code() != 420) t.Block("Allocate with DONT-FRAGMENT: " + response.Describe());
    client.Allocate();
  }
  client.CreatePermission(peer.address());
  const Bytes data = t.Payload(64);
  client.Send(TurnSend(peer.address(), data).DontFragment());
  if (supported) {
    t.ExpectAtPeer(peer, data, "a Send indication with DONT-FRAGMENT, which the server supports");
  } else {
    ExpectDropped(t, client, peer,
                  "a Send indication with DONT-FRAGMENT, which the server does not support");
  }
}

void SendForbidden(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t);
  client.SendIndication(*t.target().denied_peer, t.Payload(16));
  t.ExpectSilence(client, "a Send indication to an address that the server denies");
}

void DataIndication(Test& t) {
  auto [peer, client, allocation] = AllocateWithPermission(t);
  for (const std::size_t size : {1, 6, 160, 1'100}) {
    const Bytes data = t.Payload(size);
    peer.Send(allocation.relayed, data);
    const RelayedData received = t.ExpectAtClient(client, data);
    t.Expect(!received.channel && received.raw.size() >= 20 &&
                 LoadU16(received.raw.data()) == kDataIndicationType,
             "a Data indication", received.channel ? "ChannelData" : "another message");
    t.Expect(received.peer == peer.address(), "XOR-PEER-ADDRESS " + peer.address().ToString(),
             received.peer.ToString());
  }
}

void DataEmpty(Test& t) {
  auto [peer, client, allocation] = AllocateWithPermission(t);
  peer.Send(allocation.relayed, {});
  const auto received = client.ReceiveData(t.target().answer_timeout);
  t.Expect(received.has_value(), "a Data indication for an empty datagram", "nothing");
  t.Expect(received->has_data && received->data.empty(), "DATA of zero bytes",
           received->has_data ? std::to_string(received->data.size()) + " bytes" : "no DATA");
}

void DataOnChannel(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  client.BindChannel(kFirstChannel, peer.address());
  const Bytes data = t.Payload(45);
  peer.Send(allocation.relayed, data);
  const RelayedData received = t.ExpectAtClient(client, data);
  t.Expect(received.channel.has_value(), "ChannelData", "a Data indication");
  t.Expect(received.channel == kFirstChannel, "channel 0x4000", std::to_string(*received.channel));
}

void DataFromOtherPort(Test& t) {
  Peer bound = t.OpenPeer();
  Peer neighbour = t.OpenPeer();
  if (bound.address().ip != neighbour.address().ip)
    t.Skip("the peers at hand have different addresses");
  auto [client, allocation] = ConnectAndAllocate(t);
  client.BindChannel(kFirstChannel, bound.address());
  const Bytes data = t.Payload(46);
  neighbour.Send(allocation.relayed, data);
  const RelayedData received = t.ExpectAtClient(client, data);
  t.Expect(!received.channel, "a Data indication, as the channel is for another port",
           "ChannelData");
  t.Expect(received.peer == neighbour.address(),
           "XOR-PEER-ADDRESS " + neighbour.address().ToString(), received.peer.ToString());
}

void AddSend(CaseList& cases) {
  const Needs needs = TurnNeeds(PeerNeed::kAny);
  cases.push_back({.id = "turn.send.relay",
                   .title = "Data of a Send indication goes out from the relayed address",
                   .clauses = {{"8656", "11.2", Level::kProse,
                                "the source transport address is the relayed transport address of "
                                "the allocation"},
                               {"8656", "11.2", Level::kProse,
                                "the data following the UDP header is the contents of the value "
                                "field of the DATA attribute."}},
                   .needs = needs,
                   .run = SendRelayed});
  cases.push_back({.id = "turn.send.once",
                   .title = "A Send indication is relayed once",
                   .clauses = {{"8656", "11.2", Level::kProse,
                                "The resulting UDP datagram is then sent to the peer."}},
                   .needs = needs,
                   .run = SendOnce});
  const Clause discarded = {
      "8656", "11.2", Level::kProse,
      "If one of these attributes is missing or invalid, then the message is discarded."};
  cases.push_back({.id = "turn.send.no-peer",
                   .title = "A Send indication without a peer is dropped",
                   .clauses = {discarded},
                   .needs = needs,
                   .run = SendWithoutPeer});
  cases.push_back({.id = "turn.send.no-data",
                   .title = "A Send indication without DATA is dropped",
                   .clauses = {discarded},
                   .needs = needs,
                   .run = SendWithoutData});
  cases.push_back({.id = "turn.send.malformed-peer",
                   .title = "A Send indication with a malformed peer is dropped",
                   .clauses = {discarded},
                   .needs = needs,
                   .run = SendMalformedPeer});
  cases.push_back({.id = "turn.send.unknown-attribute",
                   .title = "A Send indication with an unknown required attribute is dropped",
                   .clauses = {{"8489", "6.3.2", Level::kProse,
                                "If the indication contains unknown comprehension-required "
                                "attributes, the indication is discarded and processing ceases."},
                               {"8656", "5", Level::kProse,
                                "All the base processing rules described in [RFC8489] apply to "
                                "STUN-formatted messages."}},
                   .needs = needs,
                   .run = SendUnknownAttribute});
  cases.push_back({.id = "turn.send.empty-data",
                   .title = "A Send indication with empty DATA is relayed as an empty datagram",
                   .clauses = {{"8656", "11.2", Level::kProse,
                                "Note that the DATA attribute is allowed to contain zero bytes of "
                                "data."}},
                   .needs = needs,
                   .run = SendEmpty});
  cases.push_back({.id = "turn.send.no-permission",
                   .title = "A Send indication to a peer without a permission is dropped",
                   .clauses = {{"8656", "11.2", Level::kProse,
                                "If no such permission exists, the message is discarded."}},
                   .needs = needs,
                   .run = SendWithoutPermission});
  cases.push_back({.id = "turn.send.df",
                   .title = "DONT-FRAGMENT in Send is obeyed, or the indication dropped",
                   .clauses = {{"8656", "11.2", Level::kProse,
                                "then the server acts as if the DONT-FRAGMENT attribute is an "
                                "unknown comprehension-required attribute"}},
                   .needs = needs,
                   .run = SendDontFragment});
  Needs denied = TurnNeeds();
  denied.denied_peer = true;
  cases.push_back({.id = "turn.send.forbidden",
                   .title = "A Send indication to a denied address gets no answer",
                   .clauses = {{"8656", "11.2", Level::kProse,
                                "if a value is not allowed, the server silently discards the Send "
                                "indication."}},
                   .needs = denied,
                   .run = SendForbidden});
}

}  // namespace

void AddRfc8656Section11(CaseList& cases) {
  AddSend(cases);
  const Needs needs = TurnNeeds(PeerNeed::kAny);
  const Clause contents = {"8656", "11.3", Level::kMust,
                           "The Data indication MUST contain both an XOR-PEER-ADDRESS and a DATA "
                           "attribute."};
  cases.push_back({.id = "turn.data.indication",
                   .title = "A peer's data comes in a Data indication that names the peer",
                   .clauses = {contents,
                               {"8656", "11.3", Level::kProse,
                                "the XOR-PEER-ADDRESS attribute is set to the source transport "
                                "address of the received UDP datagram."}},
                   .needs = needs,
                   .run = DataIndication});
  cases.push_back({.id = "turn.data.once",
                   .title = "A peer's datagram is relayed once",
                   .clauses = {{"8656", "11.3", Level::kProse,
                                "The Data indication is then sent on the 5-tuple associated with "
                                "the allocation."}},
                   .needs = needs,
                   .run = DataOnce});
  cases.push_back({.id = "turn.data.empty",
                   .title = "A peer's empty datagram comes in a Data indication with empty DATA",
                   .clauses = {contents,
                               {"8656", "11.4", Level::kProse,
                                "Note that a DATA attribute is allowed to contain zero bytes of "
                                "data."}},
                   .needs = needs,
                   .run = DataEmpty});
  cases.push_back({.id = "turn.data.channel-used",
                   .title = "A peer's data comes on the channel that is bound to it",
                   .clauses = {{"8656", "12.5", Level::kMust,
                                "MUST use the ChannelData message if a channel has been bound to "
                                "the peer."}},
                   .needs = needs,
                   .run = DataOnChannel});
  cases.push_back({.id = "turn.data.other-port",
                   .title = "Data from another port of a bound peer comes in a Data indication",
                   .clauses = {{"8656", "11.3", Level::kProse,
                                "If relaying is permitted but no channel is bound to the peer, "
                                "then the server forms and sends a Data indication."}},
                   .needs = needs,
                   .run = DataFromOtherPort});
}

}  // namespace rtclab::conformance
