// Nomination, selection, release, consent, keepalives: RFC 8445 sections 8 and 11, RFC 7675, RFC 5245's aggressive way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/ice/agent_lab.h"

namespace rtclab::ice {
namespace {

using stun::AttributeType;
using testing::HasSubstr;

AgentConfig As(Role role) {
  AgentConfig config;
  config.role = role;
  return config;
}

// Brings a controlling agent to Completed with one host pair.
void CompleteOne(Solo& solo, std::string_view peer = "192.0.2.2:1") {
  solo.Start({peer});
  ASSERT_TRUE(solo.Answer(solo.Take().at(0)));
  solo.RunFor(TimeDelta::Millis(50));
  const auto nomination = solo.Take();
  ASSERT_EQ(nomination.size(), 1u);
  ASSERT_TRUE(Solo::Nominates(nomination[0]));
  ASSERT_TRUE(solo.Answer(nomination[0]));
  ASSERT_EQ(solo.agent.state(), AgentState::kCompleted);
}

TEST(AgentConcludeTest, TheBestPairIsNominatedAtOnceWhenNothingBetterIsLeft) {
  Solo solo;
  CompleteOne(solo);
  ASSERT_EQ(solo.Events<SelectedPairChanged>().size(), 1u);
  EXPECT_TRUE(solo.agent.check_log()[1].nominating);
  EXPECT_TRUE(solo.agent.check_log()[1].triggered);
  EXPECT_EQ(solo.agent.selected_pair()->remote.address, Addr("192.0.2.2:1"));
  EXPECT_EQ(solo.agent.checklist_state(), ChecklistState::kCompleted);
}

TEST(AgentConcludeTest, AWorsePairWaitsForItsTypesDelay) {
  Solo solo;
  solo.Gather();
  solo.SetRemote();
  solo.AddRemote("192.0.2.2:1", 2000, "f1");  // never answers
  solo.AddRemote("192.0.2.3:1", 1000, "f2");
  solo.End();
  solo.RunFor(TimeDelta::Millis(60));
  auto sent = solo.Take();
  ASSERT_EQ(sent.size(), 2u);
  ASSERT_TRUE(solo.Answer(sent[1]));
  EXPECT_EQ(solo.agent.state(), AgentState::kConnected);
  solo.RunFor(TimeDelta::Millis(99));
  EXPECT_TRUE(solo.Take().empty());
  solo.RunFor(TimeDelta::Millis(1));  // NominationDelay::host
  sent = solo.Take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_TRUE(Solo::Nominates(sent[0]));
  EXPECT_EQ(sent[0].destination, Addr("192.0.2.3:1"));
  ASSERT_TRUE(solo.Answer(sent[0]));
  EXPECT_EQ(solo.agent.state(), AgentState::kCompleted);
  // RFC 8445 section 8.1.2: the other pair's check is cancelled and the pair removed.
  EXPECT_EQ(solo.agent.check_log()[0].outcome, CheckOutcome::kCancelled);
  EXPECT_EQ(solo.agent.checklist().size(), 1u);
  solo.RunFor(TimeDelta::Seconds(1));
  EXPECT_TRUE(solo.Take().empty());
}

TEST(AgentConcludeTest, ABetterPairThatComesInTimeIsNominated) {
  Solo solo;
  solo.Gather();
  solo.SetRemote();
  solo.AddRemote("192.0.2.2:1", 2000, "f1");
  solo.AddRemote("192.0.2.3:1", 1000, "f2");
  solo.End();
  solo.RunFor(TimeDelta::Millis(60));
  const auto sent = solo.Take();
  ASSERT_TRUE(solo.Answer(sent[1]));
  solo.RunFor(TimeDelta::Millis(50));
  ASSERT_TRUE(solo.Answer(sent[0]));
  const auto nomination = solo.Take();
  ASSERT_EQ(nomination.size(), 1u);
  EXPECT_EQ(nomination[0].destination, Addr("192.0.2.2:1"));
  EXPECT_TRUE(Solo::Nominates(nomination[0]));
}

TEST(AgentConcludeTest, AFailedNominationLeavesTheValidListAndAnotherPairMayFollow) {
  Solo solo;
  solo.Gather();
  solo.SetRemote();
  solo.AddRemote("192.0.2.2:1", 2000, "f1");
  solo.AddRemote("192.0.2.3:1", 1000, "f2");
  solo.End();
  solo.RunFor(TimeDelta::Millis(60));
  auto sent = solo.Take();
  ASSERT_TRUE(solo.Answer(sent[1]));
  ASSERT_TRUE(solo.Answer(sent[0]));
  solo.RunFor(TimeDelta::Millis(50));
  sent = solo.Take();
  ASSERT_EQ(sent.size(), 1u);
  ASSERT_TRUE(solo.Receive(sent[0].destination, solo.Error(sent[0], 400)));
  EXPECT_EQ(solo.agent.valid_pairs().size(), 1u);
  EXPECT_EQ(solo.agent.checklist_state(), ChecklistState::kRunning);
  solo.RunFor(TimeDelta::Millis(100));
  sent = solo.Take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_TRUE(Solo::Nominates(sent[0]));
  EXPECT_EQ(sent[0].destination, Addr("192.0.2.3:1"));
}

TEST(AgentConcludeTest, AFailedNominationFailsTheChecklistAfterThePacTimer) {
  AgentConfig config;
  config.patience = TimeDelta::Millis(10);
  Solo solo(config);
  solo.Start({"192.0.2.2:1"});
  solo.RunFor(TimeDelta::Millis(60));
  ASSERT_TRUE(solo.Answer(solo.Take()[0]));
  solo.RunFor(TimeDelta::Millis(50));
  const auto sent = solo.Take();
  ASSERT_TRUE(Solo::Nominates(sent.at(0)));
  ASSERT_TRUE(solo.Receive(sent[0].destination, solo.Error(sent[0], 400)));
  EXPECT_EQ(solo.agent.state(), AgentState::kFailed);
  EXPECT_THAT(solo.agent.failure_reason(), HasSubstr("1 error 400"));
}

// --- The controlled side, RFC 8445 section 7.3.1.5 -----------------------------------------------

TEST(AgentConcludeTest, UseCandidateOnASucceededPairTakesEffectAtOnce) {
  Solo solo(As(Role::kControlled));
  solo.Start({"192.0.2.2:1"});
  ASSERT_TRUE(solo.Answer(solo.Take()[0]));
  EXPECT_EQ(solo.agent.state(), AgentState::kConnected);
  ASSERT_TRUE(solo.Receive(Addr("192.0.2.2:1"),
                           solo.Request({.role = Role::kControlling, .use_candidate = true})));
  EXPECT_EQ(solo.agent.state(), AgentState::kCompleted);
  const auto sent = solo.Take();
  ASSERT_EQ(sent.size(), 1u);  // no new check
  EXPECT_EQ(Solo::ResponseCode(sent[0]), 0);
}

TEST(AgentConcludeTest, UseCandidateBeforeThePairIsValidWaitsForTheTriggeredCheck) {
  for (const bool in_progress : {false, true}) {
    Solo solo(As(Role::kControlled));
    solo.Start(in_progress ? std::vector<std::string_view>{"192.0.2.2:1"}
                           : std::vector<std::string_view>{});
    solo.RunFor(TimeDelta::Millis(60));
    solo.Take();
    ASSERT_TRUE(solo.Receive(Addr("192.0.2.2:1"),
                             solo.Request({.role = Role::kControlling, .use_candidate = true})));
    EXPECT_EQ(solo.agent.state(), AgentState::kChecking);
    const auto sent = solo.Take();
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_FALSE(Solo::Nominates(sent[1]));  // the controlled agent never nominates
    ASSERT_TRUE(solo.Answer(sent[1]));
    EXPECT_EQ(solo.agent.state(), AgentState::kCompleted);
  }
}

TEST(AgentConcludeTest, AFailedTriggeredCheckOfANominationDoesNotSelect) {
  AgentConfig config = As(Role::kControlled);
  config.patience = TimeDelta::Millis(10);
  Solo solo(config);
  solo.Start({"192.0.2.9:9"});
  solo.RunFor(TimeDelta::Millis(60));
  solo.Take();
  ASSERT_TRUE(solo.Receive(Addr("192.0.2.2:1"),
                           solo.Request({.role = Role::kControlling, .use_candidate = true})));
  const auto sent = solo.Take();
  ASSERT_TRUE(solo.Receive(Addr("192.0.2.2:1"), solo.Error(sent.at(1), 400)));
  EXPECT_EQ(solo.agent.checklist_state(), ChecklistState::kFailed);
}

TEST(AgentConcludeTest, AnAggressivePeersBestNominationWins) {
  Solo solo(As(Role::kControlled));
  solo.Gather();
  solo.SetRemote();
  solo.AddRemote("192.0.2.2:1", 1000, "f1");
  solo.AddRemote("192.0.2.3:1", 2000, "f2");
  solo.End();
  solo.RunFor(TimeDelta::Millis(60));
  solo.Take();
  const Solo::RequestOptions nominate{.role = Role::kControlling, .use_candidate = true};
  ASSERT_TRUE(solo.Receive(Addr("192.0.2.2:1"), solo.Request(nominate)));
  solo.RunFor(TimeDelta::Millis(60));
  auto sent = solo.Take();
  ASSERT_TRUE(solo.Answer(sent.at(1)));
  EXPECT_EQ(solo.agent.selected_pair()->remote.address, Addr("192.0.2.2:1"));
  // A better pair, nominated after the checklist completed (RFC 8445 section 8.1.1).
  ASSERT_TRUE(solo.Receive(Addr("192.0.2.3:1"), solo.Request(nominate)));
  solo.RunFor(TimeDelta::Millis(60));
  sent = solo.Take();
  ASSERT_EQ(sent.size(), 2u);
  ASSERT_TRUE(solo.Answer(sent[1]));
  EXPECT_EQ(solo.agent.selected_pair()->remote.address, Addr("192.0.2.3:1"));
  EXPECT_EQ(solo.Events<SelectedPairChanged>().size(), 2u);
}

TEST(AgentConcludeTest, AggressiveNominationPutsUseCandidateIntoEveryCheck) {
  AgentConfig config;
  config.nomination = Nomination::kAggressive;
  Solo solo(config);
  solo.Gather();
  solo.SetRemote();
  solo.AddRemote("192.0.2.2:1", 2000, "f1");
  solo.AddRemote("192.0.2.3:1", 1000, "f2");
  solo.End();
  solo.RunFor(TimeDelta::Millis(60));
  const auto sent = solo.Take();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_TRUE(Solo::Nominates(sent[0]));
  EXPECT_TRUE(Solo::Nominates(sent[1]));
  ASSERT_TRUE(solo.Answer(sent[1]));
  EXPECT_EQ(solo.agent.selected_pair()->remote.address, Addr("192.0.2.3:1"));
  ASSERT_TRUE(solo.Answer(sent[0]));  // the better one was still in progress
  EXPECT_EQ(solo.agent.selected_pair()->remote.address, Addr("192.0.2.2:1"));
}

TEST(AgentConcludeTest, AggressiveAndRegularAgentsAgree) {
  for (const bool first : {true, false}) {
    AgentConfig a = Controlling(), b = Controlled();
    (first ? a : b).nomination = Nomination::kAggressive;
    Lab lab(a, b);
    lab.Start({Addr("192.0.2.1:1"), Addr("192.0.2.11:1")},
              {Addr("192.0.2.2:2"), Addr("192.0.2.22:2")});
    lab.RunFor(TimeDelta::Seconds(5));
    ASSERT_TRUE(lab.BothAre(AgentState::kCompleted));
    EXPECT_EQ(lab.agent(0).selected_pair()->local.address,
              lab.agent(1).selected_pair()->remote.address);
    EXPECT_EQ(lab.agent(0).selected_pair()->remote.address,
              lab.agent(1).selected_pair()->local.address);
  }
}

// --- After completion ----------------------------------------------------------------------------

TEST(AgentConcludeTest, UnusedCandidatesAreReleasedThreeSecondsAfterCompletion) {
  Solo solo;
  const TransportAddress other = Addr("192.0.2.1:1001");
  solo.agent.Gather(solo.now, std::vector<TransportAddress>{solo.host, other}, {}, {});
  solo.Pump();
  solo.SetRemote();
  solo.AddRemote("192.0.2.2:1");
  solo.End();
  ASSERT_TRUE(solo.Answer(solo.Take()[0]));
  solo.RunFor(TimeDelta::Millis(100));
  for (const Transmit& t : solo.Take()) {
    if (Solo::Nominates(t)) {
      ASSERT_TRUE(solo.Answer(t));
    }
  }
  ASSERT_EQ(solo.agent.state(), AgentState::kCompleted);
  const Timestamp completed = solo.now;
  solo.RunUntil(completed + TimeDelta::Millis(2'999));
  EXPECT_TRUE(solo.agent.HandlePacket(solo.now, {Addr("192.0.2.2:1"), other, solo.Request()}));
  solo.RunUntil(completed + TimeDelta::Millis(3'000));
  const auto released = solo.Events<CandidateReleased>();
  ASSERT_EQ(released.size(), 1u);
  EXPECT_EQ(released[0].candidate.address, other);
  EXPECT_FALSE(solo.agent.HandlePacket(solo.now, {Addr("192.0.2.2:1"), other, solo.Request()}));
  EXPECT_TRUE(solo.Receive(Addr("192.0.2.2:1"), solo.Request()));
}

TEST(AgentConcludeTest, ConsentIsRandomisedSentOnceAndKeptByAnswers) {
  Solo solo;
  CompleteOne(solo);
  Timestamp last = solo.now;
  std::set<int64_t> gaps;
  for (int i = 0; i < 20; ++i) {
    solo.RunUntil(solo.agent.NextTimeout());
    const auto sent = solo.Take();
    if (sent.empty()) {  // the release timer
      --i;
      continue;
    }
    ASSERT_EQ(sent.size(), 1u);
    ASSERT_TRUE(Solo::IsRequest(sent[0]));
    EXPECT_FALSE(Solo::Nominates(sent[0]));
    const TimeDelta gap = solo.now - last;
    EXPECT_GE(gap, TimeDelta::Seconds(4));
    EXPECT_LE(gap, TimeDelta::Seconds(6));
    gaps.insert(gap.nanos());
    last = solo.now;
    ASSERT_TRUE(solo.Answer(sent[0]));
  }
  EXPECT_GT(gaps.size(), 15u);
  EXPECT_EQ(solo.agent.state(), AgentState::kCompleted);
  EXPECT_EQ(solo.agent.counters().consent_answered, 20u);
  EXPECT_EQ(solo.agent.counters().keepalives_sent, 0u);  // consent stands in for them
}

TEST(AgentConcludeTest, ConsentExpiresThirtySecondsAfterTheLastAnswer) {
  Solo solo;
  CompleteOne(solo);
  const Timestamp last = solo.now;
  solo.RunUntil(last + TimeDelta::Millis(14'999));
  EXPECT_EQ(solo.agent.state(), AgentState::kCompleted);
  solo.RunUntil(last + TimeDelta::Millis(15'000));
  EXPECT_EQ(solo.agent.state(), AgentState::kDisconnected);
  EXPECT_TRUE(solo.agent.Send(solo.now, AsBytes("x")));
  solo.RunUntil(last + TimeDelta::Millis(29'999));
  EXPECT_TRUE(solo.Events<ConsentExpired>().empty());
  solo.RunUntil(last + TimeDelta::Seconds(30));
  ASSERT_EQ(solo.Events<ConsentExpired>().size(), 1u);
  EXPECT_FALSE(solo.Events<ConsentExpired>()[0].revoked);
  EXPECT_EQ(solo.agent.state(), AgentState::kFailed);
  EXPECT_THAT(solo.agent.failure_reason(), HasSubstr("consent"));
  EXPECT_FALSE(solo.agent.Send(solo.now, AsBytes("x")));
  const auto sent = solo.Take();
  // A late answer does not bring it back (RFC 7675 section 5.1).
  EXPECT_FALSE(solo.Answer(sent.back()));
  EXPECT_EQ(solo.agent.state(), AgentState::kFailed);
  EXPECT_EQ(solo.agent.NextTimeout(), Timestamp::PlusInfinity());
}

TEST(AgentConcludeTest, AnAnswerToAnyOpenConsentCheckEndsADisconnection) {
  Solo solo;
  CompleteOne(solo);
  solo.RunFor(TimeDelta::Seconds(16));
  ASSERT_EQ(solo.agent.state(), AgentState::kDisconnected);
  const auto sent = solo.Take();
  ASSERT_GE(sent.size(), 2u);
  EXPECT_TRUE(solo.Answer(sent[0]));  // not the last one
  EXPECT_EQ(solo.agent.state(), AgentState::kCompleted);
}

TEST(AgentConcludeTest, ForbiddenRevokesConsentAndOtherErrorsDoNot) {
  Solo solo;
  CompleteOne(solo);
  solo.RunFor(TimeDelta::Seconds(14));
  const auto sent = solo.Take();
  ASSERT_GE(sent.size(), 2u);
  EXPECT_TRUE(solo.Receive(sent[0].destination, solo.Error(sent[0], 500)));
  EXPECT_EQ(solo.agent.state(), AgentState::kCompleted);
  EXPECT_TRUE(solo.Receive(sent[1].destination, solo.Error(sent[1], 403)));
  ASSERT_EQ(solo.Events<ConsentExpired>().size(), 1u);
  EXPECT_TRUE(solo.Events<ConsentExpired>()[0].revoked);
  EXPECT_NE(solo.agent.failure_reason().find("revoked"), std::string::npos);
  EXPECT_FALSE(solo.agent.Send(solo.now, AsBytes("x")));
}

TEST(AgentConcludeTest, ForgedConsentAnswersDoNotCount) {
  Solo solo;
  CompleteOne(solo);
  solo.RunFor(TimeDelta::Seconds(7));
  const auto sent = solo.Take();
  EXPECT_FALSE(solo.Receive(Addr("192.0.2.66:6"), solo.Success(sent.at(0), solo.host)));
  Bytes forged = solo.Success(sent[0], solo.host);
  forged[30] ^= 1;
  EXPECT_FALSE(solo.Receive(sent[0].destination, forged));
  EXPECT_EQ(solo.agent.counters().consent_answered, 0u);
}

TEST(AgentConcludeTest, WithoutConsentKeepalivesFollowFifteenIdleSeconds) {
  AgentConfig config;
  config.consent.enabled = false;
  Solo solo(config);
  CompleteOne(solo);
  solo.RunFor(TimeDelta::Seconds(10));
  EXPECT_TRUE(solo.agent.Send(solo.now, AsBytes("x")));
  solo.Pump();
  solo.Take();
  solo.RunFor(TimeDelta::Millis(14'999));
  EXPECT_TRUE(solo.Take().empty());
  solo.RunFor(TimeDelta::Millis(1));
  const auto sent = solo.Take();
  ASSERT_EQ(sent.size(), 1u);
  const auto view = stun::MessageView::Parse(sent[0].payload);
  ASSERT_TRUE(view && view->IsIndication());
  EXPECT_EQ(sent[0].payload.size(), 28u);  // FINGERPRINT and nothing else
  EXPECT_TRUE(view->VerifyFingerprint());
  EXPECT_EQ(sent[0].destination, Addr("192.0.2.2:1"));
  // The peer takes it for what it is.
  EXPECT_TRUE(solo.Receive(Addr("192.0.2.2:1"), sent[0].payload));
  EXPECT_EQ(solo.agent.counters().keepalives_received, 1u);
}

TEST(AgentConcludeTest, ARemovedAddressEndsItsPair) {
  Solo solo;
  CompleteOne(solo);
  solo.agent.RemoveLocalAddress(solo.now, solo.host);
  solo.Pump();
  EXPECT_EQ(solo.Events<ConsentExpired>().size(), 1u);
  EXPECT_EQ(solo.agent.state(), AgentState::kFailed);
  EXPECT_NE(solo.agent.failure_reason().find("local address"), std::string::npos);
  EXPECT_FALSE(solo.agent.Send(solo.now, AsBytes("x")));
}

TEST(AgentConcludeTest, DataFromStrangersIsDropped) {
  Solo solo;
  CompleteOne(solo);
  EXPECT_TRUE(solo.Receive(Addr("192.0.2.2:1"), {23, 0}));
  EXPECT_FALSE(solo.Receive(Addr("192.0.2.66:1"), {23, 0}));
  EXPECT_EQ(solo.Events<DataReceived>().size(), 1u);
}

TEST(AgentConcludeTest, CloseStopsEverything) {
  Solo solo;
  CompleteOne(solo);
  solo.agent.Close(solo.now);
  solo.Pump();
  EXPECT_EQ(solo.agent.state(), AgentState::kClosed);
  EXPECT_EQ(solo.timer, Timestamp::PlusInfinity());
  EXPECT_FALSE(solo.Receive(Addr("192.0.2.2:1"), solo.Request()));
  EXPECT_FALSE(solo.agent.Send(solo.now, AsBytes("x")));
}

}  // namespace
}  // namespace rtclab::ice
