#include "conformance/socket/secure_context.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <utility>

#include "stack/base/check.h"

namespace rtclab::conformance {
namespace {

constexpr long kIdentityDay = 86'400;
constexpr long kIdentityLifetime = 90 * kIdentityDay;
constexpr unsigned kRsaBits = 2'048;

// RFC 8489 section 6.2.3 wants ECDHE_RSA and DHE_RSA with AES-128-GCM; the rest are the same with a stronger cipher or an ECDSA certificate.
// All forward secret, none with a known weakness.
constexpr char kServerCiphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384";

int OpenSslVersion(SecureProtocol protocol, SecureVersion version) {
  if (protocol == SecureProtocol::kDtls) {
    return version >= SecureVersion::k12 ? DTLS1_2_VERSION : DTLS1_VERSION;
  }
  switch (version) {
    case SecureVersion::k10:
      return TLS1_VERSION;
    case SecureVersion::k11:
      return TLS1_1_VERSION;
    case SecureVersion::k12:
      return TLS1_2_VERSION;
    case SecureVersion::k13:
      break;
  }
  return TLS1_3_VERSION;
}

// RFC 7301 section 3.1: each name with its length before it. Names that no ClientHello can carry are left out.
Bytes EncodeAlpn(const std::vector<std::string>& names) {
  ByteWriter out;
  for (const std::string& name : names) {
    if (name.empty() || name.size() > 255) continue;
    out.WriteU8(static_cast<uint8_t>(name.size()));
    out.WriteBytes(AsBytes(name));
  }
  return out.Take();
}

// RFC 7301 section 3.2: the server's preference; without a common name a fatal alert.
int SelectAlpn(SSL*, const unsigned char** out, unsigned char* out_size,
               const unsigned char* offered, unsigned offered_size, void* argument) {
  const Bytes& own = *static_cast<const Bytes*>(argument);
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, own.data(), static_cast<unsigned>(own.size()),
                            offered, offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// What both roles have in common.
Result<std::shared_ptr<SecureContext::Native>> MakeContext(SecureProtocol protocol, bool server,
                                                           SecureVersion lowest,
                                                           SecureVersion highest,
                                                           const std::string& ciphers) {
  ERR_clear_error();
  auto native = std::make_shared<SecureContext::Native>();
  native->protocol = protocol;
  native->server = server;
  native->context.reset(
      SSL_CTX_new(protocol == SecureProtocol::kTls ? TLS_method() : DTLS_method()));
  SSL_CTX* const context = native->context.get();
  CHECK(context != nullptr);
  if (lowest > highest) return Fail("TLS: the lowest version is above the highest");
  CHECK(SSL_CTX_set_min_proto_version(context, OpenSslVersion(protocol, lowest)) == 1);
  CHECK(SSL_CTX_set_max_proto_version(context, OpenSslVersion(protocol, highest)) == 1);
  // RFC 8489 section 6.2.3: no compression at the TLS level.
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  if (lowest < SecureVersion::k12) SSL_CTX_set_security_level(context, 0);
  if (!ciphers.empty() && SSL_CTX_set_cipher_list(context, ciphers.c_str()) != 1) {
    return Fail("TLS ciphers \"" + ciphers + "\": " + TakeOpenSslError());
  }
  return native;
}

// The system's trust anchors, read once: that takes 25 ms.
X509_STORE* SystemTrust() {
  static X509_STORE* const store = [] {
    X509_STORE* const made = X509_STORE_new();
    CHECK(made != nullptr);
    X509_STORE_set_default_paths(made);
    return made;
  }();
  return store;
}

OwnSsl<BIO> OpenPem(const std::string& path) {
  return OwnSsl<BIO>(BIO_new_file(path.c_str(), "r"));
}

template <typename Write>
std::string PemText(const Write& write) {
  const OwnSsl<BIO> bio(BIO_new(BIO_s_mem()));
  CHECK(bio != nullptr && write(bio.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

void AddExtension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  CHECK(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

// The subjectAltName extension (RFC 5280 section 4.2.1.6).
void AddNames(X509* certificate, const std::vector<std::string>& names) {
  if (names.empty()) return;
  const OwnSsl<GENERAL_NAMES> list(sk_GENERAL_NAME_new_null());
  CHECK(list != nullptr);
  for (const std::string& name : names) {
    const auto ip = IpAddress::Parse(name);
    const ByteView bytes = ip ? ip->bytes() : AsBytes(name);
    ASN1_STRING* const value = ASN1_STRING_type_new(ip ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    CHECK(value != nullptr &&
          ASN1_STRING_set(value, bytes.data(), static_cast<int>(bytes.size())) == 1);
    GENERAL_NAME* const entry = GENERAL_NAME_new();
    CHECK(entry != nullptr);
    GENERAL_NAME_set0_value(entry, ip ? GEN_IPADD : GEN_DNS, value);
    CHECK(sk_GENERAL_NAME_push(list.get(), entry) > 0);
  }
  CHECK(X509_add1_ext_i2d(certificate, NID_subject_alt_name, list.get(), 0, X509V3_ADD_DEFAULT) ==
        1);
}

}  // namespace

std::string TakeOpenSslError() {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown error";
}

Result<ServerIdentity> ServerIdentity::Load(const std::string& certificate_file,
                                            const std::string& key_file) {
  ERR_clear_error();
  auto native = std::make_shared<Native>();
  const auto certificates = OpenPem(certificate_file);
  if (certificates == nullptr) return Fail(certificate_file + ": " + TakeOpenSslError());
  native->certificate.reset(PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr));
  if (native->certificate == nullptr) {
    ERR_clear_error();
    return Fail(certificate_file + ": no PEM certificate");
  }
  while (X509* next = PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr)) {
    native->chain.emplace_back(next);
  }
  ERR_clear_error();  // the end of the file
  const auto key = OpenPem(key_file);
  if (key == nullptr) return Fail(key_file + ": " + TakeOpenSslError());
  native->key.reset(PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (native->key == nullptr) return Fail(key_file + ": no PEM private key");
  if (X509_check_private_key(native->certificate.get(), native->key.get()) != 1) {
    ERR_clear_error();
    return Fail(key_file + ": the key of another certificate than " + certificate_file);
  }
  return ServerIdentity(std::move(native));
}

ServerIdentity ServerIdentity::SelfSigned(Key key, const std::vector<std::string>& names) {
  auto native = std::make_shared<Native>();
  native->key.reset(key == Key::kRsa
                        ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{kRsaBits})
                        : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  CHECK(native->key != nullptr);
  native->certificate.reset(X509_new());
  X509* const certificate = native->certificate.get();
  CHECK(certificate != nullptr && X509_set_version(certificate, X509_VERSION_3) == 1);
  uint64_t serial = 0;
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  // RFC 5280 section 4.1.2.2: a positive number.
  CHECK(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) == 1);
  X509_NAME* const subject = X509_get_subject_name(certificate);
  // RFC 5280 appendix A.1: at most 64 characters.
  const std::string common_name =
      names.empty() || names.front().empty() ? "rtclab" : names.front().substr(0, 64);
  CHECK(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>(common_name.data()),
                                   static_cast<int>(common_name.size()), -1, 0) == 1);
  CHECK(X509_set_issuer_name(certificate, subject) == 1);
  CHECK(X509_gmtime_adj(X509_getm_notBefore(certificate), -kIdentityDay) != nullptr);
  CHECK(X509_gmtime_adj(X509_getm_notAfter(certificate), kIdentityLifetime) != nullptr);
  CHECK(X509_set_pubkey(certificate, native->key.get()) == 1);
  AddExtension(certificate, NID_basic_constraints, "critical,CA:FALSE");
  AddExtension(certificate, NID_ext_key_usage, "serverAuth");
  AddNames(certificate, names);
  CHECK(X509_sign(certificate, native->key.get(), EVP_sha256()) > 0);
  return ServerIdentity(std::move(native));
}

std::string ServerIdentity::CertificatePem() const {
  return PemText([this](BIO* bio) { return PEM_write_bio_X509(bio, native_->certificate.get()); });
}

std::string ServerIdentity::PrivateKeyPem() const {
  return PemText([this](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, native_->key.get(), nullptr, nullptr, 0, nullptr,
                                         nullptr);
  });
}

Result<SecureContext> SecureContext::Client(SecureProtocol protocol, const SecureOptions& options) {
  auto made =
      MakeContext(protocol, false, options.min_version, options.max_version, options.cipher_list);
  if (!made) return tl::unexpected<Error>(made.error());
  Native& native = **made;
  SSL_CTX* const context = native.context.get();
  native.insecure = options.insecure;
  native.retransmit_after = options.retransmit_after;
  // Whoever takes any certificate takes a short key as well.
  if (options.insecure) SSL_CTX_set_security_level(context, 0);
  if (!options.cipher_suites.empty() &&
      SSL_CTX_set_ciphersuites(context, options.cipher_suites.c_str()) != 1) {
    return Fail("TLS 1.3 cipher suites \"" + options.cipher_suites + "\": " + TakeOpenSslError());
  }
  if (options.ca_file.empty()) {
    SSL_CTX_set1_cert_store(context, SystemTrust());
  } else if (SSL_CTX_load_verify_file(context, options.ca_file.c_str()) != 1) {
    return Fail("CA file " + options.ca_file + ": " + TakeOpenSslError());
  }
  const Bytes alpn = EncodeAlpn(options.alpn);
  if (!alpn.empty()) {
    CHECK(SSL_CTX_set_alpn_protos(context, alpn.data(), static_cast<unsigned>(alpn.size())) == 0);
  }
  return SecureContext(*std::move(made));
}

Result<SecureContext> SecureContext::Server(SecureProtocol protocol,
                                            const SecureServerOptions& options) {
  CHECK(!options.identities.empty());
  auto made = MakeContext(protocol, true, options.min_version, options.max_version,
                          options.cipher_list.empty() ? kServerCiphers : options.cipher_list);
  if (!made) return tl::unexpected<Error>(made.error());
  Native& native = **made;
  SSL_CTX* const context = native.context.get();
  native.retransmit_after = options.retransmit_after;
  for (const ServerIdentity& identity : options.identities) {
    const ServerIdentity::Native& own = identity.native();
    if (SSL_CTX_use_certificate(context, own.certificate.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context, own.key.get()) != 1) {
      return Fail("server certificate: " + TakeOpenSslError());
    }
    for (const auto& above : own.chain) CHECK(SSL_CTX_add1_chain_cert(context, above.get()) == 1);
  }
  // A server keeps nothing for clients that come back, and nobody makes it do a handshake again.
  SSL_CTX_set_options(context,
                      SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  CHECK(SSL_CTX_set_num_tickets(context, 0) == 1);
  CHECK(SSL_CTX_set_dh_auto(context, 1) == 1);
  native.alpn = EncodeAlpn(options.alpn);
  if (!native.alpn.empty()) SSL_CTX_set_alpn_select_cb(context, SelectAlpn, &native.alpn);
  if (protocol == SecureProtocol::kDtls) {
    SSL_CTX_set_cookie_generate_cb(context, MakeDtlsCookie);
    SSL_CTX_set_cookie_verify_cb(context, CheckDtlsCookie);
  }
  return SecureContext(*std::move(made));
}

SecureProtocol SecureContext::protocol() const { return native_->protocol; }

bool SecureContext::is_server() const { return native_->server; }

std::string_view ToString(SecureProtocol protocol) {
  return protocol == SecureProtocol::kTls ? "TLS" : "DTLS";
}

}  // namespace rtclab::conformance
