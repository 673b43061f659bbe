// How much FEC a stream of video sends, and the making of it: RED with ULPFEC on the stream itself
// (RFC 2198, RFC 5109), or FlexFEC on a stream of its own (RFC 8627).
#ifndef RTCLAB_STACK_MEDIA_FEC_SENDER_H_
#define RTCLAB_STACK_MEDIA_FEC_SENDER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/media/config.h"
#include "stack/media/rtp_output.h"
#include "stack/media/send_transport.h"
#include "stack/rtp/flexfec.h"

namespace rtclab::media {

// FEC packets a media packet for a loss fraction in [0, 1]. None below half a percent; else twice
// the loss, at least a tenth and at most a half: one repair packet in ten is the least that does
// any good, and beyond half sending less media does more. None either where NACK is on and a round
// trip takes less than 20 ms (as deployed): the retransmission is there before it is missed. The
// rest is a decision.
double FecProtection(double loss, bool nack, TimeDelta rtt);

class FecSender {
 public:
  // Room that FEC needs in a packet beyond the media packet that it protects: its header, and
  // RED's.
  static constexpr std::size_t kRoom = 32;

  FecSender(const FecConfig& config, const CodecConfig& codec);
  void SetLoss(double loss) { loss_ = loss; }
  void SetRtt(TimeDelta rtt) { rtt_ = rtt; }

  // The media packet as it goes on the wire: with ULPFEC inside RED. Keeps a copy to protect.
  Bytes AddMedia(Bytes packet);
  // The frame is whole: sends the FEC packets for what was added.
  void EndFrame(Timestamp now, uint32_t timestamp, RtpOutput& output, SendTransport& transport);
  // FEC bytes for one byte of media, measured over the last frames.
  double overhead() const { return overhead_; }

 private:
  double Protection() const;
  void SendUlpfec(Timestamp now, uint32_t timestamp, std::span<const ByteView> packets,
                  std::size_t count, RtpOutput& output, SendTransport& transport);
  void SendFlexfec(Timestamp now, uint32_t timestamp, std::span<const ByteView> packets,
                   std::size_t count, RtpOutput& output, SendTransport& transport);

  const FecConfig config_;
  const uint8_t media_payload_type_;
  const bool nack_;
  double loss_ = 0;
  TimeDelta rtt_;
  std::vector<Bytes> packets_;
  std::size_t used_ = 0;  // of packets_, whose buffers are used again
  rtp::FlexfecEncoder flexfec_;
  double overhead_ = 0;
  int64_t fec_bytes_ = 0;  // of the present frame
};

// A packet inside RED with one block (RFC 2198 section 3): the header's payload type becomes RED's,
// a byte with the packet's own goes before the payload.
Bytes WrapRed(Bytes packet, uint8_t red_payload_type);
// The reverse; nullopt if it is no such packet of `media_payload_type`.
std::optional<Bytes> UnwrapRed(ByteView packet, uint8_t red_payload_type,
                               uint8_t media_payload_type);

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_FEC_SENDER_H_
