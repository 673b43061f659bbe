#include "stack/sdp/validate.h"

#include <gmock/gmock.h>

#include "stack/sdp/test_util.h"

namespace rtclab::sdp {
namespace {

using ::testing::IsEmpty;

// A good offer; a case replaces or adds lines.
const std::vector<std::string>& GoodOffer() {
  static const auto* lines =
      new std::vector<std::string>{/* 1 */ "v=0",
                                   "o=- 1 2 IN IP4 127.0.0.1",
                                   "s=-",
                                   "t=0 0",
                                   "a=group:BUNDLE a v d",
                                   /* 6 */ "m=audio 9 UDP/TLS/RTP/SAVPF 111 0",
                                   "c=IN IP4 0.0.0.0",
                                   "a=mid:a",
                                   "a=ice-ufrag:abcd",
                                   /* 10 */ "a=ice-pwd:0123456789012345678901",
                                   "a=fingerprint:x 01",
                                   "a=setup:actpass",
                                   "a=rtcp-mux",
                                   /* 14 */ "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid",
                                   "a=rtpmap:111 opus/48000/2",
                                   "a=fmtp:111 useinbandfec=1",
                                   /* 17 */ "m=video 0 UDP/TLS/RTP/SAVPF 96 97",
                                   "c=IN IP4 0.0.0.0",
                                   "a=mid:v",
                                   "a=bundle-only",
                                   "a=rtpmap:96 VP8/90000",
                                   /* 22 */ "a=rtpmap:97 rtx/90000",
                                   "a=fmtp:97 apt=96",
                                   "a=rtcp-fb:96 nack",
                                   "a=rid:1 send pt=96",
                                   "a=rid:2 send",
                                   /* 27 */ "a=simulcast:send 1;2",
                                   "a=ssrc:1 cname:c",
                                   "a=ssrc:2 cname:c",
                                   "a=ssrc-group:FID 1 2",
                                   /* 31 */ "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid",
                                   /* 32 */ "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
                                   "c=IN IP4 0.0.0.0",
                                   "a=mid:d",
                                   "a=bundle-only",
                                   /* 36 */ "a=sctp-port:5000"};
  return *lines;
}

struct ValidateCase {
  int line;                  // of the good offer
  std::string_view replace;  // "" removes the line, "+..." adds one after it
  std::vector<std::pair<int, std::string_view>> issues;  // line and id of each
  DescriptionType type = DescriptionType::kOffer;
};

std::vector<ValidateCase> ValidateCases() {
  using enum DescriptionType;
  return {
      {1, "v=0", {}},
      {19, "a=mid:a", {{5, "bundle-unknown-mid"}, {19, "duplicate-mid"}}},
      {5, "a=group:BUNDLE a v d x", {{5, "bundle-unknown-mid"}}},
      {5, "a=group:BUNDLE a v d a", {{5, "bundle-mid-repeated"}}},
      {5,
       "a=group:BUNDLE a v",
       {{32, "ice-credentials-missing"},
        {32, "fingerprint-missing"},
        {32, "setup-missing"},
        {35, "bundle-only-without-group"}}},
      {5, "+a=group:BUNDLE v", {{6, "bundle-mid-repeated"}}},
      {5, "+a=group:LS a v", {}},
      {8,
       "",
       {{5, "bundle-unknown-mid"},
        {6, "missing-mid"},
        {16, "ice-credentials-missing"},
        {16, "fingerprint-missing"},
        {16, "setup-missing"},
        {16, "rtcp-mux-missing"},
        {31, "ice-credentials-missing"},
        {31, "fingerprint-missing"},
        {31, "setup-missing"}}},
      {17, "m=video 7 UDP/TLS/RTP/SAVPF 96 97", {{20, "bundle-only-port"}}},
      {7, "", {{6, "no-connection"}}},
      {10, "", {{6, "ice-credentials-missing"}}},
      {9, "", {{6, "ice-credentials-missing"}}},
      {11, "", {{6, "fingerprint-missing"}}},
      {12, "", {{6, "setup-missing"}}},
      {12, "a=setup:active", {{6, "setup-in-offer"}}},
      {12, "a=setup:active", {}, kAnswer},
      {12, "a=setup:active", {}, kAny},
      {1, "v=0", {{6, "setup-in-answer"}}, kAnswer},
      {1, "v=0", {}, kAny},
      {13, "", {{6, "rtcp-mux-missing"}, {16, "rtcp-mux-missing"}}},
      {13, "+a=rtcp-mux-only", {}},
      {13, "+a=rtcp-mux-only", {{6, "setup-in-answer"}, {6, "rtcp-mux-only-in-answer"}}, kAnswer},
      {36, "", {{32, "sctp-port-missing"}}},
      {36, "a=sctpmap:5000 webrtc-datachannel 16", {{32, "sctp-legacy"}}},
      {6, "m=audio 9 UDP/TLS/RTP/SAVPF 111 200", {{6, "bad-payload-type"}}},
      {6, "m=audio 9 UDP/TLS/RTP/SAVPF 111 x", {{6, "bad-payload-type"}}},
      {6, "m=audio 9 UDP/TLS/RTP/SAVPF 111 35", {{6, "payload-type-unmapped"}}},
      {6,
       "m=audio 9 UDP/TLS/RTP/SAVPF 111 72",
       {{6, "payload-type-unmapped"}, {6, "payload-type-rtcp-range"}}},
      {6, "m=audio 9 UDP/TLS/RTP/SAVPF 111 111", {{6, "payload-type-repeated"}}},
      {6,
       "m=audio 9 UDP/TLS/RTP/SAVPF 0",
       {{15, "payload-type-unlisted"}, {16, "payload-type-unlisted"}}},
      {15, "+a=rtpmap:111 opus/48000/2", {{16, "rtpmap-repeated"}}},
      {23, "a=fmtp:97 apt=95", {{23, "apt-unknown"}}},
      {23, "a=fmtp:97 rtx-time=1", {{23, "apt-unknown"}}},
      {24, "a=rtcp-fb:* nack", {}},
      {24, "a=rtcp-fb:95 nack", {{24, "payload-type-unlisted"}}},
      {14, "+a=extmap:1 urn:other", {{15, "bundle-extmap-conflict"}, {15, "extmap-id-repeated"}}},
      {31, "a=extmap:1 urn:other", {{31, "bundle-extmap-conflict"}}},
      {14, "+a=extmap:4096 urn:other", {}},
      {14, "+a=extmap:256 urn:other", {{15, "extmap-id-range"}}},
      {6,
       "m=audio 9 UDP/TLS/RTP/SAVPF 111 96",
       {{6, "payload-type-unmapped"}, {17, "bundle-payload-type-conflict"}}},
      {26, "a=rid:1 send", {{26, "rid-repeated"}, {27, "simulcast-unknown-rid"}}},
      {26, "a=rid:2 recv", {{27, "simulcast-rid-direction"}}},
      {25, "a=rid:1 send pt=95", {{25, "rid-unknown-payload-type"}}},
      {27, "a=simulcast:send 1;1", {{27, "simulcast-rid-repeated"}}},
      {27, "+a=simulcast:send 1", {{28, "duplicate-attribute"}}},
      {30, "a=ssrc-group:FID 1 3", {{30, "ssrc-group-unknown-ssrc"}}},
      {8,
       "+a=msid:s 01234567890123456789012345678901234567890123456789012345678901234",
       {{9, "msid-length"}}},
      {8, "+a=sendrecv", {}},
      {12, "+a=setup:passive", {{13, "duplicate-attribute"}}},
      {5, "+a=mid:a", {{6, "attribute-level"}}},
      {8, "+a=group:BUNDLE a", {{9, "attribute-level"}}},
      {8, "+a=ice-lite", {{9, "attribute-level"}}},
      // A rejected section is held to the rules about mids only.
      {6,
       "m=audio 0 UDP/TLS/RTP/SAVPF 35",
       {{17, "ice-credentials-missing"},
        {17, "fingerprint-missing"},
        {17, "setup-missing"},
        {17, "rtcp-mux-missing"},
        {32, "ice-credentials-missing"},
        {32, "fingerprint-missing"},
        {32, "setup-missing"}}},
  };
}

TEST(SdpValidateTest, EachRuleNamesItsLine) {
  for (const ValidateCase& test : ValidateCases()) {
    std::vector<std::string> lines = GoodOffer();
    const auto at = lines.begin() + test.line - 1;
    if (test.replace.empty())
      lines.erase(at);
    else if (test.replace.starts_with('+'))
      lines.insert(at + 1, std::string(test.replace.substr(1)));
    else
      *at = test.replace;
    std::string text;
    for (const std::string& line : lines) text.append(line).append("\r\n");
    const auto description = Parse(text);
    ASSERT_TRUE(description) << test.replace << ": " << description.error().ToString();
    std::vector<std::pair<int, std::string_view>> found;
    const std::vector<Issue> issues = Validate(*description, test.type);
    for (const Issue& issue : issues) {
      found.emplace_back(issue.line, issue.id);
      EXPECT_FALSE(issue.message.empty());
    }
    EXPECT_EQ(found, test.issues) << "line " << test.line << ": " << test.replace;
  }
}

TEST(SdpValidateTest, TwoDirectionsAreOneTooMany) {
  const auto description =
      Parse(Lines({"v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=sendrecv", "a=sendonly"}));
  ASSERT_TRUE(description);
  const std::vector<Issue> issues = Validate(*description);
  ASSERT_EQ(issues.size(), 1u);
  EXPECT_EQ(issues[0].line, 6);
  EXPECT_EQ(issues[0].severity, Severity::kError);
  EXPECT_EQ(issues[0].id, "duplicate-attribute");
}

TEST(SdpValidateTest, SharedPayloadTypesMustAgree) {
  const auto with = [](std::string_view second_fmtp) {
    const auto d =
        Parse(Lines({"v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "c=IN IP4 0.0.0.0", "t=0 0",
                     "a=group:BUNDLE a b", "a=ice-ufrag:abcd", "a=ice-pwd:0123456789012345678901",
                     "m=audio 9 RTP/AVP 96", "a=mid:a", "a=rtcp-mux", "a=rtpmap:96 opus/48000/2",
                     "a=fmtp:96 x=1;y=2", "m=audio 9 RTP/AVP 96", "a=mid:b", "a=rtcp-mux",
                     "a=rtpmap:96 OPUS/48000/2", second_fmtp}));
    CHECK(d.has_value());
    return Validate(*d);
  };
  EXPECT_THAT(with("a=fmtp:96 x=1; y=2"), IsEmpty());
  ASSERT_EQ(with("a=fmtp:96 x=1;y=3").size(), 1u);
  EXPECT_EQ(with("a=fmtp:96 x=1;y=3")[0].id, "bundle-payload-type-conflict");
  EXPECT_EQ(with("a=fmtp:96 x=1;y=3")[0].line, 14);
}

}  // namespace
}  // namespace rtclab::sdp
