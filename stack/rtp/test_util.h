// Shared by this room's tests: packets in a line, and what every parser must refuse.
#ifndef RTCLAB_STACK_RTP_TEST_UTIL_H_
#define RTCLAB_STACK_RTP_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "stack/base/bytes.h"
#include "stack/base/rng.h"
#include "stack/rtp/rtp_packet.h"

namespace rtclab::rtp::testing {

// Bytes from hexadecimal text.
inline Bytes Hex(std::string_view text) {
  const auto bytes = FromHex(text);
  EXPECT_TRUE(bytes.has_value()) << text;
  return bytes.value_or(Bytes{});
}

// Parses every prefix that is shorter than `bytes`; none may be accepted. The prefix is a copy of its own
// size, so that a sanitizer sees a read beyond it.
template <typename Parse>
void ExpectEveryPrefixRefused(ByteView bytes, Parse&& parse) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Bytes prefix(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(parse(ByteView(prefix)))
        << "accepted with " << size << " of " << bytes.size() << " bytes";
  }
}

inline Bytes MakeRtp(const RtpHeader& header, ByteView payload) {
  PacketBuilder builder(header);
  builder.AppendPayload(payload);
  return builder.Build();
}

// A packet with everything optional now and then: marker, CSRCs, extension, padding, 1 to `max` bytes.
inline Bytes RandomRtp(Rng& rng, uint32_t ssrc, uint16_t sequence, std::size_t max = 200) {
  PacketBuilder builder({rng.Bernoulli(0.3), static_cast<uint8_t>(96 + rng.Uniform(0, 3)), sequence,
                         rng.NextU32(), ssrc});
  for (uint64_t i = rng.Uniform(0, 2); i > 0; --i) builder.AddCsrc(rng.NextU32());
  if (rng.Bernoulli(0.5)) {
    const Bytes value(rng.Uniform(1, 16), 7);
    EXPECT_TRUE(builder.AddExtension(static_cast<uint8_t>(rng.Uniform(1, 14)), value));
  }
  rng.Fill(builder.AllocatePayload(rng.Uniform(1, max)));
  return builder.Build(static_cast<uint8_t>(rng.Bernoulli(0.2) ? rng.Uniform(1, 9) : 0));
}

}  // namespace rtclab::rtp::testing

#endif  // RTCLAB_STACK_RTP_TEST_UTIL_H_
