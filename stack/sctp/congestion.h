// Congestion control: RFC 9260 section 7. Sizes are bytes of whole DATA chunks, header and padding
// included (section 7.2.2).
#ifndef RTCLAB_STACK_SCTP_CONGESTION_H_
#define RTCLAB_STACK_SCTP_CONGESTION_H_

#include <cstddef>
#include <optional>

#include "stack/base/units.h"
#include "stack/sctp/wire.h"

namespace rtclab::sctp {

class CongestionController {
 public:
  // `max_chunks`: PMDCS, the bytes of chunks that one packet takes.
  explicit CongestionController(std::size_t max_chunks) { Reset(max_chunks); }

  std::size_t cwnd() const { return cwnd_; }
  std::size_t ssthresh() const { return ssthresh_; }
  bool in_fast_recovery() const { return recovery_exit_.has_value(); }

  // Initial values (section 7.2.1), as for a new association or a restart.
  void Reset(std::size_t max_chunks);
  // Another path MTU: the unit of all rules; the window stays.
  void SetMaxChunks(std::size_t max_chunks) { max_chunks_ = max_chunks; }

  // What one SACK acknowledged. `flight_before`: what was outstanding before it.
  struct Ack {
    std::size_t bytes = 0;
    std::size_t flight_before = 0;
    bool cumulative_advanced = false;
    bool nothing_outstanding = false;  // all that was sent is acknowledged
    Tsn cumulative = 0;
  };
  void OnAck(const Ack& ack);
  // Chunks were reported missing three times; `highest` is the highest TSN outstanding. True: fast
  // recovery begins, and one packet may be retransmitted whatever the window.
  bool OnLoss(Tsn highest);
  // T3-rtx ran out (section 7.2.3).
  void OnTimeout();
  // Nothing was sent for `idle`: the window shrinks once per RTO (section 7.2.1).
  void OnIdle(TimeDelta idle, TimeDelta rto);

 private:
  std::size_t HalfWindow() const;

  std::size_t max_chunks_ = 0;
  std::size_t cwnd_ = 0;
  std::size_t ssthresh_ = 0;
  std::size_t partial_bytes_acked_ = 0;
  std::optional<Tsn> recovery_exit_;
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_CONGESTION_H_
