// Descriptions and candidates, and what they make of the transports.
#include <algorithm>
#include <utility>

#include "stack/peer/peer_impl.h"

namespace rtclab::peer {

PeerConnection::Impl::Impl(PeerConfig config, ServerAddresses servers, Rng& rng, Timestamp now)
    : config_(std::move(config)),
      servers_(std::move(servers)),
      ice_rng_(rng.NextU64()),
      dtls_rng_(rng.NextU64()),
      sctp_rng_(rng.NextU64()),
      media_rng_(rng.NextU64()),
      jsep_rng_(rng.NextU64()),
      certificate_(config_.certificate ? *config_.certificate
                                       : dtls::Certificate::Generate(dtls_rng_, now)),
      negotiator_(MakeNegotiatorConfig(), jsep_rng_) {}

NegotiatorConfig PeerConnection::Impl::MakeNegotiatorConfig() const {
  NegotiatorConfig config;
  config.capabilities = config_.capabilities;
  config.bundle_policy = config_.configuration.bundle_policy;
  config.bundle = config_.bundle;
  config.accept_simulcast = config_.accept_simulcast;
  config.answer_active = config_.answer_active;
  config.ice_lite = config_.ice.lite;
  // RFC 8839 section 5.5: only what differs from the default of 50 ms is said.
  if (config_.ice.ta != TimeDelta::Millis(50)) config.ice_pacing = config_.ice.ta;
  const dtls::Fingerprint fingerprint = certificate_.fingerprint();
  config.fingerprints = {{fingerprint.algorithm, fingerprint.value}};
  config.sctp_port = config_.sctp.local_port;
  config.max_message_size = config_.max_message_size;
  config.cname = config_.media.cname;
  return config;
}

std::optional<SessionDescriptionInit> PeerConnection::Impl::Describe(
    const Description* description) const {
  if (description == nullptr) return std::nullopt;
  return SessionDescriptionInit{description->type, sdp::Serialize(description->sdp)};
}

ice::CandidatePolicy PeerConnection::Impl::candidate_policy() const {
  return config_.configuration.ice_transport_policy == IceTransportPolicy::kRelay
             ? ice::CandidatePolicy::kRelayOnly
             : config_.ice.policy;
}

PeerTransportConfig PeerConnection::Impl::TransportConfigFor(const JsepTransport& jsep) const {
  PeerTransportConfig config;
  config.id = jsep.id;
  config.ice.agent = config_.ice;
  config.ice.agent.role = jsep.controlling ? ice::Role::kControlling : ice::Role::kControlled;
  config.ice.agent.streams = {1};
  config.ice.agent.credentials = jsep.local;
  config.ice.agent.policy = candidate_policy();
  config.ice.stun_servers = servers_.stun;
  config.ice.turn_servers = servers_.turn;
  config.dtls.certificate = &certificate_;
  config.dtls.srtp_profiles = config_.srtp_profiles;
  config.dtls.mtu = config_.dtls_mtu;
  config.dtls.initial_retransmission = config_.dtls_retransmission;
  config.dtls.handshake_timeout = config_.dtls_handshake_timeout;
  config.dtls.key_log = config_.key_log;
  config.dtls.randomness = config_.randomness;
  // One record carries one SCTP packet.
  const std::size_t packet = std::max(config_.sctp.mtu, config_.sctp.max_probed_mtu);
  config.dtls.max_data_size = std::max(config.dtls.max_data_size, packet);
  return config;
}

void PeerConnection::Impl::Sync(Timestamp now) {
  if (closed_) return;
  PumpNegotiator();
  SyncTransports(now);
  SyncData(now);
  SyncMedia(now);
  UpdateStates(now);
  Pump(now);
}

void PeerConnection::Impl::SyncTransports(Timestamp now) {
  for (std::size_t i = transports_.size(); i-- > 0;) {
    if (negotiator_.FindTransport(transports_[i]->id()) == nullptr) DropTransport(now, i);
  }
  for (const JsepTransport& jsep : negotiator_.transports()) {
    PeerTransport* transport = FindTransport(jsep.id);
    if (transport == nullptr) {
      transports_.push_back(std::make_unique<PeerTransport>(
          TransportConfigFor(jsep), PeerTransport::Randoms{ice_rng_, dtls_rng_, media_rng_}));
      transport = transports_.back().get();
      Emit(SocketsWanted{jsep.id});
    }
    const bool has_media =
        std::any_of(jsep.mids.begin(), jsep.mids.end(), [this](const std::string& mid) {
          return !negotiator_.sctp() || negotiator_.sctp()->mid != mid;
        });
    transport->SetServers(candidate_policy(), servers_.stun, servers_.turn);
    if (transport->WouldRestart(jsep)) NoteGathering();
    transport->Apply(now, jsep, negotiator_.remote_candidates(jsep), has_media);
  }
}

void PeerConnection::Impl::DropTransport(Timestamp now, std::size_t index) {
  std::unique_ptr<PeerTransport> transport = std::move(transports_[index]);
  transports_.erase(transports_.begin() + static_cast<std::ptrdiff_t>(index));
  transport->Close(now);
  Emit(SocketsReleased{transport->id(), transport->hosts()});
  closing_.push_back(std::move(transport));
}

PeerResult<void> PeerConnection::Impl::AddIceCandidate(Timestamp now,
                                                       const IceCandidateInit& init) {
  const auto target = negotiator_.AddRemoteCandidate(init);
  if (!target) return tl::unexpected(target.error());
  for (const auto& transport : transports_) {
    if (!target->all && transport->id() != target->transport) continue;
    if (target->end) {
      transport->EndOfRemoteCandidates(now, target->ufrag);
    } else if (auto candidate = ice::ParseCandidate(init.candidate)) {
      if (candidate->ufrag.empty()) candidate->ufrag = target->ufrag;
      transport->AddRemoteCandidate(now, *candidate);
    }
  }
  Pump(now);
  return {};
}

PeerResult<void> PeerConnection::Impl::SetConfiguration(const Configuration& configuration) {
  if (closed_) return Reject(ErrorName::kInvalidStateError, "the connection is closed");
  if (configuration.bundle_policy != config_.configuration.bundle_policy)
    return Reject(ErrorName::kInvalidModificationError, "the bundle policy may not change");
  auto servers = ResolveServers(configuration.ice_servers);
  if (!servers) return tl::unexpected(servers.error());
  servers->stun.insert(servers->stun.end(), config_.stun_servers.begin(),
                       config_.stun_servers.end());
  servers->turn.insert(servers->turn.end(), config_.turn_servers.begin(),
                       config_.turn_servers.end());
  const auto same_turn = [](const TurnServer& a, const TurnServer& b) {
    return a.address == b.address && a.username == b.username && a.password == b.password;
  };
  const bool changed =
      configuration.ice_transport_policy != config_.configuration.ice_transport_policy ||
      servers->stun != servers_.stun || servers->turn.size() != servers_.turn.size() ||
      !std::equal(servers->turn.begin(), servers->turn.end(), servers_.turn.begin(), same_turn);
  servers_ = std::move(*servers);
  config_.configuration = configuration;
  if (changed) negotiator_.IceConfigurationChanged();
  for (const auto& transport : transports_)
    transport->SetServers(candidate_policy(), servers_.stun, servers_.turn);
  return {};
}

void PeerConnection::Impl::RestartIce(Timestamp now) {
  negotiator_.RestartIce();
  Pump(now);
}

void PeerConnection::Impl::Close(Timestamp now) {
  // webrtc-pc section 4.4.1.9: no events, but what the peers and servers have to be told is sent.
  if (closed_) return;
  negotiator_.Close();
  if (data_ != nullptr) {
    data_->Abort(now, "closed");
    PumpData(now);
  }
  closed_ = true;
  for (const auto& transport : transports_) transport->Close(now);
  gathering_state_ = ComputeGatheringState();
  ice_state_ = IceConnectionState::kClosed;
  connection_state_ = ConnectionState::kClosed;
  events_.clear();
}

}  // namespace rtclab::peer
