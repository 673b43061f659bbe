// GCC's pre-filter (draft-ietf-rmcat-gcc-02 sections 5.1 and 5.2): packets that left or arrived
// together make a group, and groups are compared instead of packets.
#ifndef RTCLAB_STACK_CONGESTION_ARRIVAL_GROUPS_H_
#define RTCLAB_STACK_CONGESTION_ARRIVAL_GROUPS_H_

#include <optional>

#include "stack/base/units.h"

namespace rtclab::congestion {

// Two groups compared. d(i) of the draft is arrival - departure.
struct GroupDelta {
  TimeDelta departure;  // T(i) - T(i-1), between the last departures of the groups
  TimeDelta arrival;    // t(i) - t(i-1), between their last arrivals
  Timestamp arrived;    // last arrival of the later group, by the receiver's clock

  double delay_variation_ms() const { return arrival.millis_f() - departure.millis_f(); }
};

class ArrivalGroups {
 public:
  // A packet in order of arrival. Gives the comparison of the two groups before the one that this
  // packet opens. Packets that left before the present group began are skipped.
  std::optional<GroupDelta> OnPacket(Timestamp sent, Timestamp received);
  void Reset();

 private:
  struct Group {
    Timestamp first_sent;
    Timestamp last_sent;
    Timestamp first_received;
    Timestamp last_received;
  };
  bool Belongs(Timestamp sent, Timestamp received) const;

  std::optional<Group> current_;
  std::optional<Group> previous_;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_ARRIVAL_GROUPS_H_
