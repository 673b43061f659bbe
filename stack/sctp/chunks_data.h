// The chunks that carry user data and acknowledge it: DATA, I-DATA, SACK, FORWARD-TSN, I-FORWARD-TSN.
#ifndef RTCLAB_STACK_SCTP_CHUNKS_DATA_H_
#define RTCLAB_STACK_SCTP_CHUNKS_DATA_H_

#include <cstdint>
#include <span>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/sctp/wire.h"

namespace rtclab::sctp {

// DATA (RFC 9260 section 3.3.1) and I-DATA (RFC 8260 section 2.1) in one form.
//
//   |  Type = 0     |  Res  |I|U|B|E|            Length             |
//   |                              TSN                              |
//   |      Stream Identifier S      |   Stream Sequence Number n    |
//   |                  Payload Protocol Identifier                  |
//   /                           User Data                           /
//
//   |   Type = 64   |  Res  |I|U|B|E|       Length = Variable       |
//   |                              TSN                              |
//   |        Stream Identifier      |           Reserved            |
//   |                      Message Identifier                       |
//   |    Payload Protocol Identifier / Fragment Sequence Number     |
//   /                           User Data                           /
struct DataChunk {
  static constexpr uint8_t kEnd = 1, kBegin = 2, kUnordered = 4, kImmediate = 8;
  static constexpr std::size_t kDataHeader = 16;
  static constexpr std::size_t kIDataHeader = 20;

  uint8_t flags = 0;
  uint32_t tsn = 0;
  uint16_t stream = 0;
  uint32_t sequence = 0;  // DATA: SSN; I-DATA: MID
  uint32_t ppid = 0;      // I-DATA: of the first fragment, else 0
  uint32_t fsn = 0;       // I-DATA only; 0 in the first fragment
  ByteView payload;       // parsed: may be empty, which the caller answers (section 6.2)

  bool begin() const { return (flags & kBegin) != 0; }
  bool end() const { return (flags & kEnd) != 0; }
  bool unordered() const { return (flags & kUnordered) != 0; }
  bool immediate() const { return (flags & kImmediate) != 0; }

  // The kind is the chunk's type.
  static Result<DataChunk> Parse(const ChunkView& chunk);
  // The header and the payload; kind as in `interleaved`.
  void AppendTo(Bytes& packet, bool interleaved) const;
};

// SACK (RFC 9260 section 3.3.4).
//
//   |                      Cumulative TSN Ack                       |
//   |          Advertised Receiver Window Credit (a_rwnd)           |
//   | Number of Gap Ack Blocks = M  |  Number of Duplicate TSNs = N |
//   |   Gap Ack Block #1 Start      |    Gap Ack Block #1 End       |
//   |                       Duplicate TSN 1                         |
struct SackChunk {
  struct GapBlock {
    uint16_t start = 0;  // offsets from the cumulative TSN
    uint16_t end = 0;
    bool operator==(const GapBlock&) const = default;
  };
  static constexpr std::size_t kHeader = 16;

  uint32_t cumulative_tsn = 0;
  uint32_t a_rwnd = 0;
  std::vector<GapBlock> gaps;
  std::vector<uint32_t> duplicates;

  // Fails when cut off, and when the blocks are not ascending and apart.
  static Result<SackChunk> Parse(const ChunkView& chunk);
  void AppendTo(Bytes& packet) const;
};

// FORWARD-TSN (RFC 3758 section 3.2) and I-FORWARD-TSN (RFC 8260 section 2.3.1) in one form.
//
//   |                      New Cumulative TSN                       |
//   |         Stream-1              |       Stream Sequence-1       |
//
//   |                      New Cumulative TSN                       |
//   |       Stream Identifier       |          Reserved           |U|
//   |                       Message Identifier                      |
struct ForwardTsnChunk {
  struct Skipped {
    uint16_t stream = 0;
    bool unordered = false;  // I-FORWARD-TSN only
    uint32_t sequence = 0;   // SSN or MID: the highest one skipped
    bool operator==(const Skipped&) const = default;
  };
  uint32_t new_cumulative_tsn = 0;
  std::vector<Skipped> skipped;

  static Result<ForwardTsnChunk> Parse(const ChunkView& chunk);
  void AppendTo(Bytes& packet, bool interleaved) const;
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_CHUNKS_DATA_H_
