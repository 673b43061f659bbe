#include "conformance/report/test_report.h"

#include "stack/base/bytes.h"
#include "stack/stun/message.h"

namespace rtclab::conformance {
namespace {

Case CaseOf(std::string_view id, std::string_view title, Clause clause) {
  Case test_case;
  test_case.id = id;
  test_case.title = title;
  test_case.clauses = {clause};
  return test_case;
}

// Of the whole program's life: results point at them.
const std::vector<Case>& TestCases() {
  static const std::vector<Case> kCases = [] {
    std::vector<Case> cases{
        CaseOf("stun.binding.basic", "A Binding request is answered",
               {"8489", "7.3.1", Level::kMust, "The server MUST answer"}),
        CaseOf("turn.alloc.token-even", "RESERVATION-TOKEN with EVEN-PORT is refused with 400",
               {"8656", "7.2", Level::kProse, "the server rejects the request with a 400"}),
        CaseOf("turn.alloc.known", "A failure that is known",
               {"8656", "7.2", Level::kMust, "the server MUST reject"}),
        CaseOf("turn.refresh.back", "One that is listed as failing and passes",
               {"8656", "8.2", Level::kMustNot, "MUST NOT"}),
        CaseOf("turn.refresh.flaky", "One that fails now and then",
               {"8656", "10.2", Level::kMust, "MUST"}),
        CaseOf("stun.software", "SOFTWARE is in responses",
               {"8489", "14.14", Level::kShould, "It SHOULD include manufacturer and version"}),
        CaseOf("stun.may", "What it does where it may", {"8489", "6.3.1", Level::kMay, "MAY"}),
        CaseOf("tcp.relay", "TCP allocations", {"6062", "5.1", Level::kMust, "MUST"}),
        CaseOf("nat.skip", "Not tried", {"5780", "6.1", Level::kMust, "MUST"}),
        CaseOf("turn.blocked", "A step before failed", {"8656", "B.1", Level::kMust, "MUST"}),
        CaseOf("turn.error", "Our own fault", {"8656", "9", Level::kMust, "MUST"}),
        CaseOf("safety.loopback", "Loopback is not reached through the relay",
               {"CVE-2020-26262", "", Level::kPolicy, "No relaying to loopback"}),
    };
    cases[4].slow = true;
    cases[11].safety = true;
    cases[1].clauses.push_back({"8656", "18.9", Level::kMust, "a <b>second</b> & last clause"});
    return cases;
  }();
  return kCases;
}

Packet PacketOf(int64_t at_us, bool sent, Transport transport, std::string_view remote,
                Bytes bytes) {
  Packet packet;
  packet.at = Timestamp::Nanos(at_us * 1'000);
  packet.sent = sent;
  packet.transport = transport;
  packet.who = "client";
  packet.remote = *TransportAddress::Parse(remote);
  packet.local =
      *TransportAddress::Parse(packet.remote.ip.IsV4() ? "127.0.0.1:50000" : "[::1]:50000");
  packet.bytes = std::move(bytes);
  return packet;
}

Bytes BindingRequest() { return *FromHex("0001 0000 2112a442 000102030405060708090a0b"); }
Bytes BindingSuccess() {
  return *FromHex("0101 000c 2112a442 000102030405060708090a0b 0020 0008 0001 e242 5e12a443");
}

Packet NoteOf(int64_t at_us, std::string_view text) {
  Packet packet = PacketOf(at_us, false, Transport::kUdp, "127.0.0.1:3478", {});
  packet.note = text;
  return packet;
}

void FillExchanges(RunReport& report) {
  constexpr std::string_view kServer = "127.0.0.1:13478";
  report.results[1].exchange = {
      NoteOf(900, "an Allocate with both attributes"),
      PacketOf(1'000, true, Transport::kUdp, kServer, BindingRequest()),
      PacketOf(1'250, false, Transport::kUdp, kServer, HostileResponse()),
      NoteOf(300'000, "nothing came for 250 ms"),
  };
  // Over TLS a message in two pieces, IPv6.
  Bytes answer = BindingSuccess();
  report.results[2].exchange = {
      PacketOf(1'000, true, Transport::kTls, "[::1]:5349", BindingRequest()),
      PacketOf(1'500, false, Transport::kTls, "[::1]:5349",
               Bytes(answer.begin(), answer.begin() + 10)),
      PacketOf(1'600, false, Transport::kTls, "[::1]:5349",
               Bytes(answer.begin() + 10, answer.end())),
  };
  report.results[5].exchange = {
      PacketOf(2'000, true, Transport::kDtls, kServer, BindingRequest()),
      PacketOf(2'100, false, Transport::kDtls, kServer, BindingSuccess())};
  report.results[9].exchange = {
      PacketOf(2'000, true, Transport::kTcp, kServer, BindingRequest()),
      PacketOf(2'100, false, Transport::kTcp, kServer, *FromHex("ff 68 69"))};
}

}  // namespace

Bytes HostileResponse() {
  const ByteView text = AsBytes(kHostile);
  ByteWriter attributes;
  const auto add = [&](uint16_t type, ByteView head) {
    attributes.WriteU16(type);
    attributes.WriteU16(static_cast<uint16_t>(head.size() + text.size()));
    attributes.WriteBytes(head);
    attributes.WriteBytes(text);
    while (attributes.size() % 4 != 0) attributes.WriteU8(0);
  };
  add(0x0009, *FromHex("00000414"));
  add(0x8022, {});
  ByteWriter message;
  message.WriteU16(0x0111);
  message.WriteU16(static_cast<uint16_t>(attributes.size()));
  message.WriteU32(0x2112a442);
  message.WriteBytes(*FromHex("000102030405060708090a0b"));
  message.WriteBytes(attributes.view());
  return message.Take();
}

RunReport TestReport() {
  RunReport report;
  report.uri = "turn:127.0.0.1:13478";
  report.seed = 7;
  report.elapsed = TimeDelta::Millis(41'250);
  report.software = std::string(kHostile);
  report.warnings = {"the server's certificate was not verified (--insecure)"};
  report.not_tested = {{.part = "192.0.2.1:5349 over tls",
                        .cases = 3,
                        .why = "it was named, but can't be used: " + std::string(kHostile),
                        .how = "see that the server listens there"}};
  Target& target = report.target;
  target.name = "coturn";
  target.version = "4.6.1";
  target.host = "127.0.0.1";
  target.insecure = true;
  target.endpoints[{Transport::kUdp, AddressFamily::kIpv4}] =
      *TransportAddress::Parse("127.0.0.1:13478");
  // The engine empties these; a writer must not rely on it.
  target.user = Credentials{"alice", std::string(kTestPassword)};
  target.second_user = Credentials{"bob", std::string(kTestPassword)};
  target.rest_secret = std::string(kTestSecret);
  target.oauth = OauthKey{"kid", std::string(kTestKey), "A256GCM", "server"};
  target.peers.remote_token = std::string(kTestSecret);
  report.features[Feature::kTurn] = {true, "probed: 401 to Allocate"};
  report.features[Feature::kTcpRelay] = {false, "probed: 442 to REQUESTED-TRANSPORT 6"};

  for (const Case& test_case : TestCases()) {
    CaseResult result;
    result.test_case = &test_case;
    result.family = AddressFamily::kIpv4;
    result.elapsed = TimeDelta::Millis(12);
    report.results.push_back(std::move(result));
  }
  const auto verdict = [&](std::size_t i) -> Verdict& { return report.results[i].verdict; };
  verdict(1) = {Outcome::kFail, "error response 400", "420 " + std::string(kHostile), ""};
  verdict(2) = {Outcome::kFail, "error response 437", "success", ""};
  report.results[2].expectation = Expectation::kExpectedFail;
  report.results[2].known = "issue 12 of the server";
  report.results[2].transport = Transport::kTls;
  report.results[2].family = AddressFamily::kIpv6;
  report.results[3].expectation = Expectation::kUnexpectedPass;
  report.results[3].known = "fails in 4.6.0";
  report.results[4].flaky = true;
  report.results[4].first_failure = "expected an answer, actual no answer";
  verdict(5) = {Outcome::kWeak, "SOFTWARE", "no SOFTWARE", ""};
  verdict(6) = {Outcome::kInfo, "", "it answers", ""};
  verdict(7) = {Outcome::kUnsupported, "", "", "probed: 442 to REQUESTED-TRANSPORT 6"};
  verdict(8) = {Outcome::kSkipped, "", "", "no second address of ours"};
  verdict(9) = {Outcome::kBlocked, "", "", "Allocate: 508"};
  report.results[9].transport = Transport::kTcp;
  verdict(10) = {Outcome::kError, "", "", "bind: Address already in use"};
  verdict(11) = {Outcome::kPass, "", "", ""};
  FillExchanges(report);
  return report;
}

}  // namespace rtclab::conformance
