// createAnswer: RFC 8829 section 5.3.
#include <algorithm>

#include "stack/peer/negotiation/extensions.h"
#include "stack/peer/negotiation/negotiator.h"

namespace rtclab::peer {
namespace {

bool HasMediaCodec(const std::vector<sdp::Codec>& codecs) {
  return std::any_of(codecs.begin(), codecs.end(),
                     [](const sdp::Codec& c) { return !IsRtx(c) && !IsResilience(c); });
}

bool OffersEncrypted(const sdp::MediaDescription& offered, std::string_view uri) {
  const auto lines = offered.attributes.All<sdp::Extmap>();
  return std::any_of(lines.begin(), lines.end(), [uri](const sdp::Extmap* e) {
    return e->id <= 255 && ExtensionOf(*e) == NamedExtension{uri, true};
  });
}

}  // namespace

PeerResult<SessionDescriptionInit> Negotiator::CreateAnswer() {
  if (const auto open = CheckOpen(); !open) return tl::unexpected(open.error());
  if (state_.signaling != SignalingState::kHaveRemoteOffer &&
      state_.signaling != SignalingState::kHaveLocalPranswer) {
    return Reject(ErrorName::kInvalidStateError,
                  "no answer can be created in " + std::string(ToString(state_.signaling)));
  }
  const sdp::SessionDescription& offer = state_.pending_remote->sdp;
  Created created;
  created.plans = PlanAnswer();
  created.sdp = NewDescription();
  sdp::AttributeList& session = created.sdp.attributes;
  if (config_.bundle) {
    for (const sdp::Group* group : offer.BundleGroups()) {
      sdp::Group own{"BUNDLE", {}};
      for (const std::string& mid : group->mids) {
        const auto index = offer.IndexOfMid(mid);
        if (index && !created.plans[*index].rejected) own.mids.push_back(mid);
      }
      if (!own.mids.empty()) session.Add(std::move(own));
    }
  }
  // RFC 8829 section 5.3.1: the options only if the offer has them.
  sdp::IceOptions options;
  for (const sdp::IceOptions* offered : offer.attributes.All<sdp::IceOptions>()) {
    for (const std::string_view tag : {"trickle", "ice2"}) {
      if (offered->Has(tag) && !options.Has(tag)) options.tags.emplace_back(tag);
    }
  }
  for (const sdp::MediaDescription& m : offer.media) {
    const auto* offered = m.attributes.Find<sdp::IceOptions>();
    if (offered != nullptr && offered->Has("trickle") && !options.Has("trickle"))
      options.tags.emplace_back("trickle");
  }
  if (!options.tags.empty()) session.Add(std::move(options));
  if (config_.ice_lite) session.Set(sdp::Flag::kIceLite);
  if (config_.ice_pacing)
    session.Add(sdp::IcePacing{static_cast<uint64_t>(config_.ice_pacing->millis())});
  if (offer.attributes.Has(sdp::Flag::kExtmapAllowMixed)) session.Set(sdp::Flag::kExtmapAllowMixed);
  for (std::size_t i = 0; i < created.plans.size(); ++i)
    created.sdp.media.push_back(AnswerSection(created.plans[i], i));
  AddLipSyncGroups(created.sdp, created.plans);
  created.text = sdp::Serialize(created.sdp);
  created.version = version_;
  answer_ = std::move(created);
  return SessionDescriptionInit{SdpType::kAnswer, answer_->text};
}

std::vector<sdp::Codec> Negotiator::AnswerCodecs(const Transceiver& t,
                                                 const sdp::MediaDescription& offered) const {
  return CommonCodecs(PreferredCodecs(config_.capabilities.of(t.kind), t.preferred_codecs),
                      sdp::Codecs(offered), !t.preferred_codecs.empty());
}

Direction Negotiator::AnswerDirection(const Transceiver& t,
                                      const sdp::MediaDescription& offered) const {
  const Direction theirs = sdp::Reverse(offered.direction());
  return MakeDirection(Sends(t.direction) && Sends(theirs),
                       Receives(t.direction) && Receives(theirs));
}

bool Negotiator::BundlePolicyRejects(std::size_t index,
                                     const sdp::SessionDescription& offer) const {
  if (config_.bundle_policy == BundlePolicy::kMaxCompat || !config_.bundle) return false;
  const bool by_kind = config_.bundle_policy == BundlePolicy::kBalanced;
  const sdp::MediaDescription& m = offer.media[index];
  for (std::size_t first = 0; first < index; ++first) {
    const sdp::MediaDescription& f = offer.media[first];
    if (f.IsRejected() || (by_kind && f.media != m.media)) continue;
    const sdp::Group* group = offer.BundleGroupOf(f.mid());
    return group == nullptr || group != offer.BundleGroupOf(m.mid());
  }
  return false;
}

bool Negotiator::MustReject(std::size_t index, const sdp::SessionDescription& offer) const {
  const sdp::MediaDescription& m = offer.media[index];
  const Section& section = state_.sections[index];
  if (m.IsRejected() || BundlePolicyRejects(index, offer)) return true;
  // A peer that knows no BUNDLE sees port 0 (RFC 8843 section 6).
  if (!config_.bundle && m.attributes.Has(sdp::Flag::kBundleOnly)) return true;
  if (section.IsData()) return !m.IsSctp();
  const Transceiver* t = section.transceiver ? FindTransceiver(*section.transceiver) : nullptr;
  if (t == nullptr || t->stopped || !m.IsRtp()) return true;
  return !HasMediaCodec(AnswerCodecs(*t, m));
}

std::vector<Negotiator::SectionPlan> Negotiator::PlanAnswer() {
  const sdp::SessionDescription& offer = state_.pending_remote->sdp;
  std::vector<SectionPlan> plans;
  for (std::size_t i = 0; i < offer.media.size(); ++i) {
    SectionPlan plan;
    plan.mid = state_.sections[i].mid;
    plan.media = offer.media[i].media;
    plan.transceiver = state_.sections[i].transceiver;
    plan.rejected = MustReject(i, offer);
    plans.push_back(std::move(plan));
  }
  // RFC 8843 section 7.3.3: what rejects the offerer's tagged section rejects the group.
  for (std::size_t i = 0; config_.bundle && i < plans.size(); ++i) {
    if (plans[TaggedSection(offer, i)].rejected) plans[i].rejected = true;
  }
  PlanAnswerTransports(plans);
  return plans;
}

void Negotiator::PlanAnswerTransports(std::vector<SectionPlan>& plans) {
  const sdp::SessionDescription& offer = state_.pending_remote->sdp;
  // A transport stays with the section that has its peer credentials. What is left, because the peer restarts ICE, goes to the
  // section that had it before, or to one that is bundled with that.
  std::vector<int> claimed;
  const auto claim = [&](SectionPlan& plan, int transport) {
    if (FindTransport(transport) == nullptr || plan.transport >= 0 ||
        std::find(claimed.begin(), claimed.end(), transport) != claimed.end()) {
      return;
    }
    plan.transport = transport;
    claimed.push_back(transport);
  };
  const auto tag_of = [&](std::size_t i) { return config_.bundle ? TaggedSection(offer, i) : i; };
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (plans[i].rejected || tag_of(i) != i) continue;
    const std::string ufrag = sdp::DescribeTransport(offer, offer.media[i]).ice_ufrag;
    for (const JsepTransport& t : state_.transports) {
      if (t.remote.ufrag == ufrag) claim(plans[i], t.id);
    }
  }
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (!plans[i].rejected) claim(plans[tag_of(i)], state_.sections[i].transport);
  }
  for (std::size_t i = 0; i < plans.size(); ++i) {
    SectionPlan& plan = plans[i];
    plan.own = !plan.rejected && tag_of(i) == i;
    if (!plan.own) continue;
    const JsepTransport* t = FindTransport(plan.transport);
    if (t == nullptr) {
      plan.credentials = NewCredentials();
      plan.tls_id = NewTlsId();
      continue;
    }
    const auto offered = sdp::DescribeTransport(offer, offer.media[i]);
    plan.credentials = t->local;
    plan.tls_id = t->local_tls_id;
    if (!t->remote.ufrag.empty() &&
        ice::Credentials{offered.ice_ufrag, offered.ice_pwd} != t->remote) {
      // The peer restarts ICE, and so do we (RFC 8839 section 4.4.1.1.1).
      const auto next = std::find_if(
          next_credentials_.begin(), next_credentials_.end(),
          [t](const auto& n) { return n.transport == t->id && n.credentials != t->local; });
      plan.credentials = next != next_credentials_.end() ? next->credentials : NewCredentials();
    }
    // RFC 8842 section 5.3: our tls-id changes with theirs.
    if (!offered.tls_id.empty() && !t->remote_tls_id.empty() && offered.tls_id != t->remote_tls_id)
      plan.tls_id = NewTlsId();
  }
}

sdp::Setup Negotiator::AnswerSetup(const SectionPlan& plan,
                                   const sdp::TransportDescription& offered) const {
  if (offered.setup == sdp::Setup::kActive) return sdp::Setup::kPassive;
  if (offered.setup == sdp::Setup::kPassive) return sdp::Setup::kActive;
  const JsepTransport* t = FindTransport(plan.transport);
  // The roles of a DTLS association that goes on stay (RFC 8842 section 5.3).
  const bool active = t != nullptr && t->dtls_client && plan.tls_id == t->local_tls_id
                          ? *t->dtls_client
                          : config_.answer_active;
  return active ? sdp::Setup::kActive : sdp::Setup::kPassive;
}

void Negotiator::AddAnswerExtensions(sdp::MediaDescription& m, const Transceiver& t,
                                     const sdp::MediaDescription& offered) const {
  const auto& known = config_.capabilities.of(t.kind).extensions;
  for (const sdp::Extmap* e : offered.attributes.All<sdp::Extmap>()) {
    // Ids from 4096 on leave the choice to us (RFC 8285 section 6); nobody sends them, so they are left out.
    if (e->id > 255) continue;
    const NamedExtension named = ExtensionOf(*e);
    const bool supported =
        std::any_of(known.begin(), known.end(), [&](const auto& k) { return k.uri == named.uri; });
    const auto lines = m.attributes.All<sdp::Extmap>();
    const bool twice = std::any_of(lines.begin(), lines.end(), [&](const sdp::Extmap* other) {
      return ExtensionOf(*other).uri == named.uri;
    });
    // RFC 6904 section 4: of both forms one is chosen.
    const bool chosen = named.encrypted == (config_.capabilities.encrypted_extensions &&
                                            OffersEncrypted(offered, named.uri));
    if (supported && chosen && !twice) m.attributes.Add(ExtmapFor(e->id, named));
  }
}

void Negotiator::AddAnswerSimulcast(sdp::MediaDescription& m, const Transceiver& t,
                                    Direction direction,
                                    const sdp::MediaDescription& offered) const {
  const auto* simulcast = offered.attributes.Find<sdp::Simulcast>();
  if (simulcast == nullptr) return;
  AddEncodings(m, t, Sends(direction) && !simulcast->recv.empty());
  if (!config_.accept_simulcast || !Receives(direction) || simulcast->send.empty()) return;
  sdp::Simulcast line;
  if (auto* own = m.attributes.Find<sdp::Simulcast>()) {
    line = *own;
    m.attributes.Erase<sdp::Simulcast>();
  }
  for (const sdp::SimulcastStream& stream : simulcast->send) {
    // Of alternatives the first one (RFC 8853 section 5.3.2 lets the answerer choose).
    m.attributes.Add(sdp::Rid{stream.front().rid, sdp::RidDirection::kRecv, {}, {}});
    line.recv.push_back({stream.front()});
  }
  m.attributes.Add(std::move(line));
}

sdp::MediaDescription Negotiator::AnswerSection(const SectionPlan& plan, std::size_t index) {
  if (plan.rejected) return RejectedSection(plan, index);
  const sdp::SessionDescription& offer = state_.pending_remote->sdp;
  const sdp::MediaDescription& offered = offer.media[index];
  const sdp::TransportDescription transport = sdp::DescribeTransport(offer, offered);
  // RFC 8829 section 5.3.1: the protocol is what the offer has.
  sdp::MediaDescription m = StartSection(plan, offered.protocol);
  if (m.IsSctp()) {
    m.formats = offered.formats;
    const auto* sctpmap = offered.attributes.Find<sdp::Sctpmap>();
    if (sctpmap != nullptr && offered.attributes.Find<sdp::SctpPort>() == nullptr) {
      m.attributes.Erase<sdp::SctpPort>();
      m.attributes.Add(sdp::Sctpmap{sctpmap->port, sctpmap->protocol, 65535});
    }
    if (plan.own) AddTransportAttributes(m, plan, AnswerSetup(plan, transport));
    AddCandidates(m, plan);
    return m;
  }
  const Transceiver& t = *FindTransceiver(*plan.transceiver);
  const Direction direction = AnswerDirection(t, offered);
  m.attributes.Add(direction);
  if (plan.own) AddTransportAttributes(m, plan, AnswerSetup(plan, transport));
  m.attributes.Set(sdp::Flag::kRtcpMux);
  if (transport.rtcp_rsize) m.attributes.Set(sdp::Flag::kRtcpRsize);
  AddAnswerExtensions(m, t, offered);
  for (const sdp::Codec& codec : AnswerCodecs(t, offered)) sdp::AddCodec(m, codec);
  AddStreams(m, t, Sends(direction));
  AddAnswerSimulcast(m, t, direction, offered);
  if (Sends(direction)) AddSsrcs(m, t);
  AddCandidates(m, plan);
  return m;
}

}  // namespace rtclab::peer
