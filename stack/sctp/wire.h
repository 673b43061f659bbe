// The numbers of SCTP's registries that this room knows, and reading and writing type-length-value.
#ifndef RTCLAB_STACK_SCTP_WIRE_H_
#define RTCLAB_STACK_SCTP_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "stack/base/bytes.h"

namespace rtclab::sctp {

enum class ChunkType : uint8_t {
  kData = 0,  // RFC 9260 section 3.2
  kInit = 1,
  kInitAck = 2,
  kSack = 3,
  kHeartbeat = 4,
  kHeartbeatAck = 5,
  kAbort = 6,
  kShutdown = 7,
  kShutdownAck = 8,
  kError = 9,
  kCookieEcho = 10,
  kCookieAck = 11,
  kEcne = 12,  // reserved; RFC 9260 appendix A of RFC 4960 had it
  kCwr = 13,
  kShutdownComplete = 14,
  kIData = 64,        // RFC 8260 section 2.1
  kReconfig = 130,    // RFC 6525 section 3.1
  kPad = 132,         // RFC 4820 section 3
  kForwardTsn = 192,  // RFC 3758 section 3.2
  kIForwardTsn = 194  // RFC 8260 section 2.3.1
};

enum class ParameterType : uint16_t {
  kHeartbeatInfo = 1,  // RFC 9260 sections 3.3.2 to 3.3.5
  kIpv4Address = 5,
  kIpv6Address = 6,
  kStateCookie = 7,
  kUnrecognizedParameter = 8,
  kCookiePreservative = 9,
  kHostName = 11,
  kSupportedAddressTypes = 12,
  kOutgoingSsnReset = 13,  // RFC 6525 section 4
  kIncomingSsnReset = 14,
  kSsnTsnReset = 15,
  kReconfigResponse = 16,
  kAddOutgoingStreams = 17,
  kAddIncomingStreams = 18,
  kEcnCapable = 0x8000,
  kZeroChecksumAcceptable = 0x8001,  // RFC 9653 section 4
  kPadding = 0x8005,                 // RFC 4820 section 4
  kSupportedExtensions = 0x8008,     // RFC 5061 section 4.2.7
  kForwardTsnSupported = 0xC000      // RFC 3758 section 3.1
};

// RFC 9260 section 3.3.10.
enum class CauseCode : uint16_t {
  kInvalidStreamId = 1,
  kMissingMandatoryParameter = 2,
  kStaleCookie = 3,
  kOutOfResource = 4,
  kUnresolvableAddress = 5,
  kUnrecognizedChunkType = 6,
  kInvalidMandatoryParameter = 7,
  kUnrecognizedParameters = 8,
  kNoUserData = 9,
  kCookieReceivedWhileShuttingDown = 10,
  kRestartWithNewAddresses = 11,
  kUserInitiatedAbort = 12,
  kProtocolViolation = 13
};

// RFC 9260 sections 3.2 and 3.2.1: the two highest bits of an unknown type say what to do with it.
constexpr bool UnknownChunkContinues(uint8_t type) { return (type & 0x80) != 0; }
constexpr bool UnknownChunkReported(uint8_t type) { return (type & 0x40) != 0; }
constexpr bool UnknownParameterContinues(uint16_t type) { return (type & 0x8000) != 0; }
constexpr bool UnknownParameterReported(uint16_t type) { return (type & 0x4000) != 0; }

constexpr std::size_t Padded(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

// Serial numbers are counted in 64 bits inside, and cut to what the wire has at the edge: the value
// nearest to `reference` whose low bits are `wire` (RFC 1982's comparison).
using Tsn = uint64_t;
constexpr uint64_t Unwrap32(uint64_t reference, uint32_t wire) {
  return reference + static_cast<uint64_t>(static_cast<int64_t>(
                         static_cast<int32_t>(wire - static_cast<uint32_t>(reference))));
}
constexpr uint64_t Unwrap16(uint64_t reference, uint16_t wire) {
  return reference + static_cast<uint64_t>(static_cast<int64_t>(static_cast<int16_t>(
                         static_cast<uint16_t>(wire - static_cast<uint16_t>(reference)))));
}
// Where counting begins, so that the nearest value is never below zero.
constexpr uint64_t kSerialBase = uint64_t{1} << 32;

// A chunk in a packet.
//
//   |   Chunk Type  |  Chunk Flags  |         Chunk Length          |
//   /                          Chunk Value                          /
struct ChunkView {
  uint8_t type = 0;
  uint8_t flags = 0;
  ByteView value;          // without header and padding
  ByteView whole;          // with the header, without padding
  std::size_t offset = 0;  // of the header in the packet
};

// A parameter or an error cause.
//
//   |          Parameter Type       |       Parameter Length        |
//   /                       Parameter Value                         /
struct Tlv {
  uint16_t type = 0;
  ByteView value;
  ByteView whole;
  std::size_t offset = 0;
};

// Walks over the parameters in `data`. The padding of the last one may be missing.
class TlvReader {
 public:
  explicit TlvReader(ByteView data) : data_(data) {}
  // The next one; nullopt at the end, and at one whose length is wrong: then malformed() is true.
  std::optional<Tlv> Next();
  bool malformed() const { return malformed_; }
  std::size_t offset() const { return offset_; }

 private:
  ByteView data_;
  std::size_t offset_ = 0;
  bool malformed_ = false;
};

// Appends one chunk to a packet; Finish() writes its length and padding.
class ChunkWriter {
 public:
  ChunkWriter(Bytes& out, ChunkType type, uint8_t flags = 0);
  void U16(uint16_t v);
  void U32(uint32_t v);
  void Raw(ByteView v) { out_.insert(out_.end(), v.begin(), v.end()); }
  // A whole parameter or cause, padded when another one follows (RFC 9260 section 3.2: the padding of
  // the last one is not in the chunk's length).
  void AppendTlv(uint16_t type, ByteView value);
  void BeginTlv(uint16_t type);
  void EndTlv();
  void Finish();

 private:
  Bytes& out_;
  std::size_t start_;
  std::size_t tlv_ = 0;
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_WIRE_H_
