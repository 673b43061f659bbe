#include "stack/turn/peer_policy.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace rtclab::turn {
namespace {

IpAddress V6Network(uint16_t a, uint16_t b) {
  std::array<uint8_t, 16> bytes{};
  StoreU16(bytes.data(), a);
  StoreU16(bytes.data() + 2, b);
  return IpAddress::V6(bytes);
}

// Where a network's own NAT64 translator may be (RFC 8215).
bool IsLocalNat64(const IpAddress& ip) {
  static const IpAddress kPrefix = IpAddress::Parse("64:ff9b:1::").value();
  return ip.InPrefix(kPrefix, 48);
}

// The IPv4 address inside an IPv6 one that a host or a translator would turn back into IPv4: IPv4-mapped and
// IPv4-compatible (RFC 4291 section 2.5.5), IPv4-translated (RFC 2765 section 2.1), the well-known NAT64 prefix 64:ff9b::/96
// (RFC 6052 section 2.1) and the local ones, of which the last 32 bits are taken.
std::optional<IpAddress> EmbeddedV4(const IpAddress& ip) {
  if (!ip.IsV6()) return std::nullopt;
  static const IpAddress kZero = V6Network(0, 0);
  static const IpAddress kNat64 = V6Network(0x0064, 0xff9b);
  static const IpAddress kTranslated = IpAddress::Parse("::ffff:0:0:0").value();
  const bool compatible = ip.InPrefix(kZero, 96) && !ip.IsAny() && !ip.IsLoopback();
  if (!ip.IsV4Mapped() && !compatible && !ip.InPrefix(kTranslated, 96) &&
      !ip.InPrefix(kNat64, 96) && !IsLocalNat64(ip)) {
    return std::nullopt;
  }
  return IpAddress::V4(LoadU32(ip.bytes().data() + 12));
}

// RFC 1918, RFC 6598, fc00::/7; a network's own translator; site-local addresses, withdrawn by RFC 3879 and still routed within sites.
bool IsInternal(const IpAddress& ip) {
  static const IpAddress kSiteLocal = V6Network(0xfec0, 0);
  return ip.IsPrivate() || IsLocalNat64(ip) || ip.InPrefix(kSiteLocal, 10);
}

bool InAny(const std::vector<IpPrefix>& prefixes, const IpAddress& ip) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&ip](const IpPrefix& prefix) { return prefix.Contains(ip); });
}

}  // namespace

std::optional<IpPrefix> IpPrefix::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto network = IpAddress::Parse(text.substr(0, slash));
  if (!network) return std::nullopt;
  const int longest = network->IsV4() ? 32 : 128;
  if (slash == std::string_view::npos) return IpPrefix{*network, longest};
  const std::string_view digits = text.substr(slash + 1);
  int length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (length < 0 || length > longest) return std::nullopt;
  return IpPrefix{*network, length};
}

std::string_view ToString(PeerVerdict verdict) {
  switch (verdict) {
    case PeerVerdict::kAllowed:
      return "allowed";
    case PeerVerdict::kUnspecified:
      return "unspecified";
    case PeerVerdict::kLoopback:
      return "loopback";
    case PeerVerdict::kPrivate:
      return "private";
    case PeerVerdict::kLinkLocal:
      return "link-local";
    case PeerVerdict::kMulticast:
      return "multicast";
    case PeerVerdict::kReserved:
      return "reserved";
    case PeerVerdict::kTunnel:
      return "tunnel";
    case PeerVerdict::kDenied:
      return "denied";
    case PeerVerdict::kOwnAddress:
      return "own-address";
    case PeerVerdict::kPort:
      return "port";
  }
  return "unknown";
}

PeerPolicy::PeerPolicy(PeerPolicyConfig config, std::vector<TransportAddress> listening,
                       std::vector<IpAddress> relay)
    : config_(std::move(config)), listening_(std::move(listening)), relay_(std::move(relay)) {}

bool PeerPolicy::IsTunnel(const IpAddress& ip) {
  static const IpAddress kTeredo = V6Network(0x2001, 0x0000);
  static const IpAddress k6to4 = V6Network(0x2002, 0x0000);
  return ip.InPrefix(kTeredo, 32) || ip.InPrefix(k6to4, 16);
}

PeerVerdict PeerPolicy::Classify(const IpAddress& ip) const {
  static const IpAddress kThisNetwork = IpAddress::V4(0, 0, 0, 0);
  static const IpAddress kReservedNetwork = IpAddress::V4(240, 0, 0, 0);
  if (ip.IsNone() || ip.IsAny() || ip.InPrefix(kThisNetwork, 8)) return PeerVerdict::kUnspecified;
  if (ip.IsMulticast()) return PeerVerdict::kMulticast;
  if (ip.InPrefix(kReservedNetwork, 4)) return PeerVerdict::kReserved;
  if (IsTunnel(ip)) return PeerVerdict::kTunnel;
  if (InAny(config_.deny, ip)) return PeerVerdict::kDenied;
  // An address that hides an IPv4 one is judged as that one too: ::ffff:127.0.0.1 reaches 127.0.0.1.
  const auto embedded = EmbeddedV4(ip);
  if (embedded && config_.judge_embedded) {
    const PeerVerdict inner = Classify(*embedded);
    if (inner != PeerVerdict::kAllowed) return inner;
  }
  if (InAny(config_.allow, ip)) return PeerVerdict::kAllowed;
  if (ip.IsLoopback() && !config_.allow_loopback) return PeerVerdict::kLoopback;
  if (ip.IsLinkLocal() && !config_.allow_link_local) return PeerVerdict::kLinkLocal;
  if (IsInternal(ip) && !config_.allow_private) return PeerVerdict::kPrivate;
  return PeerVerdict::kAllowed;
}

// What an address means to the server's own ones.
IpAddress PeerPolicy::Judged(const IpAddress& ip) const {
  return config_.judge_embedded ? EmbeddedV4(ip).value_or(ip) : ip;
}

PeerVerdict PeerPolicy::CheckIp(const IpAddress& ip) const {
  const PeerVerdict verdict = Classify(ip);
  if (verdict != PeerVerdict::kAllowed) return verdict;
  const IpAddress plain = Judged(ip);
  const bool listening = std::any_of(listening_.begin(), listening_.end(),
                                     [&](const auto& a) { return a.ip == plain; });
  const bool relay = std::find(relay_.begin(), relay_.end(), plain) != relay_.end();
  return listening && !relay ? PeerVerdict::kOwnAddress : PeerVerdict::kAllowed;
}

PeerVerdict PeerPolicy::Check(const TransportAddress& peer) const {
  const PeerVerdict verdict = CheckIp(peer.ip);
  if (verdict != PeerVerdict::kAllowed) return verdict;
  if (peer.port == 0) return PeerVerdict::kPort;
  const TransportAddress plain{Judged(peer.ip), peer.port};
  const bool own = std::find(listening_.begin(), listening_.end(), plain) != listening_.end();
  return own ? PeerVerdict::kOwnAddress : PeerVerdict::kAllowed;
}

}  // namespace rtclab::turn
