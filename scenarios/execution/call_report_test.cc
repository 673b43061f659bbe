// What the results of a call say of its set-up and of its failure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/json.h"
#include "scenarios/execution/spec_for_test.h"
#include "scenarios/executor.h"

namespace rtclab::scenarios {
namespace {

using testing::HasSubstr;

// A call with audio both ways and a data channel from alice through which nothing is sent.
RunSpec ShortCall() {
  RunSpec spec = TwoHosts(PortRestricted(), PortRestricted(), false);
  PeerSpec& peer = spec.sessions[0].peer.emplace();
  peer.media.emplace();
  peer.media->video = false;
  peer.media->duration = TimeDelta::Seconds(1);
  peer.channels.push_back({.label = "data"});
  return spec;
}

std::string PhaseNames(const results::Session& session) {
  std::string names;
  for (const results::Json& phase : session.extra.at("phases")) {
    names += fmt::format("{} {}{}\n", phase.at("host").get<std::string>(),
                         phase.at("name").get<std::string>(),
                         phase.at("end_ms").is_null() ? " never ended" : "");
  }
  return names;
}

TEST(CallReportTest, PhasesOfBothEndsFollowEachOther) {
  const Outcome outcome = Execute(ShortCall(), {});
  ASSERT_EQ(outcome.run.sessions.size(), 1U);
  const results::Session& session = outcome.run.sessions[0];
  EXPECT_EQ(session.state, "connected") << session.why.text;
  EXPECT_EQ(PhaseNames(session),
            "alice gathering\nalice checks\nalice dtls\nalice sctp\nalice data_channels\n"
            "alice first_frame\nbob gathering\nbob checks\nbob dtls\nbob sctp\n"
            "bob data_channels\nbob first_frame\n");
  std::map<std::string, double> latest;
  for (const results::Json& phase : session.extra.at("phases")) {
    const double start = phase.at("start_ms"), end = phase.at("end_ms");
    EXPECT_LE(0, start);
    EXPECT_LE(start, end);
    double& last = latest[phase.at("name")];
    last = std::max(last, end);
  }
  EXPECT_EQ(latest.at("gathering"), results::Millis(*session.timing_ms.gathering));
  EXPECT_EQ(latest.at("dtls"), results::Millis(*session.timing_ms.dtls_connected));
  EXPECT_EQ(latest.at("data_channels"), results::Millis(*session.timing_ms.data_channel_open));
  EXPECT_EQ(latest.at("first_frame"), results::Millis(*session.timing_ms.first_media));
}

TEST(CallReportTest, AWrongFingerprintIsTheFailureOfTheEndThatSawIt) {
  RunSpec spec = ShortCall();
  spec.sessions[0].peer->wrong_fingerprint = true;
  const results::Session session = Execute(spec, {}).run.sessions[0];
  EXPECT_EQ(session.state, "failed");
  EXPECT_EQ(session.extra.at("failure").at("host"), "alice");
  EXPECT_EQ(session.extra.at("failure").at("reason"), "dtls-fingerprint-mismatch");
  EXPECT_THAT(session.why.text,
              testing::StartsWith("ICE connected, but alice got another certificate in the DTLS "
                                  "handshake than the peer's description announced (RFC 8122 "
                                  "section 5.1) (dtls-fingerprint-mismatch): the peer's "
                                  "certificate has sha-256 "));
}

TEST(CallReportTest, AHandshakeWithoutAnswerNamesWhatLostIt) {
  RunSpec spec = ShortCall();
  // When both have begun with DTLS and their first flights are on the way.
  double begun_ms = 0;
  const results::Session undisturbed = Execute(spec, {}).run.sessions.at(0);
  for (const results::Json& phase : undisturbed.extra.at("phases")) {
    if (phase.at("name") == "dtls") begun_ms = std::max<double>(begun_ms, phase.at("start_ms"));
  }
  spec.sessions[0].actions.push_back({.kind = ActionSpec::Kind::kLinkDown,
                                      .at = TimeDelta::Millis(static_cast<int64_t>(begun_ms) + 1),
                                      .target = "b"});
  spec.max_duration = TimeDelta::Seconds(120);
  const results::Session session = Execute(spec, {}).run.sessions[0];
  EXPECT_EQ(session.state, "failed");
  EXPECT_THAT(session.why.text, HasSubstr("ICE connected"));
  EXPECT_THAT(session.why.text, HasSubstr("data packets: "));
  EXPECT_THAT(session.why.text, HasSubstr("by link.down"));
  EXPECT_THAT(PhaseNames(session), HasSubstr("alice dtls never ended\n"));
}

TEST(CallReportTest, TheStoryNamesTheHandshakeAndCountsTheMedia) {
  RunSpec spec = ShortCall();
  const Outcome outcome = Execute(spec, {.pcapng = std::nullopt, .story = true});
  std::string text;
  for (const StoryEvent& e : outcome.story) text += e.text + "\n";
  EXPECT_THAT(text, HasSubstr("DTLS ClientHello to "));
  EXPECT_THAT(text, HasSubstr("ServerHelloDone"));
  EXPECT_THAT(text, HasSubstr("ChangeCipherSpec, Finished (encrypted) to "));
  EXPECT_THAT(text, HasSubstr("DTLS data (SCTP) ("));
  EXPECT_THAT(text, HasSubstr("SRTP opus ("));
  EXPECT_THAT(text, testing::ContainsRegex("[0-9]+ x SRTP opus"));
  EXPECT_LT(outcome.story.size(), 120U) << text;
}

}  // namespace
}  // namespace rtclab::scenarios
