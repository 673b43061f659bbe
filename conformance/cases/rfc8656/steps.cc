#include "conformance/cases/rfc8656/steps.h"

#include <algorithm>
#include <string>
#include <utility>

namespace rtclab::conformance {

namespace {

std::string BytesInWords(ByteView bytes) {
  constexpr std::size_t kShown = 32;
  std::string text = std::to_string(bytes.size()) + " bytes";
  if (!bytes.empty())
    text += ": " + ToHex(bytes.first(std::min(bytes.size(), kShown))) +
            (bytes.size() > kShown ? "..." : "");
  return text;
}

}  // namespace

Needs TurnNeeds(PeerNeed peer, std::vector<Feature> more) {
  more.insert(more.begin(), {Feature::kTurn, Feature::kIpv4Relay});
  return {.features = std::move(more), .peer = peer};
}

Needs TurnNeedsOver(Transport transport, PeerNeed peer, std::vector<Feature> more) {
  Needs needs = TurnNeeds(peer, std::move(more));
  needs.transport = transport;
  return needs;
}

Needs TurnNeedsUser(bool two, PeerNeed peer) {
  Needs needs = TurnNeeds(peer);
  needs.credentials = true;
  needs.second_user = two;
  return needs;
}

Request TurnRefresh(std::optional<uint32_t> lifetime_s) {
  Request request(stun::Method::kRefresh);
  if (lifetime_s) request.Lifetime(*lifetime_s);
  return request;
}

Request TurnPermission() { return Request(stun::Method::kCreatePermission); }

Request TurnPermission(const TransportAddress& peer) { return TurnPermission().PeerAddress(peer); }

Request TurnChannelBind(uint16_t number, const TransportAddress& peer) {
  return Request(stun::Method::kChannelBind).ChannelNumber(number).PeerAddress(peer);
}

Request TurnSend(const TransportAddress& peer, ByteView data) {
  return Request(stun::Method::kSend, stun::MessageClass::kIndication)
      .PeerAddress(peer)
      .Data(data)
      .Unsigned();
}

Bytes ChannelDataBytes(uint16_t number, ByteView data, std::size_t padding) {
  ByteWriter out(4 + data.size() + padding);
  out.WriteU16(number);
  out.WriteU16(static_cast<uint16_t>(data.size()));
  out.WriteBytes(data);
  out.WriteZeros(padding);
  return out.Take();
}

Bytes PaddedChannelData(uint16_t number, ByteView data) {
  return ChannelDataBytes(number, data, (4 - data.size() % 4) % 4);
}

void LearnChallenge(Client& client) { client.Once(Request(stun::Method::kAllocate).Unsigned()); }

uint32_t LifetimeIn(Test& t, const Response& response, std::string_view what) {
  t.ExpectSuccess(response, what);
  const auto lifetime = response.view().GetU32(stun::AttributeType::kLifetime);
  t.Expect(lifetime.has_value(), "LIFETIME of four bytes in the response",
           response.Has(stun::AttributeType::kLifetime) ? "a malformed LIFETIME" : "no LIFETIME");
  return *lifetime;
}

TransportAddress RelayedIn(Test& t, const Response& response, std::string_view what) {
  t.ExpectSuccess(response, what);
  const auto all = response.view().GetXorAddresses(stun::AttributeType::kXorRelayedAddress);
  t.Expect(all && all->size() == 1, "one XOR-RELAYED-ADDRESS in the response",
           all ? std::to_string(all->size()) + " of them" : "a malformed XOR-RELAYED-ADDRESS");
  return all->front();
}

Allocated ConnectAndAllocate(Test& t, const Request& request) {
  Client client = t.Connect();
  Allocation allocation = client.Allocate(request);
  return {std::move(client), std::move(allocation)};
}

std::vector<Allocated> AllocateMany(Test& t, int count) {
  count = std::min(count, t.target().user_quota.value_or(count));
  std::vector<Allocated> all;
  all.reserve(static_cast<std::size_t>(std::max(0, count)));
  for (int i = 0; i < count; ++i) all.push_back(ConnectAndAllocate(t));
  return all;
}

bool StreamClosed(const Client& client) {
  const Transport transport = client.transport();
  return (transport == Transport::kTcp || transport == Transport::kTls) && !client.open();
}

Allocation ReleaseAndAllocate(Test& t, Client& client) {
  constexpr TimeDelta kPatience = TimeDelta::Seconds(4);
  constexpr TimeDelta kPause = TimeDelta::Millis(400);
  client.Release();
  const Timestamp last = t.Now() + kPatience;
  while (t.Now() < last) {
    const Response response = client.Call(AllocateRequest());
    if (response.success()) {
      Allocation allocation;
      allocation.relayed = RelayedIn(t, response, "Allocate");
      return allocation;
    }
    if (StreamClosed(client)) t.Skip("the server closes the stream of an allocation that ends");
    t.Sleep(kPause);
  }
  t.Block("no second allocation on the 5-tuple after the first was deleted");
}

Peer::Received ExpectNextAtPeer(Test& t, Peer& peer, ByteView data, std::string_view forbidden) {
  auto received = peer.Receive(t.target().answer_timeout);
  if (!received) t.Block("data that the server has to relay to the peer does not arrive either");
  t.Expect(std::ranges::equal(received->bytes, data), std::string(forbidden) + " is not relayed",
           "the peer received " + BytesInWords(received->bytes));
  return std::move(*received);
}

RelayedData ExpectNextAtClient(Test& t, Client& client, ByteView data, std::string_view forbidden) {
  auto received = client.ReceiveData(t.target().answer_timeout);
  if (!received) t.Block("data that the server has to relay to the client does not arrive either");
  t.Expect(std::ranges::equal(received->data, data), std::string(forbidden) + " is not relayed",
           "the client received " + BytesInWords(received->data));
  return std::move(*received);
}

void ExpectDropped(Test& t, Client& client, Peer& peer, std::string_view what) {
  t.Note("a Send indication that has to arrive, behind what must not");
  const Bytes fence = t.Payload(24);
  client.SendIndication(peer.address(), fence);
  ExpectNextAtPeer(t, peer, fence, what);
  t.ExpectNothingAtPeer(peer, what);
  t.ExpectSilence(client, what);
}

void ExpectBothWays(Test& t, Client& client, const Allocation& allocation, Peer& peer) {
  const Bytes out = t.Payload(100);
  client.SendIndication(peer.address(), out);
  t.ExpectAtPeer(peer, out);
  const Bytes back = t.Payload(101);
  peer.Send(allocation.relayed, back);
  t.ExpectAtClient(client, back);
}

void IdleUntil(Test& t, std::initializer_list<Client*> clients, Timestamp at) {
  constexpr TimeDelta kKeepAlive = TimeDelta::Seconds(15);
  for (Timestamp now = t.Now(); now < at; now = t.Now()) {
    t.Sleep(std::min(at - now, kKeepAlive));
    for (Client* client : clients) client->Once(Request(stun::Method::kBinding).Unsigned());
  }
}

}  // namespace rtclab::conformance
