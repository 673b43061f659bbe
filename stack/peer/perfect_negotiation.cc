#include "stack/peer/perfect_negotiation.h"

#include <utility>

namespace rtclab::peer {

std::optional<Signal> PerfectNegotiation::LocalDescription() const {
  auto description = connection_.local_description();
  if (!description) return std::nullopt;
  return Signal(std::move(*description));
}

std::optional<Signal> PerfectNegotiation::HandleEvent(Timestamp now, const PeerEvent& event) {
  if (std::holds_alternative<NegotiationNeeded>(event)) {
    // An offer of the peer's may have come since; its answer makes the flag come up again if that is needed.
    if (connection_.signaling_state() != SignalingState::kStable) return std::nullopt;
    if (!connection_.SetLocalDescription(now)) return std::nullopt;
    return LocalDescription();
  }
  if (const auto* candidate = std::get_if<IceCandidate>(&event))
    return Signal(candidate->candidate);
  return std::nullopt;
}

PeerResult<std::optional<Signal>> PerfectNegotiation::HandleSignal(Timestamp now,
                                                                   const Signal& signal) {
  if (const auto* description = std::get_if<SessionDescriptionInit>(&signal))
    return HandleDescription(now, *description);
  auto added = connection_.AddIceCandidate(now, std::get<IceCandidateInit>(signal));
  // A candidate of an offer that was ignored has nowhere to go.
  if (!added && !ignore_offer_) return tl::unexpected(added.error());
  return std::nullopt;
}

PeerResult<std::optional<Signal>> PerfectNegotiation::HandleDescription(
    Timestamp now, const SessionDescriptionInit& description) {
  const bool offer = description.type == SdpType::kOffer;
  const bool collision = offer && connection_.signaling_state() != SignalingState::kStable;
  ignore_offer_ = !polite_ && collision;
  if (ignore_offer_) {
    ++ignored_offers_;
    return std::nullopt;
  }
  if (auto done = connection_.SetRemoteDescription(now, description); !done)
    return tl::unexpected(done.error());
  if (!offer) return std::nullopt;
  if (auto done = connection_.SetLocalDescription(now); !done) return tl::unexpected(done.error());
  return LocalDescription();
}

}  // namespace rtclab::peer
