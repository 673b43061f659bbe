#include "stack/dtls/library_context.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include "stack/base/check.h"
#include "stack/dtls/lean_provider.h"
#include "stack/dtls/transport_impl.h"

namespace rtclab::dtls {
namespace {

constexpr const char* kGeneratorName = "RTCLAB-RANDOM";
constexpr const char* kProviderName = "rtclab-random";
constexpr const char* kLeanProviderName = "rtclab-lean";
// The largest request at once; OpenSSL cuts larger ones up.
constexpr std::size_t kMaxRequest = 65'536;
constexpr unsigned kStrengthBits = 256;

// A random generator as OpenSSL's providers offer them (provider-rand(7)). It has no state of its own.
struct Generator {
  int state = EVP_RAND_STATE_UNINITIALISED;
};

void* NewGenerator(void*, void*, const OSSL_DISPATCH*) { return new Generator; }
void FreeGenerator(void* generator) { delete static_cast<Generator*>(generator); }
int Instantiate(void* generator, unsigned, int, const unsigned char*, std::size_t,
                const OSSL_PARAM*) {
  static_cast<Generator*>(generator)->state = EVP_RAND_STATE_READY;
  return 1;
}
int Uninstantiate(void* generator) {
  static_cast<Generator*>(generator)->state = EVP_RAND_STATE_UNINITIALISED;
  return 1;
}
int Generate(void*, unsigned char* out, std::size_t size, unsigned, int, const unsigned char*,
             std::size_t) {
  return FillFromScope(out, size) ? 1 : 0;
}
int EnableLocking(void*) { return 1; }
int Lock(void*) { return 1; }
void Unlock(void*) {}

int GetGeneratorParameters(void* generator, OSSL_PARAM parameters[]) {
  if (OSSL_PARAM* p = OSSL_PARAM_locate(parameters, OSSL_RAND_PARAM_STATE)) {
    if (OSSL_PARAM_set_int(p, static_cast<Generator*>(generator)->state) == 0) return 0;
  }
  if (OSSL_PARAM* p = OSSL_PARAM_locate(parameters, OSSL_RAND_PARAM_STRENGTH)) {
    if (OSSL_PARAM_set_uint(p, kStrengthBits) == 0) return 0;
  }
  if (OSSL_PARAM* p = OSSL_PARAM_locate(parameters, OSSL_RAND_PARAM_MAX_REQUEST)) {
    if (OSSL_PARAM_set_size_t(p, kMaxRequest) == 0) return 0;
  }
  return 1;
}

template <typename F>
OSSL_DISPATCH Dispatch(int id, F* function) {
  return {id, reinterpret_cast<void (*)()>(function)};
}

const OSSL_ALGORITHM* QueryOperation(void*, int operation, int* no_cache) {
  static const OSSL_DISPATCH kFunctions[] = {
      Dispatch(OSSL_FUNC_RAND_NEWCTX, NewGenerator),
      Dispatch(OSSL_FUNC_RAND_FREECTX, FreeGenerator),
      Dispatch(OSSL_FUNC_RAND_INSTANTIATE, Instantiate),
      Dispatch(OSSL_FUNC_RAND_UNINSTANTIATE, Uninstantiate),
      Dispatch(OSSL_FUNC_RAND_GENERATE, Generate),
      Dispatch(OSSL_FUNC_RAND_ENABLE_LOCKING, EnableLocking),
      Dispatch(OSSL_FUNC_RAND_LOCK, Lock),
      Dispatch(OSSL_FUNC_RAND_UNLOCK, Unlock),
      Dispatch(OSSL_FUNC_RAND_GET_CTX_PARAMS, GetGeneratorParameters),
      {0, nullptr}};
  static const OSSL_ALGORITHM kAlgorithms[] = {
      {kGeneratorName, "provider=rtclab-random", kFunctions, "the current scope's randomness"},
      {nullptr, nullptr, nullptr, nullptr}};
  *no_cache = 0;
  return operation == OSSL_OP_RAND ? kAlgorithms : nullptr;
}

int InitProvider(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** out,
                 void** context) {
  static const OSSL_DISPATCH kProvider[] = {
      Dispatch(OSSL_FUNC_PROVIDER_QUERY_OPERATION, QueryOperation), {0, nullptr}};
  static char unused = 0;
  *out = kProvider;
  *context = &unused;
  return 1;
}

// A context with no algorithms yet and our random generator.
OSSL_LIB_CTX* MakeBareContext() {
  OSSL_LIB_CTX* const context = OSSL_LIB_CTX_new();
  CHECK(context != nullptr);
  CHECK(OSSL_PROVIDER_add_builtin(context, kProviderName, InitProvider) == 1);
  CHECK(OSSL_PROVIDER_load(context, kProviderName) != nullptr);
  CHECK(RAND_set_DRBG_type(context, kGeneratorName, nullptr, nullptr, nullptr) == 1);
  return context;
}

OSSL_LIB_CTX* MakeLibraryContext() {
  SetLeanProviderSource(OSSL_PROVIDER_load(MakeBareContext(), "default"));
  OSSL_LIB_CTX* const context = MakeBareContext();
  CHECK(OSSL_PROVIDER_add_builtin(context, kLeanProviderName, InitLeanProvider) == 1);
  CHECK(OSSL_PROVIDER_load(context, kLeanProviderName) != nullptr);
  return context;
}

// DatagramBio writes into OpenSSL's retransmission timer. From 3.2 on OpenSSL hands out a copy of it.
constexpr unsigned long kFirstVersionWithoutTimerAccess = 0x30200000;
static_assert(OPENSSL_VERSION_NUMBER < kFirstVersionWithoutTimerAccess,
              "stack/dtls needs OpenSSL 3.0 or 3.1: see its README");

SSL_CTX* MakeSslContext() {
  CHECK(OpenSSL_version_num() < kFirstVersionWithoutTimerAccess);
  // Its ticket keys are never used, but it wants random bytes for them.
  Rng rng(0, "dtls/unused-ticket-keys");
  const RandomScope scope(&rng);
  SSL_CTX* const context = SSL_CTX_new_ex(LibraryContext(), nullptr, DTLS_method());
  CHECK(context != nullptr);
  // All that a system's openssl.cnf could have changed is said again.
  SSL_CTX_clear_options(context, SSL_CTX_get_options(context));
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_NO_COMPRESSION | SSL_OP_NO_ENCRYPT_THEN_MAC |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_security_level(context, 2);
  CHECK(SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1);
  CHECK(SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) == 1);
  // RFC 8827 section 6.5: forward secrecy and AEAD, with TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 and P-256 mandatory.
  CHECK(SSL_CTX_set_cipher_list(context,
                                "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305") == 1);
  CHECK(SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1);
  CHECK(SSL_CTX_set1_sigalgs_list(
            context,
            "ECDSA+SHA256:rsa_pss_rsae_sha256:RSA+SHA256:ECDSA+SHA384:rsa_pss_rsae_sha384:"
            "RSA+SHA384:ECDSA+SHA512:rsa_pss_rsae_sha512:RSA+SHA512") == 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  // In place of OpenSSL's chain building and its clock: the fingerprint is all that counts.
  SSL_CTX_set_cert_verify_callback(context, Transport::Impl::OnVerify, nullptr);
  SSL_CTX_set_client_hello_cb(context, Transport::Impl::OnClientHello, nullptr);
  SSL_CTX_set_keylog_callback(context, Transport::Impl::OnKeyLog);
  return context;
}

}  // namespace

thread_local RandomScope::Source RandomScope::current_;

RandomScope::RandomScope(Rng* rng) : previous_(current_) { current_ = {true, rng}; }
RandomScope::~RandomScope() { current_ = previous_; }

bool FillFromScope(unsigned char* out, std::size_t size) {
  const auto& source = RandomScope::current_;
  if (!source.set) return false;
  if (source.rng == nullptr) return RAND_bytes(out, static_cast<int>(size)) == 1;
  source.rng->Fill({out, size});
  return true;
}

OSSL_LIB_CTX* LibraryContext() {
  static OSSL_LIB_CTX* const context = MakeLibraryContext();
  return context;
}

SSL_CTX* SharedSslContext() {
  static SSL_CTX* const context = MakeSslContext();
  return context;
}

int TransportIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace rtclab::dtls
