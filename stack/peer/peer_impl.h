// The inside of PeerConnection. Its functions stand in files by what they are about:
//   peer_connection.cc  the public face
//   peer_signaling.cc   descriptions and candidates, and what they make of the transports
//   peer_transports.cc  packets and events of the transports, aggregated states
//   peer_data.cc        data channels
//   peer_media.cc       transceivers and the engines' streams
//   peer_stats.cc       getStats()
#ifndef RTCLAB_STACK_PEER_PEER_IMPL_H_
#define RTCLAB_STACK_PEER_PEER_IMPL_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stack/datachannel/channel_manager.h"
#include "stack/peer/peer_connection.h"

namespace rtclab::peer {

class PeerConnection::Impl {
 public:
  Impl(PeerConfig config, ServerAddresses servers, Rng& rng, Timestamp now);

  // peer_signaling.cc
  template <typename F>
  auto Negotiate(Timestamp now, F&& call) {
    auto result = call(negotiator_);
    if (result) Sync(now);
    return result;
  }
  PeerResult<void> AddIceCandidate(Timestamp now, const IceCandidateInit& init);
  PeerResult<void> SetConfiguration(const Configuration& configuration);
  void RestartIce(Timestamp now);
  void Close(Timestamp now);
  std::optional<SessionDescriptionInit> Describe(const Description* description) const;

  // peer_transports.cc
  void AddSockets(Timestamp now, int transport, std::span<const TransportAddress> hosts);
  void HandlePacket(Timestamp now, const Datagram& packet);
  void HandleIcmp(Timestamp now, const IcmpError& error);
  void HandleTimeout(Timestamp now);
  std::optional<Transmit> PollTransmit();
  std::optional<PeerEvent> PollEvent();
  Timestamp NextTimeout() const;

  // peer_data.cc
  PeerResult<datachannel::ChannelId> CreateDataChannel(Timestamp now,
                                                       const datachannel::ChannelInit& init);
  PeerResult<void> Send(Timestamp now, datachannel::ChannelId id, bool binary, Bytes message);

  // peer_media.cc
  PeerResult<TransceiverId> AddTransceiver(Timestamp now, const MediaTrack& track,
                                           TransceiverInit init);
  PeerResult<TransceiverId> AddTrack(Timestamp now, const MediaTrack& track,
                                     std::vector<std::string> streams);
  PeerResult<void> ReplaceTrack(Timestamp now, TransceiverId sender,
                                std::optional<MediaTrack> track);
  std::optional<media::Sample> SampleMedia(Timestamp now);

  // peer_stats.cc
  StatsReport GetStats(Timestamp now) const;

 private:
  friend class PeerConnection;

  struct Sections {
    const sdp::MediaDescription* local = nullptr;
    const sdp::MediaDescription* remote = nullptr;
  };

  // peer_signaling.cc
  NegotiatorConfig MakeNegotiatorConfig() const;
  // After a description: transports, data and media become what was negotiated.
  void Sync(Timestamp now);
  void SyncTransports(Timestamp now);
  void DropTransport(Timestamp now, std::size_t index);
  PeerTransportConfig TransportConfigFor(const JsepTransport& jsep) const;
  ice::CandidatePolicy candidate_policy() const;

  // peer_transports.cc
  PeerTransport* FindTransport(int id);
  const PeerTransport* FindTransport(int id) const;
  PeerTransport* TransportOfHost(const TransportAddress& host);
  // Moves what the parts made to each other and to the outside, until nothing is left.
  void Pump(Timestamp now);
  void PumpNegotiator();
  void OnTransportEvent(Timestamp now, PeerTransport& transport, PeerTransportEvent event);
  void OnIceEvent(Timestamp now, PeerTransport& transport, IceTransportEvent event);
  void OnLocalCandidate(PeerTransport& transport, const ice::Candidate& candidate);
  void OnDtlsState(Timestamp now, PeerTransport& transport, const DtlsStateChanged& change);
  void OnMediaEvent(Timestamp now, PeerTransport& transport, media::Event event);
  void Fail(int transport, std::string reason, std::string detail);
  void UpdateStates(Timestamp now);
  // Gathering begins now, and may be over before the next look at the states.
  void NoteGathering();
  IceGatheringState ComputeGatheringState() const;
  IceConnectionState ComputeIceState() const;
  ConnectionState ComputeConnectionState() const;
  void Emit(PeerEvent event) { events_.push_back(std::move(event)); }

  // peer_data.cc
  datachannel::ManagerConfig MakeManagerConfig() const;
  void SyncData(Timestamp now);
  void StartDataIfReady(Timestamp now);
  bool PumpData(Timestamp now);
  void OnDataEvent(Timestamp now, datachannel::Event event);

  // peer_media.cc
  void SyncMedia(Timestamp now);
  void SyncMediaOf(Timestamp now, PeerTransport& transport);
  // Both descriptions' sections of a mid that the last answer was about.
  Sections NegotiatedSections(std::string_view mid) const;
  media::SendStreamConfig SendConfigOf(const Transceiver& t, const Sections& sections) const;
  media::ReceiveStreamConfig ReceiveConfigOf(const Transceiver& t, const Sections& sections) const;
  const MediaTrack* FindTrack(const std::string& id) const;
  void RememberTrack(const MediaTrack& track);

  PeerConfig config_;
  ServerAddresses servers_;
  Rng ice_rng_, dtls_rng_, sctp_rng_, media_rng_, jsep_rng_;
  dtls::Certificate certificate_;
  Negotiator negotiator_;
  std::vector<std::unique_ptr<PeerTransport>> transports_;
  // Closed transports that still have something to send.
  std::vector<std::unique_ptr<PeerTransport>> closing_;
  std::vector<MediaTrack> tracks_;

  std::unique_ptr<datachannel::ChannelManager> data_;
  std::vector<datachannel::ChannelInit>
      created_channels_;                // before the association's ports were known
  std::optional<SctpParameters> sctp_;  // in force
  bool data_started_ = false;

  IceGatheringState gathering_state_ = IceGatheringState::kNew;
  IceConnectionState ice_state_ = IceConnectionState::kNew;
  ConnectionState connection_state_ = ConnectionState::kNew;
  bool closed_ = false;
  Timeline timeline_;
  std::optional<ConnectionFailed> failure_;
  std::deque<PeerEvent> events_;
};

}  // namespace rtclab::peer

#endif  // RTCLAB_STACK_PEER_PEER_IMPL_H_
