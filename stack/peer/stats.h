// The result of getStats(): the objects, members and identifiers of W3C webrtc-stats. Objects come in a fixed order and refer
// to each other by id, as there; members are in the order of the W3C's dictionaries.
#ifndef RTCLAB_STACK_PEER_STATS_H_
#define RTCLAB_STACK_PEER_STATS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "stack/base/units.h"

namespace rtclab::peer {

// RTCStatsType, in the order of the report.
enum class StatsType : uint8_t {
  kPeerConnection,
  kCertificate,
  kTransport,
  kLocalCandidate,
  kRemoteCandidate,
  kCandidatePair,
  kDataChannel,
  kCodec,
  kMediaSource,
  kOutboundRtp,
  kRemoteInboundRtp,
  kInboundRtp,
  kRemoteOutboundRtp,
  kMediaPlayout,
};
std::string_view ToString(StatsType type);  // "peer-connection", ...

// unsigned long (long), double, DOMString (and enumerations, by their W3C names), boolean, record<DOMString, double>.
using StatsRecord = std::vector<std::pair<std::string, double>>;
using StatsValue = std::variant<bool, uint64_t, int64_t, double, std::string, StatsRecord>;

struct Stats {
  StatsType type = StatsType::kPeerConnection;
  std::string id;       // unique in its connection, the same in every report
  Timestamp timestamp;  // when the values were true; of remote ones: when the report arrived
  std::vector<std::pair<std::string, StatsValue>> members;

  // The member, or null when it does not exist.
  const StatsValue* Find(std::string_view name) const;
  // Numbers of any kind and booleans; nullopt for all else.
  std::optional<double> Number(std::string_view name) const;
  // "" for all but strings.
  std::string_view Text(std::string_view name) const;
};

struct StatsReport {
  std::vector<Stats> entries;

  // By id; null when there is none.
  const Stats* Find(std::string_view id) const;
  std::vector<const Stats*> OfType(StatsType type) const;
};

}  // namespace rtclab::peer

#endif  // RTCLAB_STACK_PEER_STATS_H_
