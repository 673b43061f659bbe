// OpenSSL, set up so that nothing it does depends on the machine: a library context of our own whose random source is what the
// current scope says, and one SSL_CTX that every transport shares. For this room only.
#ifndef RTCLAB_STACK_DTLS_LIBRARY_CONTEXT_H_
#define RTCLAB_STACK_DTLS_LIBRARY_CONTEXT_H_

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

#include "stack/base/rng.h"
#include "stack/dtls/certificate.h"

namespace rtclab::dtls {

// Deletes OpenSSL's objects.
struct OpenSslDelete {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(SSL* p) const { SSL_free(p); }
};
template <typename T>
using OpenSslPtr = std::unique_ptr<T, OpenSslDelete>;

struct Certificate::Native {
  OpenSslPtr<EVP_PKEY> key;
  OpenSslPtr<X509> x509;
  Bytes der;
};

// While one lives, OpenSSL (on this thread, in our library context) takes its random bytes from `rng`, or from the system when that
// is null. Scopes nest. Outside of every scope the context has no randomness and what asks for it fails.
class RandomScope {
 public:
  explicit RandomScope(Rng* rng);
  ~RandomScope();
  RandomScope(const RandomScope&) = delete;
  RandomScope& operator=(const RandomScope&) = delete;

 private:
  struct Source {
    bool set = false;
    Rng* rng = nullptr;
  };
  friend bool FillFromScope(unsigned char* out, std::size_t size);
  static thread_local Source current_;
  Source previous_;
};

// Random bytes from the current scope; false outside of every scope.
bool FillFromScope(unsigned char* out, std::size_t size);

// The context with OpenSSL's default algorithms and our random generator. Made once, never freed.
OSSL_LIB_CTX* LibraryContext();
// DTLS 1.2 only, no tickets, no session cache, no renegotiation. Made once, never freed. Its callbacks find the transport that an SSL
// belongs to by TransportIndex().
SSL_CTX* SharedSslContext();
int TransportIndex();

}  // namespace rtclab::dtls

#endif  // RTCLAB_STACK_DTLS_LIBRARY_CONTEXT_H_
