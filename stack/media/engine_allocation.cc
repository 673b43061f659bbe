// Who gets what of the controller's target: first what is sent again, then audio, then video.
#include <algorithm>

#include "stack/media/engine_impl.h"

namespace rtclab::media {
namespace {

// Retransmissions take at most this part of the target away from encoders. A decision: beyond it
// the target itself must fall.
constexpr double kMostForRetransmissions = 0.5;
constexpr TimeDelta kRateWindow = TimeDelta::Millis(200);
// A change that is worth an event.
constexpr double kEventChange = 0.05;

double Bps(DataRate rate) { return static_cast<double>(rate.bps()); }
DataRate Rate(double bps) { return DataRate::BitsPerSec(static_cast<int64_t>(std::max(bps, 0.0))); }

}  // namespace

DataRate Engine::Impl::RetransmissionRate(Timestamp now) {
  if (last_allocation_ && now - *last_allocation_ < kRateWindow) return retransmission_rate_;
  int64_t bytes = 0;
  for (const auto& stream : send_streams_) {
    for (const auto& output : stream->outputs()) bytes += output->retransmitted_wire_bytes();
  }
  if (last_allocation_) {
    const double seconds = (now - *last_allocation_).seconds();
    const double rate =
        static_cast<double>(std::max<int64_t>(bytes - retransmitted_bytes_, 0)) * 8 / seconds;
    retransmission_rate_ = Rate((Bps(retransmission_rate_) + rate) / 2);
  }
  retransmitted_bytes_ = bytes;
  last_allocation_ = now;
  return retransmission_rate_;
}

void Engine::Impl::AllocateIfChanged(Timestamp now) {
  if (transport_.output().target != allocated_target_) Allocate(now);
}

void Engine::Impl::Allocate(Timestamp now) {
  const auto& output = transport_.output();
  allocated_target_ = output.target;
  const double target = Bps(output.target);
  const double wire =
      target - std::min(Bps(RetransmissionRate(now)), target * kMostForRetransmissions);
  double audio_min = 0;
  double audio_max = 0;
  double video_min = 0;
  for (const auto& stream : send_streams_) {
    const RateDemand demand = stream->demand();
    const double fixed = Bps(stream->fixed_overhead(outbox.overhead));
    if (stream->config().kind == Kind::kAudio) {
      audio_min += fixed + Bps(demand.min);
      audio_max += fixed + Bps(demand.max);
    } else {
      video_min += Bps(demand.min) * stream->wire_factor(outbox.overhead);
    }
  }
  // Audio gets all it can use as long as the least of video fits beside it.
  const double audio = std::clamp(wire - video_min, audio_min, audio_max);
  const double part = audio_max > audio_min ? (audio - audio_min) / (audio_max - audio_min) : 1;
  for (auto& stream : send_streams_) {
    if (stream->config().kind != Kind::kAudio) continue;
    const RateDemand demand = stream->demand();
    stream->SetRate(now, Rate(Bps(demand.min) + part * (Bps(demand.max) - Bps(demand.min))));
  }
  ShareVideo(now, wire - audio);
  const double said = Bps(said_target_);
  if (target > said * (1 + kEventChange) || target < said * (1 - kEventChange)) {
    said_target_ = output.target;
    outbox.events.Push(TargetRateChanged{output.target, output.reason});
  }
}

// Equal shares, and what one stream cannot use goes to the others.
void Engine::Impl::ShareVideo(Timestamp now, double wire_rate) {
  std::vector<SendStream*> open;
  for (auto& stream : send_streams_) {
    if (stream->config().kind != Kind::kVideo) continue;
    if (stream->demand().max.bps() > 0) {
      open.push_back(stream.get());
    } else {
      stream->SetRate(now, DataRate());
    }
  }
  double left = std::max(wire_rate, 0.0);
  const auto payload_max = [&](const SendStream* stream) {
    return Bps(stream->demand().max) * stream->wire_factor(outbox.overhead);
  };
  // From the one that wants least: whoever wants more than its share leaves nothing over.
  std::stable_sort(open.begin(), open.end(), [&](const SendStream* a, const SendStream* b) {
    return payload_max(a) < payload_max(b);
  });
  for (std::size_t i = 0; i < open.size(); ++i) {
    const double share =
        std::min(left / static_cast<double>(open.size() - i), payload_max(open[i]));
    left -= share;
    // Never nothing: the lowest layer goes on at its minimum rate.
    open[i]->SetRate(now, Rate(std::max(share / open[i]->wire_factor(outbox.overhead), 1.0)));
  }
}

}  // namespace rtclab::media
