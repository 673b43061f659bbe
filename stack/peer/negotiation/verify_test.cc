// Remote descriptions that must be refused, and candidates: each with the name of its error, and nothing changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/peer/negotiation/negotiation_test_util.h"

namespace rtclab::peer {
namespace {

// Replaces every line that begins with `line` by `with` (with its line end, or empty to take it away).
std::string Edit(std::string sdp, std::string_view line, std::string_view with) {
  std::string out;
  while (!sdp.empty()) {
    const std::size_t end = sdp.find("\r\n") + 2;
    out += sdp.starts_with(line) ? std::string(with) : sdp.substr(0, end);
    sdp.erase(0, end);
  }
  return out;
}

struct BadCase {
  const char* what;
  std::string_view line, with;
};

TEST(VerifyTest, OffersThatCannotBeAccepted) {
  const BadCase cases[] = {
      {"no ufrag", "a=ice-ufrag", ""},
      {"no password", "a=ice-pwd", ""},
      {"no fingerprint", "a=fingerprint", ""},
      {"no setup", "a=setup", ""},
      {"holdconn", "a=setup", "a=setup:holdconn\r\n"},
      {"no rtcp-mux", "a=rtcp-mux\r\n", ""},
      {"two equal mids", "a=mid:1", "a=mid:0\r\n"},
      {"a bundle of nobody", "a=group:BUNDLE", "a=group:BUNDLE 0 1 9\r\n"},
      {"no sctp-port", "a=sctp-port", ""},
      {"simulcast without rids", "a=msid:", "a=simulcast:send 1;2\r\n"},
      {"rtx for nothing", "a=fmtp:97", "a=fmtp:97 apt=50\r\n"},
      {"one id for two extensions", "a=extmap:3", "a=extmap:4 urn:x\r\n"},
  };
  Jsep a;
  ASSERT_TRUE(a->AddTransceiver(MediaKind::kVideo));
  a->WantData();
  const std::string offer = a.Offer();
  for (const BadCase& c : cases) {
    SCOPED_TRACE(c.what);
    Jsep b(TestNegotiatorConfig(2), 2);
    const std::string bad = Edit(offer, c.line, c.with);
    ASSERT_NE(bad, offer);
    const auto set = b->SetRemoteDescription(SdpType::kOffer, bad);
    ASSERT_FALSE(set);
    EXPECT_EQ(set.error().name, ErrorName::kInvalidAccessError) << set.error().message;
    EXPECT_EQ(b->signaling_state(), SignalingState::kStable);
    EXPECT_TRUE(b->transceivers().empty());
    EXPECT_TRUE(b.Events().empty());
    EXPECT_TRUE(b->SetRemoteDescription(SdpType::kOffer, offer));
  }
}

TEST(VerifyTest, TextThatIsNoSdpIsAnOperationErrorWithItsLine) {
  Jsep b;
  const auto set =
      b->SetRemoteDescription(SdpType::kOffer, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nwhat\r\n");
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().name, ErrorName::kOperationError);
  EXPECT_EQ(set.error().sdp_line, 4);
  // The same, cut at every byte: never more than an error.
  Jsep a;
  ASSERT_TRUE(a->AddTransceiver(MediaKind::kVideo));
  a->WantData();
  const std::string offer = a.Offer();
  int refused = 0;
  for (std::size_t size = 0; size < offer.size(); size += 7) {
    Jsep fresh(TestNegotiatorConfig(2), 2);
    if (!fresh->SetRemoteDescription(SdpType::kOffer, std::string_view(offer).substr(0, size)))
      ++refused;
  }
  EXPECT_GT(refused, static_cast<int>(offer.size()) / 7 - 30);
}

TEST(VerifyTest, AnswersThatDoNotFitTheirOffer) {
  const BadCase cases[] = {
      {"actpass", "a=setup", "a=setup:actpass\r\n"},
      {"another mid", "a=mid:0", "a=mid:7\r\n"},
      {"another kind", "m=video", "m=audio 9 UDP/TLS/RTP/SAVPF 96 97\r\n"},
      {"another protocol", "m=application", "m=application 9 DTLS/SCTP 5000\r\n"},
      {"feedback not offered", "a=rtcp-fb:96 nack pli", "a=rtcp-fb:96 ack rpsi\r\n"},
      {"no fingerprint", "a=fingerprint", ""},
  };
  for (const BadCase& c : cases) {
    SCOPED_TRACE(c.what);
    JsepPair pair;
    ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kVideo));
    pair.a->WantData();
    ASSERT_TRUE(pair.a->SetLocalDescription());
    ASSERT_TRUE(pair.b->SetRemoteDescription(SdpType::kOffer, pair.a.Local()));
    const std::string answer = pair.b->CreateAnswer()->sdp;
    const std::string bad = Edit(answer, c.line, c.with);
    ASSERT_NE(bad, answer);
    const auto set = pair.a->SetRemoteDescription(SdpType::kAnswer, bad);
    ASSERT_FALSE(set);
    EXPECT_EQ(set.error().name, ErrorName::kInvalidAccessError) << set.error().message;
    EXPECT_EQ(pair.a->signaling_state(), SignalingState::kHaveLocalOffer);
    EXPECT_TRUE(pair.a->SetRemoteDescription(SdpType::kAnswer, answer));
  }
}

TEST(VerifyTest, AnAnswerHasAsManySectionsAsItsOffer) {
  JsepPair pair;
  ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kAudio));
  ASSERT_TRUE(pair.a->SetLocalDescription());
  ASSERT_TRUE(pair.b->SetRemoteDescription(SdpType::kOffer, pair.a.Local()));
  ASSERT_TRUE(pair.a->SetLocalDescription(SdpType::kRollback));
  pair.a->WantData();
  ASSERT_TRUE(pair.a->SetLocalDescription());
  const auto set = pair.a->SetRemoteDescription(SdpType::kAnswer, pair.b->CreateAnswer()->sdp);
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().name, ErrorName::kInvalidAccessError);
}

TEST(VerifyTest, ReoffersKeepTheirSections) {
  JsepPair pair;
  ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kAudio));
  pair.a->WantData();
  ASSERT_EQ(pair.Negotiate(), "");
  const std::string offer = pair.a.Offer();
  const std::string fewer = offer.substr(0, offer.find("m=application"));
  const std::string cases[] = {
      Edit(fewer, "a=group:BUNDLE", "a=group:BUNDLE 0\r\n"),
      Edit(Edit(offer, "a=mid:0", "a=mid:5\r\n"), "a=group:BUNDLE", "a=group:BUNDLE 5 1\r\n")};
  for (const std::string& bad : cases) {
    const auto set = pair.b->SetRemoteDescription(SdpType::kOffer, bad);
    ASSERT_FALSE(set);
    EXPECT_EQ(set.error().name, ErrorName::kInvalidAccessError);
    EXPECT_EQ(pair.b->signaling_state(), SignalingState::kStable);
  }
  EXPECT_TRUE(pair.b->SetRemoteDescription(SdpType::kOffer, offer));
}

TEST(VerifyTest, IceAndDtlsChangeOnlyTogetherAndOnlyWhenOffered) {
  const auto answer_to = [](JsepPair& pair, const OfferOptions& options, auto&& edit) {
    const auto offer = pair.a->CreateOffer(options);
    CHECK(offer && pair.a->SetLocalDescription(SdpType::kOffer, offer->sdp) &&
          pair.b->SetRemoteDescription(SdpType::kOffer, pair.a.Local()));
    return pair.a->SetRemoteDescription(SdpType::kAnswer, edit(pair.b->CreateAnswer()->sdp));
  };
  const std::string fingerprint = [] {
    std::string line = "a=fingerprint:sha-256 ";
    for (int i = 0; i < 32; ++i) line += i == 0 ? "AB" : ":AB";
    return line + "\r\n";
  }();
  struct {
    const char* what;
    bool restart;
    std::function<std::string(std::string)> edit;
    bool accepted;
  } const cases[] = {
      {"nothing changes", false, [](std::string s) { return s; }, true},
      {"credentials without a restart", false,
       [](std::string s) { return Edit(s, "a=ice-ufrag", "a=ice-ufrag:OTHER\r\n"); }, false},
      {"a restart that is not answered", true,
       [](std::string s) {
         return Edit(Edit(s, "a=ice-ufrag", "a=ice-ufrag:SAME\r\n"), "a=ice-pwd",
                     "a=ice-pwd:0123456789abcdefghijkl\r\n");
       },
       false},
      {"another certificate without a restart", false,
       [&](std::string s) { return Edit(s, "a=fingerprint", fingerprint); }, false},
      {"another certificate with a restart", true,
       [&](std::string s) { return Edit(s, "a=fingerprint", fingerprint); }, true},
      {"the roles turn around", false,
       [](std::string s) { return Edit(s, "a=setup", "a=setup:passive\r\n"); }, false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    JsepPair pair;
    pair.a->WantData();
    const bool same = std::string(c.what) == "a restart that is not answered";
    ASSERT_TRUE(answer_to(pair, {}, [&](std::string s) {
      return same ? Edit(Edit(s, "a=ice-ufrag", "a=ice-ufrag:SAME\r\n"), "a=ice-pwd",
                         "a=ice-pwd:0123456789abcdefghijkl\r\n")
                  : s;
    }));
    ASSERT_TRUE(pair.b->SetLocalDescription());
    const auto set = answer_to(pair, {.ice_restart = c.restart}, c.edit);
    EXPECT_EQ(set.has_value(), c.accepted) << (set ? "" : set.error().message);
    if (set) continue;
    EXPECT_EQ(set.error().name, ErrorName::kInvalidAccessError);
    EXPECT_EQ(pair.a->signaling_state(), SignalingState::kHaveLocalOffer);
  }
}

TEST(CandidateTest, IsHeldAgainstTheRemoteDescription) {
  const std::string line = "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host";
  JsepPair pair;
  pair.a->WantData();
  EXPECT_EQ(pair.b->AddRemoteCandidate({.candidate = line, .sdp_mid = "0"}).error().name,
            ErrorName::kInvalidStateError);
  ASSERT_EQ(pair.Negotiate(), "");
  const std::string ufrag = pair.b->transports()[0].remote.ufrag;
  struct {
    IceCandidateInit candidate;
    std::optional<ErrorName> error;
  } const cases[] = {
      {{.candidate = line}, ErrorName::kTypeError},
      {{.candidate = line, .sdp_mid = "9"}, ErrorName::kOperationError},
      {{.candidate = line, .sdp_m_line_index = 1}, ErrorName::kOperationError},
      {{.candidate = "candidate:what", .sdp_mid = "0"}, ErrorName::kOperationError},
      {{.candidate = line, .sdp_mid = "0", .username_fragment = "none"},
       ErrorName::kOperationError},
      {{.candidate = line, .sdp_mid = "0", .username_fragment = ufrag}, std::nullopt},
      {{.candidate = line, .sdp_m_line_index = 0}, std::nullopt},
      {{.candidate = "", .sdp_mid = "0"}, std::nullopt},
      {{.candidate = ""}, std::nullopt},
  };
  for (const auto& c : cases) {
    const auto added = pair.b->AddRemoteCandidate(c.candidate);
    ASSERT_EQ(added.has_value(), !c.error) << c.candidate.candidate;
    if (c.error) {
      EXPECT_EQ(added.error().name, *c.error);
    }
  }
  const auto candidates = pair.b->remote_candidates(pair.b->transports()[0]);
  EXPECT_THAT(candidates.lines, testing::ElementsAre(line));
  EXPECT_TRUE(candidates.end);
}

TEST(CandidateTest, LocalOnesAreInTheDescriptionAndInLaterOffers) {
  JsepPair pair;
  pair.a->WantData();
  ASSERT_EQ(pair.Negotiate(), "");
  const JsepTransport t = pair.a->transports()[0];
  pair.a->AddLocalCandidate(
      t.id, t.local.ufrag,
      {"candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host", "192.0.2.1", 5000, false, 0});
  pair.a->AddLocalCandidate(
      t.id, t.local.ufrag,
      {"candidate:2 1 udp 1694498815 203.0.113.9 6000 typ srflx raddr 192.0.2.1 rport 5000",
       "203.0.113.9", 6000, false, 1});
  pair.a->EndOfLocalCandidates(t.id, t.local.ufrag);
  for (const std::string& sdp : {pair.a.Local(), pair.a.Offer()}) {
    EXPECT_THAT(sdp, testing::HasSubstr("m=application 6000 "));
    EXPECT_THAT(sdp, testing::HasSubstr("c=IN IP4 203.0.113.9\r\n"));
    EXPECT_THAT(sdp, testing::HasSubstr("a=candidate:1 1 udp"));
    EXPECT_THAT(sdp, testing::HasSubstr("a=end-of-candidates\r\n"));
  }
  EXPECT_THAT(pair.a.Offer({.ice_restart = true}), testing::Not(testing::HasSubstr("a=candidate")));
}

}  // namespace
}  // namespace rtclab::peer
