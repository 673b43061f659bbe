// RFC 6062 section 5.1: receiving a TCP Allocate request.
#include <string>

#include "conformance/cases/rfc6062/tcp_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

void TcpAllocUnsupported(Test& t) {
  Client client = t.Connect();
  constexpr uint8_t kSctp = 132;
  t.ExpectError(client.Call(Request(stun::Method::kAllocate).RequestedTransport(kSctp)), 442);
}

void TcpAllocUdp(Test& t) {
  Client client = t.Connect();
  const Response response = client.Call(AllocateRequest());
  if (response.code() == stun::kErrorForbidden) return;  // policy: no UDP allocations here
  t.ExpectSuccess(response, "REQUESTED-TRANSPORT 17 over TCP; a policy may say 403");
}

void TcpAllocOverDatagrams(Test& t) {
  Client client = t.Connect();
  t.ExpectError(client.Call(TcpAllocate()), 400,
                "REQUESTED-TRANSPORT 6 over " + std::string(ToString(client.transport())));
}

void TcpAllocDontFragment(Test& t) {
  Client client = t.Connect();
  t.ExpectError(client.Call(TcpAllocate().DontFragment()), 400);
}

void TcpAllocEvenPort(Test& t) {
  Client client = t.Connect();
  t.ExpectError(client.Call(TcpAllocate().EvenPort(false)), 400);
}

void TcpAllocToken(Test& t) {
  Client client = t.Connect();
  t.ExpectError(client.Call(TcpAllocate().ReservationToken(t.rng().NextU64())), 400);
}

void TcpAllocListens(Test& t) {
  TcpControl control = TcpOpenControl(t);
  const TransportAddress here = t.ClosedPort();
  control.client.CreatePermission(here);
  const auto peer = t.ConnectTcp(control.allocation.relayed);
  const auto attempt = TcpNextAttempt(t, control.client, kTcpSoon);
  t.Expect(attempt.has_value(), "a TCP connection to the relayed address is accepted and told of",
           "no ConnectionAttempt came");
}

void TcpAllocNoTokenOut(Test& t) {
  TcpControl control = TcpOpenControl(t);
  t.Expect(!control.allocation.response.Has(stun::AttributeType::kReservationToken),
           "no RESERVATION-TOKEN in the success response", "there is one");
}

void TcpAllocTwice(Test& t) {
  TcpControl control = TcpOpenControl(t);
  t.ExpectError(control.client.Call(TcpAllocate()), 437, "a second Allocate on the connection");
}

void TcpAllocLifetime(Test& t) {
  constexpr uint32_t kDefault = 600;  // RFC 5766 section 2.2
  constexpr uint32_t kAsked = 777;
  TcpControl control = TcpOpenControl(t);
  t.Expect(control.allocation.lifetime_s >= kDefault,
           "LIFETIME of at least 600 s in the Allocate response",
           std::to_string(control.allocation.lifetime_s));
  const uint32_t refreshed = control.client.Refresh(kAsked);
  t.Expect(refreshed == kAsked || refreshed >= kDefault,
           "LIFETIME of 777 s, or within the server's limits, in the Refresh response",
           std::to_string(refreshed));
}

// Which requests the server may take, and which not.
void AddTcpAllocRequests(CaseList& cases) {
  constexpr std::string_view kRfc = "6062";
  cases.push_back({.id = "tcp.alloc.unsupported",
                   .title = "A REQUESTED-TRANSPORT that is neither UDP nor TCP gives 442",
                   .clauses = {{kRfc, "5.1", Level::kMust,
                                "specifies a protocol other than UDP or TCP, the server MUST "
                                "reject the request with a 442 (Unsupported Transport Protocol) "
                                "error."}},
                   .needs = TcpNeeds(),
                   .run = TcpAllocUnsupported});
  cases.push_back(
      {.id = "tcp.alloc.udp-forbidden",
       .title = "UDP is still to be had over a TCP connection, or is forbidden with 403",
       .clauses = {{kRfc, "5.1", Level::kMust,
                    "the server MUST continue with the procedures of [RFC5766] instead of this "
                    "document."},
                   {kRfc, "5.1", Level::kMust,
                    "transport is forbidden by local policy, the server MUST reject the request "
                    "with a 403 (Forbidden) error."}},
       .needs = TcpNeeds(),
       .run = TcpAllocUdp});
  const Clause stream_only{kRfc, "5.1", Level::kMust,
                           "If the client connection transport is not TCP or TLS, the server MUST "
                           "reject the request with a 400 (Bad Request) error."};
  cases.push_back({.id = "tcp.alloc.over-udp",
                   .title = "No TCP allocation over UDP: 400",
                   .clauses = {stream_only},
                   .needs = TcpNeeds(PeerNeed::kNone, Transport::kUdp),
                   .run = TcpAllocOverDatagrams});
  Needs dtls = TcpNeeds(PeerNeed::kNone, Transport::kDtls);
  dtls.features.push_back(Feature::kDtlsTransport);
  cases.push_back({.id = "tcp.alloc.over-dtls",
                   .title = "No TCP allocation over DTLS: 400",
                   .clauses = {stream_only},
                   .needs = dtls,
                   .run = TcpAllocOverDatagrams});
  const Clause udp_only{
      kRfc, "5.1", Level::kMust,
      "contains the DONT-FRAGMENT, EVEN-PORT, or RESERVATION-TOKEN attribute, the "
      "server MUST reject the request with a 400 (Bad Request) error."};
  cases.push_back({.id = "tcp.alloc.df",
                   .title = "DONT-FRAGMENT with a TCP allocation gives 400",
                   .clauses = {udp_only},
                   .needs = TcpNeeds(),
                   .run = TcpAllocDontFragment});
  cases.push_back({.id = "tcp.alloc.even",
                   .title = "EVEN-PORT with a TCP allocation gives 400",
                   .clauses = {udp_only},
                   .needs = TcpNeeds(),
                   .run = TcpAllocEvenPort});
  cases.push_back({.id = "tcp.alloc.token",
                   .title = "RESERVATION-TOKEN with a TCP allocation gives 400",
                   .clauses = {udp_only},
                   .needs = TcpNeeds(),
                   .run = TcpAllocToken});
}

// The allocation that comes of one.
void AddTcpAllocations(CaseList& cases) {
  constexpr std::string_view kRfc = "6062";
  cases.push_back(
      {.id = "tcp.alloc.relay-tcp",
       .title = "The relayed address is a TCP one and takes connections",
       .clauses = {{kRfc, "5.1", Level::kMust,
                    "A TCP relayed transport address MUST be allocated instead of a UDP one."},
                   {kRfc, "5.1", Level::kMust,
                    "the server MUST start accepting incoming TCP connections on the relayed "
                    "transport address."}},
       .needs = TcpNeeds(PeerNeed::kTcp),
       .run = TcpAllocListens});
  cases.push_back(
      {.id = "tcp.alloc.no-token-out",
       .title = "The success response has no RESERVATION-TOKEN",
       .clauses = {{kRfc, "5.1", Level::kMustNot,
                    "The RESERVATION-TOKEN attribute MUST NOT be present in the success "
                    "response."}},
       .needs = TcpNeeds(),
       .run = TcpAllocNoTokenOut});
  cases.push_back(
      {.id = "tcp.alloc.twice",
       .title = "A second Allocate on the control connection gives 437",
       .clauses = {{kRfc, "5.1", Level::kProse,
                    "The process is similar to that defined in [RFC5766], Section 6.2"}},
       .needs = TcpNeeds(),
       .run = TcpAllocTwice});
  cases.push_back({.id = "tcp.alloc.lifetime",
                   .title = "LIFETIME is answered and Refresh works as with UDP",
                   .clauses = {{kRfc, "4.2", Level::kProse,
                                "The procedures for refreshing an allocation are identical to "
                                "those for UDP."}},
                   .needs = TcpNeeds(),
                   .run = TcpAllocLifetime});
}

}  // namespace

void AddRfc6062Section05_1(CaseList& cases) {
  AddTcpAllocRequests(cases);
  AddTcpAllocations(cases);
}

}  // namespace rtclab::conformance
