#include "scenarios/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/language.h"
#include "scenarios/listing.h"
#include "scenarios/test_util.h"

namespace rtclab::scenarios {
namespace {

RunSpec One(const std::string& text) {
  LoadResult result = LoadText(text, "t.json");
  for (const Diagnostic& d : result.diagnostics) ADD_FAILURE() << d.ToString();
  if (result.runs.size() != 1) {
    ADD_FAILURE() << result.runs.size() << " runs";
    return {};
  }
  return std::move(result.runs[0]);
}

std::vector<std::string> Ids(const LoadResult& result) {
  std::vector<std::string> ids;
  for (const RunSpec& run : result.runs) ids.push_back(run.id);
  return ids;
}

TEST(LoaderTest, TwoHostsAreEnough) {
  const RunSpec run = One(R"({"hosts": {"a": "internet", "b": "internet"}})");
  EXPECT_EQ(run.id, "t/seed=1");
  EXPECT_EQ(run.scenario, "t");
  ASSERT_EQ(run.sessions.size(), 1u);
  EXPECT_EQ(run.sessions[0].name, "call");
  EXPECT_EQ(run.sessions[0].a.host, "a");
  EXPECT_EQ(run.sessions[0].b.host, "b");
  EXPECT_EQ(run.sessions[0].a.ice.servers, (std::vector<std::string>{"stun", "turn"}));
  ASSERT_EQ(run.servers.size(), 2u);
  EXPECT_FALSE(run.servers[0].turn);
  EXPECT_TRUE(run.servers[1].turn);
  ASSERT_EQ(run.network.hosts.size(), 4u);
  EXPECT_EQ(run.network.hosts[0].attachments[0].lan, "");
  EXPECT_FALSE(run.network.hosts[2].ipv6);
  EXPECT_FALSE(run.servers[1].ipv6_relay);
  EXPECT_EQ(run.max_duration, TimeDelta::Seconds(60));
  EXPECT_EQ(run.min_duration, TimeDelta::Zero());
}

TEST(LoaderTest, PresetsCanBeChangedInParts) {
  const RunSpec run = One(R"({
    "networks": {"n": {
      "nat": {"preset": "symmetric", "filtering": "endpoint-independent", "udp_timeout": "90 s"},
      "link": {"preset": "3g", "loss": "2 %", "up": {"rate": "64 kbit/s", "mtu": "1280 B"}},
      "firewall": {"rules": [{"name": "lan", "action": "allow", "direction": "inbound", "protocol": "udp",
                              "remote": "198.51.100.0/24", "remote_ports": "5000-5999", "local_ports": 3478}]},
      "external_addresses": 4}},
    "hosts": {"a": "n", "b": {"network": "n", "link": "wifi"}}})");
  const sim::LanSpec& lan = run.network.lans.at(0);
  EXPECT_EQ(lan.nat->mapping, sim::Mapping::kAddressAndPortDependent);
  EXPECT_EQ(lan.nat->filtering, sim::Filtering::kEndpointIndependent);
  EXPECT_EQ(lan.nat->port_assignment, sim::PortAssignment::kRandom);
  EXPECT_EQ(lan.nat->udp_timeout, TimeDelta::Seconds(90));
  EXPECT_EQ(lan.external_addresses, 4);
  EXPECT_EQ(lan.uplink.up.rate, DataRate::KilobitsPerSec(64));
  EXPECT_EQ(lan.uplink.up.mtu, 1280);
  EXPECT_EQ(lan.uplink.up.delay, TimeDelta::Micros(31'750));
  EXPECT_EQ(lan.uplink.down.rate, DataRate::KilobitsPerSec(5'900));
  EXPECT_DOUBLE_EQ(lan.uplink.up.loss, 0.02);
  EXPECT_DOUBLE_EQ(lan.uplink.down.loss, 0.02);
  const sim::FirewallRule& rule = lan.firewall->rules.at(0);
  EXPECT_EQ(rule.remote->ToString(), "198.51.100.0");
  EXPECT_EQ(rule.remote_prefix_length, 24);
  EXPECT_EQ(rule.remote_port_low, 5000);
  EXPECT_EQ(rule.remote_port_high, 5999);
  EXPECT_EQ(rule.local_port_high, 3478);
  EXPECT_EQ(run.network.hosts[1].attachments[0].access.up.delay, TimeDelta::Millis(5));
}

TEST(LoaderTest, FamiliesComeFromTheParentAndGiveServersBoth) {
  const RunSpec run = One(R"({
    "networks": {"isp": {"families": ["ipv4", "ipv6"], "nat": "carrier-grade"}, "home": {"parent": "isp", "nat": "symmetric"}},
    "hosts": {"a": "home", "b": "internet"}})");
  EXPECT_EQ(run.network.lans[1].parent, "isp");
  EXPECT_TRUE(run.network.lans[1].ipv6);
  EXPECT_TRUE(run.network.hosts[0].ipv6);
  EXPECT_FALSE(run.network.hosts[1].ipv6);
  EXPECT_TRUE(run.network.hosts[2].ipv6);
  EXPECT_TRUE(run.servers[1].ipv6_relay);
}

TEST(LoaderTest, AHostCanBeInSeveralNetworks) {
  const RunSpec run = One(R"({"networks": {"w": {}, "m": {}},
    "hosts": {"a": {"networks": ["w", {"network": "m", "link": "lte"}]}, "b": "internet"}})");
  ASSERT_EQ(run.network.hosts[0].attachments.size(), 2u);
  EXPECT_TRUE(run.network.hosts[0].attachments[0].access.up.delay == TimeDelta::Zero());
  EXPECT_EQ(run.network.hosts[0].attachments[1].access.up.delay, TimeDelta::Micros(26'550));
}

TEST(LoaderTest, EveryCauseThatARunCanReportMayBeExpected) {
  const RunSpec run = One(R"({
    "networks": {"n": {"firewall": {"rules": [{"name": "no-udp", "action": "deny", "direction": "outbound"}]}}},
    "hosts": {"a": "n", "b": "n"}, "expect": {"call": {"cause": [
      "nat.filter.address-dependent", "firewall.default-deny-in", "firewall.rule:no-udp", "link.burst-loss",
      "ip.ttl", "udp.no-socket", "icmp.checksum", "stun.no-answer", "stun.error-500", "turn.no-answer",
      "turn.error-486", "turn.peer-refused-403", "turn.allocation-lost"]}}})");
  EXPECT_EQ(run.expectations.at(0).value.size(), 13u);
}

// A rule's name may come from the matrix.
TEST(LoaderTest, AnExpectationOfOtherRunsMayNameTheirFirewallRule) {
  const std::string text = R"({
    "matrix": {"cartesian": {"rule": ["x", "y"]}},
    "networks": {"n": {"firewall": {"rules": [{"name": "${rule}", "action": "deny", "direction": "outbound"}]}}},
    "hosts": {"a": "n", "b": "n"},
    "expect": {"when": {"rule": "x"}, "call": {"cause": "firewall.rule:x"}}})";
  EXPECT_EQ(Complaints(text), "");
  EXPECT_EQ(LoadText(text, "t.json").runs.size(), 2u);
}

// RFC 5780 discovery waits for answers that never come, and a lifetime is found by waiting.
TEST(LoaderTest, ProbesHaveTheTimeThatTheyNeed) {
  const auto longest = [](const std::string& probes) {
    return One(R"({"hosts": {"a": "internet"}, "probes": {)" + probes + "}}").max_duration;
  };
  EXPECT_EQ(longest(R"("p": "a")"), TimeDelta::Seconds(600));
  EXPECT_EQ(longest(R"("p": {"host": "a", "start": "5 min"})"), TimeDelta::Seconds(900));
  EXPECT_EQ(longest(R"("p": {"host": "a", "lifetime": true}, "q": "a")"),
            TimeDelta::Seconds(3 * 3600));
  EXPECT_EQ(longest(R"("p": {"host": "a", "lifetime": true, "start": "23 h"})"),
            TimeDelta::Seconds(24 * 3600));
  EXPECT_EQ(longest(R"("p": "a"}, "max_duration": "30 s", "networks": {)"), TimeDelta::Seconds(30));
}

TEST(LoaderTest, EndpointOptionsAreLaidOverTheSessions) {
  const RunSpec run = One(R"({"hosts": {"a": "internet", "b": "internet"}, "sessions": {"s": {
    "between": ["a", "b"], "signalling_delay": "80 ms", "start": "1 s",
    "ice": {"trickle": "half", "ta": "5 ms", "prefer": "ipv4", "servers": ["turn"]},
    "endpoints": {"b": {"mode": "lite", "trickle": "none", "nomination": "aggressive", "policy": "relay", "consent": false}},
    "actions": [{"at": "2 s", "do": "send-data", "host": "b", "count": 5, "size": "100 B", "interval": "1 s"},
                {"at": "3 s", "do": "link-down", "host": "a"}]}}})");
  const SessionSpec& session = run.sessions[0];
  EXPECT_EQ(session.signalling_delay, TimeDelta::Millis(80));
  EXPECT_EQ(session.a.ice.trickle, IceSpec::Trickle::kHalf);
  EXPECT_EQ(session.b.ice.trickle, IceSpec::Trickle::kNone);
  EXPECT_EQ(session.b.ice.ta, TimeDelta::Millis(5));
  EXPECT_TRUE(session.b.ice.lite && session.b.ice.aggressive_nomination && !session.a.ice.lite);
  EXPECT_EQ(session.b.ice.policy, IceSpec::Policy::kRelay);
  EXPECT_FALSE(session.b.ice.consent);
  EXPECT_FALSE(session.b.ice.prefer_ipv6);
  EXPECT_EQ(session.b.ice.servers, std::vector<std::string>{"turn"});
  ASSERT_EQ(session.actions.size(), 2u);
  EXPECT_EQ(session.actions[0].kind, ActionSpec::Kind::kSendData);
  EXPECT_EQ(session.actions[0].count, 5);
  EXPECT_EQ(session.actions[0].size, 100);
  EXPECT_EQ(session.actions[1].kind, ActionSpec::Kind::kLinkDown);
  EXPECT_EQ(session.actions[1].target, "a");
}

TEST(LoaderTest, TurnServerOptions) {
  const RunSpec run = One(R"({"hosts": {"a": "internet", "b": "internet"}, "servers": {"t": {
    "type": "turn", "port": 5000, "username": "u", "password": "p", "client_password": "q", "max_lifetime": "10 min",
    "user_quota": 3, "allow_private_peers": true, "families": ["ipv4", "ipv6"], "relay_families": ["ipv6"], "silent": true,
    "link": {"delay": "5 ms"}}}})");
  const ServerSpec& server = run.servers[0];
  EXPECT_EQ(server.port, 5000);
  EXPECT_EQ(server.username, "u");
  EXPECT_EQ(server.client_password, "q");
  EXPECT_EQ(server.max_lifetime, TimeDelta::Seconds(600));
  EXPECT_EQ(server.user_quota, 3);
  EXPECT_TRUE(server.allow_private_peers && server.ipv6_relay && !server.ipv4_relay &&
              server.silent);
  EXPECT_EQ(run.network.hosts[2].attachments[0].access.down.delay, TimeDelta::Millis(5));
}

TEST(LoaderTest, AProbeMakesTheServerDiscover) {
  const RunSpec run =
      One(R"({"networks": {"n": {"nat": "symmetric"}}, "hosts": {"a": "n"}, "probes": {"p": "a"},
    "expect": {"p": {"mapping": "address-and-port-dependent"}}})");
  EXPECT_TRUE(run.sessions.empty());
  EXPECT_EQ(run.probes[0].server, "stun");
  EXPECT_TRUE(run.servers[0].behaviour_discovery);
  EXPECT_EQ(run.network.hosts[1].name, "stun");
  EXPECT_EQ(run.network.hosts[1].addresses, 2);
}

TEST(LoaderTest, ExpectationsKeepPointerReasonAndValue) {
  const RunSpec run =
      One(R"({"hosts": {"a": "internet", "b": "internet"}, "expect": {"because": "outer", "call": {
    "state": "connected", "local": ["host", "srflx"], "ice_connected": {"max": "1.5 s"},
    "gathering": {"equals": "200 ms", "tolerance": "10 %"}, "checks_sent": {"equals": 10, "tolerance": 2}}}})");
  ASSERT_EQ(run.expectations.size(), 5u);
  EXPECT_EQ(run.expectations[0].pointer, "/expect/call/state");
  EXPECT_EQ(run.expectations[0].because, "outer");
  EXPECT_EQ(run.expectations[1].value, Json({"host", "srflx"}));
  EXPECT_EQ(run.expectations[2].value, Json({{"max", 1500.0}}));
  EXPECT_EQ(run.expectations[3].value, Json({{"equals", 200.0}, {"tolerance", 20.0}}));
  EXPECT_EQ(run.expectations[4].value, Json({{"equals", 10}, {"tolerance", 2.0}}));
}

TEST(LoaderTest, TheMatrixIsCartesianAndPaired) {
  const LoadResult result = LoadText(R"({
    "matrix": {"cartesian": {"nat": ["none", "symmetric"]}, "paired": {"d": ["1 ms", "2 ms"], "n": [7, 8]},
               "exclude": [{"nat": "none", "n": 8}]},
    "networks": {"n": {"nat": "${nat}", "link": {"delay": "${d}", "queue_packets": "${n}"}}},
    "hosts": {"a": "n", "b": "n"}, "seeds": [5, 6],
    "expect": [{"when": {"nat": "symmetric"}, "call": {"state": "failed"}}, {"call": {"local": "host"}}]})",
                                     "dir/m.json");
  ASSERT_TRUE(result.ok()) << result.diagnostics[0].ToString();
  EXPECT_EQ(result.suite, "m");
  EXPECT_EQ(Ids(result),
            (std::vector<std::string>{
                "m/nat=none,d=1-ms,n=7/seed=5", "m/nat=none,d=1-ms,n=7/seed=6",
                "m/nat=symmetric,d=1-ms,n=7/seed=5", "m/nat=symmetric,d=1-ms,n=7/seed=6",
                "m/nat=symmetric,d=2-ms,n=8/seed=5", "m/nat=symmetric,d=2-ms,n=8/seed=6"}));
  EXPECT_EQ(result.runs[4].parameters, Json({{"nat", "symmetric"}, {"d", "2 ms"}, {"n", 8}}));
  EXPECT_EQ(result.runs[4].network.lans[0].uplink.up.queue_packets, 8);
  EXPECT_EQ(result.runs[4].network.seed, 5u);
  EXPECT_FALSE(result.runs[0].network.lans[0].nat.has_value());
  EXPECT_EQ(result.runs[0].expectations.size(), 1u);
  EXPECT_EQ(result.runs[2].expectations.size(), 2u);
  EXPECT_EQ(result.runs[2].expectations[0].pointer, "/expect/0/call/state");
}

TEST(LoaderTest, AParameterCanBeAnyValueAndPartsOfATextAreScalars) {
  const LoadResult result = LoadText(R"({
    "matrix": {"cartesian": {"nat": [{"label": "odd one", "value": {"mapping": "address-dependent"}}, "none"], "ms": "1..2"}},
    "networks": {"n": {"nat": "${nat}", "link": {"delay": "${ms}.5 ms"}}}, "hosts": {"a": "n", "b": "n"}})",
                                     "m.json");
  ASSERT_TRUE(result.ok()) << result.diagnostics[0].ToString();
  EXPECT_EQ(result.runs[1].id, "m/nat=odd-one,ms=2/seed=1");
  EXPECT_EQ(result.runs[1].parameters, Json({{"nat", "odd one"}, {"ms", 2}}));
  EXPECT_EQ(result.runs[1].network.lans[0].nat->mapping, sim::Mapping::kAddressDependent);
  EXPECT_EQ(result.runs[1].network.lans[0].uplink.up.delay, TimeDelta::Micros(2500));
}

TEST(LoaderTest, AScenarioOfASuiteIsLaidOverWhatTheyShare) {
  const LoadResult result = LoadText(R"({"suite": "pairs",
    "common": {"networks": {"n": {"nat": "symmetric", "link": "dsl"}}, "hosts": {"a": "n", "b": "n"}, "seeds": 2},
    "scenarios": {"plain": {}, "open": {"networks": {"n": {"nat": "full-cone", "link": null}}, "seeds": 1}}})",
                                     "x.json");
  ASSERT_TRUE(result.ok()) << result.diagnostics[0].ToString();
  EXPECT_EQ(Ids(result), (std::vector<std::string>{"pairs/plain/seed=1", "pairs/plain/seed=2",
                                                   "pairs/open/seed=1"}));
  EXPECT_EQ(result.runs[2].network.lans[0].nat->mapping, sim::Mapping::kEndpointIndependent);
  EXPECT_EQ(result.runs[2].network.lans[0].uplink, sim::LinkSpec{});
  EXPECT_EQ(result.runs[2].scenario, "open");
}

TEST(LoaderTest, IdsOfLikeLookingValuesDiffer) {
  const LoadResult result = LoadText(R"({"matrix": {"cartesian": {"x": ["a b", "a-b", "a/b"]}},
    "hosts": {"a": "internet", "b": "internet"}})",
                                     "m.json");
  EXPECT_EQ(Ids(result),
            (std::vector<std::string>{"m/x=a-b/seed=1", "m/x=a-b~2/seed=1", "m/x=a-b~3/seed=1"}));
}

TEST(LoaderTest, SeedsFromOutsideReplaceTheFiles) {
  const std::string text = R"({"hosts": {"a": "internet", "b": "internet"}, "seeds": 3})";
  EXPECT_EQ(LoadText(text, "m.json").runs.size(), 3u);
  LoadOptions nine;
  nine.seeds = {9};
  EXPECT_EQ(Ids(LoadText(text, "m.json", nine)), std::vector<std::string>{"m/seed=9"});
}

TEST(LoaderTest, TheDigestFollowsTheText) {
  const std::string text = R"({"hosts": {"a": "internet", "b": "internet"}})";
  EXPECT_EQ(LoadText(text, "a.json").digest, LoadText(text, "b.json").digest);
  EXPECT_NE(LoadText(text, "a.json").digest, LoadText(text + " ", "a.json").digest);
  EXPECT_EQ(LoadText(text, "a.json").digest.size(), 16u);
}

TEST(ParseSeedsTest, ListsAndRanges) {
  EXPECT_EQ(*ParseSeeds("7"), (std::vector<uint64_t>{7}));
  EXPECT_EQ(*ParseSeeds("1,5,10..12"), (std::vector<uint64_t>{1, 5, 10, 11, 12}));
  EXPECT_EQ(ParseSeeds("1..100")->size(), 100u);
  for (const char* bad : {"", "x", "1..", "..2", "3..1", "1,", "1,1", "-1", "1..50001",
                          "9223372036854775808", "1 ..2"}) {
    EXPECT_FALSE(ParseSeeds(bad).has_value()) << bad;
  }
}

TEST(ReadmeTest, EveryExampleLoads) {
  const std::string text = ReadText(RoomDirectory() / "README.md");
  int examples = 0;
  for (std::size_t at = 0; (at = text.find("```json\n", at)) != std::string::npos; ++examples) {
    at += 8;
    EXPECT_EQ(Complaints(text.substr(at, text.find("```", at) - at)), "");
  }
  EXPECT_EQ(examples, 5);
}

TEST(ReadmeTest, NamesEveryLinkPresetAndTheRunsOfEverySuite) {
  const std::string text = ReadText(RoomDirectory() / "README.md");
  for (const std::string& name : LinkPresetNames()) EXPECT_THAT(text, testing::HasSubstr(name));
  for (const auto& file : SuiteFiles()) {
    const std::string row =
        "| `" + file.stem().string() + "` | " + std::to_string(Load(file).runs.size()) + " |";
    EXPECT_THAT(text, testing::HasSubstr(row));
  }
}

TEST(ListingTest, ChecksAndListsFiles) {
  const std::filesystem::path good = RoomDirectory() / "suites" / "quickstart.json";
  const std::vector<std::filesystem::path> files = {good, "no.json"};
  const Listing check = CheckFiles(files);
  EXPECT_EQ(check.out, good.string() + ": ok, 1 run\n");
  EXPECT_EQ(check.err, "no.json: there is no such file\n");
  EXPECT_EQ(check.exit_code, 2);
  const Listing list = ListFiles(std::span(files).first(1));
  EXPECT_EQ(list.out, "quickstart/seed=1\t{}\t1\n");
  EXPECT_EQ(list.exit_code, 0);
}

}  // namespace
}  // namespace rtclab::scenarios
