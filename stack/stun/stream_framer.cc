#include "stack/stun/stream_framer.h"

#include "stack/stun/message.h"

namespace rtclab::stun {

void StreamFramer::Push(ByteView bytes) {
  if (error_) return;
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(offset_));
  stream_offset_ += offset_;
  offset_ = 0;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

Result<std::optional<Frame>> StreamFramer::Next() {
  if (error_) return tl::unexpected(*error_);
  const ByteView rest = ByteView(buffer_).subspan(offset_);
  const auto fail = [&](const char* reason, std::size_t at) {
    error_ = Error{reason, stream_offset_ + offset_ + at};
    return tl::unexpected(*error_);
  };
  // What can be judged is judged at once, so that a stream of something else ends early and holds little memory.
  if (rest.empty()) return std::nullopt;
  const bool channel = rest[0] >= 0x40 && rest[0] <= 0x4f;  // RFC 8656 section 12: 0x4000 to 0x4fff
  if (!channel && rest[0] > 0x3f) return fail("expected a STUN message or ChannelData", 0);
  if (rest.size() < 4) return std::nullopt;
  const std::size_t length = LoadU16(rest.data() + 2);
  if (channel) {
    const std::size_t padded = 4 + ((length + 3) & ~std::size_t{3});
    if (rest.size() < padded) return std::nullopt;
    offset_ += padded;
    return Frame{PacketKind::kChannelData, rest.first(4 + length)};
  }
  if (length % 4 != 0) return fail("the message length is no multiple of 4", 2);
  if (rest.size() < 8) return std::nullopt;
  if (LoadU32(rest.data() + 4) != kMagicCookie) return fail("expected the magic cookie", 4);
  if (rest.size() < kHeaderSize + length) return std::nullopt;
  offset_ += kHeaderSize + length;
  return Frame{PacketKind::kStun, rest.first(kHeaderSize + length)};
}

Bytes PadForStream(ByteView channel_data) {
  Bytes out(channel_data.begin(), channel_data.end());
  out.resize((out.size() + 3) & ~std::size_t{3});
  return out;
}

}  // namespace rtclab::stun
