#include "conformance/interop/usrsctp_lab.h"

#include <chrono>
#include <thread>

namespace rtclab::conformance {
namespace {

constexpr TimeDelta kOneWayDelay = TimeDelta::Millis(1);
// The cases begin one after another, so that their handshakes don't wait for each other.
constexpr TimeDelta kBetweenStarts = TimeDelta::Millis(15);
constexpr auto kPause = std::chrono::microseconds(200);

}  // namespace

void LossyPath::Push(Timestamp now, Bytes packet) {
  // As many draws for every packet, so that a fate shifts no other.
  const bool lost = rng_.Bernoulli(loss_);
  const bool late = rng_.Bernoulli(reorder_);
  const auto extra_us = static_cast<int64_t>(rng_.Uniform(500, 4000));
  if (lost || cut) return;
  const TimeDelta delay = late ? kOneWayDelay + TimeDelta::Micros(extra_us) : kOneWayDelay;
  in_flight_.emplace(now + delay, std::move(packet));
}

std::optional<Bytes> LossyPath::Pop(Timestamp now) {
  if (in_flight_.empty() || in_flight_.begin()->first > now) return std::nullopt;
  auto first = in_flight_.extract(in_flight_.begin());
  return std::move(first.mapped());
}

InteropCase::InteropCase(const CaseOptions& options)
    : to_peer_(options.seed, "to/" + options.name, options.loss_percent, options.reorder_percent),
      from_peer_(options.seed, "from/" + options.name, options.loss_percent,
                 options.reorder_percent),
      options_(options),
      peer_(MakePeer()) {}

std::unique_ptr<UsrsctpPeer> InteropCase::MakePeer() {
  return std::make_unique<UsrsctpPeer>(
      options_.usrsctp, [this](Bytes packet) { from_peer_.Push(now_, std::move(packet)); });
}

void InteropCase::ReplacePeer() {
  from_peer_.cut = true;  // its last words
  peer_.reset();
  from_peer_.cut = false;
  peer_ = MakePeer();
}

bool InteropCase::Service(Timestamp now) {
  now_ = now;
  while (auto packet = to_peer_.Pop(now)) peer_->HandlePacket(*packet);
  while (auto packet = from_peer_.Pop(now)) {
    HandleOurPacket(now, *packet);
    ServiceOurs(now);
  }
  peer_->Service();
  ServiceOurs(now);
  while (step_ < steps_.size()) {
    Step& step = steps_[step_];
    if (!acted_ && step.act) step.act(now);
    acted_ = true;
    ServiceOurs(now);
    if (!step.done()) return true;
    ++step_;
    acted_ = false;
    took_ = now - Timestamp::Zero();
  }
  return false;
}

std::string InteropCase::Unfinished() const {
  std::string text;
  if (step_ < steps_.size()) text = "waits for: " + steps_[step_].what + "; " + Describe();
  for (const std::string& error : peer_->errors) text += "; usrsctp: " + error;
  return text;
}

void RunCases(UsrsctpLibrary& library, std::vector<std::unique_ptr<InteropCase>>& cases,
              TimeDelta patience) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  const auto since_start = [&] {
    return TimeDelta::Nanos(
        std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
  };
  int64_t ticked_ms = 0;
  bool busy = true;
  while (busy && since_start() < patience) {
    busy = false;
    TimeDelta begins;
    for (const auto& c : cases) {
      busy |= since_start() < begins || c->Service(Timestamp::Zero() + since_start());
      begins += kBetweenStarts;
    }
    const int64_t elapsed_ms = since_start().millis();
    library.Tick(static_cast<uint32_t>(elapsed_ms - ticked_ms));
    ticked_ms = elapsed_ms;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace rtclab::conformance
