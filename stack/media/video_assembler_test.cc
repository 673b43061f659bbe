// Frames from packets in any order.
#include "stack/media/video_assembler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/media/sequence_window.h"
#include "stack/media/test_util.h"

namespace rtclab::media {
namespace {

// A frame of `count` packets of 100 bytes that begins at `first`.
struct CutFrame {
  Bytes data;
  std::vector<VideoPacket> packets;
};

CutFrame Cut(int64_t first, int count, bool key_frame, uint32_t number) {
  CutFrame frame;
  frame.data.resize(static_cast<std::size_t>(count) * 100);
  WriteVideoFrame(frame.data, key_frame, 640, 360, number, Timestamp::Seconds(1));
  for (int i = 0; i < count; ++i) {
    VideoPacket packet;
    packet.sequence = first + i;
    packet.timestamp = int64_t{number} * 3000;
    packet.marker = i == count - 1;
    packet.starts_frame = i == 0;
    packet.arrived = Timestamp::Millis(i);
    packet.payload = ByteView(frame.data).subspan(static_cast<std::size_t>(i) * 100, 100);
    frame.packets.push_back(packet);
  }
  return frame;
}

TEST(VideoAssemblerTest, AnyOrderGivesTheFrameOnce) {
  const CutFrame cut = Cut(65'534, 5, true, 3);
  std::vector<std::size_t> order = {0, 1, 2, 3, 4};
  do {
    VideoAssembler assembler;
    int frames = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      std::optional<VideoFrame> frame;
      EXPECT_EQ(assembler.Insert(cut.packets[order[i]], frame), VideoAssembler::Outcome::kStored);
      EXPECT_EQ(frame.has_value(), i == 4);
      if (!frame) continue;
      ++frames;
      EXPECT_EQ(frame->identity.check, ContentCheck::kIntact);
      EXPECT_EQ(frame->first_sequence, 65'534);
      EXPECT_EQ(frame->last_sequence, 65'538);
      EXPECT_EQ(frame->packets, 5);
      EXPECT_TRUE(frame->key_frame);
      EXPECT_EQ(frame->width, 640);
    }
    EXPECT_EQ(frames, 1);
    std::optional<VideoFrame> again;
    EXPECT_EQ(assembler.Insert(cut.packets[2], again), VideoAssembler::Outcome::kDuplicate);
    EXPECT_FALSE(again.has_value());
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(VideoAssemblerTest, FramesThatOvertakeEachOtherStayApart) {
  const CutFrame one = Cut(10, 3, true, 1);
  const CutFrame two = Cut(13, 2, false, 2);
  VideoAssembler assembler;
  std::optional<VideoFrame> frame;
  assembler.Insert(one.packets[0], frame);
  assembler.Insert(two.packets[1], frame);
  assembler.Insert(two.packets[0], frame);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->first_sequence, 13);
  EXPECT_EQ(frame->identity.number, 2u);
  assembler.Insert(one.packets[2], frame);
  EXPECT_FALSE(frame.has_value());
  assembler.Insert(one.packets[1], frame);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->identity.number, 1u);
}

TEST(VideoAssemblerTest, PaddingBetweenFramesIsNoGap) {
  const CutFrame one = Cut(10, 1, true, 1);
  const CutFrame two = Cut(13, 1, false, 2);
  VideoAssembler assembler;
  std::optional<VideoFrame> frame;
  assembler.Insert(one.packets[0], frame);
  assembler.InsertPadding(11);
  assembler.InsertPadding(12);
  assembler.Insert(two.packets[0], frame);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->follows, 10);
}

TEST(VideoAssemblerTest, ClearedPacketsAreTooOld) {
  const CutFrame one = Cut(10, 2, true, 1);
  VideoAssembler assembler;
  std::optional<VideoFrame> frame;
  assembler.Insert(one.packets[1], frame);
  assembler.ClearUpTo(11);
  EXPECT_EQ(assembler.Insert(one.packets[0], frame), VideoAssembler::Outcome::kTooOld);
  EXPECT_FALSE(frame.has_value());
}

TEST(VideoAssemblerTest, LargeFramesAndJumpsFindRoom) {
  VideoAssembler assembler;
  std::optional<VideoFrame> frame;
  const CutFrame large = Cut(1, 1000, true, 1);
  for (const auto& packet : large.packets) assembler.Insert(packet, frame);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->identity.check, ContentCheck::kIntact);
  // The sender's numbers jump far ahead: what is older is dropped.
  const CutFrame far = Cut(40'000, 2, true, 2);
  assembler.Insert(far.packets[0], frame);
  assembler.Insert(far.packets[1], frame);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->identity.number, 2u);
  EXPECT_EQ(assembler.Insert(large.packets[5], frame), VideoAssembler::Outcome::kTooOld);
}

TEST(VideoAssemblerTest, WhatIsNoVp8FrameIsMalformed) {
  VideoAssembler assembler;
  VideoPacket packet;
  packet.marker = packet.starts_frame = true;
  const Bytes bad = {0x10, 0, 0, 1, 2, 3, 4, 5, 6, 7};  // a key frame without its start code
  std::optional<VideoFrame> frame;
  for (std::size_t size = 0; size <= bad.size(); ++size) {
    packet.sequence = static_cast<int64_t>(size) + 1;
    packet.payload = ByteView(bad).first(size);
    EXPECT_EQ(assembler.Insert(packet, frame), VideoAssembler::Outcome::kMalformed) << size;
    EXPECT_FALSE(frame.has_value());
  }
}

TEST(SequenceWindowTest, RemembersTheLast4096) {
  SequenceWindow window;
  EXPECT_TRUE(window.Note(-5));
  EXPECT_FALSE(window.Note(-5));
  EXPECT_TRUE(window.Note(100));
  EXPECT_TRUE(window.Note(50));
  EXPECT_FALSE(window.Note(50));
  EXPECT_FALSE(window.Note(-5));
  EXPECT_TRUE(window.Note(100 + SequenceWindow::kSize));
  EXPECT_TRUE(window.Note(101));  // in the window, not seen
  EXPECT_TRUE(window.Note(100 + 3 * SequenceWindow::kSize));
  for (int64_t s = 1; s < SequenceWindow::kSize; ++s) {
    ASSERT_TRUE(window.Note(100 + 2 * SequenceWindow::kSize + s));
  }
  EXPECT_FALSE(window.Note(100 + 3 * SequenceWindow::kSize));
}

}  // namespace
}  // namespace rtclab::media
