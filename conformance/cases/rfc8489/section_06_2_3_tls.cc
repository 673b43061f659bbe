// RFC 8489 section 6.2.3: STUN over TLS and DTLS; section 13 for DTLS's denial-of-service countermeasure.
#include <fmt/format.h>

#include <array>
#include <string>

#include "conformance/cases/rfc8489/client_hello.h"
#include "conformance/cases/rfc8489/stun_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

// TLS_ECDHE_RSA/ECDSA_WITH_AES_128_GCM_SHA256, TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_GCM_SHA256,
// TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, TLS_RSA_WITH_AES_128_CBC_SHA (IANA "TLS Cipher Suites").
constexpr std::array<uint16_t, 6> kStunTlsGoodSuites = {0xc02f, 0xc02b, 0x009e,
                                                        0x009c, 0xc013, 0x002f};
// Suites with RC4 or single DES, export and anonymous ones among them.
constexpr std::array<uint16_t, 19> kStunTlsWeakSuites = {
    0x0003, 0x0004, 0x0005, 0x0008, 0x0009, 0x000b, 0x000c, 0x000e, 0x000f, 0x0011,
    0x0012, 0x0014, 0x0015, 0x0018, 0x001a, 0xc002, 0xc007, 0xc00c, 0xc011};

struct StunTlsOffer {
  std::string cipher_list{};
  std::string cipher_suites{};
  SecureVersion min_version = SecureVersion::k12;
  SecureVersion max_version = SecureVersion::k13;
};

TransportAddress StunTlsEndpoint(Test& t) {
  const auto it = t.target().endpoints.find({*t.test_case().needs.transport, t.target().family});
  if (it == t.target().endpoints.end()) t.Skip("no endpoint of that address family is known");
  return it->second;
}

// A handshake with this offer. The certificate is not looked at: nothing is sent through it.
Channel::Attempt StunTlsTry(Test& t, const StunTlsOffer& offer) {
  ChannelOptions options;
  options.server = StunTlsEndpoint(t);
  options.server_name = t.target().host;
  options.connect_timeout = t.target().answer_timeout;
  options.secure.insecure = true;
  options.secure.cipher_list = offer.cipher_list;
  options.secure.cipher_suites = offer.cipher_suites;
  options.secure.min_version = offer.min_version;
  options.secure.max_version = offer.max_version;
  Channel::Attempt attempt = Channel::TryOpen(*t.test_case().needs.transport, options);
  if (attempt.stage == Channel::Stage::kInterrupted) throw Interruption{};
  if (attempt.timed_out || attempt.stage == Channel::Stage::kSocket ||
      attempt.stage == Channel::Stage::kConnect) {
    t.Block(attempt.reason);
  }
  const std::string what = offer.cipher_list.empty() ? "the usual suites" : offer.cipher_list;
  t.Note(attempt.channel
             ? fmt::format("Offered {}: {} with {}.", what, attempt.channel->secure()->version,
                           attempt.channel->secure()->cipher)
             : fmt::format("Offered {}: {}.", what, attempt.reason));
  return attempt;
}

// A server of (D)TLS 1.2 with an RSA certificate, which the suites named in the RFC need; the case ends otherwise.
void StunTlsRequireRsa12(Test& t) {
  const Channel::Attempt usual = StunTlsTry(t, {.max_version = SecureVersion::k12});
  if (!usual.channel) t.Info("version 1.2 is not served: " + usual.reason);
  const SecureInfo& info = *usual.channel->secure();
  if (info.peer && info.peer->key.starts_with("RSA")) return;
  const Channel::Attempt rsa =
      StunTlsTry(t, {.cipher_list = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:"
                                    "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-SHA:AES128-SHA",
                     .max_version = SecureVersion::k12});
  if (!rsa.channel) t.Skip("the server's certificate has no RSA key, which these suites need");
}

void StunTlsMandatorySuite(Test& t) {
  StunTlsRequireRsa12(t);
  const Channel::Attempt attempt = StunTlsTry(
      t, {.cipher_list = "ECDHE-RSA-AES128-GCM-SHA256", .max_version = SecureVersion::k12});
  t.Expect(attempt.channel != nullptr, "a handshake with TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
           attempt.reason);
}

// BCP 195 has since advised against finite-field DHE, so that an operator may have switched it off: reported, not judged.
void StunTlsMandatorySuiteDhe(Test& t) {
  StunTlsRequireRsa12(t);
  const Channel::Attempt attempt = StunTlsTry(
      t, {.cipher_list = "DHE-RSA-AES128-GCM-SHA256", .max_version = SecureVersion::k12});
  t.Info(attempt.channel ? "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 is accepted"
                         : "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 is refused: " + attempt.reason);
}

// Without forward secrecy, so that hardly a server has it on today (BCP 195): reported, not judged.
void StunTlsClassicSuite(Test& t) {
  StunTlsRequireRsa12(t);
  const Channel::Attempt attempt =
      StunTlsTry(t, {.cipher_list = "AES128-SHA:@SECLEVEL=0", .max_version = SecureVersion::k12});
  t.Info(attempt.channel ? "TLS_RSA_WITH_AES_128_CBC_SHA is accepted"
                         : "TLS_RSA_WITH_AES_128_CBC_SHA is refused: " + attempt.reason);
}

void StunTlsForwardSecrecy(Test& t) {
  const Channel::Attempt attempt =
      StunTlsTry(t, {.cipher_list = "AES256-GCM-SHA384:AES128-GCM-SHA256:AES128-SHA:"
                                    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:"
                                    "DHE-RSA-AES128-GCM-SHA256",
                     .max_version = SecureVersion::k12});
  if (!attempt.channel) t.Info("version 1.2 is not served: " + attempt.reason);
  const std::string& cipher = attempt.channel->secure()->cipher;
  t.Expect(cipher.find("DHE_") != std::string::npos,
           "a forward-secret suite, of which three were offered", cipher);
}

void StunTls13MandatorySuite(Test& t) {
  Channel::Attempt usual = StunTlsTry(t, {});
  if (!usual.channel || usual.channel->secure()->version != "TLSv1.3") {
    t.Info("TLS 1.3 is not served");
  }
  usual.channel.reset();
  const Channel::Attempt attempt =
      StunTlsTry(t, {.cipher_suites = "TLS_AES_128_GCM_SHA256", .min_version = SecureVersion::k13});
  t.Expect(attempt.channel != nullptr, "a handshake with TLS_AES_128_GCM_SHA256", attempt.reason);
}

void StunTlsOldVersions(Test& t) {
  const Channel::Attempt old = StunTlsTry(t, {.cipher_list = "ALL:@SECLEVEL=0",
                                              .min_version = SecureVersion::k10,
                                              .max_version = SecureVersion::k11});
  t.Expect(old.channel == nullptr, "versions before 1.2 to be refused",
           old.channel ? old.channel->secure()->version + " is accepted" : "");
  const Channel::Attempt usual = StunTlsTry(t, {});
  if (!usual.channel) t.Block(usual.reason);
}

// What the server says to a ClientHello written by hand; nullopt: it closed.
std::optional<HelloAnswer> StunTlsRawHello(Test& t, std::span<const uint16_t> suites,
                                           ByteView compression) {
  Client client = t.Connect({.transport = Transport::kTcp, .server = StunTlsEndpoint(t)});
  client.SendRaw(TlsClientHello(t.rng(), suites, compression));
  Bytes stream;
  const Timestamp end = t.Now() + t.target().answer_timeout;
  while (t.Now() < end) {
    const auto piece = client.ReceiveRaw(end - t.Now());
    if (!piece) break;
    stream.insert(stream.end(), piece->bytes.begin(), piece->bytes.end());
    if (auto answer = ReadTlsAnswer(stream)) return answer;
  }
  if (client.open()) t.Block("no answer to a TLS ClientHello");
  return std::nullopt;
}

void StunTlsWeakSuites(Test& t) {
  const Bytes none = {0};
  const auto usual = StunTlsRawHello(t, kStunTlsGoodSuites, none);
  if (!usual || usual->kind != HelloAnswer::Kind::kServerHello) {
    t.Info("TLS 1.2 is not served, and with it none of these suites");
  }
  const auto answer = StunTlsRawHello(t, kStunTlsWeakSuites, none);
  const bool chosen = answer && answer->kind == HelloAnswer::Kind::kServerHello;
  t.Expect(!chosen, "a hello with nothing but DES and RC4 suites to be refused",
           fmt::format("suite 0x{:04x} chosen", chosen ? answer->suite : 0));
}

void StunTlsCompression(Test& t) {
  const Bytes deflate_first = {1, 0};
  const auto answer = StunTlsRawHello(t, kStunTlsGoodSuites, deflate_first);
  if (!answer || answer->kind != HelloAnswer::Kind::kServerHello) {
    t.Info("TLS 1.2 is not served, and with it no compression");
  }
  t.Expect(answer->compression == 0, "no compression where DEFLATE is offered",
           fmt::format("compression method {}", answer->compression));
}

void StunDtlsCookie(Test& t) {
  Client client =
      t.Connect({.transport = Transport::kUdp, .server = StunTlsEndpoint(t), .introduce = false});
  const Bytes hello = DtlsClientHello(t.rng(), kStunTlsGoodSuites);
  for (int attempt = 0; attempt < 3; ++attempt) {
    client.SendRaw(hello);
    const auto received = client.ReceiveRaw(t.target().answer_timeout / 3);
    if (!received) continue;
    const auto answer = ReadDtlsAnswer(received->bytes);
    t.Expect(answer && (answer->kind == HelloAnswer::Kind::kHelloVerifyRequest ||
                        answer->kind == HelloAnswer::Kind::kHelloRetryRequest),
             "a HelloVerifyRequest to a hello without a cookie",
             answer && answer->kind == HelloAnswer::Kind::kServerHello
                 ? fmt::format("a ServerHello, in a datagram of {} bytes", received->bytes.size())
                 : "another answer: " +
                       ToHex(ByteView(received->bytes)
                                 .first(std::min<std::size_t>(25, received->bytes.size()))));
    return;
  }
  t.Block("no answer to a DTLS ClientHello");
}

Needs StunTlsNeeds() {
  return {.transport = Transport::kTls, .features = {Feature::kTlsTransport}};
}
Needs StunDtlsNeeds() {
  return {.transport = Transport::kDtls, .features = {Feature::kDtlsTransport}};
}

Clause StunTlsSuitesClause() {
  return {"8489", "6.2.3", Level::kMust,
          "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 ciphersuites MUST be implemented"};
}
Clause StunTlsForwardClause() {
  return {
      "8489", "6.2.3", Level::kMust,
      "Perfect Forward Secrecy (PFS) ciphersuites MUST be preferred over non-PFS ciphersuites."};
}
Clause StunTlsBcpClause() {
  return {"8489", "6.2.3", Level::kMust,
          "[BCP195] that implementations and deployments of a STUN Usage using TLS or DTLS MUST "
          "follow."};
}

void AddStunTlsSuites(CaseList& cases) {
  cases.push_back({.id = "stun.tls.mandatory-suites",
                   .title = "TLS 1.2 with the mandatory ECDHE suite",
                   .clauses = {StunTlsSuitesClause()},
                   .needs = StunTlsNeeds(),
                   .edition = Edition::kCurrent,
                   .run = StunTlsMandatorySuite});
  cases.push_back({.id = "stun.dtls.mandatory-suites",
                   .title = "DTLS 1.2 with the mandatory ECDHE suite",
                   .clauses = {StunTlsSuitesClause()},
                   .needs = StunDtlsNeeds(),
                   .edition = Edition::kCurrent,
                   .run = StunTlsMandatorySuite});
  cases.push_back({.id = "stun.tls.mandatory-suites-dhe",
                   .title = "Whether the mandatory DHE suite is served",
                   .clauses = {{"8489", "6.2.3", Level::kInfo,
                                "except if deprecated by rules of a specific STUN usage"}},
                   .needs = StunTlsNeeds(),
                   .edition = Edition::kCurrent,
                   .run = StunTlsMandatorySuiteDhe});
  cases.push_back(
      {.id = "stun.tls.mandatory-suites-5389",
       .title = "Whether the suite is served that RFC 5389 made mandatory",
       .clauses = {{"5389", "7.2.2", Level::kInfo,
                    "TLS_RSA_WITH_AES_128_CBC_SHA ciphersuite MUST be implemented at a minimum."}},
       .needs = StunTlsNeeds(),
       .edition = Edition::kClassic,
       .run = StunTlsClassicSuite});
  cases.push_back({.id = "stun.tls.mandatory-suites-13",
                   .title = "TLS 1.3, where it is served, with its mandatory suite",
                   .clauses = {{"8489", "6.2.3", Level::kProse,
                                "are also required to implement mandatory ciphersuites from those "
                                "specifications"}},
                   .needs = StunTlsNeeds(),
                   .edition = Edition::kCurrent,
                   .run = StunTls13MandatorySuite});
  cases.push_back({.id = "stun.tls.pfs-preferred",
                   .title = "A forward-secret suite is preferred",
                   .clauses = {StunTlsForwardClause()},
                   .needs = StunTlsNeeds(),
                   .edition = Edition::kCurrent,
                   .run = StunTlsForwardSecrecy});
  cases.push_back({.id = "stun.dtls.pfs-preferred",
                   .title = "A forward-secret suite is preferred over DTLS",
                   .clauses = {StunTlsForwardClause()},
                   .needs = StunDtlsNeeds(),
                   .edition = Edition::kCurrent,
                   .run = StunTlsForwardSecrecy});
}

void AddStunTlsRefusals(CaseList& cases) {
  cases.push_back(
      {.id = "stun.tls.weak-suites",
       .title = "DES and RC4 are refused",
       .clauses = {{"8489", "6.2.3", Level::kMustNot,
                    "Ciphersuites with known weaknesses, such as those based on (single) DES and "
                    "RC4, MUST NOT be used."}},
       .needs = StunTlsNeeds(),
       .edition = Edition::kCurrent,
       .run = StunTlsWeakSuites});
  cases.push_back({.id = "stun.tls.no-compression",
                   .title = "TLS compression is off",
                   .clauses = {{"8489", "6.2.3", Level::kMust,
                                "Implementations MUST disable TLS-level compression."}},
                   .needs = StunTlsNeeds(),
                   .edition = Edition::kCurrent,
                   .run = StunTlsCompression});
  cases.push_back({.id = "stun.tls.old-versions",
                   .title = "TLS 1.0 and 1.1 are refused",
                   .clauses = {StunTlsBcpClause()},
                   .needs = StunTlsNeeds(),
                   .edition = Edition::kCurrent,
                   .run = StunTlsOldVersions});
  cases.push_back({.id = "stun.dtls.old-versions",
                   .title = "DTLS 1.0 is refused",
                   .clauses = {StunTlsBcpClause()},
                   .needs = StunDtlsNeeds(),
                   .edition = Edition::kCurrent,
                   .run = StunTlsOldVersions});
  cases.push_back(
      {.id = "stun.dtls.cookie",
       .title = "DTLS begins with a cookie exchange",
       .clauses = {{"8489", "13", Level::kProse,
                    "implementing the denial-of-service countermeasure described in Section 4.2.1 "
                    "of [RFC6347] is mandatory."}},
       .needs = StunDtlsNeeds(),
       .edition = Edition::kCurrent,
       .run = StunDtlsCookie});
}

}  // namespace

void AddRfc8489Section06_2_3(CaseList& cases) {
  AddStunTlsSuites(cases);
  AddStunTlsRefusals(cases);
}

}  // namespace rtclab::conformance
