#include "sim/ip/route_table.h"

#include <gtest/gtest.h>

namespace rtclab::sim {
namespace {

IpAddress Ip(const char* text) { return *IpAddress::Parse(text); }

TEST(RouteTableTest, LongestPrefixWins) {
  RouteTable table;
  table.Add(Ip("0.0.0.0"), 0, 1);
  table.Add(Ip("10.0.0.0"), 8, 2);
  table.Add(Ip("10.1.2.3"), 32, 3);
  table.Add(Ip("10.1.0.0"), 16, 4);
  EXPECT_EQ(table.Find(Ip("192.0.2.1")), 1);
  EXPECT_EQ(table.Find(Ip("10.9.9.9")), 2);
  EXPECT_EQ(table.Find(Ip("10.1.2.3")), 3);
  EXPECT_EQ(table.Find(Ip("10.1.2.4")), 4);
  EXPECT_EQ(table.Find(Ip("::1")), RouteTable::kNone);
}

TEST(RouteTableTest, Ipv6PrefixesOfAnyLength) {
  RouteTable table;
  table.Add(Ip("2001:db8::"), 32, 1);
  table.Add(Ip("2001:db8:1::"), 64, 2);
  table.Add(Ip("2001:db8:1::8"), 125, 3);
  table.Add(Ip("2001:db8:1::9"), 128, 4);
  EXPECT_EQ(table.Find(Ip("2001:db8:2::1")), 1);
  EXPECT_EQ(table.Find(Ip("2001:db8:1::1")), 2);
  EXPECT_EQ(table.Find(Ip("2001:db8:1::f")), 3);
  EXPECT_EQ(table.Find(Ip("2001:db8:1::9")), 4);
  EXPECT_EQ(table.Find(Ip("2001:db9::")), RouteTable::kNone);
}

TEST(RouteTableTest, ManyHostsAndAPortToStayOn) {
  RouteTable table;
  for (int i = 0; i < 1000; ++i) {
    table.Add(IpAddress::V4(0x0a000000u + static_cast<uint32_t>(i * 7919 % 1000)), 32, i);
  }
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(table.Find(IpAddress::V4(0x0a000000u + static_cast<uint32_t>(i * 7919 % 1000))), i);
  }
  RouteTable homes;
  homes.Add(Ip("0.0.0.0"), 0, 0);
  homes.Add(Ip("0.0.0.0"), 0, 1);
  EXPECT_EQ(homes.Find(Ip("192.0.2.1")), 0);
  EXPECT_EQ(homes.Find(Ip("192.0.2.1"), 1), 1);
  EXPECT_EQ(homes.Find(Ip("192.0.2.1"), 2), RouteTable::kNone);
}

}  // namespace
}  // namespace rtclab::sim
