#include "stack/rtp/receive_statistics.h"

#include <algorithm>

#include "stack/base/check.h"

namespace rtclab::rtp {
namespace {

// RFC 3550 appendix A.1.
constexpr uint16_t kMaxDropout = 3000;
constexpr uint16_t kMaxMisorder = 100;
constexpr uint32_t kNoBadSequence = 0x10000;

// The driver's clock in timestamp units, modulo 2^32, without overflow on the way.
uint32_t ArrivalInUnits(Timestamp now, int clock_rate) {
  constexpr int64_t kNanosPerSecond = 1'000'000'000;
  const int64_t seconds = now.nanos() / kNanosPerSecond;
  const int64_t nanos = now.nanos() % kNanosPerSecond;
  return static_cast<uint32_t>(seconds * clock_rate + nanos * clock_rate / kNanosPerSecond);
}

}  // namespace

ReceiveStatistics::ReceiveStatistics(uint32_t ssrc, int clock_rate, int probation)
    : ssrc_(ssrc),
      clock_rate_(clock_rate),
      initial_probation_(probation),
      probation_(probation),
      bad_sequence_(kNoBadSequence) {
  CHECK(clock_rate > 0 && probation >= 0);
}

void ReceiveStatistics::Restart(uint16_t sequence) {
  base_sequence_ = sequence;
  max_sequence_ = sequence;
  bad_sequence_ = kNoBadSequence;
  cycles_ = 0;
  received_ = 0;
  received_prior_ = 0;
  expected_prior_ = 0;
}

// RFC 3550 appendix A.1, update_seq().
bool ReceiveStatistics::UpdateSequence(uint16_t sequence) {
  const auto ahead = static_cast<uint16_t>(sequence - max_sequence_);
  if (probation_ > 0) {
    if (ahead == 1) {
      max_sequence_ = sequence;
      if (--probation_ == 0) {
        Restart(sequence);
        ++received_;
        return true;
      }
    } else {
      probation_ = std::max(initial_probation_ - 1, 1);
      max_sequence_ = sequence;
    }
    return false;
  }
  if (ahead < kMaxDropout) {
    if (sequence < max_sequence_) cycles_ += 0x10000;
    max_sequence_ = sequence;
  } else if (ahead <= 0x10000 - kMaxMisorder) {
    // A very large jump. Two packets in sequence after it: the sender began anew without telling.
    if (sequence != bad_sequence_) {
      bad_sequence_ = static_cast<uint16_t>(sequence + 1);
      return false;
    }
    Restart(sequence);
  }
  ++received_;
  return true;
}

// RFC 3550 appendix A.8, in integers with four bits of fraction.
void ReceiveStatistics::UpdateJitter(Timestamp now, uint32_t timestamp) {
  const uint32_t transit = ArrivalInUnits(now, clock_rate_) - timestamp;
  if (transit_) {
    const auto difference = static_cast<int32_t>(transit - *transit_);
    const uint32_t d =
        difference < 0 ? 0u - static_cast<uint32_t>(difference) : static_cast<uint32_t>(difference);
    jitter_q4_ += d - ((jitter_q4_ + 8) >> 4);
  }
  transit_ = transit;
}

bool ReceiveStatistics::OnPacket(Timestamp now, uint16_t sequence, uint32_t timestamp,
                                 DataSize payload) {
  bool counted = false;
  if (!started_) {
    started_ = true;
    Restart(sequence);
    if (probation_ == 0) {
      received_ = 1;
      counted = true;
    } else {
      // A.1: the first packet of a source counts as the one in sequence after max_seq - 1.
      max_sequence_ = static_cast<uint16_t>(sequence - 1);
      counted = UpdateSequence(sequence);
    }
  } else {
    counted = UpdateSequence(sequence);
  }
  if (!counted) return false;
  payload_ = payload_ + payload;
  last_packet_ = now;
  UpdateJitter(now, timestamp);
  return true;
}

void ReceiveStatistics::OnSenderReport(Timestamp now, const SenderReport& report) {
  last_sr_ = report.ntp.Middle();
  last_sr_arrival_ = now;
}

int64_t ReceiveStatistics::expected() const {
  if (!valid()) return 0;
  return int64_t{extended_highest_sequence()} - base_sequence_ + 1;
}

TimeDelta ReceiveStatistics::jitter_time() const {
  return TimeDelta::Nanos(int64_t{jitter_q4_} * 1'000'000'000 / (16 * int64_t{clock_rate_}));
}

std::optional<ReportBlock> ReceiveStatistics::Report(Timestamp now) {
  if (!valid()) return std::nullopt;
  ReportBlock block;
  block.ssrc = ssrc_;
  // RFC 3550 appendix A.3.
  const int64_t expected_interval = expected() - expected_prior_;
  const int64_t lost_interval = expected_interval - (received_ - received_prior_);
  expected_prior_ = expected();
  received_prior_ = received_;
  if (expected_interval > 0 && lost_interval > 0) {
    block.fraction_lost =
        static_cast<uint8_t>(std::min<int64_t>((lost_interval << 8) / expected_interval, 255));
  }
  block.cumulative_lost = static_cast<int32_t>(std::clamp<int64_t>(lost(), -0x800000, 0x7FFFFF));
  block.extended_highest_sequence = extended_highest_sequence();
  block.jitter = jitter();
  if (last_sr_) {
    block.last_sender_report = *last_sr_;
    block.delay_since_last_sender_report = ToCompactNtp(now - last_sr_arrival_);
  }
  return block;
}

}  // namespace rtclab::rtp
