#include "conformance/socket/secure_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "conformance/socket/secure_test_util.h"

namespace rtclab::conformance {
namespace {

using Key = ServerIdentity::Key;
using StreamState = SecureStream::State;
using testing::HasSubstr;

// What is agreed, for what is offered.
struct AgreementCase {
  std::string name;
  SecureProtocol protocol;
  Key key;
  SecureOptions client;
  std::string version;
  std::string cipher;
  std::string key_exchange;
};
void PrintTo(const AgreementCase& test, std::ostream* out) { *out << test.name; }

class SecureAgreementTest : public testing::TestWithParam<AgreementCase> {};

TEST_P(SecureAgreementTest, BothEndsKnowIt) {
  const AgreementCase& test = GetParam();
  SecureOptions options = test.client;
  options.ca_file = TrustIn(test.key).path();
  options.alpn = {"stun.turn"};
  auto server =
      SecureStream::Server(ServerContext(test.protocol, {.identities = {TestIdentity(test.key)}}));
  auto client = ClientOf(test.protocol, options);
  Exchange(client, server);
  ASSERT_EQ(client.state(), StreamState::kOpen) << client.reason() << server.reason();
  ASSERT_EQ(server.state(), StreamState::kOpen) << server.reason();
  const SecureInfo& info = client.info();
  EXPECT_EQ(info.version, test.version);
  EXPECT_EQ(info.cipher, test.cipher);
  EXPECT_EQ(info.key_exchange, test.key_exchange);
  EXPECT_EQ(info.compression, "none");
  EXPECT_EQ(info.alpn, "stun.turn");
  EXPECT_EQ(info.verify_error, "");
  EXPECT_FALSE(info.alert);
  EXPECT_EQ(server.info().version, test.version);
  EXPECT_EQ(server.info().cipher, test.cipher);
  EXPECT_EQ(server.info().alpn, "stun.turn");
  ASSERT_TRUE(info.peer);
  EXPECT_EQ(info.peer->subject, "CN = localhost");
  EXPECT_EQ(info.peer->issuer, "CN = localhost");
  EXPECT_EQ(info.peer->names,
            (std::vector<std::string>{"DNS:localhost", "IP:127.0.0.1", "IP:::1"}));
  EXPECT_EQ(info.peer->key, test.key == Key::kRsa ? "RSA 2048" : "P-256");
  EXPECT_EQ(info.peer->not_after.size(), 20u);

  ASSERT_TRUE(client.Send(AsBytes("ping")));
  ASSERT_TRUE(server.Send(AsBytes("pong")));
  Exchange(client, server);
  EXPECT_EQ(TextOf(server), "ping");
  EXPECT_EQ(TextOf(client), "pong");
}

constexpr auto kTlsOnTcp = SecureProtocol::kTls;
constexpr auto kDtlsOnUdp = SecureProtocol::kDtls;
SecureOptions Offering(SecureVersion highest, std::string ciphers = "") {
  return {.max_version = highest, .cipher_list = std::move(ciphers)};
}

INSTANTIATE_TEST_SUITE_P(
    Offers, SecureAgreementTest,
    testing::Values(
        AgreementCase{"Tls13Ecdsa",
                      kTlsOnTcp,
                      Key::kEcdsa,
                      {},
                      "TLSv1.3",
                      "TLS_AES_256_GCM_SHA384",
                      "X25519"},
        AgreementCase{"Tls13Rsa",
                      kTlsOnTcp,
                      Key::kRsa,
                      {.cipher_suites = "TLS_AES_128_GCM_SHA256"},
                      "TLSv1.3",
                      "TLS_AES_128_GCM_SHA256",
                      "X25519"},
        AgreementCase{"Tls12Ecdsa", kTlsOnTcp, Key::kEcdsa, Offering(SecureVersion::k12), "TLSv1.2",
                      "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "X25519"},
        // The server prefers what RFC 8489 asks for over the client's own first choice.
        AgreementCase{
            "Tls12Rsa", kTlsOnTcp, Key::kRsa,
            Offering(SecureVersion::k12, "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256"),
            "TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "X25519"},
        AgreementCase{"Tls12RsaDhe", kTlsOnTcp, Key::kRsa,
                      Offering(SecureVersion::k12, "DHE-RSA-AES128-GCM-SHA256"), "TLSv1.2",
                      "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "DH 2048"},
        AgreementCase{"DtlsEcdsa",
                      kDtlsOnUdp,
                      Key::kEcdsa,
                      {},
                      "DTLSv1.2",
                      "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                      "X25519"},
        AgreementCase{"DtlsRsa",
                      kDtlsOnUdp,
                      Key::kRsa,
                      {},
                      "DTLSv1.2",
                      "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                      "X25519"},
        AgreementCase{"DtlsRsaDhe", kDtlsOnUdp, Key::kRsa,
                      Offering(SecureVersion::k13, "DHE-RSA-AES128-GCM-SHA256"), "DTLSv1.2",
                      "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "DH 2048"}),
    [](const auto& i) { return i.param.name; });

// What a server refuses, and what the client is told.
struct RefusalCase {
  std::string name;
  SecureProtocol protocol;
  SecureOptions client;
  std::string client_reason;
  std::string server_reason;
};
void PrintTo(const RefusalCase& test, std::ostream* out) { *out << test.name; }

class SecureRefusalTest : public testing::TestWithParam<RefusalCase> {};

TEST_P(SecureRefusalTest, BothEndsSayWhy) {
  SecureOptions options = GetParam().client;
  options.insecure = true;
  auto server = SecureStream::Server(
      ServerContext(GetParam().protocol, {.identities = {TestIdentity(Key::kRsa)}}));
  auto client = ClientOf(GetParam().protocol, options);
  Exchange(client, server);
  EXPECT_EQ(client.state(), StreamState::kFailed);
  EXPECT_EQ(server.state(), StreamState::kFailed);
  EXPECT_EQ(client.reason(), GetParam().client_reason);
  EXPECT_EQ(server.reason(), GetParam().server_reason);
  EXPECT_FALSE(client.Send(AsBytes("x")));
  EXPECT_TRUE(client.info().alert);
}

INSTANTIATE_TEST_SUITE_P(
    Servers, SecureRefusalTest,
    testing::Values(
        RefusalCase{"OldTls",
                    kTlsOnTcp,
                    {.min_version = SecureVersion::k10, .max_version = SecureVersion::k11},
                    "alert received: protocol version",
                    "unsupported protocol"},
        RefusalCase{"OldDtls",
                    kDtlsOnUdp,
                    {.min_version = SecureVersion::k10, .max_version = SecureVersion::k11},
                    "alert received: protocol version",
                    "unsupported protocol"},
        RefusalCase{"NoForwardSecrecy", kTlsOnTcp,
                    Offering(SecureVersion::k12, "AES128-GCM-SHA256"),
                    "alert received: handshake failure", "no shared cipher"},
        RefusalCase{"CipherBlockChaining", kTlsOnTcp,
                    Offering(SecureVersion::k12, "ECDHE-RSA-AES128-SHA"),
                    "alert received: handshake failure", "no shared cipher"},
        RefusalCase{"OtherProtocol",
                    kTlsOnTcp,
                    {.alpn = {"h2", "http/1.1"}},
                    "alert received: no application protocol",
                    "no application protocol"},
        RefusalCase{"OtherProtocolDtls",
                    kDtlsOnUdp,
                    {.alpn = {"webrtc"}},
                    "alert received: no application protocol",
                    "no application protocol"}),
    [](const auto& i) { return i.param.name; });

// Whether a certificate holds for a name, and the words when not.
struct VerifyCase {
  std::string name;
  std::string server_name;
  bool trusted;
  std::string error;
};
void PrintTo(const VerifyCase& test, std::ostream* out) { *out << test.name; }

class SecureVerifyTest : public testing::TestWithParam<VerifyCase> {
 protected:
  SecureStream Connect(bool insecure, SecureStream& server) {
    SecureOptions options;
    options.insecure = insecure;
    const TemporaryFile nobody(stranger_.CertificatePem());
    options.ca_file = GetParam().trusted ? TrustIn(Key::kEcdsa).path() : nobody.path();
    auto client = ClientOf(kTlsOnTcp, options, GetParam().server_name);
    Exchange(client, server);
    return client;
  }
  ServerIdentity stranger_ = ServerIdentity::SelfSigned(Key::kEcdsa, {"stranger.example"});
};

TEST_P(SecureVerifyTest, TellsInWords) {
  auto server = SecureStream::Server(ServerContext(kTlsOnTcp));
  const auto client = Connect(false, server);
  EXPECT_EQ(client.info().verify_error, GetParam().error);
  ASSERT_TRUE(client.info().peer);
  EXPECT_EQ(client.info().peer->subject, "CN = localhost");
  if (GetParam().error.empty()) {
    EXPECT_EQ(client.state(), StreamState::kOpen);
    return;
  }
  EXPECT_EQ(client.state(), StreamState::kFailed);
  EXPECT_EQ(client.reason(), GetParam().error);
  // The server is told with an alert.
  EXPECT_EQ(server.state(), StreamState::kFailed);
  EXPECT_THAT(server.reason(), HasSubstr("alert received: "));
}

TEST_P(SecureVerifyTest, InsecureGoesOnAndStillTells) {
  auto server = SecureStream::Server(ServerContext(kTlsOnTcp));
  const auto client = Connect(true, server);
  EXPECT_EQ(client.state(), StreamState::kOpen) << client.reason();
  EXPECT_EQ(client.info().verify_error.empty(), GetParam().error.empty());
  EXPECT_THAT(client.info().verify_error, HasSubstr(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    Names, SecureVerifyTest,
    testing::Values(
        VerifyCase{"Name", "localhost", true, ""}, VerifyCase{"Ipv4", "127.0.0.1", true, ""},
        VerifyCase{"Ipv6", "::1", true, ""}, VerifyCase{"NameInCapitals", "LocalHost", true, ""},
        VerifyCase{"OtherName", "turn.example.org", true,
                   "the certificate is not for turn.example.org, it names DNS:localhost, "
                   "IP:127.0.0.1, IP:::1"},
        VerifyCase{"OtherIp", "192.0.2.1", true,
                   "the certificate is not for 192.0.2.1, it names DNS:localhost, IP:127.0.0.1, "
                   "IP:::1"},
        VerifyCase{"Untrusted", "localhost", false, "self-signed certificate"}),
    [](const auto& i) { return i.param.name; });

class SecureStreamTest : public testing::TestWithParam<SecureProtocol> {
 protected:
  SecureStreamTest()
      : server_(SecureStream::Server(ServerContext(GetParam()))),
        client_(ClientOf(GetParam(), {.insecure = true})) {}

  void Open() {
    Exchange(client_, server_);
    ASSERT_EQ(client_.state(), StreamState::kOpen) << client_.reason();
    ASSERT_EQ(server_.state(), StreamState::kOpen) << server_.reason();
  }

  SecureStream server_, client_;
};

TEST_P(SecureStreamTest, WhatIsSentEarlyWaitsForTheHandshake) {
  EXPECT_EQ(client_.state(), StreamState::kHandshaking);
  ASSERT_TRUE(client_.Send(AsBytes("early ")));
  ASSERT_TRUE(client_.Send(AsBytes("bird")));
  Open();
  EXPECT_EQ(TextOf(server_), "early bird");
}

TEST_P(SecureStreamTest, NoAlpnOfferedNoneSelected) {
  Open();
  EXPECT_EQ(client_.info().alpn, "");
  EXPECT_EQ(client_.state(), StreamState::kOpen);
}

TEST_P(SecureStreamTest, CloseIsToldToThePeerAndAnswered) {
  Open();
  ASSERT_TRUE(client_.Send(AsBytes("last")));
  client_.Close();
  EXPECT_FALSE(client_.Send(AsBytes("too late")));
  EXPECT_EQ(client_.state(), StreamState::kOpen);
  Exchange(client_, server_);
  EXPECT_EQ(TextOf(server_), "last");
  EXPECT_EQ(server_.state(), StreamState::kClosed);
  EXPECT_EQ(server_.reason(), "close_notify");
  EXPECT_EQ(server_.info().alert, 0);
  EXPECT_EQ(client_.state(), StreamState::kClosed);
  EXPECT_EQ(client_.reason(), "closed here");
  const auto sent = server_.Send(AsBytes("x"));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().reason, "close_notify");
}

TEST_P(SecureStreamTest, DataSentBeforeThePeersCloseStillComes) {
  Open();
  client_.Close();
  ASSERT_TRUE(server_.Send(AsBytes("answer")));
  Exchange(server_, client_);
  EXPECT_EQ(TextOf(client_), "answer");
}

TEST_P(SecureStreamTest, CloseDuringTheHandshakeEndsIt) {
  client_.Close();
  EXPECT_EQ(client_.state(), StreamState::kClosed);
  EXPECT_EQ(client_.reason(), "closed here");
  EXPECT_FALSE(client_.Send(AsBytes("x")));
}

TEST_P(SecureStreamTest, EmptySendsMakeNothing) {
  Open();
  EXPECT_TRUE(client_.Send({}));
  EXPECT_TRUE(TransmitsOf(client_).empty());
}

// Every byte of the server's first flight wrong, one at a time: the client does not open, and does not break.
TEST_P(SecureStreamTest, DamagedFlightsNeverOpen) {
  const auto context = ServerContext(GetParam());
  const auto client_context = SecureContext::Client(GetParam(), {.insecure = true});
  ASSERT_TRUE(client_context);
  std::size_t size = 1'000;
  for (std::size_t at = 0; at < size; at += 29) {
    auto server = SecureStream::Server(context);
    auto client = SecureStream::Client(*client_context, "localhost");
    for (const Bytes& bytes : TransmitsOf(client)) server.HandleBytes(bytes);
    Bytes flight;
    std::size_t offset = 0;
    for (Bytes& bytes : TransmitsOf(server)) {
      if (at >= offset && at < offset + bytes.size()) bytes[at - offset] ^= 0x55;
      offset += bytes.size();
      client.HandleBytes(bytes);
    }
    size = offset;
    EXPECT_NE(client.state(), StreamState::kOpen) << at;
    if (client.state() == StreamState::kFailed) {
      EXPECT_FALSE(client.reason().empty());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Protocols, SecureStreamTest, testing::Values(kTlsOnTcp, kDtlsOnUdp),
                         [](const auto& i) { return std::string(ToString(i.param)); });

TEST(TlsStreamTest, AnyCutOfTheStreamWillDo) {
  auto server = SecureStream::Server(ServerContext(kTlsOnTcp));
  auto client = ClientOf(kTlsOnTcp, {.insecure = true});
  ASSERT_TRUE(client.Send(AsBytes("byte by byte")));
  for (bool moved = true; moved;) {
    moved = false;
    for (auto [from, to] : {std::pair(&client, &server), std::pair(&server, &client)}) {
      for (const Bytes& bytes : TransmitsOf(*from)) {
        for (const uint8_t byte : bytes) to->HandleBytes({&byte, 1});
        moved = true;
      }
    }
  }
  EXPECT_EQ(server.state(), StreamState::kOpen);
  EXPECT_EQ(TextOf(server), "byte by byte");
}

TEST(TlsStreamTest, CarriesMoreThanARecordAtOnce) {
  auto server = SecureStream::Server(ServerContext(kTlsOnTcp));
  auto client = ClientOf(kTlsOnTcp, {.insecure = true});
  std::string text(1'000'000, 'a');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
  ASSERT_TRUE(client.Send(AsBytes(text)));
  Exchange(client, server);
  EXPECT_TRUE(TextOf(server) == text);
}

TEST(TlsStreamTest, TheEndOfTheTransportIsNotAnOrderlyClose) {
  auto server = SecureStream::Server(ServerContext(kTlsOnTcp));
  auto client = ClientOf(kTlsOnTcp, {.insecure = true});
  Exchange(client, server);
  client.HandleEnd();
  EXPECT_EQ(client.state(), StreamState::kClosed);
  EXPECT_EQ(client.reason(), "closed without close_notify");
  auto other = ClientOf(kTlsOnTcp, {.insecure = true});
  other.HandleEnd();
  EXPECT_EQ(other.state(), StreamState::kFailed);
  EXPECT_EQ(other.reason(), "the connection ended during the handshake");
}

// A flight cut at every so many bytes leaves the client waiting, and the end of the connection fails it.
TEST(TlsStreamTest, TruncatedFlightsFailAtTheEnd) {
  const auto context = ServerContext(kTlsOnTcp);
  const auto client_context = SecureContext::Client(kTlsOnTcp, {.insecure = true});
  Bytes flight;
  for (std::size_t cut = 0; cut == 0 || cut < flight.size(); cut += 17) {
    auto server = SecureStream::Server(context);
    auto client = SecureStream::Client(*client_context, "localhost");
    for (const Bytes& bytes : TransmitsOf(client)) server.HandleBytes(bytes);
    flight = *server.PollTransmit();
    client.HandleBytes(ByteView(flight).first(cut));
    EXPECT_EQ(client.state(), StreamState::kHandshaking) << cut;
    client.HandleEnd();
    EXPECT_EQ(client.state(), StreamState::kFailed) << cut;
  }
}

TEST(TlsStreamTest, GarbageFailsInWords) {
  // A STUN Binding request (RFC 8489 section 5), HTTP, an SSH banner, zeros, a record too long.
  const std::vector<std::pair<std::string, Bytes>> table = {
      {"STUN", *FromHex("000100002112a442000102030405060708090a0b")},
      {"HTTP", *FromHex("474554202f20485454502f312e310d0a0d0a")},
      {"SSH", *FromHex("5353482d322e302d4f70656e5353480d0a")},
      {"zeros", Bytes(64)},
      {"long", *FromHex("160303ffff0100fffb0303")},
  };
  for (const auto& [name, bytes] : table) {
    auto server = SecureStream::Server(ServerContext(kTlsOnTcp));
    server.HandleBytes(bytes);
    EXPECT_EQ(server.state(), StreamState::kFailed) << name;
    EXPECT_THAT(server.reason(), testing::StartsWith("no TLS: ")) << name;
    auto client = ClientOf(kTlsOnTcp, {.insecure = true});
    client.HandleBytes(bytes);
    EXPECT_EQ(client.state(), StreamState::kFailed) << name;
    EXPECT_THAT(client.reason(), testing::StartsWith("no TLS: ")) << name;
  }
}

TEST(TlsStreamTest, DamagedDataEndsIt) {
  auto server = SecureStream::Server(ServerContext(kTlsOnTcp));
  auto client = ClientOf(kTlsOnTcp, {.insecure = true});
  Exchange(client, server);
  ASSERT_TRUE(client.Send(AsBytes("intact")));
  Bytes record = *client.PollTransmit();
  record.back() ^= 1;
  server.HandleBytes(record);
  EXPECT_EQ(server.state(), StreamState::kFailed);
  EXPECT_EQ(TextOf(server), "");
  for (const Bytes& bytes : TransmitsOf(server)) client.HandleBytes(bytes);
  EXPECT_EQ(client.reason(), "alert received: bad record mac");
  EXPECT_EQ(client.info().alert, 20);  // RFC 8446 section 6
}

TEST(TlsStreamTest, AServerWithBothKeysShowsWhatTheClientCanUse) {
  const auto context = ServerContext(
      kTlsOnTcp, {.identities = {TestIdentity(Key::kEcdsa), TestIdentity(Key::kRsa)}});
  for (const bool rsa : {false, true}) {
    auto server = SecureStream::Server(context);
    auto client = ClientOf(kTlsOnTcp, {.insecure = true,
                                       .max_version = SecureVersion::k12,
                                       .cipher_list = rsa ? "ECDHE-RSA-AES128-GCM-SHA256"
                                                          : "ECDHE-ECDSA-AES128-GCM-SHA256"});
    Exchange(client, server);
    ASSERT_EQ(client.state(), StreamState::kOpen) << client.reason();
    EXPECT_EQ(client.info().peer->key, rsa ? "RSA 2048" : "P-256");
  }
}

}  // namespace
}  // namespace rtclab::conformance
