// Many who begin and do not go on: the server still serves the next. Numbers are small; this finds a server that falls over at once, and
// measures no capacity.
#include <string>
#include <utility>
#include <vector>

#include "conformance/cases/safety/safety_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

void SecServesAnother(Test& t, std::string_view what) {
  ExpectAlive(t, what);
  Client client = SafetyConnect(t, what);
  const Response response = client.Call(AllocateRequest());
  t.Expect(response.received(), "an answer to Allocate after " + std::string(what), "none");
  t.Expect(response.success() || !t.target().user, "an allocation after " + std::string(what),
           response.Describe());
}

void SecHalfOpenAllocate(Test& t) {
  constexpr int kSources = 128;
  std::vector<Client> sources;
  ConnectOptions udp;
  udp.transport = Transport::kUdp;
  for (int i = 0; i < kSources; ++i) {
    t.SpendProbe();
    sources.push_back(t.Connect(udp));
    sources.back().Send(AllocateRequest().Unsigned());
  }
  SecServesAnother(t, "128 sources that asked for an allocation and did not go on");
}

void SecHalfOpenTcp(Test& t) {
  constexpr int kConnections = 48;
  std::vector<Client> connections;
  ConnectOptions tcp;
  tcp.transport = Transport::kTcp;
  tcp.must_open = false;
  const Bytes half_a_header = {0x00, 0x03, 0x00, 0x08, 0x21, 0x12, 0xa4, 0x42, 0, 1};
  for (int i = 0; i < kConnections; ++i) {
    t.SpendProbe();
    connections.push_back(t.Connect(tcp));
    if (!connections.back().open()) t.Info("the server limits connections: it refused one");
    connections.back().SendRaw(half_a_header);
  }
  SecServesAnother(t, "48 connections that sent half a header");
}

// DTLS 1.2, RFC 6347 section 4.2.2 and RFC 5246 section 7.4.1.2, without cookie: three suites with ECDHE, P-256 and X25519.
Bytes SecClientHello(Rng& rng) {
  ByteWriter body;
  body.WriteU16(0xfefd);
  Bytes random(32);
  rng.Fill(random);
  body.WriteBytes(random);
  body.WriteU8(0);  // no session
  body.WriteU8(0);  // no cookie
  body.WriteU16(6);
  body.WriteU16(0xc02b);
  body.WriteU16(0xc02f);
  body.WriteU16(0xc030);
  body.WriteU8(1);
  body.WriteU8(0);  // no compression
  const Bytes extensions = {0x00, 0x0a, 0x00, 0x06, 0x00, 0x04, 0x00, 0x17, 0x00, 0x1d,
                            0x00, 0x0b, 0x00, 0x02, 0x01, 0x00, 0x00, 0x0d, 0x00, 0x0a,
                            0x00, 0x08, 0x04, 0x03, 0x04, 0x01, 0x08, 0x04, 0x02, 0x01};
  body.WriteU16(static_cast<uint16_t>(extensions.size()));
  body.WriteBytes(extensions);

  const Bytes hello = body.Take();
  const auto size = static_cast<uint16_t>(hello.size());
  ByteWriter out;
  out.WriteU8(22);  // handshake
  out.WriteU16(0xfeff);
  out.WriteZeros(8);  // epoch and sequence number
  out.WriteU16(static_cast<uint16_t>(size + 12));
  out.WriteU8(1);  // ClientHello
  out.WriteU8(0);
  out.WriteU16(size);
  out.WriteU16(0);    // message_seq
  out.WriteZeros(3);  // fragment_offset
  out.WriteU8(0);
  out.WriteU16(size);
  out.WriteBytes(hello);
  return out.Take();
}

ConnectOptions SecPlainToDtls(Test& t) {
  ConnectOptions options;
  options.transport = Transport::kUdp;
  options.introduce = false;  // some servers give a 5-tuple to the protocol of its first datagram
  const auto endpoint = t.target().endpoints.find({Transport::kDtls, t.target().family});
  if (endpoint == t.target().endpoints.end()) t.Skip("no DTLS endpoint of that family is known");
  options.server = endpoint->second;
  return options;
}

void SecDtlsCookie(Test& t) {
  const ConnectOptions options = SecPlainToDtls(t);
  constexpr std::size_t kHandshakeType = 13;  // behind the record's header
  constexpr uint8_t kHelloVerifyRequest = 3;
  std::optional<Bytes> first;
  for (int i = 0; i < 3 && !first; ++i) {
    t.SpendProbe();
    Client client = t.Connect(options);
    client.SendRaw(SecClientHello(t.rng()));
    first = client.Receive(t.target().answer_timeout);
  }
  if (!first) t.Block("no answer to a ClientHello");
  if (first->size() <= kHandshakeType || (*first)[0] != 22)
    t.Block("no handshake record in answer to a ClientHello: " + ToHex(*first));
  t.Expect((*first)[kHandshakeType] == kHelloVerifyRequest,
           "HelloVerifyRequest to a ClientHello without cookie",
           "a handshake message of type " + std::to_string((*first)[kHandshakeType]) +
               ": the server keeps state, and sends more, for an address that may be forged");
}

void SecHalfOpenDtls(Test& t) {
  constexpr int kSources = 96;
  const ConnectOptions options = SecPlainToDtls(t);
  std::vector<Client> sources;
  for (int i = 0; i < kSources; ++i) {
    t.SpendProbe();
    sources.push_back(t.Connect(options));
    sources.back().SendRaw(SecClientHello(t.rng()));
  }
  ConnectOptions proper;
  proper.transport = Transport::kDtls;
  proper.must_open = false;
  proper.secure.insecure = true;
  Client client = t.Connect(proper);
  t.Expect(client.open(), "a DTLS handshake after 96 that did not go on", "it does not succeed");
  SecServesAnother(t, "96 DTLS handshakes that did not go on");
}

}  // namespace

void AddSafetyExhaustion(CaseList& cases) {
  cases.push_back({.id = "sec.quota.half-open",
                   .title = "Many sources without credentials do not keep others out",
                   .clauses = {SafetyRule("coturn issue 1999",
                                          "Who has not authenticated takes nothing from others.")},
                   .needs = SafetyNeeds({Feature::kTurn}, Transport::kUdp),
                   .safety = true,
                   .exclusive = true,
                   .run = SecHalfOpenAllocate});
  cases.push_back({.id = "sec.tcp.half-open",
                   .title = "Many connections that send nothing whole do not keep others out",
                   .clauses = {SafetyRule("RFC 8656 section 21.3.1",
                                          "Who has not authenticated takes nothing from others.")},
                   .needs = SafetyNeeds({Feature::kTurn}, Transport::kTcp),
                   .safety = true,
                   .exclusive = true,
                   .run = SecHalfOpenTcp});
  cases.push_back({.id = "sec.dtls.cookie",
                   .title = "A DTLS client without cookie gets HelloVerifyRequest",
                   .clauses = {SafetyRule("RFC 6347 section 4.2.1",
                                          "A DTLS server keeps no state and sends little before "
                                          "the client's address is proven.")},
                   .needs = SafetyNeeds({}, Transport::kDtls),
                   .safety = true,
                   .run = SecDtlsCookie});
  cases.push_back({.id = "sec.dtls.half-open",
                   .title = "Many DTLS handshakes that are not finished do not keep others out",
                   .clauses = {SafetyRule("coturn issue 2012",
                                          "Who has not authenticated takes nothing from others.")},
                   .needs = SafetyNeeds({Feature::kTurn}, Transport::kDtls),
                   .safety = true,
                   .exclusive = true,
                   .run = SecHalfOpenDtls});
}

}  // namespace rtclab::conformance
