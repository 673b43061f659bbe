// Who sees every packet on every link, as bytes: a capture.
#ifndef RTCLAB_SIM_TRACE_WIRE_TAP_H_
#define RTCLAB_SIM_TRACE_WIRE_TAP_H_

#include <string_view>

#include "stack/base/bytes.h"
#include "stack/base/units.h"

namespace rtclab::sim {

enum class TapDirection : uint8_t { kNone, kUp, kDown };  // up: towards the internet

class WireTap {
 public:
  virtual ~WireTap() = default;
  // `interface`: a link or, for packets that a node dropped, the node: "alice", "nat/home-a".
  // `comment`: why it ended here; empty when it went on.
  virtual void OnPacket(std::string_view interface, TapDirection direction, Timestamp now,
                        ByteView packet, std::string_view comment) = 0;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_TRACE_WIRE_TAP_H_
