// Two associations back to back in memory: what a byte and what an association cost.
#include <benchmark/benchmark.h>

#include <memory>
#include <variant>

#include "stack/base/check.h"
#include "stack/base/rng.h"
#include "stack/sctp/association.h"

namespace rtclab::sctp {
namespace {

AssociationConfig BenchmarkConfig(bool zero_checksum, bool interleaving) {
  AssociationConfig config;
  config.zero_checksum = zero_checksum;
  config.interleaving = interleaving;
  return config;
}

class BackToBack {
 public:
  explicit BackToBack(const AssociationConfig& config)
      : rng_(1), a_(config, rng_), z_(config, rng_) {
    a_.Connect(now_);
    Pass();
    CHECK(a_.state() == State::kEstablished && z_.state() == State::kEstablished);
  }

  void Send(std::size_t size, bool ordered) {
    // The message is the application's to make: filling it is in the figure.
    CHECK(a_.Send(now_, StreamId{0}, 53, Bytes(size, 0x5A), {.ordered = ordered}));
  }
  // Until both are silent. The acknowledgement of the last packet is waited for in virtual time.
  void Pass() {
    for (bool more = true; more;) {
      more = Move(a_, z_);
      more |= Move(z_, a_);
    }
    now_ += TimeDelta::Micros(10);
  }
  void Acknowledge() {
    now_ += TimeDelta::Millis(200);
    z_.HandleTimeout(now_);
    Pass();
  }
  std::size_t received() const { return received_; }
  Association& a() { return a_; }

 private:
  bool Move(Association& from, Association& to) {
    bool moved = false;
    while (auto packet = from.PollTransmit()) {
      to.HandlePacket(now_, *packet);
      moved = true;
    }
    while (auto event = to.PollEvent()) {
      if (const auto* message = std::get_if<MessageReceived>(&*event)) {
        received_ += message->payload.size();
      }
      moved = true;
    }
    return moved;
  }

  Rng rng_;
  Timestamp now_;
  Association a_;
  Association z_;
  std::size_t received_ = 0;
};

void BM_SctpTransfer(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  BackToBack pair(BenchmarkConfig(state.range(1) != 0, state.range(2) != 0));
  std::size_t sent = 0;
  for (auto _ : state) {
    for (int i = 0; i < 8; ++i) {
      pair.Send(size, true);
      sent += size;
    }
    pair.Pass();
  }
  while (pair.received() < sent) pair.Acknowledge();
  state.SetBytesProcessed(static_cast<int64_t>(sent));
}
BENCHMARK(BM_SctpTransfer)
    ->ArgNames({"bytes", "zero_checksum", "interleaving"})
    ->Args({16384, 0, 0})
    ->Args({16384, 1, 0})
    ->Args({16384, 0, 1})
    ->Args({16384, 1, 1})
    ->Args({262144, 1, 0})
    ->Args({100, 1, 0});

void BM_SctpHandshake(benchmark::State& state) {
  for (auto _ : state) {
    BackToBack pair(BenchmarkConfig(true, true));
    benchmark::DoNotOptimize(pair.a().state());
  }
}
BENCHMARK(BM_SctpHandshake);

}  // namespace
}  // namespace rtclab::sctp
