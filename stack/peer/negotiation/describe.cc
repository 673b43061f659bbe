// setLocalDescription, setRemoteDescription and rollback: RFC 8829 sections 5.5 to 5.7, webrtc-pc section 4.4.1.5.
#include <algorithm>
#include <utility>

#include "stack/base/check.h"
#include "stack/peer/negotiation/negotiator.h"

namespace rtclab::peer {
namespace {

tl::unexpected<PeerError> WrongState(std::string_view what, SignalingState state) {
  return Reject(ErrorName::kInvalidStateError,
                std::string(what) + " does not fit the state " + std::string(ToString(state)));
}

}  // namespace

PeerResult<void> Negotiator::CheckLocalType(SdpType type) const {
  const SignalingState s = state_.signaling;
  const bool fits =
      type == SdpType::kOffer
          ? s == SignalingState::kStable || s == SignalingState::kHaveLocalOffer
          : s == SignalingState::kHaveRemoteOffer || s == SignalingState::kHaveLocalPranswer;
  if (!fits) return WrongState("a local " + std::string(ToString(type)), s);
  return {};
}

PeerResult<void> Negotiator::CheckRemoteType(SdpType type) const {
  const SignalingState s = state_.signaling;
  const bool fits =
      type == SdpType::kOffer
          ? s == SignalingState::kStable || s == SignalingState::kHaveRemoteOffer
          : s == SignalingState::kHaveLocalOffer || s == SignalingState::kHaveRemotePranswer;
  if (!fits) return WrongState("a remote " + std::string(ToString(type)), s);
  return {};
}

PeerResult<void> Negotiator::SetLocalDescription() {
  const SignalingState s = state_.signaling;
  const bool offers = s == SignalingState::kStable || s == SignalingState::kHaveLocalOffer ||
                      s == SignalingState::kHaveRemotePranswer;
  return SetLocalDescription(offers ? SdpType::kOffer : SdpType::kAnswer);
}

PeerResult<void> Negotiator::SetLocalDescription(SdpType type, std::string_view sdp) {
  if (const auto open = CheckOpen(); !open) return open;
  if (type == SdpType::kRollback) {
    Events events;
    return Rollback(events);
  }
  const std::optional<Created>& created = type == SdpType::kOffer ? offer_ : answer_;
  if (!sdp.empty() && (!created || created->text != sdp)) {
    // RFC 8829 section 5.4.
    return Reject(ErrorName::kInvalidModificationError,
                  "the description is not the one that was created last");
  }
  if (const auto fits = CheckLocalType(type); !fits) return fits;
  if (sdp.empty() && (!created || created->version != version_)) {
    const auto made = type == SdpType::kOffer ? CreateOffer() : CreateAnswer();
    if (!made) return tl::unexpected(made.error());
  }
  return SetLocal(type, *created);
}

PeerResult<void> Negotiator::SetRemoteDescription(SdpType type, std::string_view sdp) {
  if (const auto open = CheckOpen(); !open) return open;
  Events events;
  if (type == SdpType::kRollback) return Rollback(events);
  const bool glare = type == SdpType::kOffer && state_.signaling == SignalingState::kHaveLocalOffer;
  if (!glare) {
    if (const auto fits = CheckRemoteType(type); !fits) return fits;
  }
  auto parsed = sdp::Parse(sdp);
  if (!parsed) {
    // RTCError with errorDetail sdp-syntax-error and sdpLineNumber.
    return Reject(ErrorName::kOperationError, "no SDP: " + parsed.error().ToString(),
                  parsed.error().line);
  }
  if (glare) {
    // webrtc-pc, setRemoteDescription: an offer that does not fit rolls ours back. It stays rolled back even if theirs turns
    // out to be invalid.
    if (const auto rolled = Rollback(events); !rolled) return rolled;
  }
  return SetRemote(type, std::move(*parsed));
}

PeerResult<void> Negotiator::Rollback(Events& events) {
  if (state_.signaling != SignalingState::kHaveLocalOffer &&
      state_.signaling != SignalingState::kHaveRemoteOffer) {
    return WrongState("a rollback", state_.signaling);
  }
  CHECK(stable_.has_value());
  const bool remote = state_.signaling == SignalingState::kHaveRemoteOffer;
  State next = *stable_;
  next.can_trickle = state_.can_trickle;
  next.transceivers.clear();
  for (Transceiver t : state_.transceivers) {
    const Transceiver* before = stable_->FindTransceiver(t.id);
    if (before == nullptr) {
      // Made by the offer that is now void: goes, unless the application has put a track on it (RFC 8829 section 5.7).
      if (t.created_by_remote && !t.from_add_track) continue;
      t.mid.reset();
      t.m_line_index.reset();
      t.created_by_remote = false;
    } else {
      t.mid = before->mid;
      t.m_line_index = before->m_line_index;
      t.receptive = before->receptive;
      t.receiver.codecs = before->receiver.codecs;
      const auto& old = before->sender.encodings;
      if (old.size() == 1 && old[0].parameters.rid.empty() && t.sender.encodings.size() > 1)
        t.sender.encodings = old;
    }
    if (remote) {
      ProcessRemoteTracks(
          t,
          before != nullptr ? before->current_direction.value_or(Direction::kInactive)
                            : Direction::kInactive,
          before != nullptr ? before->receiver.stream_ids : std::vector<std::string>(), events);
    }
    next.transceivers.push_back(std::move(t));
  }
  Commit(std::move(next), SignalingState::kStable, std::move(events));
  events.clear();
  return {};
}

PeerResult<void> Negotiator::SetLocal(SdpType type, const Created& created) {
  State next = state_;
  Events events;
  if (type == SdpType::kOffer) {
    ApplyLocalOffer(next, created);
    next.pending_local = Description{type, created.sdp};
    next_mid_ = std::max(next_mid_, created.next_mid);
    Commit(std::move(next), SignalingState::kHaveLocalOffer, std::move(events));
    return {};
  }
  const sdp::SessionDescription remote = state_.pending_remote->sdp;
  if (const auto applied = ApplyAnswer(next, created.sdp, remote, true, &created.plans, events);
      !applied) {
    return applied;
  }
  if (type == SdpType::kPranswer) {
    next.pending_local = Description{type, created.sdp};
    Commit(std::move(next), SignalingState::kHaveLocalPranswer, std::move(events));
    return {};
  }
  CompleteExchange(next, {type, created.sdp}, true);
  Commit(std::move(next), SignalingState::kStable, std::move(events));
  return {};
}

void Negotiator::Normalize(SdpType type, sdp::SessionDescription& description) {
  const auto* direction = description.attributes.Find<sdp::Direction>();
  for (std::size_t i = 0; i < description.media.size(); ++i) {
    sdp::MediaDescription& m = description.media[i];
    if (direction != nullptr && m.IsRtp() && m.attributes.Find<sdp::Direction>() == nullptr)
      m.attributes.Add(*direction);
    if (!m.mid().empty()) continue;
    // A peer without a=mid: its section is known by its place (RFC 8829 section 5.10).
    const sdp::SessionDescription* offer =
        type != SdpType::kOffer && state_.pending_local ? &state_.pending_local->sdp : nullptr;
    if (offer != nullptr && i < offer->media.size()) {
      m.attributes.Add(sdp::Mid{std::string(offer->media[i].mid())});
    } else if (i < state_.sections.size()) {
      m.attributes.Add(sdp::Mid{state_.sections[i].mid});
    } else {
      m.attributes.Add(sdp::Mid{NewMid()});
    }
  }
}

PeerResult<void> Negotiator::SetRemote(SdpType type, sdp::SessionDescription description) {
  Normalize(type, description);
  if (const auto sound = VerifyRemote(type, description); !sound) return sound;
  State next = state_;
  Events events;
  bool trickle = false;
  for (const sdp::MediaDescription& m : description.media) {
    const auto options = sdp::DescribeTransport(description, m).ice_options;
    trickle = trickle || std::find(options.begin(), options.end(), "trickle") != options.end();
  }
  next.can_trickle = trickle;
  if (type == SdpType::kOffer) {
    next.pending_remote = Description{type, description};
    if (const auto applied = ApplyRemoteOffer(next, description, events); !applied) return applied;
    for (const sdp::MediaDescription& m : description.media) NoteIds(m);
    Commit(std::move(next), SignalingState::kHaveRemoteOffer, std::move(events));
    return {};
  }
  const sdp::SessionDescription local = state_.pending_local->sdp;
  if (const auto applied = ApplyAnswer(next, local, description, false, nullptr, events);
      !applied) {
    return applied;
  }
  for (const sdp::MediaDescription& m : description.media) NoteIds(m);
  if (type == SdpType::kPranswer) {
    next.pending_remote = Description{type, std::move(description)};
    Commit(std::move(next), SignalingState::kHaveRemotePranswer, std::move(events));
    return {};
  }
  CompleteExchange(next, {type, std::move(description)}, false);
  Commit(std::move(next), SignalingState::kStable, std::move(events));
  return {};
}

void Negotiator::CompleteExchange(State& next, Description answer, bool local) {
  if (local) {
    next.current_local = std::move(answer);
    next.current_remote = std::move(next.pending_remote);
  } else {
    next.current_remote = std::move(answer);
    next.current_local = std::move(next.pending_local);
    ice_configuration_changed_ = false;
  }
  next.pending_local.reset();
  next.pending_remote.reset();
  // Transceivers whose end both sides know of are gone (webrtc-pc, set a session description, step for answers).
  std::erase_if(next.transceivers, [&next](const Transceiver& t) {
    return t.stopped && t.m_line_index && *t.m_line_index < next.sections.size() &&
           next.sections[*t.m_line_index].rejected;
  });
  for (Section& s : next.sections) {
    if (s.transceiver && next.FindTransceiver(*s.transceiver) == nullptr) s.transceiver.reset();
  }
  for (Transceiver& t : next.transceivers) t.created_by_remote = false;
  // A refused data section was negotiated: it is not asked for over and over.
  if (!next.sctp && std::any_of(next.sections.begin(), next.sections.end(),
                                [](const Section& s) { return s.IsData() && s.rejected; })) {
    data_wanted_ = false;
  }
  ForgetUnusedTransports(next);
  const bool kept =
      std::any_of(next.transports.begin(), next.transports.end(), [this](const JsepTransport& t) {
        return std::find(credentials_to_replace_.begin(), credentials_to_replace_.end(), t.local) !=
               credentials_to_replace_.end();
      });
  if (!kept) credentials_to_replace_.clear();
  std::erase_if(next_credentials_, [&next](const NextCredentials& n) {
    const JsepTransport* t = next.FindTransport(n.transport);
    return t == nullptr || t->local == n.credentials;
  });
}

void Negotiator::Commit(State next, SignalingState signaling, Events events) {
  const SignalingState before = state_.signaling;
  if (before == SignalingState::kStable && signaling != SignalingState::kStable)
    stable_ = std::move(state_);
  next.signaling = signaling;
  ListMids(next);
  state_ = std::move(next);
  ++version_;
  if (signaling == SignalingState::kStable) {
    stable_.reset();
    offer_.reset();
    answer_.reset();
    negotiation_needed_ = false;
    update_needed_ = true;
  }
  if (signaling != before) events_.emplace_back(SignalingStateChanged{signaling});
  for (NegotiatorEvent& e : events) events_.push_back(std::move(e));
}

}  // namespace rtclab::peer
