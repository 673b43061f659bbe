// One received media stream with what repairs it: statistics, retransmission requests, RTX and FEC,
// up to the jitter buffer of its kind.
#ifndef RTCLAB_STACK_MEDIA_RTP_INPUT_H_
#define RTCLAB_STACK_MEDIA_RTP_INPUT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/units.h"
#include "stack/media/config.h"
#include "stack/media/engine_events.h"
#include "stack/media/fec_receiver.h"
#include "stack/media/frame_content.h"
#include "stack/media/outbox.h"
#include "stack/media/sequence_window.h"
#include "stack/media/stats.h"
#include "stack/rtp/nack_generator.h"
#include "stack/rtp/receive_statistics.h"
#include "stack/rtp/rtp_packet.h"
#include "stack/rtp/unwrapper.h"

namespace rtclab::media {

// How a packet came to be here.
enum class Origin : uint8_t { kDirect, kRetransmission, kFec };

class RtpInput {
 public:
  virtual ~RtpInput() = default;

  uint32_t ssrc() const { return ssrc_; }
  const std::string& mid() const { return config_.mid; }
  const ReceiveStreamConfig& config() const { return config_; }
  const CodecConfig& codec() const { return codec_; }
  void SetRtxSsrc(uint32_t ssrc) { rtx_ssrc_ = ssrc; }
  void SetFecSsrc(uint32_t ssrc) { fec_ssrc_ = ssrc; }

  // A packet of the media stream itself.
  void OnPacket(Timestamp now, const rtp::PacketView& packet, uint8_t ecn);
  // A packet of its RTX stream.
  void OnRtx(Timestamp now, const rtp::PacketView& packet);
  // A packet of its FlexFEC stream.
  void OnFlexfec(Timestamp now, const rtp::PacketView& packet);
  void OnSenderReport(Timestamp now, const rtp::SenderReport& report);
  // A round-trip time measured by this end as a receiver (RFC 3611 section 4.5).
  void OnRoundTrip(TimeDelta rtt);
  // The far end said BYE: it rests until a packet comes again.
  void OnGoodbye() { ended_ = true; }
  virtual void SetRtt(TimeDelta rtt) { nack_.SetRtt(rtt); }

  void HandleTimeout(Timestamp now);
  Timestamp NextTimeout() const;
  // Whether packets are missing, a report on nothing is not needed.
  std::optional<rtp::ReportBlock> Report(Timestamp now) { return statistics_.Report(now); }

  // What is to be asked for now.
  std::optional<std::vector<uint16_t>> TakeNack();
  virtual std::optional<KeyframeReason> TakeKeyframeRequest() { return std::nullopt; }
  // A PLI or FIR went out.
  void OnKeyframeRequested(bool fir) { ++(fir ? counters_.fir_count : counters_.pli_count); }

  void FillStats(Timestamp now, InboundRtpStats& stats) const;
  std::optional<RemoteOutboundRtpStats> remote_outbound() const { return remote_; }
  Timestamp last_packet() const {
    return counters_.last_packet_received_timestamp.value_or(Timestamp::Zero());
  }
  int64_t packets_expected() const { return statistics_.expected(); }
  int64_t packets_lost() const { return statistics_.lost(); }
  virtual uint32_t frames_rendered() const { return 0; }
  virtual double frozen_seconds() const { return 0; }

 protected:
  RtpInput(const ReceiveStreamConfig& config, const CodecConfig& codec, uint32_t ssrc,
           std::string rid, Outbox& outbox);
  // Media that is new: neither duplicate nor RED nor FEC any more.
  virtual void OnMedia(Timestamp now, const rtp::PacketView& packet, int64_t sequence,
                       Origin origin) = 0;
  virtual void HandleMediaTimeout(Timestamp now) = 0;
  virtual Timestamp NextMediaTimeout() const = 0;
  // A packet that carries nothing to play: padding or FEC.
  virtual void OnEmpty(Timestamp now, uint16_t sequence_number, int64_t sequence) = 0;
  // Packets were given up that will be missed.
  virtual void OnGapGivenUp(Timestamp) {}
  virtual void FillMediaStats(Timestamp now, InboundRtpStats& stats) const = 0;

  // What the content of a frame says of itself.
  void CountContent(const FrameIdentity& identity);

  const ReceiveStreamConfig config_;
  const CodecConfig codec_;
  const uint32_t ssrc_;
  const std::string rid_;
  Outbox& outbox_;
  rtp::NackGenerator nack_;
  InboundRtpStats counters_;

 private:
  void Dispatch(Timestamp now, const rtp::PacketView& packet, Origin origin);
  void Play(Timestamp now, const rtp::PacketView& packet, int64_t sequence, Origin origin);
  void CountBytes(const rtp::PacketView& packet);
  void Recover(Timestamp now);

  bool ended_ = false;
  uint32_t rtx_ssrc_ = 0;
  uint32_t fec_ssrc_ = 0;
  rtp::ReceiveStatistics statistics_;
  rtp::SequenceUnwrapper sequences_;
  SequenceWindow seen_;
  std::optional<FecReceiver> fec_;
  std::optional<RemoteOutboundRtpStats> remote_;
};

// `config.codecs` has one whose payload type is `payload_type`, or the RED one wraps it.
std::unique_ptr<RtpInput> MakeRtpInput(const EngineConfig& engine,
                                       const ReceiveStreamConfig& config, const CodecConfig& codec,
                                       uint32_t ssrc, std::string rid, Outbox& outbox);

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_RTP_INPUT_H_
