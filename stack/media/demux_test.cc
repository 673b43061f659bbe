// RFC 8843 section 9.2, rule by rule.
#include "stack/media/demux.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/media/test_util.h"

namespace rtclab::media {
namespace {

using By = RemoteSsrcMapped::By;

Bytes Packet(uint8_t payload_type, uint32_t ssrc, std::string_view mid = {},
             std::string_view rid = {}, uint8_t rid_id = 10) {
  rtp::PacketBuilder builder({false, payload_type, 1, 2, ssrc});
  if (!mid.empty()) builder.AddExtension(4, AsBytes(mid));
  if (!rid.empty()) builder.AddExtension(rid_id, AsBytes(rid));
  const uint8_t payload = 0;
  builder.AppendPayload({&payload, 1});
  return builder.Build();
}

// Audio "0" (111), and two videos "1" and "2" that share their payload types (96, RTX 97).
std::vector<ReceiveStreamConfig> ThreeSections() {
  auto audio = testing::ReceiverOf(testing::AudioStream(0));
  auto one = testing::ReceiverOf(testing::VideoStream(0));
  auto two = one;
  two.mid = "2";
  return {audio, one, two};
}

struct Found {
  bool found = false;
  bool is_new = false;
  Route route;
};
Found Look(Demux& demux, const Bytes& bytes) {
  const auto packet = rtp::PacketView::Parse(bytes);
  const auto result = demux.Find(*packet);
  Found found{result.route != nullptr, result.is_new, {}};
  if (result.route != nullptr) found.route = *result.route;
  return found;
}

TEST(DemuxTest, MidDecidesAndIsRemembered) {
  Demux demux;
  demux.SetStreams(ThreeSections());
  const Found first = Look(demux, Packet(96, 5, "2"));
  ASSERT_TRUE(first.found && first.is_new);
  EXPECT_EQ(first.route.section, 2u);
  EXPECT_EQ(first.route.by, By::kMid);
  const Found second = Look(demux, Packet(96, 5));
  ASSERT_TRUE(second.found);
  EXPECT_FALSE(second.is_new);
  EXPECT_EQ(second.route.section, 2u);
  // A new MID moves the stream.
  const Found moved = Look(demux, Packet(96, 5, "1"));
  ASSERT_TRUE(moved.found && moved.is_new);
  EXPECT_EQ(moved.route.section, 1u);
}

TEST(DemuxTest, UnknownMidIsDiscarded) {
  Demux demux;
  demux.SetStreams(ThreeSections());
  EXPECT_FALSE(Look(demux, Packet(111, 5, "9")).found);
  EXPECT_FALSE(Look(demux, Packet(96, 5)).found);
}

TEST(DemuxTest, PayloadTypeDecidesOnlyWhereItIsUnique) {
  Demux demux;
  demux.SetStreams(ThreeSections());
  const Found audio = Look(demux, Packet(111, 7));
  ASSERT_TRUE(audio.found);
  EXPECT_EQ(audio.route.section, 0u);
  EXPECT_EQ(audio.route.by, By::kPayloadType);
  EXPECT_FALSE(Look(demux, Packet(96, 8)).found);
  EXPECT_FALSE(Look(demux, Packet(33, 8)).found);
}

TEST(DemuxTest, SignalledSsrcNeedsAPayloadTypeOfItsSection) {
  auto sections = ThreeSections();
  sections[1].ssrcs = {{50, 51, 0, {}}};
  Demux demux;
  demux.SetStreams(sections);
  const Found media = Look(demux, Packet(96, 50));
  ASSERT_TRUE(media.found);
  EXPECT_FALSE(media.is_new);
  EXPECT_EQ(media.route.by, By::kSignalled);
  const Found rtx = Look(demux, Packet(97, 51));
  EXPECT_EQ(rtx.route.role, StreamRole::kRtx);
  EXPECT_EQ(rtx.route.media_ssrc, 50u);
  EXPECT_FALSE(Look(demux, Packet(111, 50)).found);
}

TEST(DemuxTest, RtxIsPairedByRidOrAsTheOnlyOne) {
  Demux demux;
  demux.SetStreams(ThreeSections());
  const Found early = Look(demux, Packet(97, 21, "1"));
  ASSERT_TRUE(early.found);
  EXPECT_EQ(early.route.media_ssrc, 0u);  // nothing to repair yet
  Look(demux, Packet(96, 20, "1"));
  const Found later = Look(demux, Packet(97, 21, "1"));
  EXPECT_EQ(later.route.media_ssrc, 20u);
  EXPECT_TRUE(later.is_new);
  // Simulcast on the other.
  const Found high = Look(demux, Packet(96, 30, "2", "h"));
  EXPECT_EQ(high.route.rid, "h");
  EXPECT_EQ(high.route.by, By::kRid);
  Look(demux, Packet(96, 40, "2", "q"));
  EXPECT_EQ(Look(demux, Packet(97, 41, "2", "q", 11)).route.media_ssrc, 40u);
  EXPECT_EQ(Look(demux, Packet(97, 31, "2", "h", 11)).route.media_ssrc, 30u);
}

TEST(DemuxTest, SdesNamesTheSection) {
  Demux demux;
  demux.SetStreams(ThreeSections());
  demux.OnSdes(60, "2", {});
  demux.OnSdes(61, "nowhere", {});
  const Found found = Look(demux, Packet(96, 60));
  ASSERT_TRUE(found.found);
  EXPECT_EQ(found.route.section, 2u);
  EXPECT_FALSE(Look(demux, Packet(96, 61)).found);
}

TEST(DemuxTest, NewSectionsKeepWhatWasLearnt) {
  Demux demux;
  auto sections = ThreeSections();
  demux.SetStreams(sections);
  Look(demux, Packet(96, 5, "2"));
  Look(demux, Packet(96, 6, "1"));
  sections.erase(sections.begin() + 1);
  demux.SetStreams(sections);
  const Found kept = Look(demux, Packet(96, 5));
  ASSERT_TRUE(kept.found);
  EXPECT_FALSE(kept.is_new);
  EXPECT_EQ(kept.route.section, 1u);  // mid "2" has another index now
  const Found gone = Look(demux, Packet(96, 6));
  EXPECT_TRUE(gone.is_new);  // by payload type, which is unique now
}

}  // namespace
}  // namespace rtclab::media
