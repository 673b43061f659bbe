// Runs against scripted servers on loopback: verdicts where servers misbehave, retries, grading, clean-up, interrupts.
#include <gmock/gmock.h>

#include <atomic>
#include <mutex>
#include <stdexcept>

#include "conformance/engine/engine_test_util.h"
#include "conformance/engine/overlay.h"
#include "conformance/engine/session.h"
#include "conformance/engine/test.h"
#include "conformance/socket/real_clock.h"

namespace rtclab::conformance {
namespace {

using stun::Method;
using ::testing::HasSubstr;

RunReport RunCases(const CaseList& cases, const Target& target, RunOptions options = {}) {
  return Run(cases, target, options);
}

void BindingSucceeds(Test& t) {
  Client client = t.Connect();
  t.ExpectSuccess(client.Once(Request(Method::kBinding).Unsigned()));
}
void RefreshSucceeds(Test& t) {
  Client client = t.Connect();
  t.ExpectSuccess(client.Once(Request(Method::kRefresh).Unsigned()));
}
void AlwaysFails(Test& t) { t.Fail("this", "that"); }
void Passes(Test&) {}

TEST(RunTest, ASilentServerEndsTheRunWithWhatWasTried) {
  const FakeUdpServer server(
      [](ByteView, const TransportAddress&) { return std::vector<Bytes>(); });
  const RunReport report =
      RunCases({MakeCase("a", Passes)}, FakeTarget(server.address(), Transport::kUdp, true));
  EXPECT_FALSE(report.complete);
  EXPECT_EQ(ExitCode(report), 3);
  EXPECT_THAT(report.incomplete_why, HasSubstr(server.address().ToString() + " over udp"));
  EXPECT_THAT(report.incomplete_why, HasSubstr("Binding request and an Allocate request"));
}

TEST(RunTest, AClosedTcpPortEndsTheRun) {
  const TransportAddress closed = PeerListener::Listen(Loopback())->local();
  const RunReport report =
      RunCases({MakeCase("a", Passes)}, FakeTarget(closed, Transport::kTcp, true));
  EXPECT_EQ(ExitCode(report), 3);
  EXPECT_THAT(report.incomplete_why, HasSubstr("can't be reached"));
}

// Binding works, so that the run begins; what comes for Refresh is the test's.
FakeHandler RefreshGets(std::function<std::vector<Bytes>(ByteView)> answer) {
  return [answer](ByteView bytes, const TransportAddress& from) {
    const auto request = stun::MessageView::Parse(bytes);
    const bool refresh = request && request->method() == Method::kRefresh;
    return refresh ? answer(bytes) : KindAnswer(bytes, from);
  };
}

TEST(RunTest, GarbageNothingAndLateAnswersGiveVerdicts) {
  const std::pair<const char*, FakeHandler> servers[] = {
      {"garbage", RefreshGets([](ByteView) {
         return std::vector<Bytes>{Bytes(300, 0xee), {}, {0}};
       })},
      {"nothing", RefreshGets([](ByteView) { return std::vector<Bytes>(); })},
      {"late", RefreshGets([](ByteView bytes) {
         std::this_thread::sleep_for(std::chrono::milliseconds(250));
         return KindAnswer(bytes, Loopback());
       })},
      {"truncated", RefreshGets([](ByteView bytes) {
         Bytes answer = KindAnswer(bytes, Loopback()).front();
         answer.resize(answer.size() - 3);
         return std::vector<Bytes>{answer};
       })},
      {"another transaction", RefreshGets([](ByteView bytes) {
         Bytes answer = KindAnswer(bytes, Loopback()).front();
         answer[19] ^= 1;
         return std::vector<Bytes>{answer};
       })},
  };
  for (const auto& [name, handler] : servers) {
    const FakeUdpServer server(handler);
    const RunReport report = RunCases({MakeCase("a", RefreshSucceeds)},
                                      FakeTarget(server.address(), Transport::kUdp, false));
    ASSERT_TRUE(report.complete) << name << ": " << report.incomplete_why;
    EXPECT_EQ(report.results[0].verdict.outcome, Outcome::kFail) << name;
    EXPECT_EQ(report.results[0].verdict.actual, "no answer") << name;
    EXPECT_LT(report.elapsed, TimeDelta::Seconds(5)) << name;
    EXPECT_EQ(ExitCode(report), 1) << name;
  }
}

TEST(RunTest, AConnectionClosedInTheMiddleOfAMessageGivesAVerdict) {
  const FakeTcpServer server([](ByteView bytes, const TransportAddress& from) {
    const auto request = stun::MessageView::Parse(bytes);
    std::vector<Bytes> answers = KindAnswer(bytes, from);
    if (request && request->method() == Method::kRefresh) answers[0].resize(11);
    return answers;
  });
  const RunReport report =
      RunCases({MakeCase("binding", BindingSucceeds), MakeCase("refresh", RefreshSucceeds)},
               FakeTarget(server.address(), Transport::kTcp, false));
  ASSERT_TRUE(report.complete) << report.incomplete_why;
  EXPECT_EQ(report.results[0].verdict.outcome, Outcome::kPass);
  EXPECT_EQ(report.results[1].verdict.outcome, Outcome::kFail);
  EXPECT_FALSE(report.results[1].exchange.back().note.empty());
  EXPECT_LT(report.elapsed, TimeDelta::Seconds(5));
}

std::atomic<int> g_attempts{0};
void FailsOnce(Test& t) {
  if (++g_attempts == 1) t.Fail("this", "that");
}
void BlocksOnce(Test& t) {
  if (++g_attempts == 1) t.Block("no luck");
}
void Throws(Test&) { throw std::runtime_error("oops"); }
void Informs(Test& t) { t.Info("seen"); }

TEST(RunTest, AFailingCaseIsRunAgainOnceAndIsFlakyWhenItPasses) {
  const FakeUdpServer server(KindAnswer);
  const Target target = FakeTarget(server.address(), Transport::kUdp, false);
  g_attempts = 0;
  RunReport report = RunCases({MakeCase("a", FailsOnce)}, target);
  EXPECT_EQ(report.results[0].verdict.outcome, Outcome::kPass);
  EXPECT_TRUE(report.results[0].flaky);
  EXPECT_EQ(report.results[0].first_failure, "expected this, got that");
  EXPECT_EQ(Count(report).flaky, 1);
  g_attempts = 0;
  report = RunCases({MakeCase("a", BlocksOnce)}, target);
  EXPECT_EQ(report.results[0].verdict.outcome, Outcome::kPass);
  EXPECT_FALSE(report.results[0].flaky);
  EXPECT_EQ(g_attempts, 2);
}

TEST(RunTest, WithoutRepeatAFailureStands) {
  const FakeUdpServer server(KindAnswer);
  g_attempts = 0;
  const CaseList cases = {MakeCase("a", FailsOnce)};
  const RunReport report =
      RunCases(cases, FakeTarget(server.address(), Transport::kUdp, false), {.repeat = false});
  EXPECT_EQ(report.results[0].verdict.outcome, Outcome::kFail);
  EXPECT_EQ(g_attempts, 1);
}

void SleepsForTwentySeconds(Test& t) {
  const Timestamp before = t.Now();
  t.Sleep(TimeDelta::Seconds(20));
  t.Expect(t.Now() - before >= TimeDelta::Seconds(20), "20 s or more", "less");
}
void SleepsForTwentyMillis(Test& t) {
  const Timestamp before = RealNow();
  t.Sleep(TimeDelta::Millis(20));
  t.Expect(RealNow() - before >= TimeDelta::Millis(20), "20 ms or more", "less");
}

TEST(RunTest, SlowCasesKeepTheTimeOfAServerWhoseClockRunsFaster) {
  const FakeUdpServer server(KindAnswer);
  Target target = FakeTarget(server.address(), Transport::kUdp, false);
  target.time_scale = 100;
  CaseList cases = {MakeCase("slow", SleepsForTwentySeconds),
                    MakeCase("ordinary", SleepsForTwentyMillis)};
  cases[0].slow = true;
  const RunReport report = RunCases(cases, target, {.slow = true});
  ASSERT_EQ(report.results.size(), 2u);
  EXPECT_EQ(report.results[0].verdict.outcome, Outcome::kPass);
  EXPECT_EQ(report.results[1].verdict.outcome, Outcome::kPass);
  EXPECT_GE(report.results[0].elapsed, TimeDelta::Millis(200));
  EXPECT_LT(report.results[0].elapsed, TimeDelta::Seconds(10));
}

TEST(RunTest, AFailedCheckIsGradedByTheFirstClause) {
  const FakeUdpServer server(KindAnswer);
  const Target target = FakeTarget(server.address(), Transport::kUdp, false);
  const std::pair<Level, Outcome> rows[] = {
      {Level::kMust, Outcome::kFail},        {Level::kMustNot, Outcome::kFail},
      {Level::kProse, Outcome::kFail},       {Level::kPolicy, Outcome::kFail},
      {Level::kShould, Outcome::kWeak},      {Level::kShouldNot, Outcome::kWeak},
      {Level::kRecommended, Outcome::kWeak}, {Level::kMay, Outcome::kInfo},
      {Level::kInfo, Outcome::kInfo}};
  CaseList cases;
  for (const auto& [level, outcome] : rows)
    cases.push_back(MakeCase(ToString(level), AlwaysFails, level));
  cases.push_back(MakeCase("throws", Throws));
  cases.push_back(MakeCase("informs", Informs));
  const RunReport report = RunCases(cases, target);
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    EXPECT_EQ(report.results[i].verdict.outcome, rows[i].second) << cases[i].id;
    EXPECT_EQ(report.results[i].verdict.actual, "that");
  }
  EXPECT_EQ(report.results[9].verdict.outcome, Outcome::kError);
  EXPECT_THAT(report.results[9].verdict.reason, HasSubstr("oops"));
  EXPECT_EQ(report.results[10].verdict.outcome, Outcome::kInfo);
}

TEST(RunTest, AnOverlayTurnsFailuresIntoExpectedOnesAndPassesIntoSurprises) {
  const FakeUdpServer server(KindAnswer);
  const Target target = FakeTarget(server.address(), Transport::kUdp, false);
  Overlay overlay;
  overlay.expected["fails"] = {.section = "s", .reason = "known"};
  RunOptions options;
  options.overlay = &overlay;
  RunReport report =
      RunCases({MakeCase("fails", AlwaysFails), MakeCase("passes", Passes)}, target, options);
  EXPECT_EQ(report.results[0].expectation, Expectation::kExpectedFail);
  EXPECT_EQ(report.results[0].known, "known");
  EXPECT_EQ(ExitCode(report), 0);
  overlay.expected["passes"] = {.section = "s", .reason = "known"};
  report = RunCases({MakeCase("fails", AlwaysFails), MakeCase("passes", Passes)}, target, options);
  EXPECT_EQ(report.results[1].expectation, Expectation::kUnexpectedPass);
  EXPECT_EQ(ExitCode(report), 1);
}

TEST(RunTest, ExitCodesFollowTheOutcomes) {
  const std::pair<Outcome, int> rows[] = {{Outcome::kPass, 0},    {Outcome::kWeak, 0},
                                          {Outcome::kInfo, 0},    {Outcome::kUnsupported, 0},
                                          {Outcome::kSkipped, 0}, {Outcome::kFail, 1},
                                          {Outcome::kBlocked, 1}, {Outcome::kError, 1}};
  for (const auto& [outcome, code] : rows) {
    RunReport report;
    report.results.resize(1);
    report.results[0].verdict.outcome = outcome;
    EXPECT_EQ(ExitCode(report), code) << ToString(outcome);
    report.complete = false;
    EXPECT_EQ(ExitCode(report), 3);
  }
}

std::atomic<int> g_deleted{0};
std::vector<Bytes> CountDeletions(ByteView bytes, const TransportAddress& from) {
  const auto request = stun::MessageView::Parse(bytes);
  if (request && request->method() == Method::kRefresh &&
      request->GetU32(stun::AttributeType::kLifetime) == 0u) {
    ++g_deleted;
  }
  return KindAnswer(bytes, from);
}
void AllocatesAndFails(Test& t) {
  Client client = t.Connect();
  client.Allocate();
  t.Fail("this", "that");
}
void AllocatesAndIsStopped(Test& t) {
  Client client = t.Connect();
  client.Allocate();
  conformance::Interrupt();
  t.Sleep(TimeDelta::Seconds(20));
}

TEST(RunTest, AllocationsAreDeletedHoweverACaseEnds) {
  const FakeUdpServer server(CountDeletions);
  g_deleted = 0;
  RunCases({MakeCase("a", AllocatesAndFails)},
           FakeTarget(server.address(), Transport::kUdp, false));
  EXPECT_EQ(g_deleted, 2);  // it was run again
}

TEST(RunTest, AnInterruptStopsTheRunWithAllocationsReleased) {
  const FakeUdpServer server(CountDeletions);
  g_deleted = 0;
  CaseList cases = {MakeCase("a", AllocatesAndIsStopped)};
  for (int i = 0; i < 20; ++i) cases.push_back(MakeCase("b", Passes));
  RunOptions options;
  options.jobs = 1;
  const RunReport report =
      RunCases(cases, FakeTarget(server.address(), Transport::kUdp, false), options);
  ClearInterrupt();
  EXPECT_FALSE(report.complete);
  EXPECT_EQ(ExitCode(report), 3);
  EXPECT_EQ(report.incomplete_why, "stopped by the user");
  EXPECT_LT(report.elapsed, TimeDelta::Seconds(5));
  EXPECT_EQ(g_deleted, 1);
  ASSERT_EQ(report.results.size(), cases.size());
  EXPECT_EQ(report.results.back().verdict.outcome, Outcome::kSkipped);
}

void AllocatesAndSleeps(Test& t) {
  Client client = t.Connect();
  client.Allocate();
  t.Sleep(TimeDelta::Seconds(20));
}

TEST(RunTest, TheTimeLimitEndsTheRunWithAllocationsReleased) {
  // Every answer comes late, that to the clean-up too.
  const FakeUdpServer server([](ByteView bytes, const TransportAddress& from) {
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    return CountDeletions(bytes, from);
  });
  g_deleted = 0;
  CaseList cases = {MakeCase("a", AllocatesAndSleeps)};
  for (int i = 0; i < 20; ++i) cases.push_back(MakeCase("b", Passes));
  RunOptions options;
  options.jobs = 1;
  options.time_limit = TimeDelta::Millis(1'500);
  const RunReport report =
      RunCases(cases, FakeTarget(server.address(), Transport::kUdp, false), options);
  EXPECT_FALSE(report.complete);
  EXPECT_EQ(ExitCode(report), 3);
  EXPECT_EQ(report.incomplete_why,
            "the time limit of 1.5 s was over before 21 of 21 cases had ended");
  EXPECT_LT(report.elapsed, TimeDelta::Seconds(4));
  EXPECT_EQ(g_deleted, 1);
  ASSERT_EQ(report.results.size(), cases.size());
  for (const CaseResult& result : report.results) {
    EXPECT_EQ(result.verdict.outcome, Outcome::kSkipped);
    EXPECT_EQ(result.verdict.reason, "the time of the whole run was over");
  }
  EXPECT_FALSE(report.results.front().exchange.empty());
  EXPECT_TRUE(report.results.back().exchange.empty());
}

TEST(RunTest, ATimeLimitThatIsOverBeforeTheFirstCaseSkipsThemAll) {
  const FakeUdpServer server([](ByteView bytes, const TransportAddress& from) {
    std::this_thread::sleep_for(std::chrono::milliseconds(80));
    return KindAnswer(bytes, from);
  });
  RunOptions options;
  options.time_limit = TimeDelta::Millis(100);
  const RunReport report = RunCases({MakeCase("a", Passes)},
                                    FakeTarget(server.address(), Transport::kUdp, false), options);
  EXPECT_EQ(ExitCode(report), 3);
  EXPECT_THAT(report.incomplete_why, HasSubstr("1 of 1 cases"));
  ASSERT_EQ(report.results.size(), 1u);
  EXPECT_EQ(report.results[0].verdict.outcome, Outcome::kSkipped);
}

std::atomic<int> g_sends{0};
void SendsElsewhere(Test& t) {
  Client client = t.Connect();
  client.SendIndication({IpAddress::V4(10, 1, 2, 3), 9}, Bytes(4));
}
void ChannelElsewhere(Test& t) {
  Client client = t.Connect();
  client.Once(Request(Method::kChannelBind)
                  .ChannelNumber(0x4000)
                  .PeerAddress({IpAddress::V4(10, 1, 2, 3), 9}));
  client.SendChannelData(0x4000, Bytes(4));
}
void ConnectsElsewhere(Test& t) {
  ConnectOptions options;
  options.server = TransportAddress{IpAddress::V4(10, 1, 2, 3), 9};
  t.Connect(options);
}

TEST(RunTest, NothingGoesToAnAddressThatNobodyNamed) {
  const FakeUdpServer server([](ByteView bytes, const TransportAddress& from) {
    const auto message = stun::MessageView::Parse(bytes);
    g_sends += !message || message->method() == Method::kSend ? 1 : 0;
    return KindAnswer(bytes, from);
  });
  g_sends = 0;
  Target target = FakeTarget(server.address(), Transport::kUdp, false);
  const RunReport report =
      RunCases({MakeCase("send", SendsElsewhere), MakeCase("channel", ChannelElsewhere),
                MakeCase("connect", ConnectsElsewhere)},
               target);
  for (const CaseResult& result : report.results) {
    EXPECT_EQ(result.verdict.outcome, Outcome::kSkipped) << result.test_case->id;
    EXPECT_THAT(result.verdict.reason, HasSubstr("10.1.2.3"));
  }
  EXPECT_EQ(g_sends, 0);
}

void SilenceAfterGarbage(Test& t) {
  Client client = t.Connect();
  client.SendRaw(Bytes{0x80, 0x01, 0, 0});
  t.ExpectSilence(client, "garbage");
}

TEST(RunTest, SilenceIsFencedByABindingRequest) {
  const FakeUdpServer quiet(KindAnswer);
  RunReport report = RunCases({MakeCase("a", SilenceAfterGarbage)},
                              FakeTarget(quiet.address(), Transport::kUdp, false));
  EXPECT_EQ(report.results[0].verdict.outcome, Outcome::kPass);
  const FakeUdpServer talkative([](ByteView bytes, const TransportAddress& from) {
    return bytes[0] == 0x80 ? std::vector<Bytes>{{1, 2, 3}} : KindAnswer(bytes, from);
  });
  report = RunCases({MakeCase("a", SilenceAfterGarbage)},
                    FakeTarget(talkative.address(), Transport::kUdp, false));
  EXPECT_EQ(report.results[0].verdict.outcome, Outcome::kFail);
  EXPECT_EQ(report.results[0].verdict.actual, "3 bytes: 01 02 03");
}

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

TEST(RunTest, AReportHoldsNoSecrets) {
  const FakeUdpServer server(KindAnswer);
  Target target = FakeTarget(server.address(), Transport::kUdp, true);
  target.user = Credentials{"alice", "secret"};
  target.second_user = Credentials{"bob", "secret"};
  target.rest_secret = target.peers.remote_token = "secret";
  target.oauth = OauthKey{"k", "secret", "A256GCM", "n"};
  const RunReport report = RunCases({MakeCase("a", Passes)}, target);
  EXPECT_EQ(report.target.user->username, "alice");
  EXPECT_EQ(report.target.user->password + report.target.second_user->password +
                report.target.rest_secret + report.target.peers.remote_token +
                report.target.oauth->key,
            "");
}

TEST(SelectTest, ChoosesByGlobLevelEditionSlowAndSafety) {
  CaseList cases = {MakeCase("turn.alloc.a", Passes),
                    MakeCase("turn.alloc.b", Passes, Level::kShould),
                    MakeCase("turn.perm.c", Passes, Level::kMay),
                    MakeCase("slow", Passes),
                    MakeCase("safe", Passes),
                    MakeCase("old", Passes),
                    MakeCase("new", Passes)};
  cases[3].slow = true;
  cases[4].safety = true;
  cases[5].edition = Edition::kClassic;
  cases[6].edition = Edition::kCurrent;
  const auto chosen = [&cases](const Target& target, const RunOptions& options) {
    std::string out;
    for (const Case* c : Select(cases, target, options)) out += std::string(c->id) + " ";
    return out;
  };
  Target target;
  RunOptions options;
  EXPECT_EQ(chosen(target, options), "turn.alloc.a turn.alloc.b turn.perm.c new ");
  options.level = LevelFilter::kShould;
  EXPECT_EQ(chosen(target, options), "turn.alloc.a turn.alloc.b new ");
  options.level = LevelFilter::kMust;
  options.slow = true;
  target.safety.enabled = true;
  target.edition = Edition::kClassic;
  EXPECT_EQ(chosen(target, options), "turn.alloc.a slow safe old ");
  options.level = LevelFilter::kAll;
  options.only = {"turn.*.?"};
  EXPECT_EQ(chosen(target, options), "turn.alloc.a turn.alloc.b turn.perm.c ");
  options.only = {"*.a", "old"};
  EXPECT_EQ(chosen(target, options), "turn.alloc.a old ");
}

std::mutex g_order_mutex;
std::string g_order;
void NotesItsPlace(Test& t) {
  const std::lock_guard lock(g_order_mutex);
  g_order += t.test_case().id;
}

TEST(RunTest, TheOrderIsDrawnFromTheSeed) {
  const FakeUdpServer server(KindAnswer);
  const Target target = FakeTarget(server.address(), Transport::kUdp, false);
  CaseList cases;
  for (const char* id : {"a", "b", "c", "d", "e", "f", "g"})
    cases.push_back(MakeCase(id, NotesItsPlace));
  cases[0].exclusive = true;
  const auto order = [&](bool shuffle, uint64_t seed) {
    RunOptions options;
    options.jobs = 1;
    options.shuffle = shuffle;
    options.seed = seed;
    g_order.clear();
    RunCases(cases, target, options);
    return g_order;
  };
  EXPECT_EQ(order(false, 1), "bcdefga");
  const std::string one = order(true, 1);
  EXPECT_EQ(order(true, 1), one);
  EXPECT_NE(order(true, 2), one);
  EXPECT_EQ(one.back(), 'a');
}

}  // namespace
}  // namespace rtclab::conformance
