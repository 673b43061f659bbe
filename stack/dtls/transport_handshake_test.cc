// A handshake as it should be: flights, sizes, roles, early and fragmented datagrams, the key log.
#include <gtest/gtest.h>

#include "stack/dtls/dtls_test_util.h"
#include "stack/dtls/record.h"

namespace rtclab::dtls {
namespace {

using Arriving = TestPair::Arriving;

// openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=rsa
constexpr std::string_view kRsaCertificate = R"(-----BEGIN CERTIFICATE-----
MIIC/TCCAeWgAwIBAgIUJD5Leca+Kdb+6QbhLgjmf3At+X0wDQYJKoZIhvcNAQEL
BQAwDjEMMAoGA1UEAwwDcnNhMB4XDTI2MTEyMjE2MjkwNVoXDTM2MTExOTE2Mjkw
NVowDjEMMAoGA1UEAwwDcnNhMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKC
AQEAyspksvg2f+QT3TAv9NweHLMJobfpjXxzRQbZqzm74w+ttsuPULuN3eyebG84
YiYqhe927hbiOKkdvxxiYE/aBtJTLqUhoYVvgHg5UZf3NxsrPpjiMwC+sGwH2j8+
aK1CA9u5OI1FfDtam9NU1wZIBIxznt/wgS1YihD0OTjgUacHPxby1pAAIw247dx3
Y0jkqqCUHQ54nFNpP09bpcFrPF5rcPH47PNICDYlo24Ng0VuJ8mlGo3bNXKvZxjs
NYiIEF2l63qvmDGBz0Ks8GiqgPdAzga6yU339lU+JZNM5X6KpDdUNWtY0mRmu8b1
5VqFUHiuc4KYsOMS/xAzzxbc5QIDAQABo1MwUTAdBgNVHQ4EFgQUGUnYhXlNRGGg
fO5HFJDeQy92mLEwHwYDVR0jBBgwFoAUGUnYhXlNRGGgfO5HFJDeQy92mLEwDwYD
VR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOCAQEAWK829zp0oXqDTqllY/qn
Q2WsPP1r2wmP5phrqD68XbM+kOQ6xoztgAzgUx6vnBxQLeyex5xkPivNL5zxNdP0
t37FxOfUFCOWIzzp1d0uV8oLVEzd7gLdSL2uEOFymicsvjunQEBMZge3oRuwPQ9X
p4l9GFe3BvAwbbx/3wX0Kr4Yujo8WDlz3IOGdNIU3uxn+eVtlmZuLdEuLkV+YbdN
d2X0rYqWC2yd/0HCsoclfB+A6R/9fgIDRpvfaFwiDQWTfyzD3pvlHq87szscMBS1
MHOrgYVqmq3FY64kp6C/26zfa8rMU0vTWaPhHVTOTfYZeHZAwXXAeJlVKCZNcctj
Hg==
-----END CERTIFICATE-----
)";
constexpr std::string_view kRsaKey = R"(-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDKymSy+DZ/5BPd
MC/03B4cswmht+mNfHNFBtmrObvjD622y49Qu43d7J5sbzhiJiqF73buFuI4qR2/
HGJgT9oG0lMupSGhhW+AeDlRl/c3Gys+mOIzAL6wbAfaPz5orUID27k4jUV8O1qb
01TXBkgEjHOe3/CBLViKEPQ5OOBRpwc/FvLWkAAjDbjt3HdjSOSqoJQdDnicU2k/
T1ulwWs8Xmtw8fjs80gINiWjbg2DRW4nyaUajds1cq9nGOw1iIgQXaXreq+YMYHP
QqzwaKqA90DOBrrJTff2VT4lk0zlfoqkN1Q1a1jSZGa7xvXlWoVQeK5zgpiw4xL/
EDPPFtzlAgMBAAECggEARQaiQyboyhx0xHfIAxU/rK4ma6UBuvau98JuqfEzaoTm
MM/WHvlQP0dw32D2NLZgCAnsFfu1EetCpFABjl3vzR2fUcPEkEmum/CQNh0/eULm
s95vNEQfJEcJXzjiwdejnlOWltDDY5eCboL/IFfTgLTcECqSny2zsv81Whrpg/D2
hrQwzt0ueAwkOrWhQmZhgACOLWjMUByCiIWX8ODlokj7WZkYmnTGAHgHyCPGODyI
iraG/umYsIGgy3pkHLz5k0tySX2p24E3dak+RrWrmcF5TTndWZyaYVdrr7N///iQ
AZPk67XTxTKRRezK/5Tgz/3FMUzrldJ8OKLFJ1ZIawKBgQD3xlltmDqH7uFbyQWL
URrPhCEZ+Bsq9o7GdeKja8QG2WnQs6nCl540vLfiWeBgY+MlaxEwARfJ4KjVSNKD
eREJnU0u0iH8qhn7xzAj/x5lOQ5JJyuvo//tGqxicMmCpONUVkygkAL9F0fpO1ns
anIfqdi9VdJZ9iUVFsupRF1K6wKBgQDRhcHepu5/Zv/CZGx4s+0kLHtmrneVi6Ou
VkYACxzEa8jv1qUCoi65IxAi+wRcvTW8q5YM0uZzW5EvnmKByWeoxQxfhEHRT4t+
igSjZSnb5GsXuBRDBb8aimOeIWrknOyH8s9vVBp1sHI9LFou0wcCqp4RtPaZh7yH
NE1D7F/jbwKBgQCHT4za6v1b6rqrc1ZRxNMNbKzfD71Wcxt5ijtg36NH0keVL+iP
WlmNl1ochNSiDyqm7peOTap+FvBcuc4s+lqxk3PpE9x3rTVPaHID1nj08nm4vWmA
G+HRzHVDtTB25jE3h4GFVeAr8yDUYBM1ptP4MrsoesvLUT7jC3XhVHJWTQKBgD/p
VCztsLyOF6Adb/UVtVWed/nnaDTmxoQMbwfeW+USl9WJHQaDoEr7BhYVicwcL0Mg
+AFrZ75yhQQIhTXf0M3rZY3RUx5c7EkqIqYQ2sbnkz9F+HBFVXjsE90NhoS71W7W
wy3LctLJgt9kIxI7bt0CXHs8Pyiv/fMkIhmBBfLjAoGAceb3q/uGwi6xe2mHp+fp
EbUm4vSIZj/on8RthAknts+YdC2nNdxGDcK5antMtjhkMhYdrzuJFab36ZcpUPsi
hMIKXRhwKvlkhdPI7DqyjxqsiCR64EZRd+4rOpBRJn0iTiF8RsO55QOQNjW4ofTw
9x/ssVlcNrFrENVi/hmZcvw=
-----END PRIVATE KEY-----
)";

TEST(TransportHandshakeTest, TakesTwoRoundTripsAndNoTimer) {
  TestPair pair;
  ASSERT_TRUE(pair.Connect());
  // Four flights of 10 ms (RFC 6347 section 4.2.4, without the cookie exchange): the server has sent its last when it is connected.
  EXPECT_EQ(pair.server_record.connected_at - Timestamp::Seconds(5), TimeDelta::Millis(30));
  EXPECT_EQ(pair.client_record.connected_at - Timestamp::Seconds(5), TimeDelta::Millis(40));
  EXPECT_EQ(pair.sent.size(), 4u);
  EXPECT_EQ(pair.client->counters().retransmissions, 0u);
  EXPECT_TRUE(pair.client->NextTimeout().IsInfinite());
  EXPECT_TRUE(pair.server->NextTimeout().IsInfinite());
  EXPECT_EQ(pair.client->state(), TransportState::kConnected);
  EXPECT_EQ(pair.client_record.connected->cipher_suite, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
  EXPECT_EQ(pair.client->remote_certificate(), pair.server_certificate.der());
  EXPECT_EQ(pair.server->remote_certificate(), pair.client_certificate.der());
}

// RFC 8827 section 6.5 does not forbid RSA; older peers have such certificates.
TEST(TransportHandshakeTest, APeerMayHaveAnRsaCertificate) {
  const auto certificate = Certificate::FromPem(kRsaCertificate, kRsaKey);
  ASSERT_TRUE(certificate);
  EXPECT_EQ(Certificate::FromPem(certificate->ToPem(), certificate->PrivateKeyToPem())->der(),
            certificate->der());
  TestPair pair({.client = {}, .server = {}, .server_certificate = *certificate});
  ASSERT_TRUE(pair.Connect());
  EXPECT_EQ(pair.client_record.connected->cipher_suite, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
}

TEST(TransportHandshakeTest, NothingHappensBeforeStart) {
  TestPair pair;
  EXPECT_EQ(pair.client->state(), TransportState::kNew);
  EXPECT_FALSE(pair.client->PollTransmit());
  EXPECT_TRUE(pair.client->NextTimeout().IsInfinite());
  EXPECT_FALSE(pair.client->Send(pair.now, Bytes{1}));
}

TEST(TransportHandshakeTest, DatagramsBeforeStartAreTakenUpByStart) {
  TestPair pair;
  pair.client->Start(pair.now);
  pair.RunUntil([&] { return pair.server->counters().datagrams_received > 0; });
  pair.server->Start(pair.now);
  pair.RunUntil([&] { return pair.BothConnected(); });
  EXPECT_TRUE(pair.BothConnected());
  EXPECT_EQ(pair.client->counters().retransmissions, 0u);
}

TEST(TransportHandshakeTest, OnlySixteenDatagramsWaitForStart) {
  TestPair pair;
  for (int i = 0; i < 20; ++i) pair.server->HandlePacket(pair.now, Bytes{22});
  EXPECT_EQ(pair.server->counters().ignored_datagrams, 4u);
}

class TransportMtuTest : public testing::TestWithParam<std::size_t> {};

TEST_P(TransportMtuTest, NoDatagramOfAHandshakeIsLarger) {
  TestPair::Options options;
  options.client.mtu = options.server.mtu = GetParam();
  TestPair pair(options);
  ASSERT_TRUE(pair.Connect());
  std::size_t largest = 0;
  for (const auto& sent : pair.sent) largest = std::max(largest, sent.datagram.size());
  EXPECT_LE(largest, GetParam());
  if (GetParam() <= 400) {
    EXPECT_GT(pair.sent.size(), 4u);
    EXPECT_GT(largest, GetParam() / 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, TransportMtuTest, testing::Values(256, 300, 400, 576, 1200, 4096));

TEST(TransportHandshakeTest, SmallFlightsAlsoComeAgainSmall) {
  TestPair::Options options;
  options.client.mtu = options.server.mtu = 300;
  TestPair pair(options);
  int dropped = 0;
  pair.on_wire = [&](const TestPair::Sent& sent) {
    const bool drop = sent.at < Timestamp::Seconds(7);
    dropped += drop ? 1 : 0;
    return drop ? Arriving() : Arriving{sent.datagram};
  };
  ASSERT_TRUE(pair.Connect());
  EXPECT_GT(dropped, 1);
  for (const auto& sent : pair.sent) EXPECT_LE(sent.datagram.size(), 300u);
}

// Chromium's ClientHello comes in two datagrams of about 1,240 and 305 bytes.
TEST(TransportHandshakeTest, ClientHelloInSeveralFragmentsAndAnyOrder) {
  TestPair::Options options;
  options.client.mtu = 256;
  for (const bool reversed : {false, true}) {
    TestPair pair(options);
    // The first flight again, cut into three handshake fragments of one record each (RFC 6347 section 4.2.3).
    pair.on_wire = [&](const TestPair::Sent& sent) {
      ByteReader reader(sent.datagram);
      const auto record = ReadRecord(reader);
      if (!sent.from_client || record->second[0] != 1) return Arriving{sent.datagram};
      CHECK(reader.empty());
      const ByteView body = record->second.subspan(12);
      std::vector<Bytes> pieces;
      for (std::size_t begin = 0, number = 0; begin < body.size(); begin += 30, ++number) {
        const ByteView part = body.subspan(begin, std::min<std::size_t>(30, body.size() - begin));
        ByteWriter piece;
        piece.WriteU8(22);
        piece.WriteU16(record->first.version);
        piece.WriteU16(0);
        piece.WriteU16(0);
        // A sequence number that the client does not use afterwards: it would be a replay.
        piece.WriteU32(static_cast<uint32_t>(20 + number));
        piece.WriteU16(static_cast<uint16_t>(12 + part.size()));
        piece.WriteBytes(record->second.first(6));  // type, length, message_seq
        piece.WriteU8(0);
        piece.WriteU16(static_cast<uint16_t>(begin));
        piece.WriteU8(0);
        piece.WriteU16(static_cast<uint16_t>(part.size()));
        piece.WriteBytes(part);
        pieces.push_back(piece.Take());
      }
      CHECK(pieces.size() > 2);
      if (reversed) std::ranges::reverse(pieces);
      return pieces;
    };
    EXPECT_TRUE(pair.Connect()) << reversed;
    EXPECT_EQ(pair.client->counters().retransmissions, 0u);
  }
}

// A ClientHello of Chromium's shape: offers DTLS 1.3 with a post-quantum key share, which takes it beyond one datagram.
Bytes LargeClientHello() {
  ByteWriter extensions;
  const auto add = [&](uint16_t type, std::string_view hex, std::size_t zeros = 0,
                       std::string_view more = "") {
    const Bytes head = *FromHex(hex), tail = *FromHex(more);
    extensions.WriteU16(type);
    extensions.WriteU16(static_cast<uint16_t>(head.size() + zeros + tail.size()));
    extensions.WriteBytes(head);
    extensions.WriteZeros(zeros);
    extensions.WriteBytes(tail);
  };
  add(23, "");                        // extended_master_secret
  add(0xff01, "00");                  // renegotiation_info
  add(10, "0006 11ec 001d 0017");     // X25519MLKEM768, X25519, P-256
  add(11, "01 00");                   // uncompressed points
  add(13, "0006 0403 0804 0401");     // signature algorithms
  add(14, "0006 0007 0008 0001 00");  // use_srtp
  add(43, "04 fefc fefd");            // DTLS 1.3 and 1.2
  add(51, "04e8 11ec 04c0", 1'216,
      "001d0020"  // key shares
      "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  add(0xfe58, "", 100);  // unknown
  ByteWriter hello;
  hello.WriteU16(0xfefd);
  hello.WriteZeros(32);
  hello.WriteU16(0);  // no session, no cookie
  hello.WriteBytes(*FromHex("0006 1301 c02b c02f 0100"));
  hello.WriteU16(static_cast<uint16_t>(extensions.size()));
  hello.WriteBytes(extensions.view());
  return hello.Take();
}

TEST(TransportHandshakeTest, LargeClientHelloThatOffersDtls13) {
  const Bytes hello = LargeClientHello();
  const std::size_t first = 1'240 - 25;
  ASSERT_GT(hello.size(), first);
  TestPair pair;
  pair.server->Start(pair.now);
  for (const auto& [begin, end] :
       {std::pair(std::size_t{0}, first), std::pair(first, hello.size())}) {
    ByteWriter datagram;
    datagram.WriteBytes(*FromHex("16 fefd 0000 00000000"));
    datagram.WriteU16(begin == 0 ? 0 : 1);
    datagram.WriteU16(static_cast<uint16_t>(12 + end - begin));
    datagram.WriteBytes(*FromHex("01 00"));
    datagram.WriteU16(static_cast<uint16_t>(hello.size()));
    datagram.WriteBytes(*FromHex("0000 00"));
    datagram.WriteU16(static_cast<uint16_t>(begin));
    datagram.WriteU8(0);
    datagram.WriteU16(static_cast<uint16_t>(end - begin));
    datagram.WriteBytes(ByteView(hello).subspan(begin, end - begin));
    pair.server->HandlePacket(pair.now, datagram.view());
  }
  pair.Drain();
  EXPECT_FALSE(pair.server_record.failed);
  ASSERT_EQ(pair.sent.size(), 1u);
  // A ServerHello of DTLS 1.2 with TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256.
  const ByteView answer = pair.sent[0].datagram;
  EXPECT_EQ(answer[13], 2);
  EXPECT_EQ(LoadU16(answer.data() + 25), 0xfefd);
  EXPECT_EQ(LoadU16(answer.data() + 25 + 2 + 32 + 1), 0xc02b);
}

TEST(TransportHandshakeTest, KeyLogOnRequestOnly) {
  TestPair::Options options;
  options.client.key_log = true;
  TestPair pair(options);
  ASSERT_TRUE(pair.Connect());
  EXPECT_TRUE(pair.server_record.key_log.empty());
  ASSERT_EQ(pair.client_record.key_log.size(), 1u);
  const std::string& line = pair.client_record.key_log[0];
  // The format of NSS: label, client random, master secret.
  EXPECT_EQ(line.substr(0, 14), "CLIENT_RANDOM ");
  EXPECT_EQ(line.size(), 14u + 64 + 1 + 96);
  // The random is the one that stands in the ClientHello: after 13 bytes of record header, 12 of message header, 2 of version.
  EXPECT_EQ(line.substr(14, 64), ToHex(ByteView(pair.sent[0].datagram).subspan(27, 32)));
}

TEST(TransportHandshakeTest, MovedTransportsGoOn) {
  TestPair pair;
  pair.Start();
  *pair.client = Transport(std::move(*pair.client));
  pair.RunUntil([&] { return pair.BothConnected(); });
  EXPECT_TRUE(pair.BothConnected());
}

// The system's randomness works, and no two handshakes are then alike.
TEST(TransportHandshakeTest, SystemRandomness) {
  TestPair::Options options;
  options.client.randomness = options.server.randomness = Randomness::kSystem;
  TestPair first(options), second(options);
  ASSERT_TRUE(first.Connect());
  ASSERT_TRUE(second.Connect());
  EXPECT_NE(first.sent[0].datagram, second.sent[0].datagram);
  EXPECT_NE(first.client_record.connected->srtp->local_key,
            second.client_record.connected->srtp->local_key);
}

}  // namespace
}  // namespace rtclab::dtls
