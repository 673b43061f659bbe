// Transceivers and the engines' streams: what was negotiated, as media::Engine wants to be told it.
#include <algorithm>
#include <utility>

#include "stack/peer/negotiation/extensions.h"
#include "stack/peer/peer_impl.h"

namespace rtclab::peer {
namespace {

media::Kind ToMediaKind(MediaKind kind) {
  return kind == MediaKind::kAudio ? media::Kind::kAudio : media::Kind::kVideo;
}

media::CodecConfig ToCodecConfig(const sdp::Codec& codec, const std::vector<sdp::Codec>& all) {
  media::CodecConfig config;
  config.name = codec.name;
  config.payload_type = codec.payload_type;
  config.clock_rate = codec.clock_rate;
  config.channels = codec.channels;
  if (const sdp::Codec* rtx = FindRtx(all, codec.payload_type))
    config.rtx_payload_type = rtx->payload_type;
  config.nack = codec.HasFeedback("nack");
  config.pli = codec.HasFeedback("nack", "pli");
  config.fir = codec.HasFeedback("ccm", "fir");
  config.transport_cc = codec.HasFeedback("transport-cc");
  config.remb = codec.HasFeedback("goog-remb");
  config.ccfb = codec.HasFeedback("ack", "ccfb");
  for (const auto& [key, value] : sdp::ParseParameters(codec.fmtp))
    config.fmtp.emplace(key, value.value_or(""));
  return config;
}

bool IsMediaCodec(const sdp::Codec& codec) { return !IsRtx(codec) && !IsResilience(codec); }

// As the side behind `wanted` numbered them. Encrypted ones (RFC 6904) are told to `encrypted` as well.
media::ExtensionIds ExtensionIdsOf(const sdp::MediaDescription& wanted,
                                   const sdp::MediaDescription& other,
                                   std::vector<uint8_t>* encrypted = nullptr) {
  media::ExtensionIds ids;
  const std::pair<std::string_view, uint8_t*> known[] = {{kUriMid, &ids.mid},
                                                         {kUriRid, &ids.rid},
                                                         {kUriRepairedRid, &ids.repaired_rid},
                                                         {kUriAbsSendTime, &ids.abs_send_time},
                                                         {kUriTransportCc, &ids.transport_cc},
                                                         {kUriAudioLevel, &ids.audio_level}};
  const auto theirs = other.attributes.All<sdp::Extmap>();
  for (const sdp::Extmap* e : wanted.attributes.All<sdp::Extmap>()) {
    const NamedExtension named = ExtensionOf(*e);
    const bool both = std::any_of(theirs.begin(), theirs.end(),
                                  [&](const sdp::Extmap* t) { return ExtensionOf(*t) == named; });
    if (!both || e->id > 255) continue;
    const auto id = static_cast<uint8_t>(e->id);
    for (const auto& [uri, field] : known) {
      if (uri == named.uri) *field = id;
    }
    if (named.encrypted && encrypted != nullptr) encrypted->push_back(id);
  }
  return ids;
}

// What a list of negotiated codecs can protect with.
media::FecConfig FecOf(const std::vector<sdp::Codec>& codecs, media::FecKind wanted) {
  const auto find = [&codecs](std::string_view name) {
    return std::find_if(codecs.begin(), codecs.end(),
                        [name](const sdp::Codec& c) { return c.NameIs(name); });
  };
  media::FecConfig fec;
  if (wanted == media::FecKind::kFlexfec && find("flexfec") != codecs.end()) {
    fec.kind = wanted;
    fec.payload_type = find("flexfec")->payload_type;
  } else if (wanted == media::FecKind::kUlpfec && find("ulpfec") != codecs.end() &&
             find("red") != codecs.end()) {
    fec.kind = wanted;
    fec.payload_type = find("ulpfec")->payload_type;
    fec.red_payload_type = find("red")->payload_type;
    if (const sdp::Codec* rtx = FindRtx(codecs, fec.red_payload_type))
      fec.red_rtx_payload_type = rtx->payload_type;
  }
  return fec;
}

std::vector<media::KnownSsrc> SsrcsOf(const sdp::MediaDescription& remote) {
  std::vector<media::KnownSsrc> known;
  std::vector<uint32_t> secondary;
  for (const sdp::SsrcGroup* group : remote.attributes.All<sdp::SsrcGroup>()) {
    if (group->ids.size() != 2) continue;
    const bool rtx = group->semantics == "FID";
    if (!rtx && group->semantics != "FEC-FR") continue;
    auto it = std::find_if(known.begin(), known.end(),
                           [group](const auto& k) { return k.ssrc == group->ids[0]; });
    if (it == known.end()) {
      known.push_back({.ssrc = group->ids[0]});
      it = known.end() - 1;
    }
    (rtx ? it->rtx_ssrc : it->flexfec_ssrc) = group->ids[1];
    secondary.push_back(group->ids[1]);
  }
  for (const sdp::Ssrc* line : remote.attributes.All<sdp::Ssrc>()) {
    const auto is = [line](const media::KnownSsrc& k) { return k.ssrc == line->id; };
    if (std::find(secondary.begin(), secondary.end(), line->id) != secondary.end()) continue;
    if (std::none_of(known.begin(), known.end(), is)) known.push_back({.ssrc = line->id});
  }
  return known;
}

}  // namespace

const MediaTrack* PeerConnection::Impl::FindTrack(const std::string& id) const {
  const auto it = std::find_if(tracks_.begin(), tracks_.end(),
                               [&id](const MediaTrack& t) { return t.id == id; });
  return it == tracks_.end() ? nullptr : &*it;
}

void PeerConnection::Impl::RememberTrack(const MediaTrack& track) {
  std::erase_if(tracks_, [&track](const MediaTrack& t) { return t.id == track.id; });
  tracks_.push_back(track);
}

PeerResult<TransceiverId> PeerConnection::Impl::AddTransceiver(Timestamp now,
                                                               const MediaTrack& track,
                                                               TransceiverInit init) {
  init.track = Track{track.id, track.kind()};
  auto id = negotiator_.AddTransceiver(track.kind(), init);
  if (!id) return id;
  RememberTrack(track);
  Pump(now);
  return id;
}

PeerResult<TransceiverId> PeerConnection::Impl::AddTrack(Timestamp now, const MediaTrack& track,
                                                         std::vector<std::string> streams) {
  auto id = negotiator_.AddTrack({track.id, track.kind()}, std::move(streams));
  if (!id) return id;
  RememberTrack(track);
  SyncMedia(now);
  Pump(now);
  return id;
}

PeerResult<void> PeerConnection::Impl::ReplaceTrack(Timestamp now, TransceiverId sender,
                                                    std::optional<MediaTrack> track) {
  std::optional<Track> id;
  if (track) id = Track{track->id, track->kind()};
  auto done = negotiator_.ReplaceTrack(sender, std::move(id));
  if (!done) return done;
  if (track) RememberTrack(*track);
  SyncMedia(now);
  Pump(now);
  return done;
}

PeerConnection::Impl::Sections PeerConnection::Impl::NegotiatedSections(
    std::string_view mid) const {
  const SignalingState state = negotiator_.signaling_state();
  const bool pranswer =
      state == SignalingState::kHaveLocalPranswer || state == SignalingState::kHaveRemotePranswer;
  const Description* local = pranswer ? negotiator_.pending_local() : negotiator_.current_local();
  const Description* remote =
      pranswer ? negotiator_.pending_remote() : negotiator_.current_remote();
  if (local == nullptr || remote == nullptr) return {};
  return {local->sdp.FindMid(mid), remote->sdp.FindMid(mid)};
}

media::SendStreamConfig PeerConnection::Impl::SendConfigOf(const Transceiver& t,
                                                           const Sections& sections) const {
  media::SendStreamConfig config;
  config.mid = *t.mid;
  config.kind = ToMediaKind(t.kind);
  const auto codec = std::find_if(t.sender.codecs.begin(), t.sender.codecs.end(), IsMediaCodec);
  config.codec = ToCodecConfig(*codec, t.sender.codecs);
  config.extensions = ExtensionIdsOf(*sections.remote, *sections.local);
  config.fec =
      FecOf(t.sender.codecs, t.kind == MediaKind::kVideo ? config_.fec : media::FecKind::kNone);
  config.fec.ssrc = t.sender.encodings.front().fec_ssrc;
  config.fec.protection = config_.fec_protection;
  for (const SendEncoding& e : t.sender.encodings) {
    media::Encoding encoding;
    encoding.ssrc = e.ssrc;
    encoding.rtx_ssrc = config.codec.rtx_payload_type ? e.rtx_ssrc : 0;
    if (t.sender.encodings.size() > 1) encoding.rid = e.parameters.rid;
    encoding.active = e.parameters.active;
    if (e.parameters.max_bitrate_bps)
      encoding.max_bitrate = DataRate::BitsPerSec(*e.parameters.max_bitrate_bps);
    encoding.scale_down_by = e.parameters.scale_resolution_down_by.value_or(1.0);
    encoding.max_framerate = e.parameters.max_framerate;
    config.encodings.push_back(std::move(encoding));
  }
  const MediaTrack* track = t.sender.track ? FindTrack(t.sender.track->id) : nullptr;
  config.active =
      track != nullptr && t.current_direction && Sends(*t.current_direction) && !t.stopping;
  if (track != nullptr) {
    config.track_id = track->id;
    config.source = track->source;
  } else if (t.kind == MediaKind::kVideo) {
    config.source = media::VideoModelConfig{};
  }
  return config;
}

media::ReceiveStreamConfig PeerConnection::Impl::ReceiveConfigOf(const Transceiver& t,
                                                                 const Sections& sections) const {
  media::ReceiveStreamConfig config;
  config.mid = *t.mid;
  config.kind = ToMediaKind(t.kind);
  for (const sdp::Codec& codec : t.receiver.codecs) {
    if (IsMediaCodec(codec)) config.codecs.push_back(ToCodecConfig(codec, t.receiver.codecs));
  }
  config.extensions = ExtensionIdsOf(*sections.local, *sections.remote);
  config.ssrcs = SsrcsOf(*sections.remote);
  config.fec = FecOf(t.receiver.codecs, media::FecKind::kFlexfec);
  const media::FecConfig ulpfec = FecOf(t.receiver.codecs, media::FecKind::kUlpfec);
  // One kind at a time can be told: what is received as RED needs to be known, FlexFEC comes on a stream of its own.
  if (ulpfec.kind != media::FecKind::kNone && config_.fec != media::FecKind::kFlexfec)
    config.fec = ulpfec;
  config.playout = config_.playout;
  config.track_id = t.receiver.track_id;
  return config;
}

void PeerConnection::Impl::SyncMedia(Timestamp now) {
  for (const auto& transport : transports_) SyncMediaOf(now, *transport);
}

void PeerConnection::Impl::SyncMediaOf(Timestamp now, PeerTransport& transport) {
  std::vector<media::SendStreamConfig> send;
  std::vector<media::ReceiveStreamConfig> receive;
  bool reduced_size = true;
  EncryptedExtensions encrypted;
  for (const Transceiver& t : negotiator_.transceivers()) {
    if (!t.mid || t.stopped || !t.current_direction ||
        negotiator_.transport_of(*t.mid) != transport.id()) {
      continue;
    }
    const Sections sections = NegotiatedSections(*t.mid);
    if (sections.local == nullptr || sections.remote == nullptr) continue;
    (void)ExtensionIdsOf(*sections.remote, *sections.local, &encrypted.to_peer);
    (void)ExtensionIdsOf(*sections.local, *sections.remote, &encrypted.from_peer);
    reduced_size = reduced_size && sections.local->attributes.Has(sdp::Flag::kRtcpRsize) &&
                   sections.remote->attributes.Has(sdp::Flag::kRtcpRsize);
    const bool codec = std::any_of(t.sender.codecs.begin(), t.sender.codecs.end(), IsMediaCodec);
    if (t.ever_sent && codec) send.push_back(SendConfigOf(t, sections));
    if (Receives(*t.current_direction) && !t.stopping)
      receive.push_back(ReceiveConfigOf(t, sections));
  }
  if (send.empty() && receive.empty() && transport.engine() == nullptr) return;
  transport.SetEncryptedExtensions(std::move(encrypted));
  media::EngineConfig config = config_.media;
  config.reduced_size_rtcp = config.reduced_size_rtcp && reduced_size;
  if (transport.engine() == nullptr) config.feedback_ssrc = media_rng_.NextU32() | 1;
  media::Engine& engine = transport.EnsureEngine(now, config);
  engine.SetSendStreams(now, send);
  engine.SetReceiveStreams(now, std::move(receive));
  transport.Flush(now);
}

std::optional<media::Sample> PeerConnection::Impl::SampleMedia(Timestamp now) {
  for (const auto& transport : transports_) {
    if (transport->engine() != nullptr) return transport->engine()->SampleSeries(now);
  }
  return std::nullopt;
}

}  // namespace rtclab::peer
