// RFC 8656 sections 11.5 and 18.13: ICMP errors that a relayed datagram causes, told to the client.
#include <algorithm>
#include <string>

#include "conformance/cases/rfc8656/steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

constexpr std::size_t kIcmpValueSize = 8;

struct Icmp {
  uint8_t type;
  uint8_t code;
};
constexpr Icmp kPortUnreachableV4 = {3, 3};  // RFC 792
constexpr Icmp kPortUnreachableV6 = {1, 4};  // RFC 4443 section 3.1

// Sends through the relay to a port where nobody listens until the server reports an ICMP error. `send` sends once.
template <typename SendOnce>
RelayedData AwaitIcmp(Test& t, Client& client, SendOnce send) {
  constexpr int kIcmpTries = 3;
  for (int i = 0; i < kIcmpTries; ++i) {
    send();
    if (auto report = client.ReceiveData(t.target().answer_timeout / kIcmpTries)) {
      t.Expect(!report->channel, "a Data indication", "ChannelData");
      t.Expect(report->icmp.has_value(), "ICMP in the Data indication", "no ICMP");
      return std::move(*report);
    }
  }
  t.Fail("a Data indication with ICMP, as the peer's port is closed", "nothing");
}

void ExpectReport(Test& t, const RelayedData& report, const TransportAddress& closed, Icmp icmp) {
  t.Expect(
      report.peer.ip == closed.ip && (report.peer.port == closed.port || report.peer.port == 0),
      "XOR-PEER-ADDRESS " + closed.ToString() + ", or with port 0", report.peer.ToString());
  const Bytes& value = *report.icmp;
  t.Expect(value.size() == kIcmpValueSize, "ICMP of eight bytes", ToHex(value));
  t.Expect(value[0] == 0 && value[1] == 0, "sixteen reserved bits of zero", ToHex(value));
  // The figure draws seven bits for the type and nine for the code; both are octets in ICMP.
  const bool octets = value[2] == icmp.type && value[3] == icmp.code;
  const bool as_drawn = value[2] == icmp.type << 1 && value[3] == icmp.code;
  t.Expect(octets || as_drawn,
           "type " + std::to_string(icmp.type) + ", code " + std::to_string(icmp.code),
           ToHex(value));
}

void ReportUnreachable(Test& t, AddressFamily family, const Request& request, Icmp icmp) {
  const TransportAddress closed = t.ClosedPort({.family = family});
  auto [client, allocation] = ConnectAndAllocate(t, request);
  client.CreatePermission(closed);
  const RelayedData report =
      AwaitIcmp(t, client, [&, &relay = client] { relay.SendIndication(closed, t.Payload(12)); });
  ExpectReport(t, report, closed, icmp);
}

void IcmpUnreachable(Test& t) {
  ReportUnreachable(t, AddressFamily::kIpv4, AllocateRequest(), kPortUnreachableV4);
}

void IcmpUnreachableV6(Test& t) {
  ReportUnreachable(t, AddressFamily::kIpv6, AllocateRequest().RequestedFamily(kFamilyIpv6),
                    kPortUnreachableV6);
}

void IcmpErrorData(Test& t) {
  const TransportAddress closed = t.ClosedPort();
  Client client = t.Connect();
  client.Allocate();
  client.CreatePermission(closed);
  const RelayedData report =
      AwaitIcmp(t, client, [&] { client.SendIndication(closed, t.Payload(12)); });
  const Bytes& value = *report.icmp;
  t.Expect(value.size() == kIcmpValueSize && LoadU32(value.data() + 4) == 0,
           "an Error Data field of zero for port unreachable", ToHex(value));
}

void IcmpOnChannel(Test& t) {
  const TransportAddress closed = t.ClosedPort();
  Client client = t.Connect();
  client.Allocate();
  client.BindChannel(kFirstChannel, closed);
  const RelayedData report =
      AwaitIcmp(t, client, [&] { client.SendChannelData(kFirstChannel, t.Payload(12)); });
  ExpectReport(t, report, closed, kPortUnreachableV4);
}

}  // namespace

void AddRfc8656Section11Icmp(CaseList& cases) {
  const Clause contents = {"8656", "11.5", Level::kMust,
                           "The Data indication MUST contain both an XOR-PEER-ADDRESS and an ICMP "
                           "attribute."};
  const Clause value = {
      "8656", "11.5", Level::kProse,
      "The ICMP attribute is set to the value of the type and code fields from the ICMP packet."};
  const Needs needs = TurnNeeds(PeerNeed::kLocal, {Feature::kIcmp});
  cases.push_back({.id = "turn.icmp.unreach",
                   .title = "A closed port of a peer is reported with ICMP",
                   .clauses = {contents, value},
                   .needs = needs,
                   .edition = Edition::kCurrent,
                   .run = IcmpUnreachable});
  cases.push_back({.id = "turn.icmp.unreach-v6",
                   .title = "A closed port of an IPv6 peer is reported with ICMP",
                   .clauses = {contents, value},
                   .needs = TurnNeeds(PeerNeed::kLocal, {Feature::kIcmp, Feature::kIpv6Relay}),
                   .edition = Edition::kCurrent,
                   .covers = {"turn.icmp.unreach"},
                   .run = IcmpUnreachableV6});
  cases.push_back(
      {.id = "turn.icmp.error-data",
       .title = "Error Data is zero where the ICMP error has none",
       .clauses = {{"8656", "18.13", Level::kMust, "the Error Data field MUST be set to zero."}},
       .needs = needs,
       .edition = Edition::kCurrent,
       .run = IcmpErrorData});
  cases.push_back({.id = "turn.icmp.channel",
                   .title = "ICMP comes in a Data indication even where a channel is bound",
                   .clauses = {{"8656", "12.5", Level::kProse,
                                "The server uses a Data indication to signal the XOR-PEER-ADDRESS "
                                "and ICMP attributes to the client even if a channel has been "
                                "bound"}},
                   .needs = needs,
                   .edition = Edition::kCurrent,
                   .run = IcmpOnChannel});
}

}  // namespace rtclab::conformance
