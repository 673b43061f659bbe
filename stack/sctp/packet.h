// The SCTP packet (RFC 9260 section 3): common header, checksum, chunks one after the other.
#ifndef RTCLAB_STACK_SCTP_PACKET_H_
#define RTCLAB_STACK_SCTP_PACKET_H_

#include <cstdint>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/sctp/wire.h"

namespace rtclab::sctp {

//   |     Source Port Number        |     Destination Port Number   |
//   |                      Verification Tag                         |
//   |                           Checksum                            |
struct CommonHeader {
  static constexpr std::size_t kSize = 12;
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  uint32_t verification_tag = 0;
};

// A received packet. Owns nothing.
class PacketView {
 public:
  // Fails when shorter than a common header and a chunk header. Chunks are checked as they are read.
  static Result<PacketView> Parse(ByteView packet);

  const CommonHeader& header() const { return header_; }
  ByteView bytes() const { return bytes_; }
  // The CRC32c, which goes over the whole packet with a zero in its place (section 6.8).
  bool ChecksumCorrect() const;
  bool ChecksumZero() const;

  // The chunk at `offset`, which moves on; nullopt at the end. A length below 4 or beyond the packet is
  // an error; then the rest is lost. The padding of the last chunk may be missing.
  Result<std::optional<ChunkView>> NextChunk(std::size_t& offset) const;
  static constexpr std::size_t kFirstChunk = CommonHeader::kSize;

 private:
  PacketView(CommonHeader header, ByteView bytes) : header_(header), bytes_(bytes) {}
  CommonHeader header_;
  ByteView bytes_;
};

// Begins a packet: the header with no checksum.
Bytes BeginPacket(const CommonHeader& header, std::size_t reserve);
// Writes the CRC32c of a packet that is complete; without it the checksum is zero (RFC 9653).
void WriteChecksum(Bytes& packet);

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_PACKET_H_
