// What lies behind the values of secure_stream.h: OpenSSL's objects. For this folder only.
#ifndef RTCLAB_CONFORMANCE_SOCKET_SECURE_CONTEXT_H_
#define RTCLAB_CONFORMANCE_SOCKET_SECURE_CONTEXT_H_

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <vector>

#include "conformance/socket/secure_stream.h"

namespace rtclab::conformance {

struct FreeOpenSsl {
  void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
  void operator()(SSL* p) const { SSL_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(BIO* p) const { BIO_free_all(p); }
  void operator()(GENERAL_NAMES* p) const { GENERAL_NAMES_free(p); }
};
template <typename T>
using OwnSsl = std::unique_ptr<T, FreeOpenSsl>;

struct ServerIdentity::Native {
  OwnSsl<X509> certificate;
  std::vector<OwnSsl<X509>> chain;  // above it
  OwnSsl<EVP_PKEY> key;
};

struct SecureContext::Native {
  SecureProtocol protocol = SecureProtocol::kTls;
  bool server = false;
  bool insecure = false;
  TimeDelta retransmit_after;
  Bytes alpn;  // server: what may be selected, each with its length before it
  OwnSsl<SSL_CTX> context;
};

// OpenSSL's words for the first error that it has queued on this thread; empties the queue.
std::string TakeOpenSslError();
// What a report says of a certificate.
SecureInfo::Certificate DescribeCertificate(X509* certificate);
// "X25519", "P-256", "DH 2048", "RSA 2048".
std::string DescribeKey(EVP_PKEY* key);

// Cookies of DTLS servers: what OpenSSL calls back; the state is the SSL's app data. See dtls_listener.cc.
int MakeDtlsCookie(SSL* ssl, unsigned char* cookie, unsigned* size);
int CheckDtlsCookie(SSL* ssl, const unsigned char* cookie, unsigned size);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_SECURE_CONTEXT_H_
