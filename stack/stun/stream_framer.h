// Finds STUN messages and TURN ChannelData in a byte stream: TCP, or TLS over it (RFC 8489 section 6.2.2, RFC 8656 sections 2.5 and 12.5).
#ifndef RTCLAB_STACK_STUN_STREAM_FRAMER_H_
#define RTCLAB_STACK_STUN_STREAM_FRAMER_H_

#include <optional>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/stun/demux.h"

namespace rtclab::stun {

// One complete message of the stream.
struct Frame {
  PacketKind kind = PacketKind::kStun;  // kStun or kChannelData
  ByteView
      bytes;  // the whole message; ChannelData with its header and without the stream's padding
};

// Bytes in as they come, messages out. A stream that holds anything else can't be followed further: from then on Next() repeats the
// error, whose offset counts from the start of the stream, and the connection should be closed.
class StreamFramer {
 public:
  void Push(ByteView bytes);
  // The next complete message, nullopt when more bytes are needed. The frame is valid until the next Push().
  Result<std::optional<Frame>> Next();
  // What was pushed and not yet given out: where a stream stops holding messages, as a TURN data connection does (RFC 6062 section 5.4),
  // the bytes behind the last one.
  ByteView rest() const { return ByteView(buffer_).subspan(offset_); }
  // Bytes held that are not yet part of a complete message; at most one message.
  std::size_t pending() const { return buffer_.size() - offset_; }

 private:
  Bytes buffer_;
  std::size_t offset_ = 0;         // where in buffer_ the next message begins
  std::size_t stream_offset_ = 0;  // where in the stream buffer_ begins
  std::optional<Error> error_;
};

// `channel_data` (header and payload) padded to 4 bytes, as RFC 8656 section 12.5 has it over a stream.
Bytes PadForStream(ByteView channel_data);

}  // namespace rtclab::stun

#endif  // RTCLAB_STACK_STUN_STREAM_FRAMER_H_
