// What a response tells that was not meant for the client: bytes of memory that was used before.
#include <algorithm>
#include <string>
#include <vector>

#include "conformance/cases/safety/safety_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

// The padding bytes of every attribute of a message that are not zero, in words; empty: none.
std::string SecDirtyPadding(ByteView message) {
  if (message.size() < stun::kHeaderSize || (message[0] & 0xc0) != 0) return {};
  std::size_t at = stun::kHeaderSize;
  while (at + 4 <= message.size()) {
    const std::size_t length = LoadU16(message.data() + at + 2);
    const std::size_t end = at + 4 + length;
    const std::size_t next = at + 4 + ((length + 3) & ~std::size_t{3});
    if (next > message.size()) return {};
    for (std::size_t i = end; i < next; ++i) {
      if (message[i] == 0) continue;
      const Bytes type = {message[at], message[at + 1]};
      return "attribute 0x" + ToHex(type) + " is padded with " +
             ToHex(message.subspan(end, next - end));
    }
    at = next;
  }
  return {};
}

void SecExpectCleanPadding(Test& t) {
  for (const Packet& packet : t.exchange()) {
    // What peers of ours got is not the server's message.
    if (packet.sent || packet.who.starts_with("peer")) continue;
    const std::string dirty = SecDirtyPadding(packet.bytes);
    t.Expect(dirty.empty(), "padding of zeros", dirty);
  }
}

// Fills what the server may use again with bytes that are not zero.
void SecFillMemory(Test& t, Client& client) {
  const Bytes text(400, 0xd5);
  for (int i = 0; i < 4; ++i) {
    t.SpendProbe();
    client.Once(
        Request(stun::Method::kBinding).Attribute(stun::AttributeType::kSoftware, text).Unsigned());
  }
}

void SecLeakPadding(Test& t) {
  Client client = t.Connect();
  for (int round = 0; round < 4; ++round) {
    t.SpendProbe(8);
    SecFillMemory(t, client);
    client.Once(Request(stun::Method::kBinding).Unsigned());
    client.Once(AllocateRequest().Unsigned());
    client.Once(Request(stun::Method::kRefresh).Unsigned());
    for (int unknown = 1; unknown <= 3; ++unknown) {
      Request request(stun::Method::kBinding);
      for (int i = 0; i < unknown; ++i)
        request.Attribute(static_cast<uint16_t>(0x7f00 + i), Bytes{1, 2, 3}, 0xee);
      client.Once(request.Unsigned());
    }
    client.Once(Request(static_cast<stun::Method>(0x0ff)).Unsigned());
  }
  SecExpectCleanPadding(t);
}

void SecLeakData(Test& t) {
  Peer peer = t.OpenPeer();
  Client client = t.Connect();
  const Allocation allocation = client.Allocate();
  client.CreatePermission(peer.address());
  for (std::size_t size : {1'000u, 1u, 900u, 2u, 800u, 3u, 700u, 5u}) {
    t.SpendProbe(2);
    Bytes data(size, 0xd5);
    peer.Send(allocation.relayed, data);
    t.ExpectAtClient(client, data);
  }
  SecExpectCleanPadding(t);
}

void SecLeakUnknownList(Test& t) {
  Client client = t.Connect();
  int lists = 0;
  for (int count = 1; count <= 9; ++count) {
    t.SpendProbe();
    std::vector<uint16_t> sent;
    Request request(stun::Method::kBinding);
    for (int i = 0; i < count; ++i) {
      sent.push_back(static_cast<uint16_t>(0x7e00 + t.rng().Uniform(0, 0xff)));
      request.Attribute(sent.back(), Bytes(static_cast<std::size_t>(i % 4), 0xd5), 0xd5);
    }
    const Response response = client.Once(request.Unsigned());
    if (response.code() != stun::kErrorUnknownAttribute) continue;
    ++lists;
    const auto value = response.view().Find(stun::AttributeType::kUnknownAttributes);
    for (std::size_t at = 0; value && at + 2 <= value->size(); at += 2) {
      const uint16_t listed = LoadU16(value->data() + at);
      t.Expect(std::ranges::find(sent, listed) != sent.end(),
               "UNKNOWN-ATTRIBUTES lists nothing but what was sent",
               "0x" + ToHex(value->subspan(at, 2)) + " in " + ToHex(*value));
    }
  }
  if (lists == 0) t.Block("no 420 to unknown comprehension-required attributes");
}

}  // namespace

void AddSafetyLeaks(CaseList& cases) {
  constexpr std::string_view kCve = "CVE-2020-4067";
  cases.push_back({.id = "sec.leak.padding",
                   .title = "The padding of responses holds no memory of others",
                   .clauses = {SafetyRule(kCve, "Padding is zeros, not what was there before.")},
                   .needs = SafetyNeeds({}),
                   .safety = true,
                   .run = SecLeakPadding});
  Needs relay = SafetyNeeds({Feature::kTurn, Feature::kIpv4Relay});
  relay.peer = PeerNeed::kAny;
  cases.push_back({.id = "sec.leak.data",
                   .title = "The padding of Data indications holds no memory of others",
                   .clauses = {SafetyRule(kCve, "Padding is zeros, not what was there before.")},
                   .needs = relay,
                   .safety = true,
                   .run = SecLeakData});
  cases.push_back({.id = "sec.leak.error-echo",
                   .title = "UNKNOWN-ATTRIBUTES holds only what the request had",
                   .clauses = {SafetyRule("RFC 8489 section 14.13",
                                          "The list has what was sent and nothing beside it.")},
                   .needs = SafetyNeeds({}),
                   .safety = true,
                   .run = SecLeakUnknownList});
}

}  // namespace rtclab::conformance
