#include "stack/stun/demux.h"

#include <gtest/gtest.h>

#include "stack/stun/test_vectors.h"

namespace rtclab::stun {
namespace {

// RFC 7983 section 7, figure 3, for every first byte.
TEST(DemuxTest, EveryFirstByteGoesWhereRfc7983Says) {
  for (int first = 0; first < 256; ++first) {
    Bytes packet = *FromHex(vectors::kRequest);
    packet[0] = static_cast<uint8_t>(first);
    packet[1] = 96;
    PacketKind expected = PacketKind::kUnknown;
    if (first <= 3) expected = PacketKind::kStun;
    if (first >= 16 && first <= 19) expected = PacketKind::kZrtp;
    if (first >= 20 && first <= 63) expected = PacketKind::kDtls;
    if (first >= 64 && first <= 79) expected = PacketKind::kChannelData;
    if (first >= 128 && first <= 191) expected = PacketKind::kRtp;
    EXPECT_EQ(Classify(packet), expected) << first;
  }
}

TEST(DemuxTest, RtcpIsToldFromRtpByPacketType) {
  for (int second = 0; second < 256; ++second) {
    const Bytes packet = {0x80, static_cast<uint8_t>(second), 0, 1};
    const bool rtcp = second >= 192 && second <= 223;
    EXPECT_EQ(Classify(packet), rtcp ? PacketKind::kRtcp : PacketKind::kRtp) << second;
  }
}

TEST(DemuxTest, ShortOrForeignPacketsAreUnknown) {
  EXPECT_EQ(Classify({}), PacketKind::kUnknown);
  Bytes stun = *FromHex(vectors::kRequest);
  EXPECT_EQ(Classify(ByteView(stun).first(19)), PacketKind::kUnknown);
  EXPECT_EQ(Classify(ByteView(stun).first(20)), PacketKind::kStun);
  stun[4] ^= 1;  // no magic cookie
  EXPECT_EQ(Classify(stun), PacketKind::kUnknown);
  EXPECT_EQ(Classify(Bytes{0x40, 0x00, 0x00}), PacketKind::kUnknown);
  EXPECT_EQ(Classify(Bytes{0x40, 0x00, 0x00, 0x00}), PacketKind::kChannelData);
  EXPECT_EQ(Classify(Bytes{0x80}), PacketKind::kUnknown);
}

}  // namespace
}  // namespace rtclab::stun
