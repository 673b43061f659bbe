// OpenSSL's default provider with fewer encoders, decoders and key types. Whoever decodes a public key or a certificate asks
// every one of a library context whether it could help, which costs several times what the decoding costs, and most are for keys
// that DTLS here never meets.
#ifndef RTCLAB_STACK_DTLS_LEAN_PROVIDER_H_
#define RTCLAB_STACK_DTLS_LEAN_PROVIDER_H_

#include <openssl/core.h>
#include <openssl/provider.h>

namespace rtclab::dtls {

// For OSSL_PROVIDER_add_builtin(): offers what the source does, but only the key types that DTLS needs.
int InitLeanProvider(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** out,
                     void** context);

// `full` has to live as long as the process, in a library context other than the one that loads the lean provider. Its algorithms
// fetch what they need, random bytes too, from there. Call once, before the lean provider is loaded.
void SetLeanProviderSource(OSSL_PROVIDER* full);

}  // namespace rtclab::dtls

#endif  // RTCLAB_STACK_DTLS_LEAN_PROVIDER_H_
