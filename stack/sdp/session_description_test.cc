// Lookups, edits and the fallback from section to session.
#include "stack/sdp/session_description.h"

#include <gmock/gmock.h>

#include "stack/sdp/test_util.h"

namespace rtclab::sdp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

SessionDescription ParseText(std::initializer_list<std::string_view> lines) {
  const auto d = Parse(Lines({"v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0"}) + Lines(lines));
  if (!d) ADD_FAILURE() << d.error().ToString();
  return d.value_or(SessionDescription{});
}

std::string TextOf(const AttributeList& list) {
  std::string text;
  for (const Attribute& a : list.items()) text.append(ToString(a.value)).append(" ");
  return text;
}

TEST(SdpAttributeListTest, ReplaceKeepsThePlaceOfTheFirst) {
  AttributeList list;
  list.Add(Mid{"0"});
  list.Add(Direction::kSendRecv);
  list.Add(IceUfrag{"abcd"});
  list.Add(Direction::kSendOnly);
  list.Replace(Direction::kInactive);
  EXPECT_EQ(TextOf(list), "mid:0 inactive ice-ufrag:abcd ");
  list.Replace(sdp::Setup::kActive);
  EXPECT_EQ(TextOf(list), "mid:0 inactive ice-ufrag:abcd setup:active ");
  list.Erase<IceUfrag>();
  EXPECT_EQ(TextOf(list), "mid:0 inactive setup:active ");
  list.Find<Mid>()->value = "x";
  EXPECT_EQ(list.Find<Mid>()->value, "x");
  EXPECT_EQ(list.Find<Group>(), nullptr);
}

TEST(SdpAttributeListTest, FlagsAreSetOnce) {
  AttributeList list;
  list.Set(Flag::kRtcpMux);
  list.Set(Flag::kRtcpMux);
  list.Set(Flag::kRtcpRsize);
  EXPECT_EQ(TextOf(list), "rtcp-mux rtcp-rsize ");
  list.Clear(Flag::kRtcpMux);
  EXPECT_FALSE(list.Has(Flag::kRtcpMux));
  EXPECT_TRUE(list.Has(Flag::kRtcpRsize));
}

TEST(SdpAttributeListTest, EraseIfAsksEveryValueOnce) {
  AttributeList list;
  for (const uint32_t id : {1u, 2u, 3u, 4u}) list.Add(Ssrc{id, "cname", "c"});
  int asked = 0;
  list.EraseIf<Ssrc>([&asked](const Ssrc& s) {
    ++asked;
    return s.id % 2 == 0;
  });
  EXPECT_EQ(asked, 4);
  EXPECT_EQ(TextOf(list), "ssrc:1 cname:c ssrc:3 cname:c ");
  std::vector<uint32_t> ids;
  for (const Ssrc* s : list.All<Ssrc>()) ids.push_back(s->id);
  EXPECT_THAT(ids, ElementsAre(1, 3));
}

TEST(SdpSessionTest, EqualityIsAboutTheTextNotTheLine) {
  SessionDescription a = ParseText({"a=x", "m=audio 9 RTP/AVP 0", "a=mid:0"});
  SessionDescription b = a;
  b.media[0].line = 99;
  b.media[0].attributes.items()[0].line = 99;
  EXPECT_EQ(a, b);
  b.media[0].attributes.Find<Mid>()->value = "1";
  EXPECT_NE(a, b);
}

TEST(SdpSessionTest, MidsAndGroups) {
  const SessionDescription d = ParseText(
      {"a=group:BUNDLE a b", "a=group:LS a c", "a=group:BUNDLE c", "m=audio 9 RTP/AVP 0", "a=mid:a",
       "m=audio 9 RTP/AVP 0", "a=mid:b", "m=audio 0 RTP/AVP 0", "a=mid:c", "m=audio 9 RTP/AVP 0"});
  EXPECT_EQ(d.IndexOfMid("b"), 1u);
  EXPECT_EQ(d.IndexOfMid("d"), std::nullopt);
  EXPECT_EQ(d.FindMid("c"), &d.media[2]);
  EXPECT_EQ(d.FindMid(""), nullptr);
  EXPECT_EQ(d.media[3].mid(), "");
  EXPECT_EQ(d.BundleGroups().size(), 2u);
  EXPECT_THAT(d.BundleGroupOf("b")->mids, ElementsAre("a", "b"));
  EXPECT_THAT(d.BundleGroupOf("c")->mids, ElementsAre("c"));
  EXPECT_EQ(d.BundleGroupOf("d"), nullptr);
  EXPECT_TRUE(d.media[2].IsRejected());
}

TEST(SdpSessionTest, DirectionFallsBackToTheGivenDefault) {
  const SessionDescription d =
      ParseText({"m=audio 9 RTP/AVP 0", "a=recvonly", "m=audio 9 RTP/AVP 0"});
  EXPECT_EQ(d.media[0].direction(Direction::kInactive), Direction::kRecvOnly);
  EXPECT_EQ(d.media[1].direction(Direction::kInactive), Direction::kInactive);
  EXPECT_EQ(d.media[1].direction(), Direction::kSendRecv);
}

TEST(SdpSessionTest, ProtocolsAreTold) {
  const std::pair<std::string_view, std::pair<bool, bool>> cases[] = {
      {"RTP/AVP", {true, false}},
      {"UDP/TLS/RTP/SAVPF", {true, false}},
      {"TCP/DTLS/RTP/SAVP", {true, false}},
      {"UDP/DTLS/SCTP", {false, true}},
      {"TCP/DTLS/SCTP", {false, true}},
      {"DTLS/SCTP", {false, true}},
      {"udp", {false, false}},
      {"TCP/MSRP", {false, false}},
  };
  for (const auto& [protocol, expected] : cases) {
    MediaDescription media;
    media.protocol = protocol;
    EXPECT_EQ(std::make_pair(media.IsRtp(), media.IsSctp()), expected) << protocol;
  }
}

TEST(SdpSessionTest, TransportFallsBackToTheSessionLevel) {
  const SessionDescription d = ParseText({"a=ice-ufrag:sess",
                                          "a=ice-pwd:0123456789012345678901",
                                          "a=ice-options:trickle",
                                          "a=ice-lite",
                                          "a=fingerprint:x 01",
                                          "a=fingerprint:x 02",
                                          "a=setup:passive",
                                          "a=tls-id:aaaaaaaaaaaaaaaaaaaa",
                                          "a=end-of-candidates",
                                          "m=audio 9 UDP/TLS/RTP/SAVPF 0",
                                          "a=rtcp-mux",
                                          "m=audio 9 UDP/TLS/RTP/SAVPF 0",
                                          "a=ice-ufrag:sect",
                                          "a=ice-pwd:abcdefghijabcdefghijab",
                                          "a=ice-options:ice2 trickle",
                                          "a=fingerprint:x 03",
                                          "a=setup:active",
                                          "a=tls-id:bbbbbbbbbbbbbbbbbbbb",
                                          "a=candidate:1 1 udp 1 192.0.2.1 9 typ host",
                                          "a=rtcp-mux-only",
                                          "a=rtcp-rsize",
                                          "m=audio 9 UDP/TLS/RTP/SAVPF 0",
                                          "a=ice-ufrag:only"});
  const TransportDescription first = DescribeTransport(d, d.media[0]);
  EXPECT_EQ(first.ice_ufrag, "sess");
  EXPECT_EQ(first.ice_pwd, "0123456789012345678901");
  EXPECT_TRUE(first.ice_lite);
  EXPECT_EQ(first.fingerprints.size(), 2u);
  EXPECT_EQ(first.setup, sdp::Setup::kPassive);
  EXPECT_EQ(first.tls_id, "aaaaaaaaaaaaaaaaaaaa");
  EXPECT_TRUE(first.rtcp_mux);
  EXPECT_TRUE(first.end_of_candidates);
  EXPECT_THAT(first.candidates, IsEmpty());

  const TransportDescription second = DescribeTransport(d, d.media[1]);
  EXPECT_EQ(second.ice_ufrag, "sect");
  EXPECT_EQ(second.ice_pwd, "abcdefghijabcdefghijab");
  EXPECT_THAT(second.ice_options, ElementsAre("trickle", "ice2"));
  ASSERT_EQ(second.fingerprints.size(), 1u);
  EXPECT_THAT(second.fingerprints[0].value, ElementsAre(3));
  EXPECT_EQ(second.setup, sdp::Setup::kActive);
  EXPECT_EQ(second.tls_id, "bbbbbbbbbbbbbbbbbbbb");
  EXPECT_THAT(second.candidates, ElementsAre("candidate:1 1 udp 1 192.0.2.1 9 typ host"));
  EXPECT_FALSE(second.rtcp_mux);
  EXPECT_TRUE(second.rtcp_mux_only);
  EXPECT_TRUE(second.rtcp_rsize);
  // A section's ufrag does not go with the session's password.
  EXPECT_EQ(DescribeTransport(d, d.media[2]).ice_pwd, "");
}

}  // namespace
}  // namespace rtclab::sdp
