#include "stack/dtls/certificate.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <ctime>
#include <utility>

#include "stack/base/check.h"
#include "stack/dtls/library_context.h"

namespace rtclab::dtls {
namespace {

constexpr int64_t kDaySeconds = 86'400;
// W3C webrtc section 4.10.2, generateCertificate: 30 days unless the caller says otherwise.
constexpr int64_t kLifetimeSeconds = 30 * kDaySeconds;
constexpr std::size_t kSerialBytes = 8;
constexpr std::size_t kNameBytes = 8;

Bytes EncodeDer(X509* x509) {
  const int length = i2d_X509(x509, nullptr);
  CHECK(length > 0);
  Bytes der(static_cast<std::size_t>(length));
  unsigned char* p = der.data();
  CHECK(i2d_X509(x509, &p) == length);
  return der;
}

OpenSslPtr<X509> DecodeDer(const Bytes& der) {
  X509* x509 = X509_new_ex(LibraryContext(), nullptr);
  const unsigned char* p = der.data();
  CHECK(d2i_X509(&x509, &p, static_cast<long>(der.size())) != nullptr);
  return OpenSslPtr<X509>(x509);
}

// What X509_set_pubkey() does, which would encode the key and decode it again, with every decoder of OpenSSL's default context.
// The certificate has its EVP_PKEY only once it is decoded itself.
void SetPublicKey(X509* x509, EVP_PKEY* key) {
  unsigned char* point = nullptr;
  const std::size_t size = EVP_PKEY_get1_encoded_public_key(key, &point);
  CHECK(size > 0);
  CHECK(X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(x509), OBJ_nid2obj(NID_X9_62_id_ecPublicKey),
                               V_ASN1_OBJECT, OBJ_nid2obj(NID_X9_62_prime256v1), point,
                               static_cast<int>(size)) == 1);
}

// What makes the certificate inside a RandomScope.
std::shared_ptr<Certificate::Native> MakeNative(int64_t unix_seconds,
                                                std::span<const uint8_t, kSerialBytes> serial,
                                                std::string_view name) {
  auto native = std::make_shared<Certificate::Native>();
  native->key.reset(EVP_PKEY_Q_keygen(LibraryContext(), nullptr, "EC", "P-256"));
  CHECK(native->key != nullptr);
  native->x509.reset(X509_new_ex(LibraryContext(), nullptr));
  X509* const x509 = native->x509.get();
  CHECK(x509 != nullptr && X509_set_version(x509, X509_VERSION_3) == 1);
  // RFC 5280 section 4.1.2.2: a positive number.
  CHECK(ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), (LoadU64(serial.data()) >> 1) | 1) ==
        1);
  X509_NAME* const subject = X509_get_subject_name(x509);
  CHECK(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>(name.data()),
                                   static_cast<int>(name.size()), -1, 0) == 1);
  CHECK(X509_set_issuer_name(x509, subject) == 1);
  CHECK(ASN1_TIME_set(X509_getm_notBefore(x509), unix_seconds - kDaySeconds) != nullptr);
  CHECK(ASN1_TIME_set(X509_getm_notAfter(x509), unix_seconds + kLifetimeSeconds) != nullptr);
  SetPublicKey(x509, native->key.get());
  CHECK(X509_sign(x509, native->key.get(), EVP_sha256()) > 0);
  native->der = EncodeDer(x509);
  native->x509 = DecodeDer(native->der);
  return native;
}

std::shared_ptr<Certificate::Native> MakeFrom(Rng& rng, int64_t unix_seconds) {
  std::array<uint8_t, kSerialBytes> serial{};
  std::array<uint8_t, kNameBytes> name{};
  rng.Fill(serial);
  rng.Fill(name);
  return MakeNative(unix_seconds, serial, ToHex(name));
}

const EVP_MD* DigestByName(std::string_view algorithm) {
  if (algorithm == "sha-256") return EVP_sha256();
  if (algorithm == "sha-1") return EVP_sha1();
  if (algorithm == "sha-224") return EVP_sha224();
  if (algorithm == "sha-384") return EVP_sha384();
  if (algorithm == "sha-512") return EVP_sha512();
  return nullptr;
}

OpenSslPtr<BIO> ReadOnlyBio(std::string_view text) {
  return OpenSslPtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

Fingerprint FingerprintOfDer(ByteView der, std::string_view algorithm) {
  const EVP_MD* const digest = DigestByName(algorithm);
  CHECK(digest != nullptr);
  Fingerprint result{std::string(algorithm), Bytes(FingerprintLength(algorithm))};
  unsigned size = 0;
  CHECK(EVP_Digest(der.data(), der.size(), result.value.data(), &size, digest, nullptr) == 1);
  CHECK(size == result.value.size());
  return result;
}

Certificate Certificate::Generate(Rng& rng, Timestamp now) {
  const RandomScope scope(&rng);
  return Certificate(MakeFrom(rng, kEpochSeconds + now.nanos() / 1'000'000'000));
}

Certificate Certificate::GenerateFromSystem(int64_t unix_seconds) {
  const RandomScope scope(nullptr);
  std::array<uint8_t, 8> seed{};
  CHECK(FillFromScope(seed.data(), seed.size()));
  Rng names(LoadU64(seed.data()));  // serial number and name are not secret
  return Certificate(MakeFrom(names, unix_seconds));
}

Result<Certificate> Certificate::FromPem(std::string_view certificate_pem,
                                         std::string_view key_pem) {
  ERR_clear_error();
  auto native = std::make_shared<Native>();
  X509* x509 = X509_new_ex(LibraryContext(), nullptr);
  const auto certificate_bio = ReadOnlyBio(certificate_pem);
  if (PEM_read_bio_X509(certificate_bio.get(), &x509, nullptr, nullptr) == nullptr) {
    X509_free(x509);
    ERR_clear_error();
    return Fail("certificate: not a PEM certificate");
  }
  native->x509.reset(x509);
  const auto key_bio = ReadOnlyBio(key_pem);
  native->key.reset(PEM_read_bio_PrivateKey_ex(key_bio.get(), nullptr, nullptr, nullptr,
                                               LibraryContext(), nullptr));
  if (native->key == nullptr) {
    ERR_clear_error();
    return Fail("certificate: not a PEM private key");
  }
  if (X509_check_private_key(x509, native->key.get()) != 1) {
    ERR_clear_error();
    return Fail("certificate: the private key belongs to another certificate");
  }
  native->der = EncodeDer(x509);
  return Certificate(std::move(native));
}

Fingerprint Certificate::fingerprint(std::string_view algorithm) const {
  return FingerprintOfDer(native_->der, algorithm);
}

const Bytes& Certificate::der() const { return native_->der; }

std::string Certificate::ToPem() const {
  const OpenSslPtr<BIO> bio(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio_X509(bio.get(), native_->x509.get()) == 1);
  return TextOf(bio.get());
}

std::string Certificate::PrivateKeyToPem() const {
  const OpenSslPtr<BIO> bio(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio_PKCS8PrivateKey(bio.get(), native_->key.get(), nullptr, nullptr, 0, nullptr,
                                      nullptr) == 1);
  return TextOf(bio.get());
}

}  // namespace rtclab::dtls
