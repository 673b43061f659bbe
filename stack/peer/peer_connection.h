// The W3C's RTCPeerConnection over the protocols of this folder's neighbours, sans-IO: signalling (JSEP), ICE with STUN and
// TURN, DTLS, SRTP, SCTP with data channels, and media. It is the only room that knows them together.
//
//   PeerConnection pc(config, rng, now);
//   pc.AddTrack(now, MediaTrack::Video("camera"));
//   auto channel = pc.CreateDataChannel(now, {.label = "chat"});
//   // then, driven as stack/base/sans_io.h says:
//   //   SocketsWanted{transport}:  bind sockets, pc.AddSockets(now, transport, addresses)
//   //   NegotiationNeeded:         pc.SetLocalDescription(now); send pc.local_description() to the peer
//   //   IceCandidate:              send it to the peer, which gives it to AddIceCandidate()
//
// Methods that are asynchronous in the W3C's text succeed or fail at once here, so the operations chain is always empty. What
// the text does in queued tasks comes from PollEvent().
#ifndef RTCLAB_STACK_PEER_PEER_CONNECTION_H_
#define RTCLAB_STACK_PEER_PEER_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "stack/base/datagram.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/datachannel/channel.h"
#include "stack/media/engine.h"
#include "stack/peer/configuration.h"
#include "stack/peer/negotiation/negotiator.h"
#include "stack/peer/stats.h"
#include "stack/peer/timeline.h"
#include "stack/peer/transport.h"
#include "stack/peer/types.h"

namespace rtclab::sctp {
class Association;
}  // namespace rtclab::sctp

namespace rtclab::peer {

// A MediaStreamTrack with the model that stands where its camera or microphone would be.
struct MediaTrack {
  std::string id;
  std::variant<media::AudioModelConfig, media::VideoModelConfig> source;

  static MediaTrack Audio(std::string id, const media::AudioModelConfig& model = {}) {
    return {std::move(id), model};
  }
  static MediaTrack Video(std::string id, media::VideoModelConfig model = {}) {
    return {std::move(id), std::move(model)};
  }
  MediaKind kind() const { return source.index() == 0 ? MediaKind::kAudio : MediaKind::kVideo; }
};

// --- Events --------------------------------------------------------------------------------------

// A transport needs sockets: bind some and call AddSockets(). Not bound, it gathers nothing.
struct SocketsWanted {
  int transport = 0;
};
// A transport is gone, for instance because the peer bundles: its sockets may be closed.
struct SocketsReleased {
  int transport = 0;
  std::vector<TransportAddress> addresses;
};
struct IceGatheringStateChanged {
  IceGatheringState state = IceGatheringState::kNew;
};
struct IceConnectionStateChanged {
  IceConnectionState state = IceConnectionState::kNew;
};
struct ConnectionStateChanged {
  ConnectionState state = ConnectionState::kNew;
};
// RTCPeerConnectionIceEvent: for the peer. An empty candidate is the end of a generation's candidates.
struct IceCandidate {
  int transport = 0;
  IceCandidateInit candidate;
};
// RTCPeerConnectionIceErrorEvent. `error_code` is STUN's; 701: the server could not be reached.
struct IceCandidateError {
  TransportAddress address;  // the local one
  TransportAddress server;
  int error_code = 0;
  std::string error_text;
};
// What ICE and TURN report, as it happens (data excepted): for records and explanations.
struct IceEvent {
  int transport = 0;
  IceTransportEvent event;
};
struct DtlsTransportChanged {
  int transport = 0;
  DtlsTransportState state = DtlsTransportState::kNew;
};
// Something of the connection is over for good, or until an ICE restart. `reason` is stable and short: "ice-failed",
// "dtls-" and one of dtls::failure ("dtls-fingerprint-mismatch", "dtls-timeout" ...), "dtls-closed-by-peer", "sctp-" and what
// datachannel::TransportClosed begins with, "data-refused".
struct ConnectionFailed {
  int transport = 0;
  std::string reason;
  std::string detail;
};
struct MediaEvent {
  int transport = 0;
  media::Event event;
};

using PeerEvent = std::variant<
    SocketsWanted, SocketsReleased, NegotiationNeeded, SignalingStateChanged,
    IceGatheringStateChanged, IceConnectionStateChanged, ConnectionStateChanged, IceCandidate,
    IceCandidateError, IceEvent, DtlsTransportChanged, ConnectionFailed, TrackAdded, TrackRemoved,
    datachannel::TransportConnected, datachannel::TransportClosed, datachannel::TransportRestarted,
    datachannel::ChannelAnnounced, datachannel::ChannelOpen, datachannel::ChannelClosing,
    datachannel::ChannelClosed, datachannel::MessageReceived, datachannel::BufferedAmountLow,
    datachannel::ProtocolViolation, MediaEvent, dtls::KeyLogLine>;

class PeerConnection {
 public:
  using Event = PeerEvent;

  // The configuration must be sound; Create() says what is wrong with one that is not. `rng` must outlive the connection; it is
  // drawn from in here only.
  PeerConnection(PeerConfig config, Rng& rng, Timestamp now);
  ~PeerConnection();
  PeerConnection(const PeerConnection&) = delete;
  PeerConnection& operator=(const PeerConnection&) = delete;

  // The errors of the W3C's constructor: SyntaxError, InvalidAccessError, NotSupportedError for a server.
  static PeerResult<std::unique_ptr<PeerConnection>> Create(PeerConfig config, Rng& rng,
                                                            Timestamp now);

  // --- Signalling. Errors as in negotiation/negotiator.h. ---
  PeerResult<SessionDescriptionInit> CreateOffer(Timestamp now, const OfferOptions& options = {});
  PeerResult<SessionDescriptionInit> CreateAnswer(Timestamp now);
  PeerResult<void> SetLocalDescription(Timestamp now);
  PeerResult<void> SetLocalDescription(Timestamp now, const SessionDescriptionInit& description);
  PeerResult<void> SetRemoteDescription(Timestamp now, const SessionDescriptionInit& description);
  PeerResult<void> AddIceCandidate(Timestamp now, const IceCandidateInit& candidate);
  void RestartIce(Timestamp now);
  // InvalidModificationError: a member that may not change. Servers and policy count from the next gathering on.
  PeerResult<void> SetConfiguration(Timestamp now, const Configuration& configuration);
  const Configuration& configuration() const;
  void Close(Timestamp now);

  // With the candidates gathered or received so far; null when there is none.
  std::optional<SessionDescriptionInit> local_description() const;
  std::optional<SessionDescriptionInit> remote_description() const;
  std::optional<SessionDescriptionInit> current_local_description() const;
  std::optional<SessionDescriptionInit> current_remote_description() const;
  std::optional<SessionDescriptionInit> pending_local_description() const;
  std::optional<SessionDescriptionInit> pending_remote_description() const;
  SignalingState signaling_state() const;
  IceGatheringState ice_gathering_state() const;
  IceConnectionState ice_connection_state() const;
  ConnectionState connection_state() const;
  std::optional<bool> can_trickle_ice_candidates() const;

  // --- Media. Errors as in negotiation/negotiator.h. ---
  PeerResult<TransceiverId> AddTransceiver(Timestamp now, MediaKind kind,
                                           const TransceiverInit& init = {});
  // `init.track` is made from the track.
  PeerResult<TransceiverId> AddTransceiver(Timestamp now, const MediaTrack& track,
                                           TransceiverInit init = {});
  PeerResult<TransceiverId> AddTrack(Timestamp now, const MediaTrack& track,
                                     std::vector<std::string> streams = {});
  PeerResult<void> RemoveTrack(Timestamp now, TransceiverId sender);
  PeerResult<void> ReplaceTrack(Timestamp now, TransceiverId sender,
                                std::optional<MediaTrack> track);
  PeerResult<void> SetStreams(Timestamp now, TransceiverId sender,
                              std::vector<std::string> streams);
  PeerResult<void> SetDirection(Timestamp now, TransceiverId id, Direction direction);
  PeerResult<void> StopTransceiver(Timestamp now, TransceiverId id);
  PeerResult<void> SetCodecPreferences(TransceiverId id, std::vector<CodecPreference> codecs);
  PeerResult<void> SetEncodings(Timestamp now, TransceiverId sender,
                                const std::vector<EncodingParameters>& encodings);
  const std::vector<Transceiver>& transceivers() const;
  // Null for one that is gone.
  const Transceiver* transceiver(TransceiverId id) const;

  // --- Data. Errors as in datachannel/channel_manager.h. ---
  PeerResult<datachannel::ChannelId> CreateDataChannel(Timestamp now,
                                                       const datachannel::ChannelInit& init);
  PeerResult<void> Send(Timestamp now, datachannel::ChannelId id, bool binary, Bytes message);
  void CloseDataChannel(Timestamp now, datachannel::ChannelId id);
  void ReleaseDataChannel(datachannel::ChannelId id);
  datachannel::ChannelState channel_state(datachannel::ChannelId id) const;
  const datachannel::ChannelInit& channel_init(datachannel::ChannelId id) const;
  std::optional<uint16_t> channel_stream_id(datachannel::ChannelId id) const;
  datachannel::ChannelStats channel_stats(datachannel::ChannelId id) const;
  uint64_t buffered_amount(datachannel::ChannelId id) const;
  void SetBufferedAmountLowThreshold(datachannel::ChannelId id, uint64_t bytes);
  // Null before there is one.
  const sctp::Association* association() const;
  std::optional<uint64_t> max_message_size() const;

  // --- The sans-IO shape. Every Transmit leaves from an address given to AddSockets(). ---
  // The answer to SocketsWanted: addresses that the driver has bound for this transport alone.
  void AddSockets(Timestamp now, int transport, std::span<const TransportAddress> hosts);
  void HandlePacket(Timestamp now, const Datagram& packet);
  void HandleIcmp(Timestamp now, const IcmpError& error);
  void HandleTimeout(Timestamp now);
  std::optional<Transmit> PollTransmit();
  std::optional<PeerEvent> PollEvent();
  Timestamp NextTimeout() const;

  // --- What it knows ---
  // getStats(). Times are the driver's.
  StatsReport GetStats(Timestamp now) const;
  const Timeline& timeline() const;
  // The first reason of ConnectionFailed since the last time the connection was connected.
  const std::optional<ConnectionFailed>& failure() const;
  // One point of the time series of the transport that carries media; empty without media.
  std::optional<media::Sample> SampleMedia(Timestamp now);
  // The transports that are there, and one of them; null for an id that is gone.
  std::vector<int> transports() const;
  const PeerTransport* transport(int id) const;
  const dtls::Certificate& certificate() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rtclab::peer

#endif  // RTCLAB_STACK_PEER_PEER_CONNECTION_H_
