// RFC 8656 sections 13 to 15: what the server writes into the IP headers of what it relays. The DF bit of a received datagram is not shown
// to UDP sockets, and so is not looked at here.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "conformance/cases/rfc8656/steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

constexpr uint8_t kNotEct = 0, kEct1 = 1, kEct0 = 2, kCongested = 3;  // RFC 3168 section 5

struct MarkedPath {
  Peer peer;
  Client client;
  Allocation allocation;
};

MarkedPath OpenForMarks(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  client.BindChannel(kFirstChannel, peer.address());
  return {std::move(peer), std::move(client), std::move(allocation)};
}

// The TOS octet that the peer sees of a datagram that we sent with `marks`.
uint8_t MarksAtPeer(Test& t, MarkedPath& path, const IpMarks& marks) {
  const Bytes data = t.Payload(24);
  t.Note("client sends with DSCP " + std::to_string(marks.dscp) + ", ECN " +
         std::to_string(marks.ecn));
  const Result<void> sent = path.client.channel().SendTo(
      path.client.server(), ChannelDataBytes(kFirstChannel, data), marks);
  if (!sent) t.Skip("this host does not send with these marks: " + sent.error().reason);
  const Peer::Received received = t.ExpectAtPeer(path.peer, data);
  if (!received.tos) t.Skip("the peer does not see IP headers");
  return *received.tos;
}

uint8_t MarksAtClient(Test& t, MarkedPath& path, const IpMarks& marks) {
  const Bytes data = t.Payload(24);
  t.Note("peer sends with DSCP " + std::to_string(marks.dscp) + ", ECN " +
         std::to_string(marks.ecn));
  path.peer.Send(path.allocation.relayed, data, marks);
  const auto received = path.client.ReceiveRaw(t.target().answer_timeout);
  if (!received) t.Block("the peer's data does not arrive");
  return received->marks.traffic_class();
}

using MarksSeen = uint8_t (*)(Test&, MarkedPath&, const IpMarks&);

// Copied, or the same fixed value whatever came in.
void CheckDscp(Test& t, MarksSeen seen) {
  MarkedPath path = OpenForMarks(t);
  bool copied = true;
  std::set<int> values;
  std::string list;
  for (const uint8_t dscp : {uint8_t{46}, uint8_t{0}, uint8_t{10}}) {
    const int out = seen(t, path, {.dscp = dscp}) >> 2;
    copied = copied && out == dscp;
    values.insert(out);
    list += (list.empty() ? "" : ", ") + std::to_string(dscp) + " became " + std::to_string(out);
  }
  t.Expect(copied || values.size() == 1, "DSCP copied, or set to one fixed value", list);
}

// Copied, or Not-ECT; a router that sees congestion may mark what is ECN-capable.
void CheckEcn(Test& t, MarksSeen seen) {
  MarkedPath path = OpenForMarks(t);
  for (const uint8_t ecn : {kEct0, kEct1, kCongested, kNotEct}) {
    const int out = seen(t, path, {.ecn = ecn}) & 3;
    const bool marked = out == kCongested && ecn != kNotEct;
    t.Expect(out == ecn || out == kNotEct || marked,
             "ECN " + std::to_string(ecn) + " copied, or Not-ECT", std::to_string(out));
  }
}

void DscpToPeer(Test& t) { CheckDscp(t, MarksAtPeer); }
void DscpToClient(Test& t) { CheckDscp(t, MarksAtClient); }
void EcnToPeer(Test& t) { CheckEcn(t, MarksAtPeer); }
void EcnToClient(Test& t) { CheckEcn(t, MarksAtClient); }

void EcnFromTcp(Test& t) {
  auto [peer, client, allocation] = OpenForMarks(t);
  for (int i = 0; i < 3; ++i) {
    const Bytes data = t.Payload(24);
    client.SendChannelData(kFirstChannel, data);
    const Peer::Received received = t.ExpectAtPeer(peer, data);
    if (!received.tos) t.Skip("the peer does not see IP headers");
    t.Expect((*received.tos & 3) == kNotEct, "Not-ECT", "ECN " + std::to_string(*received.tos & 3));
  }
}

void DontFragmentAcrossFamilies(Test& t) {
  Peer peer = t.OpenPeer({.family = AddressFamily::kIpv6});
  auto [client, allocation] = ConnectAndAllocate(t, AllocateRequest().RequestedFamily(kFamilyIpv6));
  client.CreatePermission(peer.address());
  const Bytes data = t.Payload(64);
  client.Send(TurnSend(peer.address(), data).DontFragment());
  t.ExpectAtPeer(peer, data, "a Send indication with DONT-FRAGMENT to an IPv6 peer");
}

}  // namespace

void AddRfc8656Section13To15(CaseList& cases) {
  Needs udp = TurnNeedsOver(Transport::kUdp, PeerNeed::kLocal);
  udp.family = AddressFamily::kIpv4;
  const Clause dscp = {"8656", "14", Level::kShould,
                       "The server SHOULD implement the preferred behavior, but if that is not "
                       "possible for a particular field, then it SHOULD implement the alternative "
                       "behavior."};
  const Clause dscp_fixed = {"8656", "14", Level::kProse,
                             "Set the outgoing value to a fixed value, which by default is Best "
                             "Effort unless configured otherwise."};
  const Clause ecn_copied = {"8656", "14", Level::kProse,
                             "Set the outgoing value to the incoming value."};
  cases.push_back({.id = "turn.ip.dscp",
                   .title = "DSCP towards the peer is copied or fixed",
                   .clauses = {dscp, dscp_fixed},
                   .needs = udp,
                   .run = DscpToPeer});
  cases.push_back({.id = "turn.ip.dscp-to-client",
                   .title = "DSCP towards the client is copied or fixed",
                   .clauses = {dscp, dscp_fixed},
                   .needs = udp,
                   .run = DscpToClient});
  cases.push_back({.id = "turn.ip.ecn",
                   .title = "ECN towards the peer is copied or Not-ECT",
                   .clauses = {dscp, ecn_copied},
                   .needs = udp,
                   .run = EcnToPeer});
  cases.push_back({.id = "turn.ip.ecn-to-client",
                   .title = "ECN towards the client is copied or Not-ECT",
                   .clauses = {dscp, ecn_copied},
                   .needs = udp,
                   .run = EcnToClient});
  Needs tcp = TurnNeedsOver(Transport::kTcp, PeerNeed::kLocal);
  tcp.family = AddressFamily::kIpv4;
  cases.push_back({.id = "turn.ip.tcp-ecn",
                   .title = "What comes over TCP leaves as Not-ECT",
                   .clauses = {{"8656", "15", Level::kShould,
                                "The server SHOULD implement the preferred behavior, but if that "
                                "is not possible for a particular field, then it SHOULD implement "
                                "the alternative behavior."},
                               {"8656", "15", Level::kProse,
                                "therefore, set the outgoing value to Not-ECT (=0b00)."}},
                   .needs = tcp,
                   .edition = Edition::kCurrent,
                   .run = EcnFromTcp});
  const Needs across = {.transport = Transport::kUdp,
                        .features = {Feature::kTurn, Feature::kIpv6Relay, Feature::kDontFragment},
                        .peer = PeerNeed::kAny};
  cases.push_back({.id = "turn.ip.v4v6-df-ignored",
                   .title = "DONT-FRAGMENT has no effect towards an IPv6 peer",
                   .clauses = {{"8656", "13.1", Level::kMust,
                                "the DONT-FRAGMENT attribute MUST be ignored by the server."},
                               {"8656", "13.2", Level::kMust,
                                "the DONT-FRAGMENT attribute MUST be ignored by the server."}},
                   .needs = across,
                   .edition = Edition::kCurrent,
                   .run = DontFragmentAcrossFamilies});
}

}  // namespace rtclab::conformance
