// RTCConfiguration: what servers may be named, and what may change later.
#include "stack/peer/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/peer/peer_lab_test_util.h"

namespace rtclab::peer {
namespace {

TEST(IceServerTest, UrlsAreReadAsTheirSchemesSay) {
  struct {
    const char* url;
    std::optional<ErrorName> error;
    const char* address = "";
  } const cases[] = {
      {"stun:192.0.2.1", std::nullopt, "192.0.2.1:3478"},
      {"stun:192.0.2.1:19302", std::nullopt, "192.0.2.1:19302"},
      {"turn:[2001:db8::1]:4000", std::nullopt, "[2001:db8::1]:4000"},
      {"turn:192.0.2.1?transport=udp", std::nullopt, "192.0.2.1:3478"},
      {"turn:192.0.2.1?transport=tcp", ErrorName::kNotSupportedError},
      {"turns:192.0.2.1", ErrorName::kNotSupportedError},
      {"stuns:192.0.2.1", ErrorName::kNotSupportedError},
      {"stun:example.org", ErrorName::kNotSupportedError},
      {"", ErrorName::kSyntaxError},
      {"http:192.0.2.1", ErrorName::kSyntaxError},
      {"stun:", ErrorName::kSyntaxError},
      {"stun:192.0.2.1:x", ErrorName::kSyntaxError},
      {"stun:192.0.2.1:70000", ErrorName::kSyntaxError},
      {"stun:[2001:db8::1", ErrorName::kSyntaxError},
      {"stun://192.0.2.1", ErrorName::kSyntaxError},
      {"stun:user@192.0.2.1", ErrorName::kSyntaxError},
      {"stun:192.0.2.1?transport=udp", ErrorName::kSyntaxError},
      {"turn:192.0.2.1?transport=sctp", ErrorName::kSyntaxError},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.url);
    const auto servers = ResolveServers({{{c.url}, "user", "secret"}});
    ASSERT_EQ(servers.has_value(), !c.error);
    if (c.error) {
      EXPECT_EQ(servers.error().name, *c.error) << servers.error().message;
    } else if (!servers->stun.empty()) {
      EXPECT_EQ(servers->stun[0].ToString(), c.address);
    } else {
      EXPECT_EQ(servers->turn.at(0).address.ToString(), c.address);
    }
  }
  EXPECT_EQ(ResolveServers({{{"turn:192.0.2.1"}, "", ""}}).error().name,
            ErrorName::kInvalidAccessError);
  EXPECT_EQ(ResolveServers({IceServer{}}).error().name, ErrorName::kSyntaxError);
}

TEST(ConfigurationTest, ServersMayChangeAndTheBundlePolicyMayNot) {
  Rng rng(1);
  PeerConnection pc(LabPeerConfig(), rng, Timestamp::Zero());
  Configuration next = pc.configuration();
  next.bundle_policy = BundlePolicy::kMaxBundle;
  EXPECT_EQ(pc.SetConfiguration(Timestamp::Zero(), next).error().name,
            ErrorName::kInvalidModificationError);
  next = pc.configuration();
  next.ice_servers = {{{"stun:bad"}, "", ""}};
  EXPECT_EQ(pc.SetConfiguration(Timestamp::Zero(), next).error().name,
            ErrorName::kNotSupportedError);
  EXPECT_TRUE(pc.configuration().ice_servers.empty());
  next.ice_servers = {{{"stun:192.0.2.1"}, "", ""}};
  next.ice_transport_policy = IceTransportPolicy::kRelay;
  EXPECT_TRUE(pc.SetConfiguration(Timestamp::Zero(), next));
  EXPECT_EQ(pc.configuration().ice_servers.size(), 1u);
  pc.Close(Timestamp::Zero());
  EXPECT_EQ(pc.SetConfiguration(Timestamp::Zero(), next).error().name,
            ErrorName::kInvalidStateError);
}

TEST(ConfigurationTest, BadServersAreRefusedAtTheBeginning) {
  Rng rng(1);
  PeerConfig config = LabPeerConfig();
  config.configuration.ice_servers = {{{"mailto:me"}, "", ""}};
  const auto pc = PeerConnection::Create(config, rng, Timestamp::Zero());
  ASSERT_FALSE(pc);
  EXPECT_EQ(pc.error().name, ErrorName::kSyntaxError);
}

TEST(ConfigurationTest, AChangedPolicyRestartsIceWithTheNextOffer) {
  PeerLab lab;
  ASSERT_TRUE(lab.a().CreateDataChannel(lab.now(), {.label = "x"}));
  ASSERT_TRUE(lab.Connect());
  const std::string before =
      lab.a().transport(lab.a().transports()[0])->agent().local_credentials().ufrag;
  Configuration next = lab.a().configuration();
  next.ice_servers = {{{"stun:192.0.2.1"}, "", ""}};
  ASSERT_TRUE(lab.a().SetConfiguration(lab.now(), next));
  bool asked = false;
  lab.filter = [&asked](int sender, Transmit& t) {
    asked = asked || (sender == 0 && t.destination.ToString() == "192.0.2.1:3478");
    return true;
  };
  lab.RunFor(TimeDelta::Seconds(1));
  EXPECT_FALSE(asked);
  ASSERT_TRUE(lab.a().AddTransceiver(lab.now(), MediaKind::kAudio));
  lab.RunFor(TimeDelta::Seconds(2));
  EXPECT_TRUE(asked);
  EXPECT_NE(lab.a().transport(lab.a().transports()[0])->agent().local_credentials().ufrag, before);
  EXPECT_TRUE(lab.BothConnected());
}

}  // namespace
}  // namespace rtclab::peer
