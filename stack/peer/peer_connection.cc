#include "stack/peer/peer_connection.h"

#include <algorithm>
#include <utility>

#include "stack/base/check.h"
#include "stack/peer/peer_impl.h"

namespace rtclab::peer {
namespace {

PeerResult<ServerAddresses> AllServers(const PeerConfig& config) {
  auto servers = ResolveServers(config.configuration.ice_servers);
  if (!servers) return servers;
  servers->stun.insert(servers->stun.end(), config.stun_servers.begin(), config.stun_servers.end());
  servers->turn.insert(servers->turn.end(), config.turn_servers.begin(), config.turn_servers.end());
  return servers;
}

ServerAddresses SoundServers(const PeerConfig& config) {
  auto servers = AllServers(config);
  CHECK(servers.has_value());
  return std::move(*servers);
}

}  // namespace

PeerConnection::PeerConnection(PeerConfig config, Rng& rng, Timestamp now) {
  ServerAddresses servers = SoundServers(config);
  impl_ = std::make_unique<Impl>(std::move(config), std::move(servers), rng, now);
}

PeerConnection::~PeerConnection() = default;

PeerResult<std::unique_ptr<PeerConnection>> PeerConnection::Create(PeerConfig config, Rng& rng,
                                                                   Timestamp now) {
  if (const auto servers = AllServers(config); !servers) return tl::unexpected(servers.error());
  return std::make_unique<PeerConnection>(std::move(config), rng, now);
}

// --- Signalling ----------------------------------------------------------------------------------

PeerResult<SessionDescriptionInit> PeerConnection::CreateOffer(Timestamp,
                                                               const OfferOptions& options) {
  return impl_->negotiator_.CreateOffer(options);
}

PeerResult<SessionDescriptionInit> PeerConnection::CreateAnswer(Timestamp) {
  return impl_->negotiator_.CreateAnswer();
}

PeerResult<void> PeerConnection::SetLocalDescription(Timestamp now) {
  return impl_->Negotiate(now, [](Negotiator& n) { return n.SetLocalDescription(); });
}

PeerResult<void> PeerConnection::SetLocalDescription(Timestamp now,
                                                     const SessionDescriptionInit& description) {
  return impl_->Negotiate(now, [&description](Negotiator& n) {
    return n.SetLocalDescription(description.type, description.sdp);
  });
}

PeerResult<void> PeerConnection::SetRemoteDescription(Timestamp now,
                                                      const SessionDescriptionInit& description) {
  const SignalingState before = signaling_state();
  auto done = impl_->Negotiate(now, [&description](Negotiator& n) {
    return n.SetRemoteDescription(description.type, description.sdp);
  });
  // An offer that turned out to be unsound may have rolled ours back all the same.
  if (!done && signaling_state() != before) impl_->Sync(now);
  return done;
}

PeerResult<void> PeerConnection::AddIceCandidate(Timestamp now, const IceCandidateInit& candidate) {
  return impl_->AddIceCandidate(now, candidate);
}

void PeerConnection::RestartIce(Timestamp now) { impl_->RestartIce(now); }

PeerResult<void> PeerConnection::SetConfiguration(Timestamp, const Configuration& configuration) {
  return impl_->SetConfiguration(configuration);
}

const Configuration& PeerConnection::configuration() const { return impl_->config_.configuration; }

void PeerConnection::Close(Timestamp now) { impl_->Close(now); }

std::optional<SessionDescriptionInit> PeerConnection::local_description() const {
  return impl_->Describe(impl_->negotiator_.local());
}
std::optional<SessionDescriptionInit> PeerConnection::remote_description() const {
  return impl_->Describe(impl_->negotiator_.remote());
}
std::optional<SessionDescriptionInit> PeerConnection::current_local_description() const {
  return impl_->Describe(impl_->negotiator_.current_local());
}
std::optional<SessionDescriptionInit> PeerConnection::current_remote_description() const {
  return impl_->Describe(impl_->negotiator_.current_remote());
}
std::optional<SessionDescriptionInit> PeerConnection::pending_local_description() const {
  return impl_->Describe(impl_->negotiator_.pending_local());
}
std::optional<SessionDescriptionInit> PeerConnection::pending_remote_description() const {
  return impl_->Describe(impl_->negotiator_.pending_remote());
}

SignalingState PeerConnection::signaling_state() const {
  return impl_->negotiator_.signaling_state();
}
IceGatheringState PeerConnection::ice_gathering_state() const { return impl_->gathering_state_; }
IceConnectionState PeerConnection::ice_connection_state() const { return impl_->ice_state_; }
ConnectionState PeerConnection::connection_state() const { return impl_->connection_state_; }
std::optional<bool> PeerConnection::can_trickle_ice_candidates() const {
  return impl_->negotiator_.can_trickle();
}

// --- Media ---------------------------------------------------------------------------------------

PeerResult<TransceiverId> PeerConnection::AddTransceiver(Timestamp now, MediaKind kind,
                                                         const TransceiverInit& init) {
  auto id = impl_->negotiator_.AddTransceiver(kind, init);
  impl_->Pump(now);
  return id;
}
PeerResult<TransceiverId> PeerConnection::AddTransceiver(Timestamp now, const MediaTrack& track,
                                                         TransceiverInit init) {
  return impl_->AddTransceiver(now, track, std::move(init));
}
PeerResult<TransceiverId> PeerConnection::AddTrack(Timestamp now, const MediaTrack& track,
                                                   std::vector<std::string> streams) {
  return impl_->AddTrack(now, track, std::move(streams));
}
PeerResult<void> PeerConnection::RemoveTrack(Timestamp now, TransceiverId sender) {
  return impl_->Negotiate(now, [sender](Negotiator& n) { return n.RemoveTrack(sender); });
}
PeerResult<void> PeerConnection::ReplaceTrack(Timestamp now, TransceiverId sender,
                                              std::optional<MediaTrack> track) {
  return impl_->ReplaceTrack(now, sender, std::move(track));
}
PeerResult<void> PeerConnection::SetStreams(Timestamp, TransceiverId sender,
                                            std::vector<std::string> streams) {
  return impl_->negotiator_.SetStreams(sender, std::move(streams));
}
PeerResult<void> PeerConnection::SetDirection(Timestamp, TransceiverId id, Direction direction) {
  return impl_->negotiator_.SetDirection(id, direction);
}
PeerResult<void> PeerConnection::StopTransceiver(Timestamp now, TransceiverId id) {
  return impl_->Negotiate(now, [id](Negotiator& n) { return n.Stop(id); });
}
PeerResult<void> PeerConnection::SetCodecPreferences(TransceiverId id,
                                                     std::vector<CodecPreference> codecs) {
  return impl_->negotiator_.SetCodecPreferences(id, std::move(codecs));
}
PeerResult<void> PeerConnection::SetEncodings(Timestamp now, TransceiverId sender,
                                              const std::vector<EncodingParameters>& encodings) {
  return impl_->Negotiate(now, [&](Negotiator& n) { return n.SetEncodings(sender, encodings); });
}
const std::vector<Transceiver>& PeerConnection::transceivers() const {
  return impl_->negotiator_.transceivers();
}
const Transceiver* PeerConnection::transceiver(TransceiverId id) const {
  return impl_->negotiator_.FindTransceiver(id);
}

// --- Data ----------------------------------------------------------------------------------------

PeerResult<datachannel::ChannelId> PeerConnection::CreateDataChannel(
    Timestamp now, const datachannel::ChannelInit& init) {
  return impl_->CreateDataChannel(now, init);
}
PeerResult<void> PeerConnection::Send(Timestamp now, datachannel::ChannelId id, bool binary,
                                      Bytes message) {
  return impl_->Send(now, id, binary, std::move(message));
}
void PeerConnection::CloseDataChannel(Timestamp now, datachannel::ChannelId id) {
  if (impl_->data_ == nullptr || impl_->closed_) return;
  impl_->data_->Close(now, id);
  impl_->Pump(now);
}
void PeerConnection::ReleaseDataChannel(datachannel::ChannelId id) {
  if (impl_->data_ != nullptr) impl_->data_->Release(id);
}
datachannel::ChannelState PeerConnection::channel_state(datachannel::ChannelId id) const {
  return impl_->closed_ ? datachannel::ChannelState::kClosed : impl_->data_->state(id);
}
const datachannel::ChannelInit& PeerConnection::channel_init(datachannel::ChannelId id) const {
  return impl_->data_->init(id);
}
std::optional<uint16_t> PeerConnection::channel_stream_id(datachannel::ChannelId id) const {
  return impl_->data_->stream_id(id);
}
datachannel::ChannelStats PeerConnection::channel_stats(datachannel::ChannelId id) const {
  return impl_->data_->stats(id);
}
uint64_t PeerConnection::buffered_amount(datachannel::ChannelId id) const {
  return impl_->data_->buffered_amount(id);
}
void PeerConnection::SetBufferedAmountLowThreshold(datachannel::ChannelId id, uint64_t bytes) {
  impl_->data_->SetBufferedAmountLowThreshold(id, bytes);
}
const sctp::Association* PeerConnection::association() const {
  return impl_->data_ == nullptr ? nullptr : &impl_->data_->association();
}
std::optional<uint64_t> PeerConnection::max_message_size() const {
  return impl_->data_ == nullptr ? std::nullopt : impl_->data_->max_message_size();
}

// --- The sans-IO shape ---------------------------------------------------------------------------

void PeerConnection::AddSockets(Timestamp now, int transport,
                                std::span<const TransportAddress> hosts) {
  impl_->AddSockets(now, transport, hosts);
}
void PeerConnection::HandlePacket(Timestamp now, const Datagram& packet) {
  impl_->HandlePacket(now, packet);
}
void PeerConnection::HandleIcmp(Timestamp now, const IcmpError& error) {
  impl_->HandleIcmp(now, error);
}
void PeerConnection::HandleTimeout(Timestamp now) { impl_->HandleTimeout(now); }
std::optional<Transmit> PeerConnection::PollTransmit() { return impl_->PollTransmit(); }
std::optional<PeerEvent> PeerConnection::PollEvent() { return impl_->PollEvent(); }
Timestamp PeerConnection::NextTimeout() const { return impl_->NextTimeout(); }

// --- What it knows -------------------------------------------------------------------------------

StatsReport PeerConnection::GetStats(Timestamp now) const { return impl_->GetStats(now); }
const Timeline& PeerConnection::timeline() const { return impl_->timeline_; }
const std::optional<ConnectionFailed>& PeerConnection::failure() const { return impl_->failure_; }
std::optional<media::Sample> PeerConnection::SampleMedia(Timestamp now) {
  return impl_->SampleMedia(now);
}
std::vector<int> PeerConnection::transports() const {
  std::vector<int> ids;
  for (const auto& t : impl_->transports_) ids.push_back(t->id());
  return ids;
}
const PeerTransport* PeerConnection::transport(int id) const { return impl_->FindTransport(id); }
const dtls::Certificate& PeerConnection::certificate() const { return impl_->certificate_; }

}  // namespace rtclab::peer
