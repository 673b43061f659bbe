// An ICE candidate and its text form, RFC 8839 section 5.1.
#ifndef RTCLAB_STACK_ICE_CANDIDATE_H_
#define RTCLAB_STACK_ICE_CANDIDATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stack/base/error.h"
#include "stack/base/ip_address.h"

namespace rtclab::ice {

enum class CandidateType : uint8_t { kHost, kServerReflexive, kPeerReflexive, kRelayed };
// "host", "srflx", "prflx" or "relay" (RFC 8839 section 5.1).
std::string_view ToString(CandidateType type);

enum class TransportProtocol : uint8_t { kUdp, kTcp };

// RFC 6544 section 4.5.
enum class TcpType : uint8_t { kNone, kActive, kPassive, kSimultaneousOpen };

struct Candidate {
  CandidateType type = CandidateType::kHost;
  TransportProtocol protocol = TransportProtocol::kUdp;
  TcpType tcp_type = TcpType::kNone;  // TCP only
  int component = 1;                  // 1..256
  uint32_t priority = 0;              // RFC 8445 section 5.1.2: 1..2^31-1
  std::string foundation;             // 1 to 32 ice-chars
  TransportAddress address;           // its IP is none when the line carries a name
  std::string hostname;  // a domain or mDNS name in place of the address, kept as it came
  std::optional<TransportAddress> related;  // raddr and rport; not for host candidates
  std::string related_hostname;             // raddr when it is a name
  std::string ufrag;  // "ufrag" extension: the generation that the candidate belongs to (RFC 8838
                      // section 9)
  std::vector<std::pair<std::string, std::string>> extensions;  // all others, in their order

  // Known for local candidates only; not part of the line.
  TransportAddress base;  // what it is sent from (RFC 8445 section 4)
  TransportAddress
      server;  // the STUN or TURN server it came from; none for host and peer-reflexive ones

  bool operator==(const Candidate&) const = default;
};

// Reads one candidate in any of the forms "candidate:...", "a=candidate:..." and the bare value.
// `line` has no line end. Errors: what RFC 8839's grammar forbids, with the byte offset; also a
// candidate type or transport that is not registered, since no use could be made of it. Port 0 and
// priority 0 are errors, except port 0 of a TCP candidate.
Result<Candidate> ParseCandidate(std::string_view line);

// "candidate:<value>", which is also the W3C candidate string. The candidate must have an address
// or a hostname.
std::string ToString(const Candidate& candidate);

// "srflx 203.0.113.1:4000", for logs and results.
std::string Describe(const Candidate& candidate);

}  // namespace rtclab::ice

#endif  // RTCLAB_STACK_ICE_CANDIDATE_H_
