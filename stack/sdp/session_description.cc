#include "stack/sdp/session_description.h"

#include <fmt/format.h>

#include <algorithm>

#include "stack/sdp/text.h"

namespace rtclab::sdp {
namespace {

void AppendAttributes(std::string& out, const AttributeList& attributes) {
  for (const Attribute& a : attributes.items()) {
    out += "a=";
    AppendTo(out, a.value);
    out += "\r\n";
  }
}

void AppendBandwidths(std::string& out, const std::vector<Bandwidth>& bandwidths) {
  for (const Bandwidth& b : bandwidths) AppendParts(out, "b=", b.type, ':', b.value, "\r\n");
}

// One line for each value, a list or an optional.
void AppendLine(std::string& out, char type, std::string_view value) {
  AppendParts(out, type, '=', value, "\r\n");
}
void AppendLine(std::string& out, char type, const std::optional<std::string>& value) {
  if (value) AppendLine(out, type, std::string_view(*value));
}

}  // namespace

std::string ParseError::ToString() const {
  return fmt::format("line {}, column {}: {}", line, column, reason);
}

bool AttributeList::Has(Flag flag) const {
  return std::ranges::any_of(items_, [flag](const Attribute& a) {
    const Flag* f = std::get_if<Flag>(&a.value);
    return f != nullptr && *f == flag;
  });
}

void AttributeList::Set(Flag flag) {
  if (!Has(flag)) Add(flag);
}

void AttributeList::Clear(Flag flag) {
  EraseIf<Flag>([flag](Flag f) { return f == flag; });
}

const OtherAttribute* AttributeList::FindOther(std::string_view name) const {
  for (const Attribute& a : items_) {
    const auto* other = std::get_if<OtherAttribute>(&a.value);
    if (other != nullptr && other->name == name) return other;
  }
  return nullptr;
}

bool MediaDescription::IsRtp() const { return protocol.find("RTP/") != protocol.npos; }

bool MediaDescription::IsSctp() const { return protocol.ends_with("SCTP"); }

std::string_view MediaDescription::mid() const {
  const Mid* mid = attributes.Find<Mid>();
  return mid != nullptr ? std::string_view(mid->value) : std::string_view();
}

Direction MediaDescription::direction(Direction session_default) const {
  const Direction* direction = attributes.Find<Direction>();
  return direction != nullptr ? *direction : session_default;
}

std::optional<uint64_t> MediaDescription::bandwidth(std::string_view type) const {
  const auto found = std::ranges::find(bandwidths, type, &Bandwidth::type);
  if (found == bandwidths.end()) return std::nullopt;
  return found->value;
}

bool MediaDescription::operator==(const MediaDescription& other) const {
  return media == other.media && port == other.port && port_count == other.port_count &&
         protocol == other.protocol && formats == other.formats &&
         information == other.information && connections == other.connections &&
         bandwidths == other.bandwidths && key == other.key && attributes == other.attributes;
}

std::optional<std::size_t> SessionDescription::IndexOfMid(std::string_view mid) const {
  for (std::size_t i = 0; i < media.size(); ++i) {
    const Mid* found = media[i].attributes.Find<Mid>();
    if (found != nullptr && found->value == mid) return i;
  }
  return std::nullopt;
}

const MediaDescription* SessionDescription::FindMid(std::string_view mid) const {
  const auto index = IndexOfMid(mid);
  return index ? &media[*index] : nullptr;
}

MediaDescription* SessionDescription::FindMid(std::string_view mid) {
  const auto index = IndexOfMid(mid);
  return index ? &media[*index] : nullptr;
}

std::vector<const Group*> SessionDescription::BundleGroups() const {
  std::vector<const Group*> groups = attributes.All<Group>();
  std::erase_if(groups, [](const Group* g) { return g->semantics != "BUNDLE"; });
  return groups;
}

const Group* SessionDescription::BundleGroupOf(std::string_view mid) const {
  for (const Group* group : BundleGroups())
    if (std::ranges::find(group->mids, mid) != group->mids.end()) return group;
  return nullptr;
}

TransportDescription DescribeTransport(const SessionDescription& session,
                                       const MediaDescription& media) {
  // A hostile list must not cost more than its length.
  constexpr std::size_t kMaxIceOptions = 32;
  TransportDescription out;
  const AttributeList& own = media.attributes;
  const AttributeList& all = session.attributes;
  // RFC 8839 section 5.4: ufrag and password come from the same level.
  const bool own_credentials = own.Find<IceUfrag>() != nullptr || own.Find<IcePwd>() != nullptr;
  const AttributeList& credentials = own_credentials ? own : all;
  if (const auto* ufrag = credentials.Find<IceUfrag>()) out.ice_ufrag = ufrag->value;
  if (const auto* pwd = credentials.Find<IcePwd>()) out.ice_pwd = pwd->value;
  for (const AttributeList* level : {&all, &own}) {
    for (const IceOptions* options : level->All<IceOptions>())
      for (const std::string& tag : options->tags)
        if (out.ice_options.size() < kMaxIceOptions &&
            std::ranges::find(out.ice_options, tag) == out.ice_options.end())
          out.ice_options.push_back(tag);
    // RFC 8842 section 5 and RFC 8122 section 5: a section's own values stand in for the session's.
    if (const auto* setup = level->Find<Setup>()) out.setup = *setup;
    if (const auto* tls_id = level->Find<TlsId>()) out.tls_id = tls_id->value;
    const auto fingerprints = level->All<Fingerprint>();
    if (!fingerprints.empty()) out.fingerprints.clear();
    for (const Fingerprint* f : fingerprints) out.fingerprints.push_back(*f);
    out.end_of_candidates |= level->Has(Flag::kEndOfCandidates);
  }
  out.ice_lite = all.Has(Flag::kIceLite);
  out.rtcp_mux = own.Has(Flag::kRtcpMux);
  out.rtcp_mux_only = own.Has(Flag::kRtcpMuxOnly);
  out.rtcp_rsize = own.Has(Flag::kRtcpRsize);
  for (const Candidate* candidate : own.All<Candidate>())
    out.candidates.push_back(candidate->ToCandidateString());
  return out;
}

void AppendTo(std::string& out, const MediaDescription& media) {
  AppendParts(out, "m=", media.media, ' ', uint64_t{media.port});
  if (media.port_count) AppendParts(out, '/', uint64_t{*media.port_count});
  AppendParts(out, ' ', media.protocol);
  for (const std::string& format : media.formats) AppendParts(out, ' ', format);
  out += "\r\n";
  AppendLine(out, 'i', media.information);
  for (const ConnectionAddress& c : media.connections) AppendParts(out, "c=", c, "\r\n");
  AppendBandwidths(out, media.bandwidths);
  AppendLine(out, 'k', media.key);
  AppendAttributes(out, media.attributes);
}

std::string Serialize(const SessionDescription& d) {
  constexpr std::size_t kTypicalLine = 48;
  std::size_t lines = d.attributes.size() + 8;
  for (const MediaDescription& m : d.media) lines += m.attributes.size() + 4;
  std::string out;
  out.reserve(lines * kTypicalLine);
  AppendParts(out, "v=0\r\no=", d.origin.username, ' ', d.origin.session_id, ' ',
              d.origin.session_version, ' ', d.origin.address, "\r\n");
  AppendLine(out, 's', std::string_view(d.name));
  AppendLine(out, 'i', d.information);
  AppendLine(out, 'u', d.uri);
  for (const std::string& email : d.emails) AppendLine(out, 'e', std::string_view(email));
  for (const std::string& phone : d.phones) AppendLine(out, 'p', std::string_view(phone));
  if (d.connection) AppendParts(out, "c=", *d.connection, "\r\n");
  AppendBandwidths(out, d.bandwidths);
  for (const TimeDescription& t : d.times) {
    AppendParts(out, "t=", t.start, ' ', t.stop, "\r\n");
    for (const std::string& repeat : t.repeats) AppendLine(out, 'r', std::string_view(repeat));
    if (!t.zone.empty()) AppendLine(out, 'z', std::string_view(t.zone));
  }
  AppendLine(out, 'k', d.key);
  AppendAttributes(out, d.attributes);
  for (const MediaDescription& m : d.media) AppendTo(out, m);
  return out;
}

}  // namespace rtclab::sdp
