// Checks as a client: pacing, RTO, retransmission, every kind of answer. RFC 8445 sections 6.1.4, 7.2 and 14.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/ice/agent_lab.h"
#include "stack/ice/priority.h"

namespace rtclab::ice {
namespace {

using stun::AttributeType;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<int64_t> TimesTo(const Solo& solo, std::string_view to) {
  std::vector<int64_t> times;
  for (const auto& [at, t] : solo.out) {
    if (t.destination == Addr(to)) times.push_back(at.millis());
  }
  return times;
}

TEST(AgentCheckTest, ACheckCarriesWhatRfc8445Wants) {
  Solo solo;
  solo.Start({"192.0.2.2:2000"});
  ASSERT_EQ(solo.out.size(), 1u);
  const Transmit& t = solo.out[0].second;
  EXPECT_EQ(t.source, solo.host);
  const auto view = stun::MessageView::Parse(t.payload);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->GetString(AttributeType::kUsername),
            "RFRAG:" + solo.agent.local_credentials().ufrag);
  EXPECT_EQ(view->GetU32(AttributeType::kPriority), 1862270975u);
  EXPECT_EQ(view->GetU64(AttributeType::kIceControlling), solo.agent.tie_breaker());
  EXPECT_FALSE(view->Has(AttributeType::kIceControlled));
  EXPECT_FALSE(view->Has(AttributeType::kUseCandidate));
  EXPECT_TRUE(view->VerifyIntegrity(stun::IntegrityKey::ShortTerm(solo.remote.password)));
  EXPECT_TRUE(view->VerifyFingerprint());
}

TEST(AgentCheckTest, TaSpacesChecksAndTheRtoGrowsWithTheirNumber) {
  Solo solo;
  solo.Start({"192.0.2.2:1", "192.0.2.2:2", "192.0.2.2:3", "192.0.2.2:4"});
  solo.RunUntil(Timestamp::Millis(300));
  EXPECT_THAT(TimesTo(solo, "192.0.2.2:1"), ElementsAre(0));
  EXPECT_THAT(TimesTo(solo, "192.0.2.2:2"), ElementsAre(50));
  EXPECT_THAT(TimesTo(solo, "192.0.2.2:3"), ElementsAre(100));
  EXPECT_THAT(TimesTo(solo, "192.0.2.2:4"), ElementsAre(150));
  // RFC 8445 section 14.3 with N = 4: Ta * 4 * 4 = 800 ms for those sent with all four on the list.
  const auto& log = solo.agent.check_log();
  ASSERT_EQ(log.size(), 4u);
  EXPECT_EQ(log[0].rto, TimeDelta::Millis(500));  // it was alone when it left
  for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(log[i].rto, TimeDelta::Millis(800)) << i;
  solo.RunUntil(Timestamp::Millis(3000));
  EXPECT_THAT(TimesTo(solo, "192.0.2.2:1"), ElementsAre(0, 500, 1500));
  EXPECT_THAT(TimesTo(solo, "192.0.2.2:2"), ElementsAre(50, 850, 2450));
}

TEST(AgentCheckTest, AnUnansweredCheckIsSentSevenTimesAndFailsAfter39500Ms) {
  Solo solo;
  solo.Start({"192.0.2.2:1"});
  solo.RunUntil(Timestamp::Millis(39'499));
  EXPECT_THAT(TimesTo(solo, "192.0.2.2:1"), ElementsAre(0, 500, 1500, 3500, 7500, 15500, 31500));
  EXPECT_EQ(solo.agent.state(), AgentState::kChecking);
  solo.RunUntil(Timestamp::Millis(39'500));
  EXPECT_EQ(solo.agent.state(), AgentState::kFailed);
  EXPECT_EQ(solo.agent.failure_reason(), "no valid pair: 1 pair failed (1 no answer)");
  const CheckRecord& record = solo.agent.check_log().at(0);
  EXPECT_EQ(record.outcome, CheckOutcome::kTimeout);
  EXPECT_EQ(record.transmissions.size(), 7u);
  EXPECT_EQ(record.finished, Timestamp::Millis(39'500));
  EXPECT_EQ(solo.timer, Timestamp::PlusInfinity());
}

TEST(AgentCheckTest, TheLargerTaIsUsed) {
  struct {
    int64_t ours, theirs, used;  // ms; -1: not proposed
  } const kCases[] = {{50, -1, 50}, {20, -1, 50}, {20, 20, 20}, {20, 30, 30},
                      {80, 20, 80}, {1, 1, 5},    {80, -1, 80}};
  for (const auto& test : kCases) {
    AgentConfig config;
    config.ta = TimeDelta::Millis(test.ours);
    Solo solo(config);
    solo.Gather();
    RemoteParameters remote;
    if (test.theirs >= 0) remote.ta = TimeDelta::Millis(test.theirs);
    solo.SetRemote(remote);
    EXPECT_EQ(solo.agent.ta(), TimeDelta::Millis(test.used)) << test.ours << " " << test.theirs;
  }
}

TEST(AgentCheckTest, ASuccessMakesAValidPairAndATypedLog) {
  Solo solo;
  solo.Start({"192.0.2.2:1"});
  solo.RunFor(TimeDelta::Millis(30));
  EXPECT_FALSE(solo.agent.Send(solo.now, AsBytes("x")));
  ASSERT_TRUE(solo.Answer(solo.out[0].second));
  const auto valid = solo.agent.valid_pairs();
  ASSERT_EQ(valid.size(), 1u);
  EXPECT_EQ(valid[0].local.address, solo.host);
  EXPECT_EQ(valid[0].priority, PairPriority(2130706431, 2130706431));
  EXPECT_EQ(solo.agent.state(), AgentState::kConnected);
  const CheckRecord& record = solo.agent.check_log()[0];
  EXPECT_EQ(record.outcome, CheckOutcome::kSucceeded);
  EXPECT_EQ(record.finished, Timestamp::Millis(30));
  EXPECT_EQ(record.mapped, solo.host);
  EXPECT_EQ(solo.Events<PairValid>().size(), 1u);
  // RFC 8445 section 12.1: data may go over any valid pair.
  EXPECT_TRUE(solo.agent.Send(solo.now, AsBytes("x")));
}

TEST(AgentCheckTest, AMappedAddressMakesALocalPeerReflexiveCandidate) {
  Solo solo;
  solo.Start({"198.51.100.9:1"});
  ASSERT_TRUE(solo.Receive(Addr("198.51.100.9:1"),
                           solo.Success(solo.out[0].second, Addr("203.0.113.1:77"))));
  const auto locals = solo.agent.local_candidates();
  ASSERT_EQ(locals.size(), 2u);
  EXPECT_EQ(locals[1].type, CandidateType::kPeerReflexive);
  EXPECT_EQ(locals[1].address, Addr("203.0.113.1:77"));
  EXPECT_EQ(locals[1].base, solo.host);
  EXPECT_EQ(locals[1].priority, 1862270975u);  // the PRIORITY attribute of the check
  EXPECT_NE(locals[1].foundation, locals[0].foundation);
  const auto valid = solo.agent.valid_pairs();
  ASSERT_EQ(valid.size(), 1u);
  EXPECT_EQ(valid[0].local.address, Addr("203.0.113.1:77"));
  EXPECT_EQ(valid[0].priority, PairPriority(1862270975, 2130706431));
  // It waits again, for its nomination (RFC 8445 section 8.1.1).
  EXPECT_EQ(solo.agent.checklist()[0].state, PairState::kWaiting);
}

TEST(AgentCheckTest, NonSymmetricAnswersFailThePair) {
  Solo solo;
  solo.Start({"192.0.2.2:1"});
  ASSERT_TRUE(solo.Receive(Addr("192.0.2.3:1"), solo.Success(solo.out[0].second, solo.host)));
  EXPECT_EQ(solo.agent.checklist()[0].state, PairState::kFailed);
  EXPECT_EQ(solo.agent.check_log()[0].outcome, CheckOutcome::kNonSymmetric);
  EXPECT_TRUE(solo.agent.valid_pairs().empty());
}

TEST(AgentCheckTest, ErrorAnswersFailThePairAndUnauthenticatedOnesDoNot) {
  Solo solo;
  solo.Start({"192.0.2.2:1"});
  const Transmit request = solo.out[0].second;
  const Bytes bare =
      stun::MessageBuilder::ErrorResponseTo(*stun::MessageView::Parse(request.payload), 401)
          .AddFingerprint()
          .Build();
  EXPECT_FALSE(solo.Receive(request.destination, bare));
  EXPECT_EQ(solo.agent.checklist()[0].state, PairState::kInProgress);
  EXPECT_EQ(solo.agent.check_log()[0].error_code, 401);  // remembered for the explanation
  Bytes forged = solo.Success(request, solo.host);
  forged[25] ^= 1;
  EXPECT_FALSE(solo.Receive(request.destination, forged));
  EXPECT_TRUE(solo.Receive(request.destination, solo.Error(request, 400)));
  EXPECT_EQ(solo.agent.checklist()[0].state, PairState::kFailed);
  EXPECT_EQ(solo.agent.check_log()[0].outcome, CheckOutcome::kError);
  // RFC 8863: no failure of the checklist before the PAC timer, even with nothing left to do.
  EXPECT_EQ(solo.agent.checklist_state(), ChecklistState::kRunning);
  solo.RunUntil(Timestamp::Millis(39'499));
  EXPECT_EQ(solo.agent.state(), AgentState::kChecking);
  solo.RunUntil(Timestamp::Millis(39'500));
  EXPECT_EQ(solo.agent.failure_reason(), "no valid pair: 1 pair failed (1 error 400)");
  EXPECT_EQ(solo.Events<ChecklistFailed>().size(), 1u);
}

TEST(AgentCheckTest, AnEmptyChecklistFailsWhenPatienceIsOver) {
  AgentConfig config;
  config.patience = TimeDelta::Seconds(3);
  Solo solo(config);
  solo.Start({});
  solo.RunUntil(Timestamp::Millis(2'999));
  EXPECT_EQ(solo.agent.state(), AgentState::kChecking);
  solo.RunUntil(Timestamp::Millis(3'000));
  EXPECT_EQ(solo.agent.state(), AgentState::kFailed);
  EXPECT_THAT(solo.agent.failure_reason(),
              HasSubstr("no candidate pairs (1 local, 0 remote candidates)"));
}

TEST(AgentCheckTest, APeerReflexiveCandidateRevivesAFailedChecklist) {
  AgentConfig config;
  config.patience = TimeDelta::Seconds(3);
  Solo solo(config);
  solo.Start({});
  solo.RunUntil(Timestamp::Seconds(4));
  ASSERT_EQ(solo.agent.state(), AgentState::kFailed);
  solo.out.clear();
  ASSERT_TRUE(solo.Receive(Addr("192.0.2.9:9"), solo.Request()));
  EXPECT_EQ(solo.agent.state(), AgentState::kChecking);
  EXPECT_EQ(solo.agent.failure_reason(), "");
  const auto sent = solo.Take();
  ASSERT_EQ(sent.size(), 2u);  // the answer and the triggered check
  EXPECT_TRUE(solo.Answer(sent[1]));
  EXPECT_EQ(solo.agent.state(), AgentState::kConnected);
}

TEST(AgentCheckTest, HardIcmpErrorsFailACheckOnlyWhenAskedFor) {
  for (const bool enabled : {false, true}) {
    AgentConfig config;
    config.icmp_fails_checks = enabled;
    Solo solo(config);
    solo.Start({"192.0.2.2:1"});
    IcmpError error{solo.host, Addr("192.0.2.2:1"), 3, 1, 0};
    solo.agent.HandleIcmp(solo.now, error);  // host unreachable is not hard
    EXPECT_EQ(solo.agent.checklist()[0].state, PairState::kInProgress);
    error.code = 3;
    solo.agent.HandleIcmp(solo.now, error);
    EXPECT_EQ(solo.agent.checklist()[0].state,
              enabled ? PairState::kFailed : PairState::kInProgress);
  }
}

TEST(AgentCheckTest, ACancelledCheckNeitherRetransmitsNorFailsButMayStillSucceed) {
  Solo solo;
  solo.Start({"192.0.2.2:1"});
  const Transmit first = solo.out[0].second;
  solo.RunFor(TimeDelta::Millis(60));
  solo.out.clear();
  ASSERT_TRUE(solo.Receive(first.destination, solo.Request()));
  // RFC 8445 section 7.3.1.4: answer, cancel, check anew at once.
  auto sent = solo.Take();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(Solo::ResponseCode(sent[0]), 0);
  EXPECT_TRUE(Solo::IsRequest(sent[1]));
  EXPECT_NE(sent[1].payload, first.payload);
  const auto& log = solo.agent.check_log();
  ASSERT_EQ(log.size(), 2u);
  EXPECT_TRUE(log[0].cancelled);
  EXPECT_EQ(log[0].outcome, CheckOutcome::kCancelled);
  EXPECT_TRUE(log[1].triggered);
  solo.RunFor(TimeDelta::Millis(450));  // the first one's retransmission would have been due
  for (const Transmit& t : solo.Take()) EXPECT_NE(t.payload, first.payload);
  EXPECT_TRUE(solo.Answer(first));
  EXPECT_EQ(log[0].outcome, CheckOutcome::kSucceeded);
  EXPECT_EQ(log[1].outcome, CheckOutcome::kCancelled);
  EXPECT_EQ(solo.agent.valid_pairs().size(), 1u);
}

TEST(AgentCheckTest, ATriggeredCheckRunsBeforeWaitingOnes) {
  Solo solo;
  solo.Start({"192.0.2.2:1", "192.0.2.2:2", "192.0.2.2:3"});
  ASSERT_TRUE(solo.Receive(Addr("192.0.2.2:3"), solo.Request()));
  solo.out.clear();
  solo.RunUntil(Timestamp::Millis(50));
  ASSERT_EQ(solo.out.size(), 1u);
  EXPECT_EQ(solo.out[0].second.destination, Addr("192.0.2.2:3"));
}

TEST(AgentCheckTest, SuccessUnfreezesTheFoundation) {
  Solo solo;
  solo.Gather();
  solo.SetRemote();
  solo.AddRemote("192.0.2.2:1", 2000, "f");
  solo.AddRemote("192.0.2.2:2", 1000, "f");
  EXPECT_EQ(solo.agent.checklist()[1].state, PairState::kFrozen);
  solo.RunFor(TimeDelta::Millis(200));
  EXPECT_EQ(solo.out.size(), 1u);  // the second pair waits for the first
  EXPECT_TRUE(solo.Answer(solo.out[0].second));
  EXPECT_EQ(solo.agent.checklist()[1].state, PairState::kWaiting);
}

}  // namespace
}  // namespace rtclab::ice
