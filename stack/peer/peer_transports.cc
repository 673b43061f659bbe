// Packets and events of the transports, and the states that are made of theirs.
#include <algorithm>
#include <utility>

#include "stack/base/overloaded.h"
#include "stack/peer/peer_impl.h"

namespace rtclab::peer {
namespace {

// RTCPeerConnectionIceErrorEvent: "if no host candidate can reach the server, errorCode will be set to the value 701".
constexpr int kServerUnreachable = 701;

Negotiator::LocalCandidateLine LineOf(const ice::Candidate& candidate) {
  Negotiator::LocalCandidateLine line;
  line.text = ice::ToString(candidate);
  line.address = candidate.address.ip.ToString();
  line.port = candidate.address.port;
  line.ipv6 = candidate.address.ip.IsV6();
  line.rank = candidate.type == ice::CandidateType::kRelayed ? 2
              : candidate.type == ice::CandidateType::kHost  ? 0
                                                             : 1;
  return line;
}

}  // namespace

PeerTransport* PeerConnection::Impl::FindTransport(int id) {
  for (const auto& t : transports_) {
    if (t->id() == id) return t.get();
  }
  return nullptr;
}

const PeerTransport* PeerConnection::Impl::FindTransport(int id) const {
  return const_cast<Impl*>(this)->FindTransport(id);
}

PeerTransport* PeerConnection::Impl::TransportOfHost(const TransportAddress& host) {
  for (auto* list : {&transports_, &closing_}) {
    for (const auto& t : *list) {
      if (std::find(t->hosts().begin(), t->hosts().end(), host) != t->hosts().end()) return t.get();
    }
  }
  return nullptr;
}

void PeerConnection::Impl::AddSockets(Timestamp now, int transport,
                                      std::span<const TransportAddress> hosts) {
  PeerTransport* t = FindTransport(transport);
  if (t == nullptr || closed_) return;
  NoteFirst(timeline_.gathering_started, now);
  NoteGathering();
  t->Gather(now, hosts);
  UpdateStates(now);
  Pump(now);
}

void PeerConnection::Impl::HandlePacket(Timestamp now, const Datagram& packet) {
  PeerTransport* t = TransportOfHost(packet.destination);
  if (t == nullptr) return;
  t->HandlePacket(now, packet);
  Pump(now);
}

void PeerConnection::Impl::HandleIcmp(Timestamp now, const IcmpError& error) {
  PeerTransport* t = TransportOfHost(error.source);
  if (t == nullptr) return;
  t->HandleIcmp(now, error);
  Pump(now);
}

void PeerConnection::Impl::HandleTimeout(Timestamp now) {
  // A transport that waits for nothing more is gone; what it had to send was polled since.
  std::erase_if(closing_, [](const auto& t) { return t->NextTimeout().IsInfinite(); });
  for (auto* list : {&transports_, &closing_}) {
    for (const auto& t : *list) {
      if (t->NextTimeout() <= now) t->HandleTimeout(now);
    }
  }
  if (data_ != nullptr && data_->NextTimeout() <= now) data_->HandleTimeout(now);
  Pump(now);
}

std::optional<Transmit> PeerConnection::Impl::PollTransmit() {
  for (auto* list : {&transports_, &closing_}) {
    for (const auto& t : *list) {
      if (auto transmit = t->PollTransmit()) return transmit;
    }
  }
  return std::nullopt;
}

std::optional<PeerEvent> PeerConnection::Impl::PollEvent() {
  if (closed_) return std::nullopt;
  if (events_.empty()) {
    // The negotiation-needed flag is looked at when all else is done.
    while (auto event = negotiator_.PollEvent())
      std::visit([this](auto& e) { Emit(std::move(e)); }, *event);
  }
  if (events_.empty()) return std::nullopt;
  PeerEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

Timestamp PeerConnection::Impl::NextTimeout() const {
  Timestamp next = data_ != nullptr && !closed_ ? data_->NextTimeout() : Timestamp::PlusInfinity();
  for (const auto* list : {&transports_, &closing_}) {
    for (const auto& t : *list) next = std::min(next, t->NextTimeout());
  }
  return next;
}

void PeerConnection::Impl::Pump(Timestamp now) {
  if (closed_) return;
  bool progress = true;
  while (progress) {
    progress = false;
    for (const auto& t : transports_) {
      while (auto event = t->PollEvent()) {
        OnTransportEvent(now, *t, std::move(*event));
        progress = true;
      }
    }
    if (PumpData(now)) progress = true;
  }
  PumpNegotiator();
  for (const auto& t : transports_) {
    if (t->first_media_sent()) NoteFirst(timeline_.first_media_sent, *t->first_media_sent());
    if (t->first_media_received())
      NoteFirst(timeline_.first_media_received, *t->first_media_received());
  }
}

void PeerConnection::Impl::PumpNegotiator() {
  while (auto event = negotiator_.PollEventNow())
    std::visit([this](auto& e) { Emit(std::move(e)); }, *event);
}

void PeerConnection::Impl::OnTransportEvent(Timestamp now, PeerTransport& transport,
                                            PeerTransportEvent event) {
  std::visit(
      Overloaded{
          [&](IceTransportEvent& e) { OnIceEvent(now, transport, std::move(e)); },
          [&](DtlsStateChanged& e) { OnDtlsState(now, transport, e); },
          [&](DataPacket& e) {
            if (data_ != nullptr && sctp_ && sctp_->transport == transport.id() && data_started_)
              data_->HandlePacket(now, e.payload);
          },
          [&](media::Event& e) { OnMediaEvent(now, transport, std::move(e)); },
          [&](dtls::KeyLogLine& e) { Emit(std::move(e)); },
      },
      event);
}

void PeerConnection::Impl::OnLocalCandidate(PeerTransport& transport,
                                            const ice::Candidate& candidate) {
  negotiator_.AddLocalCandidate(transport.id(), candidate.ufrag, LineOf(candidate));
  const JsepTransport* jsep = negotiator_.FindTransport(transport.id());
  if (jsep == nullptr || jsep->mids.empty()) return;
  IceCandidateInit init;
  init.candidate = ice::ToString(candidate);
  init.sdp_mid = jsep->mids.front();
  if (const auto index = negotiator_.m_line_index_of(jsep->mids.front()))
    init.sdp_m_line_index = static_cast<uint16_t>(*index);
  init.username_fragment = candidate.ufrag;
  Emit(IceCandidate{transport.id(), std::move(init)});
}

void PeerConnection::Impl::OnIceEvent(Timestamp now, PeerTransport& transport,
                                      IceTransportEvent event) {
  std::visit(
      Overloaded{
          [&](const ice::LocalCandidateGathered& e) { OnLocalCandidate(transport, e.candidate); },
          [&](const ice::GatheringComplete& e) {
            negotiator_.EndOfLocalCandidates(transport.id(), e.ufrag);
            const JsepTransport* jsep = negotiator_.FindTransport(transport.id());
            if (jsep == nullptr || jsep->mids.empty()) return;
            IceCandidateInit end;
            end.sdp_mid = jsep->mids.front();
            if (const auto index = negotiator_.m_line_index_of(jsep->mids.front()))
              end.sdp_m_line_index = static_cast<uint16_t>(*index);
            end.username_fragment = e.ufrag;
            Emit(IceCandidate{transport.id(), std::move(end)});
          },
          [&](const ice::GatheringFailed& e) {
            if (e.relay) return;  // RelayRefused says it
            Emit(IceCandidateError{
                e.base, e.server, e.error_code != 0 ? e.error_code : kServerUnreachable, e.reason});
          },
          [&](const RelayRefused& e) {
            const bool unanswered = e.code == 0 || e.code == turn::kRequestTimedOut;
            Emit(IceCandidateError{e.base, e.server, unanswered ? kServerUnreachable : e.code,
                                   e.reason});
          },
          [&](const ice::PairValid&) { NoteFirst(timeline_.first_valid_pair, now); },
          [&](const ice::SelectedPairChanged&) { NoteFirst(timeline_.pair_selected, now); },
          [&](const ice::StateChanged& e) {
            if (e.state == ice::AgentState::kFailed) Fail(transport.id(), "ice-failed", e.reason);
          },
          [](const auto&) {},
      },
      event);
  Emit(IceEvent{transport.id(), std::move(event)});
  UpdateStates(now);
}

void PeerConnection::Impl::OnDtlsState(Timestamp now, PeerTransport& transport,
                                       const DtlsStateChanged& change) {
  if (transport.dtls_started()) NoteFirst(timeline_.dtls_started, *transport.dtls_started());
  Emit(DtlsTransportChanged{transport.id(), change.state});
  switch (change.state) {
    case DtlsTransportState::kConnected:
      NoteFirst(timeline_.dtls_connected, now);
      StartDataIfReady(now);
      break;
    case DtlsTransportState::kFailed:
      Fail(transport.id(), "dtls-" + change.reason, change.detail);
      break;
    case DtlsTransportState::kClosed:
      if (!change.reason.empty()) Fail(transport.id(), "dtls-" + change.reason, change.detail);
      break;
    case DtlsTransportState::kNew:
    case DtlsTransportState::kConnecting:
      break;
  }
  const bool over =
      change.state == DtlsTransportState::kFailed || change.state == DtlsTransportState::kClosed;
  // Nothing can come through any more (RFC 8831 section 6.2: the channels are gone with their association).
  if (over && data_ != nullptr && sctp_ && sctp_->transport == transport.id())
    data_->Abort(now, "dtls");
  UpdateStates(now);
}

void PeerConnection::Impl::OnMediaEvent(Timestamp now, PeerTransport& transport,
                                        media::Event event) {
  if (std::holds_alternative<media::FirstFrameReceived>(event))
    NoteFirst(timeline_.first_frame, now);
  Emit(MediaEvent{transport.id(), std::move(event)});
}

void PeerConnection::Impl::Fail(int transport, std::string reason, std::string detail) {
  ConnectionFailed failed{transport, std::move(reason), std::move(detail)};
  if (!failure_) failure_ = failed;
  Emit(std::move(failed));
}

// --- Aggregated states: webrtc-pc sections 4.3.2 to 4.3.4 ---------------------------------------

IceGatheringState PeerConnection::Impl::ComputeGatheringState() const {
  if (transports_.empty()) return IceGatheringState::kNew;
  bool any_new = false, all_complete = true;
  for (const auto& t : transports_) {
    if (t->gathering()) return IceGatheringState::kGathering;
    all_complete = all_complete && t->agent().gathering_complete();
    any_new = any_new || t->hosts().empty();
  }
  if (any_new) return IceGatheringState::kNew;
  return all_complete ? IceGatheringState::kComplete : IceGatheringState::kGathering;
}

IceConnectionState PeerConnection::Impl::ComputeIceState() const {
  using A = ice::AgentState;
  const auto any = [this](auto... states) {
    return std::any_of(transports_.begin(), transports_.end(),
                       [&](const auto& t) { return ((t->ice_state() == states) || ...); });
  };
  const auto all = [this](auto... states) {
    return std::all_of(transports_.begin(), transports_.end(),
                       [&](const auto& t) { return ((t->ice_state() == states) || ...); });
  };
  if (closed_) return IceConnectionState::kClosed;
  if (any(A::kFailed)) return IceConnectionState::kFailed;
  if (any(A::kDisconnected)) return IceConnectionState::kDisconnected;
  if (all(A::kNew, A::kClosed)) return IceConnectionState::kNew;
  if (any(A::kNew, A::kChecking)) return IceConnectionState::kChecking;
  if (all(A::kCompleted, A::kClosed)) return IceConnectionState::kCompleted;
  return IceConnectionState::kConnected;
}

ConnectionState PeerConnection::Impl::ComputeConnectionState() const {
  using D = DtlsTransportState;
  const auto all = [this](auto... states) {
    return std::all_of(transports_.begin(), transports_.end(),
                       [&](const auto& t) { return ((t->dtls_state() == states) || ...); });
  };
  if (closed_) return ConnectionState::kClosed;
  const bool dtls_failed = std::any_of(transports_.begin(), transports_.end(),
                                       [](const auto& t) { return t->dtls_state() == D::kFailed; });
  if (ice_state_ == IceConnectionState::kFailed || dtls_failed) return ConnectionState::kFailed;
  if (ice_state_ == IceConnectionState::kDisconnected) return ConnectionState::kDisconnected;
  if ((ice_state_ == IceConnectionState::kNew && all(D::kNew, D::kClosed)) || transports_.empty())
    return ConnectionState::kNew;
  const bool ice =
      ice_state_ == IceConnectionState::kConnected || ice_state_ == IceConnectionState::kCompleted;
  return ice && all(D::kConnected, D::kClosed) ? ConnectionState::kConnected
                                               : ConnectionState::kConnecting;
}

void PeerConnection::Impl::NoteGathering() {
  if (gathering_state_ == IceGatheringState::kGathering) return;
  gathering_state_ = IceGatheringState::kGathering;
  Emit(IceGatheringStateChanged{gathering_state_});
}

void PeerConnection::Impl::UpdateStates(Timestamp now) {
  if (closed_) return;
  if (const auto state = ComputeGatheringState(); state != gathering_state_) {
    gathering_state_ = state;
    if (state == IceGatheringState::kComplete) NoteFirst(timeline_.gathering_complete, now);
    Emit(IceGatheringStateChanged{state});
  }
  if (const auto state = ComputeIceState(); state != ice_state_) {
    ice_state_ = state;
    if (state == IceConnectionState::kConnected || state == IceConnectionState::kCompleted)
      NoteFirst(timeline_.ice_connected, now);
    Emit(IceConnectionStateChanged{state});
  }
  if (const auto state = ComputeConnectionState(); state != connection_state_) {
    connection_state_ = state;
    if (state == ConnectionState::kConnected) {
      NoteFirst(timeline_.connected, now);
      failure_.reset();
    }
    Emit(ConnectionStateChanged{state});
  }
}

}  // namespace rtclab::peer
