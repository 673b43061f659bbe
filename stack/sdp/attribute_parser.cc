#include "stack/sdp/attribute_parser.h"

#include <algorithm>
#include <array>

#include "stack/base/ip_address.h"

namespace rtclab::sdp {
namespace {

bool ReadGroup(Scanner& in, AttributeValue& out) {
  Group group;
  if (!in.Token(group.semantics, "group semantics such as BUNDLE")) return false;
  while (in.Skip(' '))
    if (!in.Token(group.mids.emplace_back(), "a mid")) return false;
  out = std::move(group);
  return in.End();
}

bool ReadMid(Scanner& in, AttributeValue& out) {
  return in.Token(out.emplace<Mid>().value, "a mid") && in.End();
}

bool ReadMsid(Scanner& in, AttributeValue& out) {
  auto& msid = out.emplace<Msid>();
  if (!in.Token(msid.stream_id, "a media stream id or \"-\"")) return false;
  if (in.AtEnd()) return true;
  return in.Space("a track id") && in.Token(msid.track_id, "a track id") && in.End();
}

bool ReadMsidSemantic(Scanner& in, AttributeValue& out) {
  auto& semantic = out.emplace<MsidSemantic>();
  semantic.space_after_colon = in.Skip(' ');
  if (!in.Token(semantic.semantic, "a semantic such as WMS")) return false;
  while (in.Skip(' '))
    if (!in.Run(kVisibleChar, semantic.ids.emplace_back(), "a media stream id or \"*\""))
      return false;
  return in.End();
}

// What a name stands for: a property (its value is already made) or a reader of the text after the colon.
struct KnownAttribute {
  std::string_view name;
  bool (*read)(Scanner&, AttributeValue&) = nullptr;
  AttributeValue (*property)() = nullptr;
};

template <auto kValue>
AttributeValue PropertyValue() {
  return kValue;
}

constexpr std::array kKnownAttributes = std::to_array<KnownAttribute>({
    {"bundle-only", nullptr, PropertyValue<Flag::kBundleOnly>},
    {"candidate", ReadCandidate},
    {"connection", ReadConnectionReuse},
    {"end-of-candidates", nullptr, PropertyValue<Flag::kEndOfCandidates>},
    {"extmap", ReadExtmap},
    {"extmap-allow-mixed", nullptr, PropertyValue<Flag::kExtmapAllowMixed>},
    {"fingerprint", ReadFingerprint},
    {"fmtp", ReadFmtp},
    {"group", ReadGroup},
    {"ice-lite", nullptr, PropertyValue<Flag::kIceLite>},
    {"ice-mismatch", nullptr, PropertyValue<Flag::kIceMismatch>},
    {"ice-options", ReadIceOptions},
    {"ice-pacing", ReadIcePacing},
    {"ice-pwd", ReadIcePwd},
    {"ice-ufrag", ReadIceUfrag},
    {"inactive", nullptr, PropertyValue<Direction::kInactive>},
    {"max-message-size", ReadMaxMessageSize},
    {"maxptime", ReadMaxPtime},
    {"mid", ReadMid},
    {"msid", ReadMsid},
    {"msid-semantic", ReadMsidSemantic},
    {"ptime", ReadPtime},
    {"recvonly", nullptr, PropertyValue<Direction::kRecvOnly>},
    {"remote-candidates", ReadRemoteCandidates},
    {"rid", ReadRid},
    {"rtcp", ReadRtcp},
    {"rtcp-fb", ReadRtcpFb},
    {"rtcp-mux", nullptr, PropertyValue<Flag::kRtcpMux>},
    {"rtcp-mux-only", nullptr, PropertyValue<Flag::kRtcpMuxOnly>},
    {"rtcp-rsize", nullptr, PropertyValue<Flag::kRtcpRsize>},
    {"rtpmap", ReadRtpmap},
    {"sctp-port", ReadSctpPort},
    {"sctpmap", ReadSctpmap},
    {"sendonly", nullptr, PropertyValue<Direction::kSendOnly>},
    {"sendrecv", nullptr, PropertyValue<Direction::kSendRecv>},
    {"setup", ReadSetup},
    {"simulcast", ReadSimulcast},
    {"ssrc", ReadSsrc},
    {"ssrc-group", ReadSsrcGroup},
    {"tls-id", ReadTlsId},
});
static_assert(std::ranges::is_sorted(kKnownAttributes, {}, &KnownAttribute::name));

const KnownAttribute* FindKnownAttribute(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kKnownAttributes, name, {}, &KnownAttribute::name);
  return found != kKnownAttributes.end() && found->name == name ? found : nullptr;
}

const KnownAttribute* FindKnownInAnyCase(std::string_view name) {
  constexpr std::size_t kLongest = 24;
  std::array<char, kLongest> lower;
  if (name.size() > kLongest) return nullptr;
  std::ranges::transform(name, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return FindKnownAttribute({lower.data(), name.size()});
}

bool IsAddressText(std::string_view addrtype, std::string_view address) {
  const bool looks_like_v4 = address.find_first_not_of("0123456789.") == address.npos;
  const bool looks_like_v6 = address.find(':') != address.npos;
  if (looks_like_v4 || looks_like_v6) {
    const auto ip = IpAddress::Parse(address);
    return ip && (addrtype == "IP4" ? ip->IsV4() : ip->IsV6());
  }
  // RFC 8866 section 9: FQDN = 4*(alpha-numeric / "-" / ".").
  return address.size() >= 4 &&
         std::ranges::all_of(address, [](char c) { return IsIn(c, kHostChar); });
}

}  // namespace

bool ReadConnectionAddress(Scanner& in, ConnectionAddress& out, bool multicast) {
  if (!in.Token(out.nettype, "a network type such as IN") || !in.Space("an address type") ||
      !in.Token(out.addrtype, "an address type such as IP4 or IP6") || !in.Space("an address"))
    return false;
  const std::size_t start = in.position();
  if (!in.Run(kVisibleChar, out.address, "an address")) return false;
  if (out.nettype != "IN") return true;
  const bool v4 = out.addrtype == "IP4";
  if (!v4 && out.addrtype != "IP6") return true;
  const std::string_view address = std::string_view(out.address).substr(0, out.address.find('/'));
  if (!IsAddressText(out.addrtype, address)) {
    return in.FailAt(start,
                     v4 ? "an IPv4 address or a domain name" : "an IPv6 address or a domain name");
  }
  if (address.size() == out.address.size()) return true;
  // "/ttl/count" for IPv4, "/count" for IPv6.
  Scanner suffix(out.address, address.size());
  uint32_t number = 0;
  int numbers = 0;
  while (multicast && suffix.Skip('/') && suffix.Number(number, "a number")) ++numbers;
  if (suffix.AtEnd() && !suffix.failed() && numbers <= (v4 ? 2 : 1)) return true;
  return in.FailAt(start + address.size(),
                   multicast ? "/ttl and /count of a multicast address" : "no \"/\"");
}

bool ReadAttribute(Scanner& in, AttributeValue& out, bool any_case) {
  std::string_view name;
  const std::size_t start = in.position();
  if (!in.Run(kTokenChar, name, "an attribute name")) return false;
  const KnownAttribute* known = any_case ? FindKnownInAnyCase(name) : FindKnownAttribute(name);
  if (known == nullptr) {
    auto& other = out.emplace<OtherAttribute>();
    other.name = name;
    if (in.AtEnd()) return true;
    return in.Expect(':', "\":\" or the end of the line") &&
           in.Text(other.value.emplace(), "a value after the colon");
  }
  if (known->property != nullptr) {
    out = known->property();
    return in.End();
  }
  if (!in.Skip(':')) {
    if (in.AtEnd()) return in.Fail(std::string("\":\" and the value of a=").append(name));
    return in.FailAt(start + name.size(), "\":\"");
  }
  return known->read(in, out);
}

}  // namespace rtclab::sdp
