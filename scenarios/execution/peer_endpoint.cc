#include "scenarios/execution/peer_endpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/execution/ice_endpoint.h"
#include "scenarios/execution/schedule.h"
#include "stack/base/check.h"
#include "stack/base/overloaded.h"

namespace rtclab::scenarios {
namespace {

// How much a sender without a rate keeps waiting in the channel: enough that SCTP never runs dry between two events.
constexpr uint64_t kHighWater = 1 << 20;
constexpr uint64_t kLowWater = 1 << 18;

congestion::ControllerKind ControllerOf(const std::string& name) {
  const auto kind = congestion::ParseControllerKind(name);
  CHECK(kind.has_value());
  return *kind;
}

media::FecKind FecOf(const std::string& name) {
  return name == "ulpfec"    ? media::FecKind::kUlpfec
         : name == "flexfec" ? media::FecKind::kFlexfec
                             : media::FecKind::kNone;
}

peer::Capabilities CapabilitiesOf(const MediaSpec& media) {
  peer::CapabilityOptions options;
  options.transport_cc = media.feedback == "transport-cc";
  options.ccfb = media.feedback == "ccfb";
  options.remb = false;
  options.nack = media.nack;
  options.encrypted_extensions = media.encrypted_extensions;
  options.ulpfec = media.fec == "ulpfec";
  options.flexfec = media.fec == "flexfec";
  return peer::DefaultCapabilities(options);
}

peer::PeerConfig ConfigOf(const SessionSpec& session, bool offerer,
                          const std::vector<ServerAccess>& servers) {
  const PeerSpec& spec = *session.peer;
  const IceSpec& ice = (offerer ? session.a : session.b).ice;
  peer::PeerConfig config;
  peer::IceTransportConfig transport = TransportConfigOf(ice, offerer, servers);
  config.ice = std::move(transport.agent);
  config.stun_servers = std::move(transport.stun_servers);
  config.turn_servers = std::move(transport.turn_servers);
  if (ice.policy == IceSpec::Policy::kRelay) {
    config.configuration.ice_transport_policy = peer::IceTransportPolicy::kRelay;
  }
  if (!spec.srtp_profiles.empty()) {
    config.srtp_profiles.clear();
    for (const std::string& name : spec.srtp_profiles) {
      for (const dtls::SrtpProfile profile : dtls::DefaultSrtpProfiles()) {
        if (ToString(profile) == name) config.srtp_profiles.push_back(profile);
      }
    }
  }
  config.media.controller = ControllerOf(offerer ? spec.controller_a : spec.controller_b);
  if (spec.media) {
    config.media.congestion.limits = {
        .min = spec.media->min_rate, .start = spec.media->start_rate, .max = spec.media->max_rate};
    config.capabilities = CapabilitiesOf(*spec.media);
    config.fec = FecOf(spec.media->fec);
    config.accept_simulcast = spec.media->layers > 1;
  }
  // A message of the scenario's size has to be taken.
  for (const ChannelSpec& channel : spec.channels) {
    config.max_message_size =
        std::max(config.max_message_size, static_cast<uint64_t>(channel.message_size));
  }
  return config;
}

media::AudioModelConfig AudioOf(const MediaSpec& spec) {
  media::AudioModelConfig audio;
  audio.bitrate = spec.audio_rate;
  audio.dtx = spec.dtx;
  if (spec.dtx) audio.talk_spurt = TimeDelta::Millis(1004);  // ITU-T P.59 table 1
  return audio;
}

media::VideoModelConfig VideoOf(const MediaSpec& spec) {
  media::VideoModelConfig video;
  video.fps = spec.fps;
  video.max_rate = spec.max_rate;
  video.min_rate = std::min(spec.min_rate, video.min_rate);
  video.content = spec.content == MediaSpec::Content::kScreen ? media::VideoContent::kScreen
                                                              : media::VideoContent::kCamera;
  if (!spec.trace.empty()) {
    video.kind =
        spec.source == "hybrid" ? media::VideoModelKind::kHybrid : media::VideoModelKind::kTrace;
    auto trace = media::FrameTrace::Parse(spec.trace);
    CHECK(trace.has_value());  // the loader has read it
    video.trace = std::make_shared<const media::FrameTrace>(std::move(*trace));
  }
  return video;
}

std::vector<peer::EncodingParameters> EncodingsOf(int layers) {
  if (layers <= 1) return {};
  // Each layer has half of the width and height of the next one.
  std::vector<peer::EncodingParameters> out;
  for (int i = 0; i < layers; ++i) {
    peer::EncodingParameters& encoding = out.emplace_back();
    encoding.rid = std::string(1, "lmh"[3 - layers + i]);
    encoding.scale_resolution_down_by = static_cast<double>(1 << (layers - 1 - i));
  }
  return out;
}

}  // namespace

PeerEndpoint::PeerEndpoint(const SessionSpec& spec, bool offerer, sim::Network& network,
                           const std::vector<ServerAccess>& servers, PeerEndpointObserver& observer)
    : EndpointRecord((offerer ? spec.a : spec.b).host),
      spec_(spec),
      peer_(*spec.peer),
      offerer_(offerer),
      sends_media_(peer_.media && (offerer ? peer_.media->from_a : peer_.media->from_b)),
      receives_media_(peer_.media && (offerer ? peer_.media->from_b : peer_.media->from_a)),
      observer_(observer),
      network_(network),
      rng_(network.Stream(fmt::format("peer/{}/{}", spec.name, host()))) {
  patterns_.reserve(peer_.channels.size());
  for (const ChannelSpec& channel : peer_.channels) {
    Channel& here = channels_.emplace_back();
    here.spec = &channel;
    if (channel.amount == 0) continue;
    const MessagePattern& pattern =
        patterns_.emplace_back(network.Stream(fmt::format("data/{}/{}", spec.name, channel.label)));
    if (offerer ? channel.from_a : channel.from_b) {
      here.outgoing = std::make_unique<OutgoingTransfer>(channel, pattern);
    }
    if (offerer ? channel.from_b : channel.from_a) {
      here.incoming = std::make_unique<IncomingTransfer>(channel, pattern);
    }
  }
  peer::PeerConfig config = ConfigOf(spec, offerer, servers);
  config.key_log = offerer && network.capturing();  // both ends have the same secrets
  connection_ = std::make_unique<peer::PeerConnection>(std::move(config), rng_, network.Now());
  host_ = std::make_unique<sim::ProtocolHost<peer::PeerConnection, OnEvent>>(
      network_.host(host()), *connection_, OnEvent{this});
}

PeerEndpoint::~PeerEndpoint() = default;

const ice::Agent* PeerEndpoint::agent() const {
  const std::vector<int> ids = connection_->transports();
  const peer::PeerTransport* first = ids.empty() ? nullptr : connection_->transport(ids.front());
  return first == nullptr ? nullptr : &first->agent();
}

void PeerEndpoint::Start() {
  host_->Run([this](peer::PeerConnection&) {
    const Timestamp now = network_.Now();
    AddTracks(now);
    CreateChannels(now);
    Describe(now);
  });
}

void PeerEndpoint::AddTracks(Timestamp now) {
  if (tracks_added_ || !peer_.media) return;
  tracks_added_ = true;
  const MediaSpec& media = *peer_.media;
  const auto add = [&](peer::MediaTrack track) {
    const auto added = offerer_
                           ? connection_->AddTransceiver(
                                 now, track,
                                 {.direction = peer::MakeDirection(true, receives_media_),
                                  .streams = {"stream"},
                                  .send_encodings = track.kind() == peer::MediaKind::kVideo
                                                        ? EncodingsOf(media.layers)
                                                        : std::vector<peer::EncodingParameters>{}})
                           : connection_->AddTrack(now, track, {"stream"});
    if (!added) return Refused(now, "its track", added.error());
    senders_.push_back({*added, std::move(track)});
  };
  if (sends_media_) {
    if (media.audio) add(peer::MediaTrack::Audio("audio", AudioOf(media)));
    for (int i = 0; media.video && i < media.video_streams; ++i) {
      add(peer::MediaTrack::Video(fmt::format("video-{}", ++video_tracks_), VideoOf(media)));
    }
    return;
  }
  if (!offerer_) return;  // the offer's transceivers receive already
  const peer::TransceiverInit receive{.direction = peer::Direction::kRecvOnly};
  if (media.audio) (void)connection_->AddTransceiver(now, peer::MediaKind::kAudio, receive);
  for (int i = 0; media.video && i < media.video_streams; ++i) {
    (void)connection_->AddTransceiver(now, peer::MediaKind::kVideo, receive);
  }
}

void PeerEndpoint::CreateChannels(Timestamp now) {
  for (Channel& channel : channels_) {
    datachannel::ChannelInit init;
    init.label = channel.spec->label;
    init.ordered = channel.spec->ordered;
    if (channel.spec->max_retransmits) {
      init.max_retransmits = static_cast<uint16_t>(*channel.spec->max_retransmits);
    }
    if (channel.spec->max_lifetime) {
      init.max_packet_life_time_ms = static_cast<uint16_t>(
          std::min<int64_t>(65'535, channel.spec->max_lifetime->nanos() / 1'000'000));
    }
    init.priority = static_cast<uint16_t>(channel.spec->priority);
    const auto made = connection_->CreateDataChannel(now, init);
    if (!made) return Refused(now, "its data channel", made.error());
    channel.id = *made;
  }
}

bool PeerEndpoint::DescribesAtOnce() const {
  // RFC 8838 section 16: in half trickle only the initiator conveys all its candidates at once.
  const IceSpec::Trickle trickle = (offerer_ ? spec_.a : spec_.b).ice.trickle;
  return trickle == IceSpec::Trickle::kFull || (trickle == IceSpec::Trickle::kHalf && !offerer_);
}

void PeerEndpoint::Describe(Timestamp now) {
  const auto set = connection_->SetLocalDescription(now);
  if (!set) return Refused(now, "its own description", set.error());
  described_ = false;
  const bool complete = connection_->ice_gathering_state() == peer::IceGatheringState::kComplete;
  if (DescribesAtOnce() || complete) Say(now);
}

void PeerEndpoint::Say(Timestamp now) {
  described_ = true;
  auto description = connection_->local_description();
  CHECK(description.has_value());
  if (peer_.wrong_fingerprint && !offerer_) {
    // Another certificate than the one we have: the first hexadecimal digit of every fingerprint changes.
    for (std::size_t at = 0;
         (at = description->sdp.find("a=fingerprint:", at)) != std::string::npos;) {
      at = description->sdp.find(' ', at) + 1;
      description->sdp[at] = description->sdp[at] == '0' ? '1' : '0';
    }
  }
  AddNote(now, fmt::format("says its {}", ToString(description->type)));
  observer_.OnDescription(*this, *description);
}

void PeerEndpoint::ReceiveDescription(const peer::SessionDescriptionInit& description) {
  if (closed_) return;
  host_->Run([&](peer::PeerConnection& connection) {
    const Timestamp now = network_.Now();
    const bool offer = description.type == peer::SdpType::kOffer;
    const bool collision = offer && connection.signaling_state() != peer::SignalingState::kStable;
    if (collision && offerer_) {
      AddNote(now, "ignores an offer that crossed its own");
      return;
    }
    const auto set = connection.SetRemoteDescription(now, description);
    if (!set) return Refused(now, "the peer's description", set.error());
    if (!offer) return;
    AddTracks(now);
    Describe(now);
  });
}

void PeerEndpoint::ReceiveCandidate(const peer::IceCandidateInit& candidate) {
  if (closed_) return;
  host_->Run([&](peer::PeerConnection& connection) {
    // A candidate of an offer that was ignored has nowhere to go.
    if (!connection.remote_description()) return;
    (void)connection.AddIceCandidate(network_.Now(), candidate);
  });
}

void PeerEndpoint::RestartIce() {
  AddNote(network_.Now(), "restarts ICE");
  host_->Run([&](peer::PeerConnection& connection) { connection.RestartIce(network_.Now()); });
}

void PeerEndpoint::PauseMedia() {
  AddNote(network_.Now(), "pauses its media");
  host_->Run([&](peer::PeerConnection& connection) {
    for (const Sender& sender : senders_) {
      (void)connection.ReplaceTrack(network_.Now(), sender.transceiver, std::nullopt);
    }
  });
}

void PeerEndpoint::ResumeMedia() {
  AddNote(network_.Now(), "resumes its media");
  host_->Run([&](peer::PeerConnection& connection) {
    for (const Sender& sender : senders_) {
      (void)connection.ReplaceTrack(network_.Now(), sender.transceiver, sender.track);
    }
  });
}

void PeerEndpoint::AddVideo() {
  AddNote(network_.Now(), "adds a video track");
  host_->Run([&](peer::PeerConnection& connection) {
    const MediaSpec media = peer_.media.value_or(MediaSpec{});
    peer::MediaTrack track =
        peer::MediaTrack::Video(fmt::format("video-{}", ++video_tracks_), VideoOf(media));
    const auto added = connection.AddTrack(network_.Now(), track, {"stream"});
    if (!added) return Refused(network_.Now(), "a video track", added.error());
    senders_.push_back({*added, std::move(track)});
  });
}

void PeerEndpoint::Close() {
  AddNote(network_.Now(), "closes its connection");
  closed_ = true;
  host_->Run([&](peer::PeerConnection& connection) { connection.Close(network_.Now()); });
}

void PeerEndpoint::Refused(Timestamp now, std::string_view what, const peer::PeerError& error) {
  AddNote(now, fmt::format("refused {}: {}: {}", what, ToString(error.name), error.message));
  if (!failure_) {
    failure_ = peer::ConnectionFailed{
        .reason = "negotiation",
        .detail = fmt::format("{}: {}: {}", what, ToString(error.name), error.message)};
  }
}

void PeerEndpoint::BindSockets(Timestamp now, int transport) {
  std::vector<TransportAddress> bound;
  for (const IpAddress& address : network_.addresses(host())) {
    if (auto local = host_->Bind({address, 0})) bound.push_back(*local);
  }
  connection_->AddSockets(now, transport, bound);
}

void PeerEndpoint::Handle(Timestamp now, peer::PeerEvent event) {
  std::visit(
      Overloaded{
          [&](const peer::SocketsWanted& e) { BindSockets(now, e.transport); },
          [&](const peer::SocketsReleased& e) {
            for (const TransportAddress& address : e.addresses) host_->Unbind(address);
          },
          [&](const peer::NegotiationNeeded&) {
            if (connection_->signaling_state() == peer::SignalingState::kStable && !closed_) {
              Describe(now);
            }
          },
          [&](const peer::IceGatheringStateChanged& e) {
            if (e.state == peer::IceGatheringState::kComplete && !described_) Say(now);
          },
          [&](const peer::IceCandidate& e) {
            if (described_) observer_.OnCandidate(*this, e.candidate);
          },
          [&](const peer::IceEvent& e) { Record(now, e.event); },
          [&](const peer::DtlsTransportChanged& e) {
            AddNote(now, fmt::format("DTLS {}", ToString(e.state)));
          },
          [&](const peer::ConnectionStateChanged& e) { OnConnectionState(now, e.state); },
          [&](const peer::ConnectionFailed& e) {
            AddNote(now, fmt::format("failed: {}: {}", e.reason, e.detail));
            if (!failure_) failure_ = e;
          },
          [&](const datachannel::TransportConnected&) { AddNote(now, "SCTP connected"); },
          [&](const datachannel::ChannelAnnounced& e) {
            for (Channel& channel : channels_) {
              if (channel.spec->label == e.init.label) channel.id = e.id;
            }
          },
          [&](const datachannel::ChannelOpen& e) { OnChannelOpen(now, e.id); },
          [&](const datachannel::BufferedAmountLow& e) {
            for (std::size_t i = 0; i < channels_.size(); ++i) {
              if (channels_[i].id == e.id) Pump(i);
            }
          },
          [&](const datachannel::MessageReceived& e) {
            for (Channel& channel : channels_) {
              if (channel.id == e.id && channel.incoming) channel.incoming->Receive(now, e.payload);
            }
          },
          [&](const peer::MediaEvent& e) { OnMedia(now, e.event); },
          [&](const dtls::KeyLogLine& e) { network_.AddCaptureSecret(e.line); },
          [](const auto&) {},
      },
      event);
  observer_.OnProgress(*this);
}

void PeerEndpoint::OnConnectionState(Timestamp now, peer::ConnectionState state) {
  AddNote(now, fmt::format("connection {}", ToString(state)));
  if (state == peer::ConnectionState::kConnected && !connected_) connected_ = now;
}

void PeerEndpoint::OnMedia(Timestamp now, const media::Event& event) {
  if (const auto* first = std::get_if<media::FirstFrameReceived>(&event)) {
    AddNote(now, fmt::format("first {} frame", KindName(first->kind)));
    first_frames_.try_emplace(first->mid, now);
    const std::size_t expected =
        !receives_media_
            ? 0
            : (peer_.media->audio ? 1U : 0U) +
                  (peer_.media->video ? static_cast<std::size_t>(peer_.media->video_streams) : 0U);
    if (!all_media_ && first_frames_.size() >= expected) all_media_ = now;
  } else if (const auto* freeze = std::get_if<media::FreezeEnded>(&event)) {
    AddNote(now, fmt::format("video was frozen for {:.0f} ms", freeze->duration.millis_f()));
  }
}

void PeerEndpoint::OnChannelOpen(Timestamp now, datachannel::ChannelId id) {
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    Channel& channel = channels_[i];
    if (channel.id != id || channel.open) continue;
    channel.open = true;
    AddNote(now, fmt::format("data channel \"{}\" open", channel.spec->label));
    if (!channel.outgoing) continue;
    connection_->SetBufferedAmountLowThreshold(id, kLowWater);
    After(channel.spec->start, [this, i] {
      channels_[i].started = true;
      host_->Run([&](peer::PeerConnection&) { Pump(i); });
    });
  }
  const auto open = [](const Channel& c) { return c.open; };
  if (!channels_open_ && std::all_of(channels_.begin(), channels_.end(), open))
    channels_open_ = now;
}

// Sends as long as there is room, or one message a turn of the channel's rate. Called at each turn and when there is room
// again.
void PeerEndpoint::Pump(std::size_t index) {
  Channel& channel = channels_[index];
  if (!channel.started || !channel.outgoing || closed_) return;
  const Timestamp now = network_.Now();
  while (!channel.outgoing->AllSent()) {
    if (now < channel.next_turn) return;
    if (!channel.spec->rate && connection_->buffered_amount(*channel.id) >= kHighWater) return;
    Bytes message = channel.outgoing->Next();
    const auto size = DataSize::Bytes(static_cast<int64_t>(message.size()));
    if (!connection_->Send(now, *channel.id, true, std::move(message))) return;
    channel.outgoing->NoteSent(now);
    if (!channel.spec->rate) continue;
    const TimeDelta turn = channel.spec->rate->TransmissionTime(size);
    channel.next_turn = now + turn;
    After(turn, [this, index] { host_->Run([&](peer::PeerConnection&) { Pump(index); }); });
  }
  // That the last message has left, or was given up, has to be heard of too; when it left at once, nothing else tells.
  connection_->SetBufferedAmountLowThreshold(*channel.id, 0);
  observer_.OnProgress(*this);
}

std::optional<Timestamp> PeerEndpoint::first_frame(std::string_view mid) const {
  const auto found = first_frames_.find(mid);
  return found == first_frames_.end() ? std::nullopt : std::optional(found->second);
}

const OutgoingTransfer* PeerEndpoint::outgoing(std::size_t channel) const {
  return channels_[channel].outgoing.get();
}
const IncomingTransfer* PeerEndpoint::incoming(std::size_t channel) const {
  return channels_[channel].incoming.get();
}

bool PeerEndpoint::transfers_sent() const {
  return std::all_of(channels_.begin(), channels_.end(), [&](const Channel& channel) {
    return !channel.outgoing ||
           (channel.outgoing->AllSent() && connection_->buffered_amount(*channel.id) == 0);
  });
}

uint64_t PeerEndpoint::data_bytes_sent() const {
  uint64_t bytes = 0;
  for (const Channel& channel : channels_) {
    if (channel.id) {
      bytes += connection_->channel_stats(*channel.id).bytes_sent -
               connection_->buffered_amount(*channel.id);
    }
  }
  return bytes;
}

uint64_t PeerEndpoint::data_bytes_received() const {
  uint64_t bytes = 0;
  for (const Channel& channel : channels_) {
    if (channel.id) bytes += connection_->channel_stats(*channel.id).bytes_received;
  }
  return bytes;
}

media::Sample PeerEndpoint::Sample() {
  return connection_->SampleMedia(network_.Now()).value_or(media::Sample{});
}

}  // namespace rtclab::scenarios
