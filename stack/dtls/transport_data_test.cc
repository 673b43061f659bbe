// Application data, closing, replays and garbage on a connected transport.
#include <gtest/gtest.h>

#include "stack/dtls/dtls_test_util.h"

namespace rtclab::dtls {
namespace {

Bytes Message(std::size_t size, uint8_t seed = 0) {
  Bytes message(size);
  for (std::size_t i = 0; i < size; ++i) message[i] = static_cast<uint8_t>(i * 31 + seed);
  return message;
}

TEST(TransportDataTest, RecordsArriveWholeInBothDirections) {
  TestPair pair;
  ASSERT_TRUE(pair.Connect());
  std::vector<Bytes> sent;
  for (const std::size_t size : {1u, 2u, 100u, 1'191u, 2'048u}) {
    sent.push_back(Message(size));
    EXPECT_TRUE(pair.client->Send(pair.now, sent.back()));
    EXPECT_TRUE(pair.server->Send(pair.now, sent.back()));
  }
  const std::size_t before = pair.sent.size();
  pair.RunIdle();
  EXPECT_EQ(pair.server_record.data, sent);
  EXPECT_EQ(pair.client_record.data, sent);
  // One datagram each, 37 bytes longer: header 13, explicit nonce 8, tag 16 (RFC 5288).
  ASSERT_EQ(pair.sent.size(), before + 10);
  EXPECT_EQ(pair.sent[before].datagram.size(), 1u + 37);
  EXPECT_EQ(pair.sent[before + 4].datagram.size(), 2'048u + 37);
}

TEST(TransportDataTest, SizesOutsideTheLimitsAreRefused) {
  TestPair pair;
  ASSERT_TRUE(pair.Connect());
  EXPECT_FALSE(pair.client->Send(pair.now, {}));
  EXPECT_FALSE(pair.client->Send(pair.now, Message(2'049)));
  EXPECT_FALSE(pair.client->PollTransmit());
  TestPair::Options options;
  options.client.max_data_size = 100'000;
  TestPair large(options);
  ASSERT_TRUE(large.Connect());
  EXPECT_FALSE(large.client->Send(large.now, Message(16'385)));
  EXPECT_TRUE(large.client->Send(large.now, Message(16'384)));
  large.RunIdle();
  EXPECT_EQ(large.server_record.data, std::vector<Bytes>{Message(16'384)});
}

TEST(TransportDataTest, SeveralRecordsInOneDatagram) {
  TestPair pair;
  ASSERT_TRUE(pair.Connect());
  Bytes joined;
  for (uint8_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(pair.client->Send(pair.now, Message(50, i)));
    const Bytes datagram = *pair.client->PollTransmit();
    joined.insert(joined.end(), datagram.begin(), datagram.end());
  }
  pair.server->HandlePacket(pair.now, joined);
  pair.Drain();
  EXPECT_EQ(pair.server_record.data,
            (std::vector<Bytes>{Message(50, 0), Message(50, 1), Message(50, 2)}));
}

TEST(TransportDataTest, ReplaysForgeriesAndOldRecordsAreDiscarded) {
  TestPair pair;
  ASSERT_TRUE(pair.Connect());
  std::vector<Bytes> datagrams;
  for (uint8_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(pair.client->Send(pair.now, Message(20, i)));
    datagrams.push_back(*pair.client->PollTransmit());
  }
  const auto deliver = [&](ByteView datagram) {
    const auto before = pair.server_record.data.size();
    pair.server->HandlePacket(pair.now, datagram);
    pair.Drain();
    return pair.server_record.data.size() - before;
  };
  EXPECT_EQ(deliver(datagrams[50]), 1u);
  EXPECT_EQ(deliver(datagrams[50]), 0u);  // again
  EXPECT_EQ(deliver(datagrams[40]),
            1u);  // late, within the window of 64 (RFC 6347 section 4.1.2.6)
  EXPECT_EQ(deliver(datagrams[99]), 1u);
  EXPECT_EQ(deliver(datagrams[10]), 0u);  // before the window
  Bytes forged = datagrams[70];
  forged.back() ^= 1;
  EXPECT_EQ(deliver(forged), 0u);
  EXPECT_EQ(deliver(datagrams[70]), 1u);  // the forgery has not used it up
  EXPECT_EQ(pair.server->counters().discarded_records, 3u);
  EXPECT_EQ(pair.server->state(), TransportState::kConnected);
}

TEST(TransportDataTest, GarbageIsIgnoredAndCounted) {
  TestPair pair;
  ASSERT_TRUE(pair.Connect());
  const auto before = pair.server->counters().ignored_datagrams;
  Rng rng(4);
  int sent = 0;
  for (int i = 0; i < 2'000; ++i) {
    Bytes garbage(rng.Uniform(0, 100));
    rng.Fill(garbage);
    // Every third looks like DTLS at its beginning.
    if (i % 3 == 0 && garbage.size() > 3) {
      garbage[0] = static_cast<uint8_t>(20 + i % 4);
      garbage[1] = 0xfe;
      garbage[2] = 0xfd;
    }
    pair.server->HandlePacket(pair.now, garbage);
    ++sent;
  }
  EXPECT_GT(pair.server->counters().ignored_datagrams - before, 1'300u);
  EXPECT_TRUE(pair.client->Send(pair.now, Message(10)));
  pair.RunIdle();
  EXPECT_EQ(pair.server_record.data.size(), 1u);
  EXPECT_EQ(pair.server->state(), TransportState::kConnected);
}

// Plaintext alerts and handshake messages after the handshake come from anybody.
TEST(TransportDataTest, PlaintextAfterTheHandshakeChangesNothing) {
  TestPair pair;
  ASSERT_TRUE(pair.Connect());
  for (const char* hex : {
           "15 fefd 0000 000000000900 0002 0228",                      // fatal handshake_failure
           "15 fefd 0000 000000000901 0002 0100",                      // close_notify
           "16 fefd 0000 000000000902 000c 010000000000000000000000",  // an empty ClientHello
           "14 fefd 0000 000000000903 0001 01",                        // ChangeCipherSpec
           "17 fefd 0000 000000000904 0003 414243",                    // data in the clear
           "17 fefd 0002 000000000904 0003 414243",  // data of an epoch that never was
       }) {
    pair.server->HandlePacket(pair.now, *FromHex(hex));
    pair.client->HandlePacket(pair.now, *FromHex(hex));
  }
  pair.Drain();
  EXPECT_FALSE(pair.server_record.failed);
  EXPECT_FALSE(pair.client_record.closed);
  EXPECT_TRUE(pair.client->Send(pair.now, Message(10)));
  EXPECT_TRUE(pair.server->Send(pair.now, Message(10)));
  pair.RunIdle();
  EXPECT_EQ(pair.server_record.data, std::vector<Bytes>{Message(10)});
  EXPECT_EQ(pair.client_record.data, std::vector<Bytes>{Message(10)});
}

TEST(TransportDataTest, CloseTellsThePeer) {
  for (const bool by_client : {true, false}) {
    TestPair pair;
    ASSERT_TRUE(pair.Connect());
    Transport& closing = by_client ? *pair.client : *pair.server;
    EXPECT_TRUE(closing.Send(pair.now, Message(10)));
    closing.Close(pair.now);
    EXPECT_FALSE(closing.Send(pair.now, Message(10)));
    closing.Close(pair.now);
    pair.RunIdle();
    const EndRecord& near = by_client ? pair.client_record : pair.server_record;
    const EndRecord& far = by_client ? pair.server_record : pair.client_record;
    ASSERT_TRUE(near.closed);
    EXPECT_FALSE(near.closed->by_peer);
    ASSERT_TRUE(far.closed);
    EXPECT_TRUE(far.closed->by_peer);
    EXPECT_EQ(far.data.size(), 1u);  // what was sent before still arrives
    EXPECT_EQ(pair.client->state(), TransportState::kClosed);
    EXPECT_EQ(pair.server->state(), TransportState::kClosed);
    EXPECT_TRUE(pair.client->NextTimeout().IsInfinite());
  }
}

TEST(TransportDataTest, CloseBeforeStartOrConnection) {
  TestPair pair;
  pair.client->Close(pair.now);
  EXPECT_EQ(pair.client->state(), TransportState::kClosed);
  pair.client->Start(pair.now);
  EXPECT_FALSE(pair.client->PollTransmit());
  pair.server->Start(pair.now);
  pair.server->Close(pair.now);
  pair.RunIdle();
  EXPECT_TRUE(pair.client_record.closed && pair.server_record.closed);
  EXPECT_TRUE(pair.server->NextTimeout().IsInfinite());
}

}  // namespace
}  // namespace rtclab::dtls
