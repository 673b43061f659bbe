// The search for a larger packet size (RFC 8899 in the form of its section 6.2, probes by HEARTBEAT and PAD).
#ifndef RTCLAB_STACK_SCTP_PATH_MTU_H_
#define RTCLAB_STACK_SCTP_PATH_MTU_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "stack/base/units.h"

namespace rtclab::sctp {

class PathMtuSearch {
 public:
  // Searches between `base`, which works, and `max`; `max` <= `base`: never.
  PathMtuSearch(std::size_t base, std::size_t max) : base_(base), max_(max), good_(base) {}

  std::size_t mtu() const { return good_; }
  // The size to probe with now: the packet to send, common header included. Nothing when the search is
  // over or a probe is under way.
  std::optional<std::size_t> NextProbe();
  bool probing() const { return probe_ != 0; }
  bool done() const { return done_; }
  // A probe of this size came back. True: mtu() grew.
  bool OnAcknowledged(std::size_t size);
  // The probe's timer ran out (RFC 8899 section 5.1.2: PROBE_TIMER); the third loss (MAX_PROBES) says
  // that the size does not pass.
  void OnTimeout();
  // Packets of mtu() bytes seem to vanish (section 4.3): back to the base. True: mtu() fell.
  bool OnBlackHole();
  // Another base was set from outside.
  void SetBase(std::size_t base);
  // Time to look again (PMTU_RAISE_TIMER, 600 s).
  void Raise();
  static constexpr TimeDelta kRaiseInterval = TimeDelta::Seconds(600);

 private:
  static constexpr std::size_t kStep = 16;  // closer than this is not worth a probe
  static constexpr int kMaxProbes = 3;

  std::size_t base_;
  std::size_t max_;
  std::size_t good_;
  std::size_t bad_ = 0;    // the smallest size that did not pass; 0: none
  std::size_t probe_ = 0;  // the size under way
  std::size_t again_ = 0;  // a lost probe is repeated
  int losses_ = 0;
  bool done_ = false;
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_PATH_MTU_H_
