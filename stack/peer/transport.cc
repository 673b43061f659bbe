#include "stack/peer/transport.h"

#include <algorithm>
#include <utility>

#include "stack/base/overloaded.h"
#include "stack/stun/demux.h"

namespace rtclab::peer {
namespace {

// A ClientHello may come in several datagrams, and again, before the answer is here.
constexpr std::size_t kMaxEarlyDtls = 16;
constexpr std::size_t kMaxUnsentDtls = 16;
constexpr std::size_t kIpv4Header = 20, kIpv6Header = 40, kUdpHeader = 8, kChannelData = 4;

std::vector<dtls::Fingerprint> ToDtls(const std::vector<sdp::Fingerprint>& list) {
  std::vector<dtls::Fingerprint> out;
  out.reserve(list.size());
  for (const sdp::Fingerprint& f : list) out.push_back({f.algorithm, f.value});
  return out;
}

}  // namespace

PeerTransport::PeerTransport(PeerTransportConfig config, Randoms randoms)
    : config_(std::move(config)),
      randoms_(randoms),
      ice_(config_.ice, randoms.ice),
      used_ufrags_{ice_.agent().local_credentials().ufrag} {}

void PeerTransport::Gather(Timestamp now, std::span<const TransportAddress> hosts) {
  hosts_.insert(hosts_.end(), hosts.begin(), hosts.end());
  gathering_ = true;
  ice_.Gather(now, hosts);
  Pump(now);
}

void PeerTransport::SetServers(ice::CandidatePolicy policy,
                               std::vector<TransportAddress> stun_servers,
                               std::vector<TurnServer> turn_servers) {
  ice_.SetServers(policy, std::move(stun_servers), std::move(turn_servers));
}

void PeerTransport::Apply(Timestamp now, const JsepTransport& jsep,
                          const Negotiator::RemoteCandidates& candidates, bool has_media) {
  ApplyIce(now, jsep, candidates);
  ApplyDtls(now, jsep, has_media);
  Pump(now);
}

bool PeerTransport::WouldRestart(const JsepTransport& jsep) const {
  return std::find(used_ufrags_.begin(), used_ufrags_.end(), jsep.local.ufrag) ==
         used_ufrags_.end();
}

void PeerTransport::ApplyIce(Timestamp now, const JsepTransport& jsep,
                             const Negotiator::RemoteCandidates& candidates) {
  // Credentials from before are those of a restart that was rolled back: the agent answers to both.
  if (WouldRestart(jsep)) {
    used_ufrags_.push_back(jsep.local.ufrag);
    gathering_ = !hosts_.empty();
    ice_.Restart(now, jsep.local);
  }
  if (jsep.remote.ufrag.empty()) return;
  if (jsep.remote != applied_remote_) {
    ice::RemoteParameters remote;
    remote.credentials = jsep.remote;
    remote.lite = jsep.remote_lite;
    remote.ta = jsep.remote_pacing;
    // The negotiator has checked the credentials' shape with the description.
    if (!ice_.SetRemoteParameters(now, remote)) return;
    applied_remote_ = jsep.remote;
  }
  for (const std::string& line : candidates.lines) {
    auto candidate = ice::ParseCandidate(line);
    if (!candidate) continue;
    if (candidate->ufrag.empty()) candidate->ufrag = jsep.remote.ufrag;
    ice_.AddRemoteCandidate(now, *candidate);
  }
  if (candidates.end && ended_ufrag_ != jsep.remote.ufrag) {
    ended_ufrag_ = jsep.remote.ufrag;
    ice_.EndOfRemoteCandidates(now, jsep.remote.ufrag);
  }
}

void PeerTransport::ApplyDtls(Timestamp now, const JsepTransport& jsep, bool has_media) {
  if (!jsep.dtls_client) return;
  if (dtls_ != nullptr && jsep.dtls_generation != dtls_generation_) {
    dtls_.reset();
    dtls_is_started_ = false;
    connected_.reset();
    protect_.reset();
    unprotect_.reset();
    unsent_dtls_.clear();
    SetDtlsState(DtlsTransportState::kNew);
    UpdateNetwork(now);
  }
  if (dtls_ == nullptr) {
    dtls_generation_ = jsep.dtls_generation;
    fingerprints_ = jsep.remote_fingerprints;
    dtls::TransportConfig config = config_.dtls;
    config.role = *jsep.dtls_client ? dtls::Role::kClient : dtls::Role::kServer;
    config.remote_fingerprints = ToDtls(jsep.remote_fingerprints);
    config.srtp_required = has_media;
    dtls_ = std::make_unique<dtls::Transport>(std::move(config), randoms_.dtls);
  }
  MaybeStartDtls(now);
}

ice::AddResult PeerTransport::AddRemoteCandidate(Timestamp now, const ice::Candidate& candidate) {
  const ice::AddResult result = ice_.AddRemoteCandidate(now, candidate);
  Pump(now);
  return result;
}

void PeerTransport::EndOfRemoteCandidates(Timestamp now, std::string_view ufrag) {
  ended_ufrag_ = ufrag.empty() ? applied_remote_.ufrag : std::string(ufrag);
  ice_.EndOfRemoteCandidates(now, ufrag);
  Pump(now);
}

media::Engine& PeerTransport::EnsureEngine(Timestamp now, const media::EngineConfig& config) {
  if (engine_ == nullptr) {
    media::EngineConfig with_overhead = config;
    const std::size_t tag = protect_ ? protect_->rtp_overhead() : 16;
    with_overhead.overhead_per_packet =
        DataSize::Bytes(static_cast<int64_t>(packet_overhead_ + tag));
    engine_ = std::make_unique<media::Engine>(std::move(with_overhead), randoms_.media);
    network_available_ = false;
    UpdateNetwork(now);
  }
  return *engine_;
}

void PeerTransport::SetEncryptedExtensions(EncryptedExtensions ids) {
  for (auto* list : {&ids.to_peer, &ids.from_peer}) {
    std::sort(list->begin(), list->end());
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
  if (ids == encrypted_extensions_) return;
  encrypted_extensions_ = std::move(ids);
  if (protect_) protect_->SetEncryptedExtensions(encrypted_extensions_.to_peer);
  if (unprotect_) unprotect_->SetEncryptedExtensions(encrypted_extensions_.from_peer);
}

bool PeerTransport::IsWritable() const {
  const ice::AgentState state = ice_state();
  return state == ice::AgentState::kConnected || state == ice::AgentState::kCompleted ||
         state == ice::AgentState::kDisconnected || !agent().valid_pairs().empty();
}

void PeerTransport::MaybeStartDtls(Timestamp now) {
  if (dtls_ == nullptr || dtls_is_started_ || !IsWritable()) return;
  dtls_is_started_ = true;
  if (!dtls_started_) dtls_started_ = now;
  SetDtlsState(DtlsTransportState::kConnecting);
  dtls_->Start(now);
  for (const Bytes& datagram : std::exchange(early_dtls_, {})) dtls_->HandlePacket(now, datagram);
}

void PeerTransport::SetDtlsState(DtlsTransportState state, std::string reason, std::string detail) {
  if (state == dtls_state_) return;
  dtls_state_ = state;
  events_.emplace_back(DtlsStateChanged{state, std::move(reason), std::move(detail)});
}

void PeerTransport::UpdateNetwork(Timestamp now) {
  if (engine_ == nullptr) return;
  const ice::AgentState state = ice_state();
  const bool available = protect_.has_value() && state != ice::AgentState::kFailed &&
                         state != ice::AgentState::kClosed;
  if (available == network_available_) return;
  network_available_ = available;
  engine_->SetNetworkAvailable(now, available);
}

bool PeerTransport::SendData(Timestamp now, ByteView packet) {
  if (dtls_ == nullptr || !dtls_->Send(now, packet)) return false;
  PumpDtls(now);
  return true;
}

void PeerTransport::Close(Timestamp now) {
  if (closed_) return;
  if (engine_ != nullptr) {
    engine_->Stop(now);
    Pump(now);
  }
  if (dtls_ != nullptr) {
    dtls_->Close(now);
    PumpDtls(now);
  }
  closed_ = true;
  ice_.Close(now);
  dtls_state_ = DtlsTransportState::kClosed;
  events_.clear();
}

// --- Packets -------------------------------------------------------------------------------------

void PeerTransport::HandlePacket(Timestamp now, const Datagram& packet) {
  ice_.HandlePacket(now, packet);
  Pump(now);
}

void PeerTransport::HandleIcmp(Timestamp now, const IcmpError& error) {
  ice_.HandleIcmp(now, error);
  Pump(now);
}

void PeerTransport::HandleTimeout(Timestamp now) {
  if (ice_.NextTimeout() <= now) ice_.HandleTimeout(now);
  if (!closed_) {
    if (dtls_ != nullptr && dtls_->NextTimeout() <= now) dtls_->HandleTimeout(now);
    if (engine_ != nullptr && engine_->NextTimeout() <= now) engine_->HandleTimeout(now);
  }
  Pump(now);
}

Timestamp PeerTransport::NextTimeout() const {
  Timestamp next = ice_.NextTimeout();
  if (closed_) return next;
  if (dtls_ != nullptr) next = std::min(next, dtls_->NextTimeout());
  if (engine_ != nullptr) next = std::min(next, engine_->NextTimeout());
  return next;
}

std::optional<PeerTransportEvent> PeerTransport::PollEvent() {
  if (events_.empty()) return std::nullopt;
  PeerTransportEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void PeerTransport::Pump(Timestamp now) {
  bool progress = true;
  while (progress) {
    progress = false;
    while (auto event = ice_.PollEvent()) {
      OnIceEvent(now, std::move(*event));
      progress = true;
    }
    if (closed_) return;
    if (PumpDtls(now)) progress = true;
    if (PumpEngine(now)) progress = true;
  }
}

bool PeerTransport::PumpDtls(Timestamp now) {
  bool progress = false;
  while (auto datagram = dtls_ != nullptr ? dtls_->PollTransmit() : std::nullopt) {
    SendDtls(now, std::move(*datagram));
    progress = true;
  }
  while (auto event = dtls_ != nullptr ? dtls_->PollEvent() : std::nullopt) {
    OnDtlsEvent(now, std::move(*event));
    progress = true;
  }
  return progress;
}

bool PeerTransport::PumpEngine(Timestamp now) {
  bool progress = false;
  while (auto packet = engine_ != nullptr ? engine_->PollTransmit() : std::nullopt) {
    progress = true;
    if (!protect_) continue;
    const auto done =
        packet->rtcp ? protect_->ProtectRtcp(packet->bytes) : protect_->Protect(packet->bytes);
    if (!done) {
      ++counters_.srtp_other_failures;
      continue;
    }
    if (!packet->rtcp && !first_media_sent_) first_media_sent_ = now;
    SendOut(now, packet->bytes);
  }
  while (auto event = engine_ != nullptr ? engine_->PollEvent() : std::nullopt) {
    events_.emplace_back(std::move(*event));
    progress = true;
  }
  return progress;
}

void PeerTransport::SendOut(Timestamp now, ByteView packet) {
  if (!ice_.Send(now, packet)) return;
  ++counters_.packets_sent;
  counters_.bytes_sent += packet.size();
}

void PeerTransport::SendDtls(Timestamp now, Bytes datagram) {
  if (ice_.Send(now, datagram)) {
    ++counters_.packets_sent;
    counters_.bytes_sent += datagram.size();
  } else if (unsent_dtls_.size() < kMaxUnsentDtls) {
    // The peer's first flight may be here before our own check is answered: the answer to it waits for the pair.
    unsent_dtls_.push_back(std::move(datagram));
  }
}

void PeerTransport::OnIceEvent(Timestamp now, IceTransportEvent event) {
  if (auto* data = std::get_if<ice::DataReceived>(&event)) {
    if (!closed_) OnPacket(now, std::move(data->payload));
    return;
  }
  if (closed_) return;
  if (std::holds_alternative<ice::GatheringComplete>(event)) gathering_ = false;
  if (const auto* selected = std::get_if<ice::SelectedPairChanged>(&event))
    OnSelectedPair(now, selected->pair);
  const bool path = std::holds_alternative<ice::PairValid>(event) ||
                    std::holds_alternative<ice::StateChanged>(event) ||
                    std::holds_alternative<ice::SelectedPairChanged>(event);
  events_.emplace_back(std::move(event));
  if (!path) return;
  MaybeStartDtls(now);
  while (!unsent_dtls_.empty() && ice_.Send(now, unsent_dtls_.front())) {
    ++counters_.packets_sent;
    counters_.bytes_sent += unsent_dtls_.front().size();
    unsent_dtls_.pop_front();
  }
  UpdateNetwork(now);
}

void PeerTransport::OnSelectedPair(Timestamp now, const ice::CandidatePair& pair) {
  ++selected_pair_changes_;
  packet_overhead_ = (pair.local.base.ip.IsV6() ? kIpv6Header : kIpv4Header) + kUdpHeader +
                     (pair.local.type == ice::CandidateType::kRelayed ? kChannelData : 0);
  if (engine_ == nullptr) return;
  const std::size_t tag = protect_ ? protect_->rtp_overhead() : 16;
  engine_->SetOverhead(now, DataSize::Bytes(static_cast<int64_t>(packet_overhead_ + tag)));
  if (selected_pair_changes_ > 1) engine_->OnPathChanged(now);
}

void PeerTransport::OnPacket(Timestamp now, Bytes payload) {
  ++counters_.packets_received;
  counters_.bytes_received += payload.size();
  switch (stun::Classify(payload)) {
    case stun::PacketKind::kDtls:
      if (dtls_is_started_) {
        dtls_->HandlePacket(now, payload);
      } else if (early_dtls_.size() < kMaxEarlyDtls) {
        early_dtls_.push_back(std::move(payload));
      } else {
        ++counters_.early_dropped;
      }
      return;
    case stun::PacketKind::kRtp:
      OnMedia(now, std::move(payload), false);
      return;
    case stun::PacketKind::kRtcp:
      OnMedia(now, std::move(payload), true);
      return;
    case stun::PacketKind::kStun:
    case stun::PacketKind::kZrtp:
    case stun::PacketKind::kChannelData:
    case stun::PacketKind::kUnknown:
      ++counters_.unknown_packets;
  }
}

void PeerTransport::OnMedia(Timestamp now, Bytes packet, bool rtcp) {
  if (!unprotect_ || engine_ == nullptr) {
    ++counters_.media_without_keys;
    return;
  }
  const auto done = rtcp ? unprotect_->UnprotectRtcp(packet) : unprotect_->Unprotect(packet);
  if (!done) {
    const std::string& why = done.error().reason;
    if (why == srtp::reason::kAuthFail) {
      ++counters_.srtp_auth_failures;
    } else if (why == srtp::reason::kReplay || why == srtp::reason::kReplayOld) {
      ++counters_.srtp_replays;
    } else {
      ++counters_.srtp_other_failures;
    }
    return;
  }
  if (rtcp) {
    engine_->HandleRtcp(now, packet);
    return;
  }
  if (!first_media_received_) first_media_received_ = now;
  engine_->HandleRtp(now, packet);
}

// --- DTLS ----------------------------------------------------------------------------------------

void PeerTransport::OnDtlsEvent(Timestamp now, dtls::TransportEvent event) {
  std::visit(
      Overloaded{
          [&](dtls::Connected& e) { OnDtlsConnected(now, std::move(e)); },
          [&](dtls::Failed& e) {
            protect_.reset();
            unprotect_.reset();
            UpdateNetwork(now);
            SetDtlsState(DtlsTransportState::kFailed, std::string(e.reason), std::move(e.detail));
          },
          [&](dtls::DataReceived& e) { events_.emplace_back(DataPacket{std::move(e.payload)}); },
          [&](dtls::Closed& e) {
            protect_.reset();
            unprotect_.reset();
            UpdateNetwork(now);
            SetDtlsState(DtlsTransportState::kClosed, e.by_peer ? "closed-by-peer" : "");
          },
          [&](dtls::KeyLogLine& e) { events_.emplace_back(std::move(e)); },
      },
      event);
}

void PeerTransport::OnDtlsConnected(Timestamp now, dtls::Connected connected) {
  if (connected.srtp) {
    const auto profile = static_cast<uint16_t>(connected.srtp->profile);
    auto out = srtp::Session::Create(profile, connected.srtp->local_key, connected.srtp->local_salt,
                                     srtp::Direction::kSend,
                                     {.encrypted_extensions = encrypted_extensions_.to_peer});
    auto in = srtp::Session::Create(profile, connected.srtp->remote_key,
                                    connected.srtp->remote_salt, srtp::Direction::kReceive,
                                    {.encrypted_extensions = encrypted_extensions_.from_peer});
    if (!out || !in) {
      SetDtlsState(DtlsTransportState::kFailed, "srtp-keys", "SRTP does not take the keys");
      return;
    }
    protect_.emplace(std::move(*out));
    unprotect_.emplace(std::move(*in));
    if (engine_ != nullptr) {
      engine_->SetOverhead(
          now, DataSize::Bytes(static_cast<int64_t>(packet_overhead_ + protect_->rtp_overhead())));
    }
  }
  connected_ = std::move(connected);
  SetDtlsState(DtlsTransportState::kConnected);
  UpdateNetwork(now);
}

}  // namespace rtclab::peer
