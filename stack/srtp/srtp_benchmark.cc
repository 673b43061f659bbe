// What protecting and unprotecting a packet of 1,200 bytes costs, by profile.
#include <benchmark/benchmark.h>

#include "stack/base/check.h"
#include "stack/srtp/session.h"

namespace rtclab::srtp {
namespace {

Session MakeBenchmarkSession(int64_t profile, Direction direction) {
  const Bytes key(profile == 8 ? 32 : 16, 0x42), salt(profile == 1 ? 14 : 12, 0x17);
  auto session = Session::Create(static_cast<uint16_t>(profile), key, salt, direction);
  CHECK(session.has_value());
  return std::move(*session);
}

Bytes BenchmarkPacket() {
  Bytes packet(1'200);
  packet.reserve(packet.size() + Session::kMaxOverhead);
  packet[0] = 0x80;
  packet[1] = 96;
  return packet;
}

void Protect(benchmark::State& state) {
  Session sender = MakeBenchmarkSession(state.range(0), Direction::kSend);
  Bytes packet = BenchmarkPacket();
  uint16_t sequence = 0;
  for (auto _ : state) {
    packet.resize(1'200);
    StoreU16(packet.data() + 2, sequence++);
    CHECK(sender.Protect(packet).has_value());
  }
}
BENCHMARK(Protect)->ArgName("profile")->Arg(7)->Arg(8)->Arg(1);

void ProtectAndUnprotect(benchmark::State& state) {
  Session sender = MakeBenchmarkSession(state.range(0), Direction::kSend);
  Session receiver = MakeBenchmarkSession(state.range(0), Direction::kReceive);
  Bytes packet = BenchmarkPacket();
  uint16_t sequence = 0;
  for (auto _ : state) {
    StoreU16(packet.data() + 2, sequence++);
    CHECK(sender.Protect(packet).has_value());
    CHECK(receiver.Unprotect(packet).has_value());
  }
}
BENCHMARK(ProtectAndUnprotect)->ArgName("profile")->Arg(7)->Arg(8)->Arg(1);

void CreateSession(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(MakeBenchmarkSession(state.range(0), Direction::kSend));
  }
}
BENCHMARK(CreateSession)->ArgName("profile")->Arg(7)->Arg(1);

}  // namespace
}  // namespace rtclab::srtp
