#include "stack/peer/negotiation/payload_types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rtclab::peer {
namespace {

using testing::ElementsAre;

std::vector<int> Numbers(const std::vector<sdp::Codec>& codecs) {
  std::vector<int> numbers;
  for (const sdp::Codec& c : codecs) numbers.push_back(c.payload_type);
  return numbers;
}

std::vector<LocalCodec> Video() { return PreferredCodecs(DefaultCapabilities().video, {}); }

sdp::Codec Named(uint8_t payload_type, std::string name, uint32_t clock_rate = 90'000) {
  sdp::Codec c;
  c.payload_type = payload_type;
  c.name = std::move(name);
  c.clock_rate = clock_rate;
  return c;
}

TEST(PayloadTypesTest, PreferredOnesAreTakenWhenTheyAreFree) {
  PayloadTypes types;
  EXPECT_THAT(Numbers(types.Assign(MediaKind::kVideo, Video(), {})),
              ElementsAre(96, 97, 98, 99, 100, 101));
  // And stay.
  EXPECT_THAT(Numbers(types.Assign(MediaKind::kVideo, Video(), {})),
              ElementsAre(96, 97, 98, 99, 100, 101));
}

TEST(PayloadTypesTest, WhatThePeerUsesForSomethingElseIsAvoided) {
  PayloadTypes types;
  types.Note(MediaKind::kVideo, {Named(96, "H264"), Named(97, "AV1")});
  EXPECT_THAT(Numbers(types.Assign(MediaKind::kVideo, Video(), {})),
              ElementsAre(102, 103, 98, 99, 100, 101));
}

TEST(PayloadTypesTest, ThePeersNumberForAFormatIsTakenOver) {
  PayloadTypes types;
  (void)types.Assign(MediaKind::kVideo, Video(), {});
  types.Note(MediaKind::kVideo, {Named(120, "vp8"), MakeRtx(121, Named(120, "vp8"))});
  const auto codecs = types.Assign(MediaKind::kVideo, Video(), {});
  EXPECT_EQ(codecs[0].payload_type, 120);
  EXPECT_EQ(codecs[1].payload_type, 121);
  EXPECT_EQ(codecs[1].AssociatedPayloadType(), 120);
  // What was negotiated for a section goes before.
  EXPECT_EQ(types.Assign(MediaKind::kVideo, Video(), {Named(110, "VP8")})[0].payload_type, 110);
}

TEST(PayloadTypesTest, TheLowRangeIsUsedWhenTheDynamicOneIsFullAndThenNothing) {
  PayloadTypes types;
  std::vector<sdp::Codec> taken;
  for (int i = 96; i < 128; ++i)
    taken.push_back(Named(static_cast<uint8_t>(i), "x" + std::to_string(i)));
  types.Note(MediaKind::kAudio, taken);
  EXPECT_EQ(types.Assign(MediaKind::kVideo, Video(), {})[0].payload_type, 35);
  taken.clear();
  for (int i = 35; i < 64; ++i)
    taken.push_back(Named(static_cast<uint8_t>(i), "y" + std::to_string(i)));
  types.Note(MediaKind::kAudio, taken);
  EXPECT_TRUE(types.Assign(MediaKind::kVideo, Video(), {}).empty());
}

TEST(PayloadTypesTest, FormatsAreComparedByWhatMakesThemDiffer) {
  EXPECT_TRUE(SameCodec(Named(96, "vp8"), Named(100, "VP8")));
  EXPECT_FALSE(SameCodec(Named(96, "VP8"), Named(96, "VP8", 8000)));
  sdp::Codec a = Named(96, "H264"), b = a;
  a.fmtp = "profile-level-id=42e01f;packetization-mode=1";
  b.fmtp = "packetization-mode=0;profile-level-id=42e01f";
  EXPECT_FALSE(SameCodec(a, b));
  b.fmtp = "packetization-mode=1;profile-level-id=42e01f";
  EXPECT_TRUE(SameCodec(a, b));
}

TEST(CommonCodecsTest, FeedbackIsWhatBothHave) {
  sdp::Codec remote = Named(107, "VP8");
  remote.feedback = {{"nack", ""}, {"ack", "rpsi"}};
  const auto common = CommonCodecs(Video(), {remote, MakeRtx(108, remote)}, false);
  ASSERT_EQ(common.size(), 2u);
  EXPECT_EQ(common[0].payload_type, 107);
  ASSERT_EQ(common[0].feedback.size(), 1u);
  EXPECT_EQ(common[0].feedback[0].type, "nack");
  EXPECT_EQ(common[1].payload_type, 108);
}

TEST(ExtensionIdsTest, IdsAreUniqueStableAndValid) {
  ExtensionIds ids;
  ids.Note(4, "urn:theirs");
  EXPECT_EQ(ids.Assign("urn:ours", 4), 1);
  EXPECT_EQ(ids.Assign("urn:ours", 9), 1);
  EXPECT_EQ(ids.Assign("urn:theirs", 7), 4);
  ids.Note(4, "urn:now-this");
  EXPECT_NE(ids.Assign("urn:theirs", 4), 4);
  for (int i = 0; i < 300; ++i) (void)ids.Assign("urn:" + std::to_string(i), 15);
  EXPECT_EQ(ids.Assign("urn:one-too-many", 1), 0);
}

}  // namespace
}  // namespace rtclab::peer
