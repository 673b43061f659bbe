// The small chunks: heartbeats, shutdown, cookies, padding; ABORT and ERROR with their causes.
#ifndef RTCLAB_STACK_SCTP_CHUNKS_CONTROL_H_
#define RTCLAB_STACK_SCTP_CHUNKS_CONTROL_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/base/units.h"
#include "stack/sctp/wire.h"

namespace rtclab::sctp {

// The T bit of ABORT and SHUTDOWN COMPLETE: the verification tag is the receiver's own, reflected.
inline constexpr uint8_t kTagReflected = 1;

// HEARTBEAT and HEARTBEAT ACK (RFC 9260 sections 3.3.5 and 3.3.6): one Heartbeat Info parameter that comes
// back as it went.
struct HeartbeatChunk {
  ByteView info;  // the parameter's value
  static Result<HeartbeatChunk> Parse(const ChunkView& chunk);
  void AppendTo(Bytes& packet, ChunkType type) const;
};

// SHUTDOWN (section 3.3.8).
struct ShutdownChunk {
  uint32_t cumulative_tsn = 0;
  static Result<ShutdownChunk> Parse(const ChunkView& chunk);
  void AppendTo(Bytes& packet) const;
};

// An error cause (section 3.3.10).
struct ErrorCause {
  CauseCode code{};
  Bytes value;

  bool operator==(const ErrorCause&) const = default;
  std::string ToString() const;  // in words, for events

  static ErrorCause InvalidStream(uint16_t stream);
  static ErrorCause MissingParameter(ParameterType type);
  static ErrorCause StaleCookie(TimeDelta staleness);
  static ErrorCause OutOfResource();
  static ErrorCause UnresolvableAddress(ByteView parameter);
  static ErrorCause UnrecognizedChunk(ByteView chunk);
  static ErrorCause InvalidMandatoryParameter();
  static ErrorCause UnrecognizedParameters(ByteView parameters);
  static ErrorCause NoUserData(uint32_t tsn);
  static ErrorCause CookieWhileShuttingDown();
  static ErrorCause UserAbort(std::string_view reason);
  static ErrorCause Violation(std::string_view reason);
};

// ABORT (section 3.3.7) and ERROR (section 3.3.10): a list of causes. An unknown cause is kept.
struct ErrorChunk {
  std::vector<ErrorCause> causes;
  static Result<ErrorChunk> Parse(const ChunkView& chunk);
  void AppendTo(Bytes& packet, ChunkType type, uint8_t flags = 0) const;
  std::string ToString() const;
};

// COOKIE ECHO (section 3.3.11).
void AppendCookieEcho(Bytes& packet, ByteView cookie);
// COOKIE ACK, SHUTDOWN ACK, SHUTDOWN COMPLETE: a header and nothing else.
void AppendEmptyChunk(Bytes& packet, ChunkType type, uint8_t flags = 0);
// PAD (RFC 4820 section 3), `size` bytes with its header: at least 4, a multiple of 4.
void AppendPad(Bytes& packet, std::size_t size);

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_CHUNKS_CONTROL_H_
