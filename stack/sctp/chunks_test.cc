// Every chunk against bytes laid out by hand from the RFCs' diagrams; truncation; round trips.
#include <gtest/gtest.h>

#include <functional>
#include <string_view>

#include "stack/sctp/chunks_control.h"
#include "stack/sctp/chunks_data.h"
#include "stack/sctp/chunks_reconfig.h"
#include "stack/sctp/chunks_setup.h"
#include "stack/sctp/packet.h"

namespace rtclab::sctp {
namespace {

Bytes Hex(std::string_view text) { return *FromHex(text); }

// A chunk as a packet's reader would give it; its length field is set to the size of `whole`.
ChunkView ViewOf(const Bytes& whole) {
  return {whole[0], whole[1], ByteView(whole).subspan(4), ByteView(whole), 12};
}

// Whether `parse` takes the chunk whole, and refuses it cut at every byte but those in `allowed`.
template <typename Chunk>
void ExpectNoTruncation(const Bytes& whole, std::vector<std::size_t> allowed = {}) {
  EXPECT_TRUE(Chunk::Parse(ViewOf(whole)).has_value());
  for (std::size_t size = 4; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const bool fine = std::count(allowed.begin(), allowed.end(), size) > 0;
    EXPECT_EQ(Chunk::Parse(ViewOf(cut)).has_value(), fine) << "cut at " << size;
  }
}

TEST(ChunkTest, DataAndIData) {
  const Bytes bytes = Hex("00 0b 0013  01020304 0005 0007 00000033  616263");
  const auto data = DataChunk::Parse(ViewOf(bytes));
  ASSERT_TRUE(data);
  EXPECT_EQ(data->tsn, 0x01020304u);
  EXPECT_EQ(data->stream, 5);
  EXPECT_EQ(data->sequence, 7u);
  EXPECT_EQ(data->ppid, 51u);
  EXPECT_TRUE(data->begin() && data->end() && data->immediate() && !data->unordered());
  EXPECT_EQ(AsString(data->payload), "abc");
  Bytes out;
  data->AppendTo(out, false);
  Bytes padded = bytes;
  padded.push_back(0);
  EXPECT_EQ(out, padded);

  const Bytes first = Hex("40 06 0016  01020304 0005 0000 00000009 00000035  6162");
  const auto begin = DataChunk::Parse(ViewOf(first));
  ASSERT_TRUE(begin);
  EXPECT_EQ(begin->sequence, 9u);
  EXPECT_EQ(begin->ppid, 53u);
  EXPECT_EQ(begin->fsn, 0u);
  EXPECT_TRUE(begin->unordered() && begin->begin() && !begin->end());
  out.clear();
  begin->AppendTo(out, true);
  EXPECT_EQ(out, Hex("40 06 0016  01020304 0005 0000 00000009 00000035  6162 0000"));

  const Bytes second = Hex("40 01 0015  01020305 0005 0000 00000009 00000001  63");
  const auto end = DataChunk::Parse(ViewOf(second));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->fsn, 1u);
  EXPECT_EQ(end->ppid, 0u);
  for (std::size_t size = 4; size < 16; ++size) {
    EXPECT_FALSE(DataChunk::Parse(ViewOf(Bytes(bytes.begin(), bytes.begin() + size)))) << size;
  }
  for (std::size_t size = 4; size < 20; ++size) {
    EXPECT_FALSE(DataChunk::Parse(ViewOf(Bytes(first.begin(), first.begin() + size)))) << size;
  }
}

TEST(ChunkTest, Sack) {
  const Bytes bytes =
      Hex("03 00 0020  00000010 00020000 0002 0002  0002 0003 0005 0005  0000000f 00000010");
  const auto sack = SackChunk::Parse(ViewOf(bytes));
  ASSERT_TRUE(sack);
  EXPECT_EQ(sack->cumulative_tsn, 16u);
  EXPECT_EQ(sack->a_rwnd, 131072u);
  EXPECT_EQ(sack->gaps, (std::vector<SackChunk::GapBlock>{{2, 3}, {5, 5}}));
  EXPECT_EQ(sack->duplicates, (std::vector<uint32_t>{15, 16}));
  Bytes out;
  sack->AppendTo(out);
  EXPECT_EQ(out, bytes);
  ExpectNoTruncation<SackChunk>(bytes);
  // Blocks out of order, one inside out, one of nothing.
  EXPECT_FALSE(
      SackChunk::Parse(ViewOf(Hex("03 00 0018 00000010 00020000 0002 0000 0005 0006 0002 0003"))));
  EXPECT_FALSE(SackChunk::Parse(ViewOf(Hex("03 00 0014 00000010 00020000 0001 0000 0003 0002"))));
  EXPECT_FALSE(SackChunk::Parse(ViewOf(Hex("03 00 0014 00000010 00020000 0001 0000 0000 0002"))));
}

TEST(ChunkTest, ForwardTsn) {
  const Bytes bytes = Hex("c0 00 0010  00000020  0001 0002 0007 ffff");
  const auto forward = ForwardTsnChunk::Parse(ViewOf(bytes));
  ASSERT_TRUE(forward);
  EXPECT_EQ(forward->new_cumulative_tsn, 32u);
  EXPECT_EQ(forward->skipped,
            (std::vector<ForwardTsnChunk::Skipped>{{1, false, 2}, {7, false, 0xFFFF}}));
  Bytes out;
  forward->AppendTo(out, false);
  EXPECT_EQ(out, bytes);
  ExpectNoTruncation<ForwardTsnChunk>(bytes, {8, 12});

  const Bytes interleaved = Hex("c2 00 0018  00000020  0001 0001 00000002  0007 0000 ffffffff");
  const auto i_forward = ForwardTsnChunk::Parse(ViewOf(interleaved));
  ASSERT_TRUE(i_forward);
  EXPECT_EQ(i_forward->skipped,
            (std::vector<ForwardTsnChunk::Skipped>{{1, true, 2}, {7, false, 0xFFFFFFFF}}));
  out.clear();
  i_forward->AppendTo(out, true);
  EXPECT_EQ(out, interleaved);
  ExpectNoTruncation<ForwardTsnChunk>(interleaved, {8, 16});
}

TEST(ChunkTest, InitWithItsParameters) {
  // FORWARD-TSN supported, supported extensions (three), zero checksum acceptable, cookie preservative.
  const Bytes bytes =
      Hex("01 00 0030  0a0b0c0d 00500000 ffff 0400 11223344"
          "c000 0004  8008 0007 82 c0 40 00  8001 0008 00000001  0009 0008 00000064");
  const auto init = InitChunk::Parse(ViewOf(bytes));
  ASSERT_TRUE(init) << init.error().reason;
  EXPECT_EQ(init->initiate_tag, 0x0a0b0c0du);
  EXPECT_EQ(init->a_rwnd, 0x00500000u);
  EXPECT_EQ(init->outbound_streams, 65535);
  EXPECT_EQ(init->inbound_streams, 1024);
  EXPECT_EQ(init->initial_tsn, 0x11223344u);
  EXPECT_TRUE(init->forward_tsn);
  EXPECT_TRUE(init->Supports(ChunkType::kReconfig));
  EXPECT_TRUE(init->Supports(ChunkType::kIData));
  EXPECT_FALSE(init->Supports(ChunkType::kIForwardTsn));
  EXPECT_EQ(init->zero_checksum, 1u);
  EXPECT_EQ(init->cookie_preservative_ms, 100u);
  Bytes out;
  init->AppendTo(out, ChunkType::kInit);
  EXPECT_EQ(out, bytes);
  // Between parameters, and where only the padding of the last one is gone, a shorter one is whole too.
  ExpectNoTruncation<InitChunk>(bytes, {20, 24, 31, 32, 40});
}

TEST(ChunkTest, InitAckWithCookieAndUnknownParameters) {
  // A cookie; a type to report and pass over (11), to pass over (10), to report and stop at (01), another.
  const Bytes bytes =
      Hex("02 00 0038  0a0b0c0d 00500000 0001 0001 11223344"
          "0007 0006 abcd 0000  c123 0004  9123 0004  4123 0004  c000 0004  0005 0008 0a000001");
  const auto init = InitChunk::Parse(ViewOf(bytes));
  ASSERT_TRUE(init);
  EXPECT_EQ(init->cookie, Hex("abcd"));
  EXPECT_EQ(init->unrecognized, (std::vector<Bytes>{Hex("c1230004"), Hex("41230004")}));
  EXPECT_FALSE(init->forward_tsn) << "behind a parameter that says stop";
  // An address of a wrong size.
  EXPECT_FALSE(InitChunk::Parse(
      ViewOf(Hex("01 00 001b 0a0b0c0d 00500000 0001 0001 11223344 0005 0007 0a0000"))));
}

TEST(ChunkTest, UnrecognizedParametersGoBackAsFarAsTheyFit) {
  InitChunk answer;
  answer.unrecognized = {Bytes(200, 1), Bytes(200, 2)};
  Bytes out;
  answer.AppendTo(out, ChunkType::kInitAck, 300);
  EXPECT_EQ(out.size(), 20u + 4 + 200);
}

TEST(ChunkTest, ControlChunks) {
  const Bytes heartbeat = Hex("04 00 000e  0001 000a 010203040506");
  const auto parsed = HeartbeatChunk::Parse(ViewOf(heartbeat));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(ToHex(parsed->info), "010203040506");
  ExpectNoTruncation<HeartbeatChunk>(heartbeat);
  Bytes out;
  parsed->AppendTo(out, ChunkType::kHeartbeatAck);
  EXPECT_EQ(out, Hex("05 00 000e  0001 000a 010203040506 0000"));

  const Bytes shutdown = Hex("07 00 0008 00000011");
  ASSERT_TRUE(ShutdownChunk::Parse(ViewOf(shutdown)));
  EXPECT_EQ(ShutdownChunk::Parse(ViewOf(shutdown))->cumulative_tsn, 17u);
  ExpectNoTruncation<ShutdownChunk>(shutdown);
  out.clear();
  ShutdownChunk{17}.AppendTo(out);
  EXPECT_EQ(out, shutdown);

  out.clear();
  AppendCookieEcho(out, Hex("aabbcc"));
  EXPECT_EQ(out, Hex("0a 00 0007 aabbcc 00"));
  out.clear();
  AppendEmptyChunk(out, ChunkType::kShutdownComplete, kTagReflected);
  EXPECT_EQ(out, Hex("0e 01 0004"));
  out.clear();
  AppendPad(out, 12);
  EXPECT_EQ(out, Hex("84 00 000c 0000000000000000"));
}

TEST(ChunkTest, ErrorCausesAreLaidOutAsTheRfcSays) {
  const struct {
    ErrorCause cause;
    std::string_view bytes;
    std::string_view text;
  } cases[] = {
      {ErrorCause::InvalidStream(7), "0001 0008 0007 0000", "invalid stream identifier 7"},
      {ErrorCause::MissingParameter(ParameterType::kStateCookie), "0002 000a 00000001 0007 0000",
       "missing mandatory parameter"},
      {ErrorCause::StaleCookie(TimeDelta::Millis(5)), "0003 0008 00001388", "stale cookie"},
      {ErrorCause::OutOfResource(), "0004 0004", "out of resource"},
      {ErrorCause::UnresolvableAddress(Hex("000b0005")), "0005 0008 000b 0005",
       "unresolvable address"},
      {ErrorCause::UnrecognizedChunk(Hex("f0000004")), "0006 0008 f0000004",
       "unrecognized chunk type 240"},
      {ErrorCause::InvalidMandatoryParameter(), "0007 0004", "invalid mandatory parameter"},
      {ErrorCause::UnrecognizedParameters(Hex("c1230004")), "0008 0008 c1230004",
       "unrecognized parameters"},
      {ErrorCause::NoUserData(9), "0009 0008 00000009", "no user data"},
      {ErrorCause::CookieWhileShuttingDown(), "000a 0004", "cookie received while shutting down"},
      {ErrorCause::UserAbort("bye!"), "000c 0008 62796521", "user initiated abort: bye!"},
      {ErrorCause::Violation("x"), "000d 0005 78 000000", "protocol violation: x"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    Bytes out;
    ErrorChunk{{c.cause}}.AppendTo(out, ChunkType::kError);
    const Bytes expected = Hex(c.bytes);
    EXPECT_EQ(Bytes(out.begin() + 4, out.end()), expected);
    EXPECT_EQ(c.cause.ToString(), c.text);
    out.resize(LoadU16(out.data() + 2));
    const auto parsed = ErrorChunk::Parse(ViewOf(out));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->causes, (std::vector<ErrorCause>{c.cause}));
  }
  ExpectNoTruncation<ErrorChunk>(Hex("09 00 0010 0001 0008 0007 0000 0009 0008 00000009"), {4, 12});
}

TEST(ChunkTest, Reconfig) {
  const struct {
    std::string_view name;
    std::string_view bytes;
    std::vector<ReconfigParameter> parameters;
    std::vector<std::size_t> whole_when_cut;
  } cases[] = {
      {"outgoing",
       "82 00 0018 000d 0014 00000001 00000002 00000003 0004 0005",
       {OutgoingResetRequest{1, 2, 3, {4, 5}}},
       {}},
      {"incoming", "82 00 000e 000e 000a 00000001 0004", {IncomingResetRequest{1, {4}}}, {}},
      {"tsn", "82 00 000c 000f 0008 00000001", {TsnResetRequest{1}}, {}},
      {"response",
       "82 00 0010 0010 000c 00000001 00000006",
       {ReconfigResponse{1, ReconfigResult::kInProgress, std::nullopt}},
       {}},
      {"tsn response",
       "82 00 0018 0010 0014 00000001 00000001 00000007 00000008",
       {ReconfigResponse{1, ReconfigResult::kPerformed, ReconfigResponse::TsnReset{7, 8}}},
       {}},
      {"add",
       "82 00 001c 0011 000c 00000001 0003 0000 0012 000c 00000002 0004 0000",
       {AddStreamsRequest{1, 3, true}, AddStreamsRequest{2, 4, false}},
       {16}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const Bytes bytes = Hex(c.bytes);
    const auto parsed = ReconfigChunk::Parse(ViewOf(bytes));
    ASSERT_TRUE(parsed);
    EXPECT_TRUE(parsed->parameters == c.parameters);
    Bytes out;
    ReconfigChunk{c.parameters}.AppendTo(out);
    out.resize(bytes.size());
    EXPECT_EQ(out, bytes);
    ExpectNoTruncation<ReconfigChunk>(bytes, c.whole_when_cut);
  }
  EXPECT_FALSE(ReconfigChunk::Parse(ViewOf(Hex("82 00 0004"))));
  EXPECT_FALSE(ReconfigChunk::Parse(ViewOf(Hex("82 00 000c 0099 0008 00000001"))));
}

TEST(PacketTest, HeaderChecksumAndChunks) {
  Bytes packet = BeginPacket({5000, 5001, 0xdeadbeef}, 64);
  EXPECT_EQ(packet, Hex("1388 1389 deadbeef 00000000"));
  AppendEmptyChunk(packet, ChunkType::kCookieAck);
  const auto view = PacketView::Parse(packet);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->ChecksumZero());
  EXPECT_FALSE(view->ChecksumCorrect());
  WriteChecksum(packet);
  EXPECT_TRUE(PacketView::Parse(packet)->ChecksumCorrect());
  for (std::size_t i = 0; i < packet.size(); ++i) {
    Bytes bent = packet;
    bent[i] ^= 0x10;
    EXPECT_FALSE(PacketView::Parse(bent)->ChecksumCorrect()) << i;
  }
  for (std::size_t size = 0; size < 16; ++size) {
    EXPECT_FALSE(PacketView::Parse(ByteView(packet).first(size))) << size;
  }
}

TEST(PacketTest, ChunkLengthsAreHeldAgainstThePacket) {
  const struct {
    std::string_view chunks;
    int whole;
    bool error;
  } cases[] = {
      {"0b000004 0b000004", 2, false},
      {"0b000003", 0, true},
      {"0b000000", 0, true},
      {"0b000008", 0, true},
      {"0b000004 0b00", 1, true},
      {"0a000005 aa", 1, false},  // the padding of the last chunk may be missing
      {"0a000005 aa 000000 0b000004", 2, false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.chunks);
    Bytes bytes = Hex("1388 1388 00000001 00000000");
    const Bytes chunks = Hex(c.chunks);
    bytes.insert(bytes.end(), chunks.begin(), chunks.end());
    const auto packet = PacketView::Parse(bytes);
    ASSERT_TRUE(packet);
    std::size_t offset = PacketView::kFirstChunk;
    int whole = 0;
    bool error = false;
    while (true) {
      const auto chunk = packet->NextChunk(offset);
      error = !chunk;
      if (!chunk || !*chunk) break;
      ++whole;
    }
    EXPECT_EQ(whole, c.whole);
    EXPECT_EQ(error, c.error);
  }
}

TEST(SerialTest, TheNearestValueIsMeant) {
  EXPECT_EQ(Unwrap32(kSerialBase + 0xFFFFFFFF, 0), kSerialBase * 2);
  EXPECT_EQ(Unwrap32(kSerialBase * 2, 0xFFFFFFFF), kSerialBase + 0xFFFFFFFF);
  EXPECT_EQ(Unwrap16(kSerialBase + 0xFFFF, 2), kSerialBase + 0x10002);
  EXPECT_EQ(Unwrap16(kSerialBase, 0xFFFE), kSerialBase - 2);
}

}  // namespace
}  // namespace rtclab::sctp
