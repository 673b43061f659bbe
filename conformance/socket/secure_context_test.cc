// Contexts and identities: what is made of files, and what is said of those that are no good.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "conformance/socket/secure_stream.h"
#include "conformance/socket/secure_test_util.h"

namespace rtclab::conformance {
namespace {

using IdentityKey = ServerIdentity::Key;
using testing::HasSubstr;

TEST(SecureContextTest, SaysWhatIsWrong) {
  const TemporaryFile empty("");
  const auto no_file =
      SecureContext::Client(SecureProtocol::kTls, {.ca_file = "/nonexistent/ca.pem"});
  ASSERT_FALSE(no_file);
  EXPECT_EQ(no_file.error().reason, "CA file /nonexistent/ca.pem: No such file or directory");
  EXPECT_FALSE(SecureContext::Client(SecureProtocol::kTls, {.ca_file = empty.path()}));
  const auto cipher = SecureContext::Client(SecureProtocol::kTls, {.cipher_list = "ROT13"});
  ASSERT_FALSE(cipher);
  EXPECT_EQ(cipher.error().reason, "TLS ciphers \"ROT13\": no cipher match");
  EXPECT_FALSE(SecureContext::Client(SecureProtocol::kTls, {.cipher_suites = "ROT13"}));
  EXPECT_FALSE(SecureContext::Client(SecureProtocol::kTls, {.min_version = SecureVersion::k13,
                                                            .max_version = SecureVersion::k12}));
}

TEST(ServerIdentityTest, LoadsWhatItWrites) {
  const ServerIdentity& own = TestIdentity(IdentityKey::kEcdsa);
  // With another certificate above it, as in a chain.
  const TemporaryFile certificate(own.CertificatePem() +
                                  TestIdentity(IdentityKey::kRsa).CertificatePem());
  const TemporaryFile key(own.PrivateKeyPem());
  const auto loaded = ServerIdentity::Load(certificate.path(), key.path());
  ASSERT_TRUE(loaded) << loaded.error().reason;
  EXPECT_EQ(loaded->CertificatePem(), own.CertificatePem());
  auto server =
      SecureStream::Server(ServerContext(SecureProtocol::kTls, {.identities = {*loaded}}));
  auto client = ClientOf(SecureProtocol::kTls, {.ca_file = TrustIn(IdentityKey::kEcdsa).path()});
  Exchange(client, server);
  EXPECT_EQ(client.state(), SecureStream::State::kOpen) << client.reason();
}

TEST(ServerIdentityTest, SaysWhatCannotBeLoaded) {
  const TemporaryFile certificate(TestIdentity(IdentityKey::kEcdsa).CertificatePem());
  const TemporaryFile key(TestIdentity(IdentityKey::kEcdsa).PrivateKeyPem());
  const TemporaryFile other_key(TestIdentity(IdentityKey::kRsa).PrivateKeyPem());
  const TemporaryFile text("no PEM at all\n");
  const auto reason = [](const std::string& c, const std::string& k) {
    const auto loaded = ServerIdentity::Load(c, k);
    return loaded ? std::string("loaded") : loaded.error().reason;
  };
  EXPECT_EQ(reason("/nonexistent", key.path()), "/nonexistent: No such file or directory");
  EXPECT_EQ(reason(certificate.path(), "/nonexistent"), "/nonexistent: No such file or directory");
  EXPECT_EQ(reason(text.path(), key.path()), text.path() + ": no PEM certificate");
  EXPECT_EQ(reason(certificate.path(), text.path()), text.path() + ": no PEM private key");
  EXPECT_THAT(reason(certificate.path(), other_key.path()), HasSubstr("another certificate"));
}

TEST(ServerIdentityTest, OddNamesMakeACertificateAllTheSame) {
  const auto odd = ServerIdentity::SelfSigned(
      IdentityKey::kEcdsa, {std::string(100, 'a') + ".example", "a,DNS:b", "*.example"});
  auto server = SecureStream::Server(ServerContext(SecureProtocol::kTls, {.identities = {odd}}));
  auto client = ClientOf(SecureProtocol::kTls, {.insecure = true});
  Exchange(client, server);
  ASSERT_TRUE(client.info().peer);
  EXPECT_EQ(client.info().peer->names.size(), 3u);
  EXPECT_EQ(client.info().peer->names[1], "DNS:a,DNS:b");
}

}  // namespace
}  // namespace rtclab::conformance
