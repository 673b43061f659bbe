#include "sim/trace/ip_view.h"

#include <gtest/gtest.h>

namespace rtclab::sim {
namespace {

Bytes Hex(std::string_view text) { return *FromHex(text); }

// 192.0.2.1:4660 to 198.51.100.2:80, UDP, payload "ab"; checksums worked out by hand.
const char kUdp4[] =
    "4500001e 00010000 40110000 c0000201 c6336402"
    "1234 0050 000a 0000 6162";
const char kUdp6[] =
    "60000000 000a1140 20010db8000000000000000000000001 20010db8000000000000000000000002"
    "1234 0050 000a 1111 6162";

TEST(IpViewTest, ReadsIpv4Udp) {
  const Bytes packet = Hex(kUdp4);
  const auto view = IpView::Parse(packet, packet.size());
  ASSERT_TRUE(view);
  EXPECT_EQ(view->version, 4);
  EXPECT_EQ(view->ttl, 64);
  EXPECT_TRUE(view->is_udp());
  EXPECT_EQ(view->l4_offset, 20);
  EXPECT_EQ(view->tuple.source.ToString(), "192.0.2.1:4660");
  EXPECT_EQ(view->tuple.destination.ToString(), "198.51.100.2:80");
  EXPECT_FALSE(view->header_checksum_ok);
  EXPECT_EQ(AsString(UdpPayload(packet)), "ab");
}

TEST(IpViewTest, ReadsIpv6UdpAndFragmentHeader) {
  const Bytes packet = Hex(kUdp6);
  const auto view = IpView::Parse(packet, packet.size());
  ASSERT_TRUE(view);
  EXPECT_EQ(view->tuple.source.ToString(), "[2001:db8::1]:4660");
  EXPECT_EQ(view->ttl, 64);
  const Bytes fragment =
      Hex("60000000 00102c40 20010db8000000000000000000000001 20010db8000000000000000000000002"
          "11000009 01020304 0102030405060708");
  const auto part = IpView::Parse(fragment, fragment.size());
  ASSERT_TRUE(part);
  EXPECT_TRUE(part->is_fragment());
  EXPECT_EQ(part->fragment_offset, 8u);
  EXPECT_TRUE(part->more_fragments);
  EXPECT_EQ(part->identification, 0x01020304u);
  EXPECT_EQ(part->l4_offset, 48);
  EXPECT_EQ(part->tuple.source.port, 0);
}

TEST(IpViewTest, RejectsTruncationAtEveryByte) {
  for (const char* text : {kUdp4, kUdp6}) {
    const Bytes whole = Hex(text);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      if (size > 0) {
        EXPECT_FALSE(IpView::Parse(cut, cut.size())) << size;
      }
      UdpPayload(cut);
    }
  }
}

TEST(IpViewTest, RejectsHeadersThatContradictThemselves) {
  Bytes packet = Hex(kUdp4);
  packet[0] = 0x44;  // header shorter than 20 bytes
  EXPECT_FALSE(IpView::Parse(packet, packet.size()));
  packet[0] = 0x4f;  // header longer than the packet
  EXPECT_FALSE(IpView::Parse(packet, packet.size()));
  packet[0] = 0x75;  // no such version
  EXPECT_FALSE(IpView::Parse(packet, packet.size()));
  packet = Hex(kUdp4);
  packet[3] = 0x40;  // longer than what arrived
  EXPECT_FALSE(IpView::Parse(packet, packet.size()));
  packet[3] = 0x10;  // shorter than its header
  EXPECT_FALSE(IpView::Parse(packet, packet.size()));
}

// RFC 1071 section 3's example: 0001 f203 f4f5 f6f7 sums to ddf2, so the checksum is 220d.
TEST(InternetChecksumTest, Rfc1071Example) {
  EXPECT_EQ(InternetChecksum().Add(Hex("0001f203f4f5f6f7")).Value(), 0x220d);
}

TEST(InternetChecksumTest, AnyLengthAndAnySplitAgreesWithTheDefinition) {
  Bytes data;
  for (int size = 0; size < 200; ++size) {
    uint32_t sum = 0;
    for (std::size_t i = 0; i < data.size(); i += 2) {
      sum += static_cast<uint32_t>(data[i] << 8 | (i + 1 < data.size() ? data[i + 1] : 0));
    }
    while (sum >> 16) sum = (sum >> 16) + (sum & 0xffff);
    const auto expected = static_cast<uint16_t>(~sum);
    EXPECT_EQ(InternetChecksum().Add(data).Value(), expected);
    const std::size_t half = data.size() / 4 * 2;
    EXPECT_EQ(InternetChecksum()
                  .Add(ByteView(data).first(half))
                  .Add(ByteView(data).subspan(half))
                  .Value(),
              expected);
    data.push_back(static_cast<uint8_t>(0xff - size * 7));
  }
}

TEST(DescribePacketTest, ReadsWhatAnIcmpErrorQuotes) {
  // Port unreachable from 198.51.100.2 about the packet above.
  const Bytes packet = Hex(std::string("4500003a 00000000 40010000 c6336402 c0000201"
                                       "0303 0000 00000000") +
                           kUdp4);
  const auto view = IpView::Parse(packet, packet.size());
  ASSERT_TRUE(view && view->is_icmp_error());
  const auto info = DescribePacket(packet, *view);
  ASSERT_TRUE(info && info->icmp_error);
  EXPECT_EQ(info->icmp_error->type, 3);
  EXPECT_EQ(info->icmp_error->code, 3);
  EXPECT_EQ(info->icmp_error->tuple.source.ToString(), "192.0.2.1:4660");
  EXPECT_EQ(info->tuple.source.port, 0);
  EXPECT_EQ(AsString(UdpPayload(packet)), "ab");
  EXPECT_FALSE(DescribePacket(ByteView(packet).first(28), *view));
}

}  // namespace
}  // namespace rtclab::sim
