// What a description costs: a Chromium offer (audio, video with simulcast, data; 184 lines, 6.8 KB) read, written and checked.
#include <benchmark/benchmark.h>

#include "stack/sdp/codec.h"
#include "stack/sdp/test_util.h"
#include "stack/sdp/validate.h"

namespace rtclab::sdp {
namespace {

constexpr std::string_view kOffer = "chromium-offer-simulcast";

void BM_Parse(benchmark::State& state) {
  const std::string text = ReadFixture(kOffer);
  for (auto _ : state) {
    auto description = Parse(text);
    CHECK(description.has_value());
    benchmark::DoNotOptimize(description);
  }
  state.SetBytesProcessed(static_cast<int64_t>(text.size()) * state.iterations());
}
BENCHMARK(BM_Parse);

void BM_Serialize(benchmark::State& state) {
  const auto description = Parse(ReadFixture(kOffer));
  int64_t bytes = 0;
  for (auto _ : state) {
    std::string text = Serialize(*description);
    bytes += static_cast<int64_t>(text.size());
    benchmark::DoNotOptimize(text);
  }
  state.SetBytesProcessed(bytes);
}
BENCHMARK(BM_Serialize);

void BM_Validate(benchmark::State& state) {
  const auto description = Parse(ReadFixture(kOffer));
  for (auto _ : state) benchmark::DoNotOptimize(Validate(*description, DescriptionType::kOffer));
}
BENCHMARK(BM_Validate);

void BM_VideoCodecs(benchmark::State& state) {
  const auto description = Parse(ReadFixture(kOffer));
  for (auto _ : state) benchmark::DoNotOptimize(Codecs(description->media[1]));
}
BENCHMARK(BM_VideoCodecs);

}  // namespace
}  // namespace rtclab::sdp
