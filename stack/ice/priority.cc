#include "stack/ice/priority.h"

#include <algorithm>

#include "stack/base/check.h"

namespace rtclab::ice {
namespace {

IpAddress Prefix(std::string_view text) {
  const auto ip = IpAddress::Parse(text);
  CHECK(ip.has_value());
  return *ip;
}

}  // namespace

std::vector<uint32_t> RankAddresses(std::span<const IpAddress> addresses,
                                    FamilyPreference preference) {
  std::vector<IpAddress> distinct;
  for (const IpAddress& ip : addresses) {
    if (std::find(distinct.begin(), distinct.end(), ip) == distinct.end()) distinct.push_back(ip);
  }
  if (preference != FamilyPreference::kAsGiven) {
    const bool ipv6_first = preference == FamilyPreference::kInterleaveIpv6First;
    std::vector<IpAddress> preferred, other;
    for (const IpAddress& ip : distinct)
      (ip.IsV6() == ipv6_first ? preferred : other).push_back(ip);
    if (!preferred.empty() && !other.empty()) {
      const std::size_t head_start = distinct.size() / other.size();
      distinct.clear();
      for (std::size_t p = 0, o = 0; p < preferred.size() || o < other.size();) {
        for (std::size_t i = 0; i < head_start && p < preferred.size(); ++i)
          distinct.push_back(preferred[p++]);
        if (o < other.size()) distinct.push_back(other[o++]);
      }
    }
  }
  std::vector<uint32_t> ranks;
  ranks.reserve(addresses.size());
  for (const IpAddress& ip : addresses) {
    ranks.push_back(
        static_cast<uint32_t>(std::find(distinct.begin(), distinct.end(), ip) - distinct.begin()));
  }
  return ranks;
}

uint32_t DefaultPrecedence(const IpAddress& address) {
  if (address.IsV4() || address.IsV4Mapped()) return 35;  // ::ffff:0:0/96
  static const struct {
    IpAddress prefix;
    int length;
    uint32_t precedence;
  } kTable[] = {{Prefix("::1"), 128, 50}, {Prefix("2002::"), 16, 30}, {Prefix("2001::"), 32, 5},
                {Prefix("fc00::"), 7, 3}, {Prefix("::"), 96, 1},      {Prefix("fec0::"), 10, 1},
                {Prefix("3ffe::"), 16, 1}};
  for (const auto& row : kTable) {
    if (address.InPrefix(row.prefix, row.length)) return row.precedence;
  }
  return 40;
}

bool MayBeHostCandidate(const IpAddress& address, bool allow_loopback) {
  if (address.IsNone() || address.IsAny() || address.IsMulticast() || address.IsBroadcast())
    return false;
  if (address.IsLoopback()) return allow_loopback;
  if (address.IsV4()) return true;
  static const IpAddress kIpv4Compatible = Prefix("::");
  static const IpAddress kSiteLocal = Prefix("fec0::");
  return !address.IsV4Mapped() && !address.InPrefix(kIpv4Compatible, 96) &&
         !address.InPrefix(kSiteLocal, 10);
}

uint32_t FoundationTable::Number(CandidateType type, const IpAddress& base,
                                 const IpAddress& server) {
  const auto key = std::make_tuple(type, base, server);
  const auto found = std::find(keys_.begin(), keys_.end(), key);
  if (found != keys_.end()) return static_cast<uint32_t>(found - keys_.begin()) + 1;
  keys_.push_back(key);
  return static_cast<uint32_t>(keys_.size());
}

}  // namespace rtclab::ice
