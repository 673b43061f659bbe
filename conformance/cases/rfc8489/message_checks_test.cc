#include "conformance/cases/rfc8489/message_checks.h"

#include <gtest/gtest.h>

#include <string>

#include "stack/stun/message_builder.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;

constexpr MessageCheck kAllMessageChecks[] = {LengthFault,
                                              PaddingFault,
                                              ErrorCodeMissing,
                                              ErrorClassFault,
                                              ErrorReservedFault,
                                              ReasonFault,
                                              SoftwareFault,
                                              FirstByteFault,
                                              FingerprintPlaceFault,
                                              FingerprintValueFault,
                                              UnknownListFault,
                                              RealmNonceSizeFault,
                                              RealmNonceGrammarFault,
                                              AlgorithmsFault};

Bytes HexMessage(std::string_view text) { return *FromHex(text); }

// A 420 as a good server sends it.
Bytes GoodMessage() {
  const AttributeType unknown[] = {static_cast<AttributeType>(0x7ffe)};
  const uint8_t algorithms[] = {0, 2, 0, 0, 0, 1, 0, 0};
  return stun::MessageBuilder(stun::MessageClass::kErrorResponse, stun::Method::kAllocate,
                              stun::TransactionId{1})
      .AddErrorCode(420)
      .AddUnknownAttributes(unknown)
      .AddString(AttributeType::kRealm, "example.org")
      .AddString(AttributeType::kNonce, "obMatJos2wAAAabc")
      .AddBytes(AttributeType::kPasswordAlgorithms, algorithms)
      .AddString(AttributeType::kSoftware, "v\u00e4lue")
      .AddFingerprint()
      .Build();
}

TEST(MessageChecksTest, GoodMessageHasNoFault) {
  const Bytes good = GoodMessage();
  const auto message = ReadLeniently(good);
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->whole);
  EXPECT_EQ(message->attributes.size(), 7u);
  for (const MessageCheck check : kAllMessageChecks) {
    EXPECT_EQ(check(*message, good), std::nullopt);
  }
}

struct FaultyMessage {
  const char* name;
  MessageCheck check;
  const char* body;  // behind a header of type 0x0111
  const char* says;  // part of the fault
};

class MessageFaultTest : public testing::TestWithParam<FaultyMessage> {};

TEST_P(MessageFaultTest, IsFound) {
  Bytes bytes = HexMessage("0111 0000 2112a442 000102030405060708090a0b");
  const Bytes body = HexMessage(GetParam().body);
  bytes.insert(bytes.end(), body.begin(), body.end());
  StoreU16(bytes.data() + 2, static_cast<uint16_t>(body.size()));
  const auto fault = GetParam().check(*ReadLeniently(bytes), bytes);
  ASSERT_TRUE(fault);
  EXPECT_NE(fault->find(GetParam().says), std::string::npos) << *fault;
}

INSTANTIATE_TEST_SUITE_P(
    All, MessageFaultTest,
    testing::Values(
        FaultyMessage{"Padding", PaddingFault, "80220005 6162636465 000020", "000020"},
        FaultyMessage{"NotWhole", LengthFault, "80220008 61626364", "don't end"},
        FaultyMessage{"OddLength", LengthFault, "80220000 00", "multiple of 4"},
        FaultyMessage{"NoErrorCode", ErrorCodeMissing, "80220000", "without ERROR-CODE"},
        FaultyMessage{"ShortErrorCode", ErrorCodeMissing, "00090002 04010000", "2 bytes"},
        FaultyMessage{"Class", ErrorClassFault, "00090004 00000701", "class 7"},
        FaultyMessage{"Number", ErrorClassFault, "00090004 00000464", "number 100"},
        FaultyMessage{"Reserved", ErrorReservedFault, "00090004 00010401", "00010401"},
        FaultyMessage{"ReservedLow", ErrorReservedFault, "00090004 00000c01", "00000c01"},
        FaultyMessage{"ReasonNotUtf8", ReasonFault, "00090006 00000401 c3280000", "not UTF-8"},
        FaultyMessage{"SoftwareOverlong", SoftwareFault, "80220002 c0af0000", "not UTF-8"},
        FaultyMessage{"SoftwareSurrogate", SoftwareFault, "80220003 eda08000", "not UTF-8"},
        FaultyMessage{"FirstByte", FirstByteFault, "00200008 0101211372 12a443", "0x01"},
        FaultyMessage{"FingerprintNotLast", FingerprintPlaceFault, "80280004 00000000 80220000",
                      "follows"},
        FaultyMessage{"FingerprintWrong", FingerprintValueFault, "80280004 01020304", "0x01020304"},
        FaultyMessage{"UnknownListInA401", UnknownListFault, "00090004 00000401 000a0002 7ffe0000",
                      "no 420"},
        FaultyMessage{"QuotedRealm", RealmNonceGrammarFault, "00140003 22612200", "double quote"},
        FaultyMessage{"NonceWithNul", RealmNonceGrammarFault, "00150004 61620000", "0x00"},
        FaultyMessage{"LoneBackslash", RealmNonceGrammarFault, "00150001 5c000000", "backslash"},
        FaultyMessage{"NoAlgorithms", AlgorithmsFault, "80020000", "nothing"},
        FaultyMessage{"AlgorithmCut", AlgorithmsFault, "80020002 00020000", "within"},
        FaultyMessage{"ParametersTooLong", AlgorithmsFault, "80020004 00020008", "past"}),
    [](const auto& tested) { return tested.param.name; });

TEST(MessageChecksTest, TextOf128CharactersIsTooLong) {
  for (const std::size_t count : {127U, 128U}) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += "\u00e4";
    const Bytes bytes = stun::MessageBuilder(stun::MessageClass::kErrorResponse,
                                             stun::Method::kBinding, stun::TransactionId{})
                            .AddString(AttributeType::kRealm, text)
                            .Build();
    EXPECT_EQ(RealmNonceSizeFault(*ReadLeniently(bytes), bytes).has_value(), count == 128);
  }
}

TEST(MessageChecksTest, EveryTruncationIsRead) {
  const Bytes good = GoodMessage();
  for (std::size_t size = 0; size < good.size(); ++size) {
    const Bytes bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    const auto message = ReadLeniently(bytes);
    ASSERT_EQ(message.has_value(), size >= 20);
    if (!message) continue;
    EXPECT_TRUE(LengthFault(*message, bytes)) << size;
    for (const MessageCheck check : kAllMessageChecks) check(*message, bytes);
  }
}

TEST(MessageChecksTest, CharactersAreCounted) {
  EXPECT_EQ(Utf8Characters(AsBytes("")), 0u);
  EXPECT_EQ(Utf8Characters(AsBytes("a\u00e4\u6c34\U0001f600")), 4u);
  EXPECT_EQ(Utf8Characters(AsBytes("\xf4\x90\x80\x80")), std::nullopt);  // beyond U+10FFFF
  EXPECT_EQ(Utf8Characters(AsBytes("\xe6\xb0")), std::nullopt);          // cut
}

}  // namespace
}  // namespace rtclab::conformance
