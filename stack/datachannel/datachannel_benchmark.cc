// What channels cost above the association: two managers back to back in memory, no DTLS.
#include <benchmark/benchmark.h>

#include <string>
#include <utility>

#include "stack/base/check.h"
#include "stack/datachannel/test_util.h"

namespace rtclab::datachannel {
namespace {

// A path without delay; time moves a microsecond a round.
class Joined {
 public:
  explicit Joined(bool zero_checksum) : pair_(Config(zero_checksum), Config(zero_checksum)) {
    pair_.Start();
    Exchange();
    CHECK(pair_.a.transport_state() == TransportState::kConnected);
  }

  void Exchange() {
    bool progress = true;
    while (progress) {
      progress = false;
      now_ += TimeDelta::Micros(1);
      while (auto packet = pair_.a.PollTransmit()) {
        pair_.b.HandlePacket(now_, *packet);
        progress = true;
      }
      while (auto packet = pair_.b.PollTransmit()) {
        pair_.a.HandlePacket(now_, *packet);
        progress = true;
      }
      while (auto event = pair_.a.PollEvent()) progress = true;
      while (auto event = pair_.b.PollEvent()) {
        progress = true;
        received_ += std::holds_alternative<MessageReceived>(*event) ? 1 : 0;
      }
    }
  }

  ChannelManager& a() { return pair_.a; }
  ChannelManager& b() { return pair_.b; }
  Timestamp now() const { return now_; }
  void Advance(TimeDelta by) {
    now_ += by;
    a().HandleTimeout(now_);
    b().HandleTimeout(now_);
    Exchange();
  }
  uint64_t received() const { return received_; }

 private:
  static ManagerConfig Config(bool zero_checksum) {
    ManagerConfig config;
    config.max_message_size = 0;
    config.sctp.zero_checksum = zero_checksum;
    return config;
  }

  ManagerPair pair_;
  Timestamp now_ = Timestamp::Seconds(1);
  uint64_t received_ = 0;
};

// Argument: bytes of a message.
void BM_Messages(benchmark::State& state, bool zero_checksum) {
  Joined joined(zero_checksum);
  const ChannelId id = joined.a().Create(joined.now(), {.label = "bulk"}).value();
  joined.Exchange();
  const Bytes message(static_cast<std::size_t>(state.range(0)));
  uint64_t sent = 0;
  for (auto _ : state) {
    for (int i = 0; i < 16; ++i) {
      CHECK(joined.a().Send(joined.now(), id, true, message));
      ++sent;
    }
    joined.Exchange();
    while (joined.received() < sent) joined.Advance(TimeDelta::Millis(200));
  }
  state.SetBytesProcessed(static_cast<int64_t>(sent) * state.range(0));
}
BENCHMARK_CAPTURE(BM_Messages, crc32c, false)->Arg(100)->Arg(16384)->Arg(262144);
BENCHMARK_CAPTURE(BM_Messages, zero_checksum, true)->Arg(16384);

// A channel from Create() to closed at both ends.
void BM_OpenAndClose(benchmark::State& state) {
  Joined joined(false);
  for (auto _ : state) {
    const ChannelId id = joined.a().Create(joined.now(), {.label = "short"}).value();
    joined.Exchange();
    joined.a().Close(joined.now(), id);
    joined.Exchange();
    while (joined.a().state(id) != ChannelState::kClosed) joined.Advance(TimeDelta::Millis(200));
    joined.a().Release(id);
    for (const ChannelId other : joined.b().channels()) {
      if (joined.b().state(other) == ChannelState::kClosed) joined.b().Release(other);
    }
  }
}
BENCHMARK(BM_OpenAndClose);

}  // namespace
}  // namespace rtclab::datachannel
