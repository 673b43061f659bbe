#include "conformance/load/load_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "conformance/load/load_run_impl.h"
#include "stack/base/overloaded.h"

namespace rtclab::conformance {
namespace {

constexpr std::size_t kPeerSockets = 8;
constexpr int kPeerBuffer = 4 << 20;
constexpr TimeDelta kTimerInterval = TimeDelta::Millis(50);
constexpr TimeDelta kProgressInterval = TimeDelta::Seconds(1);
// A client that has neither allocation nor refusal by then has failed: 7 transmissions of RFC 8489 section 6.2.1 take 39.5 s.
constexpr TimeDelta kOpeningLimit = TimeDelta::Seconds(45);
// A server that has let nobody in for so long isn't there, whatever RFC 8489's timers still hope for.
constexpr TimeDelta kSilenceLimit = TimeDelta::Seconds(10);
constexpr TimeDelta kBindingLimit = TimeDelta::Seconds(5);
constexpr TimeDelta kReleaseLimit = TimeDelta::Seconds(2);

}  // namespace

LoadRun::Impl::Impl(LoadPlan p, std::function<void(const std::string&)> on_progress)
    : plan(std::move(p)), progress(std::move(on_progress)), rng(plan.seed) {
  magic = rng.NextU64();
  filler.resize(plan.payload_bytes);
  rng.Fill(filler);
  slots.resize(static_cast<std::size_t>(plan.clients));
}

Result<void> LoadRun::Impl::OpenPeers() {
  if (plan.peers != LoadPeers::kLocal) return {};
  auto local = LocalAddressFor(plan.client.server);
  if (!local) return tl::unexpected(local.error());
  for (std::size_t i = 0; i < std::min(kPeerSockets, slots.size()); ++i) {
    auto socket = UdpSocket::Bind(*local);
    if (!socket) return tl::unexpected(socket.error());
    peers.push_back(std::make_unique<UdpSocket>(std::move(*socket)));
    UdpSocket& peer = *peers.back();
    peer.SetBuffers(kPeerBuffer);
    loop.Add(peer.descriptor(), [this, &peer](EventLoop::Ready ready) { ReadPeer(peer, ready); });
  }
  return {};
}

void LoadRun::Impl::StartClient(std::size_t index) {
  Slot& slot = slots[index];
  slot.client = std::make_unique<LoadClient>(plan.client, loop, batch, rng,
                                             [this, index](LoadClient&, turn::ClientEvent&& event) {
                                               HandleEvent(index, std::move(event));
                                             });
  if (auto started = slot.client->Start(); !started) {
    HandleOpenFailure(index, started.error().reason);
  }
}

void LoadRun::Impl::StartClients() {
  while (next_to_open < slots.size() && opening < plan.opening) {
    const std::size_t index = next_to_open++;
    ++opening;
    StartClient(index);
  }
}

void LoadRun::Impl::HandleOpened(std::size_t index) {
  Slot& slot = slots[index];
  if (slot.opened || slot.failed) return;
  slot.opened = true;
  --opening;
  last_opened = RealNow();
  ++report.allocations.made;
  report.allocations.latency.Add(last_opened - slot.client->started());
}

void LoadRun::Impl::HandleOpenFailure(std::size_t index, const std::string& reason) {
  Slot& slot = slots[index];
  if (slot.opened || slot.failed) return;
  slot.failed = true;
  --opening;
  last_opened = RealNow();
  ++report.allocations.failed;
  ++report.allocations.failures[reason];
}

void LoadRun::Impl::HandleEvent(std::size_t index, turn::ClientEvent&& event) {
  Slot& slot = slots[index];
  std::visit(
      Overloaded{
          [&](const turn::Allocated&) {
            HandleOpened(index);
            // Asked for before the end came.
            if (phase >= Phase::kReleasing) slot.client->turn().Close(RealNow());
          },
          [&](const turn::AllocateFailed& e) {
            HandleOpenFailure(index, fmt::format("{} {}", e.code, e.reason));
          },
          [&](const turn::ChannelBound&) { slot.bound = slot.usable = true; },
          [&](const turn::ChannelFailed& e) {
            slot.bound = true;
            ++report.allocations.failures[fmt::format("ChannelBind: {} {}", e.code, e.reason)];
          },
          [&](const turn::DataReceived& e) { HandlePayload(RealNow(), e.payload); },
          [&](const turn::AllocationLost&) { slot.usable = false; },
          [&](const turn::Closed&) { ++report.released; },
          [](const auto&) {},
      },
      std::move(event));
}

void LoadRun::Impl::CheckBroken() {
  for (std::size_t i = 0; i < next_to_open; ++i) {
    const LoadClient& client = *slots[i].client;
    if (!client.broken().empty()) {
      HandleOpenFailure(i, client.broken());
      if (slots[i].opened && phase < Phase::kReleasing && !std::exchange(slots[i].lost, true)) {
        ++report.allocations.failures["connection lost: " + client.broken()];
      }
    }
    const bool late = RealNow() - client.started() > kOpeningLimit;
    if (phase == Phase::kOpening && late) HandleOpenFailure(i, "no answer in time");
  }
}

TransportAddress LoadRun::Impl::PeerOf(std::size_t index) const {
  if (plan.peers == LoadPeers::kLocal) return peers[index % peers.size()]->local();
  const std::size_t other = index ^ 1;
  return other < slots.size() && slots[other].opened ? slots[other].client->relayed()
                                                     : TransportAddress();
}

void LoadRun::Impl::BindChannels(Timestamp now) {
  phase = Phase::kBinding;
  phase_began = now;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Slot& slot = slots[i];
    const TransportAddress peer = slot.opened ? PeerOf(i) : TransportAddress();
    if (peer.IsNone()) {
      slot.bound = true;
      continue;
    }
    slot.client->turn().BindChannel(now, peer);
    slot.client->Drain();
  }
}

void LoadRun::Impl::Release(Timestamp now) {
  phase = Phase::kReleasing;
  phase_began = now;
  for (Slot& slot : slots) {
    if (!slot.client || !slot.client->allocated()) continue;
    slot.client->turn().Close(now);
    slot.client->Drain();
  }
}

void LoadRun::Impl::End(std::string why, bool complete) {
  const Timestamp now = RealNow();
  report.ended = std::move(why);
  report.complete = complete;
  if (phase == Phase::kSending) report.steps.back().elapsed = now - phase_began;
  Release(now);
}

void LoadRun::Impl::RunTimers(Timestamp now) {
  for (Slot& slot : slots) {
    if (slot.client && slot.client->next_timeout() <= now) slot.client->HandleTimeout(now);
  }
  CheckBroken();
}

std::string LoadRun::Impl::ProgressLine(Timestamp now) const {
  if (report.steps.empty()) {
    return fmt::format("{} of {} allocations", report.allocations.made + report.allocations.failed,
                       slots.size());
  }
  const LoadStep& step = report.steps.back();
  const double elapsed = std::max((now - phase_began).seconds(), 0.001);
  return fmt::format("{:.0f} packets/s wanted: {:.0f} sent, {:.0f} received, p99 {:.2f} ms",
                     step.wanted_packets_per_s, static_cast<double>(step.sent) / elapsed,
                     static_cast<double>(step.received) / elapsed,
                     step.latency.Percentile(0.99).millis_f());
}

Timestamp LoadRun::Impl::AfterRound(Timestamp now) {
  if (now >= next_timers) {
    RunTimers(now);
    next_timers = now + kTimerInterval;
  }
  if (progress && now >= next_progress && phase < Phase::kReleasing) {
    progress(ProgressLine(now));
    next_progress = now + kProgressInterval;
  }
  if (phase < Phase::kReleasing && now - began > plan.max_time) End("out of time", false);
  Timestamp next = next_timers;
  switch (phase) {
    case Phase::kOpening:
      StartClients();
      if (report.allocations.made + report.allocations.failed == 0 && now - began > kSilenceLimit) {
        End(fmt::format("no answer in {:g} s: is a TURN server there, and let through?",
                        kSilenceLimit.seconds()),
            false);
        break;
      }
      if (opening > 0 || next_to_open < slots.size()) break;
      report.allocations.elapsed = last_opened - began;
      if (report.allocations.made == 0) {
        End("no allocation succeeded: " + report.allocations.failures.begin()->first, false);
      } else {
        BindChannels(now);
      }
      break;
    case Phase::kBinding: {
      const bool all =
          std::all_of(slots.begin(), slots.end(), [](const Slot& s) { return s.bound; });
      if (!all && now - phase_began < kBindingLimit) break;
      for (std::size_t i = 0; i < slots.size(); ++i) {
        if (slots[i].usable) senders.push_back(i);
      }
      if (senders.empty()) {
        End("no channel could be bound", false);
      } else {
        StartStep(now, plan.packets_per_s);
      }
      break;
    }
    case Phase::kSending:
      SendDue(now);
      next = now + TimeDelta::Millis(1);
      break;
    case Phase::kSettling:
      FinishStep(now);
      break;
    case Phase::kReleasing: {
      const bool all = std::none_of(slots.begin(), slots.end(), [](const Slot& s) {
        if (!s.client || !s.client->broken().empty() || !s.client->turn_started()) return false;
        const turn::Client::State state = s.client->turn().state();
        return state == turn::Client::State::kClosing || state == turn::Client::State::kAllocating;
      });
      if (all || now - phase_began > kReleaseLimit) {
        phase = Phase::kDone;
        loop.Stop();
      }
      break;
    }
    case Phase::kDone:
      break;
  }
  batch.Flush();
  return next;
}

LoadReport LoadRun::Impl::Run() {
  report.plan = plan;
  report.plan.client.password.clear();
  report.allocations.wanted = plan.clients;
  began = phase_began = RealNow();
  if (auto opened = OpenPeers(); !opened) {
    report.ended = opened.error().reason;
    return std::move(report);
  }
  const auto after = [this](Timestamp now) { return AfterRound(now); };
  loop.Run(after);
  if (Interrupted() && phase != Phase::kDone) {
    // What was opened is given back before the process ends.
    ClearInterrupt();
    End("interrupted", false);
    loop.Run(after);
    Interrupt();
  }
  slots.clear();
  return std::move(report);
}

std::optional<LoadReport::NoKnee> LoadReport::no_knee() const {
  if (!plan.ramp || knee()) return std::nullopt;
  return NoKnee{best ? steps[*best].wanted_packets_per_s : 0,
                over_limits ? "all rates were over the limits" : ended};
}

LoadRun::LoadRun(LoadPlan plan, std::function<void(const std::string&)> progress)
    : impl_(std::make_unique<Impl>(std::move(plan), std::move(progress))) {}
LoadRun::~LoadRun() = default;
LoadReport LoadRun::Run() { return impl_->Run(); }

}  // namespace rtclab::conformance
