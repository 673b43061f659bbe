#include "stack/datachannel/dcep.h"

#include <gtest/gtest.h>

namespace rtclab::datachannel {
namespace {

// What an ordered, reliable channel "chat" with protocol "p1" and normal priority looks like.
const Bytes kOpenWire = {0x03, 0x00, 0x01, 0x00, 0,   0,   0,   0,   0,
                         4,    0,    2,    'c',  'h', 'a', 't', 'p', '1'};

DataChannelOpen OpenOf(ByteView wire) {
  const auto message = ParseDcep(wire);
  EXPECT_TRUE(message) << (message ? "" : message.error().reason);
  return message ? std::get<DataChannelOpen>(*message) : DataChannelOpen{};
}

TEST(DcepTest, ReadsOpen) {
  const DataChannelOpen open = OpenOf(kOpenWire);
  EXPECT_EQ(open.reliability, Reliability::kReliable);
  EXPECT_TRUE(open.ordered);
  EXPECT_EQ(open.priority, 256);
  EXPECT_EQ(open.label, "chat");
  EXPECT_EQ(open.protocol, "p1");
}

TEST(DcepTest, ReadsAck) {
  const auto message = ParseDcep(Bytes{0x02});
  ASSERT_TRUE(message);
  EXPECT_TRUE(std::holds_alternative<DataChannelAck>(*message));
}

struct ChannelTypeCase {
  uint8_t wire;
  Reliability reliability;
  bool ordered;
  uint32_t parameter;  // as read; 0x01020304 is sent
};

TEST(DcepTest, ReadsAndWritesEveryChannelType) {
  const ChannelTypeCase cases[] = {
      {0x00, Reliability::kReliable, true, 0},
      {0x80, Reliability::kReliable, false, 0},
      {0x01, Reliability::kMaxRetransmits, true, 0x01020304},
      {0x81, Reliability::kMaxRetransmits, false, 0x01020304},
      {0x02, Reliability::kTimed, true, 0x01020304},
      {0x82, Reliability::kTimed, false, 0x01020304},
  };
  for (const ChannelTypeCase& c : cases) {
    Bytes wire = {0x03, c.wire, 2, 0, 1, 2, 3, 4, 0, 0, 0, 0};
    const DataChannelOpen open = OpenOf(wire);
    EXPECT_EQ(open.reliability, c.reliability) << int{c.wire};
    EXPECT_EQ(open.ordered, c.ordered) << int{c.wire};
    EXPECT_EQ(open.reliability_parameter, c.parameter) << int{c.wire};
    EXPECT_EQ(open.priority, 512);
    // RFC 8832 section 5.1: a reliable channel's parameter is sent as 0.
    if (c.parameter == 0) StoreU32(wire.data() + 4, 0);
    EXPECT_EQ(BuildDcep(open), wire) << int{c.wire};
  }
}

TEST(DcepTest, RefusesUnassignedTypes) {
  for (int type = 0; type < 256; ++type) {
    Bytes wire = kOpenWire;
    wire[1] = static_cast<uint8_t>(type);
    EXPECT_EQ(ParseDcep(wire).has_value(), (type & 0x7F) <= 2) << type;
    wire = kOpenWire;
    wire[0] = static_cast<uint8_t>(type);
    EXPECT_EQ(ParseDcep(wire).has_value(), type == 2 || type == 3) << type;
  }
}

TEST(DcepTest, RefusesTruncationAtEveryByteAndTrailingBytes) {
  for (std::size_t size = 0; size < kOpenWire.size(); ++size) {
    EXPECT_FALSE(ParseDcep(ByteView(kOpenWire).first(size))) << size;
  }
  Bytes longer = kOpenWire;
  longer.push_back(0);
  EXPECT_FALSE(ParseDcep(longer));
}

TEST(DcepTest, TakesTheLongestLabelAndProtocol) {
  DataChannelOpen open;
  open.label = std::string(65535, 'l');
  open.protocol = std::string(65535, 'p');
  const Bytes wire = BuildDcep(open);
  EXPECT_EQ(wire.size(), 12u + 2 * 65535u);
  EXPECT_EQ(OpenOf(wire), open);
}

TEST(DcepTest, RefusesWhatIsNotUtf8) {
  Bytes wire = {0x03, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 'a', 'b'};
  EXPECT_TRUE(ParseDcep(wire));
  wire[12] = 0xFF;
  ASSERT_FALSE(ParseDcep(wire));
  EXPECT_EQ(ParseDcep(wire).error().offset, 12u);
  wire[12] = 'a';
  wire[13] = 0x80;
  ASSERT_FALSE(ParseDcep(wire));
  EXPECT_EQ(ParseDcep(wire).error().offset, 13u);
}

TEST(Utf8Test, KnowsWellFormedFromIllFormed) {
  const std::pair<std::string_view, bool> cases[] = {
      {"", true},
      {"caf\xC3\xA9", true},
      {"\xE2\x82\xAC", true},
      {"\xED\x9F\xBF", true},
      {"\xF0\x9F\x98\x80", true},
      {"\xF4\x8F\xBF\xBF", true},
      {"\x80", false},              // a continuation byte alone
      {"\xC3", false},              // cut off
      {"\xC0\x80", false},          // overlong
      {"\xE0\x9F\xBF", false},      // overlong
      {"\xED\xA0\x80", false},      // surrogate
      {"\xF0\x8F\xBF\xBF", false},  // overlong
      {"\xF4\x90\x80\x80", false},  // beyond U+10FFFF
      {"\xF5\x80\x80\x80", false},  // beyond U+10FFFF
      {"\xE2\x82z", false},         // broken off by another character
  };
  for (const auto& [text, good] : cases) EXPECT_EQ(IsUtf8(text), good) << ToHex(AsBytes(text));
}

}  // namespace
}  // namespace rtclab::datachannel
