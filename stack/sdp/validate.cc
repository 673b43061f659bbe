#include "stack/sdp/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "stack/sdp/validate_rules.h"

namespace rtclab::sdp {
namespace {

// Where an attribute may stand.
enum Level : uint8_t { kSessionLevel = 1, kMediaLevel = 2, kBothLevels = 3 };

struct AttributeRule {
  std::string_view name;
  Level level;
  bool once;  // at most one in a section, or at the session level
};

// RFC 8866 section 6, RFC 8839 section 5, RFC 8859 section 5 for the usage levels. Names not listed are free.
constexpr AttributeRule kAttributeRules[] = {
    {"bundle-only", kMediaLevel, true},
    {"candidate", kMediaLevel, false},
    {"connection", kBothLevels, true},
    {"end-of-candidates", kBothLevels, true},
    {"extmap-allow-mixed", kBothLevels, true},
    {"fmtp", kMediaLevel, false},
    {"group", kSessionLevel, false},
    {"ice-lite", kSessionLevel, true},
    {"ice-mismatch", kMediaLevel, true},
    {"ice-options", kBothLevels, true},
    {"ice-pacing", kSessionLevel, true},
    {"ice-pwd", kBothLevels, true},
    {"ice-ufrag", kBothLevels, true},
    {"max-message-size", kMediaLevel, true},
    {"maxptime", kMediaLevel, true},
    {"mid", kMediaLevel, true},
    {"msid-semantic", kSessionLevel, false},
    {"ptime", kMediaLevel, true},
    {"remote-candidates", kMediaLevel, true},
    {"rid", kMediaLevel, false},
    {"rtcp", kMediaLevel, true},
    {"rtcp-fb", kMediaLevel, false},
    {"rtcp-mux", kMediaLevel, true},
    {"rtcp-mux-only", kMediaLevel, true},
    {"rtcp-rsize", kMediaLevel, true},
    {"rtpmap", kMediaLevel, false},
    {"sctp-port", kMediaLevel, true},
    {"sctpmap", kMediaLevel, true},
    {"setup", kBothLevels, true},
    {"simulcast", kMediaLevel, true},
    {"ssrc", kMediaLevel, false},
    {"ssrc-group", kMediaLevel, false},
    {"tls-id", kBothLevels, true},
};

class Validator {
 public:
  Validator(const SessionDescription& description, DescriptionType type)
      : d_(description), type_(type) {}

  std::vector<Issue> Run();

 private:
  void CheckAttributes(const AttributeList& attributes, Level level);
  void CheckMids();
  void CheckGroup(const Group& group, int line);
  void CheckBundleOnly(const MediaDescription& media);
  void CheckSection(const MediaDescription& media);
  void CheckTransport(const MediaDescription& media);
  void CheckSctp(const MediaDescription& media);
  // The section that speaks for the transport of this one: the first of its group that is not rejected, or itself.
  const MediaDescription& TransportSection(const MediaDescription& media) const;

  const SessionDescription& d_;
  DescriptionType type_;
  Issues issues_;
  std::map<std::string_view, const MediaDescription*> mids_;  // the first section of each
  // Every mid of a BUNDLE group, with the section that speaks for the group; null: none.
  std::map<std::string_view, const MediaDescription*> bundled_;
};

void Validator::CheckAttributes(const AttributeList& attributes, Level level) {
  std::vector<std::string_view> seen;
  bool direction = false;
  for (const Attribute& a : attributes.items()) {
    if (std::holds_alternative<Direction>(a.value)) {
      if (direction)
        issues_.Error(a.line, "duplicate-attribute",
                      "a direction may be given once (RFC 8866 section 6.7)");
      direction = true;
      continue;
    }
    const std::string_view name = Name(a.value);
    const auto* rule = std::ranges::find(kAttributeRules, name, &AttributeRule::name);
    if (rule == std::end(kAttributeRules)) continue;
    if ((rule->level & level) == 0)
      issues_.Warn(
          a.line, "attribute-level",
          fmt::format("a={} has no meaning {} (RFC 8859 section 5)", name,
                      level == kSessionLevel ? "at the session level" : "in a media section"));
    if (!rule->once) continue;
    if (std::ranges::find(seen, name) != seen.end())
      issues_.Error(a.line, "duplicate-attribute", fmt::format("a={} may be given once", name));
    seen.push_back(name);
  }
}

void Validator::CheckMids() {
  for (const MediaDescription& media : d_.media) {
    const std::string_view mid = media.mid();
    if (mid.empty()) {
      // RFC 8829 section 5.2.1 wants it; peers without BUNDLE leave it out.
      if (!media.IsRejected())
        issues_.Warn(media.line, "missing-mid",
                     "the section has no a=mid (RFC 8829 section 5.2.1)");
      continue;
    }
    if (mids_.emplace(mid, &media).second) continue;
    media.attributes.ForEach<Mid>([&](const Mid& m, int line) {
      issues_.Error(
          line, "duplicate-mid",
          fmt::format("another section has the mid {} too (RFC 5888 section 4)", m.value));
    });
  }
}

void Validator::CheckGroup(const Group& group, int line) {
  std::vector<const MediaDescription*> sections;
  const MediaDescription* tagged = nullptr;
  for (const std::string& mid : group.mids) {
    const auto found = mids_.find(mid);
    if (found == mids_.end()) {
      issues_.Error(line, "bundle-unknown-mid",
                    fmt::format("no section has the mid {} (RFC 5888 section 5)", mid));
      continue;
    }
    const MediaDescription* media = found->second;
    if (tagged == nullptr && media->port != 0) tagged = media;
    if (!bundled_.emplace(mid, nullptr).second) {
      issues_.Error(
          line, "bundle-mid-repeated",
          fmt::format("the mid {} is in a BUNDLE group already (RFC 8843 section 5)", mid));
      continue;
    }
    if (!media->IsRejected()) sections.push_back(media);
  }
  for (const MediaDescription* media : sections) bundled_[media->mid()] = tagged;
  ValidateBundledRtp(sections, issues_);
}

void Validator::CheckBundleOnly(const MediaDescription& media) {
  media.attributes.ForEach<Flag>([&](Flag flag, int line) {
    if (flag != Flag::kBundleOnly) return;
    if (!bundled_.contains(media.mid()))
      issues_.Error(line, "bundle-only-without-group",
                    "the section is in no BUNDLE group (RFC 8843 section 6)");
    if (media.port != 0)
      issues_.Warn(line, "bundle-only-port",
                   "a=bundle-only is defined for port 0 only (RFC 8843 section 6)");
  });
}

const MediaDescription& Validator::TransportSection(const MediaDescription& media) const {
  const auto found = bundled_.find(media.mid());
  return found != bundled_.end() && found->second != nullptr ? *found->second : media;
}

void Validator::CheckTransport(const MediaDescription& media) {
  const MediaDescription& tagged = TransportSection(media);
  const bool uses_dtls = media.protocol.find("TLS") != media.protocol.npos;
  // Of a group the tagged section is held to the rules (RFC 8843 section 7.1.3).
  if (&tagged == &media) {
    const TransportDescription transport = DescribeTransport(d_, media);
    if (transport.ice_ufrag.empty() || transport.ice_pwd.empty())
      issues_.Error(media.line, "ice-credentials-missing",
                    "the section needs a=ice-ufrag and a=ice-pwd, together at one level (RFC 8839 "
                    "section 5.4)");
    if (uses_dtls && transport.fingerprints.empty())
      issues_.Error(media.line, "fingerprint-missing",
                    "DTLS needs an a=fingerprint (RFC 8122 section 5)");
    if (uses_dtls && !transport.setup)
      issues_.Error(media.line, "setup-missing",
                    "DTLS needs an a=setup (RFC 8842 sections 5.2, 5.3)");
    if (uses_dtls && transport.setup == Setup::kActpass && type_ == DescriptionType::kAnswer)
      issues_.Error(media.line, "setup-in-answer",
                    "an answer chooses active or passive (RFC 8842 section 5.3)");
    if (uses_dtls && transport.setup && *transport.setup != Setup::kActpass &&
        type_ == DescriptionType::kOffer)
      issues_.Warn(media.line, "setup-in-offer",
                   "an offer says a=setup:actpass (RFC 8842 section 5.2)");
  }
  if (!media.IsRtp()) return;
  if (!media.attributes.Has(Flag::kRtcpMux) && !tagged.attributes.Has(Flag::kRtcpMux))
    issues_.Error(
        media.line, "rtcp-mux-missing",
        "RTP and RTCP share a port in WebRTC: a=rtcp-mux is missing (RFC 8834 section 4.5)");
  if (media.attributes.Has(Flag::kRtcpMuxOnly) && type_ == DescriptionType::kAnswer)
    issues_.Error(media.line, "rtcp-mux-only-in-answer",
                  "a=rtcp-mux-only is for offers (RFC 8858 section 4.3)");
}

void Validator::CheckSctp(const MediaDescription& media) {
  if (media.attributes.Find<SctpPort>() != nullptr) return;
  if (media.attributes.Find<Sctpmap>() != nullptr)
    issues_.Warn(media.line, "sctp-legacy",
                 "a=sctpmap is from drafts; a=sctp-port took its place (RFC 8841 section 5)");
  else
    issues_.Error(media.line, "sctp-port-missing",
                  "SCTP over DTLS needs an a=sctp-port (RFC 8841 section 5.1)");
}

void Validator::CheckSection(const MediaDescription& media) {
  if (!d_.connection && media.connections.empty())
    issues_.Error(media.line, "no-connection",
                  "there is no c= line here or at the session level (RFC 8866 section 5.7)");
  if (media.IsRejected()) return;
  CheckAttributes(media.attributes, kMediaLevel);
  CheckTransport(media);
  if (media.IsSctp()) CheckSctp(media);
  if (media.IsRtp()) ValidateRtp(media, issues_);
}

std::vector<Issue> Validator::Run() {
  CheckAttributes(d_.attributes, kSessionLevel);
  CheckMids();
  d_.attributes.ForEach<Group>([this](const Group& group, int line) {
    if (group.semantics == "BUNDLE") CheckGroup(group, line);
  });
  for (const MediaDescription& media : d_.media) {
    CheckBundleOnly(media);
    CheckSection(media);
  }
  return issues_.Take();
}

}  // namespace

std::vector<Issue> Issues::Take() {
  std::ranges::stable_sort(list_, {}, &Issue::line);
  return std::move(list_);
}

std::vector<Issue> Validate(const SessionDescription& description, DescriptionType type) {
  return Validator(description, type).Run();
}

}  // namespace rtclab::sdp
