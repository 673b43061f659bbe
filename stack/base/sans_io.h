// The one protocol shape. A protocol in stack/ owns no socket, thread, clock or random source; it
// has
//
//   void HandlePacket(Timestamp now, const Datagram& packet);
//   void HandleTimeout(Timestamp now);
//   std::optional<Transmit> PollTransmit();
//   std::optional<Event> PollEvent();      // Event: a std::variant of the module
//   Timestamp NextTimeout() const;         // Timestamp::PlusInfinity(): none
//
// The drain rule: after any call that can change a protocol's state, its driver drains transmits
// and events until both are empty, then arms one timer for NextTimeout(). An event handler may call
// the protocol again; what that makes is drained in the same pass. Every host, simulated or real,
// and every test drives protocols through Drain().
#ifndef RTCLAB_STACK_BASE_SANS_IO_H_
#define RTCLAB_STACK_BASE_SANS_IO_H_

#include "stack/base/datagram.h"
#include "stack/base/units.h"

namespace rtclab {

// `on_transmit(Transmit&&)` and `on_event(Event&&)` are called in the order the protocol made them;
// transmits first. Returns when the protocol next wants HandleTimeout().
template <typename Protocol, typename OnTransmit, typename OnEvent>
Timestamp Drain(Protocol& protocol, OnTransmit&& on_transmit, OnEvent&& on_event) {
  bool progress = true;
  while (progress) {
    progress = false;
    while (auto transmit = protocol.PollTransmit()) {
      on_transmit(std::move(*transmit));
      progress = true;
    }
    while (auto event = protocol.PollEvent()) {
      on_event(std::move(*event));
      progress = true;
    }
  }
  return protocol.NextTimeout();
}

}  // namespace rtclab

#endif  // RTCLAB_STACK_BASE_SANS_IO_H_
