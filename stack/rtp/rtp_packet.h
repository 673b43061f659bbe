// RTP packets (RFC 3550 section 5.1): a view that reads one without copying, a builder that writes
// one, and setters that change a written one in place.
#ifndef RTCLAB_STACK_RTP_RTP_PACKET_H_
#define RTCLAB_STACK_RTP_RTP_PACKET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/rtp/extension_elements.h"

namespace rtclab::rtp {

inline constexpr std::size_t kFixedHeaderSize = 12;
inline constexpr std::size_t kMaxCsrcs = 15;

// What a datagram of a multiplexed transport is (RFC 5761 section 4): RTCP has 192 to 223 where RTP
// has the marker and the payload type. Both are false for what is too short (12 and 8 bytes) or has
// another version.
bool LooksLikeRtp(ByteView datagram);
bool LooksLikeRtcp(ByteView datagram);

// The fields that a sender chooses for each packet.
struct RtpHeader {
  bool marker = false;
  uint8_t payload_type = 0;  // 0 to 127
  uint16_t sequence_number = 0;
  uint32_t timestamp = 0;
  uint32_t ssrc = 0;

  bool operator==(const RtpHeader&) const = default;
};

// A parsed packet. It refers to the bytes it was parsed from and is valid as long as they are.
class PacketView {
 public:
  // Errors: shorter than its header says, version other than 2, padding count 0 or longer than what
  // follows the header. Extension elements are not looked at: they are skipped when malformed (RFC
  // 8285 section 4.1.1 lets a receiver ignore them), see ForEachExtension().
  static Result<PacketView> Parse(ByteView bytes);

  bool marker() const { return (bytes_[1] & 0x80) != 0; }
  uint8_t payload_type() const { return bytes_[1] & 0x7f; }
  uint16_t sequence_number() const { return LoadU16(bytes_.data() + 2); }
  uint32_t timestamp() const { return LoadU32(bytes_.data() + 4); }
  uint32_t ssrc() const { return LoadU32(bytes_.data() + 8); }
  RtpHeader header() const;
  std::size_t csrc_count() const { return bytes_[0] & 0x0f; }
  // `index` < csrc_count().
  uint32_t csrc(std::size_t index) const { return LoadU32(bytes_.data() + 12 + 4 * index); }

  bool has_extension() const { return (bytes_[0] & 0x10) != 0; }
  // "Defined by profile": 0xBEDE, 0x1000 to 0x100F, or something RFC 8285 does not know. 0 without
  // an extension.
  uint16_t extension_profile() const { return extension_profile_; }
  // The extension's words, without its four bytes of header.
  ByteView extension_data() const {
    return bytes_.subspan(extension_offset_, header_size_ - extension_offset_);
  }
  // The value of the first element with this identifier (RFC 8285).
  std::optional<ByteView> FindExtension(uint8_t id) const {
    return FindElement(extension_profile_, extension_data(), id);
  }
  // `visit(uint8_t id, ByteView value)` for each well-formed element in order.
  template <typename Visit>
  void ForEachExtension(Visit&& visit) const {
    ForEachElement(extension_profile_, extension_data(), visit);
  }

  // Header with CSRCs and extension, in bytes.
  std::size_t header_size() const { return header_size_; }
  // Padding including its count byte; 0 without.
  std::size_t padding_size() const { return padding_size_; }
  ByteView payload() const {
    return bytes_.subspan(header_size_, bytes_.size() - header_size_ - padding_size_);
  }
  ByteView bytes() const { return bytes_; }

 private:
  explicit PacketView(ByteView bytes) : bytes_(bytes) {}

  ByteView bytes_;
  uint16_t extension_profile_ = 0;
  uint8_t padding_size_ = 0;
  std::size_t extension_offset_ = 0;
  std::size_t header_size_ = 0;
};

// Writes one packet into one buffer, in this order: CSRCs, extensions, payload. Extension elements
// begin in the one-byte form; the first that does not fit it (identifier above 14, value empty or
// longer than 16 bytes) turns all of them into the two-byte form (RFC 8285 section 4.1.2: one form a
// packet), unless `one_byte_only`, which is for peers that have not agreed to extmap-allow-mixed.
class PacketBuilder {
 public:
  // `capacity` is reserved at once, so that a packet up to that many bytes costs one allocation.
  explicit PacketBuilder(const RtpHeader& header, std::size_t capacity = 1200);
  // Writes into `buffer` (whose content is dropped, whose capacity is used): no allocation at all.
  PacketBuilder(const RtpHeader& header, Bytes buffer);

  // Before any extension; at most 15.
  void AddCsrc(uint32_t csrc);
  void SetOneByteOnly() { one_byte_only_ = true; }
  // False, and nothing written, when the element fits neither form: identifier 0 or (one-byte form)
  // 15, value longer than 255 bytes, or more than `one_byte_only` allows.
  bool AddExtension(uint8_t id, ByteView value);
  // Reserves `size` zero bytes to be set later with MutableExtension(). As AddExtension().
  bool ReserveExtension(uint8_t id, std::size_t size);
  // Appends to the payload.
  void AppendPayload(ByteView bytes);
  // Appends `count` bytes to the payload and gives them to be written.
  std::span<uint8_t> AllocatePayload(std::size_t count);
  // Ends the packet: with `padding` > 0, so many bytes of padding (RFC 3550 section 5.1), the last
  // of which is the count.
  Bytes Build(uint8_t padding = 0);

 private:
  std::span<uint8_t> AllocateElement(uint8_t id, std::size_t size);
  void OpenExtension();
  void CloseExtension();
  void ConvertToTwoByte();

  Bytes out_;
  std::size_t extension_header_ = 0;  // offset of "defined by profile"; 0: none
  bool extension_open_ = false;
  bool payload_begun_ = false;
  bool two_byte_ = false;
  bool one_byte_only_ = false;
};

// Changes to a packet that was parsed or built: `packet` holds at least the fixed header.
inline void SetMarker(std::span<uint8_t> packet, bool marker) {
  packet[1] = static_cast<uint8_t>((packet[1] & 0x7f) | (marker ? 0x80 : 0));
}
inline void SetPayloadType(std::span<uint8_t> packet, uint8_t payload_type) {
  packet[1] = static_cast<uint8_t>((packet[1] & 0x80) | (payload_type & 0x7f));
}
inline void SetSequenceNumber(std::span<uint8_t> packet, uint16_t sequence_number) {
  StoreU16(packet.data() + 2, sequence_number);
}
inline void SetTimestamp(std::span<uint8_t> packet, uint32_t timestamp) {
  StoreU32(packet.data() + 4, timestamp);
}
inline void SetSsrc(std::span<uint8_t> packet, uint32_t ssrc) { StoreU32(packet.data() + 8, ssrc); }

// The bytes of an extension element's value inside `packet`, to be rewritten at their length; empty
// when the packet is malformed or has no such element. abs-send-time and the transport-wide sequence
// number are set so when the pacer lets a packet go.
std::span<uint8_t> MutableExtension(std::span<uint8_t> packet, uint8_t id);

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_RTP_PACKET_H_
