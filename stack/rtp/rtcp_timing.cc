#include "stack/rtp/rtcp_timing.h"

#include <algorithm>

namespace rtclab::rtp {
namespace {

// e - 3/2: makes up for what reconsideration does to the average (RFC 3550 section 6.3.1).
constexpr double kCompensation = 2.71828 - 1.5;
constexpr double kDitherShare = 0.5;  // l of RFC 4585 section 3.5.2
constexpr std::size_t kByeBackoffMembers = 50;

}  // namespace

RtcpTiming::RtcpTiming(const RtcpTimingConfig& config, Rng& rng)
    : config_(config),
      rng_(rng),
      average_size_(static_cast<double>(config.initial_packet_size.bytes())) {}

// RFC 3550 appendix A.7 without the random factor.
double RtcpTiming::IntervalSeconds(bool sender, TimeDelta minimum) const {
  double bandwidth = static_cast<double>(config_.rtcp_bandwidth.bps()) / 8;
  auto n = static_cast<double>(members_);
  const auto senders = static_cast<double>(senders_);
  if (senders <= n * config_.sender_fraction) {
    if (sender) {
      bandwidth *= config_.sender_fraction;
      n = senders;
    } else {
      bandwidth *= 1 - config_.sender_fraction;
      n -= senders;
    }
  }
  constexpr double kLongest = 86'400;  // without bandwidth nothing would ever be sent
  const double interval = bandwidth > 0 ? average_size_ * n / bandwidth : kLongest;
  return std::clamp(interval, minimum.seconds(), kLongest);
}

TimeDelta RtcpTiming::Minimum(const Local& local) const {
  if (!config_.avpf) return local.initial ? config_.minimum_interval / 2 : config_.minimum_interval;
  // RFC 4585 section 3.5.1: 1 s before the first packet of a multiparty session, otherwise none.
  return local.initial && config_.multiparty ? TimeDelta::Seconds(1) : TimeDelta::Zero();
}

TimeDelta RtcpTiming::RandomInterval(Local& local) {
  const double td = IntervalSeconds(local.sender, Minimum(local));
  local.t_rr = TimeDelta::SecondsF(td * (rng_.UniformReal() + 0.5) / kCompensation);
  return local.t_rr;
}

TimeDelta RtcpTiming::DeterministicInterval() const {
  return TimeDelta::SecondsF(
      IntervalSeconds(false, config_.avpf ? TimeDelta::Zero() : config_.minimum_interval));
}

TimeDelta RtcpTiming::MemberTimeout() const {
  constexpr int kIntervals = 5;
  constexpr TimeDelta kTimeoutMinimum = TimeDelta::Seconds(5);
  return TimeDelta::SecondsF(IntervalSeconds(false, kTimeoutMinimum)) * kIntervals;
}

void RtcpTiming::AddLocal(Timestamp now, uint32_t ssrc) {
  Local& local = locals_[ssrc];
  members_ = std::max(members_, locals_.size());
  local.tp = now;
  Reschedule(local, now);
}

void RtcpTiming::RemoveLocal(uint32_t ssrc) { locals_.erase(ssrc); }

void RtcpTiming::SetLocalSender(uint32_t ssrc, bool sender) {
  const auto it = locals_.find(ssrc);
  if (it != locals_.end()) it->second.sender = sender;
}

void RtcpTiming::Reschedule(Local& local, Timestamp from) {
  local.tp = from;
  local.tn = from + RandomInterval(local);
}

void RtcpTiming::SetSession(Timestamp now, std::size_t members, std::size_t senders) {
  if (leaving_) return;
  members = std::max<std::size_t>(members, 1);
  if (members < members_) {
    // RFC 3550 section 6.3.4.
    const double share = static_cast<double>(members) / static_cast<double>(members_);
    for (auto& [ssrc, local] : locals_) {
      local.tn = now + TimeDelta::SecondsF(share * (local.tn - now).seconds());
      local.tp = now - TimeDelta::SecondsF(share * (now - local.tp).seconds());
    }
  }
  members_ = members;
  senders_ = senders;
}

void RtcpTiming::UpdateAverage(DataSize size, std::size_t reporting) {
  const double each =
      static_cast<double>(size.bytes()) / static_cast<double>(std::max<std::size_t>(reporting, 1));
  average_size_ = each / 16 + average_size_ * 15 / 16;
}

void RtcpTiming::OnReceived(DataSize size, std::size_t reporting) {
  if (!leaving_) UpdateAverage(size, reporting);
}

FeedbackDecision RtcpTiming::RequestFeedback(Timestamp now, uint32_t ssrc, TimeDelta max_delay) {
  const auto it = locals_.find(ssrc);
  if (leaving_ || it == locals_.end()) return FeedbackDecision::kDiscard;
  Local& local = it->second;
  // RFC 4585 section 3.5.2 step 2, over all local SSRCs (RFC 8108 section 5.4.2).
  for (const auto& [other, state] : locals_) {
    if (state.early || state.feedback_stored) return FeedbackDecision::kWithScheduled;
  }
  const TimeDelta dither = config_.multiparty
                               ? TimeDelta::SecondsF(kDitherShare * local.t_rr.seconds())
                               : TimeDelta::Zero();
  const bool regular_is_near = now + dither > local.tn;          // step 3a
  const bool early_allowed = config_.avpf && local.allow_early;  // step 4
  if (regular_is_near || (!early_allowed && local.tn - now < max_delay)) {
    local.feedback_stored = true;
    return FeedbackDecision::kWithScheduled;
  }
  if (!early_allowed) return FeedbackDecision::kDiscard;
  local.early = now + TimeDelta::SecondsF(rng_.UniformReal() * dither.seconds());
  return FeedbackDecision::kEarly;
}

// RFC 4585 section 3.5.2 step 6: the next regular packet is left out in exchange.
void RtcpTiming::SendEarly(uint32_t ssrc, Local& local) {
  local.early.reset();
  local.allow_early = false;
  const Timestamp skipped = local.tn;
  local.tn = local.tp + local.t_rr * 2;
  local.tp = skipped;
  queue_.push_back({RtcpKind::kEarly, {ssrc}});
}

// RFC 4585 section 3.5.3, options 2a to 2c: whether T_rr_interval holds back the report that is due.
bool RtcpTiming::SuppressedByInterval(const Local& local) {
  if (!config_.avpf || config_.regular_interval <= TimeDelta::Zero() || !local.last_regular)
    return false;
  const double current = (rng_.UniformReal() + 0.5) * config_.regular_interval.seconds();
  return *local.last_regular + TimeDelta::SecondsF(current) > local.tn;
}

// The SSRC that is due, then the others by their times (RFC 8108 section 5.3.2).
RtcpTransmission RtcpTiming::Aggregate(uint32_t first) const {
  std::vector<std::pair<Timestamp, uint32_t>> others;
  for (const auto& [ssrc, local] : locals_) {
    if (ssrc != first) others.emplace_back(local.tn, ssrc);
  }
  std::sort(others.begin(), others.end());
  RtcpTransmission out{RtcpKind::kRegular, {first}};
  for (const auto& [tn, ssrc] : others) out.ssrcs.push_back(ssrc);
  return out;
}

void RtcpTiming::HandleRegular(Timestamp now, uint32_t ssrc, Local& local) {
  // Timer reconsideration (RFC 3550 section 6.3.6): with the members of now, is it time?
  const Timestamp due = local.tp + RandomInterval(local);
  if (due > now) {
    local.tn = due;
    return;
  }
  local.allow_early = true;
  if (!SuppressedByInterval(local)) {
    queue_.push_back(Aggregate(ssrc));
    awaiting_sent_ = true;
    return;
  }
  if (local.feedback_stored) queue_.push_back({RtcpKind::kFeedback, {ssrc}});
  local.feedback_stored = false;
  Reschedule(local, now);
}

void RtcpTiming::Leave(Timestamp now, DataSize bye_size) {
  if (leaving_) return;
  leaving_ = true;
  queue_.clear();
  awaiting_sent_ = false;
  bye_tp_ = now;
  bye_tn_ = now;
  if (members_ <= kByeBackoffMembers) return;
  // RFC 3550 section 6.3.7: as if newly joined, alone, with BYEs as the only packets.
  members_ = 1;
  senders_ = 0;
  average_size_ = static_cast<double>(bye_size.bytes());
  Local fresh;
  bye_tn_ = now + RandomInterval(fresh);
}

void RtcpTiming::OnByeReceived() {
  if (leaving_) ++members_;
}

void RtcpTiming::HandleTimeout(Timestamp now) {
  if (leaving_) {
    if (bye_sent_ || bye_tn_ > now) return;
    Local fresh;
    if (members_ > 1 && bye_tn_ > bye_tp_) {
      const Timestamp due = bye_tp_ + RandomInterval(fresh);
      if (due > now) {
        bye_tn_ = due;
        return;
      }
    }
    bye_sent_ = true;
    RtcpTransmission bye{RtcpKind::kBye, {}};
    for (const auto& [ssrc, local] : locals_) bye.ssrcs.push_back(ssrc);
    queue_.push_back(std::move(bye));
    return;
  }
  for (auto& [ssrc, local] : locals_) {
    if (local.early && *local.early <= now) SendEarly(ssrc, local);
  }
  for (auto& [ssrc, local] : locals_) {
    if (awaiting_sent_) return;
    if (local.tn <= now) HandleRegular(now, ssrc, local);
  }
}

Timestamp RtcpTiming::NextTimeout() const {
  if (leaving_) return bye_sent_ ? Timestamp::PlusInfinity() : bye_tn_;
  Timestamp next = Timestamp::PlusInfinity();
  for (const auto& [ssrc, local] : locals_) {
    if (!awaiting_sent_) next = std::min(next, local.tn);
    if (local.early) next = std::min(next, *local.early);
  }
  return next;
}

std::optional<RtcpTransmission> RtcpTiming::PollTransmission() {
  if (queue_.empty()) return std::nullopt;
  RtcpTransmission out = std::move(queue_.front());
  queue_.pop_front();
  return out;
}

void RtcpTiming::OnSent(Timestamp now, const RtcpTransmission& transmission, std::size_t included,
                        DataSize size) {
  included = std::min(std::max<std::size_t>(included, 1), transmission.ssrcs.size());
  UpdateAverage(size, included);
  if (transmission.kind != RtcpKind::kRegular) return;
  awaiting_sent_ = false;
  OnRegularSent(now, std::span(transmission.ssrcs).first(included));
}

// RFC 8108 section 5.3.2, a to d.
void RtcpTiming::OnRegularSent(Timestamp now, std::span<const uint32_t> ssrcs) {
  constexpr int kMaxRounds = 64;
  int64_t sum = 0;  // of effective times, after now
  int64_t count = 0;
  for (std::size_t i = 0; i < ssrcs.size(); ++i) {
    const auto it = locals_.find(ssrcs[i]);
    if (it == locals_.end()) continue;
    ++count;
    Local& local = it->second;
    if (i == 0) continue;  // its effective time is now
    for (int round = 0; round < kMaxRounds; ++round) {
      const Timestamp due = local.tp + RandomInterval(local);
      if (due <= local.tn) break;
      local.tn = due;
    }
    sum += std::max<int64_t>((local.tn - now).nanos(), 0);
  }
  if (count == 0) return;
  const Timestamp average = now + TimeDelta::Nanos(sum / count);
  for (const uint32_t ssrc : ssrcs) {
    const auto it = locals_.find(ssrc);
    if (it == locals_.end()) continue;
    Local& local = it->second;
    local.initial = false;
    local.allow_early = true;
    local.feedback_stored = false;
    local.last_regular = average;
    Reschedule(local, average);
  }
}

}  // namespace rtclab::rtp
