// The way out: congestion controller, pacer and feedback bookkeeping of all streams together.
#ifndef RTCLAB_STACK_MEDIA_SEND_TRANSPORT_H_
#define RTCLAB_STACK_MEDIA_SEND_TRANSPORT_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/units.h"
#include "stack/congestion/controller.h"
#include "stack/congestion/feedback_adapter.h"
#include "stack/congestion/pacer.h"
#include "stack/media/config.h"
#include "stack/media/outbox.h"
#include "stack/media/rtp_output.h"
#include "stack/rtp/feedback_matcher.h"

namespace rtclab::media {

class SendTransport {
 public:
  SendTransport(const EngineConfig& config, Outbox& outbox);

  // The streams that may send; what is queued of others is dropped. Pointers stay valid until the
  // next call.
  void SetOutputs(std::vector<RtpOutput*> outputs);
  void Enqueue(Timestamp now, RtpOutput& output, congestion::PacketClass packet_class,
               Bytes packet);
  // Tells the controller what waits; to be called when a frame was enqueued.
  void NoteQueue(Timestamp now);
  void SetNetworkAvailable(Timestamp now, bool available);
  void SetLimits(Timestamp now, const congestion::RateLimits& limits);
  void OnPathChanged(Timestamp now);

  void OnTransportFeedback(Timestamp now, const rtp::TransportFeedback& feedback);
  void OnCongestionFeedback(Timestamp now, const rtp::CongestionFeedback& feedback);
  void OnReceiverReport(Timestamp now, TimeDelta rtt, double fraction_lost);
  void OnRemb(Timestamp now, DataRate rate);

  // Sends what may leave. To be called after anything above, and at NextTimeout().
  void HandleTimeout(Timestamp now);
  Timestamp NextTimeout() const;

  const congestion::ControllerOutput& output() const { return controller_->output(); }
  TimeDelta pacer_age(Timestamp now) const { return pacer_.OldestAge(now); }
  bool available() const { return available_; }

 private:
  void Send(Timestamp now, congestion::PacedPacket packet);
  bool SendPadding(Timestamp now, DataSize wanted);
  void Deliver(Timestamp now, const rtp::MatchedFeedback& matched);
  void ApplyOutput(Timestamp now);

  Outbox& outbox_;
  std::unique_ptr<congestion::Controller> controller_;
  congestion::Pacer pacer_;
  congestion::FeedbackAdapter adapter_;
  std::optional<rtp::TransportFeedbackMatcher>
      transport_matcher_;  // once there is a stream that uses it
  rtp::CongestionFeedbackMatcher ccfb_matcher_;
  std::vector<RtpOutput*> outputs_;
  const DataRate max_rate_;
  std::vector<congestion::PacketReport> reports_;
  int64_t next_id_ = 0;
  bool available_ = false;
  DataRate pacing_;
  DataRate padding_;
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_SEND_TRANSPORT_H_
