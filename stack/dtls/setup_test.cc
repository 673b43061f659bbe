#include "stack/dtls/setup.h"

#include <gtest/gtest.h>

#include "stack/dtls/srtp_keys.h"

namespace rtclab::dtls {
namespace {

TEST(SetupTest, NamesRoundTrip) {
  for (const char* name : {"actpass", "active", "passive", "holdconn"}) {
    ASSERT_TRUE(ParseSetup(name));
    EXPECT_EQ(ToString(*ParseSetup(name)), name);
  }
  for (const char* name : {"", "Active", "actpas", "actpass "}) EXPECT_FALSE(ParseSetup(name));
}

// RFC 4145 section 4.1's table, without holdconn (RFC 8842 section 5.1).
TEST(SetupTest, RolesFollowFromOfferAndAnswer) {
  using enum dtls::Setup;
  const struct {
    dtls::Setup offer, answer;
    std::optional<Role> answerer;
  } kCases[] = {
      {kActpass, kActive, Role::kClient},   {kActpass, kPassive, Role::kServer},
      {kActive, kPassive, Role::kServer},   {kPassive, kActive, Role::kClient},
      {kActive, kActive, std::nullopt},     {kPassive, kPassive, std::nullopt},
      {kActpass, kActpass, std::nullopt},   {kActive, kActpass, std::nullopt},
      {kHoldconn, kActive, std::nullopt},   {kActpass, kHoldconn, std::nullopt},
      {kHoldconn, kHoldconn, std::nullopt},
  };
  for (const auto& test : kCases) {
    const auto answerer = RoleOfAnswerer(test.offer, test.answer);
    const auto offerer = RoleOfOfferer(test.offer, test.answer);
    ASSERT_EQ(answerer.has_value(), test.answerer.has_value()) << ToString(test.offer);
    ASSERT_EQ(offerer.has_value(), test.answerer.has_value());
    if (!test.answerer) continue;
    EXPECT_EQ(*answerer, *test.answerer);
    EXPECT_NE(*offerer, *answerer);
  }
}

TEST(SetupTest, EveryOfferGetsAnAnswerThatFits) {
  for (const dtls::Setup offer :
       {dtls::Setup::kActpass, dtls::Setup::kActive, dtls::Setup::kPassive}) {
    const auto answer = AnswerSetup(offer);
    ASSERT_TRUE(answer);
    EXPECT_TRUE(RoleOfAnswerer(offer, *answer)) << ToString(offer);
  }
  EXPECT_EQ(*AnswerSetup(dtls::Setup::kActpass), dtls::Setup::kActive);
  EXPECT_FALSE(AnswerSetup(dtls::Setup::kHoldconn));
}

// RFC 5764 section 4.2: client key, server key, client salt, server salt.
TEST(SrtpKeysTest, ExportedKeysAreSplitByRole) {
  for (const SrtpProfile profile : DefaultSrtpProfiles()) {
    const std::size_t key = SrtpKeyLength(profile), salt = SrtpSaltLength(profile);
    Bytes exported;
    exported.insert(exported.end(), key, 1);
    exported.insert(exported.end(), key, 2);
    exported.insert(exported.end(), salt, 3);
    exported.insert(exported.end(), salt, 4);
    const SrtpKeys client = SplitExportedKeys(profile, Role::kClient, exported);
    EXPECT_EQ(client.local_key, Bytes(key, 1));
    EXPECT_EQ(client.remote_key, Bytes(key, 2));
    EXPECT_EQ(client.local_salt, Bytes(salt, 3));
    EXPECT_EQ(client.remote_salt, Bytes(salt, 4));
    const SrtpKeys server = SplitExportedKeys(profile, Role::kServer, exported);
    EXPECT_EQ(server.local_key, client.remote_key);
    EXPECT_EQ(server.remote_salt, client.local_salt);
  }
  EXPECT_EQ(ExportedLength(SrtpProfile::kAes128CmSha1_80), 60u);
  EXPECT_EQ(ExportedLength(SrtpProfile::kAeadAes128Gcm), 56u);
  EXPECT_EQ(ExportedLength(SrtpProfile::kAeadAes256Gcm), 88u);
}

TEST(SrtpKeysTest, NumbersAndNames) {
  EXPECT_EQ(SrtpProfileFromId(7), SrtpProfile::kAeadAes128Gcm);
  EXPECT_EQ(SrtpProfileFromId(8), SrtpProfile::kAeadAes256Gcm);
  EXPECT_EQ(SrtpProfileFromId(1), SrtpProfile::kAes128CmSha1_80);
  for (const int other : {0, 2, 5, 6, 9, 0xffff}) {
    EXPECT_FALSE(SrtpProfileFromId(static_cast<uint16_t>(other)));
  }
}

}  // namespace
}  // namespace rtclab::dtls
