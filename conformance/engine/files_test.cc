// URIs, target profiles, overlays: what users write, and what they are told of mistakes.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "conformance/engine/overlay.h"
#include "conformance/engine/peer_echo_server.h"
#include "conformance/engine/target_file.h"
#include "conformance/engine/text_file.h"
#include "conformance/engine/uri.h"

namespace rtclab::conformance {
namespace {

using ::testing::HasSubstr;

struct UriRow {
  std::string_view text;
  bool turn, secure;
  std::string_view host;
  uint16_t port;
  Transport transport;
  bool named;
};

TEST(UriTest, ReadsWhatRfc7064And7065Allow) {
  const UriRow rows[] = {
      {"stun:example.org", false, false, "example.org", 3478, Transport::kUdp, false},
      {"stuns:example.org", false, true, "example.org", 5349, Transport::kTls, true},
      {"stun:example.org:8000", false, false, "example.org", 8000, Transport::kUdp, false},
      {"turn:example.org", true, false, "example.org", 3478, Transport::kUdp, false},
      {"turns:example.org", true, true, "example.org", 5349, Transport::kTls, true},
      {"turn:example.org:8000", true, false, "example.org", 8000, Transport::kUdp, false},
      {"turn:example.org?transport=udp", true, false, "example.org", 3478, Transport::kUdp, true},
      {"turn:example.org?transport=tcp", true, false, "example.org", 3478, Transport::kTcp, true},
      {"turns:example.org?transport=tcp", true, true, "example.org", 5349, Transport::kTls, true},
      {"turns:example.org:9?transport=udp", true, true, "example.org", 9, Transport::kDtls, true},
      {"turn:192.0.2.1", true, false, "192.0.2.1", 3478, Transport::kUdp, false},
      {"turn:[2001:db8::1]", true, false, "2001:db8::1", 3478, Transport::kUdp, false},
      {"TURNS:[::1]:443?Transport=TCP", true, true, "::1", 443, Transport::kTls, true},
  };
  for (const UriRow& row : rows) {
    const auto uri = ParseServerUri(row.text);
    ASSERT_TRUE(uri) << row.text << ": " << uri.error().reason;
    EXPECT_EQ(uri->turn, row.turn) << row.text;
    EXPECT_EQ(uri->secure, row.secure) << row.text;
    EXPECT_EQ(uri->host, row.host) << row.text;
    EXPECT_EQ(uri->port, row.port) << row.text;
    EXPECT_EQ(uri->transport, row.transport) << row.text;
    EXPECT_EQ(uri->transport_named, row.named) << row.text;
    const auto again = ParseServerUri(uri->ToString());
    ASSERT_TRUE(again) << uri->ToString();
    EXPECT_EQ(again->transport, uri->transport);
    EXPECT_EQ(again->port, uri->port);
  }
}

TEST(UriTest, SaysWhatIsWrongAndWhere) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"", "does not begin with turn:"},
      {"http://example.org", "does not begin with turn:"},
      {"turn://example.org", "without //"},
      {"turn:", "no host name"},
      {"turn:a b", "no host name"},
      {"turn:user@example.org", "names no user"},
      {"turn:[::1", "without \"]\""},
      {"turn:[192.0.2.1]", "no IPv6 address"},
      {"turn:h:", "is no port"},
      {"turn:h:0", "is no port"},
      {"turn:h:65536", "is no port"},
      {"turn:h:99999999999", "is no port"},
      {"turn:h:12a", "is no port"},
      {"turn:[::1]x", "expected ?transport="},
      {"turn:h?transport=sctp", "expected ?transport="},
      {"turn:h?foo=udp", "expected ?transport="},
  };
  for (const auto& [text, reason] : rows) {
    const auto uri = ParseServerUri(text);
    ASSERT_FALSE(uri) << text;
    EXPECT_THAT(uri.error().reason, HasSubstr(std::string(reason))) << text;
  }
}

TEST(UriTest, TheFirstServerNamesTransportAndFamilyTheOthersAddEndpoints) {
  Target target;
  ASSERT_TRUE(AddServer(target, *ParseServerUri("turn:127.0.0.1:1000")));
  ASSERT_TRUE(AddServer(target, *ParseServerUri("turns:127.0.0.1:2000?transport=udp")));
  ASSERT_TRUE(AddServer(target, *ParseServerUri("turn:[::1]:3000?transport=udp")));
  EXPECT_EQ(target.transport, Transport::kUdp);
  EXPECT_EQ(target.family, AddressFamily::kIpv4);
  EXPECT_EQ(target.host, "127.0.0.1");
  EXPECT_FALSE(target.stun_only);
  using Key = std::pair<Transport, AddressFamily>;
  EXPECT_EQ(target.endpoints.size(), 4u);
  EXPECT_EQ(target.endpoints.at(Key(Transport::kTcp, AddressFamily::kIpv4)).port, 1000);
  EXPECT_EQ(target.endpoints.at(Key(Transport::kDtls, AddressFamily::kIpv4)).port, 2000);
  EXPECT_EQ(target.endpoints.at(Key(Transport::kUdp, AddressFamily::kIpv6)).port, 3000);
}

TEST(UriTest, AnEndpointThatIsNamedTakesThePlaceOfOneThatIsImplied) {
  using Key = std::pair<Transport, AddressFamily>;
  const Key tcp(Transport::kTcp, AddressFamily::kIpv4);
  Target target;
  ASSERT_TRUE(AddServer(target, *ParseServerUri("turn:127.0.0.1:1000")));
  EXPECT_FALSE(target.named.contains(tcp));
  ASSERT_TRUE(AddServer(target, *ParseServerUri("turn:127.0.0.1:2000?transport=tcp")));
  EXPECT_TRUE(target.named.contains(tcp));
  EXPECT_EQ(target.endpoints.at(tcp).port, 2000);
  EXPECT_TRUE(target.unused.empty());
  ASSERT_TRUE(AddServer(target, *ParseServerUri("turn:127.0.0.1:2000?transport=tcp")));
  EXPECT_TRUE(target.unused.empty());
  ASSERT_TRUE(AddServer(target, *ParseServerUri("turn:127.0.0.1:3000?transport=tcp")));
  EXPECT_EQ(target.endpoints.at(tcp).port, 2000);
  EXPECT_EQ(target.unused, std::vector<std::string>{"127.0.0.1:3000 over tcp"});
}

constexpr std::string_view kFullProfile = R"({
  "$schema": "target.schema.json", "name": "coturn", "version": "4.6.1",
  "uris": ["turn:127.0.0.1:3478", "turns:127.0.0.1:5349"], "host": "turn.example.org", "addresses": ["127.0.0.2"],
  "user": {"username": "alice", "password": "secret"},
  "second_user": {"username": "bob", "password_env": "RTCLAB_TEST_BOB"},
  "rest_secret": "s", "oauth": {"kid": "k", "key": "AAAA", "algorithm": "A128GCM", "server_name": "n"},
  "ca_file": "ca.pem", "insecure": true, "features": {"tcp-relay": true, "mobility": false},
  "peers": {"kind": "local", "local": ["127.0.0.3"]},
  "safety": {"enabled": true, "destinations": ["10.0.0.1", "::1"], "max_packets": 10, "max_time_s": 5},
  "denied_peer": "10.0.0.9:9", "redirecting": "127.0.0.1:9", "user_quota": 7, "nonce_lifetime_s": 60, "time_scale": 40,
  "reservation_lifetime_s": 40, "edition": "5766", "answer_timeout_ms": 900, "silence_ms": 90, "overlay": "o.json"})";

TEST(TargetFileTest, ReadsEverything) {
  setenv("RTCLAB_TEST_BOB", "hush", 1);
  const auto target = ParseTarget(kFullProfile, "/profiles");
  ASSERT_TRUE(target) << target.error().reason;
  EXPECT_EQ(target->name, "coturn");
  EXPECT_EQ(target->version, "4.6.1");
  EXPECT_EQ(target->host, "turn.example.org");
  EXPECT_EQ(target->user->password, "secret");
  EXPECT_EQ(target->second_user->password, "hush");
  EXPECT_EQ(target->rest_secret, "s");
  EXPECT_EQ(target->oauth->algorithm, "A128GCM");
  EXPECT_EQ(target->ca_file, "/profiles/ca.pem");
  EXPECT_TRUE(target->insecure);
  EXPECT_TRUE(target->declared.at(Feature::kTcpRelay));
  EXPECT_FALSE(target->declared.at(Feature::kMobility));
  EXPECT_EQ(target->peers.kind, PeerPlan::Kind::kLocal);
  EXPECT_EQ(target->safety.destinations.size(), 2u);
  EXPECT_EQ(target->safety.max_packets, 10);
  EXPECT_EQ(target->safety.max_time, TimeDelta::Seconds(5));
  EXPECT_EQ(target->denied_peer->port, 9);
  EXPECT_EQ(target->user_quota, 7);
  EXPECT_EQ(target->reservation_lifetime_s, 40);
  EXPECT_EQ(target->time_scale, 40);
  EXPECT_EQ(target->edition, Edition::kClassic);
  EXPECT_EQ(target->answer_timeout, TimeDelta::Millis(900));
  EXPECT_EQ(target->silence, TimeDelta::Millis(90));
  EXPECT_EQ(target->overlay, "/profiles/o.json");
}

// What the published schema names and what the reader knows: the same keys, at every level that the profile above uses.
TEST(TargetFileTest, TheSchemaKnowsTheKeysOfTheReader) {
  const auto text = ReadTextFile(RTCLAB_TARGET_SCHEMA);
  ASSERT_TRUE(text) << text.error().reason;
  const auto schema = nlohmann::json::parse(*text);
  const auto profile = nlohmann::json::parse(kFullProfile);
  const auto& properties = schema["properties"];
  for (const auto& [key, value] : profile.items()) EXPECT_TRUE(properties.contains(key)) << key;
  for (const char* inner : {"oauth", "peers", "safety"}) {
    for (const auto& [key, value] : profile[inner].items()) {
      EXPECT_TRUE(properties[inner]["properties"].contains(key)) << inner << "/" << key;
    }
  }
  const auto& features = properties["features"]["properties"];
  EXPECT_EQ(features.size(), kFeatureCount);
  for (std::size_t i = 0; i < kFeatureCount; ++i) {
    EXPECT_TRUE(features.contains(std::string(ToString(static_cast<Feature>(i)))));
  }
  // And the other way: the reader has no complaint about a key that the schema names.
  for (const auto& [key, value] : properties.items()) {
    const nlohmann::json one = {{"uris", {"turn:127.0.0.1"}}, {key, nullptr}};
    const auto target = ParseTarget(one.dump(), "");
    EXPECT_TRUE(target || target.error().reason.find("unknown key") == std::string::npos) << key;
  }
}

TEST(TargetFileTest, APasswordMayStandInAFile) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / "rtclab_target_file_test";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "password") << "from-a-file\nmore\n";
  const auto target = ParseTarget(
      R"({"uris": ["turn:127.0.0.1"], "user": {"username": "a", "password_file": "password"}})",
      folder.string());
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(target) << target.error().reason;
  EXPECT_EQ(target->user->password, "from-a-file");
}

TEST(TargetFileTest, MistakesAreToldWithTheirPointer) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {R"({"uris": ["turn:127.0.0.1"], "usr": {}})", "/usr: unknown key; did you mean \"user\"?"},
      {R"({"uris": ["turn:127.0.0.1"], "user": {"username": "a", "password": "b", "pasword": "c"}})",
       "/user/pasword: unknown key; did you mean \"password\"?"},
      {R"({"uris": ["turn:127.0.0.1"], "features": {"mobilty": true}})",
       "/features/mobilty: unknown feature; did you mean \"mobility\"?"},
      {R"({"uris": ["turn:127.0.0.1", "http:x"]})", "/uris/1: "},
      {R"({"uris": ["turn:127.0.0.1"], "user": {"username": "a"}})", "/user/password: expected"},
      {R"({"uris": ["turn:127.0.0.1"], "user_quota": 0})", "/user_quota: expected a whole number"},
      {R"({"uris": ["turn:127.0.0.1"], "insecure": 1})", "/insecure: expected true or false"},
      {R"({"uris": ["turn:127.0.0.1"], "peers": {"kind": "x"}})", "/peers/kind: expected"},
      {R"({"uris": ["turn:127.0.0.1"], "peers": {"kind": "remote"}})", "/peers/remote: expected"},
      {R"({"uris": ["turn:127.0.0.1"], "addresses": ["x"]})", "/addresses: \"x\" is no IP address"},
      {R"({"uris": ["turn:127.0.0.1"], "addresses": [1]})", "/addresses/0: expected a string"},
      {R"({"uris": ["turn:127.0.0.1"], "user": {"username": "a", "password_env": "RTCLAB_NO_SUCH"}})",
       "/user/password_env: the environment has no RTCLAB_NO_SUCH"},
      {R"({"uris": []})", "/uris: expected at least one"},
      {R"([])", "expected an object"},
      {"{\n\"uris\": ,}", "line 2"},
  };
  for (const auto& [text, reason] : rows) {
    const auto target = ParseTarget(text, "");
    ASSERT_FALSE(target) << text;
    EXPECT_THAT(target.error().reason, HasSubstr(std::string(reason))) << text;
  }
}

TEST(TargetFileTest, AMessageQuotesNoPassword) {
  for (const std::string_view password : {"\"hush\x01\"", "hush", "\"hush"}) {
    const std::string text = R"({"uris": ["turn:127.0.0.1"], "user": {"password": )";
    const auto target = ParseTarget(text + std::string(password), "");
    ASSERT_FALSE(target);
    EXPECT_THAT(target.error().reason, testing::Not(HasSubstr("hu")));
  }
  EXPECT_THAT(ParseServerUri("turn:alice:hush@example.org").error().reason,
              testing::Not(HasSubstr("hush")));
}

TEST(OverlayTest, ReadsAndJudges) {
  const CaseList cases = {{.id = "a.b", .title = "t", .clauses = {}}};
  const auto overlay = ParseOverlay(
      R"({"server": "s", "version": "1", "expected": {"a.b": {"outcome": "fail", "section": "RFC 1 section 2", "reason": "r", "link": "l"}}})",
      cases);
  ASSERT_TRUE(overlay) << overlay.error().reason;
  const Known& known = overlay->expected.at("a.b");
  EXPECT_EQ(known.Text(), "r (l)");
  EXPECT_EQ(Compare({.outcome = Outcome::kFail}, known), Expectation::kExpectedFail);
  EXPECT_EQ(Compare({.outcome = Outcome::kWeak}, known), Expectation::kNone);
  EXPECT_EQ(Compare({.outcome = Outcome::kPass}, known), Expectation::kUnexpectedPass);
  EXPECT_EQ(Compare({.outcome = Outcome::kSkipped}, known), Expectation::kNone);
}

TEST(OverlayTest, MistakesAreToldWithTheirPointer) {
  const CaseList cases = {{.id = "turn.alloc.basic", .title = "t", .clauses = {}}};
  const std::pair<std::string_view, std::string_view> rows[] = {
      {R"({"expected": {"turn.aloc.basic": {"section": "s", "reason": "r"}}})",
       "/expected/turn.aloc.basic: there is no such case; did you mean \"turn.alloc.basic\"?"},
      {R"({"expected": {"turn.alloc.basic": {"section": "s"}}})",
       "/turn.alloc.basic/reason: expected"},
      {R"({"expected": {"turn.alloc.basic": {"reason": "r"}}})",
       "/turn.alloc.basic/section: expected"},
      {R"({"expected": {"turn.alloc.basic": {"section": "s", "reason": "r", "outcome": "pass"}}})",
       "/turn.alloc.basic/outcome: expected"},
      {R"({"expect": {}})", "/expect: unknown key; did you mean \"expected\"?"},
  };
  for (const auto& [text, reason] : rows) {
    const auto overlay = ParseOverlay(text, cases);
    ASSERT_FALSE(overlay) << text;
    EXPECT_THAT(overlay.error().reason, HasSubstr(std::string(reason))) << text;
  }
}

TEST(FilesTest, AMissingFileIsNamed) {
  EXPECT_THAT(LoadTarget("/nowhere/x.json").error().reason, HasSubstr("/nowhere/x.json"));
  EXPECT_THAT(LoadOverlay("/nowhere/y.json", {}).error().reason, HasSubstr("/nowhere/y.json"));
}

TEST(PrefixTest, ReadsAddressesAndPrefixes) {
  EXPECT_TRUE(ParsePrefix("192.0.2.0/24")->Contains(IpAddress::V4(192, 0, 2, 77)));
  EXPECT_FALSE(ParsePrefix("192.0.2.0/24")->Contains(IpAddress::V4(192, 0, 3, 1)));
  EXPECT_TRUE(ParsePrefix("2001:db8::1")->Contains(*IpAddress::Parse("2001:db8::1")));
  EXPECT_FALSE(ParsePrefix("2001:db8::1")->Contains(*IpAddress::Parse("2001:db8::2")));
  for (const char* wrong :
       {"", "x", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/2x"}) {
    EXPECT_FALSE(ParsePrefix(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace rtclab::conformance
