// A minute of a two-way call, audio and video, between two engines in memory: what it costs in CPU
// time, and how many times faster than real time that is.
#include <benchmark/benchmark.h>

#include "stack/media/test_util.h"

namespace rtclab::media {
namespace {

using testing::AudioStream;
using testing::Kbps;
using testing::Pair;
using testing::ReceiverOf;
using testing::VideoStream;

void BM_Minute(benchmark::State& state) {
  const double loss = static_cast<double>(state.range(0)) / 100;
  int64_t packets = 0;
  int64_t steps = 0;
  int64_t frames = 0;
  for (auto _ : state) {
    EngineConfig config = testing::CallEngine();
    config.congestion.limits = {Kbps(100), Kbps(2500), Kbps(2700)};
    testing::PipeConfig pipe;
    pipe.loss = loss;
    Pair pair(config, config, pipe, pipe);
    pair.a.SetReceiveStreams(pair.now, {ReceiverOf(AudioStream(0)), ReceiverOf(VideoStream(0))});
    pair.b.SetReceiveStreams(pair.now, {ReceiverOf(AudioStream(0)), ReceiverOf(VideoStream(0))});
    pair.a.SetSendStreams(pair.now, {AudioStream(100), VideoStream(200)});
    pair.b.SetSendStreams(pair.now, {AudioStream(300), VideoStream(400)});
    pair.Connect();
    pair.RunFor(TimeDelta::Seconds(60));
    packets += pair.ab.packets + pair.ba.packets;
    steps += pair.steps;
    for (const auto& in : pair.b.stats(pair.now).inbound_rtp) frames += in.frames_rendered;
  }
  state.counters["packets"] =
      benchmark::Counter(static_cast<double>(packets), benchmark::Counter::kAvgIterations);
  state.counters["steps"] =
      benchmark::Counter(static_cast<double>(steps), benchmark::Counter::kAvgIterations);
  state.counters["frames"] =
      benchmark::Counter(static_cast<double>(frames), benchmark::Counter::kAvgIterations);
  state.counters["packet_cost"] = benchmark::Counter(
      static_cast<double>(packets), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["times_real_time"] =
      benchmark::Counter(60, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(BM_Minute)->Arg(0)->Arg(5)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rtclab::media
