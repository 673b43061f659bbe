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

void BindingSucceeds(Test& t) {
  Client client = t.Connect();
  t.ExpectSuccess(client.Once(Request(Method::kBinding).Unsigned()));
}
void RefreshSucceeds(Test& t) {
  Client client = t.Connect();
  t.ExpectSuccess(client.Once(Request(Method::kRefresh).Unsigned()));
}
void AlwaysFails(Test& t) { t.Fail("this", "that"); }

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

}  // namespace
}  // namespace rtclab::conformance
