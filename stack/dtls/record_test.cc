#include "stack/dtls/record.h"

#include <gtest/gtest.h>

namespace rtclab::dtls {
namespace {

// An application data record of epoch 1, sequence number 0x010203040506, three bytes long.
const Bytes kRecord = *FromHex("17 fefd 0001 010203040506 0003 aabbcc");

TEST(RecordTest, ReadsTheHeader) {
  ByteReader reader(kRecord);
  const auto record = ReadRecord(reader);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->first.type, ContentType::kApplicationData);
  EXPECT_EQ(record->first.version, 0xfefd);
  EXPECT_EQ(record->first.epoch, 1);
  EXPECT_EQ(record->first.sequence, 0x010203040506u);
  EXPECT_EQ(ToHex(record->second), "aabbcc");
  EXPECT_TRUE(reader.empty());
}

TEST(RecordTest, TruncationAtEveryByte) {
  for (std::size_t size = 0; size < kRecord.size(); ++size) {
    ByteReader reader(ByteView(kRecord).first(size));
    EXPECT_FALSE(ReadRecord(reader)) << size;
    EXPECT_EQ(reader.remaining(), size);
  }
}

TEST(RecordTest, WhatIsNoRecord) {
  for (
      const char* hex : {
          "18 fefd 0001 010203040506 0003 aabbcc",  // a content type of DTLS 1.2 has no 24: heartbeats are not used
          "13 fefd 0001 010203040506 0003 aabbcc",  // 19
          "80 fefd 0001 010203040506 0003 aabbcc",  // RTP
          "17 fefc 0001 010203040506 0003 aabbcc",  // DTLS 1.3
          "17 0303 0001 010203040506 0003 aabbcc",  // TLS
      }) {
    ByteReader reader(*FromHex(hex));
    EXPECT_FALSE(Summarize(*FromHex(hex))) << hex;
  }
}

TEST(RecordTest, CountsTheRecordsOfADatagram) {
  Bytes datagram = *FromHex("16 feff 0000 000000000000 0001 00");
  datagram.insert(datagram.end(), kRecord.begin(), kRecord.end());
  datagram.insert(datagram.end(), kRecord.begin(), kRecord.end());
  auto summary = Summarize(datagram);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->records, 3u);
  EXPECT_EQ(summary->application_records, 2u);
  datagram.pop_back();
  summary = Summarize(datagram);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->records, 2u);
}

}  // namespace
}  // namespace rtclab::dtls
