#include "stack/dtls/lean_provider.h"

#include <openssl/core_dispatch.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "stack/base/check.h"

namespace rtclab::dtls {
namespace {

OSSL_PROVIDER* full_provider = nullptr;

bool IsOneOf(std::span<const std::string_view> list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

// Certificates are of EC keys, or RSA at the peer; keys are agreed on with EC and X25519.
bool IsWanted(int operation, const OSSL_ALGORITHM& algorithm) {
  static constexpr std::array<std::string_view, 5> kKeys = {"EC", "RSA", "RSA-PSS", "X25519",
                                                            "HMAC"};
  // An algorithm's names are separated by colons, the usual one first.
  const std::string_view names = algorithm.algorithm_names;
  const std::string_view name = names.substr(0, names.find(':'));
  if (operation == OSSL_OP_KEYMGMT) return IsOneOf(kKeys, name);
  // Of encoders and decoders the two structures that certificates and PKCS #8 are made of.
  const std::string_view properties = algorithm.property_definition;
  return IsOneOf(std::span(kKeys).first(3), name) &&
         (properties.ends_with("structure=SubjectPublicKeyInfo") ||
          properties.ends_with("structure=PrivateKeyInfo"));
}

// The wanted ones of an operation, with the entry that ends such a list.
std::vector<OSSL_ALGORITHM> Choose(int operation) {
  int no_cache = 0;
  const OSSL_ALGORITHM* algorithm =
      OSSL_PROVIDER_query_operation(full_provider, operation, &no_cache);
  CHECK(algorithm != nullptr && no_cache == 0);
  std::vector<OSSL_ALGORITHM> chosen;
  for (; algorithm->algorithm_names != nullptr; ++algorithm) {
    if (IsWanted(operation, *algorithm)) chosen.push_back(*algorithm);
  }
  CHECK(!chosen.empty());
  chosen.push_back({nullptr, nullptr, nullptr, nullptr});
  return chosen;
}

const OSSL_ALGORITHM* QueryLeanOperation(void*, int operation, int* no_cache) {
  static const std::vector<OSSL_ALGORITHM> kDecoders = Choose(OSSL_OP_DECODER);
  static const std::vector<OSSL_ALGORITHM> kEncoders = Choose(OSSL_OP_ENCODER);
  static const std::vector<OSSL_ALGORITHM> kKeyTypes = Choose(OSSL_OP_KEYMGMT);
  *no_cache = 0;
  switch (operation) {
    case OSSL_OP_DECODER:
      return kDecoders.data();
    case OSSL_OP_ENCODER:
      return kEncoders.data();
    case OSSL_OP_KEYMGMT:
      return kKeyTypes.data();
    default:
      return OSSL_PROVIDER_query_operation(full_provider, operation, no_cache);
  }
}

int GetLeanCapabilities(void*, const char* capability, OSSL_CALLBACK* callback, void* argument) {
  return OSSL_PROVIDER_get_capabilities(full_provider, capability, callback, argument);
}

}  // namespace

void SetLeanProviderSource(OSSL_PROVIDER* full) {
  CHECK(full != nullptr && full_provider == nullptr);
  full_provider = full;
}

int InitLeanProvider(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** out,
                     void** context) {
  static const OSSL_DISPATCH kFunctions[] = {
      {OSSL_FUNC_PROVIDER_QUERY_OPERATION, reinterpret_cast<void (*)()>(QueryLeanOperation)},
      {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, reinterpret_cast<void (*)()>(GetLeanCapabilities)},
      {0, nullptr}};
  *out = kFunctions;
  // What the algorithms' constructors are given.
  *context = OSSL_PROVIDER_get0_provider_ctx(full_provider);
  return 1;
}

}  // namespace rtclab::dtls
