// createOffer: RFC 8829 section 5.2.
#include <algorithm>
#include <utility>

#include "stack/base/check.h"
#include "stack/peer/negotiation/extensions.h"
#include "stack/peer/negotiation/negotiator.h"

namespace rtclab::peer {

PeerResult<SessionDescriptionInit> Negotiator::CreateOffer(const OfferOptions& options) {
  if (const auto open = CheckOpen(); !open) return tl::unexpected(open.error());
  if (state_.signaling != SignalingState::kStable &&
      state_.signaling != SignalingState::kHaveLocalOffer) {
    return Reject(ErrorName::kInvalidStateError,
                  "no offer can be created in " + std::string(ToString(state_.signaling)));
  }
  Created created;
  const int next_mid = next_mid_;
  created.plans = PlanOffer(options);
  // A mid is given away when the description is applied, not before.
  created.next_mid = std::exchange(next_mid_, next_mid);
  created.sdp = NewDescription();
  sdp::AttributeList& session = created.sdp.attributes;
  if (config_.bundle) {
    sdp::Group bundle{"BUNDLE", {}};
    for (const SectionPlan& plan : created.plans) {
      if (plan.rejected) continue;
      const auto index = static_cast<std::size_t>(&plan - created.plans.data());
      // What was answered outside of the bundle stays outside (RFC 8829 section 5.2.2).
      const bool outside =
          !plan.fresh && LastAnswered(plan.mid) != nullptr && !state_.sections[index].in_bundle;
      if (!outside) bundle.mids.push_back(plan.mid);
    }
    if (!bundle.mids.empty()) session.Add(std::move(bundle));
  }
  session.Add(sdp::IceOptions{{"trickle", "ice2"}});
  if (config_.ice_lite) session.Set(sdp::Flag::kIceLite);
  if (config_.ice_pacing)
    session.Add(sdp::IcePacing{static_cast<uint64_t>(config_.ice_pacing->millis())});
  session.Set(sdp::Flag::kExtmapAllowMixed);
  for (std::size_t i = 0; i < created.plans.size(); ++i)
    created.sdp.media.push_back(OfferSection(created.plans[i], i));
  AddLipSyncGroups(created.sdp, created.plans);
  created.text = sdp::Serialize(created.sdp);
  created.version = version_;
  offer_ = std::move(created);
  return SessionDescriptionInit{SdpType::kOffer, offer_->text};
}

bool Negotiator::IsRecyclable(std::size_t index) const {
  // RFC 8829 section 5.2.2: a zero port in a current description, and nobody left who needs the place.
  const Section& section = state_.sections[index];
  if (section.transceiver) {
    const Transceiver* t = FindTransceiver(*section.transceiver);
    if (t != nullptr && !t->stopped) return false;
  }
  for (const auto* d : {&state_.current_local, &state_.current_remote}) {
    if (*d && index < (*d)->sdp.media.size() && (*d)->sdp.media[index].IsRejected()) return true;
  }
  return false;
}

Negotiator::SectionPlan Negotiator::PlanKnownSection(std::size_t index) {
  const Section& section = state_.sections[index];
  SectionPlan plan;
  plan.mid = section.mid;
  plan.media = section.media;
  plan.transport = section.transport;
  plan.bundle_only = section.bundle_only;
  plan.rejected = true;
  if (section.IsData()) {
    plan.rejected = section.rejected;
  } else if (section.transceiver) {
    const Transceiver* t = FindTransceiver(*section.transceiver);
    if (t != nullptr && t->mid == section.mid) {
      plan.transceiver = t->id;
      plan.rejected = t->stopping || t->stopped;
    }
  }
  if (plan.rejected) plan.bundle_only = false;
  return plan;
}

void Negotiator::PlaceSection(std::vector<SectionPlan>& plans, SectionPlan plan) {
  plan.fresh = true;
  for (std::size_t i = 0; i < state_.sections.size(); ++i) {
    if (plans[i].fresh || !IsRecyclable(i)) continue;
    plans[i] = std::move(plan);
    return;
  }
  plans.push_back(std::move(plan));
}

std::vector<Negotiator::SectionPlan> Negotiator::PlanOffer(const OfferOptions& options) {
  std::vector<SectionPlan> plans;
  bool has_data = false;
  for (std::size_t i = 0; i < state_.sections.size(); ++i) {
    plans.push_back(PlanKnownSection(i));
    has_data = has_data || (state_.sections[i].IsData() && !plans.back().rejected);
  }
  for (const Transceiver& t : state_.transceivers) {
    if (t.mid || t.stopping || t.stopped) continue;
    SectionPlan plan;
    plan.mid = NewMid();
    plan.media = ToString(t.kind);
    plan.transceiver = t.id;
    PlaceSection(plans, std::move(plan));
  }
  if (data_wanted_ && !has_data) {
    SectionPlan plan;
    plan.mid = NewMid();
    plan.media = "application";
    PlaceSection(plans, std::move(plan));
  }
  PlanOfferTransports(plans, options);
  return plans;
}

void Negotiator::PlanOfferTransports(std::vector<SectionPlan>& plans, const OfferOptions& options) {
  int bundle = -1;
  for (std::size_t i = 0; i < state_.sections.size(); ++i) {
    if (!plans[i].rejected && !plans[i].fresh && state_.sections[i].in_bundle)
      bundle = state_.sections[i].transport;
  }
  for (SectionPlan& plan : plans) {
    if (plan.rejected || !plan.fresh) continue;
    if (config_.bundle && bundle >= 0) {
      // The peer bundles: a new section joins in (RFC 8843 section 7.5.1).
      plan.transport = bundle;
      continue;
    }
    const auto before = [&](auto&& condition) {
      return std::any_of(plans.data(), &plan,
                         [&](const SectionPlan& p) { return !p.rejected && condition(p); });
    };
    const bool any = before([](const SectionPlan&) { return true; });
    const bool same_kind = before([&plan](const SectionPlan& p) { return p.media == plan.media; });
    plan.bundle_only =
        config_.bundle && ((config_.bundle_policy == BundlePolicy::kMaxBundle && any) ||
                           (config_.bundle_policy == BundlePolicy::kBalanced && same_kind));
    plan.own = !plan.bundle_only;
    if (!plan.own) continue;
    plan.credentials = NewCredentials();
    plan.tls_id = NewTlsId();
  }
  // The first section on a transport speaks for it.
  std::vector<int> spoken;
  for (SectionPlan& plan : plans) {
    if (plan.rejected || plan.transport < 0 || plan.bundle_only) continue;
    if (std::find(spoken.begin(), spoken.end(), plan.transport) != spoken.end()) continue;
    const JsepTransport* transport = FindTransport(plan.transport);
    CHECK(transport != nullptr);
    spoken.push_back(plan.transport);
    plan.own = true;
    plan.credentials = OfferCredentials(*transport, options);
    plan.tls_id = transport->local_tls_id;
  }
}

ice::Credentials Negotiator::OfferCredentials(const JsepTransport& transport,
                                              const OfferOptions& options) {
  const auto& replace = credentials_to_replace_;
  // Before there is an answer a restart changes nothing (RFC 8829 section 5.2.3.1).
  const bool restart =
      (options.ice_restart || ice_configuration_changed_ ||
       std::find(replace.begin(), replace.end(), transport.local) != replace.end()) &&
      !transport.remote.ufrag.empty();
  if (!restart) return transport.local;
  for (NextCredentials& next : next_credentials_) {
    if (next.transport != transport.id) continue;
    if (next.credentials == transport.local) next.credentials = NewCredentials();
    return next.credentials;
  }
  next_credentials_.push_back({transport.id, NewCredentials()});
  return next_credentials_.back().credentials;
}

// RFC 6904 section 4: both forms, so that a peer which cannot encrypt takes the other.
void Negotiator::OfferExtensions(sdp::MediaDescription& m, const KindCapabilities& capabilities) {
  for (const bool encrypted : {false, true}) {
    if (encrypted && !config_.capabilities.encrypted_extensions) return;
    for (const ExtensionCapability& e : capabilities.extensions) {
      const NamedExtension named{e.uri, encrypted};
      const uint16_t id = extension_ids_.Assign(ExtensionKey(named), encrypted ? 0 : e.id);
      if (id != 0) m.attributes.Add(ExtmapFor(id, named));
    }
  }
}

sdp::MediaDescription Negotiator::OfferSection(const SectionPlan& plan, std::size_t index) {
  if (plan.rejected) return RejectedSection(plan, index);
  if (!plan.transceiver) {
    sdp::MediaDescription m = StartSection(plan, "UDP/DTLS/SCTP");
    if (plan.own) {
      AddTransportAttributes(m, plan, sdp::Setup::kActpass);
    }
    AddCandidates(m, plan);
    return m;
  }
  const Transceiver& t = *FindTransceiver(*plan.transceiver);
  const KindCapabilities& capabilities = config_.capabilities.of(t.kind);
  const sdp::MediaDescription* answered = LastAnswered(plan.mid);
  sdp::MediaDescription m = StartSection(plan, "UDP/TLS/RTP/SAVPF");
  m.attributes.Add(t.direction);
  if (plan.own) AddTransportAttributes(m, plan, sdp::Setup::kActpass);
  // Also where the section is bundled, as every browser has it: a peer that asks each section for it is content.
  m.attributes.Set(sdp::Flag::kRtcpMux);
  if (plan.own && answered == nullptr) {
    m.attributes.Add(sdp::Rtcp{9, sdp::ConnectionAddress{}});
    m.attributes.Set(sdp::Flag::kRtcpMuxOnly);
  }
  if (answered == nullptr || answered->attributes.Has(sdp::Flag::kRtcpRsize))
    m.attributes.Set(sdp::Flag::kRtcpRsize);

  if (answered == nullptr) {
    OfferExtensions(m, capabilities);
  } else {
    for (const sdp::Extmap* e : answered->attributes.All<sdp::Extmap>())
      m.attributes.Add(ExtmapFor(e->id, ExtensionOf(*e)));
  }

  const std::vector<sdp::Codec> negotiated =
      answered != nullptr ? sdp::Codecs(*answered) : std::vector<sdp::Codec>();
  std::vector<LocalCodec> local = PreferredCodecs(capabilities, t.preferred_codecs);
  if (t.preferred_codecs.empty()) {
    // In the order of the last answer, what it did not have at the end.
    const auto position = [&negotiated](const LocalCodec& l) {
      return std::find_if(negotiated.begin(), negotiated.end(),
                          [&l](const sdp::Codec& n) { return SameCodec(n, l.codec); });
    };
    std::stable_sort(local.begin(), local.end(),
                     [&](const auto& a, const auto& b) { return position(a) < position(b); });
  }
  for (sdp::Codec& codec : payload_types_.Assign(t.kind, local, negotiated)) {
    const sdp::Codec* known = sdp::FindCodec(negotiated, codec.payload_type);
    if (known != nullptr) {
      std::erase_if(codec.feedback, [known](const sdp::Feedback& f) {
        return !known->HasFeedback(f.type, f.parameter);
      });
    }
    sdp::AddCodec(m, codec);
  }
  AddStreams(m, t, Sends(t.direction));
  AddEncodings(m, t, Sends(t.direction));
  if (Sends(t.direction)) AddSsrcs(m, t);
  AddCandidates(m, plan);
  return m;
}

}  // namespace rtclab::peer
