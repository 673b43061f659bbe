#include "stack/stun/stream_framer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "stack/stun/message.h"
#include "stack/stun/test_vectors.h"

namespace rtclab::stun {
namespace {

// A STUN message, ChannelData of 5 bytes (padded to 8), an empty one, and another STUN message.
Bytes Stream() {
  Bytes out = *FromHex(vectors::kRequest);
  const Bytes middle = *FromHex("4001 0005 68656c6c6f 000000 4fff 0000");
  out.insert(out.end(), middle.begin(), middle.end());
  const Bytes last = *FromHex(vectors::kResponseV4);
  out.insert(out.end(), last.begin(), last.end());
  return out;
}

std::vector<std::string> Drain(StreamFramer& framer) {
  std::vector<std::string> out;
  for (;;) {
    const auto frame = framer.Next();
    if (!frame || !*frame) return out;
    out.push_back(std::string(ToString((*frame)->kind)) + " " + ToHex((*frame)->bytes));
  }
}

const std::vector<std::string>& Expected() {
  static const std::vector<std::string> expected = {
      "STUN " + ToHex(*FromHex(vectors::kRequest)), "ChannelData 4001000568656c6c6f",
      "ChannelData 4fff0000", "STUN " + ToHex(*FromHex(vectors::kResponseV4))};
  return expected;
}

TEST(StreamFramerTest, WhatFollowsTheLastMessageCanBeTaken) {
  StreamFramer framer;
  EXPECT_TRUE(framer.rest().empty());
  Bytes bytes = *FromHex(vectors::kRequest);
  bytes.insert(bytes.end(), {0xff, 'r', 'a', 'w'});
  framer.Push(bytes);
  ASSERT_TRUE(framer.Next().value().has_value());
  EXPECT_EQ(ToHex(framer.rest()), "ff726177");
}

TEST(StreamFramerTest, MessagesComeOutHoweverTheStreamIsCut) {
  const Bytes stream = Stream();
  for (std::size_t chunk = 1; chunk <= stream.size(); ++chunk) {
    StreamFramer framer;
    std::vector<std::string> out;
    for (std::size_t at = 0; at < stream.size(); at += chunk) {
      framer.Push(ByteView(stream).subspan(at, std::min(chunk, stream.size() - at)));
      for (std::string& frame : Drain(framer)) out.push_back(std::move(frame));
    }
    EXPECT_EQ(out, Expected()) << chunk;
    EXPECT_EQ(framer.pending(), 0u);
  }
}

TEST(StreamFramerTest, TruncationAtEveryByteGivesOnlyWholeMessages) {
  const Bytes stream = Stream();
  for (std::size_t size = 0; size < stream.size(); ++size) {
    StreamFramer framer;
    framer.Push(ByteView(stream).first(size));
    const auto frames = Drain(framer);
    EXPECT_LT(frames.size(), 4u) << size;
    for (std::size_t i = 0; i < frames.size(); ++i) EXPECT_EQ(frames[i], Expected()[i]);
    EXPECT_TRUE(framer.Next()) << size;  // more is needed: no error
  }
}

TEST(StreamFramerTest, AnythingElseEndsTheStreamWithItsOffset) {
  const std::pair<const char*, std::size_t> cases[] = {
      {"50", 0}, {"80", 0}, {"ff", 0}, {"00010003", 2}, {"0001000021 12a443", 4}};
  for (const auto& [hex, offset] : cases) {
    StreamFramer framer;
    const Bytes good = *FromHex(vectors::kRequest);
    framer.Push(good);
    framer.Push(*FromHex(hex));
    ASSERT_EQ(Drain(framer).size(), 1u) << hex;
    const auto failed = framer.Next();
    ASSERT_FALSE(failed) << hex;
    EXPECT_EQ(failed.error().offset, good.size() + offset) << hex;
    framer.Push(good);
    EXPECT_FALSE(framer.Next()) << hex;
  }
}

TEST(StreamFramerTest, ChannelDataIsPaddedForStreams) {
  EXPECT_EQ(ToHex(PadForStream(*FromHex("40010005 68656c6c6f"))), "4001000568656c6c6f000000");
  EXPECT_EQ(ToHex(PadForStream(*FromHex("40010004 68656c6c"))), "4001000468656c6c");
}

}  // namespace
}  // namespace rtclab::stun
