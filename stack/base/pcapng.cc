#include "stack/base/pcapng.h"

#include <algorithm>

namespace rtclab::pcapng {
namespace {

// Block types, options and values: draft-ietf-opsawg-pcapng sections 3.5, 4.1, 4.2, 4.3, 4.7.
constexpr uint32_t kSectionHeader = 0x0a0d0d0a, kInterfaceDescription = 1, kEnhancedPacket = 6,
                   kDecryptionSecrets = 10;
constexpr uint32_t kTlsKeyLog = 0x544c534b;
constexpr uint16_t kEnd = 0, kComment = 1, kUserApplication = 4, kName = 2, kTimeResolution = 9,
                   kEpbFlags = 2;
constexpr uint16_t kLinkTypeRaw = 101;
constexpr uint32_t kInbound = 1, kOutbound = 2;

// One block. A section says by its magic number which byte order it has; ours is little-endian everywhere.
class Block {
 public:
  Block(uint32_t type, std::size_t reserve) {
    out_.reserve(reserve + 12);
    U32(type).U32(0);  // the length comes at the end
  }
  Block& U8(uint8_t v) {
    out_.push_back(v);
    return *this;
  }
  Block& U16(uint16_t v) { return U8(static_cast<uint8_t>(v)).U8(static_cast<uint8_t>(v >> 8)); }
  Block& U32(uint32_t v) {
    return U16(static_cast<uint16_t>(v)).U16(static_cast<uint16_t>(v >> 16));
  }
  Block& Padded(ByteView bytes) {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
    while (out_.size() % 4 != 0) out_.push_back(0);
    return *this;
  }
  Block& Option(uint16_t code, ByteView value) {
    const std::size_t size = std::min<std::size_t>(value.size(), 65535);
    return U16(code).U16(static_cast<uint16_t>(size)).Padded(value.first(size));
  }
  Block& EndOfOptions() { return U16(kEnd).U16(0); }
  Bytes Take() {
    const auto total = static_cast<uint32_t>(out_.size() + 4);
    for (std::size_t i = 0; i < 4; ++i) out_[4 + i] = static_cast<uint8_t>(total >> (8 * i));
    U32(total);
    return std::move(out_);
  }

 private:
  Bytes out_;
};

}  // namespace

Bytes SectionHeader(std::string_view application, std::string_view comment) {
  Block block(kSectionHeader, application.size() + comment.size() + 32);
  // Byte-order magic, version 1.0, section length not given.
  block.U32(0x1a2b3c4d).U16(1).U16(0).U32(0xffffffff).U32(0xffffffff);
  block.Option(kUserApplication, AsBytes(application));
  if (!comment.empty()) block.Option(kComment, AsBytes(comment));
  return block.EndOfOptions().Take();
}

Bytes InterfaceDescription(std::string_view name) {
  const uint8_t nanoseconds[] = {9};
  Block block(kInterfaceDescription, name.size() + 32);
  block.U16(kLinkTypeRaw).U16(0).U32(0);  // no snap length
  block.Option(kName, AsBytes(name)).Option(kTimeResolution, nanoseconds);
  return block.EndOfOptions().Take();
}

Bytes EnhancedPacket(uint32_t interface, uint64_t time_ns, Direction direction, ByteView packet,
                     std::string_view comment) {
  const auto size = static_cast<uint32_t>(packet.size());
  Block block(kEnhancedPacket, packet.size() + comment.size() + 48);
  block.U32(interface).U32(static_cast<uint32_t>(time_ns >> 32));
  block.U32(static_cast<uint32_t>(time_ns)).U32(size).U32(size).Padded(packet);
  if (direction != Direction::kNone) {
    block.U16(kEpbFlags).U16(4).U32(direction == Direction::kOutbound ? kOutbound : kInbound);
  }
  if (!comment.empty()) block.Option(kComment, AsBytes(comment));
  if (direction != Direction::kNone || !comment.empty()) block.EndOfOptions();
  return block.Take();
}

Bytes TlsSecrets(std::string_view key_log) {
  Block block(kDecryptionSecrets, key_log.size() + 16);
  block.U32(kTlsKeyLog).U32(static_cast<uint32_t>(key_log.size())).Padded(AsBytes(key_log));
  return block.Take();
}

}  // namespace rtclab::pcapng
