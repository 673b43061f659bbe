// Remembers packets in flight and joins them with what feedback says of each: from (id, received,
// ecn) to TransportFeedback. One for each transport, whatever the feedback format.
#ifndef RTCLAB_STACK_CONGESTION_FEEDBACK_ADAPTER_H_
#define RTCLAB_STACK_CONGESTION_FEEDBACK_ADAPTER_H_

#include <cstdint>
#include <optional>
#include <span>

#include "stack/base/ring.h"
#include "stack/base/units.h"
#include "stack/congestion/types.h"

namespace rtclab::congestion {

// One packet of a feedback message, by the receiver's clock.
struct PacketReport {
  int64_t id = 0;                     // as in SentPacket
  std::optional<Timestamp> received;  // nothing: lost, or not there yet
  uint8_t ecn = 0;
};

class FeedbackAdapter {
 public:
  // Ids must rise by one a packet. Returns the packet as the controller wants it: with
  // in_flight_before. Packets older than `history` are forgotten.
  SentPacket OnPacketSent(SentPacket packet);

  // Joins one message, its reports in rising order of id. Reports of unknown packets and second
  // reports of received ones are dropped. Everything up to the highest received id leaves the
  // flight, also what no message ever reported (RFC 8298 section 4.1.2); of those nothing is said,
  // since a lost feedback message is no lost packet. The result is valid until the next call.
  const TransportFeedback& OnFeedback(Timestamp now, std::span<const PacketReport> reports);

  // Bytes sent after the highest id reported as received.
  DataSize in_flight() const { return in_flight_; }
  // The path changed: nothing is in flight any more, reports of older packets are dropped.
  void Reset();

 private:
  struct Entry {
    SentPacket packet;
    bool known_received = false;
  };
  static constexpr TimeDelta kHistory = TimeDelta::Seconds(10);

  Ring<Entry> history_;  // ids are consecutive
  int64_t first_unacked_ = 0;
  DataSize in_flight_;
  TransportFeedback feedback_;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_FEEDBACK_ADAPTER_H_
