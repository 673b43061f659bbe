// What the cases of RFC 8016 have in common: an allocation with a ticket, and the client at another 5-tuple.
#ifndef RTCLAB_CONFORMANCE_CASES_RFC8016_MOBILITY_STEPS_H_
#define RTCLAB_CONFORMANCE_CASES_RFC8016_MOBILITY_STEPS_H_

#include <optional>

#include "conformance/engine/case.h"
#include "conformance/engine/message.h"
#include "conformance/engine/test.h"

namespace rtclab::conformance {

Needs MobilityNeeds(PeerNeed peer = PeerNeed::kNone, bool two_users = false);

Request MobilityAllocate();  // an empty MOBILITY-TICKET
Request MobilityRefresh(ByteView ticket);

struct MobileClient {
  Client client;
  Allocation allocation;
  Bytes ticket;
};
// Blocked unless the allocation comes with a ticket.
MobileClient MobilityOpen(Test& t);
// The client at a new 5-tuple, with a challenge.
Client MobilityNewPath(Test& t, std::optional<Credentials> credentials = std::nullopt);
// The allocation follows the client to a new 5-tuple; blocked when it does not. The new ticket is in the response.
struct Moved {
  Client client;
  Bytes ticket;
};
Moved MobilityMove(Test& t, ByteView ticket);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_CASES_RFC8016_MOBILITY_STEPS_H_
