#include "conformance/report/describe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/report/describe_attribute.h"
#include "conformance/report/test_report.h"

namespace rtclab::conformance {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kHead = "2112a442 000102030405060708090a0b";

Lines DescribeHex(std::string_view hex) { return DescribeDatagram(*FromHex(hex)); }
std::string Message(std::string_view type_and_length, std::string_view attributes) {
  return std::string(type_and_length) + std::string(kHead) + std::string(attributes);
}

TEST(DescribeTest, AttributesByNameAndValue) {
  // An Allocate success response with all that is needed to follow an allocation.
  EXPECT_THAT(
      DescribeHex(Message("0103 003c",
                          "0016 0008 0001 e242 5e12a443"  // XOR-RELAYED-ADDRESS
                          "000d 0004 00000258"
                          "0022 0008 0102030405060708"
                          "000c 0004 4001 0000"
                          "0018 0001 80 000000"
                          "802b 0008 0001 0d96 7f000001")),
      ElementsAre("Allocate success response, 80 bytes", "  transaction 000102030405060708090a0b",
                  "  XOR-RELAYED-ADDRESS: 127.0.0.1:50000", "  LIFETIME: 600 s",
                  "  RESERVATION-TOKEN: 0102030405060708", "  CHANNEL-NUMBER: 0x4001",
                  "  EVEN-PORT: reserve the next port", "  RESPONSE-ORIGIN: 127.0.0.1:3478"));
}

TEST(DescribeTest, ErrorCodeStandsInTheFirstLine) {
  const Lines lines = DescribeHex(Message("0113 000c", "0009 0007 00000401 6e6f21 00"));
  EXPECT_EQ(lines[0], "Allocate error response, 401 \"no!\" (registry: Unauthenticated), 32 bytes");
  EXPECT_THAT(lines, Contains("  ERROR-CODE: 401 \"no!\" (registry: Unauthenticated)"));
}

TEST(DescribeTest, ValuesOfEveryForm) {
  const struct {
    stun::AttributeType type;
    std::string_view hex, text;
  } kValues[] = {
      {stun::AttributeType::kUsername, "616c696365", "\"alice\""},
      {stun::AttributeType::kMappedAddress, "0001 0050 c0000201", "192.0.2.1:80"},
      {stun::AttributeType::kLifetime, "0000", "0000 (malformed: 2 bytes, not 4)"},
      {stun::AttributeType::kRequestedTransport, "11000000", "17 (UDP)"},
      {stun::AttributeType::kRequestedTransport, "06000000", "6 (TCP)"},
      {stun::AttributeType::kRequestedAddressFamily, "02000000", "IPv6"},
      {stun::AttributeType::kAdditionalAddressFamily, "07000000", "unknown family 0x07"},
      {stun::AttributeType::kAddressErrorCode, "02000428 41",
       "IPv6 440 \"A\" (registry: Address Family not Supported)"},
      {stun::AttributeType::kErrorCode, "00000464",
       "500 \"\" (registry: Server Error) (not a valid code)"},
      {stun::AttributeType::kUnknownAttributes, "0003 7f01",
       "CHANGE-REQUEST, 0x7f01 (unknown, comprehension-required)"},
      {stun::AttributeType::kUnknownAttributes, "00", "00 (malformed: an odd number of bytes)"},
      {stun::AttributeType::kPasswordAlgorithms, "0002 0000 0001 0000", "SHA-256, MD5"},
      {stun::AttributeType::kPasswordAlgorithm, "0009 0001 ff000000", "unknown 0x0009 with ff"},
      {stun::AttributeType::kPasswordAlgorithms, "0002 0008",
       "00020008 (malformed: an entry does not fit)"},
      {stun::AttributeType::kChangeRequest, "00000006", "change IP and port"},
      {stun::AttributeType::kChangeRequest, "00000000", "change nothing"},
      {stun::AttributeType::kResponsePort, "0d960000", "3478"},
      {stun::AttributeType::kDontFragment, "", "set"},
      {stun::AttributeType::kIcmp, "0000 03 01 00000578", "type 3, code 1, data 0x00000578"},
      {stun::AttributeType::kPadding, "00000000", "4 bytes of zero"},
      {stun::AttributeType::kPadding, "0041", "2 bytes: 0041"},
      {stun::AttributeType::kData, "", "empty"},
      {static_cast<stun::AttributeType>(0xbeef), "01", "01"},
  };
  for (const auto& value : kValues) {
    EXPECT_EQ(DescribeValue(value.type, *FromHex(value.hex), {}), value.text);
  }
}

TEST(DescribeTest, LeakedPaddingAndWhatStandsBehindTheIntegrityShow) {
  const Lines lines =
      DescribeHex(Message("0101 0028",
                          "8022 0001 78 616263"  // one byte of SOFTWARE, padded with "abc"
                          "0008 0014 0000000000000000000000000000000000000000"
                          "000d 0004 00000001"));
  EXPECT_THAT(lines, Contains("  SOFTWARE: \"x\"; padding 616263"));
  EXPECT_THAT(lines, Contains("  LIFETIME: 1 s; behind the integrity attribute"));
}

TEST(DescribeTest, FingerprintIsChecked) {
  EXPECT_THAT(DescribeHex(Message("0001 0008", "8028 0004 00000000")),
              Contains("  FINGERPRINT: 00000000 (WRONG)"));
}

TEST(DescribeTest, FaultIsNamedWithItsOffset) {
  // The second attribute claims 32 bytes and has 4.
  const Lines lines = DescribeHex(Message("0101 0010", "000d 0004 00000258 0009 0020 00000414"));
  EXPECT_EQ(lines[0], "malformed: Binding success response, 36 bytes");
  EXPECT_THAT(lines, Contains("  LIFETIME: 600 s"));
  EXPECT_THAT(lines, Contains(StartsWith("  fault at byte 28: ")));
  EXPECT_THAT(lines, Contains(AllOf(StartsWith("  0010  "), EndsWith("<- fault at byte 28"))));
}

TEST(DescribeTest, OtherPackets) {
  EXPECT_THAT(DescribeHex("40010005 68656c6c6f 000000"),
              ElementsAre("ChannelData on 0x4001, 5 bytes of data and 3 bytes of padding",
                          HasSubstr("68 65 6c 6c 6f")));
  EXPECT_EQ(DescribeHex("40010009 00")[0], "malformed: ChannelData, 5 bytes");
  EXPECT_EQ(DescribeHex("16 fefd 00")[0], "DTLS by its first byte, 4 bytes");
  EXPECT_EQ(DescribeHex("ff 01")[0], "neither STUN nor ChannelData (first byte 0xff), 2 bytes");
  EXPECT_EQ(DescribeHex("00 01")[0], "malformed: 2 bytes that begin like STUN");
  EXPECT_EQ(DescribeHex("")[0], "empty");
  EXPECT_EQ(DescribeHex("0701 0000 2112a442 000102030405060708090a0b")[0],
            "method 0x181 success response, 20 bytes");
  // No magic cookie: a client of RFC 3489.
  EXPECT_EQ(DescribeHex("0001 0000 11111111 000102030405060708090a0b")[0],
            "Binding request, without magic cookie (RFC 3489), 20 bytes");
}

TEST(DescribeTest, EveryTruncationIsALineAndNeverAFaultOfOurs) {
  const Bytes whole = HostileResponse();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Lines lines = DescribeDatagram(ByteView(whole).first(size));
    ASSERT_THAT(lines, Not(IsEmpty()));
    if (size > 0) {
      EXPECT_THAT(lines[0], StartsWith("malformed: ")) << size;
    }
  }
}

TEST(DescribeTest, HostileTextCannotSteerATerminal) {
  for (const std::string& line : DescribeDatagram(HostileResponse())) {
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    EXPECT_EQ(line.find('\xff'), std::string::npos);
    EXPECT_EQ(line.find("\xe2\x80\xae"), std::string::npos);
  }
}

TEST(DescribeTest, StreamsArePulledApart) {
  const std::string request = Message("0001 0000", "");
  // Two messages, ChannelData between them, and the begin of a third.
  EXPECT_THAT(
      DescribeStream(*FromHex(request + "40000001 ff000000" + request + "0001 00")),
      ElementsAre(StartsWith("Binding request"), StartsWith("  transaction"),
                  StartsWith("ChannelData on 0x4000"), HasSubstr("ff"),
                  StartsWith("Binding request"), StartsWith("  transaction"),
                  "incomplete: the first 3 bytes of a STUN message", HasSubstr("00 01 00")));
  EXPECT_THAT(DescribeStream(*FromHex(request + "ff68")),
              Contains("malformed: 2 bytes of the stream that begin no message"));
}

TEST(HexDumpTest, CutsAroundTheFault) {
  const Bytes bytes(1'000, 0x41);
  const Lines head = HexDump(bytes, std::nullopt, 32);
  ASSERT_EQ(head.size(), 3u);
  EXPECT_EQ(head[0], "0000  41 41 41 41 41 41 41 41  41 41 41 41 41 41 41 41  AAAAAAAAAAAAAAAA");
  EXPECT_EQ(head[2], "... 968 bytes more");
  const Lines around = HexDump(bytes, 900, 64);
  EXPECT_THAT(around, Contains(EndsWith("  <- fault at byte 900")));
  EXPECT_THAT(around.front(), StartsWith("... "));
  EXPECT_THAT(HexDump({}), IsEmpty());
}

}  // namespace
}  // namespace rtclab::conformance
