#include "scenarios/execution/story.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace rtclab::scenarios {
namespace {

// Feeds a story, and writes it as a line an event.
class StoryOfPackets {
 public:
  // `dropped`: the rule, empty: it arrives.
  void Packet(int64_t ms, const std::string& from, const std::string& to, const Bytes& payload,
              const std::string& dropped = "") {
    sim::PacketEvent event;
    event.time = Timestamp::Zero() + TimeDelta::Millis(ms);
    event.packet = ++packets_;
    event.where = "host/" + from;
    event.tuple.protocol = sim::IpProtocol::kUdp;
    event.tuple.destination =
        TransportAddress{*IpAddress::Parse(to == "bob" ? "10.0.0.2" : "10.0.0.1"), 5000};
    event.payload = payload;
    teller_.OnPacketEvent(event);
    event.where = dropped.empty() ? "host/" + to : "link/home/up";
    event.kind = dropped.empty() ? sim::PacketEventKind::kReceived : sim::PacketEventKind::kDropped;
    event.rule = dropped;
    event.detail = "It is gone.";
    teller_.OnPacketEvent(event);
  }
  void Note(double ms, const std::string& host, const std::string& text) {
    notes_.push_back({.time_ms = ms, .from = host, .text = text, .session = "call"});
  }
  std::string Text() const {
    std::string text = "\n";
    const auto owner = [](const IpAddress& ip) {
      return std::string(ip.ToString() == "10.0.0.2" ? "bob" : "alice");
    };
    for (const StoryEvent& e : teller_.Tell(notes_, owner)) {
      text += fmt::format("{:g} {}{}{}: {}{}\n", e.time_ms, e.from, e.to.empty() ? "" : " -> ",
                          e.to, e.text, e.dropped.empty() ? "" : " X " + e.dropped);
    }
    return text;
  }

 private:
  StoryTeller teller_;
  std::vector<StoryEvent> notes_;
  uint64_t packets_ = 0;
};

const Bytes kBinding = {0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
const Bytes kVideoPacket = {0x80, 96, 0, 1};
const Bytes kAudioPacket = {0x80, 111, 0, 1, 2};
const Bytes kData = {23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 7};

TEST(StoryTest, OfMediaAndDataTheFirstOfAKindThenCountsAStretch) {
  StoryOfPackets story;
  story.Packet(0, "alice", "bob", kBinding);
  for (int ms = 10; ms < 5'000; ms += 10) {
    story.Packet(ms, "alice", "bob", ms % 50 == 0 ? kAudioPacket : kVideoPacket);
    if (ms % 1'000 == 0) story.Packet(ms, "bob", "alice", kData);
  }
  story.Note(500, "bob", "less than a second after a stretch began ends none");
  story.Note(2'000, "bob", "ends both ways' stretches");
  story.Packet(4'500, "alice", "bob", kBinding);
  EXPECT_EQ(story.Text(), R"(
0 alice -> bob: Binding request to 10.0.0.2:5000
10 alice -> bob: SRTP VP8 (4 bytes) to 10.0.0.2:5000
20 alice -> bob: 159 x SRTP VP8, 38 x SRTP opus, 826 bytes, until 1990.000 ms to 10.0.0.2:5000
50 alice -> bob: SRTP opus (5 bytes) to 10.0.0.2:5000
500 bob: less than a second after a stretch began ends none
1000 bob -> alice: DTLS data (SCTP) (14 bytes) to 10.0.0.1:5000
2000 bob: ends both ways' stretches
2000 alice -> bob: 50 x SRTP opus, 200 x SRTP VP8, 1050 bytes, until 4490.000 ms to 10.0.0.2:5000
2000 bob -> alice: 3 x DTLS data (SCTP), 42 bytes, until 4000.000 ms to 10.0.0.1:5000
4500 alice -> bob: Binding request to 10.0.0.2:5000
4500 alice -> bob: 10 x SRTP opus, 40 x SRTP VP8, 210 bytes, until 4990.000 ms to 10.0.0.2:5000
)");
}

TEST(StoryTest, WhatIsLostIsToldOnceAndThenCounted) {
  StoryOfPackets story;
  story.Packet(0, "alice", "bob", kBinding, "link.loss");
  story.Packet(1, "alice", "bob", kVideoPacket, "link.loss");
  story.Packet(2, "alice", "bob", kVideoPacket);
  for (int ms = 3; ms < 13; ++ms) {
    story.Packet(ms, "alice", "bob", kVideoPacket, ms % 5 == 0 ? "link.loss" : "");
  }
  story.Packet(13, "alice", "bob", kVideoPacket, "link.queue");
  EXPECT_EQ(story.Text(), R"(
0 alice -> bob: Binding request to 10.0.0.2:5000 X link/home/up: link.loss: It is gone.
1 alice -> bob: SRTP VP8 (4 bytes) to 10.0.0.2:5000 X link/home/up: link.loss: It is gone.
2 alice -> bob: SRTP VP8 (4 bytes) to 10.0.0.2:5000
3 alice -> bob: 10 x SRTP VP8, 40 bytes, until 12.000 ms to 10.0.0.2:5000; lost: 2 x link/home/up: link.loss
13 alice -> bob: SRTP VP8 (4 bytes) to 10.0.0.2:5000 X link/home/up: link.queue: It is gone.
)");
}

TEST(StoryTest, WhoWasToGetWhatNeverArrivedIsKnownByTheAddress) {
  StoryOfPackets story;
  story.Packet(1, "alice", "bob", kVideoPacket, "link.down");
  EXPECT_EQ(story.Text(), R"(
1 alice -> bob: SRTP VP8 (4 bytes) to 10.0.0.2:5000 X link/home/up: link.down: It is gone.
)");
}

TEST(StoryTest, WhatIsStillOnItsWayIsLeftOut) {
  StoryTeller teller;
  sim::PacketEvent event;
  event.where = "host/alice";
  event.payload = kVideoPacket;
  teller.OnPacketEvent(event);
  EXPECT_TRUE(teller.Tell({}, [](const IpAddress&) { return std::string(); }).empty());
}

}  // namespace
}  // namespace rtclab::scenarios
