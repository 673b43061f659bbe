#include "stack/turn/peer_policy.h"

#include <gtest/gtest.h>

#include <string>

#include "stack/turn/test_network.h"

namespace rtclab::turn {
namespace {

IpAddress Ip(std::string_view text) { return IpAddress::Parse(text).value(); }

PeerPolicy Plain(PeerPolicyConfig config = {}) {
  return PeerPolicy(std::move(config),
                    {Address("198.51.100.1:3478"), Address("[2001:db8::1]:3478")},
                    {Ip("198.51.100.2"), Ip("2001:db8::2")});
}

struct Row {
  const char* ip;
  PeerVerdict verdict;
};

TEST(PeerPolicyTest, RefusesEverythingThatIsNotGlobalUnicast) {
  const Row rows[] = {
      {"192.0.2.1", PeerVerdict::kAllowed},
      {"8.8.8.8", PeerVerdict::kAllowed},
      {"2001:db8:1::1", PeerVerdict::kAllowed},
      {"0.0.0.0", PeerVerdict::kUnspecified},
      {"0.1.2.3", PeerVerdict::kUnspecified},
      {"::", PeerVerdict::kUnspecified},
      {"127.0.0.1", PeerVerdict::kLoopback},
      {"127.1.2.3", PeerVerdict::kLoopback},
      {"::1", PeerVerdict::kLoopback},
      {"10.0.0.1", PeerVerdict::kPrivate},
      {"172.16.0.1", PeerVerdict::kPrivate},
      {"172.31.255.255", PeerVerdict::kPrivate},
      {"172.32.0.1", PeerVerdict::kAllowed},
      {"192.168.1.1", PeerVerdict::kPrivate},
      {"100.64.0.1", PeerVerdict::kPrivate},
      {"100.128.0.1", PeerVerdict::kAllowed},
      {"fd00:ec2::254", PeerVerdict::kPrivate},
      {"169.254.169.254", PeerVerdict::kLinkLocal},
      {"fe80::1", PeerVerdict::kLinkLocal},
      {"224.0.0.1", PeerVerdict::kMulticast},
      {"239.255.255.255", PeerVerdict::kMulticast},
      {"ff02::1", PeerVerdict::kMulticast},
      {"240.0.0.1", PeerVerdict::kReserved},
      {"255.255.255.255", PeerVerdict::kReserved},
      {"2001::1", PeerVerdict::kTunnel},
      {"2002:c000:201::1", PeerVerdict::kTunnel},
      // IPv4 hidden in IPv6: mapped, compatible, NAT64.
      {"::ffff:127.0.0.1", PeerVerdict::kLoopback},
      {"::ffff:0.0.0.0", PeerVerdict::kUnspecified},
      {"::ffff:10.0.0.1", PeerVerdict::kPrivate},
      {"::ffff:169.254.169.254", PeerVerdict::kLinkLocal},
      {"::ffff:224.0.0.1", PeerVerdict::kMulticast},
      {"::ffff:192.0.2.1", PeerVerdict::kAllowed},
      {"::127.0.0.1", PeerVerdict::kLoopback},
      {"64:ff9b::127.0.0.1", PeerVerdict::kLoopback},
      {"64:ff9b::10.1.1.1", PeerVerdict::kPrivate},
      {"64:ff9b::192.0.2.1", PeerVerdict::kAllowed},
      {"64:ff9b::169.254.169.254", PeerVerdict::kLinkLocal},
      {"64:ff9b:1::169.254.169.254", PeerVerdict::kLinkLocal},
      {"64:ff9b:1:2::192.0.2.1", PeerVerdict::kPrivate},
      {"::ffff:0:127.0.0.1", PeerVerdict::kLoopback},
      {"::ffff:0:192.0.2.1", PeerVerdict::kAllowed},
      {"::0.1.2.3", PeerVerdict::kUnspecified},
      {"::255.255.255.255", PeerVerdict::kReserved},
      {"fec0::1", PeerVerdict::kPrivate},
      {"2002:7f00:1::1", PeerVerdict::kTunnel},
      {"2001:0:4136:e378:8000:63bf:3fff:fdd2", PeerVerdict::kTunnel},
      // The server itself, which relays from other addresses.
      {"198.51.100.1", PeerVerdict::kOwnAddress},
      {"::ffff:198.51.100.1", PeerVerdict::kOwnAddress},
      {"::198.51.100.1", PeerVerdict::kOwnAddress},
      {"64:ff9b::198.51.100.1", PeerVerdict::kOwnAddress},
      {"2001:db8::1", PeerVerdict::kOwnAddress},
      {"198.51.100.2", PeerVerdict::kAllowed},
  };
  const PeerPolicy policy = Plain();
  for (const Row& row : rows) {
    EXPECT_EQ(policy.CheckIp(Ip(row.ip)), row.verdict)
        << row.ip << " is " << ToString(policy.CheckIp(Ip(row.ip)));
  }
}

TEST(PeerPolicyTest, ClassesCanBeAllowed) {
  PeerPolicyConfig config;
  config.allow_loopback = true;
  config.allow_private = true;
  config.allow_link_local = true;
  const PeerPolicy policy = Plain(config);
  for (const char* ip :
       {"127.0.0.1", "::1", "10.0.0.1", "fc00::1", "169.254.1.1", "fe80::1", "::ffff:127.0.0.1"}) {
    EXPECT_EQ(policy.CheckIp(Ip(ip)), PeerVerdict::kAllowed) << ip;
  }
  for (const char* ip : {"0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "2002::1"}) {
    EXPECT_NE(policy.CheckIp(Ip(ip)), PeerVerdict::kAllowed) << ip;
  }
}

TEST(PeerPolicyTest, DenyListBeatsAllowListBeatsClasses) {
  PeerPolicyConfig config;
  config.allow = {IpPrefix::Parse("10.0.0.0/8").value()};
  config.deny = {IpPrefix::Parse("10.9.0.0/16").value(), IpPrefix::Parse("192.0.2.0/24").value(),
                 IpPrefix::Parse("2001:db8:dead::/48").value()};
  const PeerPolicy policy = Plain(config);
  EXPECT_EQ(policy.CheckIp(Ip("10.1.1.1")), PeerVerdict::kAllowed);
  EXPECT_EQ(policy.CheckIp(Ip("10.9.1.1")), PeerVerdict::kDenied);
  EXPECT_EQ(policy.CheckIp(Ip("192.0.2.77")), PeerVerdict::kDenied);
  EXPECT_EQ(policy.CheckIp(Ip("::ffff:192.0.2.77")), PeerVerdict::kDenied);
  EXPECT_EQ(policy.CheckIp(Ip("2001:db8:dead::1")), PeerVerdict::kDenied);
  EXPECT_EQ(policy.CheckIp(Ip("192.168.1.1")), PeerVerdict::kPrivate);
}

TEST(PeerPolicyTest, PortsMatterForChannelsAndSend) {
  const PeerPolicy shared({}, {Address("198.51.100.1:3478")}, {Ip("198.51.100.1")});
  EXPECT_EQ(shared.CheckIp(Ip("198.51.100.1")), PeerVerdict::kAllowed);
  EXPECT_EQ(shared.Check(Address("198.51.100.1:50000")), PeerVerdict::kAllowed);
  EXPECT_EQ(shared.Check(Address("198.51.100.1:3478")), PeerVerdict::kOwnAddress);
  EXPECT_EQ(shared.Check(Address("[::ffff:198.51.100.1]:3478")), PeerVerdict::kOwnAddress);
  EXPECT_EQ(shared.Check(Address("192.0.2.1:0")), PeerVerdict::kPort);
}

TEST(IpPrefixTest, ParsesTextAndRejectsNonsense) {
  EXPECT_EQ(IpPrefix::Parse("192.0.2.0/24"), (IpPrefix{Ip("192.0.2.0"), 24}));
  EXPECT_EQ(IpPrefix::Parse("192.0.2.7"), (IpPrefix{Ip("192.0.2.7"), 32}));
  EXPECT_EQ(IpPrefix::Parse("::/0"), (IpPrefix{Ip("::"), 0}));
  for (const char* text : {"", "/", "1.2.3/8", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/", "::/129",
                           "1.2.3.4/8x", "1.2.3.4/ 8"}) {
    EXPECT_FALSE(IpPrefix::Parse(text)) << text;
  }
}

}  // namespace
}  // namespace rtclab::turn
