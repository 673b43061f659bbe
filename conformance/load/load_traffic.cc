// LoadRun's traffic: paced packets, each with its time and a pattern, counted where they arrive.
#include <algorithm>
#include <cmath>

#include "conformance/load/load_run_impl.h"
#include "conformance/load/process_cpu.h"

namespace rtclab::conformance {
namespace {

// A payload: 8 bytes of the run's number, 8 of the step, 8 of the time of sending in nanoseconds, then a pattern.
constexpr std::size_t kLoadHeader = 24;
// Packets made in one round: with more the sockets are not read in between.
constexpr uint64_t kBurst = 256;
// How long after the last packet of a step its stragglers are waited for.
constexpr TimeDelta kSettle = TimeDelta::Millis(300);
// A step that sent less than this part of what was wanted says nothing about the server.
constexpr double kBehind = 0.95;

}  // namespace

Bytes LoadRun::Impl::MakePayload(Timestamp now) {
  Bytes payload = filler;
  StoreU64(payload.data(), magic);
  StoreU64(payload.data() + 8, report.steps.size());
  StoreU64(payload.data() + 16, static_cast<uint64_t>(now.nanos()));
  return payload;
}

void LoadRun::Impl::HandlePayload(Timestamp now, ByteView payload) {
  if (payload.size() < kLoadHeader || LoadU64(payload.data()) != magic) {
    if (!report.steps.empty()) ++report.steps.back().foreign;
    return;
  }
  const uint64_t number = LoadU64(payload.data() + 8);
  if (number == 0 || number > report.steps.size()) return;
  LoadStep& step = report.steps[number - 1];
  const bool same =
      payload.size() == filler.size() &&
      std::equal(payload.begin() + kLoadHeader, payload.end(), filler.begin() + kLoadHeader);
  if (!same) {
    ++step.foreign;
    return;
  }
  ++step.received;
  step.latency.Add(now - Timestamp::Nanos(static_cast<int64_t>(LoadU64(payload.data() + 16))));
}

void LoadRun::Impl::ReadPeer(UdpSocket& socket, EventLoop::Ready ready) {
  while (ready.broken && socket.ReceiveIcmp()) continue;  // or it stays ready
  const std::size_t count = received.Receive(socket);
  const Timestamp now = RealNow();
  for (std::size_t i = 0; i < count; ++i) HandlePayload(now, received.datagram(i).payload);
}

void LoadRun::Impl::StartStep(Timestamp now, double packets_per_s) {
  LoadStep step;
  step.wanted_packets_per_s = packets_per_s;
  step.payload_bytes = plan.payload_bytes;
  report.steps.push_back(step);
  if (plan.server_pid != 0) cpu_before = ProcessCpu(plan.server_pid);
  phase = Phase::kSending;
  phase_began = now;
}

void LoadRun::Impl::SendOne(Timestamp now, std::size_t index, bool to_peer) {
  LoadStep& step = report.steps.back();
  LoadClient& client = *slots[index].client;
  if (to_peer) {
    if (!client.turn().Send(now, PeerOf(index), MakePayload(now))) return;
    client.Drain();
  } else {
    batch.Add(*peers[index % peers.size()], client.relayed(), MakePayload(now));
  }
  ++step.sent;
  ++total_sent;
}

void LoadRun::Impl::SendDue(Timestamp now) {
  LoadStep& step = report.steps.back();
  const TimeDelta elapsed = now - phase_began;
  const bool relay = plan.peers == LoadPeers::kRelay;
  const int directions = relay ? 1 : plan.to_peer + plan.to_client;
  const auto due = static_cast<uint64_t>(elapsed.seconds() * step.wanted_packets_per_s) *
                   static_cast<uint64_t>(directions);
  for (uint64_t burst = 0; step.sent < due && burst < kBurst; ++burst) {
    const std::size_t index = senders[next_sender++ % senders.size()];
    const uint64_t before = step.sent;
    if (relay || plan.to_peer) SendOne(now, index, true);
    if (!relay && plan.to_client) SendOne(now, index, false);
    if (step.sent == before) break;  // this client can't send any more
  }
  if (elapsed < plan.step && total_sent < plan.max_packets) return;
  step.elapsed = elapsed;
  const double wanted = step.wanted_packets_per_s * directions * elapsed.seconds();
  step.behind = static_cast<double>(step.sent) + 1 < wanted * kBehind;
  phase = Phase::kSettling;
  phase_began = now;
}

void LoadRun::Impl::FinishStep(Timestamp now) {
  LoadStep& step = report.steps.back();
  if (step.received < step.sent && now - phase_began < kSettle) return;
  const auto cpu = cpu_before ? ProcessCpu(plan.server_pid) : std::nullopt;
  if (cpu) step.server_cpu = *cpu - *cpu_before;
  if (total_sent >= plan.max_packets) return End("as many packets as allowed were sent", false);
  if (!plan.ramp) return End("done", true);
  NextStep(now);
}

void LoadRun::Impl::NextStep(Timestamp now) {
  const auto rate = search.Next(report.steps.back());
  report.best = search.best();
  report.over_limits = search.over_limits();
  if (!rate) return End(search.why(), true);
  StartStep(now, *rate);
}

}  // namespace rtclab::conformance
