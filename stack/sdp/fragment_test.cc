#include "stack/sdp/fragment.h"

#include <gmock/gmock.h>

#include "stack/sdp/test_util.h"

namespace rtclab::sdp {
namespace {

using ::testing::IsEmpty;

// RFC 8840 section 9.1 has a fragment of this shape.
std::string FragmentText() {
  return Lines({"a=ice-options:trickle", "a=ice-pwd:asd88fgpdd777uzjYhagZg", "a=ice-ufrag:8hhY",
                "a=group:BUNDLE 1 2", "m=audio 9 RTP/AVP 0", "a=mid:1",
                "a=candidate:1 1 UDP 2130706432 2001:db8:a0b:12f0::1 5000 typ host", "a=rtcp-mux",
                "a=end-of-candidates", "m=audio 9 RTP/AVP 0", "a=mid:2", "a=x-new:thing"});
}

TEST(SdpFragmentTest, RoundTrip) {
  const auto fragment = ParseFragment(FragmentText());
  ASSERT_TRUE(fragment) << fragment.error().ToString();
  EXPECT_EQ(Serialize(*fragment), FragmentText());
  EXPECT_EQ(fragment->attributes.Find<IceUfrag>()->value, "8hhY");
  ASSERT_NE(fragment->FindMid("1"), nullptr);
  EXPECT_EQ(fragment->FindMid("1")->attributes.All<Candidate>().size(), 1u);
  EXPECT_TRUE(fragment->FindMid("1")->attributes.Has(Flag::kEndOfCandidates));
  EXPECT_EQ(fragment->FindMid("3"), nullptr);
}

TEST(SdpFragmentTest, EmptyAndCandidatesOnly) {
  EXPECT_EQ(ParseFragment(""), TrickleFragment{});
  const auto fragment = ParseFragment("a=ice-ufrag:8hhY\na=end-of-candidates\n");
  ASSERT_TRUE(fragment);
  EXPECT_THAT(fragment->media, IsEmpty());
}

// RFC 8840 section 9.2: a receiver treats the older names as case-insensitive.
TEST(SdpFragmentTest, NamesInAnyCaseAreWrittenInLowerCase) {
  const auto fragment = ParseFragment(
      "a=ICE-Ufrag:8hhY\r\nm=audio 9 RTP/AVP 0\r\na=MID:1\r\na=RTCP-Mux\r\na=X-Other:Y\r\n");
  ASSERT_TRUE(fragment) << fragment.error().ToString();
  EXPECT_EQ(Serialize(*fragment),
            "a=ice-ufrag:8hhY\r\nm=audio 9 RTP/AVP 0\r\na=mid:1\r\na=rtcp-mux\r\na=X-Other:Y\r\n");
}

TEST(SdpFragmentTest, MalformedFragments) {
  const std::pair<std::string_view, ParseError> cases[] = {
      {"v=0\r\n", {1, 1, "expected a= or m=, found v="}},
      {"a=mid:1", {1, 8, "expected a line end, found the end of the text"}},
      {"m=audio 9 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n", {2, 1, "expected a= or m=, found c="}},
      {"m=audio RTP/AVP 0\r\n", {1, 9, "expected a port from 0 to 65535, found \"RTP/AVP\""}},
      {"a=ICE-PWD:short\r\n", {1, 11, "expected 22 to 256 ice-chars, found \"short\""}},
  };
  for (const auto& [text, error] : cases) {
    const auto fragment = ParseFragment(text);
    ASSERT_FALSE(fragment) << text;
    EXPECT_EQ(fragment.error(), error) << text << fragment.error().ToString();
  }
  EXPECT_EQ(ParseFragment("a=x\r\n", {.bytes = 4}).error(),
            (ParseError{1, 1, "expected at most 4 bytes"}));
}

TEST(SdpFragmentTest, TruncationAtEveryByte) {
  const std::string text = FragmentText();
  for (std::size_t size = 0; size < text.size(); ++size) {
    const std::string_view cut = std::string_view(text).substr(0, size);
    const auto fragment = ParseFragment(cut);
    ASSERT_EQ(fragment.has_value(), cut.empty() || cut.back() == '\n') << size;
    EXPECT_EQ(Serialize(fragment.value_or(TrickleFragment{})), fragment ? cut : "");
  }
}

}  // namespace
}  // namespace rtclab::sdp
