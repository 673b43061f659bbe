// What a remote description must not say: RFC 8829 sections 5.8.3 and 5.10, RFC 3264 sections 6 and 8.
#include <algorithm>

#include "stack/peer/negotiation/negotiator.h"
#include "stack/sdp/validate.h"

namespace rtclab::peer {
namespace {

tl::unexpected<PeerError> Unsound(std::string message, int line = 0) {
  return Reject(ErrorName::kInvalidAccessError, std::move(message), line);
}

// RFC 8829 section 5.11: an answer must not ask for feedback that was not offered.
bool FeedbackWasOffered(const sdp::MediaDescription& answer, const sdp::MediaDescription& offer) {
  const std::vector<sdp::Codec> offered = sdp::Codecs(offer);
  for (const sdp::Codec& codec : sdp::Codecs(answer)) {
    const sdp::Codec* same = sdp::FindCodec(offered, codec.payload_type);
    if (same == nullptr || !SameCodec(*same, codec)) continue;
    for (const sdp::Feedback& f : codec.feedback) {
      if (!same->HasFeedback(f.type, f.parameter)) return false;
    }
  }
  return true;
}

}  // namespace

PeerResult<void> Negotiator::VerifyRemote(SdpType type,
                                          const sdp::SessionDescription& description) const {
  const auto kind =
      type == SdpType::kOffer ? sdp::DescriptionType::kOffer : sdp::DescriptionType::kAnswer;
  for (const sdp::Issue& issue : sdp::Validate(description, kind)) {
    // aiortc numbers extensions section by section. Ours are looked up by section, so it does no harm.
    if (issue.severity == sdp::Severity::kError && issue.id != "bundle-extmap-conflict")
      return Unsound(issue.message, issue.line);
  }
  for (const sdp::MediaDescription& m : description.media) {
    const auto transport = sdp::DescribeTransport(description, m);
    if (transport.setup == sdp::Setup::kHoldconn)
      return Unsound("DTLS does not allow a=setup:holdconn (RFC 8842 section 5.1)", m.line);
  }
  return type == SdpType::kOffer ? VerifyOffer(description) : VerifyAnswer(description);
}

PeerResult<void> Negotiator::VerifyOffer(const sdp::SessionDescription& offer) const {
  // Held against the last exchange that was completed, also when an offer is pending (webrtc-pc section 4.4.1.5, step 4.4).
  const State& base = stable_ ? *stable_ : state_;
  if (offer.media.size() < base.sections.size())
    return Unsound("an offer cannot take sections away (RFC 3264 section 8)");
  for (std::size_t i = 0; i < base.sections.size(); ++i) {
    const Section& section = base.sections[i];
    const sdp::MediaDescription& m = offer.media[i];
    if (section.rejected) continue;
    // A place may be used anew only once both sides know that it is free (RFC 8829 section 5.2.2).
    if (m.mid() != section.mid)
      return Unsound("the section in use has another mid: " + section.mid, m.line);
    if (m.media != section.media)
      return Unsound("the section in use has another kind: " + section.mid, m.line);
  }
  return {};
}

PeerResult<void> Negotiator::VerifyAnswer(const sdp::SessionDescription& answer) const {
  const sdp::SessionDescription& offer = state_.pending_local->sdp;
  if (answer.media.size() != offer.media.size())
    return Unsound("the answer has another number of sections (RFC 3264 section 6)");
  for (std::size_t i = 0; i < answer.media.size(); ++i) {
    const sdp::MediaDescription& a = answer.media[i];
    const sdp::MediaDescription& o = offer.media[i];
    const std::string name = "section " + std::to_string(i);
    if (a.media != o.media || a.protocol != o.protocol)
      return Unsound(name + " has another kind or protocol than the offer's", a.line);
    if (a.mid() != o.mid())
      return Unsound(name + " has another mid than the offer's (RFC 5888 section 9.1)", a.line);
    if (a.IsRejected()) continue;
    if (o.IsRejected()) return Unsound(name + " was not offered", a.line);
    const sdp::Group* group = answer.BundleGroupOf(a.mid());
    const sdp::Group* offered = offer.BundleGroupOf(o.mid());
    if (group != nullptr && offered == nullptr)
      return Unsound(name + " was not offered in a bundle (RFC 8843 section 7.3)", a.line);
    if (group == nullptr && o.attributes.Has(sdp::Flag::kBundleOnly))
      return Unsound(name + " was offered as bundle-only (RFC 8843 section 7.3.3)", a.line);
    if (!FeedbackWasOffered(a, o))
      return Unsound(name + " asks for RTCP feedback that was not offered", a.line);
  }
  return {};
}

}  // namespace rtclab::peer
