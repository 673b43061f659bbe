#include "sim/trace/tracer.h"

#include <gtest/gtest.h>

namespace rtclab::sim {
namespace {

// A Binding request without attributes (RFC 8489 section 5), transaction id 00 to 0b.
const char kBinding[] = "0001 0000 2112a442 000102030405060708090a0b";

Bytes MessageBytes(std::string_view hex) { return *FromHex(hex); }

std::array<uint8_t, 12> CountingId() { return {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}; }

TEST(FindStunTransactionTest, ReadsPlainMessage) {
  EXPECT_EQ(FindStunTransaction(MessageBytes(kBinding)), CountingId());
}

TEST(FindStunTransactionTest, LooksIntoSendIndication) {
  // PRIORITY-like attribute of 3 bytes with padding first, then DATA with the request.
  const Bytes indication = MessageBytes(std::string("0016 0020 2112a442 ffffffffffffffffffffffff") +
                                        "8022 0003 61626300" + "0013 0014" + kBinding);
  EXPECT_EQ(FindStunTransaction(indication), CountingId());
}

TEST(FindStunTransactionTest, LooksIntoDataIndicationAndChannelData) {
  EXPECT_EQ(FindStunTransaction(MessageBytes(
                std::string("0017 0018 2112a442 ffffffffffffffffffffffff 0013 0014") + kBinding)),
            CountingId());
  EXPECT_EQ(FindStunTransaction(MessageBytes(std::string("4001 0014") + kBinding)), CountingId());
}

TEST(FindStunTransactionTest, FallsBackToTheIndicationItself) {
  const auto id =
      FindStunTransaction(MessageBytes("0016 0008 2112a442 ffffffffffffffffffffffff"
                                       "0013 0002 1234 0000"));
  ASSERT_TRUE(id);
  EXPECT_EQ((*id)[0], 0xff);
}

TEST(FindStunTransactionTest, IgnoresEverythingElse) {
  EXPECT_FALSE(FindStunTransaction({}));
  EXPECT_FALSE(
      FindStunTransaction(MessageBytes("80600001 00000000 12345678 00000000 00000000 00000000")));
  EXPECT_FALSE(FindStunTransaction(MessageBytes("0001 0000 2112a443 000102030405060708090a0b")));
  EXPECT_FALSE(FindStunTransaction(MessageBytes("4001 0004 01020304")));
}

TEST(FindStunTransactionTest, NeverReadsPastATruncatedMessage) {
  const Bytes whole =
      MessageBytes(std::string("0016 0018 2112a442 ffffffffffffffffffffffff 0013 0014") + kBinding);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(FindStunTransaction(cut).has_value(), size >= 20) << size;
  }
}

TEST(TracerTest, CountsEveryDropAndStoresTheFirst) {
  Tracer tracer;
  PacketEvent drop;
  drop.kind = PacketEventKind::kDropped;
  drop.where = "link/a/up";
  drop.rule = "link.loss";
  for (std::size_t i = 0; i < Tracer::kMaxStoredDrops + 5; ++i) tracer.Emit(drop);
  EXPECT_EQ(tracer.drops().size(), Tracer::kMaxStoredDrops);
  EXPECT_EQ(tracer.drop_counts().at({"link/a/up", "link.loss"}), Tracer::kMaxStoredDrops + 5);
}

TEST(TracerTest, SinkGetsEverythingAndTheLogOnlyDrops) {
  Tracer tracer;
  PacketEventRecorder recorder;
  EXPECT_FALSE(tracer.listening());
  tracer.SetSink(&recorder);
  EXPECT_TRUE(tracer.listening());
  PacketEvent sent;
  tracer.Emit(sent);
  EXPECT_EQ(recorder.events().size(), 1u);
  EXPECT_TRUE(tracer.drops().empty());
}

}  // namespace
}  // namespace rtclab::sim
