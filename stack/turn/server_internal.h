// Shared by the server's source files only.
#ifndef RTCLAB_STACK_TURN_SERVER_INTERNAL_H_
#define RTCLAB_STACK_TURN_SERVER_INTERNAL_H_

#include <optional>
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

struct Server::TcpConnection {
  enum class State : uint8_t {
    kConnecting,  // the Connect request waits in `connect`
    kPending,     // waits for ConnectionBind
    kBound,       // to `client`
  };

  ConnectionId id{};
  Relay* relay = nullptr;
  TransportAddress peer;
  State state = State::kPending;
  std::optional<Responder> connect;
  std::optional<FiveTuple>
      client;              // none when bound: it is gone, and the peer was not told (ServerQuirks)
  bool peer_gone = false;  // while its early bytes wait for the client
  Bytes early;             // what the peer sent before ConnectionBind
  Timestamp expires = Timestamp::PlusInfinity();
};

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_SERVER_INTERNAL_H_
