// ULPFEC (RFC 5109) as WebRTC uses it: one protection level, carried in RED on the media's own SSRC and
// sequence numbers.
#ifndef RTCLAB_STACK_RTP_ULPFEC_H_
#define RTCLAB_STACK_RTP_ULPFEC_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/rtp/fec_parity.h"

namespace rtclab::rtp {

inline constexpr std::size_t kMaxUlpfecSpan = 48;  // mask bits of a long header (section 7.4)

// How many repair packets for so many media packets at `protection` of 256; at least one if it is not 0.
std::size_t FecPacketCount(std::size_t media_packets, uint8_t protection);

// The FEC payloads (to go into RED) for media packets of one SSRC, at most 48 sequence numbers from the
// first to the last, in order. Packet i is protected by payload i modulo `count`, so that a burst of
// `count` losses is recovered whole. `count` is cut to the number of packets; empty when they do not fit.
std::vector<Bytes> EncodeUlpfec(std::span<const ByteView> packets, std::size_t count);

// Reads one FEC payload that came on `ssrc`. Errors: cut short, an empty mask, the reserved E bit, a
// protection length that is longer than the payload.
Result<FecRepair> ParseUlpfec(ByteView payload, uint32_t ssrc);

// Takes the packets of a stream and gives those that FEC brings back.
class UlpfecReceiver {
 public:
  // Payload types of RED and of ULPFEC inside it.
  UlpfecReceiver(uint32_t ssrc, uint8_t red_payload_type, uint8_t ulpfec_payload_type);

  // Any RTP packet of the stream. Of a RED packet with media the media packet is given (RED header taken
  // off: the packet as FEC protects it); of a RED packet with FEC nothing; of another packet itself.
  // Errors: malformed.
  Result<std::optional<Bytes>> HandlePacket(ByteView packet);
  std::optional<Bytes> PollRecovered() { return recovery_.PollRecovered(); }
  uint64_t recovered() const { return recovery_.recovered(); }

 private:
  uint32_t ssrc_;
  uint8_t red_;
  uint8_t ulpfec_;
  FecRecovery recovery_;
};

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_ULPFEC_H_
