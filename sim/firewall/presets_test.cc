#include "sim/firewall/presets.h"

#include <gtest/gtest.h>
#include <set>

#include "sim/firewall/firewall_test_util.h"

namespace rtclab::sim {
namespace {

Firewall Make(std::string_view name) { return Firewall(FindFirewallPreset(name)->behaviour); }

TEST(FirewallPresetsTest, NamesAreUniqueAndEveryOneCitesASource) {
  std::set<std::string_view> names;
  for (const FirewallPreset& preset : FirewallPresets()) {
    EXPECT_TRUE(names.insert(preset.name).second) << preset.name;
    EXPECT_GT(preset.source.size(), 8u) << preset.name;
    EXPECT_TRUE(preset.description.ends_with(".")) << preset.name;
    EXPECT_EQ(FindFirewallPreset(preset.name), &preset);
  }
  EXPECT_EQ(FindFirewallPreset("deny-inbount"), nullptr);
}

TEST(FirewallPresetsTest, DenyInboundLetsUdpOut) {
  Firewall firewall = Make("deny-inbound");
  EXPECT_EQ(In(firewall, Sec(0), Udp(kServer, kHost)), "firewall.default-deny-in");
  EXPECT_EQ(Out(firewall, Sec(0), Udp(kHost, kServer)), "");
  EXPECT_EQ(In(firewall, Sec(0), Udp(kServer, kHost)), "");
}

TEST(FirewallPresetsTest, UdpBlockedLetsOnlyOthersOut) {
  Firewall firewall = Make("udp-blocked");
  EXPECT_EQ(Out(firewall, Sec(0), Udp(kHost, kServer)), "firewall.rule:udp-out");
  EXPECT_EQ(In(firewall, Sec(0), Udp(kServer, kHost)), "firewall.rule:udp-in");
  EXPECT_EQ(Out(firewall, Sec(0), TcpSegment(kHost, kServer, true, false)), "");
  EXPECT_EQ(In(firewall, Sec(0), TcpSegment(kServer, kHost, true, true)), "");
}

TEST(FirewallPresetsTest, WebOnlyAndEnterprise) {
  for (const std::string_view name : {"web-only", "enterprise"}) {
    Firewall firewall = Make(name);
    const bool enterprise = name == "enterprise";
    for (const auto& [port, allowed] :
         {std::pair{79, false}, {80, true}, {443, true}, {444, false}}) {
      const TransportAddress server{kServer.ip, static_cast<uint16_t>(port)};
      EXPECT_EQ(Out(firewall, Sec(0), TcpSegment(kHost, server, true, false)),
                allowed ? "" : "firewall.default-deny-out")
          << name << port;
    }
    for (const auto& [port, allowed] :
         {std::pair{3477, false}, {3478, true}, {3481, true}, {3482, false}, {443, false}}) {
      const TransportAddress server{kServer.ip, static_cast<uint16_t>(port)};
      EXPECT_EQ(Out(firewall, Sec(0), Udp(kHost, server)),
                allowed && enterprise ? "" : "firewall.default-deny-out")
          << name << port;
    }
  }
}

}  // namespace
}  // namespace rtclab::sim
