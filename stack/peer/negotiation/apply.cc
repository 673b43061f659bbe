// What a description that was found sound does: RFC 8829 sections 5.9 to 5.11, webrtc-pc section 4.4.1.5.
#include <algorithm>
#include <utility>

#include "stack/base/check.h"
#include "stack/peer/negotiation/extensions.h"
#include "stack/peer/negotiation/negotiator.h"

namespace rtclab::peer {
namespace {

std::optional<MediaKind> KindOf(std::string_view media) {
  if (media == "audio") return MediaKind::kAudio;
  if (media == "video") return MediaKind::kVideo;
  return std::nullopt;
}

// RFC 8830: the streams of the section's track; "-" is none. A peer that says nothing means one default stream.
std::vector<std::string> StreamsOf(const sdp::MediaDescription& m) {
  std::vector<std::string> streams;
  const auto lines = m.attributes.All<sdp::Msid>();
  for (const sdp::Msid* msid : lines) {
    if (msid->stream_id != "-" &&
        std::find(streams.begin(), streams.end(), msid->stream_id) == streams.end()) {
      streams.push_back(msid->stream_id);
    }
  }
  if (lines.empty()) streams.emplace_back("default");
  return streams;
}

bool SameFingerprints(std::vector<sdp::Fingerprint> a, std::vector<sdp::Fingerprint> b) {
  const auto less = [](const sdp::Fingerprint& x, const sdp::Fingerprint& y) {
    return std::tie(x.algorithm, x.value) < std::tie(y.algorithm, y.value);
  };
  std::sort(a.begin(), a.end(), less);
  std::sort(b.begin(), b.end(), less);
  return a == b;
}

}  // namespace

void Negotiator::NoteIds(const sdp::MediaDescription& m) {
  const auto kind = KindOf(m.media);
  if (!kind || !m.IsRtp() || m.IsRejected()) return;
  payload_types_.Note(*kind, sdp::Codecs(m));
  for (const sdp::Extmap* e : m.attributes.All<sdp::Extmap>()) {
    if (e->id <= 255) extension_ids_.Note(e->id, ExtensionKey(ExtensionOf(*e)));
  }
}

void Negotiator::ForgetUnusedTransports(State& next) {
  std::erase_if(next.transports, [&next](const JsepTransport& t) {
    return std::none_of(next.sections.begin(), next.sections.end(),
                        [&t](const Section& s) { return !s.rejected && s.transport == t.id; });
  });
  for (Section& s : next.sections) {
    if (s.rejected) s.transport = -1;
  }
}

void Negotiator::ListMids(State& next) {
  for (JsepTransport& t : next.transports) {
    t.mids.clear();
    for (const Section& s : next.sections) {
      if (!s.rejected && s.transport == t.id) t.mids.push_back(s.mid);
    }
  }
}

void Negotiator::ApplyLocalOffer(State& next, const Created& created) {
  int shared = -1;  // what bundle-only sections will use if they are accepted
  for (std::size_t i = 0; i < created.plans.size(); ++i) {
    const SectionPlan& plan = created.plans[i];
    if (i == next.sections.size()) next.sections.emplace_back();
    Section& section = next.sections[i];
    const sdp::MediaDescription& m = created.sdp.media[i];
    if (plan.fresh) section = Section{};
    section.mid = plan.mid;
    section.media = plan.media;
    section.protocol = m.protocol;
    section.formats = m.formats;
    section.transceiver = plan.transceiver;
    section.rejected = plan.rejected;
    section.bundle_only = plan.bundle_only;
    if (Transceiver* t = next.FindTransceiver(plan.transceiver)) {
      t->mid = plan.mid;
      t->m_line_index = i;
      t->receptive = !plan.rejected && Receives(m.direction());
      t->receiver.codecs = t->receptive ? sdp::Codecs(m) : std::vector<sdp::Codec>();
    }
    if (plan.rejected) continue;
    section.transport = plan.transport;
    if (plan.own && plan.transport < 0) {
      JsepTransport t;
      t.id = section.transport = next_transport_++;
      t.controlling = !config_.ice_lite;
      next.transports.push_back(std::move(t));
    }
    if (plan.bundle_only && section.transport < 0) section.transport = shared;
    if (plan.own) {
      JsepTransport& t = *next.FindTransport(section.transport);
      t.local = plan.credentials;
      t.local_tls_id = plan.tls_id;
    }
    if (shared < 0) shared = section.transport;
  }
}

void Negotiator::AssociateRemote(State& next, const sdp::SessionDescription& offer,
                                 std::size_t index) {
  const sdp::MediaDescription& m = offer.media[index];
  Section& section = next.sections[index];
  if (section.mid != m.mid()) {
    // A recycled section, or a new one: nobody is associated with it (RFC 8829 section 5.10).
    if (Transceiver* old = next.FindTransceiver(section.transceiver)) {
      old->mid.reset();
      old->m_line_index.reset();
    }
    section = Section{};
    section.mid = m.mid();
  }
  section.media = m.media;
  section.protocol = m.protocol;
  section.formats = m.formats;
  section.rejected = m.IsRejected();
  section.bundle_only = false;
  const auto kind = KindOf(m.media);
  if (!kind || !m.IsRtp() || section.transceiver) return;
  // What was never there and is not wanted needs no transceiver.
  if (m.IsRejected()) return;
  Transceiver* found = nullptr;
  if (Sends(m.direction()) || m.direction() == Direction::kRecvOnly) {
    // "sendrecv or recvonly" as the peer has it: it wants to receive.
    for (Transceiver& t : next.transceivers) {
      if (Receives(m.direction()) && t.kind == *kind && t.from_add_track && !t.mid && !t.stopping &&
          !t.stopped) {
        found = &t;
        break;
      }
    }
  }
  if (found == nullptr) {
    next.transceivers.push_back(MakeTransceiver(*kind, Direction::kRecvOnly));
    found = &next.transceivers.back();
    found->created_by_remote = true;
  }
  found->mid = m.mid();
  found->m_line_index = index;
  section.transceiver = found->id;
}

void Negotiator::ApplyRemoteSimulcast(Transceiver& t, const sdp::MediaDescription& m) {
  const auto* simulcast = m.attributes.Find<sdp::Simulcast>();
  if (simulcast == nullptr || simulcast->recv.empty()) return;
  auto& encodings = t.sender.encodings;
  if (encodings.size() != 1 || !encodings[0].parameters.rid.empty()) return;
  std::vector<std::string> rids;
  for (const sdp::SimulcastStream& stream : simulcast->recv) {
    const std::string& rid = stream.front().rid;
    if (std::find(rids.begin(), rids.end(), rid) == rids.end()) rids.push_back(rid);
  }
  if (rids.size() > config_.max_encodings) rids.resize(config_.max_encodings);
  for (std::size_t i = 0; i < rids.size(); ++i) {
    if (i > 0) encodings.push_back(NewEncoding(encodings[0].parameters, t.kind));
    encodings[i].parameters.rid = rids[i];
    encodings[i].parameters.scale_resolution_down_by =
        static_cast<double>(uint64_t{1} << (rids.size() - i - 1));
  }
}

PeerResult<void> Negotiator::ApplyRemoteOffer(State& next, const sdp::SessionDescription& offer,
                                              Events& events) {
  for (std::size_t i = 0; i < offer.media.size(); ++i) {
    const sdp::MediaDescription& m = offer.media[i];
    if (i == next.sections.size()) next.sections.emplace_back();
    AssociateRemote(next, offer, i);
    Transceiver* t = next.FindTransceiver(next.sections[i].transceiver);
    if (t == nullptr) continue;
    if (m.IsRejected()) {
      ProcessRemoteTracks(*t, Direction::kInactive, {}, events);
      if (!t->stopped) StopTransceiver(*t);
      continue;
    }
    ApplyRemoteSimulcast(*t, m);
    const Direction direction = sdp::Reverse(m.direction());
    ProcessRemoteTracks(*t, direction,
                        Receives(direction) ? StreamsOf(m) : std::vector<std::string>(), events);
    t->receiver.codecs =
        CommonCodecs(PreferredCodecs(config_.capabilities.of(t->kind), {}), sdp::Codecs(m), false);
  }
  return {};
}

void Negotiator::ProcessRemoteTracks(Transceiver& t, Direction direction,
                                     std::vector<std::string> msids, Events& events) {
  // webrtc-pc section 5.1.1.
  const bool more = std::any_of(msids.begin(), msids.end(), [&t](const std::string& id) {
    return std::find(t.receiver.stream_ids.begin(), t.receiver.stream_ids.end(), id) ==
           t.receiver.stream_ids.end();
  });
  t.receiver.stream_ids = std::move(msids);
  const bool fired = t.fired_direction && Receives(*t.fired_direction);
  if (Receives(direction)) {
    if (!fired || more)
      events.emplace_back(TrackAdded{t.id, t.receiver.track_id, t.receiver.stream_ids});
  } else {
    t.receptive = false;
    if (fired) events.emplace_back(TrackRemoved{t.id, t.receiver.track_id});
  }
  t.fired_direction = direction;
}

PeerResult<void> Negotiator::ApplyAnswer(State& next, const sdp::SessionDescription& local,
                                         const sdp::SessionDescription& remote,
                                         bool answer_is_local,
                                         const std::vector<SectionPlan>* plans, Events& events) {
  const sdp::SessionDescription& answer = answer_is_local ? local : remote;
  for (std::size_t i = 0; i < answer.media.size(); ++i) {
    next.sections[i].rejected = answer.media[i].IsRejected();
    next.sections[i].protocol = answer.media[i].protocol;
  }
  const auto transports = ApplyAnswerTransports(next, local, remote, answer_is_local, plans);
  if (!transports) return transports;
  for (std::size_t i = 0; i < answer.media.size(); ++i) {
    Transceiver* t = next.FindTransceiver(next.sections[i].transceiver);
    if (t == nullptr || t->stopped) continue;
    const sdp::MediaDescription& m = answer.media[i];
    Direction direction = Direction::kInactive;
    if (!m.IsRejected()) direction = answer_is_local ? m.direction() : sdp::Reverse(m.direction());
    if (answer_is_local) {
      t->receptive = Receives(direction);
      if (!Receives(direction) && t->fired_direction && Receives(*t->fired_direction))
        ProcessRemoteTracks(*t, direction, {}, events);
      t->fired_direction = direction;
    } else {
      ProcessRemoteTracks(*t, direction,
                          Receives(direction) ? StreamsOf(m) : std::vector<std::string>(), events);
    }
    t->current_direction = direction;
    t->ever_sent = t->ever_sent || Sends(direction);
    if (m.IsRejected()) {
      t->sender.codecs.clear();
      t->receiver.codecs.clear();
      if (!answer_is_local) StopTransceiver(*t);
      continue;
    }
    ApplyAnswerMedia(*t, local.media[i], remote.media[i], answer_is_local);
  }
  ApplyAnswerSctp(next, local, remote);
  return {};
}

void Negotiator::NarrowEncodings(Transceiver& t, const sdp::MediaDescription& m, bool local) {
  auto& encodings = t.sender.encodings;
  if (encodings.size() < 2) return;
  // The answer says which encodings are wanted: as "recv" if it is the peer's, as "send" if it is ours.
  const auto* simulcast = m.attributes.Find<sdp::Simulcast>();
  std::vector<std::string> wanted;
  if (simulcast != nullptr) {
    for (const sdp::SimulcastStream& s : local ? simulcast->send : simulcast->recv) {
      for (const sdp::SimulcastFormat& f : s) wanted.push_back(f.rid);
    }
  }
  const auto missing = [&wanted](const SendEncoding& e) {
    return std::find(wanted.begin(), wanted.end(), e.parameters.rid) == wanted.end();
  };
  if (std::all_of(encodings.begin(), encodings.end(), missing)) {
    encodings.resize(1);
  } else {
    std::erase_if(encodings, missing);
  }
}

void Negotiator::ApplyAnswerMedia(Transceiver& t, const sdp::MediaDescription& local,
                                  const sdp::MediaDescription& remote, bool answer_is_local) {
  NarrowEncodings(t, answer_is_local ? local : remote, answer_is_local);
  const std::vector<sdp::Codec> own = sdp::Codecs(local), theirs = sdp::Codecs(remote);
  std::vector<LocalCodec> offered;
  for (const sdp::Codec& c : own) {
    if (IsRtx(c)) continue;
    const sdp::Codec* rtx = FindRtx(own, c.payload_type);
    offered.push_back(
        {c, rtx != nullptr ? std::optional<uint8_t>(rtx->payload_type) : std::nullopt});
  }
  // We send what the peer likes best, with its payload types (RFC 3264 section 6.1).
  t.sender.codecs = CommonCodecs(offered, theirs, false);
  t.receiver.codecs.clear();
  if (!Receives(*t.current_direction)) return;
  for (const LocalCodec& c : offered) {
    const bool both = std::any_of(theirs.begin(), theirs.end(), [&c](const sdp::Codec& r) {
      return !IsRtx(r) && SameCodec(c.codec, r);
    });
    if (!both) continue;
    t.receiver.codecs.push_back(c.codec);
    if (c.rtx_payload_type) t.receiver.codecs.push_back(MakeRtx(*c.rtx_payload_type, c.codec));
  }
}

PeerResult<void> Negotiator::ApplyAnswerTransports(State& next,
                                                   const sdp::SessionDescription& local,
                                                   const sdp::SessionDescription& remote,
                                                   bool answer_is_local,
                                                   const std::vector<SectionPlan>* plans) {
  const sdp::SessionDescription& answer = answer_is_local ? local : remote;
  // Our own answer names the new transports, the peer's bundles those that were offered.
  for (std::size_t i = 0; answer_is_local && i < plans->size(); ++i) {
    const SectionPlan& plan = (*plans)[i];
    if (!plan.own) continue;
    if (plan.transport >= 0) {
      next.sections[i].transport = plan.transport;
    } else if (next.FindTransport(next.sections[i].transport) == nullptr ||
               next.FindTransport(next.sections[i].transport)->local != plan.credentials) {
      JsepTransport t;
      t.id = next.sections[i].transport = next_transport_++;
      // RFC 8445 section 6.1.1: the offerer controls, unless it is lite.
      t.controlling = remote.attributes.Has(sdp::Flag::kIceLite) && !config_.ice_lite;
      next.transports.push_back(std::move(t));
    }
    JsepTransport& t = *next.FindTransport(next.sections[i].transport);
    t.local = plan.credentials;
    t.local_tls_id = plan.tls_id;
  }
  for (std::size_t i = 0; i < answer.media.size(); ++i) {
    Section& section = next.sections[i];
    if (section.rejected) continue;
    const std::size_t tag = TaggedSection(answer, i);
    section.transport = next.sections[tag].transport;
    section.in_bundle = answer.BundleGroupOf(answer.media[i].mid()) != nullptr;
    section.bundle_only = false;
    JsepTransport* t = next.FindTransport(section.transport);
    if (t == nullptr)
      return Reject(ErrorName::kInvalidAccessError, "a section has no transport: " + section.mid);
    if (tag != i) continue;
    const auto applied = ApplyRemoteTransport(*t, i, local, remote, answer_is_local);
    if (!applied) return applied;
  }
  return {};
}

PeerResult<void> Negotiator::ApplyRemoteTransport(JsepTransport& transport, std::size_t index,
                                                  const sdp::SessionDescription& local,
                                                  const sdp::SessionDescription& remote,
                                                  bool answer_is_local) const {
  const std::size_t tag = answer_is_local && config_.bundle ? TaggedSection(remote, index) : index;
  const auto theirs = sdp::DescribeTransport(remote, remote.media[tag]);
  const auto ours = sdp::DescribeTransport(local, local.media[index]);
  const ice::Credentials credentials{theirs.ice_ufrag, theirs.ice_pwd};
  const JsepTransport* before =
      stable_ ? const_cast<State&>(*stable_).FindTransport(transport.id) : nullptr;
  const bool known = !transport.remote.ufrag.empty();
  const bool changed = known && transport.remote != credentials;
  const bool restarted =
      before != nullptr && !before->remote.ufrag.empty() && before->local != transport.local;
  if (!answer_is_local && state_.signaling == SignalingState::kHaveLocalOffer && known) {
    // RFC 8829 section 5.10.
    if (changed && !restarted)
      return Reject(ErrorName::kInvalidAccessError,
                    "the answer restarts ICE and the offer did not");
    if (!changed && restarted)
      return Reject(ErrorName::kInvalidAccessError,
                    "the offer restarts ICE and the answer does not");
  }
  const bool other_certificate =
      known && (!SameFingerprints(transport.remote_fingerprints, theirs.fingerprints) ||
                (!theirs.tls_id.empty() && !transport.remote_tls_id.empty() &&
                 theirs.tls_id != transport.remote_tls_id));
  // RFC 8829 section 5.11.
  if (other_certificate && !changed)
    return Reject(ErrorName::kInvalidAccessError, "another DTLS association needs an ICE restart");
  const sdp::Setup setup = (answer_is_local ? ours : theirs).setup.value_or(sdp::Setup::kActive);
  const bool client = (setup == sdp::Setup::kActive) == answer_is_local;
  if (other_certificate) {
    ++transport.dtls_generation;
  } else if (transport.dtls_client && *transport.dtls_client != client && known) {
    return Reject(ErrorName::kInvalidAccessError, "the DTLS roles of an association are fixed");
  }
  transport.dtls_client = client;
  transport.remote = credentials;
  transport.remote_lite = theirs.ice_lite;
  transport.remote_fingerprints = theirs.fingerprints;
  transport.remote_tls_id = theirs.tls_id;
  const auto* pacing = remote.attributes.Find<sdp::IcePacing>();
  if (pacing == nullptr) pacing = remote.media[tag].attributes.Find<sdp::IcePacing>();
  transport.remote_pacing.reset();
  if (pacing != nullptr && pacing->milliseconds <= 60'000)
    transport.remote_pacing = TimeDelta::Millis(static_cast<int64_t>(pacing->milliseconds));
  return {};
}

void Negotiator::ApplyAnswerSctp(State& next, const sdp::SessionDescription& local,
                                 const sdp::SessionDescription& remote) const {
  next.sctp.reset();
  for (std::size_t i = 0; i < next.sections.size(); ++i) {
    const Section& section = next.sections[i];
    if (section.rejected || !section.IsData()) continue;
    SctpParameters sctp;
    sctp.mid = section.mid;
    sctp.transport = section.transport;
    const auto port = [](const sdp::MediaDescription& m) -> uint16_t {
      if (const auto* p = m.attributes.Find<sdp::SctpPort>()) return p->value;
      if (const auto* map = m.attributes.Find<sdp::Sctpmap>()) return map->port;
      return 5000;
    };
    sctp.local_port = port(local.media[i]);
    sctp.remote_port = port(remote.media[i]);
    // RFC 8841 section 6.1: 64 KiB when nothing is said.
    if (const auto* size = remote.media[i].attributes.Find<sdp::MaxMessageSize>())
      sctp.remote_max_message_size = size->bytes;
    next.sctp = sctp;
    return;
  }
}

}  // namespace rtclab::peer
