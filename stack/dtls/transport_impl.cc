#include "stack/dtls/transport_impl.h"

#include <openssl/err.h>
#include <openssl/srtp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <utility>

#include "stack/base/check.h"

namespace rtclab::dtls {
namespace {

constexpr std::string_view kExporterLabel = "EXTRACTOR-dtls_srtp";  // RFC 5764 section 4.2

// The protection profiles of a use_srtp extension (RFC 5764 section 4.1.1); empty when it is malformed.
std::vector<uint16_t> ParseUseSrtp(ByteView extension) {
  //  struct { SRTPProtectionProfiles profiles<2..2^16-1>; opaque srtp_mki<0..255>; } UseSRTPData;
  ByteReader reader(extension);
  const auto length = reader.ReadU16();
  if (!length) return {};
  const auto list = reader.ReadBytes(*length);
  if (!list || *length % 2 != 0) return {};
  std::vector<uint16_t> profiles;
  for (std::size_t i = 0; i < list->size(); i += 2) profiles.push_back(LoadU16(list->data() + i));
  return profiles;
}

std::string ProfileList(const std::vector<SrtpProfile>& profiles) {
  std::string list;
  for (const SrtpProfile profile : profiles) {
    if (!list.empty()) list += ':';
    list += ToString(profile);
  }
  return list;
}

}  // namespace

void Transport::Impl::MakeSsl() {
  const RandomScope scope = Scope();
  ERR_clear_error();
  ssl.reset(SSL_new(SharedSslContext()));
  CHECK(ssl != nullptr);
  CHECK(SSL_set_ex_data(ssl.get(), TransportIndex(), this) == 1);
  const Certificate::Native& native = certificate.native();
  CHECK(SSL_use_cert_and_key(ssl.get(), native.x509.get(), native.key.get(), nullptr, 1) == 1);
  if (!config.srtp_profiles.empty()) {
    // Unlike most of OpenSSL, zero is success here.
    CHECK(SSL_set_tlsext_use_srtp(ssl.get(), ProfileList(config.srtp_profiles).c_str()) == 0);
  }
  CHECK(SSL_set_max_send_fragment(ssl.get(), static_cast<long>(config.max_data_size)) == 1);
  BIO* const both = bio.MakeBio();
  SSL_set_bio(ssl.get(), both, both);
  CHECK(SSL_set_mtu(ssl.get(), static_cast<long>(config.mtu)) > 0);
  if (config.role == Role::kClient) {
    SSL_set_connect_state(ssl.get());
  } else {
    SSL_set_accept_state(ssl.get());
  }
}

Transport::Impl::Step Transport::Impl::DoHandshake() {
  const RandomScope scope = Scope();
  ERR_clear_error();
  bio.BeginJoining();
  const int result = SSL_do_handshake(ssl.get());
  bio.EndJoining();
  if (result == 1) {
    TakeRemoteCertificate();
    return Step::kDone;
  }
  return Classify(result);
}

Transport::Impl::Step Transport::Impl::RetransmitFlight() {
  const RandomScope scope = Scope();
  ERR_clear_error();
  bio.ExpireTimer();
  bio.BeginJoining();
  const long result = DTLSv1_handle_timeout(ssl.get());
  bio.EndJoining();
  if (result >= 0) return Step::kWaiting;
  return Classify(-1) == Step::kBroken ? Step::kBroken : Step::kWaiting;
}

Transport::Impl::Step Transport::Impl::ReadRecordData(std::size_t size_hint, Bytes& out) {
  const RandomScope scope = Scope();
  ERR_clear_error();
  out.resize(size_hint);
  bio.BeginJoining();
  const int result = SSL_read(ssl.get(), out.data(), static_cast<int>(out.size()));
  bio.EndJoining();
  if (result <= 0) {
    out.clear();
    return Classify(result);
  }
  out.resize(static_cast<std::size_t>(result));
  // A record that was buffered during the handshake may be larger than the datagram at hand.
  const int rest = SSL_pending(ssl.get());
  if (rest > 0 && out.size() == size_hint) {
    out.resize(size_hint + static_cast<std::size_t>(rest));
    CHECK(SSL_read(ssl.get(), out.data() + size_hint, rest) == rest);
  }
  return Step::kDone;
}

void Transport::Impl::SendCloseNotify() {
  if (ssl == nullptr || SSL_in_init(ssl.get()) != 0) return;
  const RandomScope scope = Scope();
  ERR_clear_error();
  // OpenSSL's return value says only whether the peer's close_notify was seen.
  SSL_shutdown(ssl.get());
  ERR_clear_error();
}

Transport::Impl::Step Transport::Impl::Classify(int result) {
  switch (SSL_get_error(ssl.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Step::kWaiting;
    case SSL_ERROR_ZERO_RETURN:
      return Step::kClosedByPeer;
    default:
      if (broken_reason.empty()) NameError(ERR_peek_error());
      ERR_clear_error();
      return Step::kBroken;
  }
}

void Transport::Impl::NameError(unsigned long error) {
  const int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
  const char* const text = ERR_reason_error_string(error);
  broken_detail = text != nullptr ? text : "without a reason";
  // Received alerts are told as reasons above this offset (SSL_AD_REASON_OFFSET).
  constexpr int kAlertOffset = 1'000;
  constexpr int kLastAlert = kAlertOffset + 255;
  if (reason >= kAlertOffset && reason <= kLastAlert) {
    broken_reason = failure::kAlertReceived;
    broken_detail = SSL_alert_desc_string_long(reason - kAlertOffset);
    return;
  }
  switch (reason) {
    case SSL_R_READ_TIMEOUT_EXPIRED:
      broken_reason = failure::kTimeout;
      break;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      broken_reason = failure::kNoCertificate;
      break;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_VERSION_TOO_LOW:
      broken_reason = failure::kVersionMismatch;
      break;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
      broken_reason = failure::kNoSharedCipher;
      break;
    default:
      broken_reason = failure::kProtocolError;
  }
}

void Transport::Impl::TakeRemoteCertificate() {
  if (!remote_der.empty()) return;
  X509* const x509 = SSL_get0_peer_certificate(ssl.get());
  CHECK(x509 != nullptr);
  unsigned char* der = nullptr;
  const int length = i2d_X509(x509, &der);
  CHECK(length > 0);
  remote_der.assign(der, der + length);
  OPENSSL_free(der);
}

std::optional<SrtpKeys> Transport::Impl::ExportSrtpKeys() {
  const SRTP_PROTECTION_PROFILE* const chosen = SSL_get_selected_srtp_profile(ssl.get());
  if (chosen == nullptr) return std::nullopt;
  const auto profile = SrtpProfileFromId(static_cast<uint16_t>(chosen->id));
  CHECK(profile.has_value());
  Bytes exported(ExportedLength(*profile));
  CHECK(SSL_export_keying_material(ssl.get(), exported.data(), exported.size(),
                                   kExporterLabel.data(), kExporterLabel.size(), nullptr, 0,
                                   0) == 1);
  return SplitExportedKeys(*profile, config.role, exported);
}

std::string Transport::Impl::CipherSuite() const {
  const char* const name = SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl.get()));
  return name != nullptr ? name : "";
}

Transport::Impl* Transport::Impl::From(const SSL* ssl) {
  return static_cast<Impl*>(SSL_get_ex_data(ssl, TransportIndex()));
}

// Called in place of OpenSSL's verification; 0 makes it send the alert that belongs to the error.
int Transport::Impl::OnVerify(X509_STORE_CTX* store, void*) {
  auto* const handle =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Impl& self = *From(handle);
  unsigned char* der = nullptr;
  const int length = i2d_X509(X509_STORE_CTX_get0_cert(store), &der);
  if (length <= 0) return 0;
  self.remote_der.assign(der, der + length);
  OPENSSL_free(der);
  if (self.config.remote_fingerprints.empty() || self.MatchesFingerprints()) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
  }
  self.broken_reason = failure::kFingerprintMismatch;
  const std::string_view algorithm = PreferredAlgorithm(self.config.remote_fingerprints);
  self.broken_detail =
      algorithm.empty()
          ? "no fingerprint with a hash that may be used"
          : "the peer's certificate has " + FingerprintOfDer(self.remote_der, algorithm).ToString();
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);  // the alert bad_certificate
  return 0;
}

// RFC 5764 section 4.1.1: a server that cannot go on without a shared profile answers with an alert.
int Transport::Impl::OnClientHello(SSL* ssl, int* alert, void*) {
  Impl& self = *From(ssl);
  // One that cannot speak DTLS 1.2 at all fails for that reason, a little later.
  const bool too_old = SSL_client_hello_get0_legacy_version(ssl) == DTLS1_VERSION;
  if (too_old || self.config.srtp_profiles.empty() || !self.config.srtp_required) {
    return SSL_CLIENT_HELLO_SUCCESS;
  }
  const unsigned char* data = nullptr;
  std::size_t size = 0;
  const bool offered = SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_use_srtp, &data, &size) == 1;
  if (offered) {
    for (const uint16_t id : ParseUseSrtp({data, size})) {
      const auto profile = SrtpProfileFromId(id);
      if (profile && std::ranges::find(self.config.srtp_profiles, *profile) !=
                         self.config.srtp_profiles.end()) {
        return SSL_CLIENT_HELLO_SUCCESS;
      }
    }
  }
  self.broken_reason = failure::kNoSrtpProfile;
  self.broken_detail = offered ? "the peer offers none of our protection profiles"
                               : "the peer does not offer use_srtp";
  *alert = SSL_AD_HANDSHAKE_FAILURE;
  return SSL_CLIENT_HELLO_ERROR;
}

void Transport::Impl::OnKeyLog(const SSL* ssl, const char* line) {
  Impl& self = *From(ssl);
  if (self.config.key_log) self.events.emplace_back(KeyLogLine{line});
}

}  // namespace rtclab::dtls
