// From INIT to established: what is agreed, lost packets, collisions, restarts, cookies, floods, strangers.
#include <gtest/gtest.h>

#include "stack/sctp/chunks_control.h"
#include "stack/sctp/chunks_data.h"
#include "stack/sctp/chunks_setup.h"
#include "stack/sctp/test_util.h"

namespace rtclab::sctp {
namespace {

using test::ChunkTypes;
using test::HasChunk;
using test::LinkConfig;
using test::Pair;

// A packet from raw chunks, with its checksum.
Bytes RawPacket(uint32_t tag, std::string_view chunks_hex, bool checksum = true) {
  Bytes packet = BeginPacket({5000, 5000, tag}, 256);
  const Bytes chunks = *FromHex(chunks_hex);
  packet.insert(packet.end(), chunks.begin(), chunks.end());
  if (checksum) WriteChecksum(packet);
  return packet;
}

uint32_t TagOf(ByteView packet) { return LoadU32(packet.data() + 4); }
// The first chunk's flags.
uint8_t FlagsOf(ByteView packet) { return packet[13]; }

TEST(SetupTest, AgreesOnExtensions) {
  for (int mask = 0; mask < 16; ++mask) {
    SCOPED_TRACE(mask);
    AssociationConfig a;
    a.zero_checksum = true;
    AssociationConfig z = a;
    z.partial_reliability = (mask & 1) != 0;
    z.interleaving = (mask & 2) != 0;
    z.reconfig = (mask & 4) != 0;
    z.zero_checksum = (mask & 8) != 0;
    z.max_inbound_streams = 10;
    z.outbound_streams = 20;
    Pair pair(a, z, {}, 1);
    ASSERT_TRUE(pair.Connect());
    for (test::Endpoint* e : {&pair.a, &pair.z}) {
      const auto connected = e->Events<Connected>();
      ASSERT_EQ(connected.size(), 1u);
      EXPECT_EQ(connected[0].partial_reliability, z.partial_reliability);
      EXPECT_EQ(connected[0].interleaving, z.interleaving);
      EXPECT_EQ(connected[0].reconfig, z.reconfig);
      EXPECT_EQ(connected[0].zero_checksum, z.zero_checksum);
    }
    EXPECT_EQ(pair.a->outbound_streams(), 10);
    EXPECT_EQ(pair.z->outbound_streams(), 20);
    EXPECT_TRUE(pair.a->Send(pair.now, StreamId{9}, 1, {1}));
    EXPECT_FALSE(pair.a->Send(pair.now, StreamId{10}, 1, {1}));
  }
}

TEST(SetupTest, EachLostPacketComesAgain) {
  // The nth packet of the handshake is lost: INIT, INIT ACK, COOKIE ECHO, COOKIE ACK.
  for (int lost = 0; lost < 4; ++lost) {
    SCOPED_TRACE(lost);
    Pair pair;
    int count = 0;
    pair.filter = [&](bool, Bytes&) { return count++ != lost; };
    // Data that waits goes with the COOKIE ECHO and must not be lost with it.
    ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, {7}));
    ASSERT_TRUE(pair.Connect());
    EXPECT_TRUE(pair.RunFor(TimeDelta::Seconds(5), [&] { return pair.z.Has<MessageReceived>(); }));
    EXPECT_LE(pair.now, Timestamp::Seconds(4));
  }
}

TEST(SetupTest, DataGoesWithTheCookie) {
  Pair pair;
  pair.a.record = true;
  ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, {7}));
  ASSERT_TRUE(pair.Connect());
  ASSERT_EQ(pair.a.sent.size(), 2u);
  EXPECT_EQ(ChunkTypes(pair.a.sent[1]), (std::vector<uint8_t>{10, 64}));
  EXPECT_TRUE(pair.z.Has<MessageReceived>());
}

TEST(SetupTest, NobodyAnswers) {
  Pair pair;
  pair.filter = [](bool, Bytes&) { return false; };
  pair.a.record = true;
  pair.a->Connect(pair.now);
  pair.RunFor(TimeDelta::Seconds(600));
  EXPECT_EQ(pair.a.sent.size(), 9u) << "Max.Init.Retransmits is 8";
  ASSERT_EQ(pair.a.Count<ConnectFailed>(), 1u);
  EXPECT_EQ(pair.a.Events<ConnectFailed>()[0].reason, "init_timeout");
  EXPECT_TRUE(pair.a->NextTimeout().IsInfinite());
}

TEST(SetupTest, ThePeerVanishesAfterInitAck) {
  Pair pair;
  pair.filter = [](bool to_z, Bytes& p) { return !to_z || !HasChunk(p, ChunkType::kCookieEcho); };
  pair.a->Connect(pair.now);
  pair.RunFor(TimeDelta::Seconds(600));
  ASSERT_EQ(pair.a.Count<ConnectFailed>(), 1u);
  EXPECT_EQ(pair.a.Events<ConnectFailed>()[0].reason, "cookie_timeout");
}

TEST(SetupTest, BothConnectAtOnce) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    LinkConfig link;
    link.loss = seed > 4 ? 0.3 : 0;
    link.reorder = link.loss;
    AssociationConfig config;
    config.max_init_retransmits = 30;
    Pair pair(config, link, seed);
    pair.a->Connect(pair.now);
    if (seed % 2 == 0) pair.RunFor(TimeDelta::Millis(30));  // z has answered already
    pair.z->Connect(pair.now);
    ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, Bytes(5000, 1)));
    ASSERT_TRUE(pair.z->Send(pair.now, StreamId{0}, 1, Bytes(5000, 2)));
    ASSERT_TRUE(pair.RunFor(TimeDelta::Seconds(600), [&] {
      return pair.a.Has<MessageReceived>() && pair.z.Has<MessageReceived>();
    }));
    pair.RunFor(TimeDelta::Seconds(10));
    EXPECT_EQ(pair.a.Count<Connected>(), 1u);
    EXPECT_EQ(pair.z.Count<Connected>(), 1u);
    EXPECT_EQ(pair.a.Count<Restarted>() + pair.z.Count<Restarted>(), 0u);
    EXPECT_EQ(pair.a->state(), State::kEstablished);
    EXPECT_EQ(pair.z->state(), State::kEstablished);
  }
}

TEST(SetupTest, APeerThatLostItsMemoryRestarts) {
  Pair pair;
  ASSERT_TRUE(pair.Connect());
  for (uint16_t i = 0; i < 5; ++i) ASSERT_TRUE(pair.a->Send(pair.now, StreamId{i}, 1, {1}));
  pair.RunFor(TimeDelta::Seconds(1));
  pair.a.Replace({});
  pair.a->Connect(pair.now);
  ASSERT_TRUE(pair.RunFor(TimeDelta::Seconds(5), [&] {
    return pair.a->state() == State::kEstablished && pair.z.Has<Restarted>();
  }));
  EXPECT_EQ(pair.z.Count<Connected>(), 1u);
  // Numbers begin anew in both directions.
  ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, Bytes(3000, 5)));
  ASSERT_TRUE(pair.z->Send(pair.now, StreamId{0}, 1, Bytes(3000, 6)));
  EXPECT_TRUE(pair.RunFor(TimeDelta::Seconds(5), [&] {
    return pair.z.Count<MessageReceived>() == 6 && pair.a.Has<MessageReceived>();
  }));
}

TEST(SetupTest, AFloodOfInitsLeavesNothing) {
  Pair pair;
  pair.z.record = true;
  for (uint32_t i = 1; i <= 1000; ++i) {
    const std::string tag = ToHex(Bytes{0, 1, uint8_t(i >> 8), uint8_t(i)});
    pair.z->HandlePacket(pair.now, RawPacket(0, "01000014" + tag + "0005000000ff00ff00000001"));
    while (auto p = pair.z->PollTransmit()) pair.z.sent.push_back(*p);
  }
  EXPECT_EQ(pair.z->state(), State::kClosed);
  EXPECT_TRUE(pair.z->NextTimeout().IsInfinite());
  EXPECT_EQ(pair.z.sent.size(), 1000u);
  EXPECT_EQ(ChunkTypes(pair.z.sent[0]), (std::vector<uint8_t>{2}));
  EXPECT_EQ(TagOf(pair.z.sent[0]), 0x00010001u);
  EXPECT_TRUE(pair.Connect()) << "who answers the cookie gets in";
}

TEST(SetupTest, InitsThatCannotBeAreRefused) {
  const struct {
    std::string_view name;
    std::string_view chunks;
    std::optional<CauseCode> abort;  // the cause of the ABORT; none: silence
  } cases[] = {
      {"tag 0", "01000014 00000000 00050000 00ff 00ff 00000001", std::nullopt},
      {"no streams", "01000014 00000009 00050000 0000 00ff 00000001",
       CauseCode::kInvalidMandatoryParameter},
      {"small window", "01000014 00000009 000005db 00ff 00ff 00000001",
       CauseCode::kInvalidMandatoryParameter},
      {"host name", "0100001c 00000009 00050000 00ff 00ff 00000001 000b0008 61622e00",
       CauseCode::kUnresolvableAddress},
      {"cut off", "01000010 00000009 00050000 00ff 00ff", std::nullopt},
      {"bundled", "01000014 00000009 00050000 00ff 00ff 00000001 0b000004", std::nullopt},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Pair pair;
    pair.z->HandlePacket(pair.now, RawPacket(0, c.chunks));
    const auto answer = pair.z->PollTransmit();
    EXPECT_EQ(answer.has_value(), c.abort.has_value());
    if (!answer) continue;
    EXPECT_EQ(TagOf(*answer), 9u);
    EXPECT_EQ((*answer)[12], 6);
    EXPECT_EQ(FlagsOf(*answer), 0);
    EXPECT_EQ(LoadU16(answer->data() + 16), static_cast<uint16_t>(*c.abort));
  }
}

TEST(SetupTest, UnknownParametersAreReportedByTheirHighBits) {
  Pair pair;
  pair.z->HandlePacket(pair.now, RawPacket(0,
                                           "01000024 00000009 00050000 00ff 00ff 00000001"
                                           "c1230008 aabbccdd 91230004 4fff0004"));
  const auto answer = pair.z->PollTransmit();
  ASSERT_TRUE(answer);
  std::size_t offset = PacketView::kFirstChunk;
  const auto chunk = PacketView::Parse(*answer)->NextChunk(offset);
  const auto init = InitChunk::Parse(**chunk);
  ASSERT_TRUE(init);
  EXPECT_EQ(init->reported,
            (std::vector<Bytes>{*FromHex("c1230008aabbccdd"), *FromHex("4fff0004")}));
}

TEST(SetupTest, AStaleCookieIsRefusedAndAskedForAgain) {
  AssociationConfig config;
  config.valid_cookie_life = TimeDelta::Millis(50);
  LinkConfig link;
  link.delay = TimeDelta::Millis(40);  // the echo comes 80 ms after the cookie was made
  Pair pair(config, link, 1);
  bool stale = false;
  pair.filter = [&](bool to_z, Bytes& p) {
    stale |= !to_z && HasChunk(p, ChunkType::kError);
    return true;
  };
  EXPECT_TRUE(pair.Connect()) << "by a longer life, as the Cookie Preservative asks";
  EXPECT_TRUE(stale);
}

TEST(SetupTest, ABentCookieIsDropped) {
  Pair pair;
  pair.filter = [](bool to_z, Bytes& p) {
    if (to_z && HasChunk(p, ChunkType::kCookieEcho)) {
      p[30] ^= 1;
      WriteChecksum(p);
    }
    return true;
  };
  pair.a->Connect(pair.now);
  pair.RunFor(TimeDelta::Seconds(5));
  EXPECT_EQ(pair.z->state(), State::kClosed);
  EXPECT_GE(pair.z->metrics().dropped_for(DropReason::kBadCookie), 1u);
}

TEST(SetupTest, OutOfTheBlue) {
  // RFC 9260 section 8.4; to an association that never was.
  const struct {
    std::string_view name;
    std::string_view chunks;
    int answer;  // its chunk type, -1: none
  } cases[] = {
      {"DATA", "00030011 00000001 0000 0000 00000033 61000000", 6},
      {"ABORT", "06000004", -1},
      {"ABORT bundled", "00030011 00000001 0000 0000 00000033 61000000 06000004", -1},
      {"SHUTDOWN ACK", "08000004", 14},
      {"SHUTDOWN COMPLETE", "0e000004", -1},
      {"COOKIE ACK", "0b000004", -1},
      {"stale cookie", "0900000c 0003000800000001", -1},
      {"another error", "0900000c 0001000800010000", 6},
      {"cookie of nobody", "0a000008 01020304", -1},
      {"INIT with a tag", "01000014 00000009 00050000 00ff 00ff 00000001", -1},
      {"unknown chunk", "3f000004", 6},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Pair pair;
    pair.z->HandlePacket(pair.now, RawPacket(0x77, c.chunks));
    const auto answer = pair.z->PollTransmit();
    ASSERT_EQ(answer.has_value(), c.answer >= 0);
    if (!answer) continue;
    EXPECT_EQ((*answer)[12], c.answer);
    EXPECT_EQ(TagOf(*answer), 0x77u);
    EXPECT_EQ(FlagsOf(*answer), kTagReflected);
    EXPECT_TRUE(PacketView::Parse(*answer)->ChecksumCorrect());
  }
}

TEST(SetupTest, GarbageIsCountedByReason) {
  Pair pair;
  pair.z.record = true;
  ASSERT_TRUE(pair.Connect());
  const uint32_t tag = TagOf(pair.z.sent.back());  // a's
  const struct {
    Bytes packet;
    DropReason reason;
  } cases[] = {
      {Bytes(15, 0), DropReason::kTruncated},
      {RawPacket(tag, "0b000003"), DropReason::kTruncated},
      {RawPacket(tag, "0b000004", false), DropReason::kBadChecksum},
      {RawPacket(tag + 1, "0b000004"), DropReason::kBadTag},
      {RawPacket(0, "0b000004"), DropReason::kBadTag},
      {RawPacket(tag, "06010004"), DropReason::kBadTag},
      {RawPacket(tag, "03000010 00000001 00000001 0001 0000"), DropReason::kMalformedChunk},
      {RawPacket(tag, "3f000004"), DropReason::kUnknownChunk},
      {RawPacket(tag, "0b000004 01000014 00000009 00050000 00ff 00ff 00000001"),
       DropReason::kUnexpectedChunk},
      {RawPacket(tag, "0e000004"), DropReason::kUnexpectedChunk},
      {RawPacket(tag, "0a000008 01020304"), DropReason::kBadCookie},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(ToString(c.reason));
    const uint64_t before = pair.a->metrics().dropped_for(c.reason);
    pair.a->HandlePacket(pair.now, c.packet);
    EXPECT_EQ(pair.a->metrics().dropped_for(c.reason), before + 1);
    EXPECT_EQ(pair.a->state(), State::kEstablished);
    while (pair.a->PollTransmit()) continue;
  }
  Bytes other_port = RawPacket(tag, "0b000004");
  other_port[1] ^= 1;
  WriteChecksum(other_port);
  pair.a->HandlePacket(pair.now, other_port);
  EXPECT_EQ(pair.a->metrics().dropped_for(DropReason::kWrongPort), 1u);
}

TEST(SetupTest, UnknownChunksFollowTheirHighBits) {
  // A HEARTBEAT behind the unknown chunk shows whether the rest was looked at.
  const struct {
    std::string_view type;
    bool reported;
    bool goes_on;
  } cases[] = {{"3f", false, false}, {"7f", true, false}, {"bf", false, true}, {"ff", true, true}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.type);
    Pair pair;
    pair.z.record = true;
    ASSERT_TRUE(pair.Connect());
    const uint32_t tag = TagOf(pair.z.sent.back());
    pair.a->HandlePacket(pair.now,
                         RawPacket(tag, std::string(c.type) + "000006 aabb0000 04000008 00010004"));
    bool reported = false;
    bool went_on = false;
    while (auto p = pair.a->PollTransmit()) {
      reported |= HasChunk(*p, ChunkType::kError);
      went_on |= HasChunk(*p, ChunkType::kHeartbeatAck);
    }
    EXPECT_EQ(reported, c.reported);
    EXPECT_EQ(went_on, c.goes_on);
  }
}

TEST(ZeroChecksumTest, LeavesTheChecksumAwayWhereRfc9653Allows) {
  for (const bool a_offers : {false, true}) {
    for (const bool z_offers : {false, true}) {
      SCOPED_TRACE(testing::Message() << a_offers << z_offers);
      AssociationConfig a;
      AssociationConfig z;
      a.zero_checksum = a_offers;
      z.zero_checksum = z_offers;
      Pair pair(a, z, {}, 1);
      int zero = 0;
      int correct = 0;
      pair.filter = [&](bool, Bytes& p) {
        const auto view = PacketView::Parse(p);
        const bool opening = HasChunk(p, ChunkType::kInit) || HasChunk(p, ChunkType::kInitAck) ||
                             HasChunk(p, ChunkType::kCookieEcho) || HasChunk(p, ChunkType::kAbort);
        if (opening) {
          EXPECT_TRUE(view->ChecksumCorrect());
        } else {
          ++(view->ChecksumZero() ? zero : correct);
        }
        return true;
      };
      ASSERT_TRUE(pair.Connect());
      ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, Bytes(10'000)));
      pair.RunFor(TimeDelta::Seconds(2), [&] { return pair.z.Has<MessageReceived>(); });
      pair.z->Abort(pair.now, "over");
      pair.RunFor(TimeDelta::Seconds(2));
      EXPECT_TRUE(pair.z.Has<MessageReceived>());
      EXPECT_EQ(zero > 0, a_offers && z_offers);
      EXPECT_EQ(correct > 0, !(a_offers && z_offers));
    }
  }
}

TEST(ZeroChecksumTest, AZeroNeverOpensAnAssociation) {
  AssociationConfig config;
  config.zero_checksum = true;
  Pair pair(config);
  Bytes init = RawPacket(0, "01000014 00000009 00050000 00ff 00ff 00000001", false);
  pair.z->HandlePacket(pair.now, init);
  EXPECT_FALSE(pair.z->PollTransmit());
  EXPECT_EQ(pair.z->metrics().dropped_for(DropReason::kBadChecksum), 1u);
  pair.filter = [](bool to_z, Bytes& p) {
    if (to_z && HasChunk(p, ChunkType::kCookieEcho)) std::fill_n(p.begin() + 8, 4, uint8_t{0});
    return true;
  };
  pair.a->Connect(pair.now);
  pair.RunFor(TimeDelta::Seconds(5));
  EXPECT_EQ(pair.z->state(), State::kClosed);
}

}  // namespace
}  // namespace rtclab::sctp
