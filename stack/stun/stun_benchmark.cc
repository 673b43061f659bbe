// What one connectivity check costs the codec. The bar is 450 ns for parse, integrity and fingerprint of RFC 5769's request.
#include <benchmark/benchmark.h>

#include "stack/stun/message.h"
#include "stack/stun/message_builder.h"
#include "stack/stun/test_vectors.h"

namespace rtclab::stun {
namespace {

void BM_Parse(benchmark::State& state) {
  const Bytes bytes = *FromHex(vectors::kRequest);
  for (auto _ : state) {
    auto view = MessageView::Parse(bytes);
    benchmark::DoNotOptimize(view);
  }
}
BENCHMARK(BM_Parse);

void BM_ParseAndVerify(benchmark::State& state) {
  const Bytes bytes = *FromHex(vectors::kRequest);
  const IntegrityKey key = IntegrityKey::ShortTerm(vectors::kShortTermPassword);
  for (auto _ : state) {
    const auto view = MessageView::Parse(bytes);
    if (!view || !view->VerifyIntegrity(key) || !view->VerifyFingerprint()) {
      state.SkipWithError("the vector does not verify");
      break;
    }
    benchmark::DoNotOptimize(view);
  }
}
BENCHMARK(BM_ParseAndVerify);

void BM_Fingerprint(benchmark::State& state) {
  const Bytes bytes = *FromHex(vectors::kRequest);
  const auto view = MessageView::Parse(bytes);
  for (auto _ : state) benchmark::DoNotOptimize(view->VerifyFingerprint());
}
BENCHMARK(BM_Fingerprint);

void BM_ShortTermKey(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(IntegrityKey::ShortTerm(vectors::kShortTermPassword));
  }
}
BENCHMARK(BM_ShortTermKey);

void BM_BuildRequest(benchmark::State& state) {
  const IntegrityKey key = IntegrityKey::ShortTerm(vectors::kShortTermPassword);
  const TransactionId id = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  for (auto _ : state) {
    benchmark::DoNotOptimize(MessageBuilder(MessageClass::kRequest, Method::kBinding, id)
                                 .AddU32(AttributeType::kPriority, 0x6e0001ff)
                                 .AddU64(AttributeType::kIceControlled, 0x932ff9b151263b36)
                                 .AddString(AttributeType::kUsername, "evtj:h6vY")
                                 .AddMessageIntegrity(key)
                                 .AddFingerprint()
                                 .Build());
  }
}
BENCHMARK(BM_BuildRequest);

}  // namespace
}  // namespace rtclab::stun
