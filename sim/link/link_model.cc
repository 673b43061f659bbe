#include "sim/link/link_model.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "sim/link/link_rules.h"
#include "stack/base/check.h"

namespace rtclab::sim {

struct LinkModel::Impairments {
  Impairments(uint64_t seed, const std::string& path)
      : loss(seed, path + "/loss"),
        burst(seed, path + "/burst-loss"),
        jitter(seed, path + "/jitter"),
        copy_jitter(seed, path + "/copy-jitter"),
        duplication(seed, path + "/duplication"),
        corruption(seed, path + "/corruption") {}

  Rng loss, burst, jitter, copy_jitter, duplication, corruption;
  bool bad_state = false;
};

LinkModel::LinkModel(const LinkBehaviour& behaviour, uint64_t root_seed, std::string_view name)
    : behaviour_(behaviour), root_seed_(root_seed), stream_("link/" + std::string(name)) {
  const bool impaired = behaviour.jitter > TimeDelta::Zero() || behaviour.loss > 0 ||
                        behaviour.burst_loss || behaviour.duplication > 0 ||
                        behaviour.corruption > 0;
  ideal_ = behaviour.rate.IsInfinite() && behaviour.delay == TimeDelta::Zero() && !impaired;
  if (impaired) {
    impairments_ = std::make_unique<Impairments>(root_seed_, stream_);
  }
}

LinkModel::~LinkModel() = default;
LinkModel::LinkModel(LinkModel&&) noexcept = default;
LinkModel& LinkModel::operator=(LinkModel&&) noexcept = default;

std::size_t LinkModel::Waiting(Timestamp now) {
  while (!starts_.empty() && starts_.front() <= now) starts_.pop_front();
  return starts_.size();
}

TimeDelta LinkModel::TransmissionTime(std::size_t bytes) const {
  return behaviour_.rate.TransmissionTime(DataSize::Bytes(static_cast<int64_t>(bytes)));
}

void LinkModel::Change(const LinkChange& change) {
  if (change.rate) {
    CHECK(!change.rate->IsInfinite() && !behaviour_.rate.IsInfinite());
    behaviour_.rate = *change.rate;
  }
  if (change.delay) behaviour_.delay = *change.delay;
  if (change.loss) behaviour_.loss = *change.loss;
  if (behaviour_.loss > 0 && !impairments_) {
    impairments_ = std::make_unique<Impairments>(root_seed_, stream_);
  }
  ideal_ = false;
}

bool LinkModel::QueueIsFull(Timestamp now, Timestamp start, std::size_t bytes) {
  if (Waiting(now) >= static_cast<std::size_t>(behaviour_.queue_packets)) return true;
  if (behaviour_.queue_bytes == 0) return false;
  // What is left to be sent before `start`, the packet in transmission included, in bytes.
  const double left =
      static_cast<double>((start - now).nanos()) * static_cast<double>(behaviour_.rate.bps()) / 8e9;
  return left + static_cast<double>(bytes) > static_cast<double>(behaviour_.queue_bytes);
}

LinkFate LinkModel::Send(Timestamp now, std::size_t bytes) {
  if (behaviour_.rate.IsInfinite()) return Propagate(now, bytes);
  const Timestamp start = std::max(now, busy_until_);
  if (start > now) {
    if (QueueIsFull(now, start, bytes)) {
      return {.rule = link_rule::kQueueFull, .arrival = {}, .duplicate = {}, .flipped_bit = {}};
    }
    starts_.push_back(start);
  } else if (now > busy_until_) {
    carry_ = 0;  // the transmitter was idle
  }
  // Back to back, fractions of a nanosecond add up instead of being lost packet by packet.
  const int64_t work = static_cast<int64_t>(bytes) * 8 * 1'000'000'000 + carry_;
  const int64_t rate = behaviour_.rate.bps();
  carry_ = work % rate;
  busy_until_ = start + TimeDelta::Nanos(work / rate);
  return Propagate(busy_until_, bytes);
}

TimeDelta LinkModel::DrawJitter(Rng& random) const {
  if (behaviour_.jitter == TimeDelta::Zero()) return TimeDelta::Zero();
  const double extra = std::abs(random.Normal()) * static_cast<double>(behaviour_.jitter.nanos());
  return TimeDelta::Nanos(std::llround(extra));
}

Timestamp LinkModel::Arrival(Timestamp sent, TimeDelta jitter) {
  Timestamp arrival = sent + behaviour_.delay + jitter;
  if (!behaviour_.reorder) arrival = last_arrival_ = std::max(arrival, last_arrival_);
  return arrival;
}

// Every stream is drawn from once a packet where it is used at all, so that one impairment's
// outcome does not shift another's.
LinkFate LinkModel::Propagate(Timestamp sent, std::size_t bytes) {
  LinkFate fate;
  if (!impairments_) {
    fate.arrival = Arrival(sent, TimeDelta::Zero());
    return fate;
  }
  Impairments& random = *impairments_;
  if (behaviour_.burst_loss) {
    const GilbertElliott& chain = *behaviour_.burst_loss;
    const bool flips =
        random.burst.Bernoulli(random.bad_state ? chain.p_bad_to_good : chain.p_good_to_bad);
    if (flips) random.bad_state = !random.bad_state;
    if (random.burst.Bernoulli(random.bad_state ? chain.loss_bad : chain.loss_good)) {
      fate.rule = link_rule::kBurstLoss;
    }
  }
  if (behaviour_.loss > 0 && random.loss.Bernoulli(behaviour_.loss) && fate.rule == nullptr) {
    fate.rule = link_rule::kLoss;
  }
  if (behaviour_.corruption > 0 && random.corruption.Bernoulli(behaviour_.corruption)) {
    fate.flipped_bit = static_cast<uint32_t>(random.corruption.Uniform(0, bytes * 8 - 1));
  }
  const bool twice =
      behaviour_.duplication > 0 && random.duplication.Bernoulli(behaviour_.duplication);
  // Drawn for a lost packet and for a copy that is not made too: the next packet's jitter stays what it is.
  const TimeDelta jitter = DrawJitter(random.jitter);
  const TimeDelta copy_jitter =
      behaviour_.duplication > 0 ? DrawJitter(random.copy_jitter) : TimeDelta::Zero();
  if (fate.rule != nullptr) return fate;
  fate.arrival = Arrival(sent, jitter);
  if (twice) fate.duplicate = Arrival(sent, copy_jitter);
  return fate;
}

}  // namespace rtclab::sim
