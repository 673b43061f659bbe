// What a session accepts and what it refuses, by name.
#include <gtest/gtest.h>

#include <thread>

#include "stack/srtp/srtp_test_util.h"

namespace rtclab::srtp {
namespace {

std::string ReasonOf(const Result<void>& result) { return result ? "ok" : result.error().reason; }

class SrtpSessionTest : public testing::TestWithParam<uint16_t> {
 protected:
  MasterKey master_ = TestKey(GetParam());
  Session sender_ = MakeSession(master_, Direction::kSend);
  Session receiver_ = MakeSession(master_, Direction::kReceive);

  Bytes Protected(uint32_t ssrc, uint16_t sequence) {
    Bytes packet = RtpPacket(ssrc, sequence);
    EXPECT_EQ(ReasonOf(sender_.Protect(packet)), "ok");
    return packet;
  }
};

TEST_P(SrtpSessionTest, HidesThePayloadAndKeepsTheHeader) {
  const Bytes plain = RtpPacket(5, 1);
  const Bytes packet = Protected(5, 1);
  EXPECT_EQ(Bytes(packet.begin(), packet.begin() + 12), Bytes(plain.begin(), plain.begin() + 12));
  EXPECT_FALSE(std::equal(plain.begin() + 12, plain.end(), packet.begin() + 12));
}

TEST_P(SrtpSessionTest, ReplayIsRefused) {
  const Bytes packet = Protected(1, 10);
  for (const std::string_view expected : {"ok", "replay", "replay"}) {
    Bytes copy = packet;
    EXPECT_EQ(ReasonOf(receiver_.Unprotect(copy)), expected);
  }
  Bytes report = RtcpPacket(1);
  ASSERT_TRUE(sender_.ProtectRtcp(report));
  for (const std::string_view expected : {"ok", "replay"}) {
    Bytes copy = report;
    EXPECT_EQ(ReasonOf(receiver_.UnprotectRtcp(copy)), expected);
  }
}

TEST_P(SrtpSessionTest, PacketsBeforeTheWindowAreRefused) {
  SessionOptions options;
  options.replay_window = 64;
  Session receiver = MakeSession(master_, Direction::kReceive, options);
  Bytes old = Protected(1, 100);
  Bytes inside = Protected(1, 140);
  Bytes current = Protected(1, 200);
  EXPECT_EQ(ReasonOf(receiver.Unprotect(current)), "ok");
  EXPECT_EQ(ReasonOf(receiver.Unprotect(inside)), "ok");
  EXPECT_EQ(ReasonOf(receiver.Unprotect(old)), "replay-old");
}

TEST_P(SrtpSessionTest, EveryFlippedBitIsNoticed) {
  const Bytes packet = Protected(1, 10);
  for (std::size_t i = 0; i < packet.size(); ++i) {
    Bytes damaged = packet;
    damaged[i] ^= 0x01;
    EXPECT_NE(ReasonOf(receiver_.Unprotect(damaged)), "ok") << i;
  }
  Bytes damaged = packet;
  damaged.back() ^= 0x80;
  EXPECT_EQ(ReasonOf(receiver_.Unprotect(damaged)), "auth-fail");
  Bytes report = RtcpPacket(1);
  ASSERT_TRUE(sender_.ProtectRtcp(report));
  for (std::size_t i = 0; i < report.size(); ++i) {
    damaged = report;
    damaged[i] ^= 0x01;
    EXPECT_NE(ReasonOf(receiver_.UnprotectRtcp(damaged)), "ok") << i;
  }
  // None of that has used up the packet.
  Bytes copy = packet;
  EXPECT_EQ(ReasonOf(receiver_.Unprotect(copy)), "ok");
  EXPECT_EQ(ReasonOf(receiver_.UnprotectRtcp(report)), "ok");
}

TEST_P(SrtpSessionTest, AnotherKeyIsRefused) {
  Session other = MakeSession(TestKey(GetParam(), 2), Direction::kReceive);
  Bytes packet = Protected(1, 10);
  EXPECT_EQ(ReasonOf(other.Unprotect(packet)), "auth-fail");
  Bytes report = RtcpPacket(1);
  ASSERT_TRUE(sender_.ProtectRtcp(report));
  EXPECT_EQ(ReasonOf(other.UnprotectRtcp(report)), "auth-fail");
}

TEST_P(SrtpSessionTest, TruncationAtEveryByte) {
  const Bytes packet = Protected(1, 10);
  Bytes report = RtcpPacket(1);
  ASSERT_TRUE(sender_.ProtectRtcp(report));
  for (std::size_t size = 0; size < packet.size(); ++size) {
    Bytes cut(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(ReasonOf(receiver_.Unprotect(cut)), "ok") << size;
    if (size < 12) {
      EXPECT_EQ(cut.size(), size);
    }
  }
  for (std::size_t size = 0; size < report.size(); ++size) {
    Bytes cut(report.begin(), report.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(ReasonOf(receiver_.UnprotectRtcp(cut)), "ok") << size;
  }
}

TEST_P(SrtpSessionTest, WhatIsNoPacketIsMalformed) {
  Bytes empty, wrong_version(40, 0), extension_beyond = RtpPacket(1, 1, 8);
  extension_beyond[0] = 0x90;   // an extension follows
  extension_beyond[14] = 0xff;  // of 65,280 words
  Bytes csrcs_beyond = RtpPacket(1, 1, 8);
  csrcs_beyond[0] = 0x8f;  // 15 contributing sources
  for (const Bytes& bad : {empty, wrong_version, extension_beyond, csrcs_beyond}) {
    Bytes packet = bad;
    EXPECT_EQ(ReasonOf(sender_.Protect(packet)), "malformed") << ToHex(bad);
    packet = bad;
    EXPECT_EQ(ReasonOf(receiver_.Unprotect(packet)), "malformed") << ToHex(bad);
  }
  Bytes huge(70'000, 0x80);
  EXPECT_EQ(ReasonOf(sender_.Protect(huge)), "malformed");
  Bytes short_report(4, 0x80);
  EXPECT_EQ(ReasonOf(sender_.ProtectRtcp(short_report)), "malformed");
}

TEST_P(SrtpSessionTest, ManySourcesShareASession) {
  for (const uint16_t sequence : {uint16_t{7}, uint16_t{8}}) {
    for (uint32_t ssrc = 1; ssrc <= 300; ++ssrc) {
      Bytes packet = Protected(ssrc, sequence);
      ASSERT_EQ(ReasonOf(receiver_.Unprotect(packet)), "ok") << ssrc;
      ASSERT_EQ(packet, RtpPacket(ssrc, sequence));
    }
  }
}

TEST_P(SrtpSessionTest, SendingAgainIsForNacksAndCanBeForbidden) {
  const Bytes once = Protected(1, 10);
  EXPECT_EQ(Protected(1, 10), once);
  SessionOptions options;
  options.allow_repeated_sending = false;
  Session strict = MakeSession(master_, Direction::kSend, options);
  Bytes packet = RtpPacket(1, 10);
  EXPECT_EQ(ReasonOf(strict.Protect(packet)), "ok");
  packet = RtpPacket(1, 10);
  EXPECT_EQ(ReasonOf(strict.Protect(packet)), "replay");
}

TEST_P(SrtpSessionTest, GrowsInPlaceWithinTheCapacity) {
  Bytes packet = RtpPacket(1, 10);
  packet.reserve(packet.size() + Session::kMaxOverhead);
  const uint8_t* const before = packet.data();
  ASSERT_TRUE(sender_.Protect(packet));
  EXPECT_EQ(packet.data(), before);
}

TEST_P(SrtpSessionTest, MovedSessionsGoOn) {
  Session moved = std::move(sender_);
  Bytes packet = RtpPacket(1, 10);
  EXPECT_TRUE(moved.Protect(packet));
  receiver_ = MakeSession(master_, Direction::kReceive);
  EXPECT_TRUE(receiver_.Unprotect(packet));
}

INSTANTIATE_TEST_SUITE_P(Profiles, SrtpSessionTest,
                         testing::Values(kCmProfile, kGcm128Profile, kGcm256Profile),
                         [](const auto& test) { return ProfileName(test.param); });

TEST(SrtpCreateTest, WrongKeysAreRefused) {
  const struct {
    uint16_t profile;
    std::size_t key, salt;
  } kCases[] = {{0x0001, 16, 12}, {0x0001, 15, 14}, {0x0007, 32, 12}, {0x0008, 16, 12},
                {0x0007, 16, 14}, {0x0002, 16, 14}, {0x0005, 0, 0},   {0x0007, 0, 0}};
  for (const auto& test : kCases) {
    const auto session =
        Session::Create(test.profile, Bytes(test.key), Bytes(test.salt), Direction::kSend);
    ASSERT_FALSE(session) << test.profile;
    EXPECT_EQ(session.error().reason, "bad-key");
  }
}

// libsrtp is set up by whoever comes first, once.
TEST(SrtpCreateTest, SeveralThreadsMayBegin) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      Session session = MakeSession(TestKey(kGcm128Profile), Direction::kSend);
      Bytes packet = RtpPacket(1, 1);
      EXPECT_TRUE(session.Protect(packet));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace rtclab::srtp
