// Between the files that read and write RTCP: one packet's header and body, and the writers' frame.
#ifndef RTCLAB_STACK_RTP_RTCP_INTERNAL_H_
#define RTCLAB_STACK_RTP_RTCP_INTERNAL_H_

#include <cstddef>
#include <cstdint>

#include "stack/base/bytes.h"
#include "stack/base/check.h"
#include "stack/rtp/rtcp.h"

namespace rtclab::rtp::internal {

inline constexpr std::size_t kRtcpHeaderSize = 4;
inline constexpr std::size_t kMaxRtcpCount = 31;  // five bits

// One packet of a datagram, without header and padding.
struct RawRtcp {
  uint8_t count = 0;  // the five bits after the padding bit
  uint8_t type = 0;
  ByteView body;  // a multiple of 4 bytes
};

// Writes the header of a packet and, when it goes, its length. The body is appended in between and
// filled up with zero bytes to whole words.
class RtcpFrame {
 public:
  RtcpFrame(Bytes& out, RtcpType type, std::size_t count)
      : RtcpFrame(out, static_cast<uint8_t>(type), count) {}
  RtcpFrame(Bytes& out, uint8_t type, std::size_t count) : out_(out), begin_(out.size()) {
    CHECK(count <= kMaxRtcpCount);
    out_.push_back(static_cast<uint8_t>(0x80 | count));
    out_.push_back(type);
    out_.resize(out_.size() + 2);
  }
  RtcpFrame(const RtcpFrame&) = delete;
  RtcpFrame& operator=(const RtcpFrame&) = delete;
  ~RtcpFrame() {
    while ((out_.size() - begin_) % 4 != 0) out_.push_back(0);
    const std::size_t words = (out_.size() - begin_) / 4 - 1;
    CHECK(words <= 0xFFFF);
    StoreU16(out_.data() + begin_ + 2, static_cast<uint16_t>(words));
  }

  void U8(uint8_t v) { out_.push_back(v); }
  void U16(uint16_t v) {
    out_.resize(out_.size() + 2);
    StoreU16(out_.data() + out_.size() - 2, v);
  }
  void U32(uint32_t v) {
    out_.resize(out_.size() + 4);
    StoreU32(out_.data() + out_.size() - 4, v);
  }
  void Raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  Bytes& out() { return out_; }

 private:
  Bytes& out_;
  std::size_t begin_;
};

// Types 200 to 204 and 207.
Result<RtcpMessage> ParseSenderReport(const RawRtcp& raw);
Result<RtcpMessage> ParseReceiverReport(const RawRtcp& raw);
Result<RtcpMessage> ParseSourceDescription(const RawRtcp& raw);
Result<RtcpMessage> ParseGoodbye(const RawRtcp& raw);
Result<RtcpMessage> ParseApp(const RawRtcp& raw);
Result<RtcpMessage> ParseExtendedReport(const RawRtcp& raw);
// Types 205 and 206.
Result<RtcpMessage> ParseFeedback(const RawRtcp& raw);

void Append(const SenderReport& message, Bytes& out);
void Append(const ReceiverReport& message, Bytes& out);
void Append(const SourceDescription& message, Bytes& out);
void Append(const Goodbye& message, Bytes& out);
void Append(const AppPacket& message, Bytes& out);
void Append(const ExtendedReport& message, Bytes& out);
void Append(const Nack& message, Bytes& out);
void Append(const Tmmbr& message, Bytes& out);
void Append(const Tmmbn& message, Bytes& out);
void Append(const TransportFeedback& message, Bytes& out);
void Append(const CongestionFeedback& message, Bytes& out);
void Append(const PictureLoss& message, Bytes& out);
void Append(const SliceLoss& message, Bytes& out);
void Append(const ReferencePictureSelection& message, Bytes& out);
void Append(const FullIntraRequest& message, Bytes& out);
void Append(const Remb& message, Bytes& out);
void Append(const UnknownFeedback& message, Bytes& out);

}  // namespace rtclab::rtp::internal

#endif  // RTCLAB_STACK_RTP_RTCP_INTERNAL_H_
