#include "stack/base/ip_address.h"

#include <gtest/gtest.h>

namespace rtclab {
namespace {

IpAddress Ip(std::string_view text) { return IpAddress::Parse(text).value(); }

TEST(IpAddressTest, TextRoundTrips) {
  for (const char* text : {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1",
                           "2001:db8:0:1:1:1:1:1", "fe80::1", "::ffff:192.0.2.1"}) {
    EXPECT_EQ(Ip(text).ToString(), text);
  }
  EXPECT_EQ(Ip("2001:DB8:0:0:0:0:0:1").ToString(), "2001:db8::1");
}

TEST(IpAddressTest, RejectsWhatIsNoAddress) {
  for (const char* text : {"", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", ":::", "1::2::3",
                           "fe80::1%eth0", "2001:db8::1/64", " 1.2.3.4"}) {
    EXPECT_EQ(IpAddress::Parse(text), std::nullopt) << text;
  }
  EXPECT_EQ(IpAddress::Parse(std::string_view("1.2.3.4\0x", 9)), std::nullopt);
}

TEST(IpAddressTest, KnowsTheSpecialRanges) {
  EXPECT_TRUE(Ip("127.1.2.3").IsLoopback());
  EXPECT_TRUE(Ip("::1").IsLoopback());
  EXPECT_FALSE(Ip("128.0.0.1").IsLoopback());
  EXPECT_TRUE(Ip("169.254.1.1").IsLinkLocal());
  EXPECT_TRUE(Ip("febf::1").IsLinkLocal());
  EXPECT_FALSE(Ip("fec0::1").IsLinkLocal());
  EXPECT_TRUE(Ip("239.1.1.1").IsMulticast());
  EXPECT_TRUE(Ip("ff02::1").IsMulticast());
  for (const char* text : {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
                           "100.127.255.255", "fd00::1"}) {
    EXPECT_TRUE(Ip(text).IsPrivate()) << text;
  }
  for (const char* text : {"11.0.0.1", "172.32.0.1", "192.169.0.1", "100.128.0.1", "fe00::1"}) {
    EXPECT_FALSE(Ip(text).IsPrivate()) << text;
  }
  EXPECT_EQ(Ip("::ffff:10.0.0.1").Unmapped(), Ip("10.0.0.1"));
  EXPECT_EQ(Ip("2001:db8::1").Unmapped(), Ip("2001:db8::1"));
}

TEST(IpAddressTest, PrefixMatchesToTheBit) {
  EXPECT_TRUE(Ip("192.0.2.129").InPrefix(Ip("192.0.2.128"), 25));
  EXPECT_FALSE(Ip("192.0.2.127").InPrefix(Ip("192.0.2.128"), 25));
  EXPECT_TRUE(Ip("10.0.0.1").InPrefix(Ip("0.0.0.0"), 0));
  EXPECT_FALSE(Ip("2001:db8::1").InPrefix(Ip("0.0.0.0"), 0));
  EXPECT_TRUE(Ip("2001:db8::1").InPrefix(Ip("2001:db8::1"), 128));
}

TEST(TransportAddressTest, TextRoundTripsAndRejects) {
  for (const char* text : {"192.0.2.1:0", "192.0.2.1:65535", "[2001:db8::1]:3478"}) {
    EXPECT_EQ(TransportAddress::Parse(text).value().ToString(), text);
  }
  for (const char* text : {"", ":", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1",
                           "2001:db8::1:80", "[192.0.2.1]:80", "[::1]80", "[]:1", "[:1"}) {
    EXPECT_EQ(TransportAddress::Parse(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace rtclab
