#include "stack/peer/negotiation/negotiator.h"

#include <algorithm>
#include <utility>

#include "stack/ice/candidate.h"

namespace rtclab::peer {
namespace {

// RFC 8842 section 4: at least 120 bits; 20 to 255 characters.
constexpr int kTlsIdLength = 24;

bool HasUfrag(const sdp::SessionDescription& d, const sdp::MediaDescription& m,
              std::string_view ufrag) {
  const auto* own = m.attributes.Find<sdp::IceUfrag>();
  if (own == nullptr) own = d.attributes.Find<sdp::IceUfrag>();
  return own != nullptr && own->value == ufrag;
}

// A section's own ufrag, or that of the one that speaks for it: before the answer a bundled section may have either.
bool MayUseUfrag(const sdp::SessionDescription& d, std::size_t index, std::string_view ufrag) {
  return HasUfrag(d, d.media[index], ufrag) || HasUfrag(d, d.media[TaggedSection(d, index)], ufrag);
}

// RFC 8839 section 4.2.1.2: m= and c= have the default candidate.
void SetDefaultCandidate(sdp::MediaDescription& m, const Negotiator::LocalCandidateLine& line) {
  if (m.port == 0) return;
  m.port = line.port;
  m.connections = {{"IN", line.ipv6 ? "IP6" : "IP4", line.address}};
}

const Negotiator::LocalCandidateLine* BestLine(
    const std::vector<Negotiator::LocalCandidateLine>& lines) {
  const auto best = std::max_element(lines.begin(), lines.end(),
                                     [](const auto& a, const auto& b) { return a.rank < b.rank; });
  return best == lines.end() ? nullptr : &*best;
}

}  // namespace

std::size_t TaggedSection(const sdp::SessionDescription& description, std::size_t index) {
  const sdp::Group* group = description.BundleGroupOf(description.media[index].mid());
  if (group == nullptr) return index;
  for (const std::string& mid : group->mids) {
    const auto tagged = description.IndexOfMid(mid);
    if (!tagged) continue;
    // RFC 8843 section 7.1.1: the first one of the group; a rejected one cannot speak for others.
    if (!description.media[*tagged].IsRejected()) return *tagged;
  }
  return index;
}

Negotiator::Negotiator(NegotiatorConfig config, Rng& rng) : config_(std::move(config)), rng_(rng) {
  // RFC 8829 section 5.2.1: 63 random bits.
  session_id_ = rng_.NextU64() >> 1;
}

Transceiver* Negotiator::State::FindTransceiver(TransceiverId id) {
  const auto it = std::find_if(transceivers.begin(), transceivers.end(),
                               [id](const Transceiver& t) { return t.id == id; });
  return it == transceivers.end() ? nullptr : &*it;
}

JsepTransport* Negotiator::State::FindTransport(int id) {
  const auto it = std::find_if(transports.begin(), transports.end(),
                               [id](const JsepTransport& t) { return t.id == id; });
  return it == transports.end() ? nullptr : &*it;
}

const Transceiver* Negotiator::FindTransceiver(TransceiverId id) const {
  return const_cast<Negotiator*>(this)->state_.FindTransceiver(id);
}

const JsepTransport* Negotiator::FindTransport(int id) const {
  return const_cast<Negotiator*>(this)->state_.FindTransport(id);
}

int Negotiator::transport_of(std::string_view mid) const {
  for (const Section& s : state_.sections) {
    if (s.mid == mid && !s.rejected) return s.transport;
  }
  return -1;
}

std::optional<std::size_t> Negotiator::m_line_index_of(std::string_view mid) const {
  for (std::size_t i = 0; i < state_.sections.size(); ++i) {
    if (state_.sections[i].mid == mid) return i;
  }
  return std::nullopt;
}

PeerResult<void> Negotiator::CheckOpen() const {
  if (state_.signaling == SignalingState::kClosed)
    return Reject(ErrorName::kInvalidStateError, "the connection is closed");
  return {};
}

std::string Negotiator::NewMid() {
  const auto taken = [this](const std::string& mid) {
    const auto in = [&mid](const std::optional<Description>& d) {
      return d && d->sdp.FindMid(mid) != nullptr;
    };
    return in(state_.current_local) || in(state_.current_remote) || in(state_.pending_local) ||
           in(state_.pending_remote);
  };
  std::string mid = std::to_string(next_mid_++);
  while (taken(mid)) mid = std::to_string(next_mid_++);
  return mid;
}

ice::Credentials Negotiator::NewCredentials() { return {rng_.IceString(8), rng_.IceString(24)}; }

std::string Negotiator::NewTlsId() { return rng_.IceString(kTlsIdLength); }

void Negotiator::WantData() {
  if (data_wanted_) return;
  data_wanted_ = true;
  Changed();
}

void Negotiator::SetCapabilities(Capabilities capabilities) {
  config_.capabilities = std::move(capabilities);
  ++version_;
}

void Negotiator::RestartIce() {
  if (state_.signaling == SignalingState::kClosed) return;
  // Until the first exchange is over there is nothing to replace in a current description, and offers before it change
  // nothing by restarting.
  credentials_to_replace_.clear();
  for (const auto* d : {&state_.current_local, &state_.pending_local}) {
    if (!*d) continue;
    for (const sdp::MediaDescription& m : (*d)->sdp.media) {
      const sdp::TransportDescription t = sdp::DescribeTransport((*d)->sdp, m);
      if (!t.ice_ufrag.empty()) credentials_to_replace_.push_back({t.ice_ufrag, t.ice_pwd});
    }
  }
  Changed();
}

void Negotiator::Close() {
  if (state_.signaling == SignalingState::kClosed) return;
  state_.signaling = SignalingState::kClosed;
  for (Transceiver& t : state_.transceivers) StopTransceiver(t);
  // What is left to say of the past is dropped with the connection.
  events_.clear();
}

// --- Candidates ----------------------------------------------------------------------------------

PeerResult<Negotiator::CandidateTarget> Negotiator::AddRemoteCandidate(
    const IceCandidateInit& candidate) {
  // webrtc-pc section 4.4.2, addIceCandidate.
  if (!candidate.candidate.empty() && !candidate.sdp_mid && !candidate.sdp_m_line_index)
    return Reject(ErrorName::kTypeError, "neither sdpMid nor sdpMLineIndex is given");
  if (const auto open = CheckOpen(); !open) return tl::unexpected(open.error());
  if (remote() == nullptr)
    return Reject(ErrorName::kInvalidStateError, "there is no remote description");
  const sdp::SessionDescription& description = remote()->sdp;
  CandidateTarget target;
  target.end = candidate.candidate.empty();
  std::optional<std::size_t> index;
  if (candidate.sdp_mid) {
    index = description.IndexOfMid(*candidate.sdp_mid);
    if (!index)
      return Reject(ErrorName::kOperationError, "no section has the mid " + *candidate.sdp_mid);
  } else if (candidate.sdp_m_line_index) {
    index = *candidate.sdp_m_line_index;
    if (*index >= description.media.size())
      return Reject(ErrorName::kOperationError, "there is no such m-line");
  }
  target.ufrag = candidate.username_fragment.value_or("");
  target.all = !index;
  if (index && *index < state_.sections.size()) {
    const Section& section = state_.sections[*index];
    const Transceiver* t = section.transceiver ? FindTransceiver(*section.transceiver) : nullptr;
    if (section.rejected || (t != nullptr && t->stopped)) return target;
  }
  if (!target.end) {
    const auto parsed = sdp::ParseAttribute(candidate.candidate);
    if (!parsed || !std::holds_alternative<sdp::Candidate>(*parsed))
      return Reject(ErrorName::kOperationError, "not a candidate: " + candidate.candidate);
    if (target.ufrag.empty()) {
      if (const auto ice = ice::ParseCandidate(candidate.candidate)) target.ufrag = ice->ufrag;
    }
  }
  bool known = target.ufrag.empty();
  for (auto* d : {&state_.pending_remote, &state_.current_remote}) {
    if (!*d) continue;
    sdp::SessionDescription& sdp = (*d)->sdp;
    for (std::size_t i = 0; i < sdp.media.size(); ++i) {
      if (index && i != *index) continue;
      if (sdp.media[i].IsRejected()) continue;
      if (!target.ufrag.empty() && !MayUseUfrag(sdp, i, target.ufrag)) continue;
      known = true;
      if (index) target.transport = i < state_.sections.size() ? state_.sections[i].transport : -1;
      sdp::AttributeList& attributes = sdp.media[i].attributes;
      if (target.end) {
        attributes.Set(sdp::Flag::kEndOfCandidates);
      } else {
        attributes.Add(std::get<sdp::Candidate>(*sdp::ParseAttribute(candidate.candidate)));
      }
    }
    // Without a generation the most recent one is meant.
    if (target.ufrag.empty()) break;
  }
  if (!known) return Reject(ErrorName::kOperationError, "no section has the ufrag " + target.ufrag);
  return target;
}

void Negotiator::AddLocalCandidate(int transport, std::string_view ufrag,
                                   const LocalCandidateLine& line) {
  auto it = std::find_if(local_candidates_.begin(), local_candidates_.end(), [&](const auto& c) {
    return c.transport == transport && c.ufrag == ufrag;
  });
  if (it == local_candidates_.end()) {
    // Generations before the last one are of no use to any description that will be made.
    std::erase_if(local_candidates_, [&](const auto& c) {
      const JsepTransport* t = FindTransport(c.transport);
      return t == nullptr || (c.transport == transport && c.ufrag != t->local.ufrag);
    });
    local_candidates_.push_back({transport, std::string(ufrag), {}, false});
    it = local_candidates_.end() - 1;
  }
  it->lines.push_back(line);
  const auto parsed = sdp::ParseAttribute(line.text);
  const auto* candidate = parsed ? std::get_if<sdp::Candidate>(&*parsed) : nullptr;
  if (candidate == nullptr) return;
  const LocalCandidateLine& best = *BestLine(it->lines);
  for (auto* d : {&state_.pending_local, &state_.current_local}) {
    if (!*d) continue;
    for (sdp::MediaDescription& m : (*d)->sdp.media) {
      if (!HasUfrag((*d)->sdp, m, ufrag)) continue;
      m.attributes.Add(*candidate);
      SetDefaultCandidate(m, best);
    }
  }
}

void Negotiator::EndOfLocalCandidates(int transport, std::string_view ufrag) {
  bool found = false;
  for (LocalCandidates& c : local_candidates_) {
    if (c.transport != transport || c.ufrag != ufrag) continue;
    c.end = true;
    found = true;
  }
  if (!found) local_candidates_.push_back({transport, std::string(ufrag), {}, true});
  for (auto* d : {&state_.pending_local, &state_.current_local}) {
    if (!*d) continue;
    for (sdp::MediaDescription& m : (*d)->sdp.media) {
      if (HasUfrag((*d)->sdp, m, ufrag)) m.attributes.Set(sdp::Flag::kEndOfCandidates);
    }
  }
}

Negotiator::RemoteCandidates Negotiator::remote_candidates(const JsepTransport& transport) const {
  RemoteCandidates out;
  if (remote() == nullptr) return out;
  const sdp::SessionDescription& sdp = remote()->sdp;
  for (const std::string& mid : transport.mids) {
    const auto index = sdp.IndexOfMid(mid);
    if (!index) continue;
    const sdp::TransportDescription tagged =
        sdp::DescribeTransport(sdp, sdp.media[TaggedSection(sdp, *index)]);
    if (tagged.ice_ufrag != transport.remote.ufrag) continue;
    const sdp::TransportDescription own = sdp::DescribeTransport(sdp, sdp.media[*index]);
    for (const std::string& line : own.candidates) {
      if (std::find(out.lines.begin(), out.lines.end(), line) == out.lines.end())
        out.lines.push_back(line);
    }
    out.end = out.end || own.end_of_candidates;
  }
  return out;
}

// --- Negotiation needed --------------------------------------------------------------------------

std::optional<NegotiatorEvent> Negotiator::PollEvent() {
  if (events_.empty() && update_needed_) {
    // webrtc-pc section 4.7.3, update the negotiation-needed flag.
    update_needed_ = false;
    if (state_.signaling == SignalingState::kStable) {
      const bool needed = IsNegotiationNeeded();
      if (needed && !negotiation_needed_) events_.emplace_back(NegotiationNeeded{});
      negotiation_needed_ = needed;
    }
  }
  return PollEventNow();
}

std::optional<NegotiatorEvent> Negotiator::PollEventNow() {
  if (events_.empty()) return std::nullopt;
  NegotiatorEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

bool Negotiator::IsNegotiationNeeded() const {
  if (!credentials_to_replace_.empty()) return true;
  if (data_wanted_ && !state_.sctp) return true;
  return std::any_of(state_.transceivers.begin(), state_.transceivers.end(),
                     [this](const Transceiver& t) { return NeedsNegotiation(t); });
}

// webrtc-pc section 4.7.3, check if negotiation is needed, step 5.
bool Negotiator::NeedsNegotiation(const Transceiver& t) const {
  if (t.stopping && !t.stopped) return true;
  const sdp::MediaDescription* local =
      t.mid && state_.current_local ? state_.current_local->sdp.FindMid(*t.mid) : nullptr;
  const sdp::MediaDescription* remote =
      t.mid && state_.current_remote ? state_.current_remote->sdp.FindMid(*t.mid) : nullptr;
  if (t.stopped) {
    const bool rejected =
        (local != nullptr && local->IsRejected()) || (remote != nullptr && remote->IsRejected());
    return (local != nullptr || remote != nullptr) && !rejected;
  }
  if (local == nullptr) return true;
  if (Sends(t.direction)) {
    std::vector<std::string> ids;
    for (const sdp::Msid* msid : local->attributes.All<sdp::Msid>()) {
      if (msid->stream_id != "-") ids.push_back(msid->stream_id);
    }
    if (local->attributes.Find<sdp::Msid>() == nullptr || ids != t.sender.stream_ids) return true;
  }
  const Direction own = local->direction();
  const Direction theirs = remote != nullptr ? sdp::Reverse(remote->direction()) : own;
  if (state_.current_local->type == SdpType::kOffer)
    return own != t.direction && theirs != t.direction;
  return own != MakeDirection(Sends(t.direction) && Sends(theirs),
                              Receives(t.direction) && Receives(theirs));
}

}  // namespace rtclab::peer
