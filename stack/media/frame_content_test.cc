// Frames that prove themselves.
#include "stack/media/frame_content.h"

#include <gtest/gtest.h>

#include "stack/rtp/opus.h"
#include "stack/rtp/vp8.h"

namespace rtclab::media {
namespace {

TEST(FrameContentTest, VideoFramesAreVp8AndTellAnyChangedByte) {
  for (const std::size_t size : {64u, 65u, 1000u, 13'500u}) {
    for (const bool key_frame : {true, false}) {
      Bytes frame(size);
      WriteVideoFrame(frame, key_frame, 1280, 720, 77, Timestamp::Millis(1234));
      const auto header = rtp::ParseVp8FrameHeader(frame);
      ASSERT_TRUE(header.has_value());
      EXPECT_EQ(header->keyframe, key_frame);
      EXPECT_TRUE(header->show_frame);
      EXPECT_EQ(header->width, key_frame ? 1280 : 0);
      EXPECT_EQ(header->height, key_frame ? 720 : 0);
      const FrameIdentity identity = ReadVideoFrame(frame);
      EXPECT_EQ(identity.check, ContentCheck::kIntact);
      EXPECT_EQ(identity.number, 77u);
      EXPECT_EQ(identity.captured, Timestamp::Millis(1234));
      const std::size_t step = size > 2000 ? 97 : 1;
      for (std::size_t at = key_frame ? 10 : 3; at < size; at += step) {
        frame[at] ^= 0x10;
        EXPECT_NE(ReadVideoFrame(frame).check, ContentCheck::kIntact) << at;
        frame[at] ^= 0x10;
      }
    }
  }
}

TEST(FrameContentTest, EveryTruncationOfAVideoFrameShows) {
  Bytes frame(200);
  WriteVideoFrame(frame, true, 640, 360, 1, Timestamp::Seconds(1));
  for (std::size_t size = 0; size < frame.size(); ++size) {
    EXPECT_NE(ReadVideoFrame(ByteView(frame).first(size)).check, ContentCheck::kIntact) << size;
  }
}

TEST(FrameContentTest, MovedBytesShow) {
  Bytes frame(4000);
  WriteVideoFrame(frame, false, 0, 0, 5, Timestamp::Seconds(1));
  std::swap_ranges(frame.begin() + 1000, frame.begin() + 1032, frame.begin() + 2000);
  EXPECT_EQ(ReadVideoFrame(frame).check, ContentCheck::kCorrupt);
}

TEST(FrameContentTest, AudioFramesAreOpus) {
  struct Case {
    int64_t ms;
    bool pause;
  };
  for (const Case c : {Case{10, false}, Case{20, false}, Case{40, false}, Case{60, false},
                       Case{10, true}, Case{20, true}, Case{40, true}, Case{60, true}}) {
    for (const std::size_t size : {16u, 80u, 160u}) {
      Bytes packet(size);
      WriteAudioFrame(packet, TimeDelta::Millis(c.ms), c.pause, true, 9, Timestamp::Seconds(70));
      const auto opus = rtp::ParseOpusPacket(packet);
      ASSERT_TRUE(opus.has_value());
      EXPECT_EQ(opus->duration(), TimeDelta::Millis(c.ms));
      EXPECT_TRUE(opus->toc.stereo);
      const FrameIdentity identity = ReadAudioFrame(packet);
      EXPECT_EQ(identity.check, ContentCheck::kIntact);
      EXPECT_EQ(identity.number, 9u);
      EXPECT_EQ(identity.captured, Timestamp::Seconds(70));
      EXPECT_EQ(IsComfortNoise(packet), size == 16 && (c.pause || c.ms > 20));
      for (std::size_t at = 2; at < size; ++at) {
        packet[at] ^= 1;
        EXPECT_EQ(ReadAudioFrame(packet).check, ContentCheck::kCorrupt) << at;
        packet[at] ^= 1;
      }
      for (std::size_t cut = 0; cut < size; ++cut) {
        EXPECT_NE(ReadAudioFrame(ByteView(packet).first(cut)).check, ContentCheck::kIntact);
      }
    }
  }
}

TEST(FrameContentTest, ForeignContentIsUnverified) {
  const Bytes delta = {0x31, 0x02, 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
                       14,   15,   16,   1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
  EXPECT_EQ(ReadVideoFrame(delta).check, ContentCheck::kUnverified);
  EXPECT_EQ(ReadAudioFrame(delta).check, ContentCheck::kUnverified);
  Bytes tiny(2);
  WriteAudioFrame(tiny, TimeDelta::Millis(20), false, false, 3, Timestamp::Zero());
  EXPECT_EQ(ReadAudioFrame(tiny).check, ContentCheck::kUnverified);
  EXPECT_TRUE(IsComfortNoise(tiny));
}

}  // namespace
}  // namespace rtclab::media
