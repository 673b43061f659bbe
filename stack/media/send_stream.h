// One m-section that is sent: its source, its encoders, and the RTP streams they end in.
#ifndef RTCLAB_STACK_MEDIA_SEND_STREAM_H_
#define RTCLAB_STACK_MEDIA_SEND_STREAM_H_

#include <memory>
#include <vector>

#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/media/config.h"
#include "stack/media/rtp_output.h"
#include "stack/media/send_transport.h"
#include "stack/media/stats.h"

namespace rtclab::media {

// What a stream could use of the target, in payload bits per second.
struct RateDemand {
  DataRate min;
  DataRate max;
};

class SendStream {
 public:
  virtual ~SendStream() = default;

  const SendStreamConfig& config() const { return config_; }
  // Whether `config` describes this same stream: the same SSRCs in the same roles, codec and
  // source, so that only Update() is needed.
  bool Matches(const SendStreamConfig& config) const;
  // Takes over what may change during a stream's life: active flags, rate limits.
  virtual void Update(Timestamp now, const SendStreamConfig& config) = 0;
  // The source runs from the first call on, while the stream is active.
  virtual void Start(Timestamp now) = 0;
  virtual void Stop() = 0;
  virtual RateDemand demand() const = 0;
  virtual void SetRate(Timestamp now, DataRate payload_rate) = 0;
  // A PLI or FIR for one of this stream's SSRCs.
  virtual void OnKeyframeRequest(Timestamp, uint32_t) {}
  virtual void SetLoss(double) {}
  virtual void SetRtt(TimeDelta rtt);
  // Encodes what is due and hands the packets to the pacer.
  virtual void HandleTimeout(Timestamp now, SendTransport& transport) = 0;
  virtual Timestamp NextTimeout() const = 0;
  virtual void FillStats(Timestamp now, EngineStats& stats) const = 0;
  // Bytes on the wire for one byte of payload, and bits per second that do not depend on the
  // payload.
  virtual double wire_factor(int64_t overhead) const = 0;
  virtual DataRate fixed_overhead(int64_t overhead) const = 0;
  virtual DataRate encoder_target() const = 0;

  const std::vector<std::unique_ptr<RtpOutput>>& outputs() const { return outputs_; }

 protected:
  SendStream(SendStreamConfig config, Rng& rng);

  SendStreamConfig config_;
  std::vector<std::unique_ptr<RtpOutput>> outputs_;
};

std::unique_ptr<SendStream> MakeSendStream(const EngineConfig& engine,
                                           const SendStreamConfig& config, Rng& rng);

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_SEND_STREAM_H_
