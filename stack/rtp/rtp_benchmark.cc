// What a packet and a congestion report cost: parsing, building, rewriting, FEC, history.
#include <benchmark/benchmark.h>

#include "stack/rtp/arrival_recorder.h"
#include "stack/rtp/fec_parity.h"
#include "stack/rtp/feedback_matcher.h"
#include "stack/rtp/header_extensions.h"
#include "stack/rtp/packet_history.h"
#include "stack/rtp/rtcp.h"
#include "stack/rtp/rtp_packet.h"
#include "stack/rtp/rtx.h"

namespace rtclab::rtp {
namespace {

constexpr RtpHeader kBenchHeader = {true, 96, 1000, 90000, 0xa1a2a3a4};

// 1,200 bytes with the three extensions of a video packet.
Bytes BuildBenchPacket(ByteView payload, Bytes buffer = {}) {
  PacketBuilder builder(kBenchHeader, std::move(buffer));
  builder.ReserveExtension(2, 3);
  builder.ReserveExtension(3, 2);
  builder.AddExtension(4, AsBytes("0"));
  builder.AppendPayload(payload);
  return builder.Build();
}

void BM_RtpParse(benchmark::State& state) {
  const Bytes packet = BuildBenchPacket(Bytes(1172));
  for (auto _ : state) {
    const auto view = PacketView::Parse(packet);
    benchmark::DoNotOptimize(view->FindExtension(3));
  }
}
BENCHMARK(BM_RtpParse);

void BM_RtpBuild(benchmark::State& state) {
  const Bytes payload(1172);
  Bytes buffer;
  for (auto _ : state) {
    buffer = BuildBenchPacket(payload, std::move(buffer));
    benchmark::DoNotOptimize(buffer.data());
  }
}
BENCHMARK(BM_RtpBuild);

void BM_RtpRewriteExtensions(benchmark::State& state) {
  Bytes packet = BuildBenchPacket(Bytes(1172));
  uint16_t sequence = 0;
  for (auto _ : state) {
    StoreAbsSendTime(MutableExtension(packet, 2), Timestamp::Nanos(sequence * int64_t{1'000'000}));
    StoreTransportSequence(MutableExtension(packet, 3), sequence++);
    benchmark::DoNotOptimize(packet.data());
  }
}
BENCHMARK(BM_RtpRewriteExtensions);

void BM_HistoryStoreAndRtx(benchmark::State& state) {
  Bytes packet = BuildBenchPacket(Bytes(1172));
  PacketHistory history;
  Bytes buffer;
  uint16_t sequence = 0;
  for (auto _ : state) {
    SetSequenceNumber(packet, ++sequence);
    history.Store(Timestamp::Zero(), packet);
    const auto view = PacketView::Parse(*history.Retransmit(Timestamp::Zero(), sequence));
    buffer = WrapRtx(*view, {97, 7}, sequence, std::move(buffer));
    benchmark::DoNotOptimize(buffer.data());
  }
}
BENCHMARK(BM_HistoryStoreAndRtx);

TransportFeedback BenchFeedback() {
  TransportFeedback feedback{1, 2, 100, 0, 1000, {}};
  for (int i = 0; i < 100; ++i)
    feedback.packets.push_back({i % 20 != 7, static_cast<int16_t>(i % 20 == 7 ? 0 : i % 9)});
  return feedback;
}

void BM_TransportFeedbackBuild100(benchmark::State& state) {
  const RtcpMessage message = BenchFeedback();
  Bytes out;
  for (auto _ : state) {
    out.clear();
    AppendRtcp(message, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK(BM_TransportFeedbackBuild100);

void BM_TransportFeedbackParse100(benchmark::State& state) {
  const RtcpMessage message = BenchFeedback();
  const Bytes bytes = BuildRtcp({&message, 1});
  for (auto _ : state) {
    const auto parsed = ParseRtcp(bytes);
    benchmark::DoNotOptimize(parsed->size());
  }
}
BENCHMARK(BM_TransportFeedbackParse100);

// Everything about 100 packets: sent, received, reported, parsed, matched.
void BM_TransportFeedbackRound100(benchmark::State& state) {
  TransportFeedbackRecorder recorder(1);
  TransportFeedbackMatcher matcher;
  Timestamp now;
  for (auto _ : state) {
    for (int i = 0; i < 100; ++i) {
      now += TimeDelta::Millis(1);
      recorder.OnPacket(now, matcher.NextSequence(), 2);
      matcher.OnSent({.sent = now, .size = DataSize::Bytes(1200), .ssrc = 2});
    }
    recorder.HandleTimeout(now + TimeDelta::Millis(100));
    while (const auto feedback = recorder.PollFeedback()) {
      Bytes bytes;
      AppendRtcp(*feedback, bytes);
      const auto parsed = ParseRtcp(bytes);
      benchmark::DoNotOptimize(matcher.Match(now, std::get<TransportFeedback>(parsed->front())));
    }
  }
}
BENCHMARK(BM_TransportFeedbackRound100);

void BM_FecParityAdd(benchmark::State& state) {
  const Bytes packet = BuildBenchPacket(Bytes(1172, 3));
  FecParity parity;
  for (auto _ : state) {
    parity.Add(packet);
    benchmark::DoNotOptimize(parity.payload.data());
  }
}
BENCHMARK(BM_FecParityAdd);

}  // namespace
}  // namespace rtclab::rtp
