// Transceivers as the application handles them: webrtc-pc section 5.1 and 5.4.
#include <algorithm>
#include <cmath>

#include "stack/base/check.h"
#include "stack/peer/negotiation/negotiator.h"

namespace rtclab::peer {
namespace {

// RFC 8851 section 10: rid-id is 1*(alpha-numeric / "-" / "_"). webrtc-pc limits it to 16 characters.
bool IsRid(std::string_view rid) {
  return !rid.empty() && rid.size() <= 16 && std::all_of(rid.begin(), rid.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

std::vector<std::string> WithoutRepeats(std::vector<std::string> list) {
  std::vector<std::string> out;
  for (std::string& s : list) {
    if (std::find(out.begin(), out.end(), s) == out.end()) out.push_back(std::move(s));
  }
  return out;
}

PeerResult<void> CheckValues(const EncodingParameters& e) {
  if (e.scale_resolution_down_by && !(*e.scale_resolution_down_by >= 1.0))
    return Reject(ErrorName::kRangeError, "scaleResolutionDownBy is at least 1");
  if (e.max_framerate && !(*e.max_framerate > 0.0))
    return Reject(ErrorName::kRangeError, "maxFramerate is more than 0");
  return {};
}

// webrtc-pc section 5.1, addTransceiver, step 8.
PeerResult<std::vector<EncodingParameters>> CheckEncodings(std::vector<EncodingParameters> list,
                                                           MediaKind kind, std::size_t most) {
  std::size_t with_rid = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string& rid = list[i].rid;
    if (rid.empty()) continue;
    ++with_rid;
    if (!IsRid(rid)) return Reject(ErrorName::kTypeError, "not a rid: " + rid);
    const bool repeated = std::any_of(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(i),
                                      [&rid](const auto& e) { return e.rid == rid; });
    if (repeated) return Reject(ErrorName::kTypeError, "two encodings have the rid " + rid);
  }
  if (with_rid != 0 && with_rid != list.size())
    return Reject(ErrorName::kTypeError, "some encodings have a rid and some have none");
  bool any_scale = false;
  for (EncodingParameters& e : list) {
    if (kind == MediaKind::kAudio) {
      e.scale_resolution_down_by.reset();
      e.max_framerate.reset();
    }
    if (const auto ok = CheckValues(e); !ok) return tl::unexpected(ok.error());
    any_scale = any_scale || e.scale_resolution_down_by.has_value();
  }
  if (list.size() > most) list.resize(most);
  for (std::size_t i = 0; i < list.size() && kind == MediaKind::kVideo; ++i) {
    if (list[i].scale_resolution_down_by) continue;
    list[i].scale_resolution_down_by =
        any_scale ? 1.0 : static_cast<double>(uint64_t{1} << (list.size() - i - 1));
  }
  // Without names of their own, several encodings are numbered (RFC 8829 section 5.2.1).
  for (std::size_t i = 0; with_rid == 0 && list.size() > 1 && i < list.size(); ++i)
    list[i].rid = std::to_string(i);
  if (list.size() == 1) list[0].rid.clear();
  return list;
}

}  // namespace

uint32_t Negotiator::NewSsrc() {
  while (true) {
    const uint32_t ssrc = rng_.NextU32();
    if (ssrc == 0 || std::find(ssrcs_.begin(), ssrcs_.end(), ssrc) != ssrcs_.end()) continue;
    ssrcs_.push_back(ssrc);
    return ssrc;
  }
}

SendEncoding Negotiator::NewEncoding(const EncodingParameters& parameters, MediaKind kind) {
  SendEncoding encoding;
  encoding.parameters = parameters;
  encoding.ssrc = NewSsrc();
  if (kind == MediaKind::kVideo) {
    encoding.rtx_ssrc = NewSsrc();
    encoding.fec_ssrc = NewSsrc();
  }
  return encoding;
}

Transceiver Negotiator::MakeTransceiver(MediaKind kind, Direction direction) {
  Transceiver t;
  t.id = next_transceiver_++;
  t.kind = kind;
  t.direction = direction;
  t.receiver.track_id = "remote-" + std::to_string(t.id);
  EncodingParameters parameters;
  if (kind == MediaKind::kVideo) parameters.scale_resolution_down_by = 1.0;
  t.sender.encodings.push_back(NewEncoding(parameters, kind));
  return t;
}

PeerResult<TransceiverId> Negotiator::AddTransceiver(MediaKind kind, const TransceiverInit& init) {
  if (const auto open = CheckOpen(); !open) return tl::unexpected(open.error());
  if (init.track && init.track->kind != kind)
    return Reject(ErrorName::kTypeError, "the track is of another kind");
  auto encodings = CheckEncodings(init.send_encodings, kind, config_.max_encodings);
  if (!encodings) return tl::unexpected(encodings.error());
  Transceiver t = MakeTransceiver(kind, init.direction);
  t.sender.track = init.track;
  t.sender.stream_ids = WithoutRepeats(init.streams);
  for (std::size_t i = 0; i < encodings->size(); ++i) {
    if (i == 0) {
      t.sender.encodings[0].parameters = (*encodings)[0];
    } else {
      t.sender.encodings.push_back(NewEncoding((*encodings)[i], kind));
    }
  }
  state_.transceivers.push_back(std::move(t));
  Changed();
  return state_.transceivers.back().id;
}

PeerResult<TransceiverId> Negotiator::AddTrack(const Track& track,
                                               std::vector<std::string> streams) {
  if (const auto open = CheckOpen(); !open) return tl::unexpected(open.error());
  Transceiver* reuse = nullptr;
  for (Transceiver& t : state_.transceivers) {
    if (t.sender.track && t.sender.track->id == track.id && !t.stopped)
      return Reject(ErrorName::kInvalidAccessError, "the track is being sent already: " + track.id);
    // webrtc-pc section 5.1, addTrack, step 7: a sender without a track that has never sent.
    if (reuse == nullptr && !t.sender.track && t.kind == track.kind && !t.stopping && !t.stopped &&
        !t.ever_sent) {
      reuse = &t;
    }
  }
  if (reuse == nullptr) {
    state_.transceivers.push_back(MakeTransceiver(track.kind, Direction::kSendRecv));
    reuse = &state_.transceivers.back();
  } else {
    reuse->direction = MakeDirection(true, Receives(reuse->direction));
  }
  reuse->sender.track = track;
  reuse->sender.stream_ids = WithoutRepeats(std::move(streams));
  reuse->from_add_track = true;
  Changed();
  return reuse->id;
}

PeerResult<Transceiver*> Negotiator::Open(TransceiverId id) {
  if (const auto open = CheckOpen(); !open) return tl::unexpected(open.error());
  Transceiver* t = state_.FindTransceiver(id);
  if (t == nullptr) return Reject(ErrorName::kInvalidAccessError, "no such transceiver");
  return t;
}

PeerResult<void> Negotiator::RemoveTrack(TransceiverId id) {
  const auto t = Open(id);
  if (!t) return tl::unexpected(t.error());
  if (!(*t)->sender.track || (*t)->stopping || (*t)->stopped) return {};
  (*t)->sender.track.reset();
  (*t)->direction = MakeDirection(false, Receives((*t)->direction));
  Changed();
  return {};
}

PeerResult<void> Negotiator::ReplaceTrack(TransceiverId id, std::optional<Track> track) {
  const auto t = Open(id);
  if (!t) return tl::unexpected(t.error());
  if (track && track->kind != (*t)->kind)
    return Reject(ErrorName::kTypeError, "the track is of another kind");
  if ((*t)->stopping || (*t)->stopped)
    return Reject(ErrorName::kInvalidStateError, "the transceiver is stopped");
  (*t)->sender.track = std::move(track);
  return {};
}

PeerResult<void> Negotiator::SetStreams(TransceiverId id, std::vector<std::string> streams) {
  const auto t = Open(id);
  if (!t) return tl::unexpected(t.error());
  (*t)->sender.stream_ids = WithoutRepeats(std::move(streams));
  Changed();
  return {};
}

PeerResult<void> Negotiator::SetDirection(TransceiverId id, Direction direction) {
  const auto t = Open(id);
  if (!t) return tl::unexpected(t.error());
  if ((*t)->stopping || (*t)->stopped)
    return Reject(ErrorName::kInvalidStateError, "the transceiver is stopped");
  if ((*t)->direction == direction) return {};
  (*t)->direction = direction;
  Changed();
  return {};
}

PeerResult<void> Negotiator::Stop(TransceiverId id) {
  const auto t = Open(id);
  if (!t) return tl::unexpected(t.error());
  if ((*t)->stopping || (*t)->stopped) return {};
  StopSendingAndReceiving(**t);
  Changed();
  return {};
}

void Negotiator::StopSendingAndReceiving(Transceiver& t) {
  t.direction = Direction::kInactive;
  t.stopping = true;
}

void Negotiator::StopTransceiver(Transceiver& t) {
  if (!t.stopping) StopSendingAndReceiving(t);
  t.stopped = true;
  t.receptive = false;
  t.current_direction.reset();
  t.receiver.stream_ids.clear();
  t.sender.codecs.clear();
  t.receiver.codecs.clear();
}

PeerResult<void> Negotiator::SetCodecPreferences(TransceiverId id,
                                                 std::vector<CodecPreference> codecs) {
  const auto t = Open(id);
  if (!t) return tl::unexpected(t.error());
  const KindCapabilities& capabilities = config_.capabilities.of((*t)->kind);
  bool media = codecs.empty();
  for (const CodecPreference& p : codecs) {
    const sdp::Codec named{.name = p.name};
    const bool rtx = IsRtx(named);
    const bool known =
        std::any_of(capabilities.codecs.begin(), capabilities.codecs.end(), [&](const auto& c) {
          if (rtx) return c.rtx_payload_type.has_value();
          return c.codec.NameIs(p.name) &&
                 (p.clock_rate == 0 || p.clock_rate == c.codec.clock_rate) &&
                 p.channels == c.codec.channels && (p.fmtp.empty() || p.fmtp == c.codec.fmtp);
        });
    if (!known) {
      return Reject(ErrorName::kInvalidModificationError,
                    "the codec is not among the capabilities: " + p.name);
    }
    media = media || !(rtx || IsResilience(named));
  }
  // webrtc-pc section 5.4, setCodecPreferences, step 8.
  if (!media)
    return Reject(ErrorName::kInvalidModificationError, "only RTX, RED and FEC would be left");
  (*t)->preferred_codecs = std::move(codecs);
  ++version_;
  return {};
}

PeerResult<void> Negotiator::SetEncodings(TransceiverId id,
                                          const std::vector<EncodingParameters>& encodings) {
  const auto t = Open(id);
  if (!t) return tl::unexpected(t.error());
  if ((*t)->stopping || (*t)->stopped)
    return Reject(ErrorName::kInvalidStateError, "the transceiver is stopped");
  auto& own = (*t)->sender.encodings;
  // webrtc-pc section 5.2, setParameters: the number, the order and the rids stay.
  if (own.size() != encodings.size())
    return Reject(ErrorName::kInvalidModificationError, "another number of encodings");
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (own[i].parameters.rid != encodings[i].rid)
      return Reject(ErrorName::kInvalidModificationError, "a rid may not be changed");
    if (const auto ok = CheckValues(encodings[i]); !ok) return ok;
  }
  for (std::size_t i = 0; i < own.size(); ++i) own[i].parameters = encodings[i];
  return {};
}

}  // namespace rtclab::peer
