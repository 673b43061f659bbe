#include "stack/congestion/pacer.h"

#include <algorithm>
#include <utility>

#include "stack/base/check.h"
#include "stack/congestion/rates.h"

namespace rtclab::congestion {
namespace {

constexpr std::size_t kAudioQueue = 0;
constexpr std::size_t kPaddingQueue = 3;

// As deployed: a cluster that found nothing to send for this long is given up, a late one too.
constexpr TimeDelta kProbeTimeout = TimeDelta::Seconds(5);
constexpr TimeDelta kProbeMaxDelay = TimeDelta::Millis(20);
// As deployed: a probe starts with a packet of at least this size, so that its first bytes already
// load the path.
constexpr DataSize kProbeMinPacket = DataSize::Bytes(200);
// As deployed: padding for a probe is asked for in pieces of this long at the probe's rate, other
// padding in pieces of 5 ms.
constexpr TimeDelta kProbePiece = TimeDelta::Millis(2);
constexpr TimeDelta kPaddingPiece = TimeDelta::Millis(5);

TimeDelta TimeToPay(double bits, DataRate rate) {
  return TimeDelta::Nanos(static_cast<int64_t>(bits * 1e9 / Bps(rate)) + 1);
}

}  // namespace

std::size_t Pacer::QueueOf(PacketClass packet_class) {
  switch (packet_class) {
    case PacketClass::kAudio:
      return kAudioQueue;
    case PacketClass::kRetransmission:
      return 1;
    case PacketClass::kVideo:
    case PacketClass::kFec:
      return 2;
    case PacketClass::kPadding:
      break;
  }
  return kPaddingQueue;
}

std::size_t Pacer::NextQueue() const {
  std::size_t i = 0;
  while (queues_[i].empty()) ++i;
  return i;
}

void Pacer::Enqueue(Timestamp now, PacedPacket packet) {
  CHECK(packet.size > DataSize());
  Advance(now);
  packet.enqueued = now;
  if (packet.packet_class == PacketClass::kPadding) padding_retry_ = now;
  const std::size_t i = QueueOf(packet.packet_class);
  queued_ = queued_ + packet.size;
  queue_bytes_[i] = queue_bytes_[i] + packet.size;
  ++packets_;
  queues_[i].push_back(std::move(packet));
  drain_rate_ = RateToDrain(now);
}

void Pacer::SetRates(Timestamp now, DataRate pacing, DataRate padding) {
  CHECK(pacing > DataRate());
  Advance(now);
  pacing_ = pacing;
  padding_ = padding;
}

void Pacer::AddProbe(Timestamp now, const ProbeCluster& cluster) {
  CHECK(cluster.rate > DataRate());
  probes_.push_back({.cluster = cluster, .added = now});
}

void Pacer::SetPaused(Timestamp now, bool paused) {
  Advance(now);
  paused_ = paused;
}

void Pacer::RemoveStream(uint32_t ssrc) {
  for (std::size_t i = 0; i < kQueues; ++i) {
    for (std::size_t left = queues_[i].size(); left > 0; --left) {
      PacedPacket packet = queues_[i].pop_front();
      if (packet.ssrc != ssrc) {
        queues_[i].push_back(std::move(packet));
        continue;
      }
      queued_ = queued_ - packet.size;
      queue_bytes_[i] = queue_bytes_[i] - packet.size;
      --packets_;
    }
  }
}

// Lets the rates pay for the time since the last call. Debt never turns into credit, so an idle
// sender cannot save up a burst.
void Pacer::Advance(Timestamp now) {
  if (now <= last_advance_) return;
  const double elapsed = (now - last_advance_).seconds();
  last_advance_ = now;
  media_debt_bits_ = std::max(0.0, media_debt_bits_ - elapsed * Bps(EffectiveRate()));
  padding_debt_bits_ = std::max(0.0, padding_debt_bits_ - elapsed * Bps(padding_));
}

DataRate Pacer::EffectiveRate() const { return std::max(pacing_, drain_rate_); }

// The rate that empties the queue before its oldest packet has waited for the limit.
DataRate Pacer::RateToDrain(Timestamp now) const {
  if (packets_ == 0 || config_.queue_time_limit.IsInfinite()) return DataRate();
  const TimeDelta left = std::max(TimeDelta::Millis(1), config_.queue_time_limit - OldestAge(now));
  return RateOver(queued_, left);
}

TimeDelta Pacer::OldestAge(Timestamp now) const {
  TimeDelta oldest;
  for (const auto& queue : queues_) {
    if (!queue.empty()) oldest = std::max(oldest, now - queue.front().enqueued);
  }
  return oldest;
}

DataSize Pacer::queued(PacketClass packet_class) const {
  return queue_bytes_[QueueOf(packet_class)];
}

bool Pacer::WindowOpen(Timestamp now) const {
  return !window_ || in_flight_ < *window_ || now - last_sent_ >= config_.closed_window_interval;
}

Timestamp Pacer::ProbeDue(const Probe& probe) const {
  return *probe.started + TimeToPay(static_cast<double>(probe.sent.bits()), probe.cluster.rate);
}

void Pacer::DropStaleProbes(Timestamp now) {
  while (!probes_.empty()) {
    const Probe& probe = probes_.front();
    const bool stale =
        probe.started ? now - ProbeDue(probe) > kProbeMaxDelay : now - probe.added > kProbeTimeout;
    if (!stale) return;
    probes_.pop_front();
  }
}

void Pacer::CountSent(Timestamp now, const PacedPacket& packet) {
  const double bits = static_cast<double>(packet.size.bits());
  if (packet.packet_class != PacketClass::kAudio || config_.audio_in_budget) {
    media_debt_bits_ += bits;
    padding_debt_bits_ += bits;
  }
  in_flight_ = in_flight_ + packet.size;
  last_sent_ = now;
  if (packet.probe_cluster < 0) return;
  Probe& probe = probes_.front();
  if (!probe.started) probe.started = now;
  ++probe.packets;
  probe.sent = probe.sent + packet.size;
  if (probe.packets >= probe.cluster.min_packets && probe.sent >= probe.cluster.min_bytes()) {
    probes_.pop_front();
  }
}

std::optional<PacedPacket> Pacer::Poll(Timestamp now) {
  Advance(now);
  DropStaleProbes(now);
  if (packets_ == 0) {
    drain_rate_ = DataRate();
    return std::nullopt;
  }
  if (paused_ || pacing_ == DataRate() || !WindowOpen(now)) return std::nullopt;
  const std::size_t i = NextQueue();
  const bool free_audio = i == kAudioQueue && !config_.pace_audio;
  bool in_probe = false;
  if (!probes_.empty()) {
    const Probe& probe = probes_.front();
    in_probe = probe.started || queues_[i].front().size >= kProbeMinPacket;
    if (probe.started && now < ProbeDue(probe) && !free_audio) return std::nullopt;
  }
  if (!in_probe && !free_audio &&
      media_debt_bits_ > Bps(EffectiveRate()) * config_.burst.seconds()) {
    return std::nullopt;
  }
  PacedPacket packet = queues_[i].pop_front();
  packet.probe_cluster = in_probe ? probes_.front().cluster.id : -1;
  --packets_;
  queued_ = queued_ - packet.size;
  queue_bytes_[i] = queue_bytes_[i] - packet.size;
  drain_rate_ = RateToDrain(now);
  CountSent(now, packet);
  return packet;
}

DataSize Pacer::PaddingWanted(Timestamp now) {
  Advance(now);
  DropStaleProbes(now);
  if (paused_ || packets_ > 0 || pacing_ == DataRate() || now < padding_retry_) return DataSize();
  if (window_ && in_flight_ >= *window_) return DataSize();
  DataSize wanted;
  if (!probes_.empty() && probes_.front().started) {
    const Probe& probe = probes_.front();
    if (now < ProbeDue(probe)) return DataSize();
    wanted = SizeOver(probe.cluster.rate, kProbePiece);
  } else if (padding_ > DataRate()) {
    if (media_debt_bits_ > 0 || padding_debt_bits_ > 0) return DataSize();
    wanted = SizeOver(padding_, kPaddingPiece);
  }
  if (wanted > DataSize()) padding_retry_ = now + kPaddingPiece;
  return wanted;
}

Timestamp Pacer::NextTimeout() const {
  if (paused_ || pacing_ == DataRate()) return Timestamp::PlusInfinity();
  const bool probe_runs = !probes_.empty() && probes_.front().started;
  if (packets_ > 0) {
    if (window_ && in_flight_ >= *window_) {
      return std::max(last_advance_, last_sent_ + config_.closed_window_interval);
    }
    const std::size_t i = NextQueue();
    if (i == kAudioQueue && !config_.pace_audio) return last_advance_;
    if (probe_runs) return std::max(last_advance_, ProbeDue(probes_.front()));
    if (!probes_.empty() && queues_[i].front().size >= kProbeMinPacket) return last_advance_;
    const double burst_bits = Bps(EffectiveRate()) * config_.burst.seconds();
    if (media_debt_bits_ <= burst_bits) return last_advance_;
    return last_advance_ + TimeToPay(media_debt_bits_, EffectiveRate());
  }
  if (window_ && in_flight_ >= *window_) return Timestamp::PlusInfinity();
  if (probe_runs) return std::max(ProbeDue(probes_.front()), padding_retry_);
  if (padding_ == DataRate()) return Timestamp::PlusInfinity();
  return std::max(last_advance_ + std::max(TimeToPay(media_debt_bits_, EffectiveRate()),
                                           TimeToPay(padding_debt_bits_, padding_)),
                  padding_retry_);
}

}  // namespace rtclab::congestion
