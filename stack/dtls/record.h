// The record header of DTLS (RFC 6347 section 4.1), as much of it as tells records from garbage.
#ifndef RTCLAB_STACK_DTLS_RECORD_H_
#define RTCLAB_STACK_DTLS_RECORD_H_

#include <cstdint>
#include <optional>

#include "stack/base/bytes.h"

namespace rtclab::dtls {

enum class ContentType : uint8_t {
  kChangeCipherSpec = 20,
  kAlert = 21,
  kHandshake = 22,
  kApplicationData = 23,
};

struct RecordHeader {
  static constexpr std::size_t kSize = 13;

  ContentType type = ContentType::kHandshake;
  uint16_t version = 0;   // 0xfeff (DTLS 1.0) or 0xfefd (DTLS 1.2)
  uint16_t epoch = 0;     // 0 until the first ChangeCipherSpec
  uint64_t sequence = 0;  // 48 bits
  uint16_t length = 0;    // of what follows
};

// The record at the reader's place with its body, and the reader behind it. nullopt, with the reader unmoved, when the bytes are
// not a whole record of DTLS 1.0 or 1.2.
std::optional<std::pair<RecordHeader, ByteView>> ReadRecord(ByteReader& reader);

// What a datagram is made of.
struct DatagramSummary {
  std::size_t records = 0;
  std::size_t application_records = 0;
};
// nullopt when the datagram does not begin with a whole record. What follows the last whole record is not counted: RFC 6347
// section 4.1.2.7 lets invalid records be dropped in silence.
std::optional<DatagramSummary> Summarize(ByteView datagram);

}  // namespace rtclab::dtls

#endif  // RTCLAB_STACK_DTLS_RECORD_H_
