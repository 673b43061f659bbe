// use_srtp (RFC 5764 section 4.1): which profile is chosen, and what happens without one.
#include <gtest/gtest.h>

#include "stack/dtls/dtls_test_util.h"

namespace rtclab::dtls {
namespace {

using enum SrtpProfile;
using Profiles = std::vector<SrtpProfile>;

struct NegotiationCase {
  Profiles client, server;
  std::optional<SrtpProfile> chosen;
};

TEST(TransportSrtpTest, TheServersOrderDecides) {
  const NegotiationCase kCases[] = {
      {DefaultSrtpProfiles(), DefaultSrtpProfiles(), kAeadAes128Gcm},
      {{kAeadAes256Gcm, kAeadAes128Gcm}, {kAeadAes128Gcm, kAeadAes256Gcm}, kAeadAes128Gcm},
      {{kAeadAes128Gcm, kAeadAes256Gcm}, {kAeadAes256Gcm, kAeadAes128Gcm}, kAeadAes256Gcm},
      {DefaultSrtpProfiles(), {kAes128CmSha1_80}, kAes128CmSha1_80},
      {{kAes128CmSha1_80}, DefaultSrtpProfiles(), kAes128CmSha1_80},
      {{}, {}, std::nullopt},
  };
  for (const auto& test : kCases) {
    TestPair::Options options;
    options.client.srtp_profiles = test.client;
    options.server.srtp_profiles = test.server;
    TestPair pair(options);
    ASSERT_TRUE(pair.Connect());
    const auto& client = pair.client_record.connected->srtp;
    const auto& server = pair.server_record.connected->srtp;
    ASSERT_EQ(client.has_value(), test.chosen.has_value());
    ASSERT_EQ(server.has_value(), test.chosen.has_value());
    if (!test.chosen) continue;
    EXPECT_EQ(client->profile, *test.chosen);
    EXPECT_EQ(server->profile, *test.chosen);
    EXPECT_EQ(client->local_key, server->remote_key);
    EXPECT_EQ(client->remote_key, server->local_key);
    EXPECT_EQ(client->local_salt, server->remote_salt);
    EXPECT_EQ(client->remote_salt, server->local_salt);
    EXPECT_NE(client->local_key, client->remote_key);
    EXPECT_EQ(client->local_key.size(), SrtpKeyLength(*test.chosen));
    EXPECT_EQ(client->local_salt.size(), SrtpSaltLength(*test.chosen));
  }
}

TEST(TransportSrtpTest, NoCommonProfileIsAFailureWithAnAlert) {
  TestPair::Options options;
  options.client.srtp_profiles = {kAes128CmSha1_80};
  options.server.srtp_profiles = {kAeadAes128Gcm};
  TestPair pair(options);
  pair.Start();
  pair.RunIdle();
  ASSERT_TRUE(pair.server_record.failed);
  EXPECT_EQ(pair.server_record.failed->reason, "no-srtp-profile");
  ASSERT_TRUE(pair.client_record.failed);
  EXPECT_EQ(pair.client_record.failed->reason, "alert-received");
  EXPECT_EQ(pair.client_record.failed->detail, "handshake failure");
}

TEST(TransportSrtpTest, AClientWithoutUseSrtpIsRefusedByAServerThatNeedsIt) {
  TestPair::Options options;
  options.client.srtp_profiles = {};
  TestPair pair(options);
  pair.Start();
  pair.RunIdle();
  ASSERT_TRUE(pair.server_record.failed);
  EXPECT_EQ(pair.server_record.failed->reason, "no-srtp-profile");
}

TEST(TransportSrtpTest, AClientThatNeedsItRefusesAServerWithout) {
  TestPair::Options options;
  options.server.srtp_profiles = {};
  TestPair pair(options);
  pair.Start();
  pair.RunIdle();
  ASSERT_TRUE(pair.client_record.failed);
  EXPECT_EQ(pair.client_record.failed->reason, "no-srtp-profile");
  // The handshake was complete, so the server is told by close_notify.
  ASSERT_TRUE(pair.server_record.closed);
  EXPECT_TRUE(pair.server_record.closed->by_peer);
}

TEST(TransportSrtpTest, DataAloneGoesOnWithoutACommonProfile) {
  for (const Profiles& client : {Profiles{}, Profiles{kAes128CmSha1_80}}) {
    TestPair::Options options;
    options.client.srtp_profiles = client;
    options.server.srtp_profiles = {kAeadAes128Gcm};
    options.client.srtp_required = options.server.srtp_required = false;
    TestPair pair(options);
    ASSERT_TRUE(pair.Connect());
    EXPECT_FALSE(pair.client_record.connected->srtp);
    EXPECT_FALSE(pair.server_record.connected->srtp);
  }
}

}  // namespace
}  // namespace rtclab::dtls
