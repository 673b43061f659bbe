// The numbers of ICE: candidate and pair priorities (RFC 8445 sections 5.1.2 and 6.1.2.3), dual-stack ranks (RFC 8421)
// and foundations (RFC 8445 section 5.1.1.3).
#ifndef RTCLAB_STACK_ICE_PRIORITY_H_
#define RTCLAB_STACK_ICE_PRIORITY_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include "stack/base/ip_address.h"
#include "stack/ice/candidate.h"
#include "stack/ice/config.h"

namespace rtclab::ice {

// RFC 8445 section 5.1.2.2: 126, 110, 100, 0.
constexpr uint32_t TypePreference(CandidateType type) {
  switch (type) {
    case CandidateType::kHost:
      return 126;
    case CandidateType::kPeerReflexive:
      return 110;
    case CandidateType::kServerReflexive:
      return 100;
    case CandidateType::kRelayed:
      return 0;
  }
  return 0;
}

// RFC 8445 section 5.1.2.1. `local_preference` 0..65535, `component` 1..256.
constexpr uint32_t CandidatePriority(CandidateType type, uint32_t local_preference, int component) {
  return (TypePreference(type) << 24) + (local_preference << 8) +
         static_cast<uint32_t>(256 - component);
}

// What the PRIORITY attribute says (RFC 8445 section 7.1.1): the candidate's priority, were it peer-reflexive.
constexpr uint32_t PeerReflexivePriority(uint32_t priority) {
  return (TypePreference(CandidateType::kPeerReflexive) << 24) + (priority & 0x00ffffff);
}

// RFC 8445 section 6.1.2.3. G is the controlling agent's candidate priority, D the controlled agent's.
constexpr uint64_t PairPriority(uint32_t g, uint32_t d) {
  return (uint64_t{g < d ? g : d} << 32) + 2 * uint64_t{g > d ? g : d} + (g > d ? 1 : 0);
}

// For each address its place, 0 being the most preferred. Equal addresses share a place. The interleaving modes put
// Hi = (N4 + N6) / N_other addresses of the preferred family before each one of the other (RFC 8421 section 4).
std::vector<uint32_t> RankAddresses(std::span<const IpAddress> addresses,
                                    FamilyPreference preference);

// RFC 6724 section 2.1's default policy table, which a lite dual-stack agent uses as its local preference (RFC 8445
// section 5.2).
uint32_t DefaultPrecedence(const IpAddress& address);

// Whether RFC 8445 section 5.1.1.1 lets it be a host candidate: no loopback, IPv4-compatible, IPv4-mapped or site-local
// address; nor an unspecified, multicast or broadcast one.
bool MayBeHostCandidate(const IpAddress& address, bool allow_loopback);

// Numbers foundations from 1: equal keys, equal number.
class FoundationTable {
 public:
  uint32_t Number(CandidateType type, const IpAddress& base, const IpAddress& server);

 private:
  std::vector<std::tuple<CandidateType, IpAddress, IpAddress>> keys_;
};

}  // namespace rtclab::ice

#endif  // RTCLAB_STACK_ICE_PRIORITY_H_
