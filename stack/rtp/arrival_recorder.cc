#include "stack/rtp/arrival_recorder.h"

#include <algorithm>

namespace rtclab::rtp {
namespace {

// A jump beyond this begins a new window: what is between could not be reported in one message.
constexpr int64_t kMaxWindow = 8192;
// Arrivals already reported that are kept, so that a late packet is reported with those around it.
constexpr int64_t kKeptArrivals = 256;
constexpr std::size_t kMaxFeedbackBytes = 1100;  // below the usual MTU with SRTCP, UDP and IP
constexpr std::size_t kMaxCongestionMetrics = 500;

// 24 bits with sign, as the reference time is on the wire.
int32_t Wrap24(int64_t value) {
  return static_cast<int32_t>(static_cast<uint32_t>(value) << 8) / 256;
}

}  // namespace

TimeDelta FeedbackInterval(const FeedbackTiming& timing, DataRate rate) {
  const double share = timing.bandwidth_share * static_cast<double>(rate.bps());
  if (share <= 0) return timing.max_interval;
  const double seconds = static_cast<double>(timing.typical_size.bits()) / share;
  if (seconds >= timing.max_interval.seconds()) return timing.max_interval;
  return std::clamp(TimeDelta::SecondsF(seconds), timing.min_interval, timing.max_interval);
}

void FeedbackSchedule::OnPacket(Timestamp now) {
  if (!next_.IsInfinite()) return;
  // After silence the first packet waits a whole interval for company.
  next_ = last_ && *last_ + interval_ > now ? *last_ + interval_ : now + interval_;
}

bool FeedbackSchedule::HandleTimeout(Timestamp now) {
  if (now < next_) return false;
  next_ = Timestamp::PlusInfinity();
  last_ = now;
  due_ = true;
  return true;
}

void ArrivalWindow::Add(Timestamp now, uint16_t sequence, uint8_t ecn) {
  const int64_t unwrapped = unwrapper_.Peek(sequence);
  if (arrivals_.empty() || unwrapped >= end() + kMaxWindow) {
    arrivals_.clear();
    first_ = unwrapped;
    report_from_ = unwrapped;
  }
  if (unwrapped < first_) {
    // Before all that is remembered: only at the very start, where nothing has been dropped yet, is it
    // worth a place.
    if (end() - unwrapped > kKeptArrivals) return;
    arrivals_.insert(arrivals_.begin(), static_cast<std::size_t>(first_ - unwrapped), Arrival{});
    first_ = unwrapped;
  }
  // Only forwards, so that an old packet does not move the circle back.
  if (unwrapped >= end()) {
    unwrapper_.Unwrap(sequence);
    arrivals_.resize(static_cast<std::size_t>(unwrapped - first_) + 1);
  }
  Arrival& arrival = arrivals_[static_cast<std::size_t>(unwrapped - first_)];
  if (arrival.received) {
    // RFC 8888 section 3.1: of duplicates the first arrival, and CE if any copy has it.
    if (ecn != 3 || arrival.ecn == 3) return;
    arrival.ecn = 3;
  } else {
    arrival = {true, ecn, now};
  }
  report_from_ = std::min(report_from_, unwrapped);
  fresh_ = true;
}

void ArrivalWindow::SetReported(int64_t sequence) {
  report_from_ = sequence;
  if (sequence >= end()) fresh_ = false;
  while (!arrivals_.empty() && first_ < sequence - kKeptArrivals && arrivals_.size() > 1) {
    arrivals_.pop_front();
    ++first_;
  }
}

TransportFeedbackRecorder::TransportFeedbackRecorder(uint32_t sender_ssrc,
                                                     const FeedbackTiming& timing)
    : sender_ssrc_(sender_ssrc), schedule_(timing) {}

void TransportFeedbackRecorder::OnPacket(Timestamp now, uint16_t transport_sequence,
                                         uint32_t media_ssrc) {
  media_ssrc_ = media_ssrc;
  window_.Add(now, transport_sequence, 0);
  schedule_.OnPacket(now);
}

void TransportFeedbackRecorder::HandleTimeout(Timestamp now) { schedule_.HandleTimeout(now); }

std::optional<TransportFeedback> TransportFeedbackRecorder::PollFeedback() {
  if (!schedule_.due()) return std::nullopt;
  TransportFeedback feedback;
  if (!BuildNext(feedback)) {
    schedule_.Done();
    return std::nullopt;
  }
  return feedback;
}

// One message from report_begin() on; ends where it is full or a delta does not fit 16 bits.
bool TransportFeedbackRecorder::BuildNext(TransportFeedback& feedback) {
  const int64_t begin = window_.report_begin();
  const int64_t end = window_.report_end();
  int64_t first = begin;
  while (first < end && !window_.at(first).received) ++first;
  if (first == end) return false;
  const int64_t unit = kTransportDeltaUnit.nanos();
  const int64_t reference = window_.at(first).time.nanos() / kTransportReferenceUnit.nanos();
  // Deltas are of rounded times, so that rounding does not add up.
  int64_t last = reference * (kTransportReferenceUnit.nanos() / unit);
  std::size_t bytes = 8 + 4;
  int64_t to = begin;
  for (int64_t s = begin; s < end; ++s) {
    const ArrivalWindow::Arrival& arrival = window_.at(s);
    if (!arrival.received) continue;
    const int64_t ticks = (arrival.time.nanos() + unit / 2) / unit;
    const int64_t delta = ticks - last;
    // A gap costs at most a run and the chunk it breaks; otherwise 7 packets share a chunk.
    bytes += (delta >= 0 && delta <= 255 ? 1u : 2u) + (s > to ? 4u : 0u) + (s % 7 == 0 ? 2u : 0u);
    if (delta < -32768 || delta > 32767 || bytes > kMaxFeedbackBytes) break;
    feedback.packets.resize(static_cast<std::size_t>(s - begin) + 1);
    feedback.packets.back() = {true, static_cast<int16_t>(delta)};
    last = ticks;
    to = s + 1;
  }
  feedback.sender_ssrc = sender_ssrc_;
  feedback.media_ssrc = media_ssrc_;
  feedback.base_sequence = static_cast<uint16_t>(begin);
  feedback.feedback_count = count_++;
  feedback.reference_time = Wrap24(reference);
  window_.SetReported(to);
  return true;
}

CongestionFeedbackRecorder::CongestionFeedbackRecorder(uint32_t sender_ssrc,
                                                       const FeedbackTiming& timing,
                                                       uint32_t ntp_seconds_at_zero)
    : sender_ssrc_(sender_ssrc), schedule_(timing), ntp_seconds_at_zero_(ntp_seconds_at_zero) {}

void CongestionFeedbackRecorder::OnPacket(Timestamp now, uint32_t ssrc, uint16_t sequence,
                                          uint8_t ecn) {
  streams_[ssrc].Add(now, sequence, ecn);
  schedule_.OnPacket(now);
}

void CongestionFeedbackRecorder::HandleTimeout(Timestamp now) {
  if (schedule_.HandleTimeout(now)) report_time_ = now;
}

CongestionBlock CongestionFeedbackRecorder::TakeBlock(uint32_t ssrc, ArrivalWindow& window,
                                                      std::size_t budget) const {
  const int64_t begin = window.report_begin();
  const int64_t end = std::min(window.report_end(), begin + static_cast<int64_t>(budget));
  CongestionBlock block{ssrc, static_cast<uint16_t>(begin), {}};
  block.metrics.reserve(static_cast<std::size_t>(end - begin));
  for (int64_t s = begin; s < end; ++s) {
    const ArrivalWindow::Arrival& arrival = window.at(s);
    if (!arrival.received) {
      block.metrics.emplace_back();
      continue;
    }
    const int64_t before = (report_time_ - arrival.time).nanos();
    uint16_t offset = kArrivalUnavailable;
    if (before >= 0) {
      // To the nearest 1/1024 s; beyond 0x1FFD there is no value left.
      const int64_t steps =
          before > 10'000'000'000 ? 10'240 : (before * 1024 + 500'000'000) / 1'000'000'000;
      offset = steps > 0x1FFD ? kArrivalOverRange : static_cast<uint16_t>(steps);
    }
    block.metrics.push_back({true, arrival.ecn, offset});
  }
  window.SetReported(end);
  return block;
}

std::optional<CongestionFeedback> CongestionFeedbackRecorder::PollFeedback() {
  if (!schedule_.due()) return std::nullopt;
  CongestionFeedback feedback;
  feedback.sender_ssrc = sender_ssrc_;
  feedback.report_timestamp = NtpTime::From(report_time_, ntp_seconds_at_zero_).Middle();
  std::size_t budget = kMaxCongestionMetrics;
  for (auto& [ssrc, window] : streams_) {
    if (window.report_begin() == window.report_end()) continue;
    if (budget < 8) break;
    feedback.blocks.push_back(TakeBlock(ssrc, window, budget));
    // A block's header is worth four metrics.
    budget -= std::min(budget, feedback.blocks.back().metrics.size() + 4);
  }
  if (feedback.blocks.empty()) {
    schedule_.Done();
    return std::nullopt;
  }
  return feedback;
}

}  // namespace rtclab::rtp
