// What stands behind an Engine. Its methods are in engine.cc (configuration and time),
// engine_allocation.cc (who gets what rate), engine_receive.cc (RTP in), engine_rtcp.cc (RTCP in),
// engine_report.cc (RTCP out) and engine_stats.cc.
#ifndef RTCLAB_STACK_MEDIA_ENGINE_IMPL_H_
#define RTCLAB_STACK_MEDIA_ENGINE_IMPL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stack/media/arrival_clock.h"
#include "stack/media/demux.h"
#include "stack/media/engine.h"
#include "stack/media/outbox.h"
#include "stack/media/rtp_input.h"
#include "stack/media/send_stream.h"
#include "stack/media/send_transport.h"
#include "stack/rtp/arrival_recorder.h"
#include "stack/rtp/rtcp.h"
#include "stack/rtp/rtcp_timing.h"

namespace rtclab::media {

class Engine::Impl {
 public:
  Impl(EngineConfig config, Rng& rng);

  void SetSendStreams(Timestamp now, const std::vector<SendStreamConfig>& streams);
  void SetReceiveStreams(Timestamp now, std::vector<ReceiveStreamConfig> streams);
  void SetNetworkAvailable(Timestamp now, bool available);
  void SetRateLimits(Timestamp now, const congestion::RateLimits& limits);
  void OnPathChanged(Timestamp now);
  void SetOverhead(Timestamp now, DataSize overhead_per_packet);
  void RequestKeyframe(Timestamp now, std::string_view mid);
  void Stop(Timestamp now);

  void HandleRtp(Timestamp now, ByteView packet, uint8_t ecn);
  void HandleRtcp(Timestamp now, ByteView packet);
  void HandleTimeout(Timestamp now);
  Timestamp NextTimeout() const;

  EngineStats Stats(Timestamp now) const;
  Sample SampleSeries(Timestamp now);

  Outbox outbox;

 private:
  // What was last heard in a report block about one of our streams.
  struct Reported {
    uint32_t ssrc = 0;
    uint32_t highest = 0;
    int32_t lost = 0;
  };
  // A receiver that wants its round-trip time (RFC 3611 section 4.4), to be answered with the next
  // report.
  struct ReferenceTime {
    uint32_t ssrc = 0;
    uint32_t middle = 0;
    Timestamp arrived;
  };
  struct LossInReport {
    int64_t lost = 0;
    int64_t expected = 0;
  };

  // Sending.
  std::vector<RtpOutput*> Outputs() const;
  SendStream* StreamOf(uint32_t ssrc, RtpOutput** output = nullptr);
  void Allocate(Timestamp now);
  void AllocateIfChanged(Timestamp now);
  DataRate RetransmissionRate(Timestamp now);
  void ShareVideo(Timestamp now, double wire_rate);

  // Receiving.
  RtpInput* FindInput(uint32_t ssrc);
  RtpInput* InputFor(const Route& route, uint8_t payload_type);
  const CodecConfig* CodecFor(const ReceiveStreamConfig& section, uint8_t payload_type) const;
  void RecordArrival(Timestamp now, const rtp::PacketView& packet);
  void SayMapped(const Route& route);
  void CollectFeedback(Timestamp now, RtpInput& input);
  void AskForKeyframe(RtpInput& input, KeyframeReason reason);

  // RTCP in.
  void HandleMessage(Timestamp now, const rtp::RtcpMessage& message, LossInReport& loss);
  void HandleReports(Timestamp now, const std::vector<rtp::ReportBlock>& blocks,
                     LossInReport& loss);
  void HandleNack(Timestamp now, const rtp::Nack& nack);
  void HandleFir(Timestamp now, const rtp::FullIntraRequest& fir);
  void HandleExtended(Timestamp now, const rtp::ExtendedReport& report);
  void HandleDescription(const rtp::SourceDescription& description);
  void HandleGoodbye(const rtp::Goodbye& goodbye);
  void NoteRtt(TimeDelta rtt);

  // RTCP out.
  uint32_t LocalSsrc() const;
  void ScheduleReports(Timestamp now);
  void NoteMembers(Timestamp now);
  void SendDueReports(Timestamp now);
  DataSize SendReports(Timestamp now, std::span<const uint32_t> ssrcs);
  void AppendIdentity(std::vector<rtp::RtcpMessage>& messages,
                      std::span<const uint32_t> ssrcs) const;
  DataSize SendRtcp(const std::vector<rtp::RtcpMessage>& messages);
  void SendGoodbye(Timestamp now, const std::vector<uint32_t>& ssrcs);
  void MakeTransportFeedback(Timestamp now);
  void Flush(Timestamp now);

  const EngineConfig config_;
  Rng& rng_;
  bool available_ = false;

  SendTransport transport_;
  std::vector<std::unique_ptr<SendStream>> send_streams_;
  std::vector<Reported> reported_;
  std::vector<std::pair<uint32_t, uint8_t>> fir_seen_;  // by sender: the last command's number
  DataRate allocated_target_;
  DataRate said_target_;
  std::optional<Timestamp> last_allocation_;
  int64_t retransmitted_bytes_ = 0;
  DataRate retransmission_rate_;

  Demux demux_;
  std::vector<ReceiveStreamConfig> sections_;
  std::vector<std::unique_ptr<RtpInput>> inputs_;
  ArrivalClock arrival_clock_;
  rtp::TransportFeedbackRecorder transport_recorder_;
  rtp::CongestionFeedbackRecorder ccfb_recorder_;
  std::optional<RembEstimator> remb_;
  uint8_t transport_cc_id_ = 0;
  uint8_t abs_send_time_id_ = 0;
  std::vector<std::pair<uint32_t, uint8_t>> fir_sent_;

  std::vector<rtp::RtcpMessage> pending_;
  std::vector<ReferenceTime> reference_times_;
  rtp::RtcpTiming report_timing_;
  std::vector<uint32_t> reporting_;  // our SSRCs that it knows
  TimeDelta rtt_;

  uint64_t packets_malformed_ = 0;
  uint64_t packets_unknown_ = 0;
  uint64_t rtcp_malformed_ = 0;
  int64_t wire_bytes_received_ = 0;

  // Of the last SampleSeries().
  struct Mark {
    Timestamp time;
    int64_t sent = 0;
    int64_t received = 0;
    int64_t lost = 0;
    int64_t expected = 0;
    uint64_t rendered = 0;
    double frozen = 0;
  };
  Mark Measure(Timestamp now) const;
  Mark mark_;
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_ENGINE_IMPL_H_
