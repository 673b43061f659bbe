#include "sim/topology/address_plan.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "sim/topology/network_test_util.h"

namespace rtclab::sim {
namespace {

TEST(AddressPlanTest, EveryAddressOfALargeNetworkIsUniqueWhereItIsVisible) {
  NetworkSpec spec;
  for (int i = 0; i < 400; ++i) {
    LanSpec lan = Lan("lan" + std::to_string(i));
    lan.ipv6 = true;
    lan.external_addresses = i % 3 + 1;
    spec.lans.push_back(lan);
    spec.hosts.push_back(Host("host" + std::to_string(i), lan.name, true));
    spec.hosts.push_back(Host("server" + std::to_string(i), "", true));
  }
  const auto plan = PlanAddresses(spec);
  ASSERT_TRUE(plan) << plan.error().reason;
  std::set<IpAddress> all(plan->core_routers.begin(), plan->core_routers.end());
  std::size_t count = all.size();
  const auto add = [&](const std::vector<IpAddress>& addresses) {
    all.insert(addresses.begin(), addresses.end());
    count += addresses.size();
  };
  for (const LanPlan& lan : plan->lans) {
    add(lan.external);
    add(lan.routers);
  }
  for (const HostPlan& host : plan->hosts) add(host.attachments[0].addresses);
  EXPECT_EQ(all.size(), count);
  EXPECT_EQ(plan->lans[300].v4->address.ToString(), "10.0.45.0");  // after 192.168.255.0/24
  EXPECT_EQ(plan->lans[399].external.size(), 2u);                  // one of each family
}

TEST(AddressPlanTest, BigLanGetsABigPrefix) {
  NetworkSpec spec;
  spec.lans = {Lan("campus")};
  for (int i = 0; i < 1000; ++i) spec.hosts.push_back(Host("h" + std::to_string(i), "campus"));
  const auto plan = PlanAddresses(spec);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->lans[0].v4->length, 22);
  for (const HostPlan& host : plan->hosts) {
    EXPECT_TRUE(host.attachments[0].addresses[0].InPrefix(plan->lans[0].v4->address, 22));
  }
}

TEST(AddressPlanTest, TooManyAddressesAreRefused) {
  NetworkSpec spec;
  for (int i = 0; i < 2; ++i) {
    LanSpec lan = Lan("lan" + std::to_string(i));
    lan.external_addresses = 30000;
    spec.lans.push_back(lan);
  }
  EXPECT_FALSE(PlanAddresses(spec));
}

struct Mistake {
  const char* what;
  std::function<void(NetworkSpec&)> make;
  const char* says;
};

TEST(SpecCheckTest, EachMistakeIsNamed) {
  const Mistake mistakes[] = {
      {"no name", [](NetworkSpec& s) { s.hosts[0].name = ""; }, "no name"},
      {"slash", [](NetworkSpec& s) { s.hosts[0].name = "a/b"; }, "a/b"},
      {"core", [](NetworkSpec& s) { s.hosts[0].name = "core"; }, "core is taken"},
      {"twice", [](NetworkSpec& s) { s.hosts[0].name = "home"; }, "home is taken"},
      {"unknown parent", [](NetworkSpec& s) { s.lans[0].parent = "isp"; }, "no LAN isp"},
      {"cycle", [](NetworkSpec& s) { s.lans[0].parent = "home"; }, "its own ancestor"},
      {"unknown LAN", [](NetworkSpec& s) { s.hosts[0].attachments[0].lan = "x"; }, "no LAN x"},
      {"unattached", [](NetworkSpec& s) { s.hosts[0].attachments.clear(); }, "attached to nothing"},
      {"twice there",
       [](NetworkSpec& s) { s.hosts[0].attachments.push_back(s.hosts[0].attachments[0]); },
       "home twice"},
      {"no family", [](NetworkSpec& s) { s.lans[0].ipv4 = false; }, "no address family"},
      {"other family",
       [](NetworkSpec& s) {
         s.hosts[0].ipv4 = false;
         s.hosts[0].ipv6 = true;
       },
       "in common with LAN home"},
      {"no addresses", [](NetworkSpec& s) { s.hosts[0].addresses = 0; }, "addresses"},
      {"no pool", [](NetworkSpec& s) { s.lans[0].external_addresses = 0; }, "external_addresses"},
      {"ports", [](NetworkSpec& s) { s.lans[0].nat->port_low = 0; }, "ports"},
      {"loss", [](NetworkSpec& s) { s.lans[0].uplink.up.loss = 1.5; }, "upwards: the loss"},
      {"nan", [](NetworkSpec& s) { s.lans[0].uplink.down.loss = 0.0 / 0.0; }, "downwards: the"},
      {"delay", [](NetworkSpec& s) { s.lans[0].uplink.up.delay = TimeDelta::Millis(-1); }, "delay"},
      {"jitter", [](NetworkSpec& s) { s.lans[0].uplink.up.jitter = TimeDelta::Millis(-1); },
       "jitter"},
      {"rate", [](NetworkSpec& s) { s.lans[0].uplink.up.rate = DataRate::BitsPerSec(0); }, "rate"},
      {"queue", [](NetworkSpec& s) { s.lans[0].uplink.up.queue_packets = -1; }, "queue"},
      {"mtu", [](NetworkSpec& s) { s.lans[0].uplink.up.mtu = 10; }, "MTU"},
      {"mtu v6",
       [](NetworkSpec& s) {
         s.lans[0].ipv6 = true;
         s.lans[0].uplink.up.mtu = 1000;
       },
       "1280"},
      {"burst",
       [](NetworkSpec& s) {
         s.lans[0].uplink.up.burst_loss = GilbertElliott{2, 1, 0, 1};
       },
       "burst"},
  };
  NetworkSpec good;
  good.lans = {Lan("home")};
  good.hosts = {Host("alice", "home")};
  ASSERT_TRUE(PlanAddresses(good));
  for (const Mistake& mistake : mistakes) {
    NetworkSpec bad = good;
    mistake.make(bad);
    const auto plan = PlanAddresses(bad);
    ASSERT_FALSE(plan) << mistake.what;
    EXPECT_NE(plan.error().reason.find(mistake.says), std::string::npos)
        << mistake.what << ": " << plan.error().reason;
  }
}

}  // namespace
}  // namespace rtclab::sim
