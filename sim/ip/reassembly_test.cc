#include "sim/ip/reassembly.h"

#include <gtest/gtest.h>

#include "sim/ip/packet_bytes.h"

namespace rtclab::sim {
namespace {

// An IPv4 fragment as raw bytes: identification `id`, payload of `size` bytes at `offset`.
Bytes Part(uint16_t id, uint32_t offset, std::size_t size, bool more) {
  Bytes packet = *FromHex("45000000 00000000 40110000 c0000201 c6336402");
  packet.resize(20 + size, 0xaa);
  StoreU16(packet.data() + 2, static_cast<uint16_t>(packet.size()));
  StoreU16(packet.data() + 4, id);
  StoreU16(packet.data() + 6, static_cast<uint16_t>(offset / 8 | (more ? 0x2000 : 0)));
  return packet;
}

class ReassemblerTest : public testing::Test {
 protected:
  bool Add(Timestamp now, const Bytes& packet) {
    return reassembler_.Add(now, packet, *IpView::Parse(packet, packet.size())).has_value();
  }
  Reassembler reassembler_;
};

TEST_F(ReassemblerTest, KeepsDatagramsApart) {
  EXPECT_FALSE(Add(Timestamp::Zero(), Part(1, 0, 16, true)));
  EXPECT_FALSE(Add(Timestamp::Zero(), Part(2, 16, 8, false)));
  EXPECT_TRUE(Add(Timestamp::Zero(), Part(1, 16, 8, false)));
  EXPECT_TRUE(Add(Timestamp::Zero(), Part(2, 0, 16, true)));
}

TEST_F(ReassemblerTest, OverlapEndsTheDatagram) {
  EXPECT_FALSE(Add(Timestamp::Zero(), Part(1, 0, 16, true)));
  EXPECT_FALSE(Add(Timestamp::Zero(), Part(1, 8, 16, true)));
  EXPECT_FALSE(Add(Timestamp::Zero(), Part(1, 16, 8, false)));
}

TEST_F(ReassemblerTest, ForgetsAfterItsTime) {
  EXPECT_FALSE(Add(Timestamp::Zero(), Part(1, 0, 16, true)));
  EXPECT_FALSE(Add(Timestamp::Zero() + Reassembler::kTimeout, Part(1, 16, 8, false)));
  EXPECT_FALSE(Add(Timestamp::Zero(), Part(2, 0, 16, true)));
  EXPECT_TRUE(
      Add(Timestamp::Zero() + Reassembler::kTimeout - TimeDelta::Nanos(1), Part(2, 16, 8, false)));
}

TEST_F(ReassemblerTest, RefusesOddSizesAndTooMuch) {
  EXPECT_FALSE(Add(Timestamp::Zero(), Part(1, 0, 15, true)));
  EXPECT_FALSE(Add(Timestamp::Zero(), Part(1, 16, 8, false)));
  EXPECT_FALSE(Add(Timestamp::Zero(), Part(2, 65528, 64, false)));
}

TEST_F(ReassemblerTest, ALotOfUnfinishedDatagramsPushOutTheOldest) {
  for (std::size_t i = 0; i <= Reassembler::kMaxDatagrams; ++i) {
    Add(Timestamp::Millis(static_cast<int64_t>(i)), Part(static_cast<uint16_t>(i), 0, 16, true));
  }
  EXPECT_FALSE(Add(Timestamp::Seconds(5), Part(0, 16, 8, false)));
  EXPECT_TRUE(Add(Timestamp::Seconds(5),
                  Part(static_cast<uint16_t>(Reassembler::kMaxDatagrams), 16, 8, false)));
}

}  // namespace
}  // namespace rtclab::sim
