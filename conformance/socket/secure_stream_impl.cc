#include "conformance/socket/secure_stream_impl.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <utility>

#include "stack/base/check.h"

namespace rtclab::conformance {
namespace {

constexpr int kDefaultMtu = 1'200;
// RFC 6347 section 4.2.4.1: no wait of more than a minute.
constexpr unsigned kLongestWaitUs = 60'000'000;
// RFC 6347 section 4.2.2.
constexpr uint8_t kHelloVerifyRequest = 3;

SecureStream::Impl& OwnerOf(const SSL* ssl) {
  return *static_cast<SecureStream::Impl*>(SSL_get_app_data(ssl));
}

std::string Joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += ", ";
    out += part;
  }
  return out.empty() ? "nobody" : out;
}

}  // namespace

SecureStream::Impl::Impl(const SecureContext& made_of, const std::string_view* server_name)
    : context(made_of),
      bio(made_of.protocol() == SecureProtocol::kDtls ? crypto::MemoryBio::Kind::kDatagrams
                                                      : crypto::MemoryBio::Kind::kStream,
          kDefaultMtu) {
  CHECK((server_name == nullptr) == context.is_server());
  ssl.reset(SSL_new(context.native().context.get()));
  CHECK(ssl != nullptr);
  SSL_set_app_data(ssl.get(), this);
  BIO* const network = bio.MakeBio();
  SSL_set_bio(ssl.get(), network, network);
  SSL_set_info_callback(ssl.get(), OnInfo);
  if (is_datagram()) {
    SSL_set_options(ssl.get(), SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(ssl.get(), kDefaultMtu);
    DTLS_set_timer_cb(ssl.get(), OnTimer);
  }
  if (server_name == nullptr) {
    SSL_set_accept_state(ssl.get());
    return;
  }
  SSL_set_connect_state(ssl.get());
  SSL_set_verify(ssl.get(), SSL_VERIFY_PEER, OnVerify);
  SSL_set_msg_callback(ssl.get(), OnMessage);
  NameThePeer(*server_name);
}

void SecureStream::Impl::NameThePeer(std::string_view server_name) {
  peer_name = server_name;
  if (peer_name.empty()) return;
  X509_VERIFY_PARAM* const verify = SSL_get0_param(ssl.get());
  if (IpAddress::Parse(peer_name)) {
    CHECK(X509_VERIFY_PARAM_set1_ip_asc(verify, peer_name.c_str()) == 1);
    return;
  }
  // RFC 6125 section 6.4.3: a wildcard is a whole label.
  X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_host(verify, peer_name.data(), peer_name.size()) != 1 ||
      SSL_set_tlsext_host_name(ssl.get(), peer_name.c_str()) != 1) {
    Fail("\"" + peer_name + "\" cannot be a server's name");
  }
}

void SecureStream::Impl::OnInfo(const SSL* ssl, int where, int value) {
  if ((where & SSL_CB_READ_ALERT) != SSL_CB_READ_ALERT) return;
  const int level = value >> 8;
  const int description = value & 0xFF;
  if (level == SSL3_AL_FATAL || description == SSL_AD_CLOSE_NOTIFY) {
    OwnerOf(ssl).info.alert = static_cast<uint8_t>(description);
  }
}

void SecureStream::Impl::OnMessage(int written, int, int type, const void* data, std::size_t size,
                                   SSL* ssl, void*) {
  if (written == 0 && type == SSL3_RT_HANDSHAKE && size > 0 && SSL_is_dtls(ssl) &&
      *static_cast<const uint8_t*>(data) == kHelloVerifyRequest) {
    OwnerOf(ssl).info.hello_verify_request = true;
  }
}

// Called for each certificate of the chain and for each thing that is wrong: all of them are told, and `insecure` goes on.
int SecureStream::Impl::OnVerify(int ok, X509_STORE_CTX* store) {
  auto* const ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Impl& self = OwnerOf(ssl);
  X509* const leaf = X509_STORE_CTX_get0_cert(store);
  if (!self.info.peer && leaf != nullptr) self.info.peer = DescribeCertificate(leaf);
  if (ok == 1) return 1;
  const int error = X509_STORE_CTX_get_error(store);
  std::string words;
  if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    words =
        "the certificate is not for " + self.peer_name + ", it names " +
        (self.info.peer->names.empty() ? self.info.peer->subject : Joined(self.info.peer->names));
  } else {
    words = X509_verify_cert_error_string(error);
  }
  std::string& told = self.info.verify_error;
  if (told.find(words) == std::string::npos) told += (told.empty() ? "" : "; ") + words;
  return self.context.native().insecure ? 1 : 0;
}

unsigned SecureStream::Impl::OnTimer(SSL* ssl, unsigned previous_us) {
  const auto first = static_cast<unsigned>(OwnerOf(ssl).context.native().retransmit_after.micros());
  return previous_us == 0 ? first : std::min(previous_us * 2, kLongestWaitUs);
}

void SecureStream::Impl::Fail(std::string why) {
  state = State::kFailed;
  reason = std::move(why);
  waiting.clear();
}

std::string SecureStream::Impl::HandshakeWords() {
  const int code = ERR_GET_REASON(ERR_peek_error());
  const std::string protocol(ToString(context.protocol()));
  std::string words = TakeOpenSslError();
  if (info.alert) {
    return std::string("alert received: ") + SSL_alert_desc_string_long(*info.alert);
  }
  if (code == SSL_R_CERTIFICATE_VERIFY_FAILED && !info.verify_error.empty()) {
    return info.verify_error;
  }
  if (code == SSL_R_READ_TIMEOUT_EXPIRED) return "no answer to the handshake";
  const bool garbage = code == SSL_R_WRONG_VERSION_NUMBER || code == SSL_R_HTTP_REQUEST ||
                       code == SSL_R_HTTPS_PROXY_REQUEST || code == SSL_R_BAD_RECORD_TYPE ||
                       code == SSL_R_PACKET_LENGTH_TOO_LONG;
  return garbage && state == State::kHandshaking ? "no " + protocol + ": " + words : words;
}

bool SecureStream::Impl::HandleFailure(int result) {
  switch (SSL_get_error(ssl.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return true;
    case SSL_ERROR_ZERO_RETURN:
      if (state == State::kHandshaking) {
        Fail("close_notify during the handshake");
      } else {
        state = State::kClosed;
        reason = closing ? "closed here" : "close_notify";
        if (!std::exchange(closing, true)) SSL_shutdown(ssl.get());
      }
      return false;
    default:
      Fail(HandshakeWords());
      return false;
  }
}

bool SecureStream::Impl::ContinueHandshake() {
  const int result = SSL_do_handshake(ssl.get());
  if (result != 1) {
    HandleFailure(result);
    return false;
  }
  state = State::kOpen;
  FillInfo();
  for (const Bytes& bytes : std::exchange(waiting, {})) {
    SSL_write(ssl.get(), bytes.data(), static_cast<int>(bytes.size()));
  }
  return true;
}

void SecureStream::Impl::FillInfo() {
  info.version = SSL_get_version(ssl.get());
  if (const SSL_CIPHER* const cipher = SSL_get_current_cipher(ssl.get())) {
    const char* const name = SSL_CIPHER_standard_name(cipher);
    info.cipher = name != nullptr ? name : SSL_CIPHER_get_name(cipher);
  }
  EVP_PKEY* key = nullptr;
  if (SSL_get_peer_tmp_key(ssl.get(), &key) == 1) {
    info.key_exchange = DescribeKey(key);
    EVP_PKEY_free(key);
  }
  if (const COMP_METHOD* const compression = SSL_get_current_compression(ssl.get())) {
    info.compression = SSL_COMP_get_name(compression);
  }
  const unsigned char* alpn = nullptr;
  unsigned alpn_size = 0;
  SSL_get0_alpn_selected(ssl.get(), &alpn, &alpn_size);
  info.alpn = AsString({alpn, alpn_size});
}

void SecureStream::Impl::ReadAll() {
  std::array<uint8_t, SSL3_RT_MAX_PLAIN_LENGTH> buffer;
  for (;;) {
    const int size = SSL_read(ssl.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (size <= 0) {
      HandleFailure(size);
      return;
    }
    received.emplace_back(buffer.begin(), buffer.begin() + size);
  }
}

void SecureStream::Impl::Pump(ByteView input) {
  ERR_clear_error();
  bio.SetInput(input);
  if (state == State::kOpen || (state == State::kHandshaking && ContinueHandshake())) ReadAll();
  bio.ClearInput();
}

}  // namespace rtclab::conformance
