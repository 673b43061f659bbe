// RFC 8656 sections 12.4 to 12.7: ChannelData messages, over datagrams and over streams.
#include <algorithm>
#include <string>

#include "conformance/cases/rfc8656/steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

constexpr TimeDelta kBetweenWrites = TimeDelta::Millis(40);

struct OnChannel {
  Peer peer;
  Client client;
  Allocation allocation;
};

OnChannel AllocateWithChannel(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  client.BindChannel(kFirstChannel, peer.address());
  return {std::move(peer), std::move(client), std::move(allocation)};
}

void ExpectFromRelay(Test& t, const Peer::Received& received, const Allocation& allocation) {
  t.Expect(received.from == allocation.relayed,
           "from the relayed address " + allocation.relayed.ToString(), received.from.ToString());
}

// Both ways with sizes that need each amount of padding.
void ChannelDataRelayed(Test& t) {
  auto [peer, client, allocation] = AllocateWithChannel(t);
  for (const std::size_t size : {5, 1, 2, 3, 4, 1'100}) {
    const Bytes data = t.Payload(size);
    client.SendRaw(PaddedChannelData(kFirstChannel, data));
    ExpectFromRelay(t, t.ExpectAtPeer(peer, data, "ChannelData"), allocation);
    const Bytes back = t.Payload(size);
    peer.Send(allocation.relayed, back);
    const RelayedData received = t.ExpectAtClient(client, back, "a bound peer's data");
    t.Expect(received.channel == kFirstChannel, "ChannelData on 0x4000", "a Data indication");
  }
  t.ExpectSilence(client, "ChannelData");
}

void ChannelDataEmpty(Test& t) {
  auto [peer, client, allocation] = AllocateWithChannel(t);
  client.SendRaw(ChannelDataBytes(kFirstChannel, {}));
  ExpectFromRelay(t, t.ExpectAtPeer(peer, {}, "ChannelData of zero bytes"), allocation);
}

void ChannelDataShort(Test& t) {
  auto [peer, client, allocation] = AllocateWithChannel(t);
  const Bytes claims_fifty = *FromHex("40000032 0102030405");
  client.SendRaw(claims_fifty);
  const Bytes claims_one_more = *FromHex("40000009 0102030405060708");
  client.SendRaw(claims_one_more);
  ExpectDropped(t, client, peer, "a datagram shorter than the length of its ChannelData");
}

void ChannelDataUnbound(Test& t) {
  auto [peer, client, allocation] = AllocateWithChannel(t);
  client.SendRaw(*FromHex("4fee0008 0102030405060708"));
  ExpectDropped(t, client, peer, "ChannelData on a channel that is not bound");
}

void ChannelDataReserved(Test& t) {
  auto [peer, client, allocation] = AllocateWithChannel(t);
  // First bytes that table 3 keeps for nobody, each in front of what would be a good ChannelData message.
  for (const uint8_t first : {uint8_t{0x04}, uint8_t{0x0f}, uint8_t{0x50}, uint8_t{0x6b},
                              uint8_t{0x7f}, uint8_t{0xc0}, uint8_t{0xff}}) {
    Bytes message = *FromHex("00000008 0102030405060708");
    message[0] = first;
    client.SendRaw(message);
  }
  ExpectDropped(t, client, peer, "messages with a first byte that is reserved");
}

void ChannelDataPaddedDatagram(Test& t) {
  auto [peer, client, allocation] = AllocateWithChannel(t);
  client.SendRaw(*FromHex("40000005 6869766534 000000"));
  t.ExpectAtPeer(peer, *FromHex("6869766534"), "5 bytes of data with 3 bytes of padding");
}

void ChannelDataUnpaddedDatagram(Test& t) {
  auto [peer, client, allocation] = AllocateWithChannel(t);
  client.SendRaw(*FromHex("40000005 6869766534"));
  t.ExpectAtPeer(peer, *FromHex("6869766534"), "5 bytes of data without padding");
}

// Reads `size` raw bytes of the stream.
Bytes ReadStream(Test& t, Client& client, std::size_t size) {
  Bytes all;
  while (all.size() < size) {
    auto piece = client.ReceiveRaw(t.target().answer_timeout);
    if (!piece) t.Fail(std::to_string(size) + " bytes on the stream", ToHex(all));
    all.insert(all.end(), piece->bytes.begin(), piece->bytes.end());
  }
  return all;
}

// Two messages of five bytes in each direction; padding must not count as data, and must be there.
void ChannelDataStreamPadding(Test& t) {
  auto [peer, client, allocation] = AllocateWithChannel(t);
  const Bytes one = t.Payload(5), two = t.Payload(6);
  Bytes both = PaddedChannelData(kFirstChannel, one);
  const Bytes second = PaddedChannelData(kFirstChannel, two);
  both.insert(both.end(), second.begin(), second.end());
  t.Note("two padded ChannelData messages in one write");
  client.SendRaw(both);
  t.ExpectAtPeer(peer, one, "5 bytes over a stream");
  t.ExpectAtPeer(peer, two, "6 bytes over a stream");
  t.Note("and two back");
  peer.Send(allocation.relayed, one);
  const Bytes first_back = ReadStream(t, client, 12);
  peer.Send(allocation.relayed, two);
  const Bytes second_back = ReadStream(t, client, 12);
  const auto check = [&t](const Bytes& bytes, const Bytes& data) {
    t.Expect(bytes.size() == 12 && std::ranges::equal(ByteView(bytes).first(4 + data.size()),
                                                      ChannelDataBytes(kFirstChannel, data)),
             ToHex(ChannelDataBytes(kFirstChannel, data)) + " and padding to 12 bytes",
             ToHex(bytes));
  };
  check(first_back, one);
  check(second_back, two);
  t.ExpectSuccess(client.Once(Request(stun::Method::kBinding).Unsigned()),
                  "Binding on the same stream");
}

void ChannelDataSplit(Test& t) {
  auto [peer, client, allocation] = AllocateWithChannel(t);
  const Bytes data = t.Payload(9);
  const Bytes message = PaddedChannelData(kFirstChannel, data);
  t.Note("in four writes: inside the header, after it, inside the data, inside the padding");
  std::size_t sent = 0;
  for (const std::size_t end : {std::size_t{3}, std::size_t{4}, std::size_t{8}, message.size()}) {
    client.SendRaw(ByteView(message).subspan(sent, end - sent));
    sent = end;
    t.Sleep(kBetweenWrites);
  }
  t.ExpectAtPeer(peer, data, "ChannelData in several writes");
  t.ExpectNothingAtPeer(peer, "ChannelData in several writes, relayed more than once");
  t.ExpectSuccess(client.Once(Request(stun::Method::kBinding).Unsigned()),
                  "Binding on the same stream");
}

// ChannelData, a request and ChannelData in one write.
void ChannelDataCoalesced(Test& t) {
  auto [peer, client, allocation] = AllocateWithChannel(t);
  const Bytes one = t.Payload(7), two = t.Payload(10);
  const auto id = stun::NewTransactionId(t.rng());
  Bytes all = PaddedChannelData(kFirstChannel, one);
  const Bytes request = client.Encode(Request(stun::Method::kBinding).Unsigned().TransactionId(id));
  const Bytes last = PaddedChannelData(kFirstChannel, two);
  all.insert(all.end(), request.begin(), request.end());
  all.insert(all.end(), last.begin(), last.end());
  client.SendRaw(all);
  t.ExpectSuccess(client.Await(id, t.target().answer_timeout),
                  "Binding between two ChannelData messages");
  t.ExpectAtPeer(peer, one, "ChannelData before the request");
  t.ExpectAtPeer(peer, two, "ChannelData after the request");
}

void AddDatagrams(CaseList& cases) {
  const Needs udp = TurnNeedsOver(Transport::kUdp, PeerNeed::kAny);
  cases.push_back({.id = "turn.cdata.short",
                   .title = "A datagram shorter than its ChannelData says is dropped",
                   .clauses = {{"8656", "12.6", Level::kProse,
                                "if the UDP datagram is too short to contain the claimed length of "
                                "the ChannelData message"}},
                   .needs = udp,
                   .run = ChannelDataShort});
  cases.push_back({.id = "turn.cdata.reserved",
                   .title = "Messages with a reserved first byte are dropped",
                   .clauses = {{"8656", "12", Level::kMust,
                                "Reserved; MUST be dropped and an alert MAY be logged"},
                               {"8656", "12.6", Level::kProse,
                                "If the message uses a value in the reserved range (0x5000 through "
                                "0xFFFF), then the message is silently discarded."}},
                   .needs = udp,
                   .run = ChannelDataReserved});
  cases.push_back({.id = "turn.cdata.udp-padding",
                   .title = "Padding over UDP is not data",
                   .clauses = {{"8656", "12.5", Level::kProse,
                                "Over UDP, the padding is not required but MAY be included."}},
                   .needs = udp,
                   .run = ChannelDataPaddedDatagram});
  cases.push_back({.id = "turn.cdata.udp-unpadded",
                   .title = "ChannelData over UDP needs no padding",
                   .clauses = {{"8656", "12.5", Level::kProse,
                                "Over UDP, the padding is not required but MAY be included."}},
                   .needs = udp,
                   .run = ChannelDataUnpaddedDatagram});
  cases.push_back({.id = "turn.cdata.dtls-relay",
                   .title = "ChannelData is relayed both ways over DTLS",
                   .clauses = {{"8656", "12.6", Level::kProse,
                                "the data following the UDP header is the contents of the data "
                                "field of the ChannelData message."}},
                   .needs = TurnNeedsOver(Transport::kDtls, PeerNeed::kAny),
                   .edition = Edition::kCurrent,
                   .run = ChannelDataRelayed});
}

void AddStreams(CaseList& cases) {
  const Needs tcp = TurnNeedsOver(Transport::kTcp, PeerNeed::kAny);
  const Clause padded = {"8656", "12.5", Level::kMust,
                         "the ChannelData message MUST be padded to a multiple of four bytes in "
                         "order to ensure the alignment of subsequent messages."};
  const Clause length = {"8656", "12.5", Level::kProse,
                         "The padding is not reflected in the length field of the ChannelData "
                         "message"};
  const Clause stream = {"8656", "12.6", Level::kProse,
                         "then the actual length of the ChannelData message is as described in "
                         "Section 12.5."};
  cases.push_back({.id = "turn.cdata.tcp-padding",
                   .title = "ChannelData over TCP is padded to four bytes both ways",
                   .clauses = {padded, length},
                   .needs = tcp,
                   .run = ChannelDataStreamPadding});
  cases.push_back({.id = "turn.cdata.tls-padding",
                   .title = "ChannelData over TLS is padded to four bytes both ways",
                   .clauses = {padded, length},
                   .needs = TurnNeedsOver(Transport::kTls, PeerNeed::kAny),
                   .covers = {"turn.cdata.tcp-padding"},
                   .run = ChannelDataStreamPadding});
  cases.push_back({.id = "turn.cdata.tcp-relay",
                   .title = "ChannelData is relayed both ways over TCP",
                   .clauses = {stream},
                   .needs = tcp,
                   .run = ChannelDataRelayed});
  cases.push_back({.id = "turn.cdata.tcp-split",
                   .title = "ChannelData that comes in pieces is relayed once and whole",
                   .clauses = {stream},
                   .needs = tcp,
                   .run = ChannelDataSplit});
  cases.push_back({.id = "turn.cdata.tcp-coalesced",
                   .title = "ChannelData and STUN messages in one segment are told apart",
                   .clauses = {stream},
                   .needs = tcp,
                   .run = ChannelDataCoalesced});
}

}  // namespace

void AddRfc8656Section12ChannelData(CaseList& cases) {
  const Needs needs = TurnNeeds(PeerNeed::kAny);
  cases.push_back({.id = "turn.cdata.relay",
                   .title = "ChannelData is relayed both ways, byte for byte",
                   .clauses = {{"8656", "12.6", Level::kProse,
                                "the data following the UDP header is the contents of the data "
                                "field of the ChannelData message."},
                               {"8656", "12.6", Level::kProse,
                                "the destination transport address is the transport address to "
                                "which the channel is bound;"}},
                   .needs = needs,
                   .run = ChannelDataRelayed});
  cases.push_back({.id = "turn.cdata.zero",
                   .title = "ChannelData of zero bytes is relayed as an empty datagram",
                   .clauses = {{"8656", "12.6", Level::kProse,
                                "then there will be no data in the UDP datagram, but the UDP "
                                "datagram is still formed and sent"}},
                   .needs = needs,
                   .run = ChannelDataEmpty});
  cases.push_back({.id = "turn.cdata.unbound",
                   .title = "ChannelData on a channel that is not bound is dropped",
                   .clauses = {{"8656", "12.6", Level::kProse,
                                "If the ChannelData message is received on a channel that is not "
                                "bound to any peer, then the message is silently discarded."}},
                   .needs = needs,
                   .run = ChannelDataUnbound});
  AddDatagrams(cases);
  AddStreams(cases);
}

}  // namespace rtclab::conformance
