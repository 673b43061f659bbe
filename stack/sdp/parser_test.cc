// Lines, their order, their limits, and what is said about broken ones.
#include <gmock/gmock.h>

#include <algorithm>

#include "stack/sdp/session_description.h"
#include "stack/sdp/test_util.h"

namespace rtclab::sdp {
namespace {

using ::testing::ElementsAre;
using namespace std::string_view_literals;

constexpr std::string_view kHead = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";

TEST(SdpParserTest, EveryLineComesBack) {
  const std::string text = EverythingDescription();
  const auto description = Parse(text);
  ASSERT_TRUE(description) << description.error().ToString();
  EXPECT_EQ(Serialize(*description), text);
  EXPECT_EQ(Parse(Serialize(*description)), description);
}

TEST(SdpParserTest, FieldsThatAreNotAttributes) {
  const auto d = Parse(EverythingDescription());
  ASSERT_TRUE(d);
  EXPECT_EQ(d->origin, (Origin{"jdoe", 3724394400, 3724394405, {"IN", "IP6", "2001:db8::1"}}));
  EXPECT_EQ(d->name, "Call to John Smith");
  EXPECT_EQ(d->information, "SDP Offer #1");
  EXPECT_EQ(d->uri, "http://www.jdoe.example.com/home.html");
  EXPECT_THAT(d->emails, ElementsAre("Jane Doe <jane@jdoe.example.com>", "john@example.com"));
  EXPECT_THAT(d->phones, ElementsAre("+1 617 555-6011"));
  EXPECT_EQ(d->connection->address, "233.252.0.1/127/3");
  EXPECT_THAT(d->bandwidths, ElementsAre(Bandwidth{"AS", 128}, Bandwidth{"X-YZ", 64}));
  ASSERT_EQ(d->times.size(), 2u);
  EXPECT_EQ(d->times[0].start, 3724394400u);
  EXPECT_THAT(d->times[0].repeats, ElementsAre("604800 3600 0 90000", "7d 1h 0 25h"));
  EXPECT_EQ(d->times[0].zone, "3730928400 -1h 3749680800 0");
  EXPECT_EQ(d->key, "clear:secret");
  ASSERT_EQ(d->media.size(), 3u);
  EXPECT_EQ(d->media[0].line, 27);
  EXPECT_EQ(d->media[0].port, 49180);
  EXPECT_EQ(d->media[0].port_count, 2u);
  EXPECT_EQ(d->media[0].protocol, "UDP/TLS/RTP/SAVPF");
  EXPECT_THAT(d->media[0].formats, ElementsAre("0", "111"));
  EXPECT_EQ(d->media[0].connections.size(), 2u);
  EXPECT_EQ(d->media[0].bandwidth("TIAS"), 64000u);
  EXPECT_EQ(d->media[0].bandwidth("AS"), std::nullopt);
  EXPECT_EQ(d->media[0].key, "prompt");
  EXPECT_EQ(d->media[0].attributes.items().front().line, 33);
}

TEST(SdpParserTest, BareLineFeedsAreReadAndWrittenAsCrLf) {
  std::string text = EverythingDescription();
  const std::string with_crlf = text;
  std::erase(text, '\r');
  const auto description = Parse(text);
  ASSERT_TRUE(description) << description.error().ToString();
  EXPECT_EQ(Serialize(*description), with_crlf);
  // Mixed ends too.
  EXPECT_TRUE(Parse("v=0\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\nt=0 0\r\n"));
}

TEST(SdpParserTest, ADefaultDescriptionIsValid) {
  EXPECT_EQ(Serialize(SessionDescription{}), "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n");
  EXPECT_EQ(Parse(Serialize(SessionDescription{})), SessionDescription{});
}

struct BadDescription {
  std::string_view text;  // after kHead when it starts with "+"
  int line, column;
  std::string_view reason;
};

const BadDescription kBadDescriptions[] = {
    {"", 1, 1, "expected the v= line, found the end of the text"},
    {"\r\n", 1, 1, "expected a line of the form x=..., found an empty line"},
    {"v=0", 1, 4, "expected a line end, found the end of the text"},
    {"v=0\r", 1, 5, "expected a line end, found the end of the text"},
    {"v=0\r\n", 1, 1, "expected the o= line, found the end of the text"},
    {"v=1\r\n", 1, 3, "expected version 0"},
    {"v=\r\n", 1, 3, "expected version 0"},
    {"v =0\r\n", 1, 1, "expected a letter and \"=\" at the start of the line"},
    {"V=0\r\n", 1, 1, "expected a letter and \"=\" at the start of the line"},
    {"{\"type\":\"offer\"}\n", 1, 1, "expected a letter and \"=\" at the start of the line"},
    {"o=- 1 1 IN IP4 1.2.3.4\r\n", 1, 1, "expected the v= line, found o="},
    {"v=0\r\nv=0\r\n", 2, 1, "expected one v= line at most"},
    {"v=0\r\ns=-\r\n", 2, 1, "expected the o= line, found s="},
    {"v=0\no=1 2 IN IP4 1.2.3.4\n", 2, 7, "expected a session version of 64 bits, found \"IN\""},
    {"v=0\no=- -1 2 IN IP4 1.2.3.4\n", 2, 5, "expected a session id of 64 bits, found \"-1\""},
    {"v=0\no=- 1 18446744073709551616 IN IP4 1.2.3.4\n", 2, 7,
     "expected a session version of 64 bits, found \"18446744073709551616\""},
    {"v=0\no=- 1 2 IN IP4 \n", 2, 16, "expected an address, found the end of the line"},
    {"v=0\no=- 1 2 IN IP4 1.2.3\n", 2, 16,
     "expected an IPv4 address or a domain name, found \"1.2.3\""},
    {"v=0\no=- 1 2 IN IP4 127.0.0.1\nt=0 0\n", 3, 1, "expected the s= line, found t="},
    {"v=0\no=- 1 2 IN IP4 127.0.0.1\ns=\n", 3, 3,
     "expected a session name, if only \"-\", found the end of the line"},
    {"v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\n", 3, 1,
     "expected the t= line, found the end of the text"},
    {"v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nm=audio 9 RTP/AVP 0\n", 4, 1,
     "expected the t= line, found m="},
    {"v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\na=x\n", 4, 1, "expected the t= line, found a="},
    {"v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nu=x\ni=y\n", 5, 1, "expected i= before u="},
    {"v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nc=IN IP4 1.1.1.1\nc=IN IP4 1.1.1.1\n", 5, 1,
     "expected one c= line at most"},
    {"v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nt=0\n", 4, 4,
     "expected a space and a stop time, found the end of the line"},
    {"+r=7d 1h\r\n", 5, 8,
     "expected an interval, a duration and offsets, found the end of the line"},
    {"+r=7d 1w 0\r\n", 5, 7, "expected the end of the line, found \"w\""},
    {"+z=0 -1h 5\r\n", 5, 10, "expected a space and an offset, found the end of the line"},
    {"+z=0 1h\r\nr=1 1 1\r\n", 6, 1, "expected r= before z="},
    {"+a=x\r\nb=AS:1\r\n", 6, 1, "expected b= before a="},
    {"+k=none\r\n", 5, 3, "expected prompt, clear:, base64: or uri:"},
    {"+a=x\r\n\r\n", 6, 1, "expected a line of the form x=..., found an empty line"},
    {"+a=x\ry\r\n", 5, 4, "expected LF after CR"},
    {"+a=x\r\r\n", 5, 4, "expected LF after CR"},
    {"+a=x\0\r\n"sv, 5, 4, "expected text, found a zero byte"},
    {"+x=y\r\n", 5, 1,
     "expected one of the lines v o s i u e p c b t r z k a m at the session level, found x="},
    {"+a=mid:\r\n", 5, 7, "expected a mid, found the end of the line"},
    {"+m=audio\r\n", 5, 8, "expected a space and a port, found the end of the line"},
    {"+m=audio 65536 RTP/AVP 0\r\n", 5, 9, "expected a port from 0 to 65535, found \"65536\""},
    {"+m=audio 9/0 RTP/AVP 0\r\n", 5, 11, "expected a number of ports, found \"0\""},
    {"+m=audio 9 RTP//AVP 0\r\n", 5, 15,
     "expected a protocol such as UDP/TLS/RTP/SAVPF, found \"/AVP\""},
    {"+m=audio 9 RTP/AVP\r\n", 5, 18, "expected a space and a format, found the end of the line"},
    {"+m=audio 9 RTP/AVP 0 \r\n", 5, 21, "expected a format, found the end of the line"},
    {"+m=audio 9 RTP/AVP 0\r\nt=0 0\r\n", 6, 1,
     "expected one of the lines i c b k a m in a media section, found t="},
    {"+m=audio 9 RTP/AVP 0\r\na=x\r\nc=IN IP4 1.1.1.1\r\n", 7, 1, "expected c= before a="},
    {"+m=audio 9 RTP/AVP 0\r\ni=x\r\ni=x\r\n", 7, 1, "expected one i= line at most"},
    {"+m=audio 9 RTP/AVP 0\r\nb=AS\r\n", 6, 5,
     "expected \":\" and a number, found the end of the line"},
    {"+m=audio 9 RTP/AVP 0\r\nb=AS:x\r\n", 6, 6, "expected a bandwidth, found \"x\""},
    {"+m=audio 9 RTP/AVP 0\r\nc=IN IP4 224.1.1.1/a\r\n", 6, 19,
     "expected /ttl and /count of a multicast address, found \"/a\""},
    {"+m=audio 9 RTP/AVP 0\r\nc=IN IP6 ff00::1/1/2\r\n", 6, 17,
     "expected /ttl and /count of a multicast address, found \"/1/2\""},
    {"+m=audio 9 RTP/AVP 0\r\nc=IN IP4 a!b.c\r\n", 6, 10,
     "expected an IPv4 address or a domain name, found \"a!b.c\""},
    {"+m=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU\r\n", 6, 16,
     "expected \"/\" and a clock rate, found the end of the line"},
};

TEST(SdpParserTest, MalformedDescriptionsSayWhereAndWhy) {
  for (const BadDescription& bad : kBadDescriptions) {
    const std::string text = bad.text.starts_with('+')
                                 ? std::string(kHead).append(bad.text.substr(1))
                                 : std::string(bad.text);
    const auto description = Parse(text);
    ASSERT_FALSE(description) << text;
    EXPECT_EQ(description.error(), (ParseError{bad.line, bad.column, std::string(bad.reason)}))
        << text << description.error().ToString();
  }
}

TEST(SdpParserTest, ErrorsReadAsOneSentence) {
  EXPECT_EQ(Parse("v=1\n").error().ToString(), "line 1, column 3: expected version 0");
}

TEST(SdpParserTest, LimitsHold) {
  const std::string text =
      std::string(kHead) + "m=audio 9 RTP/AVP 0\r\na=x\r\nm=audio 9 RTP/AVP 0\r\n";
  EXPECT_TRUE(Parse(text, {.bytes = text.size(), .line_bytes = 24, .lines = 7, .media = 2}));
  EXPECT_EQ(Parse(text, {.bytes = text.size() - 1}).error(),
            (ParseError{1, 1, "expected at most 89 bytes"}));
  EXPECT_EQ(Parse(text, {.line_bytes = 23}).error(),
            (ParseError{2, 24, "expected at most 23 bytes in a line"}));
  EXPECT_EQ(Parse(text, {.lines = 6}).error(), (ParseError{7, 1, "expected at most 6 lines"}));
  EXPECT_EQ(Parse(text, {.media = 1}).error(),
            (ParseError{7, 1, "expected at most 1 media sections"}));
}

// A text that ends early is noticed at its last line, or is missing lines that every description has.
TEST(SdpParserTest, TruncationAtEveryByte) {
  for (const std::string& text : {EverythingDescription(), ReadFixture("firefox-offer-data")}) {
    for (std::size_t size = 0; size < text.size(); ++size) {
      const std::string_view cut = std::string_view(text).substr(0, size);
      const auto lines = static_cast<int>(std::ranges::count(cut, '\n'));
      const auto description = Parse(cut);
      if (!cut.empty() && cut.back() != '\n') {
        ASSERT_FALSE(description) << size;
        EXPECT_EQ(description.error().line, lines + 1) << size;
        EXPECT_EQ(description.error().reason, "expected a line end, found the end of the text");
      } else if (!description) {
        EXPECT_EQ(description.error().line, std::max(lines, 1)) << size;
        EXPECT_EQ(cut.find("\nt="), cut.npos) << size;
      } else {
        EXPECT_EQ(Serialize(*description), cut);
      }
    }
  }
}

// Every line cut at every byte with its line end kept: the rest of the description is read, or the error is on that line.
TEST(SdpParserTest, EveryLineCutAtEveryByte) {
  const std::string text = EverythingDescription();
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find("\r\n", start);
    // An attribute stands anywhere; other lines need the ones before them.
    const std::string before = text[start] == 'a' ? std::string(kHead) : text.substr(0, start);
    const auto line = static_cast<int>(std::ranges::count(before, '\n')) + 1;
    for (std::size_t cut = start; cut < end; ++cut) {
      const std::string head = before + text.substr(start, cut - start) + "\r\n";
      const auto description = Parse(head);
      if (description) {
        EXPECT_EQ(Parse(Serialize(*description)), description) << head;
        continue;
      }
      EXPECT_EQ(description.error().line, line) << head;
      EXPECT_LE(description.error().column, static_cast<int>(cut - start) + 1)
          << head << description.error().ToString();
      EXPECT_TRUE(description.error().reason.starts_with("expected "))
          << description.error().reason;
    }
    start = end + 2;
  }
}

// Bytes that matter to the grammar in the place of any other.
TEST(SdpParserTest, AReplacedByteParsesOrNamesItsLine) {
  const std::string original = EverythingDescription();
  std::string text = original;
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[i] = "\0 :\n\xff"[i % 5];
    const auto line =
        static_cast<int>(std::ranges::count(std::string_view(text).substr(0, i), '\n')) + 1;
    const auto description = Parse(text);
    if (!description) {
      // A line end that became something else, or a line that was split, is noticed a line later at most.
      EXPECT_GE(description.error().line, line) << i;
      EXPECT_LE(description.error().line, line + 1) << i << description.error().ToString();
    }
    text[i] = original[i];
  }
}

}  // namespace
}  // namespace rtclab::sdp
