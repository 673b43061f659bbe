// Bad input, as text: each gets one message that names the place, what was expected and the nearest valid name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/test_util.h"

namespace rtclab::scenarios {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct BadFile {
  const char* name;
  std::string text;
  std::string place;    // what the message starts with, after "t.json"
  std::string message;  // a part of the rest
};

std::string Hosts(const std::string& rest) {
  return R"({"hosts": {"a": "internet", "b": "internet"}, )" + rest + "}";
}

std::vector<BadFile> Syntax() {
  return {
      {"Empty", "", ": is empty", "\"hosts\""},
      {"Blank", " \n\t ", ": is empty", ""},
      {"ByteOrderMark", "\xEF\xBB\xBF{}", ": begins with a byte order mark", "UTF-8"},
      {"Utf16", std::string("\xFF\xFE{\0", 4), ": is UTF-16", "UTF-8"},
      {"NotUtf8", "{\n \"a\": \"\xC3(\"}", ":2:9: (top level): ", "ill-formed UTF-8"},
      {"Null", std::string("{\0}", 3), ":1:2: (top level): ", "syntax error"},
      {"Truncated", "{\"hosts\": {\"a\"",
       ":1:15: /hosts: ", "unexpected end of input; expected ':'"},
      {"TrailingComma", "{\"hosts\": {\"a\": \"internet\",}}",
       ":1:28: /hosts: ", "expected string literal"},
      {"Comment", "{\n  // why\n}", ":2:3: (top level): ", "no comments"},
      {"TwoValues", "{} {}", ":1:4: (top level): ", "expected end of input"},
      {"NotANumber", "{\"seeds\": NaN}", ":1:11: (top level): ", "invalid literal"},
      {"HugeNumber", "{\"seeds\": 1e999}", ":1:15: (top level): ", "number overflow"},
      {"DuplicateKey", "{\"hosts\": {\"a\": \"internet\",\n \"a\": \"internet\"}}",
       ":2:2: /hosts/a: ", "given twice"},
      {"DeepArrays", std::string(100'000, '['), ":1:65: (top level): ", "more than 64 levels"},
      {"DeepObjects",
       [] {
         std::string s;
         for (int i = 0; i < 5000; ++i) s += "{\"a\":";
         return s;
       }(),
       ":1:321: ", "64 levels"},
      {"TooLarge", std::string(2'000'000, ' '), ": has 2000000 bytes", "at most 1048576"},
      {"Scalar", "42", ":1:1: (top level): ", "found the number 42"},
      {"List", "[]", ":1:1: (top level): ", "found a list"},
  };
}

std::vector<BadFile> Structure() {
  return {
      {"NoHosts", "{}", ":1:1: (top level): ", "lacks the key \"hosts\""},
      {"EmptyHosts", R"({"hosts": {}})", ":1:11: /hosts: ", "at least one"},
      {"UnknownKey", Hosts(R"("netwroks": {})"),
       ":1:47: /netwroks: unknown key \"netwroks\"; did you mean \"networks\"?",
       "one of: $schema, description"},
      {"UnknownNatPreset",
       "{\n  \"networks\": {\n    \"home\": { \"nat\": \"port-restricted-con\" }\n  },\n  "
       "\"hosts\": {\"a\": \"home\", \"b\": \"home\"}\n}",
       ":3:22: /networks/home/nat: unknown NAT preset \"port-restricted-con\"; did you mean "
       "\"port-restricted-cone\"? (one of: none, ",
       "symmetric"},
      {"UnknownLinkPreset", Hosts(R"("networks": {"n": {"link": "fibre"}})"),
       ":1:74: /networks/n/link: unknown link preset", "did you mean \"fiber\"?"},
      {"UnknownMapping", Hosts(R"("networks": {"n": {"nat": {"mapping": "endpoint"}}})"),
       ":1:85: /networks/n/nat/mapping: ", "did you mean \"endpoint-independent\"?"},
      {"WrongType", Hosts(R"("networks": {"n": {"nat": 7}})"), ":1:73: /networks/n/nat: ",
       "expected a NAT: a preset's name or an object of behaviours, found the number 7"},
      {"NoUnit", Hosts(R"("networks": {"n": {"link": {"delay": "20"}}})"),
       ":1:84: /networks/n/link/delay: ", "has no unit"},
      {"NumberForQuantity", Hosts(R"("networks": {"n": {"link": {"delay": 20}}})"),
       ":1:84: /networks/n/link/delay: ",
       "quantities are strings with a unit (one of: ns, us, ms, s, min, h)"},
      {"WrongUnit", Hosts(R"("networks": {"n": {"link": {"delay": "20 msec"}}})"),
       ":1:84: /networks/n/link/delay: ", "unknown unit \"msec\"; did you mean \"ms\"?"},
      {"UnitOfAnotherKind", Hosts(R"("networks": {"n": {"link": {"rate": "20 ms"}}})"),
       ":1:83: /networks/n/link/rate: ", "expected one of: bit/s, kbit/s, Mbit/s, Gbit/s"},
      {"NoSpace", Hosts(R"("networks": {"n": {"link": {"delay": "20ms"}}})"),
       ":1:84: ", "expected \"20 ms\""},
      {"NegativeDelay", Hosts(R"("networks": {"n": {"link": {"delay": "-20 ms"}}})"),
       ":1:84: /networks/n/link/delay: ", "is negative"},
      {"LossOver100", Hosts(R"("networks": {"n": {"link": {"loss": "101 %"}}})"),
       ":1:83: ", "more than the largest value allowed, 100 %"},
      {"ZeroRate", Hosts(R"("networks": {"n": {"link": {"rate": "0 bit/s"}}})"),
       ":1:83: ", "is zero"},
      {"LongDelay", Hosts(R"("networks": {"n": {"link": {"delay": "2 min"}}})"),
       ":1:84: ", "60 s that a link may take"},
      {"PortOutOfRange", Hosts(R"("servers": {"s": {"type": "stun", "port": 65536}})"),
       ":1:89: /servers/s/port: ", "65536 is out of range; expected 1 to 65534"},
      {"FractionalCount", Hosts(R"("servers": {"s": {"type": "stun", "port": 3478.5}})"),
       ":1:89: ", "whole number"},
      {"BadName", R"({"hosts": {"a b": "internet"}})", ":1:12: /hosts/a b: ", "is no name"},
      {"OneHostSession", Hosts(R"("sessions": {"s": {"between": ["a"]}})"),
       ":1:77: /sessions/s/between: ", "expected a list of two hosts, found 1 entries"},
      {"PointerIsEscaped", Hosts(R"("a/b~c": 1)"), ":1:47: /a~1b~0c: ", "unknown key"},
  };
}

std::vector<BadFile> Topology() {
  return {
      {"UnknownNetwork", R"({"networks": {"home": {}}, "hosts": {"a": "hoem", "b": "home"}})",
       ":1:43: /hosts/a: ", "unknown network \"hoem\"; did you mean \"home\"?"},
      {"UnknownParent",
       R"({"networks": {"home": {"parent": "isp"}}, "hosts": {"a": "home", "b": "home"}})",
       ":1:34: /networks/home/parent: ", "unknown network \"isp\""},
      {"ParentCycle",
       R"({"networks": {"x": {"parent": "y"}, "y": {"parent": "z"}, "z": {"parent": "x"}}, "hosts": {"a": "x", "b": "y"}})",
       ":1:31: /networks/x/parent: ", "its own ancestor (x -> y -> z -> x)"},
      {"OwnParent", R"({"networks": {"x": {"parent": "x"}}, "hosts": {"a": "x", "b": "x"}})",
       ":1:31: ", "its own ancestor"},
      {"FamilyThatTheParentLacks",
       R"({"networks": {"isp": {}, "home": {"parent": "isp", "families": ["ipv6"]}}, "hosts": {"a": "home", "b": "home"}})",
       ":1:64: /networks/home/families: ", "has only ipv4"},
      {"HostWithoutFamily",
       R"({"networks": {"n": {"families": ["ipv6"]}}, "hosts": {"a": {"network": "n", "families": ["ipv4"]}, "b": "n"}})",
       ":1:89: /hosts/a/families: ", "they have only ipv6"},
      {"NoFamilyInCommon",
       R"({"networks": {"n": {"families": ["ipv6"]}}, "hosts": {"a": "internet", "b": "n"}, "servers": {}})",
       ":1:54: /hosts: ", "no address family in common"},
      {"SessionWithItself", Hosts(R"("sessions": {"s": {"between": ["a", "a"]}})"),
       ":1:77: /sessions/s/between: ", "with itself"},
      {"UnknownHost", Hosts(R"("sessions": {"s": {"between": ["a", "bb"]}})"),
       ":1:83: /sessions/s/between/1: ", "unknown host \"bb\"; did you mean \"b\"?"},
      {"NameTwice", R"({"networks": {"a": {}}, "hosts": {"a": "a", "b": "a"}})",
       ":1:35: /hosts/a: ", "already belongs to a network"},
      {"ServerTakesAHostsName",
       R"({"hosts": {"stun": "internet", "b": "internet"}, "servers": {"stun": "stun"}})",
       ":1:62: /servers/stun: ", "already belongs to a host"},
      {"ReservedName",
       R"({"networks": {"internet": {}}, "hosts": {"a": "internet", "b": "internet"}})",
       ":1:15: ", "belongs to the core"},
      {"SamePort",
       Hosts(
           R"("servers": {"s": {"type": "stun", "host": "a"}, "t": {"type": "turn", "host": "a"}})"),
       ":1:100: /servers/t: ", "already belongs to the server \"s\""},
      {"UnknownServer",
       Hosts(R"("sessions": {"s": {"between": ["a", "b"], "ice": {"servers": ["trun"]}}})"),
       ":1:109: /sessions/s/ice/servers/0: ", "did you mean \"turn\"?"},
      {"TurnOptionOfStun", Hosts(R"("servers": {"s": {"type": "stun", "user_quota": 1}})"),
       ":1:81: /servers/s/user_quota: ", "is for a turn server"},
      {"LoneHost", R"({"hosts": {"a": "internet"}})", ":1:11: /hosts: ", "nothing to run"},
      {"RebootWithoutNat",
       R"({"networks": {"n": {}}, "hosts": {"a": "n", "b": "n"}, "sessions": {"s": {"between": ["a", "b"], "actions": [{"at": "1 s", "do": "nat-reboot", "network": "n"}]}}})",
       ":1:155: /sessions/s/actions/0/network: ", "has no NAT"},
      {"ActionAfterTheEnd",
       Hosts(
           R"("sessions": {"s": {"between": ["a", "b"], "actions": [{"at": "2 min", "do": "ice-restart", "host": "a"}]}})"),
       ":1:108: /sessions/s/actions/0/at: ", "after the run's end"},
      {"ShortestOverLongest", Hosts(R"("min_duration": "2 min")"),
       ":1:63: /min_duration: ", "more than the run may take, 60 s"},
      {"BadPrefix",
       R"({"networks": {"n": {"firewall": {"rules": [{"name": "r", "action": "deny", "direction": "inbound", "remote": "10.0.0.0/33"}]}}}, "hosts": {"a": "n", "b": "n"}})",
       ":1:110: ", "is no address or prefix"},
      {"BadPorts",
       R"({"networks": {"n": {"firewall": {"rules": [{"name": "r", "action": "deny", "direction": "inbound", "local_ports": "9-1"}]}}}, "hosts": {"a": "n", "b": "n"}})",
       ":1:115: ", "is no port or range"},
      {"PortsUpsideDown",
       R"({"networks": {"n": {"nat": {"port_low": 9, "port_high": 8}}}, "hosts": {"a": "n", "b": "n"}})",
       ":1:41: ", "above the highest, 8"},
      {"ProbeWithoutServer",
       R"({"hosts": {"a": "internet"}, "servers": {"t": "turn"}, "probes": {"p": "a"}})",
       ":1:72: /probes/p: ", "no stun server"},
      {"ProbeWithoutAFamilyInCommon",
       R"({"networks": {"n": {"families": ["ipv6"]}}, "hosts": {"a": "n"}, "servers": {"s": {"type": "stun", "families": ["ipv4"]}}, "probes": {"p": "a"}})",
       ":1:140: /probes/p: ",
       "\"a\" (ipv6) and the server \"s\" (ipv4) have no address family in common"},
      {"ProbeOfANamedServerWithoutAFamilyInCommon",
       R"({"hosts": {"a": "internet"}, "servers": {"s": {"type": "stun", "families": ["ipv6"]}}, "probes": {"p": {"host": "a", "server": "s"}}})",
       ":1:128: /probes/p/server: ", "no address family in common"},
  };
}

std::vector<BadFile> MatrixAndExpect() {
  return {
      {"EmptyMatrix", Hosts(R"("matrix": {})"), ":1:57: /matrix: ", "empty matrix"},
      {"EmptyAxis", Hosts(R"("matrix": {"cartesian": {"x": []}})"),
       ":1:77: /matrix/cartesian/x: ", "found 0"},
      {"Explosion", Hosts(R"("matrix": {"cartesian": {"x": "1..1000", "y": "1..1000"}})"),
       ":1:57: /matrix: ", "more than 50000 combinations"},
      {"HugeRange", Hosts(R"("matrix": {"cartesian": {"x": "0..9223372036854775807"}})"),
       ":1:77: ", "too many values"},
      {"SeedExplosion", Hosts(R"("seeds": "1..50000", "matrix": {"cartesian": {"x": "1..2"}})"),
       ":1:78: /matrix: ", "more than 50000 runs"},
      {"UnequalPairs", Hosts(R"("matrix": {"paired": {"x": [1, 2], "y": [1]}})"),
       ":1:87: /matrix/paired/y: ", "equally many"},
      {"RepeatedValue", Hosts(R"("matrix": {"cartesian": {"x": [1, 1]}})"),
       ":1:81: /matrix/cartesian/x/1: ", "is twice"},
      {"UnlabelledObject", Hosts(R"("matrix": {"cartesian": {"x": [{}]}})"),
       ":1:78: /matrix/cartesian/x/0: ", "needs a label"},
      {"UnknownList", Hosts(R"("matrix": {"cartesian": {"x": "nat-preset"}})"),
       ":1:77: ", "did you mean \"nat-presets\"?"},
      {"ExcludesAll", Hosts(R"("matrix": {"cartesian": {"x": [1]}, "exclude": [{"x": 1}]})"),
       ":1:57: /matrix: ", "leaves no combination"},
      {"UnknownParameter",
       Hosts(
           R"("matrix": {"cartesian": {"delay": ["1 ms"]}}, "networks": {"n": {"link": {"delay": "${dealy}"}}})"),
       ":1:130: /networks/n/link/delay: ", "unknown parameter \"dealy\"; did you mean \"delay\"?"},
      {"ParameterWithoutMatrix", Hosts(R"("networks": {"n": {"nat": "${nat}"}})"),
       ":1:73: ", "there is no matrix"},
      {"WrongValueInTheMatrix",
       R"({"matrix": {"cartesian": {"nat": ["none", "symetric"]}}, "networks": {"n": {"nat": "${nat}"}}, "hosts": {"a": "n", "b": "n"}})",
       ":1:43: /matrix/cartesian/nat/1: ", "did you mean \"symmetric\"?"},
      {"NoSeeds", Hosts(R"("seeds": [])"), ":1:56: /seeds: ", "1 to 50000 entries"},
      {"BadSeeds", Hosts(R"("seeds": "1-5")"), ":1:56: /seeds: ", "is no list of seeds"},
      {"SeedTwice", Hosts(R"("seeds": [3, 3])"), ":1:60: /seeds/1: ", "given twice"},
      {"UnknownSubject", Hosts(R"("expect": {"cal": {"state": "connected"}})"),
       ":1:58: /expect/cal: ", "did you mean \"call\"?"},
      {"UnknownExpectation", Hosts(R"("expect": {"call": {"stat": "connected"}})"),
       ":1:67: /expect/call/stat: ", "did you mean \"state\"?"},
      {"UnknownState", Hosts(R"("expect": {"call": {"state": ["conected"]}})"),
       ":1:77: /expect/call/state/0: ", "did you mean \"connected\"?"},
      {"EmptyRange", Hosts(R"("expect": {"call": {"checks_sent": {}}})"),
       ":1:82: /expect/call/checks_sent: ", "\"min\" or \"max\""},
      {"RangeUpsideDown", Hosts(R"("expect": {"call": {"checks_sent": {"min": 2, "max": 1}}})"),
       ":1:82: ", "more than \"max\""},
      {"UnknownAxisInWhen",
       Hosts(R"("matrix": {"cartesian": {"x": [1]}}, "expect": {"when": {"y": 1}, "call": {}})"),
       ":1:104: /expect/when/y: ", "no axis \"y\""},
      {"UnknownValueInWhen",
       Hosts(
           R"("matrix": {"cartesian": {"x": ["on"]}}, "expect": {"when": {"x": "no"}, "call": {}})"),
       ":1:112: /expect/when/x: ", "is no value of the axis \"x\""},
      {"UnknownGroup",
       Hosts(
           R"("matrix": {"cartesian": {"x": [1]}, "groups": {"odd": [1]}}, "expect": {"when": {"x": "@od"}, "call": {}})"),
       ":1:133: /expect/when/x: ", "did you mean \"@odd\"?"},
      {"GroupWithAnUnknownValue",
       Hosts(
           R"("matrix": {"cartesian": {"x": ["on", "off"], "y": [1]}, "groups": {"g": ["offf"]}}, "expect": {"when": {"x": "@g"}, "call": {}})"),
       ":1:120: /matrix/groups/g/0: ", "is no value of any axis; did you mean \"off\"?"},
      {"GroupWithAnotherAxisValue",
       Hosts(
           R"("matrix": {"cartesian": {"x": ["on", "off"], "y": [1]}, "groups": {"g": ["on", 1]}}, "expect": {"when": {"x": "@g"}, "call": {}})"),
       ":1:126: /matrix/groups/g/1: ", "is no value of the axis \"x\""},
      {"UnknownCause", Hosts(R"("expect": {"call": {"cause": "nat/nonexistent"}})"),
       ":1:76: /expect/call/cause: ", "unknown rule \"nat/nonexistent\""},
      {"MisspeltCause", Hosts(R"("expect": {"call": {"cause": ["link.loss", "nat.no-maping"]}})"),
       ":1:90: /expect/call/cause/1: ", "did you mean \"nat.no-mapping\"?"},
      {"CauseWithoutACode", Hosts(R"("expect": {"call": {"cause": "turn.error-48"}})"),
       ":1:76: /expect/call/cause: ", "did you mean \"turn.error-486\"?"},
      {"CauseOfNoFirewallRule",
       R"({"networks": {"n": {"firewall": {"rules": [{"name": "no-udp", "action": "deny", "direction": "outbound"}]}}}, "hosts": {"a": "n", "b": "n"}, "expect": {"call": {"cause": "firewall.rule:noudp"}}})",
       ":1:171: /expect/call/cause: ", "did you mean \"firewall.rule:no-udp\"?"},
      {"NoScenarios", R"({"scenarios": {}})", ":1:15: /scenarios: ", "no scenarios"},
      {"ScenarioIsNoObject", R"({"scenarios": {"s": 1}})",
       ":1:21: /scenarios/s: ", "expected a scenario"},
      {"MistakeInCommon",
       R"({"common": {"hosts": {"a": "internet", "b": "intrenet"}}, "scenarios": {"s": {}, "t": {}}})",
       ":1:45: /common/hosts/b: ", "did you mean \"internet\"?"},
  };
}

// 129 networks with 256 addresses each are 4 more than the internet has.
std::string ManyGateways(int networks) {
  std::string text = "{\"networks\": {";
  for (int i = 0; i < networks; ++i) {
    text += (i == 0 ? "" : ",") + ("\n\"n" + std::to_string(i) +
                                   "\": {\"nat\": \"symmetric\", \"external_addresses\": 256}");
  }
  return text + "}, \"hosts\": {\"a\": \"n0\", \"b\": \"n1\"}}";
}

void PrintTo(const BadFile& bad, std::ostream* out) { *out << bad.name; }

class LoaderErrorsTest : public testing::TestWithParam<BadFile> {};

TEST_P(LoaderErrorsTest, OneMessageThatNamesPlaceAndRemedy) {
  const BadFile& bad = GetParam();
  const LoadResult result = LoadText(bad.text, "t.json");
  ASSERT_EQ(result.diagnostics.size(), 1u) << Complaints(bad.text);
  EXPECT_TRUE(result.runs.empty());
  const std::string line = result.diagnostics[0].ToString();
  EXPECT_THAT(line, StartsWith("t.json" + bad.place));
  EXPECT_THAT(line, HasSubstr(bad.message));
  EXPECT_LT(line.size(), 1500u);
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

std::string Name(const testing::TestParamInfo<BadFile>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Syntax, LoaderErrorsTest, testing::ValuesIn(Syntax()), Name);
INSTANTIATE_TEST_SUITE_P(Structure, LoaderErrorsTest, testing::ValuesIn(Structure()), Name);
INSTANTIATE_TEST_SUITE_P(Topology, LoaderErrorsTest, testing::ValuesIn(Topology()), Name);
INSTANTIATE_TEST_SUITE_P(MatrixAndExpect, LoaderErrorsTest, testing::ValuesIn(MatrixAndExpect()),
                         Name);

TEST(LoaderFilesTest, MissingFilesAndDirectoriesAreNamed) {
  EXPECT_EQ(Load("no/such.json").diagnostics.at(0).ToString(),
            "no/such.json: there is no such file");
  EXPECT_THAT(Load(RoomDirectory()).diagnostics.at(0).ToString(),
              HasSubstr("is a directory; expected a scenario file"));
  EXPECT_THAT(Load("/dev/zero").diagnostics.at(0).ToString(),
              HasSubstr("has more than 1048576 bytes"));
}

TEST(LoaderCapacityTest, ANetworkWithMoreAddressesThanThereAreIsRefused) {
  EXPECT_EQ(Complaints(ManyGateways(128)), "");
  EXPECT_EQ(
      Complaints(ManyGateways(129)),
      "t.json:130:52: /networks/n128/external_addresses: needs more addresses than there are: "
      "the networks on the core need 33024 IPv4 addresses for their gateways; there are 33020");
}

TEST(LoaderLiteTest, AnAgentWithoutAnAddressOfItsOwnOnTheInternetIsRefused) {
  const auto complaints = [](const std::string& nat, const std::string& ice) {
    return Complaints(R"({"networks": {"n": {"families": ["ipv4", "ipv6"], "nat": )" + nat + R"(}},
"hosts": {"a": {"network": "n", "families": ["ipv4"]}, "b": "n", "c": "internet"}, "sessions": {"s": {)" +
                      ice + "}}}");
  };
  EXPECT_EQ(complaints("\"symmetric\"",
                       R"("between": ["a", "c"],
"ice": {"mode": "lite"})"),
            "t.json:3:17: /sessions/s/ice/mode: the lite agent \"a\" is behind a NAT; expected one "
            "with an "
            "address of its own on the internet (RFC 8445 section 2.5)");
  EXPECT_THAT(
      complaints("\"symmetric\"", R"("between": ["a", "c"], "endpoints": {"a": {"mode": "lite"}})"),
      HasSubstr("/sessions/s/endpoints/a/mode: the lite agent \"a\""));
  EXPECT_EQ(
      complaints("\"symmetric\"", R"("between": ["a", "c"], "endpoints": {"c": {"mode": "lite"}})"),
      "");
  // IPv6 passes most NATs as it is.
  EXPECT_EQ(complaints("\"symmetric\"", R"("between": ["b", "c"], "ice": {"mode": "lite"})"), "");
  EXPECT_THAT(complaints(R"({"translate_ipv6": true})",
                         R"("between": ["b", "c"], "ice": {"mode": "lite"})"),
              HasSubstr("the lite agent \"b\""));
  EXPECT_EQ(complaints("\"none\"", R"("between": ["a", "c"], "ice": {"mode": "lite"})"), "");
}

TEST(LoaderManyErrorsTest, IndependentOnesAreReportedInTheOrderOfTheFileUpToALimit) {
  const std::string text = "{\"hosts\": {\"a\": \"x\",\n\"b\": \"y\",\n\"c\": \"z\"}}";
  EXPECT_EQ(Complaints(text),
            "t.json:1:17: /hosts/a: unknown network \"x\"; expected one of: internet\n"
            "t.json:2:6: /hosts/b: unknown network \"y\"; expected one of: internet\n"
            "t.json:3:6: /hosts/c: unknown network \"z\"; expected one of: internet");
  LoadOptions two;
  two.max_diagnostics = 2;
  EXPECT_EQ(LoadText(text, "t.json", two).diagnostics.size(), 2u);
}

// What was reported already, or no longer fits, still keeps a broken combination from being resolved.
TEST(LoaderManyErrorsTest, TheSameMistakeInEveryCombinationIsReportedOnce) {
  const std::string text =
      Hosts(R"("matrix": {"cartesian": {"x": "1..5"}}, "expect": {"call": {"stat": "connected"}})");
  EXPECT_EQ(LoadText(text, "t.json").diagnostics.size(), 1u);
  LoadOptions none;
  none.max_diagnostics = 1;
  const std::string two = Hosts(
      R"("matrix": {"cartesian": {"x": "1..5"}}, "expect": {"cal": {}, "call": {"stat": 1}})");
  EXPECT_EQ(LoadText(two, "t.json", none).diagnostics.size(), 1u);
}

TEST(LoaderTruncationTest, NoPrefixOfASuiteLoadsOrThrows) {
  const std::string text = ReadText(RoomDirectory() / "suites" / "quickstart.json");
  for (std::size_t size = 0; size + 2 < text.size(); ++size) {
    const LoadResult result = LoadText(std::string_view(text).substr(0, size), "t.json");
    EXPECT_FALSE(result.ok()) << size;
  }
}

// One parameter that is large, put in at many places, must not make the tree grow without bound.
TEST(LoaderExpansionTest, SubstitutionHasALimit) {
  std::string text = R"({"matrix": {"cartesian": {"x": [{"label": "big", "value": [)";
  for (int i = 0; i < 20'000; ++i) text += i == 0 ? "1" : ",1";
  text += R"(]}]}}, "description": "", "hosts": {"a": "internet", "b": "internet"}, "expect": [)";
  for (int i = 0; i < 20'000; ++i) text += i == 0 ? "\"${x}\"" : ",\"${x}\"";
  text += "]}";
  EXPECT_THAT(Complaints(text), HasSubstr("the parameters make this too large"));
}

}  // namespace
}  // namespace rtclab::scenarios
