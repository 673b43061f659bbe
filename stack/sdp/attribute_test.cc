#include "stack/sdp/attribute.h"

#include <gmock/gmock.h>

#include "stack/sdp/session_description.h"

namespace rtclab::sdp {
namespace {

using ::testing::ElementsAre;
using namespace std::string_view_literals;

// The value of a line that must parse.
template <typename T>
T Read(std::string_view line) {
  auto value = ParseAttribute(line);
  if (!value) {
    ADD_FAILURE() << line << ": " << value.error().ToString();
    return T{};
  }
  if (!std::holds_alternative<T>(*value)) {
    ADD_FAILURE() << line << " has another type, named " << Name(*value);
    return T{};
  }
  return std::get<T>(*value);
}

TEST(SdpAttributeTest, ComesBackAsItWas) {
  const std::string_view lines[] = {
      "group:BUNDLE",
      "group:BUNDLE 0 1",
      "group:LS a b",
      "mid:0",
      "msid:-",
      "msid:- track",
      "msid:{a-b} {c-d}",
      "msid-semantic:WMS *",
      "msid-semantic: WMS",
      "msid-semantic: WMS a b",
      "extmap:1 urn:x",
      "extmap:4096/inactive urn:x y z",
      "rid:hi_1-a send",
      "rid:1 recv pt=96",
      "rid:1 send pt=96,97;max-fps=30",
      "rid:1 send max-width=1280;max-bpp=0.5",
      "rid:1 send depend=2,3;new-thing= a value",
      "simulcast:send 1",
      "simulcast:recv 1;2",
      "simulcast:send 1,~2;~3 recv 4",
      "simulcast:recv ~4 send 1",
      "ice-ufrag:abcd",
      "ice-pwd:0123456789abcdefghijk+/",
      "ice-options:trickle",
      "ice-options:trickle renomination rtp+ecn",
      "ice-pacing:50",
      "ice-lite",
      "ice-mismatch",
      "end-of-candidates",
      "candidate:4234997325 1 udp 2043278322 192.0.2.172 44323 typ host",
      "candidate:1 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998 "
      "generation 0 ufrag  ",
      "candidate:1 256 x-new 0 host.example 0 typ other",
      "remote-candidates:1 192.0.2.3 45664",
      "remote-candidates:1 2001:db8::1 1 2 a.example 2",
      "fingerprint:md5 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:FF",
      "fingerprint:x-new 00:FF",
      "setup:active",
      "setup:passive",
      "setup:actpass",
      "setup:holdconn",
      "connection:new",
      "connection:existing",
      "tls-id:abc3de65cddef001be82",
      "sctp-port:0",
      "sctp-port:65535",
      "max-message-size:0",
      "max-message-size:18446744073709551615",
      "sctpmap:5000 webrtc-datachannel",
      "sctpmap:5000 webrtc-datachannel 16",
      "rtpmap:0 PCMU/8000",
      "rtpmap:111 opus/48000/2",
      "rtpmap:9 G722/8000/1",
      "fmtp:96 a=b; c=d ;e",
      "fmtp:101 0-15",
      "fmtp:webrtc-datachannel max-message-size=100000",
      "rtcp-fb:96 nack",
      "rtcp-fb:96 nack pli",
      "rtcp-fb:* ccm fir",
      "rtcp-fb:96 nack ",
      "rtcp-fb:96 trr-int 100",
      "rtcp-fb:96 ack app with more",
      "ptime:20",
      "ptime:2.5",
      "maxptime:0.125",
      "ssrc:0 cname:a",
      "ssrc:4294967295 msid:a b",
      "ssrc:1 fmtp:96 x=y",
      "ssrc:1 inactive",
      "ssrc-group:FID 1 2",
      "ssrc-group:SIM 1 2 3",
      "ssrc-group:FEC-FR 1 2",
      "ssrc-group:FID",
      "rtcp:9",
      "rtcp:53020 IN IP4 126.16.64.4",
      "rtcp:53020 IN IP6 2001:2345:6789:abcd:ef01:2345:6789:abcd",
      "rtcp-mux",
      "rtcp-mux-only",
      "rtcp-rsize",
      "bundle-only",
      "extmap-allow-mixed",
      "sendrecv",
      "sendonly",
      "recvonly",
      "inactive",
      "tool:any thing: here",
      "x-flag",
      "quality:\x01\x80\xff",
      "imageattr:97 send [x=800,y=640]",
      "RTCP-MUX",
      "Mid:0"};
  for (const std::string_view line : lines) {
    const auto value = ParseAttribute(line);
    ASSERT_TRUE(value) << line << ": " << value.error().ToString();
    EXPECT_EQ(ToString(*value), line);
    EXPECT_EQ(ParseAttribute(std::string("a=").append(line)), value) << line;
    EXPECT_TRUE(line.starts_with(Name(*value))) << line;
  }
}

TEST(SdpAttributeTest, NormalisesWhatHasOneMeaning) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"rtpmap:000 PCMU/08000", "rtpmap:0 PCMU/8000"},
      {"ptime:20.500", "ptime:20.5"},
      {"ptime:020.0", "ptime:20"},
      {"fingerprint:X-New ab:Cd", "fingerprint:x-new AB:CD"},
      {"ssrc:0001 cname:a", "ssrc:1 cname:a"},
      {"extmap:01 urn:x", "extmap:1 urn:x"},
  };
  for (const auto& [line, written] : cases) {
    const auto value = ParseAttribute(line);
    ASSERT_TRUE(value) << line << ": " << value.error().ToString();
    EXPECT_EQ(ToString(*value), written);
  }
}

TEST(SdpAttributeTest, ValuesAreTyped) {
  EXPECT_EQ(Read<Group>("group:BUNDLE a b"), (Group{"BUNDLE", {"a", "b"}}));
  EXPECT_EQ(Read<Msid>("msid:s t"), (Msid{"s", "t"}));
  EXPECT_EQ(Read<Msid>("msid:s"), (Msid{"s", ""}));
  EXPECT_EQ(Read<Extmap>("extmap:4/recvonly urn:x y z"),
            (Extmap{4, Direction::kRecvOnly, "urn:x", "y z"}));
  EXPECT_EQ(Read<IceOptions>("ice-options:trickle ice2").Has("ice2"), true);
  EXPECT_EQ(Read<IceOptions>("ice-options:trickle ice2").Has("ice"), false);
  EXPECT_EQ(Read<IcePacing>("ice-pacing:4294967296").milliseconds, 4294967296u);
  EXPECT_EQ(Read<Candidate>("candidate:1 1 udp 1 a.local 9 typ host").ToCandidateString(),
            "candidate:1 1 udp 1 a.local 9 typ host");
  EXPECT_EQ(Read<RemoteCandidates>("remote-candidates:1 192.0.2.1 7 2 192.0.2.1 8").entries[1].port,
            8);
  EXPECT_EQ(Read<Fingerprint>("fingerprint:x aB:0f"), (Fingerprint{"x", {0xAB, 0x0F}}));
  EXPECT_EQ(Read<sdp::Setup>("setup:passive"), sdp::Setup::kPassive);
  EXPECT_EQ(Read<ConnectionReuse>("connection:existing"), ConnectionReuse::kExisting);
  EXPECT_EQ(Read<Sctpmap>("sctpmap:5000 webrtc-datachannel 1024"),
            (Sctpmap{5000, "webrtc-datachannel", 1024}));
  EXPECT_EQ(Read<Rtpmap>("rtpmap:111 opus/48000/2"), (Rtpmap{111, "opus", 48000, "2"}));
  EXPECT_EQ(Read<Fmtp>("fmtp:111 a=b"), (Fmtp{"111", "a=b"}));
  EXPECT_EQ(Read<RtcpFb>("rtcp-fb:* nack pli"), (RtcpFb{std::nullopt, "nack", "pli"}));
  EXPECT_EQ(Read<Ptime>("ptime:2.5").value, TimeDelta::Micros(2500));
  EXPECT_EQ(Read<MaxPtime>("maxptime:0.001").value, TimeDelta::Micros(1));
  EXPECT_EQ(Read<Ssrc>("ssrc:7 msid:a b"), (Ssrc{7, "msid", "a b"}));
  EXPECT_EQ(Read<Ssrc>("ssrc:7 x"), (Ssrc{7, "x", std::nullopt}));
  EXPECT_EQ(Read<SsrcGroup>("ssrc-group:FEC-FR 1 2"), (SsrcGroup{"FEC-FR", {1, 2}}));
  EXPECT_EQ(Read<Rtcp>("rtcp:9 IN IP4 0.0.0.0"),
            (Rtcp{9, ConnectionAddress{"IN", "IP4", "0.0.0.0"}}));
  EXPECT_EQ(Read<OtherAttribute>("cat:a:b"), (OtherAttribute{"cat", "a:b"}));
  EXPECT_EQ(Read<OtherAttribute>("x"), (OtherAttribute{"x", std::nullopt}));
}

TEST(SdpAttributeTest, RidAndSimulcast) {
  const Rid rid = Read<Rid>("rid:foo send pt=96,97;max-width=1280;max-fps;x-y=a b");
  EXPECT_EQ(rid.id, "foo");
  EXPECT_THAT(rid.payload_types, ElementsAre(96, 97));
  ASSERT_EQ(rid.restrictions.size(), 3u);
  EXPECT_EQ(rid.restrictions[0].second, "1280");
  EXPECT_EQ(rid.restrictions[1].second, std::nullopt);
  EXPECT_EQ(rid.restrictions[2].second, "a b");

  const Simulcast simulcast = Read<Simulcast>("simulcast:recv ~4 send 1,~2;3");
  const std::vector<SimulcastStream> send = {{{"1", false}, {"2", true}}, {{"3", false}}};
  const std::vector<SimulcastStream> recv = {{{"4", true}}};
  EXPECT_EQ(simulcast.send, send);
  EXPECT_EQ(simulcast.recv, recv);
  EXPECT_TRUE(simulcast.recv_first);
  EXPECT_EQ(Read<Simulcast>("simulcast:recv ~4"), (Simulcast{{}, recv, false}));
}

TEST(SdpAttributeTest, ReverseSwapsOneWayDirections) {
  EXPECT_EQ(Reverse(Direction::kSendOnly), Direction::kRecvOnly);
  EXPECT_EQ(Reverse(Direction::kRecvOnly), Direction::kSendOnly);
  EXPECT_EQ(Reverse(Direction::kSendRecv), Direction::kSendRecv);
  EXPECT_EQ(Reverse(Direction::kInactive), Direction::kInactive);
}

struct BadAttribute {
  std::string_view line;
  int column;
  std::string_view reason;
};

const BadAttribute kBadAttributes[] = {
    {"", 1, "expected an attribute name, found the end of the line"},
    {":x", 1, "expected an attribute name, found \":x\""},
    {"x y", 2, "expected \":\" or the end of the line, found \" \""},
    {"x:", 3, "expected a value after the colon, found the end of the line"},
    {"rtcp-mux:1", 9, "expected the end of the line, found \":1\""},
    {"sendrecv ", 9, "expected the end of the line, found \" \""},
    {"mid", 4, "expected \":\" and the value of a=mid, found the end of the line"},
    {"mid 0", 4, "expected \":\", found \" \""},
    {"mid:", 5, "expected a mid, found the end of the line"},
    {"mid:a b", 6, "expected the end of the line, found \" \""},
    {"group:", 7, "expected group semantics such as BUNDLE, found the end of the line"},
    {"group:BUNDLE 0 ", 16, "expected a mid, found the end of the line"},
    {"msid:a b c", 9, "expected the end of the line, found \" \""},
    {"msid-semantic:", 15, "expected a semantic such as WMS, found the end of the line"},
    {"extmap:0 urn:x", 8, "expected an extension id from 1 to 65535, found \"0\""},
    {"extmap:70000 urn:x", 8, "expected an extension id from 1 to 65535, found \"70000\""},
    {"extmap:1/both urn:x", 10,
     "expected sendrecv, sendonly, recvonly or inactive, found \"both\""},
    {"extmap:1", 9, "expected a space and a URI, found the end of the line"},
    {"rid:a.b send", 6, "expected a space and send or recv, found \".b\""},
    {"rid:1 both", 7, "expected send or recv, found \"both\""},
    {"rid:1 send pt=96,200", 18, "expected a payload type from 0 to 127, found \"200\""},
    {"rid:1 send max-fps=x", 20, "expected a number, found \"x\""},
    {"rid:1 send max-fps=1;pt=9", 22,
     "expected \"pt=\" as the first restriction only, found \"pt=9\""},
    {"rid:1 send max-fps=1;", 22,
     "expected a restriction such as max-width, found the end of the line"},
    {"simulcast:1", 11, "expected send or recv, found \"1\""},
    {"simulcast:send 1;", 18, "expected a rid, found the end of the line"},
    {"simulcast:send ~", 17, "expected a rid, found the end of the line"},
    {"simulcast:send 1 send 2", 18, "expected recv, found \"send\""},
    {"simulcast:send rid=1", 19, "expected \",\", \";\" or the end of the line, found \"=1\""},
    {"ice-ufrag:abc", 11, "expected 4 to 256 ice-chars, found \"abc\""},
    {"ice-ufrag:ab-cd", 11, "expected 4 to 256 ice-chars, found \"ab-cd\""},
    {"ice-pwd:0123456789abcdefghij", 9,
     "expected 22 to 256 ice-chars, found \"0123456789abcdefghij\""},
    {"ice-options:", 13, "expected an ICE option, found the end of the line"},
    {"ice-pacing:12345678901", 12,
     "expected milliseconds of at most ten digits, found \"12345678901\""},
    {"candidate:", 11, "expected a foundation of ice-chars, found the end of the line"},
    {"candidate:012345678901234567890123456789012 1 udp 1 a 1 typ host", 11,
     "expected a foundation of at most 32 characters, found \"012345678901234567890123...\""},
    {"candidate:1 257 udp 1 a 1 typ host", 13,
     "expected a component id from 1 to 256, found \"257\""},
    {"candidate:1 1 udp x a 1 typ host", 19,
     "expected a priority of at most ten digits, found \"x\""},
    {"candidate:1 1 udp 1 a 65536 typ host", 23,
     "expected a port from 0 to 65535, found \"65536\""},
    {"candidate:1 1 udp 1 a 1 type host", 25, "expected \"typ\", found \"type\""},
    {"candidate:1 1 udp 1 a 1 typ", 28,
     "expected a space and a candidate type, found the end of the line"},
    {"remote-candidates:1 a", 22, "expected a space and a port, found the end of the line"},
    {"fingerprint:sha-256", 20, "expected a space and a fingerprint, found the end of the line"},
    {"fingerprint:sha-256 AB:CD", 21, "expected 32 bytes for sha-256, found \"AB:CD\""},
    {"fingerprint:x AB:C", 18, "expected two hexadecimal digits, found \"C\""},
    {"fingerprint:x ABCD", 17, "expected \":\" or the end of the line, found \"CD\""},
    {"fingerprint:x GG", 15, "expected two hexadecimal digits, found \"GG\""},
    {"setup:server", 7, "expected active, passive, actpass or holdconn, found \"server\""},
    {"connection:old", 12, "expected new or existing, found \"old\""},
    {"tls-id:short", 8, "expected 20 to 255 tls-id characters, found \"short\""},
    {"sctp-port:05000", 11, "expected an SCTP port without leading zeros, found \"05000\""},
    {"sctp-port:65536", 11, "expected an SCTP port from 0 to 65535, found \"65536\""},
    {"max-message-size:01", 18, "expected a size without leading zeros, found \"01\""},
    {"max-message-size:18446744073709551616", 18,
     "expected a size in bytes, found \"18446744073709551616\""},
    {"max-message-size:-1", 18, "expected a size in bytes, found \"-1\""},
    {"sctpmap:5000", 13, "expected a space and a protocol, found the end of the line"},
    {"rtpmap:128 x/1", 8, "expected a payload type from 0 to 127, found \"128\""},
    {"rtpmap:96 VP8", 14, "expected \"/\" and a clock rate, found the end of the line"},
    {"rtpmap:96 VP8/0", 15, "expected a clock rate in Hz, found \"0\""},
    {"rtpmap:96 VP8/90000x", 20, "expected \"/\" or the end of the line, found \"x\""},
    {"fmtp:96", 8, "expected a space and parameters, found the end of the line"},
    {"fmtp:96 ", 9, "expected parameters, found the end of the line"},
    {"rtcp-fb:all nack", 9, "expected a payload type from 0 to 127, or \"*\", found \"all\""},
    {"rtcp-fb:96", 11, "expected a space and a feedback type, found the end of the line"},
    {"ptime:0", 7, "expected milliseconds above 0, with at most three decimals, found \"0\""},
    {"ptime:1.2345", 7,
     "expected milliseconds above 0, with at most three decimals, found \"1.2345\""},
    {"maxptime:20ms", 12, "expected the end of the line, found \"ms\""},
    {"ssrc:4294967296 cname:a", 6, "expected an SSRC from 0 to 4294967295, found \"4294967296\""},
    {"ssrc:1 cname:", 14, "expected a value after the colon, found the end of the line"},
    {"ssrc-group:FID 1 x", 18, "expected an SSRC from 0 to 4294967295, found \"x\""},
    {"rtcp:9 IN IP4", 14, "expected a space and an address, found the end of the line"},
    {"rtcp:9 IN IP4 1.2.3.256", 15,
     "expected an IPv4 address or a domain name, found \"1.2.3.256\""},
    {"rtcp:9 IN IP6 192.0.2.1", 15,
     "expected an IPv6 address or a domain name, found \"192.0.2.1\""},
    {"rtcp:9 IN IP4 224.0.0.1/127", 24, "expected no \"/\", found \"/127\""},
    {"x:a\nb", 4, "expected one line of text"},
    {"x:a\0b"sv, 4, "expected one line of text"},
};

TEST(SdpAttributeTest, MalformedValuesSayWhereAndWhy) {
  for (const BadAttribute& bad : kBadAttributes) {
    const auto value = ParseAttribute(bad.line);
    ASSERT_FALSE(value) << bad.line;
    EXPECT_EQ(value.error().reason, bad.reason) << bad.line;
    EXPECT_EQ(value.error().column, bad.column) << bad.line << ": " << bad.reason;
    EXPECT_EQ(value.error().line, 1);
    // With the "a=" in front the column moves with it.
    const auto prefixed = ParseAttribute(std::string("a=").append(bad.line));
    ASSERT_FALSE(prefixed) << bad.line;
    EXPECT_EQ(prefixed.error().column, bad.column + 2) << bad.line;
  }
}

}  // namespace
}  // namespace rtclab::sdp
