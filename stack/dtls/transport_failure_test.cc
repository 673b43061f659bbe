// Everything that a peer can do wrong has a name.
#include <gtest/gtest.h>

#include "stack/dtls/dtls_test_util.h"

namespace rtclab::dtls {
namespace {

std::string_view ReasonOf(const EndRecord& record) {
  return record.failed ? record.failed->reason : std::string_view("none");
}

// The certificate of somebody else.
Fingerprint StrangeFingerprint(std::string_view algorithm = "sha-256") {
  Rng rng(99);
  return Certificate::Generate(rng, Timestamp::Zero()).fingerprint(algorithm);
}

TEST(TransportFailureTest, WrongFingerprintIsAFailureWithAnAlertOnBothSides) {
  for (const bool client_is_deceived : {true, false}) {
    TestPair::Options options;
    (client_is_deceived ? options.client : options.server).remote_fingerprints = {
        StrangeFingerprint()};
    TestPair pair(options);
    pair.Start();
    pair.RunIdle();
    const EndRecord& near = client_is_deceived ? pair.client_record : pair.server_record;
    const EndRecord& far = client_is_deceived ? pair.server_record : pair.client_record;
    EXPECT_EQ(ReasonOf(near), "fingerprint-mismatch");
    EXPECT_EQ(ReasonOf(far), "alert-received");
    EXPECT_EQ(far.failed->detail, "bad certificate");
    EXPECT_FALSE(near.connected);
    EXPECT_FALSE(far.connected);
    EXPECT_TRUE(pair.client->NextTimeout().IsInfinite());
    EXPECT_TRUE(pair.server->NextTimeout().IsInfinite());
  }
}

// RFC 8122 section 5.1: only the set of the most preferred hash counts.
TEST(TransportFailureTest, SeveralFingerprints) {
  Rng rng(1);
  for (const auto& [wrong, right, connects] :
       std::vector<std::tuple<std::vector<const char*>, std::vector<const char*>, bool>>{
           {{"sha-256"}, {"sha-256"}, true},  // several certificates, one of them shown
           {{}, {"sha-1"}, true},
           {{"md5"}, {"sha-512"}, true},  // what may not be used does not count
           {{"sha-1"}, {"sha-256"}, true},
           {{"sha-256"}, {"sha-1"}, false},  // a match with a weaker hash does not help
           {{"sha-256"}, {"sha-512"}, false},
           {{"md5"}, {}, false},
       }) {
    TestPair probe;
    TestPair::Options options;
    for (const char* algorithm : wrong) {
      options.client.remote_fingerprints.push_back(std::string_view(algorithm) == "md5"
                                                       ? Fingerprint{"md5", Bytes(16)}
                                                       : StrangeFingerprint(algorithm));
    }
    // The same seed makes the same certificate.
    for (const char* algorithm : right) {
      options.client.remote_fingerprints.push_back(probe.server_certificate.fingerprint(algorithm));
    }
    TestPair pair(options);
    EXPECT_EQ(pair.Connect(), connects) << testing::PrintToString(right);
    EXPECT_EQ(ReasonOf(pair.client_record), connects ? "none" : "fingerprint-mismatch");
  }
}

TEST(TransportFailureTest, LateFingerprintHoldsDataUntilItFits) {
  TestPair::Options options;
  options.client_knows_fingerprint = false;
  TestPair pair(options);
  pair.Start();
  pair.RunUntil([&] { return pair.server_record.connected.has_value(); });
  ASSERT_TRUE(pair.server->Send(pair.now, Bytes{1, 2, 3}));
  ASSERT_TRUE(pair.server->Send(pair.now, Bytes{4}));
  pair.RunIdle();
  EXPECT_FALSE(pair.client_record.connected);
  EXPECT_EQ(pair.client->state(), TransportState::kConnecting);
  EXPECT_FALSE(pair.client->Send(pair.now, Bytes{9}));
  EXPECT_TRUE(pair.client_record.data.empty());
  EXPECT_EQ(pair.client->counters().held_back, 2u);
  EXPECT_TRUE(pair.client->NextTimeout().IsInfinite());

  pair.client->SetRemoteFingerprints(pair.now, {pair.server_certificate.fingerprint("sha-512")});
  pair.Drain();
  EXPECT_TRUE(pair.client_record.connected);
  EXPECT_TRUE(pair.client_record.connected->srtp);
  EXPECT_EQ(pair.client_record.data, (std::vector<Bytes>{Bytes{1, 2, 3}, Bytes{4}}));
  EXPECT_TRUE(pair.client->Send(pair.now, Bytes{9}));
}

TEST(TransportFailureTest, LateFingerprintThatDoesNotFit) {
  TestPair::Options options;
  options.client_knows_fingerprint = false;
  TestPair pair(options);
  pair.Start();
  pair.RunUntil([&] { return pair.server_record.connected.has_value(); });
  ASSERT_TRUE(pair.server->Send(pair.now, Bytes{1, 2, 3}));
  pair.RunIdle();
  pair.client->SetRemoteFingerprints(pair.now, {StrangeFingerprint()});
  pair.RunIdle();
  EXPECT_EQ(ReasonOf(pair.client_record), "fingerprint-mismatch");
  EXPECT_TRUE(pair.client_record.data.empty());
  EXPECT_FALSE(pair.client_record.connected);
  ASSERT_TRUE(pair.server_record.closed);
  EXPECT_TRUE(pair.server_record.closed->by_peer);
}

TEST(TransportFailureTest, FingerprintThatArrivesDuringTheHandshake) {
  for (const bool fits : {true, false}) {
    TestPair::Options options;
    options.server_knows_fingerprint = false;
    TestPair pair(options);
    pair.Start();
    pair.RunUntil([&] { return !pair.sent.empty() && !pair.sent.back().from_client; });
    pair.server->SetRemoteFingerprints(
        pair.now, {fits ? pair.client_certificate.fingerprint() : StrangeFingerprint()});
    pair.RunIdle();
    EXPECT_EQ(pair.BothConnected(), fits);
    EXPECT_EQ(ReasonOf(pair.server_record), fits ? "none" : "fingerprint-mismatch");
  }
}

TEST(TransportFailureTest, HeldDataIsBounded) {
  TestPair::Options options;
  options.client_knows_fingerprint = false;
  TestPair pair(options);
  pair.Start();
  pair.RunUntil([&] { return pair.server_record.connected.has_value(); });
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(pair.server->Send(pair.now, Bytes{1}));
  pair.RunIdle();
  EXPECT_EQ(pair.client->counters().held_back, 256u);
  EXPECT_EQ(pair.client->counters().held_back_dropped, 44u);
}

TEST(TransportFailureTest, SilentPeerIsATimeoutInBothRoles) {
  TestPair pair;
  pair.on_wire = [](const TestPair::Sent&) { return TestPair::Arriving(); };
  pair.Start();
  pair.RunIdle();
  for (const EndRecord* record : {&pair.client_record, &pair.server_record}) {
    EXPECT_EQ(ReasonOf(*record), "timeout");
    EXPECT_EQ(record->failed_at - Timestamp::Seconds(5), TimeDelta::Seconds(60));
  }
}

TEST(TransportFailureTest, PeerThatVanishesMidHandshakeIsATimeout) {
  for (const std::size_t datagrams : {1u, 2u, 3u}) {
    TestPair pair;
    std::size_t count = 0;
    pair.on_wire = [&](const TestPair::Sent& sent) {
      return ++count > datagrams ? TestPair::Arriving() : TestPair::Arriving{sent.datagram};
    };
    pair.Start();
    pair.RunIdle();
    EXPECT_EQ(ReasonOf(pair.client_record), "timeout") << datagrams;
    // After the third flight the server is through and cannot know that its last one is lost.
    EXPECT_EQ(ReasonOf(pair.server_record), datagrams == 3 ? "none" : "timeout") << datagrams;
  }
}

TEST(TransportFailureTest, TwelveRetransmissionsAreTheMostWhateverTheTimeout) {
  TestPair::Options options;
  options.client.handshake_timeout = TimeDelta::PlusInfinity();
  TestPair pair(options);
  pair.on_wire = [](const TestPair::Sent&) { return TestPair::Arriving(); };
  pair.client->Start(pair.now);
  pair.RunIdle(Timestamp::Seconds(10'000));
  EXPECT_EQ(ReasonOf(pair.client_record), "timeout");
  EXPECT_EQ(pair.sent.size(), 13u);
  // 1 + 2 + 4 + 8 + 16 + 32 s, then 60 s each.
  EXPECT_EQ(pair.client_record.failed_at - Timestamp::Seconds(5), TimeDelta::Seconds(63 + 7 * 60));
}

TEST(TransportFailureTest, TwoClientsOrTwoServers) {
  Rng rng(1);
  const Certificate certificate = Certificate::Generate(rng, Timestamp::Zero());
  Transport one({.certificate = &certificate}, rng), two({.certificate = &certificate}, rng);
  one.Start(Timestamp::Zero());
  two.Start(Timestamp::Zero());
  one.HandlePacket(Timestamp::Zero(), *two.PollTransmit());
  const auto event = one.PollEvent();
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<Failed>(*event).reason, "role-conflict");
}

// A peer that speaks DTLS 1.0 only: a ClientHello with the version 0xfeff, one cipher suite and no extension.
TEST(TransportFailureTest, OldVersion) {
  TestPair pair;
  pair.server->Start(pair.now);
  pair.server->HandlePacket(
      pair.now, *FromHex("16 feff 0000 000000000000 0036"
                         "01 00002a 0000 000000 00002a feff"
                         "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
                         "00 00 0002 c009 01 00"));
  pair.Drain();
  EXPECT_EQ(ReasonOf(pair.server_record), "version-mismatch");
  ASSERT_EQ(pair.sent.size(), 1u);
  EXPECT_EQ(pair.sent[0].datagram[0], 21);  // an alert
}

TEST(TransportFailureTest, NoCommonCipherSuite) {
  TestPair::Options options;
  options.server.srtp_profiles = {};
  TestPair pair(options);
  pair.server->Start(pair.now);
  // DTLS 1.2 with TLS_RSA_WITH_AES_128_CBC_SHA alone.
  pair.server->HandlePacket(
      pair.now, *FromHex("16 feff 0000 000000000000 0036"
                         "01 00002a 0000 000000 00002a fefd"
                         "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
                         "00 00 0002 002f 01 00"));
  pair.Drain();
  EXPECT_EQ(ReasonOf(pair.server_record), "no-shared-cipher");
}

TEST(TransportFailureTest, MalformedHandshakeIsAProtocolError) {
  TestPair pair;
  pair.server->Start(pair.now);
  // A ClientHello whose session identifier is longer than the message.
  pair.server->HandlePacket(
      pair.now, *FromHex("16 feff 0000 000000000000 002f"
                         "01 000023 0000 000000 000023 fefd"
                         "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
                         "ff"));
  pair.Drain();
  EXPECT_EQ(ReasonOf(pair.server_record), "protocol-error");
  EXPECT_FALSE(pair.server_record.failed->detail.empty());
  EXPECT_EQ(pair.server->state(), TransportState::kFailed);
  // What comes afterwards is ignored.
  pair.server->HandlePacket(pair.now, Bytes(30, 22));
  EXPECT_EQ(pair.server->counters().ignored_datagrams, 1u);
}

TEST(TransportFailureTest, GarbageDuringTheHandshakeChangesNothing) {
  TestPair pair;
  Rng rng(3);
  pair.on_wire = [&](const TestPair::Sent& sent) {
    TestPair::Arriving arriving;
    for (int i = 0; i < 20; ++i) {
      arriving.emplace_back(rng.Uniform(0, 200));
      rng.Fill(arriving.back());
    }
    arriving.push_back(sent.datagram);
    return arriving;
  };
  EXPECT_TRUE(pair.Connect());
  EXPECT_GT(pair.server->counters().ignored_datagrams, 20u);
  EXPECT_EQ(pair.client->counters().retransmissions, 0u);
}

}  // namespace
}  // namespace rtclab::dtls
