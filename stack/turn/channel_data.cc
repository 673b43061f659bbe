#include "stack/turn/channel_data.h"

#include "stack/base/check.h"

namespace rtclab::turn {

//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |         Channel Number        |            Length             |
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// /                       Application Data                        /
Result<ChannelData> ParseChannelData(ByteView message, uint16_t max_number) {
  if (message.size() < kChannelDataHeaderSize) {
    return Fail("ChannelData header cut short", message.size());
  }
  const uint16_t number = LoadU16(message.data());
  if (!IsBindable(number, max_number)) return Fail("channel number out of range", 0);
  const std::size_t length = LoadU16(message.data() + 2);
  if (message.size() - kChannelDataHeaderSize < length) {
    return Fail("ChannelData shorter than its length field", message.size());
  }
  return ChannelData{ChannelNumber{number}, message.subspan(kChannelDataHeaderSize, length)};
}

Bytes BuildChannelData(ChannelNumber channel, ByteView payload, bool pad) {
  CHECK(payload.size() <= 0xFFFF);
  const std::size_t size = kChannelDataHeaderSize + payload.size();
  const std::size_t padded = pad ? (size + 3) & ~std::size_t{3} : size;
  Bytes out;
  out.reserve(padded);
  out.resize(kChannelDataHeaderSize);
  StoreU16(out.data(), static_cast<uint16_t>(channel));
  StoreU16(out.data() + 2, static_cast<uint16_t>(payload.size()));
  out.insert(out.end(), payload.begin(), payload.end());
  out.resize(padded);
  return out;
}

}  // namespace rtclab::turn
