// Messages that no client sends. The server may answer them or not; it has to live, and to serve others.
#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "conformance/cases/safety/safety_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

constexpr int kSecBatches = 8;
constexpr int kSecBatch = 30;

// No mutation may turn into something that makes the server send to a peer.
void SecTame(Bytes& message) {
  if (message.size() < 2) return;
  const auto type = LoadU16(message.data());
  const auto method = stun::DecodeMethod(type & 0x3fff);
  if (type < 0x4000 && (method == stun::Method::kSend || method == stun::Method::kConnect))
    message[1] = static_cast<uint8_t>((message[1] & 0xf0) | 0x01);
}

Bytes SecBase(Test& t, Client& client) {
  const TransportAddress nowhere{IpAddress::V4(192, 0, 2, 1), 9};
  Bytes text(static_cast<std::size_t>(t.rng().Uniform(0, 600)), 'u');
  switch (t.rng().Uniform(0, 5)) {
    case 0:
      return client.Encode(Request(stun::Method::kBinding).Software("x"));
    case 1:
      return client.Encode(AllocateRequest().EvenPort(true).Lifetime(600));
    case 2:
      return client.Encode(Request(stun::Method::kRefresh).Lifetime(0).Software("abc"));
    case 3:
      return client.Encode(Request(stun::Method::kCreatePermission).PeerAddress(nowhere));
    case 4:
      return client.Encode(
          Request(stun::Method::kChannelBind).ChannelNumber(0x4001).PeerAddress(nowhere));
    default:
      return client.Encode(AllocateRequest().Attribute(stun::AttributeType::kUsername, text));
  }
}

Bytes SecMutate(Test& t, Bytes message) {
  Rng& rng = t.rng();
  const auto anywhere = [&](std::size_t first) {
    return static_cast<std::size_t>(rng.Uniform(first, message.size() - 1));
  };
  switch (rng.Uniform(0, 7)) {
    case 0:  // cut off
      message.resize(anywhere(1));
      break;
    case 1:  // the header's length is a lie
      StoreU16(message.data() + 2, static_cast<uint16_t>(rng.NextU32()));
      break;
    case 2:  // an attribute's length is a lie
      if (message.size() >= 24) StoreU16(message.data() + 22, static_cast<uint16_t>(rng.NextU32()));
      break;
    case 3:  // a few bytes at random
      for (int i = 0; i < 4; ++i) message[anywhere(0)] = static_cast<uint8_t>(rng.NextU32());
      break;
    case 4: {  // something behind the end, and the header says that it belongs to it
      const Bytes tail = t.Payload(static_cast<std::size_t>(rng.Uniform(1, 40)));
      message.insert(message.end(), tail.begin(), tail.end());
      StoreU16(message.data() + 2, static_cast<uint16_t>(message.size() - stun::kHeaderSize));
      break;
    }
    case 5:  // attributes without end
      while (message.size() < 1'200) {
        const Bytes empty = {static_cast<uint8_t>(rng.NextU32()), 0x11, 0x00, 0x00};
        message.insert(message.end(), empty.begin(), empty.end());
      }
      StoreU16(message.data() + 2, static_cast<uint16_t>(message.size() - stun::kHeaderSize));
      break;
    case 6:  // another method and class
      StoreU16(message.data(), static_cast<uint16_t>(rng.NextU32() & 0x3fff));
      break;
    default:  // no more than a header and noise
      message = t.Payload(static_cast<std::size_t>(rng.Uniform(20, 200)));
      StoreU16(message.data(), static_cast<uint16_t>(rng.Uniform(0, 0x0111)));
      StoreU32(message.data() + 4, stun::kMagicCookie);
      break;
  }
  SecTame(message);
  return message;
}

// Allocation and relaying of somebody else, which go on meanwhile.
struct SecNeighbour {
  Client client;
  explicit SecNeighbour(Test& t) : client(t.Connect()) { client.Allocate(); }
  void ExpectServed(Test& t) {
    t.ExpectSuccess(client.Call(Request(stun::Method::kRefresh)),
                    "the Refresh of another client after it");
  }
};

void SecMalformedStun(Test& t) {
  SecNeighbour neighbour(t);
  for (int batch = 0; batch < kSecBatches; ++batch) {
    Client client = SafetyConnect(t, "malformed messages");
    if (batch % 2 == 1) client.Once(Request(stun::Method::kRefresh).Unsigned());
    for (int i = 0; i < kSecBatch && client.open(); ++i) {
      t.SpendProbe();
      client.SendRaw(SecMutate(t, SecBase(t, client)));
    }
    // Some may have been answered with an allocation, which has to be known to be deleted.
    while (client.Receive(TimeDelta::Millis(20))) {
    }
    ExpectAlive(t, "malformed messages");
    neighbour.ExpectServed(t);
  }
}

void SecMalformedChannelData(Test& t) {
  Peer peer = t.OpenPeer();
  SecNeighbour neighbour(t);
  Rng& rng = t.rng();
  for (int batch = 0; batch < kSecBatches / 2; ++batch) {
    Client client = SafetyConnect(t, "malformed ChannelData");
    client.Allocate();
    client.BindChannel(0x4000, peer.address());
    for (int i = 0; i < kSecBatch && client.open(); ++i) {
      t.SpendProbe();
      Bytes message = t.Payload(static_cast<std::size_t>(rng.Uniform(4, 120)));
      // Channels bound and not, reserved ones; lengths that are right, too long, and far too long.
      constexpr std::array<uint16_t, 5> kNumbers = {0x4000, 0x4001, 0x4fff, 0x5000, 0x7fff};
      StoreU16(message.data(), kNumbers[static_cast<std::size_t>(rng.Uniform(0, 4))]);
      const auto right = static_cast<uint16_t>(message.size() - 4);
      const std::array<uint16_t, 5> lengths = {right, static_cast<uint16_t>(right + 1), 0, 0xffff,
                                               static_cast<uint16_t>(rng.NextU32())};
      StoreU16(message.data() + 2, lengths[static_cast<std::size_t>(rng.Uniform(0, 4))]);
      if (rng.Bernoulli(0.1)) message.resize(static_cast<std::size_t>(rng.Uniform(1, 3)));
      client.SendRaw(message);
    }
    ExpectAlive(t, "malformed ChannelData");
    neighbour.ExpectServed(t);
  }
}

void SecMalformedHttp(Test& t) {
  const std::array<std::string_view, 8> kRequests = {
      "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\nabc",
      "POST /logon HTTP/1.1\r\nContent-Length: 10\r\n\r\nuname=&pwd",
      "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
      "Content-Length: 3\r\n\r\n=&=",
      "POST / HTTP/1.1\r\n\r\n",
      "OPTIONS * HTTP/9.9\r\n\r\n",
      "GET /%00%ff%s%n%n HTTP/1.1\r\nCookie: ;;;=\r\n\r\n"};
  for (const std::string_view request : kRequests) {
    Client client = SafetyConnect(t, "HTTP requests");
    client.SendRaw(AsBytes(request));
    client.ReceiveRaw(t.target().silence);
    ExpectAlive(t, "HTTP requests");
  }
  Client client = SafetyConnect(t, "HTTP requests");
  std::string endless = "POST / HTTP/1.1\r\nX: ";
  endless.append(20'000, 'a');
  client.SendRaw(AsBytes(endless));
  client.ReceiveRaw(t.target().silence);
  ExpectAlive(t, "an endless HTTP header");
}

void SecMalformedStream(Test& t) {
  SecNeighbour neighbour(t);
  // A header that promises 65,532 bytes; half of it; ChannelData that promises as much; noise; nothing.
  const std::vector<Bytes> beginnings = {
      {0x00, 0x01, 0xff, 0xfc, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
      {0x00, 0x03, 0x00, 0x08, 0x21},
      {0x40, 0x00, 0xff, 0xff, 1, 2, 3},
      t.Payload(400),
      {0xff},
      {}};
  for (const Bytes& bytes : beginnings) {
    for (const bool reset : {false, true}) {
      Client client = SafetyConnect(t, "broken streams");
      if (!bytes.empty()) client.SendRaw(bytes);
      if (reset) {
        client.channel().Reset();
      } else {
        client.channel().CloseWrite();
      }
    }
    ExpectAlive(t, "streams that break off");
  }
  neighbour.ExpectServed(t);
}

void SecMalformedUnaligned(Test& t) {
  // SOFTWARE of one to three bytes whose padding is missing: what follows begins at an odd place.
  for (std::size_t size = 1; size <= 3; ++size) {
    for (const uint16_t type : {uint16_t{0x0001}, uint16_t{0x0003}, uint16_t{0x0008}}) {
      for (const bool honest : {true, false}) {
        t.SpendProbe();
        Client client = SafetyConnect(t, "attributes without padding");
        ByteWriter out;
        out.WriteU16(type);
        out.WriteU16(0);
        out.WriteU32(stun::kMagicCookie);
        const auto id = stun::NewTransactionId(t.rng());
        out.WriteBytes(id);
        out.WriteU16(0x8022);
        out.WriteU16(static_cast<uint16_t>(size));
        out.WriteBytes(Bytes(size, 'x'));
        for (const uint16_t next : {uint16_t{0x0019}, uint16_t{0x000d}, uint16_t{0x0012}}) {
          out.WriteU16(next);
          out.WriteU16(8);
          out.WriteU32(0x00010000);
          out.WriteU32(0xc0000201);
        }
        // The length as it is, or rounded up as a reader of the header wants it.
        if (!honest) out.WriteZeros((4 - out.size() % 4) % 4);
        out.PatchU16(2, static_cast<uint16_t>(out.size() - stun::kHeaderSize));
        client.SendRaw(out.view());
      }
    }
    ExpectAlive(t, "attributes without padding");
  }
}

}  // namespace

void AddSafetyMalformed(CaseList& cases) {
  const auto add = [&](std::string_view id, std::string_view title, std::string_view source,
                       Needs needs, void (*run)(Test&)) {
    cases.push_back({.id = id,
                     .title = title,
                     .clauses = {SafetyRule(source,
                                            "Nothing that anybody sends brings the server down, or "
                                            "harms another client.")},
                     .needs = std::move(needs),
                     .safety = true,
                     .exclusive = true,
                     .run = run});
  };
  add("sec.malformed.stun", "The server survives malformed STUN messages", "RFC 8489 section 6.3",
      SafetyNeeds({Feature::kTurn}), SecMalformedStun);
  Needs udp = SafetyNeeds({Feature::kTurn, Feature::kIpv4Relay}, Transport::kUdp);
  udp.peer = PeerNeed::kAny;
  add("sec.malformed.channeldata", "The server survives malformed ChannelData",
      "RFC 8656 section 12.6", udp, SecMalformedChannelData);
  Needs tcp = udp;
  tcp.transport = Transport::kTcp;
  add("sec.malformed.channeldata-tcp", "The server survives malformed ChannelData over TCP",
      "RFC 8656 section 12.6", tcp, SecMalformedChannelData);
  add("sec.malformed.stream", "The server survives streams that break off",
      "RFC 8489 section 6.2.2", SafetyNeeds({Feature::kTurn}, Transport::kTcp), SecMalformedStream);
  add("sec.malformed.http", "The server survives HTTP on its STUN port", "CVE-2020-6061",
      SafetyNeeds({}, Transport::kTcp), SecMalformedHttp);
  add("sec.malformed.http-tls", "The server survives HTTP inside TLS", "CVE-2020-6061",
      SafetyNeeds({}, Transport::kTls), SecMalformedHttp);
  add("sec.malformed.unaligned", "The server survives attributes at odd places", "CVE-2026-40613",
      SafetyNeeds({}, Transport::kUdp), SecMalformedUnaligned);
}

}  // namespace rtclab::conformance
