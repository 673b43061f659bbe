// Perfect negotiation (webrtc-pc section 10.7): either side may offer at any time, and glare sorts itself out. The polite side
// gives way by rolling its offer back, the impolite one ignores the offer that collides with its own.
#ifndef RTCLAB_STACK_PEER_PERFECT_NEGOTIATION_H_
#define RTCLAB_STACK_PEER_PERFECT_NEGOTIATION_H_

#include <optional>
#include <variant>

#include "stack/base/units.h"
#include "stack/peer/peer_connection.h"

namespace rtclab::peer {

// What goes over the signalling channel, which has to keep the order.
using Signal = std::variant<SessionDescriptionInit, IceCandidateInit>;

class PerfectNegotiation {
 public:
  // Of the two sides exactly one is polite. `connection` must outlive this.
  PerfectNegotiation(PeerConnection& connection, bool polite)
      : connection_(connection), polite_(polite) {}

  // Call with every event of the connection. What it gives is for the peer.
  std::optional<Signal> HandleEvent(Timestamp now, const PeerEvent& event);
  // Call with what the peer sent. A signal is the answer, if one is due.
  PeerResult<std::optional<Signal>> HandleSignal(Timestamp now, const Signal& signal);

  bool polite() const { return polite_; }
  // Offers of the peer's that were ignored so far.
  int ignored_offers() const { return ignored_offers_; }

 private:
  PeerResult<std::optional<Signal>> HandleDescription(Timestamp now,
                                                      const SessionDescriptionInit& description);
  std::optional<Signal> LocalDescription() const;

  PeerConnection& connection_;
  bool polite_;
  bool ignore_offer_ = false;
  int ignored_offers_ = 0;
};

}  // namespace rtclab::peer

#endif  // RTCLAB_STACK_PEER_PERFECT_NEGOTIATION_H_
