// The ways to an HMAC-SHA1 of a connectivity check, side by side, and what else a check needs.
#include <benchmark/benchmark.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#include "stack/crypto/crc32.h"
#include "stack/crypto/digest.h"

namespace rtclab::crypto {
namespace {

constexpr std::size_t kCheckSize =
    76;  // what MESSAGE-INTEGRITY covers in RFC 5769's sample request

void BM_HmacSha1Kept(benchmark::State& state) {
  const Bytes key(22, 'k');
  const Bytes message(static_cast<std::size_t>(state.range(0)), 'm');
  const HmacSha1 hmac(key);
  for (auto _ : state) benchmark::DoNotOptimize(hmac.Compute(message));
}
BENCHMARK(BM_HmacSha1Kept)->Arg(kCheckSize)->Arg(1200);

void BM_HmacSha256Kept(benchmark::State& state) {
  const Bytes key(22, 'k');
  const Bytes message(static_cast<std::size_t>(state.range(0)), 'm');
  const HmacSha256 hmac(key);
  for (auto _ : state) benchmark::DoNotOptimize(hmac.Compute(message));
}
BENCHMARK(BM_HmacSha256Kept)->Arg(kCheckSize)->Arg(1200);

void BM_HmacSha1EvpReused(benchmark::State& state) {
  const Bytes key(22, 'k');
  const Bytes message(static_cast<std::size_t>(state.range(0)), 'm');
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* context = EVP_MAC_CTX_new(mac);
  char digest[] = "SHA1";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_end()};
  EVP_MAC_init(context, key.data(), key.size(), params);
  std::array<uint8_t, 20> out;
  for (auto _ : state) {
    std::size_t length = 0;
    EVP_MAC_init(context, nullptr, 0, nullptr);
    EVP_MAC_update(context, message.data(), message.size());
    EVP_MAC_final(context, out.data(), &length, out.size());
    benchmark::DoNotOptimize(out);
  }
  EVP_MAC_CTX_free(context);
  EVP_MAC_free(mac);
}
BENCHMARK(BM_HmacSha1EvpReused)->Arg(kCheckSize)->Arg(1200);

void BM_HmacSha1OneShot(benchmark::State& state) {
  const Bytes key(22, 'k');
  const Bytes message(kCheckSize, 'm');
  std::array<uint8_t, 20> out;
  for (auto _ : state) {
    unsigned int length = 0;
    HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), message.data(), message.size(),
         out.data(), &length);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(BM_HmacSha1OneShot);

void BM_Crc32(benchmark::State& state) {
  const Bytes message(static_cast<std::size_t>(state.range(0)), 'm');
  for (auto _ : state) benchmark::DoNotOptimize(Crc32(message));
}
BENCHMARK(BM_Crc32)->Arg(100)->Arg(1200);

}  // namespace
}  // namespace rtclab::crypto
