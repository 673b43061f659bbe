// What a congestion controller, the pacer and the feedback adapter exchange: packets sent, what
// became of them, and probe clusters. Nothing here knows RTP; a packet is an id, a size and times.
#ifndef RTCLAB_STACK_CONGESTION_TYPES_H_
#define RTCLAB_STACK_CONGESTION_TYPES_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/units.h"

namespace rtclab::congestion {

// What a packet carries, in the order of the pacer's priorities (kVideo and kFec share one).
enum class PacketClass : uint8_t { kAudio, kRetransmission, kVideo, kFec, kPadding };

// Congestion marks of the IP header (RFC 3168 section 5), as RFC 8888 section 3.1 reports them.
inline constexpr uint8_t kEcnCongestionExperienced = 3;

// A packet that has left for the network.
struct SentPacket {
  // Unwrapped transport-wide sequence number, or any count that rises by one a packet.
  int64_t id = 0;
  Timestamp sent;
  DataSize size;  // bytes on the wire, IP and UDP headers included
  uint32_t ssrc = 0;
  PacketClass packet_class = PacketClass::kVideo;
  int probe_cluster = -1;     // ProbeCluster::id, or -1
  DataSize in_flight_before;  // sent and not yet reported when this packet left; filled in by
                              // FeedbackAdapter::OnPacketSent()
};

// What one feedback message says about one packet.
struct PacketResult {
  SentPacket sent;
  // By the receiver's clock, whose zero is unknown; nothing for a packet reported as lost. A packet
  // that was reported lost may be reported again as received when it came late.
  std::optional<Timestamp> received;
  uint8_t ecn = 0;  // the two bits of RFC 3168
};

// One feedback message (transport-wide sequence numbers, or RFC 8888), matched with what was sent.
struct TransportFeedback {
  Timestamp now;                      // when it arrived here
  std::vector<PacketResult> packets;  // in the order they were sent
  DataSize in_flight;                 // sent and not yet reported, after this feedback
};

// A short burst at a rate above the target that asks how much the path can carry.
struct ProbeCluster {
  int id = 0;
  DataRate rate;
  TimeDelta min_duration = TimeDelta::Millis(15);
  int min_packets = 5;
  // At least this much is sent: rate times min_duration.
  DataSize min_bytes() const {
    return DataSize::Bytes(
        static_cast<int64_t>(static_cast<double>(rate.bps()) * min_duration.seconds() / 8.0));
  }
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_TYPES_H_
