// What an SCTP association is configured with, and what goes with a message.
#ifndef RTCLAB_STACK_SCTP_CONFIG_H_
#define RTCLAB_STACK_SCTP_CONFIG_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "stack/base/units.h"

namespace rtclab::sctp {

// A stream of one direction: StreamId{0} to StreamId{65534}.
enum class StreamId : uint16_t {};

// RFC 8260 section 3's schedulers.
enum class SchedulerKind : uint8_t {
  kFirstComeFirstServed,  // 3.1
  kRoundRobin,            // 3.2: a message (with interleaving: a fragment) of each stream in turn
  kRoundRobinPerPacket,   // 3.3: the streams take turns packet by packet
  kPriority,              // 3.4: the highest SetStreamPriority() first, equal ones in turn
  kFairCapacity,          // 3.5: every stream the same number of bytes
  kWeightedFair,          // 3.6: bytes in proportion to SetStreamPriority()
};

struct AssociationConfig {
  uint16_t local_port = 5000;
  uint16_t remote_port = 5000;

  // The largest SCTP packet, common header included, 256 to 65,532. 1,191 is what browsers use inside
  // DTLS (RFC 8261 section 5 asks that the whole fits the path).
  std::size_t mtu = 1191;
  // Probes for packets up to this size (RFC 8899 by padded heartbeats); 0: no probing.
  std::size_t max_probed_mtu = 0;

  uint16_t outbound_streams = 65535;  // asked for; the peer's limit lowers it
  uint16_t max_inbound_streams = 65535;

  // The receiver window we advertise (a_rwnd).
  DataSize receive_window = DataSize::Bytes(5'242'880);
  // The most that is held of unfinished messages, so that a message may be larger than the window; more
  // aborts the association.
  std::size_t max_receive_message_size = 67'108'864;
  // Send() fails rather than to hold more unsent bytes than this.
  std::size_t send_buffer = 16'777'216;

  // Extensions that are offered; in force when the peer offers them too.
  bool partial_reliability = true;  // RFC 3758, RFC 7496
  bool interleaving = true;         // RFC 8260
  bool reconfig = true;             // RFC 6525
  // RFC 9653 with error detection method 1, SCTP over DTLS: says that packets without a checksum are
  // accepted, and leaves it away when the peer says so. Only where DTLS (or nothing) carries us.
  bool zero_checksum = false;

  SchedulerKind scheduler = SchedulerKind::kWeightedFair;

  // RFC 9260 section 16's protocol parameters. RTO.Min is its 1 s; data channels gain from less.
  TimeDelta rto_initial = TimeDelta::Seconds(1);
  TimeDelta rto_min = TimeDelta::Seconds(1);
  TimeDelta rto_max = TimeDelta::Seconds(60);
  uint32_t max_burst = 4;  // packets; 0: no limit
  uint32_t max_init_retransmits = 8;
  uint32_t max_association_retransmits = 10;
  TimeDelta heartbeat_interval = TimeDelta::Seconds(30);  // zero: no heartbeats
  TimeDelta valid_cookie_life = TimeDelta::Seconds(60);
  TimeDelta sack_delay = TimeDelta::Millis(200);  // at most 500 ms (section 6.2)
};

struct SendOptions {
  bool ordered = true;
  // Partial reliability; ignored when the peer does not know FORWARD-TSN. Both may be given.
  std::optional<uint16_t> max_retransmits;  // give up after so many retransmissions (RFC 7496)
  std::optional<TimeDelta> lifetime;        // give up so long after Send() (RFC 3758 section 4.1)
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_CONFIG_H_
