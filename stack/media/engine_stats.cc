// What an engine says of itself: webrtc-stats and the time series.
#include <algorithm>

#include "stack/media/engine_impl.h"

namespace rtclab::media {

EngineStats Engine::Impl::Stats(Timestamp now) const {
  EngineStats stats;
  stats.timestamp = now;
  for (const auto& input : inputs_) {
    input->FillStats(now, stats.inbound_rtp.emplace_back());
    if (auto remote = input->remote_outbound()) stats.remote_outbound_rtp.push_back(*remote);
  }
  for (const auto& stream : send_streams_) {
    stream->FillStats(now, stats);
    for (const auto& output : stream->outputs()) {
      if (auto remote = output->remote_inbound()) stats.remote_inbound_rtp.push_back(*remote);
    }
  }
  stats.available_outgoing_bitrate = static_cast<double>(transport_.output().target.bps());
  if (remb_ && remb_->last_sent()) {
    stats.available_incoming_bitrate = static_cast<double>(remb_->last_sent()->bps());
  }
  stats.packets_malformed = packets_malformed_;
  stats.packets_unknown_stream = packets_unknown_;
  stats.rtcp_malformed = rtcp_malformed_;
  return stats;
}

Engine::Impl::Mark Engine::Impl::Measure(Timestamp now) const {
  Mark mark;
  mark.time = now;
  mark.sent = outbox.wire_bytes_sent;
  mark.received = wire_bytes_received_;
  for (const auto& input : inputs_) {
    mark.lost += input->packets_lost();
    mark.expected += input->packets_expected();
    mark.rendered += input->frames_rendered();
    mark.frozen += input->frozen_seconds();
  }
  return mark;
}

Sample Engine::Impl::SampleSeries(Timestamp now) {
  const Mark mark = Measure(now);
  const auto& output = transport_.output();
  Sample sample;
  sample.time = now;
  sample.interval = now - mark_.time;
  const double seconds = std::max(sample.interval.seconds(), 1e-9);
  const auto rate = [&](int64_t bytes) {
    return DataRate::BitsPerSec(static_cast<int64_t>(static_cast<double>(bytes) * 8 / seconds));
  };
  sample.send_rate = rate(mark.sent - mark_.sent);
  sample.receive_rate = rate(mark.received - mark_.received);
  sample.target = output.target;
  sample.pacing = output.pacing;
  sample.estimate = output.estimate;
  sample.acknowledged = output.acknowledged;
  for (const auto& stream : send_streams_) {
    if (stream->config().kind != Kind::kVideo) continue;
    sample.video_target =
        DataRate::BitsPerSec(sample.video_target.bps() + stream->encoder_target().bps());
  }
  sample.queue_delay = output.queue_delay;
  sample.pacer_delay = transport_.pacer_age(now);
  sample.rtt = output.rtt > TimeDelta::Zero() ? output.rtt : rtt_;
  sample.loss = output.loss;
  const ArrivalClock::Delays delays = arrival_clock_.Take();
  sample.receive_queue_delay = delays.mean;
  sample.receive_queue_delay_max = delays.max;
  // Both fall when a stream ends, and late packets make losses good.
  const int64_t expected = mark.expected - mark_.expected;
  const int64_t lost =
      std::clamp<int64_t>(mark.lost - mark_.lost, 0, std::max<int64_t>(expected, 0));
  sample.receive_loss =
      expected > 0 ? static_cast<double>(lost) / static_cast<double>(expected) : 0;
  sample.frames_rendered =
      mark.rendered >= mark_.rendered ? static_cast<uint32_t>(mark.rendered - mark_.rendered) : 0;
  sample.freeze_seconds = std::max(mark.frozen - mark_.frozen, 0.0);
  sample.controller_state = output.state;
  mark_ = mark;
  return sample;
}

}  // namespace rtclab::media
