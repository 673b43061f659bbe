// One encoding on the wire: its RTP stream, the RTX stream beside it, and what is remembered to
// send again, to report and to count.
#ifndef RTCLAB_STACK_MEDIA_RTP_OUTPUT_H_
#define RTCLAB_STACK_MEDIA_RTP_OUTPUT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/congestion/pacer.h"
#include "stack/media/config.h"
#include "stack/media/stats.h"
#include "stack/rtp/packet_history.h"
#include "stack/rtp/rtcp_packets.h"
#include "stack/rtp/rtp_packet.h"

namespace rtclab::media {

// How the far end tells what arrived.
enum class PacketFeedback : uint8_t { kNone, kTransportWide, kCongestionControl };

// By negotiation of one codec: RFC 8888 before transport-wide numbers, which need their extension.
PacketFeedback FeedbackOf(const CodecConfig& codec, const ExtensionIds& extensions);

class RtpOutput {
 public:
  // `index`: of the encoding. Sequence numbers and the timestamp offset begin at random (RFC 3550
  // section 5.1).
  RtpOutput(const SendStreamConfig& config, std::size_t index, Rng& rng);

  uint32_t ssrc() const { return encoding_.ssrc; }
  uint32_t rtx_ssrc() const { return encoding_.rtx_ssrc; }
  uint32_t fec_ssrc() const { return fec_ssrc_; }
  bool Owns(uint32_t ssrc) const;
  Kind kind() const { return kind_; }
  PacketFeedback feedback() const { return feedback_; }
  const Encoding& encoding() const { return encoding_; }
  const ExtensionIds& extensions() const { return extensions_; }
  uint32_t RtpTimestamp(Timestamp time) const;
  // Bytes of the RTP header with the extensions that every packet gets.
  std::size_t HeaderSize() const;

  // The next packet of the media stream. `payload_size` bytes follow the header, to be written by
  // the caller through AllocatePayload().
  rtp::PacketBuilder Begin(bool marker, uint8_t payload_type, uint32_t timestamp,
                           std::size_t payload_size, std::optional<uint8_t> audio_level = {});
  // The header of a FlexFEC packet, which has a stream of its own.
  rtp::PacketBuilder BeginFec(uint8_t payload_type, uint32_t timestamp, std::size_t payload_size);
  // The packet begun last ends a frame, or does not: what is needed to pad between frames only.
  void OnMarker(bool marker) { last_marker_ = marker; }
  uint16_t next_sequence() const { return sequence_; }

  // A packet to send because of a NACK; nullopt if it is gone or was sent just now.
  std::optional<Bytes> Retransmission(Timestamp now, uint16_t sequence);
  // Padding of about `size` bytes: an old packet again as RTX, else an empty one with padding.
  // nullopt if this stream cannot pad now: padding of the media stream must not come between
  // packets of a frame.
  std::optional<Bytes> Padding(Timestamp now, DataSize size, bool media_queued);

  // The pacer let a packet go: stamps it, counts it and remembers it.
  void OnSent(Timestamp now, congestion::PacedPacket& packet,
              std::optional<uint16_t> transport_sequence);
  void SetRtt(TimeDelta rtt);

  rtp::SenderReport MakeSenderReport(Timestamp now) const;
  // Whether anything was sent, so that there is something to report.
  bool sent_media() const { return media_packets_ > 0; }
  // Remembers what the far end reported.
  void OnReportBlock(Timestamp now, const rtp::ReportBlock& block, std::optional<TimeDelta> rtt);

  void FillStats(OutboundRtpStats& stats) const;
  std::optional<RemoteInboundRtpStats> remote_inbound() const { return remote_; }
  int64_t retransmitted_wire_bytes() const { return retransmitted_wire_bytes_; }

  uint32_t nack_count = 0;
  uint32_t pli_count = 0;
  uint32_t fir_count = 0;

 private:
  void AddExtensions(rtp::PacketBuilder& builder, std::optional<uint8_t> audio_level, bool repair);
  Bytes WrapAsRtx(ByteView packet);
  bool AnnounceIdentity() const;

  const Kind kind_;
  const std::string mid_;
  const CodecConfig codec_;
  const Encoding encoding_;
  const ExtensionIds extensions_;
  const PacketFeedback feedback_;
  const uint32_t fec_ssrc_;
  const uint8_t red_payload_type_;  // 0: without RED
  uint16_t sequence_;
  uint16_t rtx_sequence_;
  uint16_t fec_sequence_ = 0;
  uint32_t timestamp_offset_;
  uint32_t last_timestamp_ = 0;
  bool last_marker_ = true;
  rtp::PacketHistory history_;
  TimeDelta rtt_;

  // SR counts and webrtc-stats.
  uint32_t media_packets_ = 0;
  uint32_t media_octets_ = 0;
  OutboundRtpStats counters_;
  double send_delay_ = 0;
  int64_t retransmitted_wire_bytes_ = 0;
  uint32_t reports_received_ = 0;
  std::optional<RemoteInboundRtpStats> remote_;
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_RTP_OUTPUT_H_
