// What offers and answers have in common: the session level, transport attributes, streams, encodings.
#include <algorithm>

#include "stack/base/check.h"
#include "stack/peer/negotiation/negotiator.h"

namespace rtclab::peer {
namespace {

// RFC 7587 section 4.2: Opus packets are at most 120 ms.
constexpr TimeDelta kMaxPtime = TimeDelta::Millis(120);

}  // namespace

sdp::SessionDescription Negotiator::NewDescription() {
  sdp::SessionDescription d;
  d.origin.session_id = session_id_;
  d.origin.session_version = ++session_version_;
  // RFC 8829 section 5.2.1: an address that says nothing.
  d.origin.address.address = "0.0.0.0";
  return d;
}

sdp::MediaDescription Negotiator::RejectedSection(const SectionPlan& plan,
                                                  std::size_t index) const {
  // RFC 3264 section 6: port 0, with a format from before, since there has to be one.
  sdp::MediaDescription m;
  m.media = plan.media;
  m.port = 0;
  m.connections.push_back({});
  if (index < state_.sections.size() && state_.sections[index].mid == plan.mid) {
    m.protocol = state_.sections[index].protocol;
    m.formats = state_.sections[index].formats;
  }
  if (m.formats.empty()) m.formats = {"0"};
  if (m.protocol.empty()) m.protocol = "UDP/TLS/RTP/SAVPF";
  m.attributes.Add(sdp::Mid{plan.mid});
  if (m.IsRtp()) m.attributes.Add(sdp::Direction::kInactive);
  return m;
}

sdp::MediaDescription Negotiator::StartSection(const SectionPlan& plan,
                                               std::string_view protocol) const {
  sdp::MediaDescription m;
  m.media = plan.media;
  m.port = plan.bundle_only ? 0 : 9;  // RFC 8840 section 4.1.1
  m.protocol = protocol;
  m.connections.push_back({});
  m.attributes.Add(sdp::Mid{plan.mid});
  if (plan.bundle_only) m.attributes.Set(sdp::Flag::kBundleOnly);
  if (m.IsSctp()) {
    m.formats = {"webrtc-datachannel"};
    m.attributes.Add(sdp::SctpPort{config_.sctp_port});
    m.attributes.Add(sdp::MaxMessageSize{config_.max_message_size});
  } else if (plan.media == "audio") {
    m.attributes.Add(sdp::MaxPtime{kMaxPtime});
  }
  return m;
}

void Negotiator::AddTransportAttributes(sdp::MediaDescription& m, const SectionPlan& plan,
                                        sdp::Setup setup) const {
  m.attributes.Add(sdp::IceUfrag{plan.credentials.ufrag});
  m.attributes.Add(sdp::IcePwd{plan.credentials.password});
  for (const sdp::Fingerprint& f : config_.fingerprints) m.attributes.Add(f);
  m.attributes.Add(setup);
  if (!plan.tls_id.empty()) m.attributes.Add(sdp::TlsId{plan.tls_id});
}

void Negotiator::AddCandidates(sdp::MediaDescription& m, const SectionPlan& plan) const {
  if (plan.bundle_only || plan.transport < 0) return;
  const JsepTransport* transport = FindTransport(plan.transport);
  const std::string& ufrag =
      plan.own || transport == nullptr ? plan.credentials.ufrag : transport->local.ufrag;
  for (const LocalCandidates& c : local_candidates_) {
    if (c.transport != plan.transport || c.ufrag != ufrag) continue;
    int rank = -1;
    for (const LocalCandidateLine& line : c.lines) {
      // RFC 8839 section 4.2.1.2: the default candidate is the one most likely to work.
      if (line.rank > rank) {
        rank = line.rank;
        m.port = line.port;
        m.connections = {{"IN", line.ipv6 ? "IP6" : "IP4", line.address}};
      }
      if (!plan.own) continue;
      if (const auto parsed = sdp::ParseAttribute(line.text)) m.attributes.Add(*parsed);
    }
    if (plan.own && c.end) m.attributes.Set(sdp::Flag::kEndOfCandidates);
  }
}

void Negotiator::AddStreams(sdp::MediaDescription& m, const Transceiver& t, bool sends) const {
  // RFC 8829 section 5.2.2: msid lines stay when the direction changes.
  bool before = false;
  for (const auto* d : {&state_.pending_local, &state_.current_local}) {
    const sdp::MediaDescription* s = *d && t.mid ? (*d)->sdp.FindMid(*t.mid) : nullptr;
    before = before || (s != nullptr && s->attributes.Find<sdp::Msid>() != nullptr);
  }
  if (!sends && !before) return;
  for (const std::string& id : t.sender.stream_ids) m.attributes.Add(sdp::Msid{id, {}});
  // RFC 8830 section 2: "-" for a track without a stream.
  if (t.sender.stream_ids.empty()) m.attributes.Add(sdp::Msid{"-", {}});
}

void Negotiator::AddEncodings(sdp::MediaDescription& m, const Transceiver& t,
                              bool simulcast) const {
  if (!simulcast || t.sender.encodings.size() < 2) return;
  sdp::Simulcast line;
  for (const SendEncoding& e : t.sender.encodings) {
    m.attributes.Add(sdp::Rid{e.parameters.rid, sdp::RidDirection::kSend, {}, {}});
    line.send.push_back({{e.parameters.rid, false}});
  }
  m.attributes.Add(line);
}

void Negotiator::AddSsrcs(sdp::MediaDescription& m, const Transceiver& t) const {
  // With simulcast the rids tell streams apart (RFC 8853 section 5.2): SSRCs are not signalled.
  if (t.sender.encodings.size() != 1) return;
  const SendEncoding& e = t.sender.encodings.front();
  const std::vector<sdp::Codec> codecs = sdp::Codecs(m);
  const auto has = [&codecs](auto&& condition) {
    return std::any_of(codecs.begin(), codecs.end(), condition);
  };
  std::vector<uint32_t> ssrcs = {e.ssrc};
  if (e.rtx_ssrc != 0 && has([](const sdp::Codec& c) { return IsRtx(c); })) {
    m.attributes.Add(sdp::SsrcGroup{"FID", {e.ssrc, e.rtx_ssrc}});  // RFC 4588 section 8
    ssrcs.push_back(e.rtx_ssrc);
  }
  if (e.fec_ssrc != 0 && has([](const sdp::Codec& c) { return c.NameIs("flexfec"); })) {
    m.attributes.Add(sdp::SsrcGroup{"FEC-FR", {e.ssrc, e.fec_ssrc}});  // RFC 5956 section 4.3
    ssrcs.push_back(e.fec_ssrc);
  }
  for (const uint32_t ssrc : ssrcs) m.attributes.Add(sdp::Ssrc{ssrc, "cname", config_.cname});
}

void Negotiator::AddLipSyncGroups(sdp::SessionDescription& d,
                                  const std::vector<SectionPlan>& plans) const {
  // RFC 8829 section 5.2.1: one group for each stream that several sections send.
  std::vector<sdp::Group> groups;
  std::vector<std::string> streams;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (plans[i].rejected) continue;
    for (const sdp::Msid* msid : d.media[i].attributes.All<sdp::Msid>()) {
      if (msid->stream_id == "-") continue;
      const auto at = std::find(streams.begin(), streams.end(), msid->stream_id);
      if (at == streams.end()) {
        streams.push_back(msid->stream_id);
        groups.push_back({"LS", {plans[i].mid}});
      } else {
        groups[static_cast<std::size_t>(at - streams.begin())].mids.push_back(plans[i].mid);
      }
    }
  }
  for (sdp::Group& group : groups) {
    if (group.mids.size() > 1) d.attributes.Add(std::move(group));
  }
}

const sdp::MediaDescription* Negotiator::LastAnswered(std::string_view mid) const {
  for (const auto* d : {&state_.current_local, &state_.current_remote}) {
    if (!*d || (*d)->type != SdpType::kAnswer) continue;
    const sdp::MediaDescription* m = (*d)->sdp.FindMid(mid);
    return m == nullptr || m->IsRejected() ? nullptr : m;
  }
  return nullptr;
}

}  // namespace rtclab::peer
