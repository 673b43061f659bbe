// One side of a call: a PeerConnection on a host, with the tracks, data channels and transfers that the scenario gives it.
#ifndef RTCLAB_SCENARIOS_EXECUTION_PEER_ENDPOINT_H_
#define RTCLAB_SCENARIOS_EXECUTION_PEER_ENDPOINT_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/execution/data_transfer.h"
#include "scenarios/execution/endpoint_record.h"
#include "scenarios/execution/server_program.h"
#include "scenarios/run_spec.h"
#include "sim/host/protocol_host.h"
#include "sim/topology/network.h"
#include "stack/peer/peer_connection.h"

namespace rtclab::scenarios {

class PeerEndpoint;

// What an endpoint says to the signalling channel, and that something changed. Called while the endpoint's protocol is
// being drained: act on another endpoint only later.
class PeerEndpointObserver {
 public:
  virtual ~PeerEndpointObserver() = default;
  virtual void OnDescription(PeerEndpoint& from,
                             const peer::SessionDescriptionInit& description) = 0;
  virtual void OnCandidate(PeerEndpoint& from, const peer::IceCandidateInit& candidate) = 0;
  virtual void OnProgress(PeerEndpoint& endpoint) = 0;
};

class PeerEndpoint final : public EndpointRecord {
 public:
  // `offerer`: side a of the session; the other one is the polite side of perfect negotiation.
  PeerEndpoint(const SessionSpec& spec, bool offerer, sim::Network& network,
               const std::vector<ServerAccess>& servers, PeerEndpointObserver& observer);
  ~PeerEndpoint() override;

  const ice::Agent* agent() const override;

  // The offerer adds its tracks and channels, and offers.
  void Start();
  void ReceiveDescription(const peer::SessionDescriptionInit& description);
  void ReceiveCandidate(const peer::IceCandidateInit& candidate);
  void RestartIce();
  // Media stops at its sources (replaceTrack(null)); nothing is negotiated.
  void PauseMedia();
  void ResumeMedia();
  // A video track more, which is negotiated.
  void AddVideo();
  void Close();

  peer::PeerConnection& connection() { return *connection_; }
  const peer::PeerConnection& connection() const { return *connection_; }
  // When connectionState first was connected.
  std::optional<Timestamp> connected() const { return connected_; }
  // The first reason for which something was over for good.
  const std::optional<peer::ConnectionFailed>& failure() const { return failure_; }
  bool closed() const { return closed_; }
  // When all channels of the scenario were open here.
  std::optional<Timestamp> channels_open() const { return channels_open_; }
  // When the first frame of every stream that the other side sends from the start had been shown; how many streams were.
  std::optional<Timestamp> all_media() const { return all_media_; }
  std::optional<Timestamp> first_frame(std::string_view mid) const;

  bool has_channels() const { return !channels_.empty(); }
  // Whether the other side sends media from the start.
  bool receives_media() const { return receives_media_; }

  // By index of PeerSpec::channels; null where this side does not send, or receives nothing.
  const OutgoingTransfer* outgoing(std::size_t channel) const;
  const IncomingTransfer* incoming(std::size_t channel) const;
  // Everything has been given to the network, as far as the channels' kinds want it delivered.
  bool transfers_sent() const;
  uint64_t data_bytes_sent() const;
  uint64_t data_bytes_received() const;

  media::Sample Sample();

 private:
  struct Channel {
    const ChannelSpec* spec = nullptr;
    std::optional<datachannel::ChannelId> id;
    bool open = false;
    bool started = false;
    Timestamp next_turn;  // of a channel with a rate
    std::unique_ptr<OutgoingTransfer> outgoing;
    std::unique_ptr<IncomingTransfer> incoming;
  };
  struct Sender {
    peer::TransceiverId transceiver;
    peer::MediaTrack track;
  };
  struct OnEvent {
    PeerEndpoint* self;
    void operator()(Timestamp now, peer::PeerEvent&& event) const {
      self->Handle(now, std::move(event));
    }
  };

  void Handle(Timestamp now, peer::PeerEvent event);
  void BindSockets(Timestamp now, int transport);
  void OnMedia(Timestamp now, const media::Event& event);
  void OnConnectionState(Timestamp now, peer::ConnectionState state);
  void OnChannelOpen(Timestamp now, datachannel::ChannelId id);
  void AddTracks(Timestamp now);
  void CreateChannels(Timestamp now);
  // Makes and applies a local description and says it, at once or when it is complete.
  void Describe(Timestamp now);
  void Say(Timestamp now);
  bool DescribesAtOnce() const;
  void Pump(std::size_t channel);
  void Refused(Timestamp now, std::string_view what, const peer::PeerError& error);

  const SessionSpec& spec_;
  const PeerSpec& peer_;
  bool offerer_;
  bool sends_media_, receives_media_;
  PeerEndpointObserver& observer_;
  sim::Network& network_;
  Rng rng_;
  std::vector<MessagePattern> patterns_;  // of the channels that transfer something
  std::vector<Channel> channels_;
  std::unique_ptr<peer::PeerConnection> connection_;
  std::unique_ptr<sim::ProtocolHost<peer::PeerConnection, OnEvent>> host_;
  std::vector<Sender> senders_;
  int video_tracks_ = 0;
  bool described_ = true;  // false: a local description waits for its candidates
  bool tracks_added_ = false;
  bool closed_ = false;
  std::optional<Timestamp> connected_, channels_open_, all_media_;
  std::optional<peer::ConnectionFailed> failure_;
  std::map<std::string, Timestamp, std::less<>> first_frames_;  // by mid
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_PEER_ENDPOINT_H_
