// What a feedback message costs each controller, and what a packet costs the pacer.
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "stack/congestion/controller.h"
#include "stack/congestion/feedback_adapter.h"
#include "stack/congestion/pacer.h"

namespace rtclab::congestion {
namespace {

constexpr int kPackets = 100;

// Sends 100 packets of 1,200 bytes over 100 ms (9.6 Mbit/s), then hands in their feedback: adapter and
// controller, OnPacketSent() included.
void BM_Feedback(benchmark::State& state) {
  const auto kind = static_cast<ControllerKind>(state.range(0));
  ControllerConfig config;
  config.limits.max = DataRate::MegabitsPerSec(20);
  const auto controller = MakeController(kind, config);
  state.SetLabel(std::string(controller->name()));
  controller->OnNetworkAvailable(Timestamp::Zero(), true);
  FeedbackAdapter adapter;
  std::vector<PacketReport> reports(kPackets);
  Timestamp now = Timestamp::Seconds(1);
  int64_t id = 0;
  for (auto _ : state) {
    for (auto& report : reports) {
      now += TimeDelta::Millis(1);
      controller->OnPacketSent(
          adapter.OnPacketSent({.id = id, .sent = now, .size = DataSize::Bytes(1200)}));
      // A little jitter and a lost packet in a hundred.
      report = {id, now + TimeDelta::Micros(50'000 + id % 7 * 100), 0};
      if (id % 100 == 50) report.received.reset();
      ++id;
    }
    const Timestamp then = now + TimeDelta::Millis(60);
    controller->OnFeedback(then, adapter.OnFeedback(then, reports));
    if (now >= controller->NextTimeout()) controller->HandleTimeout(now);
    while (auto probe = controller->PollProbe()) benchmark::DoNotOptimize(probe);
    benchmark::DoNotOptimize(controller->output().target);
  }
  state.SetItemsProcessed(state.iterations() * kPackets);
}
BENCHMARK(BM_Feedback)->DenseRange(0, 3);

// One packet in and out; the payload is moved, not copied.
void BM_PacerPacket(benchmark::State& state) {
  Pacer pacer;
  Timestamp now = Timestamp::Seconds(1);
  pacer.SetRates(now, DataRate::MegabitsPerSec(100), DataRate());
  const auto waiting = static_cast<std::size_t>(state.range(0));
  const auto enqueue = [&](Bytes payload) {
    PacedPacket packet;
    packet.size = DataSize::Bytes(1250);  // 100 us
    packet.payload = std::move(payload);
    pacer.Enqueue(now, std::move(packet));
  };
  for (std::size_t i = 0; i < waiting; ++i) enqueue(Bytes(1250));
  Bytes payload(1250);
  for (auto _ : state) {
    enqueue(std::move(payload));
    now = std::max(now, pacer.NextTimeout());
    auto packet = pacer.Poll(now);
    while (!packet) {
      now = pacer.NextTimeout();
      packet = pacer.Poll(now);
    }
    payload = std::move(packet->payload);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_PacerPacket)->Arg(0)->Arg(100);

}  // namespace
}  // namespace rtclab::congestion
