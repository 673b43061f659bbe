#include "stack/sctp/congestion.h"

#include <algorithm>
#include <limits>

namespace rtclab::sctp {

void CongestionController::Reset(std::size_t max_chunks) {
  max_chunks_ = max_chunks;
  // Section 7.2.1; 4,344 is the value for IPv6, and below 4,404: it fits both.
  cwnd_ = std::min(4 * max_chunks, std::max(2 * max_chunks, std::size_t{4344}));
  ssthresh_ = std::numeric_limits<std::size_t>::max();
  partial_bytes_acked_ = 0;
  recovery_exit_.reset();
}

std::size_t CongestionController::HalfWindow() const {
  return std::max(cwnd_ / 2, 4 * max_chunks_);
}

void CongestionController::OnAck(const Ack& ack) {
  const bool was_in_recovery = in_fast_recovery();
  if (recovery_exit_ && ack.cumulative >= *recovery_exit_) recovery_exit_.reset();
  const bool window_used = ack.flight_before >= cwnd_;
  if (cwnd_ <= ssthresh_) {
    // Slow start. L (RFC 3465) is 2: a receiver that acknowledges every second packet then does not
    // halve the growth; the lesser bound by what was acknowledged keeps ACK splitting out.
    if (window_used && !was_in_recovery && ack.cumulative_advanced) {
      cwnd_ += std::min(ack.bytes, 2 * max_chunks_);
    }
  } else {
    // Section 7.2.2.
    partial_bytes_acked_ += ack.bytes;
    if (partial_bytes_acked_ > cwnd_ && !window_used) partial_bytes_acked_ = cwnd_;
    if (partial_bytes_acked_ >= cwnd_ && window_used) {
      partial_bytes_acked_ -= cwnd_;
      if (!was_in_recovery) cwnd_ += max_chunks_;
    }
  }
  if (ack.nothing_outstanding) partial_bytes_acked_ = 0;
}

bool CongestionController::OnLoss(Tsn highest) {
  if (in_fast_recovery()) return false;
  ssthresh_ = HalfWindow();
  cwnd_ = ssthresh_;
  partial_bytes_acked_ = 0;
  recovery_exit_ = highest;
  return true;
}

void CongestionController::OnTimeout() {
  ssthresh_ = HalfWindow();
  cwnd_ = max_chunks_;
  partial_bytes_acked_ = 0;
  recovery_exit_.reset();
}

void CongestionController::OnIdle(TimeDelta idle, TimeDelta rto) {
  if (rto <= TimeDelta::Zero() || idle < rto) return;
  ssthresh_ = std::max(ssthresh_ == std::numeric_limits<std::size_t>::max() ? 0 : ssthresh_, cwnd_);
  for (int64_t n = idle.nanos() / rto.nanos(); n > 0 && cwnd_ > 4 * max_chunks_; --n) {
    cwnd_ = HalfWindow();
  }
}

}  // namespace rtclab::sctp
