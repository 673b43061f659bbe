// Received checks: RFC 8445 section 7.3, RFC 8489 section 9.1.3. Malformed packets are raw bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/ice/agent_lab.h"

namespace rtclab::ice {
namespace {

using stun::AttributeType;

constexpr auto kPeer = "192.0.2.2:2000";

AgentConfig InRole(Role role) {
  AgentConfig config;
  config.role = role;
  return config;
}

TEST(AgentServerTest, AnswersWithTheSourceAddressSigned) {
  Solo solo;
  solo.Gather();
  solo.SetRemote();
  ASSERT_TRUE(solo.Receive(Addr(kPeer), solo.Request()));
  const auto sent = solo.Take();
  ASSERT_EQ(sent.size(), 2u);
  const auto view = stun::MessageView::Parse(sent[0].payload);
  ASSERT_TRUE(view && view->IsSuccess());
  EXPECT_EQ(view->GetXorAddress(AttributeType::kXorMappedAddress), Addr(kPeer));
  EXPECT_FALSE(view->Has(AttributeType::kUsername));
  EXPECT_TRUE(view->VerifyIntegrity(
      stun::IntegrityKey::ShortTerm(solo.agent.local_credentials().password)));
  EXPECT_TRUE(view->VerifyFingerprint());
  // The unknown source became a candidate, and the triggered check goes there.
  const auto remotes = solo.agent.remote_candidates();
  ASSERT_EQ(remotes.size(), 1u);
  EXPECT_EQ(remotes[0].type, CandidateType::kPeerReflexive);
  EXPECT_EQ(remotes[0].priority, 1862270975u);
  EXPECT_EQ(sent[1].destination, Addr(kPeer));
}

TEST(AgentServerTest, RejectsWhatIsNotAuthentic) {
  Solo solo;
  solo.Gather();
  solo.SetRemote();
  EXPECT_TRUE(solo.Receive(Addr(kPeer), solo.Request({.username = "nobody:RFRAG"})));
  EXPECT_TRUE(solo.Receive(Addr(kPeer), solo.Request({.username = "nocolon"})));
  EXPECT_TRUE(solo.Receive(Addr(kPeer), solo.Request({.password = "another password it is"})));
  const stun::TransactionId id{};
  EXPECT_TRUE(solo.Receive(
      Addr(kPeer), stun::MessageBuilder(stun::MessageClass::kRequest, stun::Method::kBinding, id)
                       .AddFingerprint()
                       .Build()));
  const auto sent = solo.Take();
  ASSERT_EQ(sent.size(), 4u);
  EXPECT_EQ(Solo::ResponseCode(sent[0]), 401);
  EXPECT_EQ(Solo::ResponseCode(sent[1]), 401);
  EXPECT_EQ(Solo::ResponseCode(sent[2]), 401);
  EXPECT_EQ(Solo::ResponseCode(sent[3]), 400);
  EXPECT_TRUE(solo.agent.remote_candidates().empty());
  EXPECT_EQ(solo.agent.counters().checks_rejected, 4u);
}

TEST(AgentServerTest, UnknownRequiredAttributesGet420) {
  Solo solo;
  solo.Gather();
  solo.SetRemote();
  const auto key = stun::IntegrityKey::ShortTerm(solo.agent.local_credentials().password);
  stun::MessageBuilder b(stun::MessageClass::kRequest, stun::Method::kBinding, {});
  b.AddString(AttributeType::kUsername, solo.agent.local_credentials().ufrag + ":RFRAG");
  b.AddU32(static_cast<AttributeType>(0x7f01), 1);
  ASSERT_TRUE(solo.Receive(Addr(kPeer), b.AddMessageIntegrity(key).AddFingerprint().Build()));
  const auto sent = solo.Take();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(Solo::ResponseCode(sent[0]), 420);
  const auto view = stun::MessageView::Parse(sent[0].payload);
  EXPECT_THAT(*view->GetUnknownAttributes(),
              testing::ElementsAre(static_cast<AttributeType>(0x7f01)));
}

TEST(AgentServerTest, DropsRubbishSilently) {
  Solo solo;
  solo.Gather();
  solo.SetRemote();
  const Bytes good = solo.Request();
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(solo.Receive(
        Addr(kPeer), Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))))
        << size;
  }
  for (const char* hex :
       {"00", "000100002112a442", "000100002112a44200000000000000000000000000",
        "000100042112a4420102030405060708090a0b0c00060004",
        "0101ffff2112a4420102030405060708090a0b0c", "ffffffff", "",
        "000300002112a4420102030405060708090a0b0c", "000100002112a4420102030405060708090a0b0c"}) {
    EXPECT_FALSE(solo.Receive(Addr(kPeer), *FromHex(hex))) << hex;
  }
  // Without FINGERPRINT it is not taken for a check; to an address that is not ours neither.
  Bytes bare(good.begin(), good.end() - 8);
  bare[3] = static_cast<uint8_t>(bare[3] - 8);
  EXPECT_FALSE(solo.Receive(Addr(kPeer), bare));
  EXPECT_FALSE(solo.agent.HandlePacket(solo.now, {Addr(kPeer), Addr("192.0.2.1:1001"), good}));
  EXPECT_TRUE(solo.Take().empty());
  EXPECT_GT(solo.agent.counters().dropped, 100u);
}

TEST(AgentServerTest, ChecksBeforeTheAnswerAreAnsweredAtOnceAndProcessedLater) {
  Solo solo(InRole(Role::kControlled));
  solo.Gather();
  ASSERT_TRUE(
      solo.Receive(Addr(kPeer), solo.Request({.role = Role::kControlling, .use_candidate = true})));
  ASSERT_TRUE(solo.Receive(Addr(kPeer), solo.Request({.role = Role::kControlling})));
  auto sent = solo.Take();
  ASSERT_EQ(sent.size(), 2u);
  for (const Transmit& t : sent) EXPECT_EQ(Solo::ResponseCode(t), 0);
  EXPECT_TRUE(solo.agent.remote_candidates().empty());
  // Data of a peer that already sees a valid pair is let through.
  EXPECT_TRUE(solo.Receive(Addr(kPeer), {22, 1, 2, 3}));
  solo.SetRemote();
  EXPECT_EQ(solo.agent.remote_candidates().size(), 1u);
  sent = solo.Take();
  ASSERT_EQ(sent.size(), 1u);  // one triggered check, though two came
  EXPECT_TRUE(solo.Answer(sent[0]));
  EXPECT_EQ(solo.agent.state(), AgentState::kCompleted);  // USE-CANDIDATE was remembered
}

TEST(AgentServerTest, BufferedChecksOfAnotherSessionAreForgotten) {
  Solo solo;
  solo.Gather();
  ASSERT_TRUE(solo.Receive(
      Addr(kPeer), solo.Request({.username = solo.agent.local_credentials().ufrag + ":OTHER"})));
  solo.Take();
  solo.SetRemote();
  EXPECT_TRUE(solo.agent.remote_candidates().empty());
  EXPECT_TRUE(solo.Take().empty());
}

// --- Role conflicts, RFC 8445 section 7.3.1.1 ----------------------------------------------------

TEST(AgentServerTest, TheLargerTieBreakerControls) {
  struct {
    Role ours;
    bool we_are_larger;
    bool answered_487;
    Role after;
  } const kCases[] = {
      {Role::kControlling, true, true, Role::kControlling},
      {Role::kControlling, false, false, Role::kControlled},
      {Role::kControlled, true, false, Role::kControlling},
      {Role::kControlled, false, true, Role::kControlled},
  };
  for (const auto& test : kCases) {
    Solo solo(As(test.ours));
    solo.Gather();
    solo.SetRemote();
    solo.AddRemote("192.0.2.9:1", 500);
    solo.Take();
    const uint64_t ours = solo.agent.tie_breaker();
    solo.remote_tie_breaker = test.we_are_larger ? ours : ours + 1;  // equal counts as larger
    ASSERT_TRUE(solo.Receive(Addr(kPeer), solo.Request({.role = test.ours})));
    EXPECT_EQ(Solo::ResponseCode(solo.Take().at(0)), test.answered_487 ? 487 : 0);
    EXPECT_EQ(solo.agent.role(), test.after);
    EXPECT_EQ(solo.Events<RoleChanged>().size(), test.after == test.ours ? 0u : 1u);
    EXPECT_EQ(solo.agent.tie_breaker(), ours);
    // No request of that kind is processed further after a 487.
    EXPECT_EQ(solo.agent.remote_candidates().size(), test.answered_487 ? 1u : 2u);
    const auto entry = solo.agent.checklist().back();
    EXPECT_EQ(entry.pair.priority & 1,
              test.after == Role::kControlling ? 1u : 0u);  // G > D follows the role
  }
}

TEST(AgentServerTest, A487SwitchesTheRoleAndRepeatsTheCheck) {
  for (const Role ours : {Role::kControlling, Role::kControlled}) {
    Solo solo(As(ours));
    solo.Start({kPeer});
    const uint64_t before = solo.agent.tie_breaker();
    const auto first = solo.Take();
    solo.RunFor(TimeDelta::Millis(100));
    ASSERT_TRUE(solo.Receive(Addr(kPeer), solo.Error(first[0], 487)));
    EXPECT_NE(solo.agent.role(), ours);
    EXPECT_NE(solo.agent.tie_breaker(), before);
    const auto again = solo.Take();
    ASSERT_EQ(again.size(), 1u);
    const auto view = stun::MessageView::Parse(again[0].payload);
    EXPECT_EQ(view->Has(AttributeType::kIceControlled), ours == Role::kControlling);
    EXPECT_EQ(solo.agent.check_log()[0].error_code, 487);
    EXPECT_TRUE(solo.Answer(again[0]));
    EXPECT_EQ(solo.agent.state(), AgentState::kConnected);
  }
}

TEST(AgentServerTest, TwoAgentsOfOneRoleAgree) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    for (const Role role : {Role::kControlling, Role::kControlled}) {
      Lab lab(InRole(role), InRole(role), seed);
      lab.Start({Addr("192.0.2.1:1000")}, {Addr("192.0.2.2:2000")});
      ASSERT_TRUE(lab.RunFor(TimeDelta::Seconds(5), [&] {
        return lab.BothAre(AgentState::kCompleted);
      })) << seed;
      EXPECT_NE(lab.agent(0).role(), lab.agent(1).role()) << seed;
    }
  }
}

}  // namespace
}  // namespace rtclab::ice
