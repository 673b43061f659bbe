// Shared by the server's source files only.
#ifndef RTCLAB_STACK_TURN_SERVER_INTERNAL_H_
#define RTCLAB_STACK_TURN_SERVER_INTERNAL_H_

#include <vector>

#include "stack/turn/server.h"

namespace rtclab::turn {

struct Server::Pending {
  struct Slot {
    AddressFamily family = AddressFamily::kNone;
    Relay* relay = nullptr;
    Relay* reserve = nullptr;  // the next port, for EVEN-PORT's R bit
    int attempts_left = 0;
  };

  Responder responder;
  Plan plan;
  Allocation* allocation = nullptr;
  std::vector<Slot> slots;  // one a family
};

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_SERVER_INTERNAL_H_
