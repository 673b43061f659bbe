#include "stack/dtls/certificate.h"

#include <gtest/gtest.h>
#include <openssl/x509.h>

#include "stack/crypto/digest.h"
#include "stack/dtls/library_context.h"

namespace rtclab::dtls {
namespace {

TEST(CertificateTest, SameSeedSameBytes) {
  Rng first(1), second(1), other(2);
  const Certificate a = Certificate::Generate(first, Timestamp::Seconds(3));
  const Certificate b = Certificate::Generate(second, Timestamp::Seconds(3));
  const Certificate c = Certificate::Generate(other, Timestamp::Seconds(3));
  EXPECT_EQ(a.der(), b.der());
  EXPECT_EQ(a.PrivateKeyToPem(), b.PrivateKeyToPem());
  EXPECT_NE(a.der(), c.der());
  // The next one from the same generator is another.
  EXPECT_NE(Certificate::Generate(first, Timestamp::Seconds(3)).der(), a.der());
}

TEST(CertificateTest, IsSelfSignedEcdsaOnP256) {
  Rng rng(1);
  const Certificate certificate = Certificate::Generate(rng, Timestamp::Zero());
  X509* const x509 = certificate.native().x509.get();
  EVP_PKEY* const key = X509_get0_pubkey(x509);
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(X509_verify(x509, key), 1);
  EXPECT_EQ(X509_NAME_cmp(X509_get_issuer_name(x509), X509_get_subject_name(x509)), 0);
  char group[32] = {};
  std::size_t size = 0;
  ASSERT_EQ(EVP_PKEY_get_group_name(key, group, sizeof group, &size), 1);
  EXPECT_EQ(std::string(group), "prime256v1");
  EXPECT_EQ(X509_get_signature_nid(x509), NID_ecdsa_with_SHA256);
}

// Time comes from the caller: 2020-01-01 and what has passed of the run.
TEST(CertificateTest, ValidityIsOnTheVirtualCalendar) {
  Rng rng(1);
  const Certificate certificate =
      Certificate::Generate(rng, Timestamp::Zero() + TimeDelta::Seconds(86'400 * 2));
  const auto text = [](const ASN1_TIME* time) {
    return std::string(reinterpret_cast<const char*>(time->data), time->length);
  };
  EXPECT_EQ(text(X509_get0_notBefore(certificate.native().x509.get())), "200102000000Z");
  EXPECT_EQ(text(X509_get0_notAfter(certificate.native().x509.get())), "200202000000Z");
}

TEST(CertificateTest, FingerprintsAreDigestsOfTheDer) {
  Rng rng(1);
  const Certificate certificate = Certificate::Generate(rng, Timestamp::Zero());
  const auto sha256 = crypto::Sha256(certificate.der());
  EXPECT_EQ(certificate.fingerprint(),
            (Fingerprint{"sha-256", Bytes(sha256.begin(), sha256.end())}));
  const auto sha1 = crypto::Sha1(certificate.der());
  EXPECT_EQ(certificate.fingerprint("sha-1").value, Bytes(sha1.begin(), sha1.end()));
  for (const char* algorithm : {"sha-224", "sha-384", "sha-512"}) {
    EXPECT_EQ(certificate.fingerprint(algorithm).value.size(), FingerprintLength(algorithm));
  }
}

TEST(CertificateTest, PemRoundTrip) {
  Rng rng(1);
  const Certificate certificate = Certificate::Generate(rng, Timestamp::Zero());
  const auto read = Certificate::FromPem(certificate.ToPem(), certificate.PrivateKeyToPem());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->der(), certificate.der());
}

TEST(CertificateTest, BadPemIsRefused) {
  Rng rng(1);
  const Certificate a = Certificate::Generate(rng, Timestamp::Zero());
  const Certificate b = Certificate::Generate(rng, Timestamp::Zero());
  EXPECT_FALSE(Certificate::FromPem("", ""));
  EXPECT_FALSE(Certificate::FromPem(
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", a.PrivateKeyToPem()));
  EXPECT_FALSE(Certificate::FromPem(a.ToPem(), a.ToPem()));
  EXPECT_FALSE(Certificate::FromPem(a.ToPem(), b.PrivateKeyToPem()));
}

TEST(CertificateTest, SystemRandomnessNeverRepeats) {
  EXPECT_NE(Certificate::GenerateFromSystem(1'700'000'000).der(),
            Certificate::GenerateFromSystem(1'700'000'000).der());
}

// Outside of a scope our context has no randomness: nothing can draw from the system unnoticed.
TEST(CertificateTest, WithoutAScopeThereIsNoRandomness) {
  unsigned char byte = 0;
  EXPECT_FALSE(FillFromScope(&byte, 1));
  Rng rng(1);
  {
    const RandomScope scope(&rng);
    EXPECT_TRUE(FillFromScope(&byte, 1));
  }
  EXPECT_FALSE(FillFromScope(&byte, 1));
}

}  // namespace
}  // namespace rtclab::dtls
