// The inside of an association, which DtlsListener shares. For this folder only.
#ifndef RTCLAB_CONFORMANCE_SOCKET_SECURE_STREAM_IMPL_H_
#define RTCLAB_CONFORMANCE_SOCKET_SECURE_STREAM_IMPL_H_

#include <openssl/ssl.h>

#include <deque>
#include <string>

#include "conformance/socket/secure_context.h"
#include "stack/crypto/memory_bio.h"

namespace rtclab::conformance {

struct SecureStream::Impl {
  // Of a client when `server_name` is not null.
  Impl(const SecureContext& made_of, const std::string_view* server_name);

  // Feeds `input` and goes as far as it leads.
  void Pump(ByteView input);
  void Fail(std::string why);
  bool is_datagram() const { return context.protocol() == SecureProtocol::kDtls; }

  SecureContext context;
  crypto::MemoryBio bio;
  OwnSsl<SSL> ssl;
  std::string peer_name;  // whom the certificate must name
  State state = State::kHandshaking;
  std::string reason;
  SecureInfo info;
  bool closing = false;       // our close_notify is out
  std::deque<Bytes> waiting;  // to send once the handshake is over
  std::deque<Bytes> received;
  // While a DtlsListener owns it: who has sent the ClientHello, and what cookies are made with.
  TransportAddress hello_from;
  ByteView cookie_secret;

 private:
  void NameThePeer(std::string_view server_name);
  bool ContinueHandshake();
  void ReadAll();
  void FillInfo();
  // Says why OpenSSL gave `result`; returns whether it only wants more input.
  bool HandleFailure(int result);
  std::string HandshakeWords();

  static void OnInfo(const SSL* ssl, int where, int value);
  static void OnMessage(int written, int version, int type, const void* data, std::size_t size,
                        SSL* ssl, void* argument);
  static int OnVerify(int ok, X509_STORE_CTX* store);
  static unsigned OnTimer(SSL* ssl, unsigned previous_us);
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_SECURE_STREAM_IMPL_H_
