// What a case needs and a run has not, and what is said of it.
#include <gmock/gmock.h>

#include "conformance/engine/engine_test_util.h"
#include "conformance/engine/test.h"

namespace rtclab::conformance {
namespace {

using stun::Method;
using ::testing::HasSubstr;

TEST(RunTest, WhatACaseNeedsAndIsNotThereIsSaid) {
  const FakeUdpServer server(KindAnswer);
  Target target = FakeTarget(server.address(), Transport::kUdp, false);
  Case feature = MakeCase("feature", Passes);
  feature.needs.features = {Feature::kMobility};
  Case user = MakeCase("user", Passes);
  user.needs.credentials = true;
  Case tls = MakeCase("tls", Passes);
  tls.needs.transport = Transport::kTls;
  Case dtls = MakeCase("dtls", Passes);
  dtls.needs.transport = Transport::kDtls;
  Case peer = MakeCase("peer", Passes);
  peer.needs.peer = PeerNeed::kAny;
  Case denied = MakeCase("denied", Passes);
  denied.needs.denied_peer = true;
  target.declared.erase(Feature::kDtlsTransport);
  const RunReport report = RunCases({feature, user, tls, dtls, peer, denied}, target);
  const Outcome expected[] = {Outcome::kUnsupported, Outcome::kSkipped, Outcome::kUnsupported,
                              Outcome::kSkipped,     Outcome::kSkipped, Outcome::kSkipped};
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_EQ(report.results[i].verdict.outcome, expected[i]) << report.results[i].test_case->id;
    EXPECT_FALSE(report.results[i].verdict.reason.empty());
  }
  EXPECT_EQ(report.results[0].verdict.reason, "mobility: declared");
}

// Binding works, Allocate asks for credentials.
std::vector<Bytes> AsksForCredentials(ByteView bytes, const TransportAddress& from) {
  const auto request = stun::MessageView::Parse(bytes);
  if (!request || request->method() != Method::kAllocate) return KindAnswer(bytes, from);
  auto answer = stun::MessageBuilder::ResponseTo(*request, stun::MessageClass::kErrorResponse);
  answer.AddErrorCode(401, "Unauthenticated");
  answer.AddString(stun::AttributeType::kRealm, "r").AddString(stun::AttributeType::kNonce, "n");
  return {answer.Build()};
}

TEST(RunTest, TurnWithoutAUserIsToldToBeUntested) {
  const FakeUdpServer server(AsksForCredentials);
  Target target = FakeTarget(server.address(), Transport::kUdp, false);
  target.declared.erase(Feature::kTurn);
  Case turn = MakeCase("turn", Passes);
  turn.needs.features = {Feature::kTurn};
  Case user = MakeCase("user", Passes);
  user.needs.credentials = true;
  RunReport report = RunCases({MakeCase("stun", Passes), turn, user}, target);
  EXPECT_EQ(ExitCode(report), 0);
  ASSERT_EQ(report.not_tested.size(), 1u);
  EXPECT_EQ(report.not_tested[0].part, "TURN");
  EXPECT_EQ(report.not_tested[0].cases, 2);
  EXPECT_THAT(report.not_tested[0].why, HasSubstr("no user was given"));
  EXPECT_THAT(report.not_tested[0].how, HasSubstr("--user"));
  // Nothing at all was looked at.
  report = RunCases({turn, user}, target);
  EXPECT_EQ(ExitCode(report), 3);
  EXPECT_THAT(report.incomplete_why, HasSubstr("no case could run: TURN was not tested"));
  target.stun_only = true;
  EXPECT_TRUE(RunCases({MakeCase("stun", Passes), turn}, target).not_tested.empty());
}

TEST(RunTest, AnEndpointThatWasNamedAndIsDeadIsToldToBeUntested) {
  const FakeUdpServer server(KindAnswer);
  Target target = FakeTarget(server.address(), Transport::kUdp, false);
  const std::pair tcp(Transport::kTcp, AddressFamily::kIpv4);
  target.endpoints[tcp] = PeerListener::Listen(Loopback())->local();
  target.declared.erase(Feature::kTcpTransport);
  Case over_tcp = MakeCase("tcp", Passes);
  over_tcp.needs.transport = Transport::kTcp;
  const CaseList cases = {MakeCase("udp", Passes), over_tcp};
  EXPECT_TRUE(RunCases(cases, target).not_tested.empty());  // only implied
  target.named.insert(tcp);
  target.unused = {"127.0.0.1:9 over udp"};
  const RunReport report = RunCases(cases, target);
  EXPECT_EQ(ExitCode(report), 0);
  ASSERT_EQ(report.not_tested.size(), 2u);
  EXPECT_EQ(report.not_tested[0].part, target.endpoints[tcp].ToString() + " over tcp");
  EXPECT_EQ(report.not_tested[0].cases, 1);
  EXPECT_THAT(report.not_tested[0].why, HasSubstr("can't be used"));
  EXPECT_EQ(report.not_tested[1].part, "127.0.0.1:9 over udp");
}

TEST(RunTest, WhatNoProbeCouldTellIsSkipped) {
  const FakeUdpServer server(KindAnswer);
  Target target = FakeTarget(server.address(), Transport::kUdp, false);
  target.declared.erase(Feature::kRedirect);
  target.declared[Feature::kTurn] = true;
  Case redirect = MakeCase("redirect", Passes);
  redirect.needs.features = {Feature::kRedirect};
  const RunReport report = RunCases({redirect}, target);
  EXPECT_EQ(report.results[0].verdict.outcome, Outcome::kSkipped);
  EXPECT_EQ(report.results[0].verdict.reason,
            "redirect: unknown: no listener that redirects was named");
}

}  // namespace
}  // namespace rtclab::conformance
