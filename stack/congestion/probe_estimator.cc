#include "stack/congestion/probe_estimator.h"

#include <algorithm>

#include "stack/congestion/rates.h"

namespace rtclab::congestion {
namespace {

constexpr double kProbeComplete = 0.8;
constexpr double kMaxReceiveRatio = 2.0;
constexpr double kSaturatedRatio = 0.9;
constexpr double kSaturatedShare = 0.95;
constexpr TimeDelta kMaxProbeSpan = TimeDelta::Seconds(1);
constexpr TimeDelta kClusterHistory = TimeDelta::Seconds(10);

}  // namespace

void ProbeEstimator::AddCluster(Timestamp now, const ProbeCluster& cluster) {
  while (!clusters_.empty() && now - clusters_.front().added > kClusterHistory) {
    clusters_.pop_front();
  }
  clusters_.push_back({.cluster = cluster, .added = now});
}

std::optional<DataRate> ProbeEstimator::OnPacket(const PacketResult& packet) {
  if (!packet.received) return std::nullopt;
  for (std::size_t i = 0; i < clusters_.size(); ++i) {
    Cluster& c = clusters_[i];
    if (c.cluster.id != packet.sent.probe_cluster) continue;
    const bool first = c.packets == 0;
    if (first || packet.sent.sent < c.first_sent) c.first_sent = packet.sent.sent;
    if (first || packet.sent.sent >= c.last_sent) {
      c.last_sent = packet.sent.sent;
      c.last_sent_size = packet.sent.size;
    }
    if (first || *packet.received < c.first_received) {
      c.first_received = *packet.received;
      c.first_received_size = packet.sent.size;
    }
    if (first || *packet.received > c.last_received) c.last_received = *packet.received;
    ++c.packets;
    c.size = c.size + packet.sent.size;
    return Estimate(c);
  }
  return std::nullopt;
}

std::optional<DataRate> ProbeEstimator::Estimate(const Cluster& c) {
  if (c.packets < kProbeComplete * c.cluster.min_packets ||
      static_cast<double>(c.size.bytes()) <
          kProbeComplete * static_cast<double>(c.cluster.min_bytes().bytes())) {
    return std::nullopt;
  }
  const TimeDelta sending = c.last_sent - c.first_sent;
  const TimeDelta receiving = c.last_received - c.first_received;
  if (sending <= TimeDelta::Zero() || sending > kMaxProbeSpan || receiving <= TimeDelta::Zero() ||
      receiving > kMaxProbeSpan) {
    return std::nullopt;
  }
  // The last packet's bytes left after the last departure, the first one's arrived before the first
  // arrival: neither belongs to its span.
  const DataRate send_rate = RateOver(c.size - c.last_sent_size, sending);
  const DataRate receive_rate = RateOver(c.size - c.first_received_size, receiving);
  if (Bps(receive_rate) > kMaxReceiveRatio * Bps(send_rate)) return std::nullopt;
  if (Bps(receive_rate) < kSaturatedRatio * Bps(send_rate)) {
    return Scale(receive_rate, kSaturatedShare);
  }
  return std::min(send_rate, receive_rate);
}

}  // namespace rtclab::congestion
