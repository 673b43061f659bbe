// The codec: raw bytes in, and messages of our own out and in again.
#include "stack/stun/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "stack/stun/message_builder.h"
#include "stack/stun/test_vectors.h"

namespace rtclab::stun {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr TransactionId kId = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

// A header for `body` bytes of attributes, a Binding request, written by hand.
Bytes Message(std::string_view body_hex) {
  const Bytes body = *FromHex(body_hex);
  Bytes out = *FromHex("0001 0000 2112a442 0102030405060708090a0b0c");
  StoreU16(out.data() + 2, static_cast<uint16_t>(body.size()));
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

TEST(MessageTypeTest, EveryClassAndMethodSurvives) {
  for (int c = 0; c < 4; ++c) {
    for (int m = 0; m < 0x1000; ++m) {
      const uint16_t type = EncodeMessageType(static_cast<MessageClass>(c), static_cast<Method>(m));
      ASSERT_EQ(type & 0xc000, 0);
      ASSERT_EQ(static_cast<int>(DecodeMessageClass(type)), c);
      ASSERT_EQ(static_cast<int>(DecodeMethod(type)), m);
    }
  }
  // RFC 8489 section 5's examples: Binding request, indication, success and error response.
  EXPECT_EQ(EncodeMessageType(MessageClass::kRequest, Method::kBinding), 0x0001);
  EXPECT_EQ(EncodeMessageType(MessageClass::kIndication, Method::kBinding), 0x0011);
  EXPECT_EQ(EncodeMessageType(MessageClass::kSuccessResponse, Method::kBinding), 0x0101);
  EXPECT_EQ(EncodeMessageType(MessageClass::kErrorResponse, Method::kBinding), 0x0111);
}

TEST(MessageViewTest, TruncationAtEveryByteIsRejected) {
  for (const std::string_view vector :
       {vectors::kRequest, vectors::kResponseV4, vectors::kResponseV6, vectors::kLongTermRequest}) {
    const Bytes bytes = *FromHex(vector);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(MessageView::Parse(ByteView(bytes).first(size))) << size;
      if (size < kHeaderSize || size % 4 != 0) continue;
      // The same with a length field that agrees with what is left: never read beyond, and never valid.
      Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      StoreU16(cut.data() + 2, static_cast<uint16_t>(size - kHeaderSize));
      const auto view = MessageView::Parse(cut);
      if (view) {
        EXPECT_FALSE(view->VerifyFingerprint()) << size;
      }
    }
  }
}

TEST(MessageViewTest, BadHeadersAreRejectedWithTheirOffset) {
  Bytes bytes = *FromHex(vectors::kRequest);
  const auto offset_of_failure = [](Bytes b, std::size_t at, uint8_t value) {
    b[at] = value;
    const auto view = MessageView::Parse(b);
    return view ? std::size_t{9999} : view.error().offset;
  };
  EXPECT_EQ(offset_of_failure(bytes, 0, 0x40), 0u);
  EXPECT_EQ(offset_of_failure(bytes, 0, 0x80), 0u);
  EXPECT_EQ(offset_of_failure(bytes, 3, 0x57), 2u);
  EXPECT_EQ(offset_of_failure(bytes, 3, 0x54), 2u);
  EXPECT_EQ(offset_of_failure(bytes, 3, 0x5c), 2u);
  EXPECT_EQ(offset_of_failure(bytes, 7, 0x43), 4u);
  EXPECT_EQ(offset_of_failure(bytes, 23, 0xff), 20u);  // SOFTWARE longer than the message
  bytes.push_back(0);
  EXPECT_FALSE(MessageView::Parse(bytes));
}

TEST(MessageViewTest, EverySingleBitFlipBreaksIntegrityOrFingerprint) {
  const IntegrityKey key = IntegrityKey::ShortTerm(vectors::kShortTermPassword);
  Bytes bytes = *FromHex(vectors::kRequest);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    const auto view = MessageView::Parse(bytes);
    if (view) {
      EXPECT_FALSE(view->VerifyFingerprint()) << bit;
      const bool after_integrity = bit / 8 >= bytes.size() - 8;
      EXPECT_EQ(view->VerifyIntegrity(key), after_integrity) << bit;
    }
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  }
}

TEST(MessageViewTest, AttributesAfterIntegrityAreIgnored) {
  // MESSAGE-INTEGRITY (any 20 bytes), then USERNAME "abcd", USE-CANDIDATE, then FINGERPRINT.
  const std::string mac(40, '0');
  const Bytes bytes = Message("0024 0004 00000001 0008 0014" + mac +
                              "0006 0004 61626364 0025 0000 8028 0004 00000000");
  const auto view = MessageView::Parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->Has(AttributeType::kPriority));
  EXPECT_FALSE(view->Has(AttributeType::kUsername));
  EXPECT_FALSE(view->Has(AttributeType::kUseCandidate));
  EXPECT_TRUE(view->HasIntegrity());
  EXPECT_TRUE(view->HasFingerprint());
  EXPECT_THAT(view->UnknownRequired({}), ElementsAre(AttributeType::kPriority));
  int ordinary = 0;
  for (const AttributeView attribute : view->attributes()) {
    EXPECT_EQ(attribute.offset, kHeaderSize);
    ++ordinary;
  }
  EXPECT_EQ(ordinary, 1);
}

TEST(MessageViewTest, IntegritySha256MayFollowIntegrity) {
  const IntegrityKey key = IntegrityKey::ShortTerm("secret");
  const Bytes bytes = MessageBuilder(MessageClass::kRequest, Method::kBinding, kId)
                          .AddString(AttributeType::kUsername, "u")
                          .AddMessageIntegrity(key)
                          .AddMessageIntegritySha256(key)
                          .AddFingerprint()
                          .Build();
  const auto view = MessageView::Parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->VerifyIntegrity(key));
  EXPECT_TRUE(view->VerifyIntegritySha256(key));
  EXPECT_TRUE(view->VerifyFingerprint());
  EXPECT_FALSE(view->VerifyIntegrity(IntegrityKey::ShortTerm("Secret")));
  EXPECT_FALSE(view->VerifyIntegritySha256(IntegrityKey::ShortTerm("Secret")));
}

TEST(MessageViewTest, FingerprintMustBeTheLastAttribute) {
  Bytes bytes =
      MessageBuilder(MessageClass::kRequest, Method::kBinding, kId).AddFingerprint().Build();
  EXPECT_TRUE(MessageView::Parse(bytes)->VerifyFingerprint());
  const Bytes more = *FromHex("0025 0000");
  bytes.insert(bytes.end(), more.begin(), more.end());
  bytes[3] = static_cast<uint8_t>(bytes[3] + 4);
  const auto view = MessageView::Parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->HasFingerprint());
  EXPECT_FALSE(view->VerifyFingerprint());
  EXPECT_FALSE(view->Has(AttributeType::kUseCandidate));
}

// RFC 8489 section 14.6: 16 to 32 bytes, a multiple of 4, and shorter than 32 only where the usage says so.
TEST(MessageViewTest, Sha256TruncationRules) {
  const IntegrityKey key = IntegrityKey::ShortTerm("secret");
  for (std::size_t size = 16; size <= 32; size += 4) {
    const Bytes bytes = MessageBuilder(MessageClass::kRequest, Method::kBinding, kId)
                            .AddMessageIntegritySha256(key, size)
                            .Build();
    const auto view = MessageView::Parse(bytes);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->VerifyIntegritySha256(key), size == 32) << size;
    EXPECT_TRUE(view->VerifyIntegritySha256(key, 16)) << size;
    EXPECT_EQ(view->VerifyIntegritySha256(key, 24), size >= 24) << size;
  }
  // Every other size with the right bytes in it is refused: the HMAC is made by hand here.
  for (std::size_t size = 0; size <= 40; ++size) {
    if (size >= 16 && size <= 32 && size % 4 == 0) continue;
    const std::size_t padded = (size + 3) / 4 * 4;
    Bytes bytes = *FromHex("0001 0000 2112a442 0102030405060708090a0b0c 001c 0000");
    StoreU16(bytes.data() + 2, static_cast<uint16_t>(4 + padded));
    StoreU16(bytes.data() + 22, static_cast<uint16_t>(size));
    // As a reader would compute it that took the size as it is.
    Bytes covered(bytes.begin(), bytes.begin() + 20);
    StoreU16(covered.data() + 2, static_cast<uint16_t>(4 + size));
    const auto mac = key.sha256().Compute(covered);
    for (std::size_t i = 0; i < padded; ++i) bytes.push_back(i < size && i < 32 ? mac[i] : 0);
    const auto view = MessageView::Parse(bytes);
    ASSERT_TRUE(view) << size;
    EXPECT_FALSE(view->VerifyIntegritySha256(key, 16)) << size;
  }
}

TEST(MessageViewTest, IntegrityOfAnotherSizeIsRefused) {
  const IntegrityKey key = IntegrityKey::ShortTerm("secret");
  const Bytes bytes = Message("0008 0010 00000000000000000000000000000000");
  const auto view = MessageView::Parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->HasIntegrity());
  EXPECT_FALSE(view->VerifyIntegrity(key));
}

TEST(MessageViewTest, FirstOccurrenceWins) {
  const Bytes bytes = Message("0024 0004 00000001 0024 0004 00000002");
  EXPECT_EQ(MessageView::Parse(bytes)->GetU32(AttributeType::kPriority), 1u);
}

TEST(MessageViewTest, RepeatedIntegrityDoesNotReplaceTheFirst) {
  const IntegrityKey key = IntegrityKey::ShortTerm("secret");
  Bytes bytes = MessageBuilder(MessageClass::kRequest, Method::kBinding, kId)
                    .AddMessageIntegrity(key)
                    .Build();
  const Bytes second = *FromHex("0008 0014 0000000000000000000000000000000000000000");
  bytes.insert(bytes.end(), second.begin(), second.end());
  bytes[3] = static_cast<uint8_t>(bytes[3] + 24);
  EXPECT_TRUE(MessageView::Parse(bytes)->VerifyIntegrity(key));
}

TEST(MessageViewTest, MalformedAddressesAreNotRead) {
  for (const char* body : {
           "0001 0000",                                            // empty
           "0001 0004 00010d96",                                   // no address
           "0001 0008 00030d96 c0000201",                          // family 3
           "0001 0008 00020d96 c0000201",                          // IPv6 with 4 bytes
           "0001 000c 00010d96 c0000201 00000000",                 // IPv4 with 8 bytes
           "0001 0014 00010d96 00000000000000000000000000000001",  // IPv4 with 16 bytes
           "0001 0010 00020d96 000000000000000000000001",          // IPv6 with 12 bytes
           "0001 0007 00010d96 c0000200",                          // IPv4 with 3 bytes
       }) {
    const Bytes bytes = Message(body);
    const auto view = MessageView::Parse(bytes);
    ASSERT_TRUE(view) << body;
    EXPECT_TRUE(view->Has(AttributeType::kMappedAddress));
    EXPECT_FALSE(view->GetAddress(AttributeType::kMappedAddress)) << body;
    EXPECT_FALSE(view->GetXorAddress(AttributeType::kMappedAddress)) << body;
    EXPECT_FALSE(view->GetAddresses(AttributeType::kMappedAddress)) << body;
  }
  // RFC 8489 section 14.1: the first 8 bits are ignored by receivers.
  const Bytes odd = Message("0001 0008 ff010d96 c0000201");
  EXPECT_EQ(MessageView::Parse(odd)->GetAddress(AttributeType::kMappedAddress),
            TransportAddress::Parse("192.0.2.1:3478"));
}

TEST(MessageViewTest, MalformedErrorCodesAreNotRead) {
  for (const char* body : {"0009 0000", "0009 0003 00000400", "0009 0004 00000200",
                           "0009 0004 00000700", "0009 0004 00000464"}) {
    const Bytes bytes = Message(body);
    const auto view = MessageView::Parse(bytes);
    ASSERT_TRUE(view) << body;
    EXPECT_FALSE(view->GetErrorCode()) << body;
  }
  const Bytes bytes = Message("0009 0006 fffffc01 4e6f 0000");  // reserved bits set
  const auto code = MessageView::Parse(bytes)->GetErrorCode();
  ASSERT_TRUE(code);
  EXPECT_EQ(*code, (ErrorCode{401, "No"}));
}

TEST(MessageViewTest, ScalarsMustHaveTheirSize) {
  const Bytes bytes = Message("0024 0003 00000100 8029 0004 00000001 0019 0004 11000000");
  const auto view = MessageView::Parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_FALSE(view->GetU32(AttributeType::kPriority));
  EXPECT_FALSE(view->GetU64(AttributeType::kIceControlled));
  EXPECT_FALSE(view->GetU8(AttributeType::kRequestedTransport));
  EXPECT_FALSE(view->GetU16(AttributeType::kRequestedTransport));
  EXPECT_EQ(view->GetU32(AttributeType::kRequestedTransport), 0x11000000u);
  EXPECT_FALSE(view->GetU32(AttributeType::kLifetime));
}

TEST(MessageViewTest, MalformedPasswordAlgorithmsAreNotRead) {
  for (const char* body :
       {"8002 0000", "8002 0003 00010000", "8002 0004 00010004", "8002 0006 0001 0000 0002 0000"}) {
    const Bytes bytes = Message(body);
    const auto view = MessageView::Parse(bytes);
    ASSERT_TRUE(view) << body;
    EXPECT_FALSE(view->GetPasswordAlgorithms()) << body;
  }
  const Bytes two = Message("001d 0008 00010000 00020000");
  EXPECT_FALSE(MessageView::Parse(two)->GetPasswordAlgorithm());
  const Bytes with_parameters = Message("8002 000c 0003 0003 aabbcc00 00020000");
  const auto list = MessageView::Parse(with_parameters)->GetPasswordAlgorithms();
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ(ToHex((*list)[0].parameters), "aabbcc");
  EXPECT_EQ((*list)[1].algorithm, PasswordAlgorithm::kSha256);
}

TEST(MessageViewTest, UnknownRequiredNamesEachOnce) {
  const Bytes bytes = Message("7fff 0000 0003 0004 00000006 7fff 0000 8fff 0000 0006 0000");
  const AttributeType known[] = {AttributeType::kUsername};
  EXPECT_THAT(MessageView::Parse(bytes)->UnknownRequired(known),
              ElementsAre(static_cast<AttributeType>(0x7fff), AttributeType::kChangeRequest));
}

TEST(MessageViewTest, ClassicMessagesNeedTheirOwnParser) {
  Bytes bytes = Message("");
  StoreU32(bytes.data() + 4, 0x01020304);
  EXPECT_FALSE(MessageView::Parse(bytes));
  const auto view = MessageView::ParseClassic(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->cookie(), 0x01020304u);
}

TEST(MessageBuilderTest, EveryKindOfAttributeSurvives) {
  const auto v4 = *TransportAddress::Parse("192.0.2.7:4000");
  const auto v6 = *TransportAddress::Parse("[2001:db8::7]:5000");
  const AttributeType unknown[] = {AttributeType::kPadding, AttributeType::kData,
                                   AttributeType::kLifetime};
  const PasswordAlgorithm algorithms[] = {PasswordAlgorithm::kSha256, PasswordAlgorithm::kMd5};
  const Bytes bytes = MessageBuilder(MessageClass::kErrorResponse, Method::kAllocate, kId)
                          .AddAddress(AttributeType::kAlternateServer, v4)
                          .AddAddress(AttributeType::kAlternateServer, v6)
                          .AddXorAddress(AttributeType::kXorPeerAddress, v4)
                          .AddXorAddress(AttributeType::kXorPeerAddress, v6)
                          .AddFlag(AttributeType::kUseCandidate)
                          .AddU8(AttributeType::kEvenPort, 0x80)
                          .AddU16(AttributeType::kResponsePort, 9)
                          .AddU32(AttributeType::kLifetime, 600)
                          .AddU64(AttributeType::kIceControlling, 0x0123456789abcdef)
                          .AddString(AttributeType::kRealm, "realm")
                          .AddBytes(AttributeType::kData, AsBytes("xyz"))
                          .AddErrorCode(420)
                          .AddChangeRequest({true, false})
                          .AddUnknownAttributes(unknown)
                          .AddPasswordAlgorithm(PasswordAlgorithm::kSha256)
                          .AddPasswordAlgorithms(algorithms)
                          .AddPadding(5)
                          .Build();
  const auto view = MessageView::Parse(bytes);
  ASSERT_TRUE(view) << view.error().reason;
  EXPECT_EQ(view->method(), Method::kAllocate);
  EXPECT_EQ(view->message_class(), MessageClass::kErrorResponse);
  EXPECT_EQ(view->transaction_id(), kId);
  EXPECT_THAT(*view->GetAddresses(AttributeType::kAlternateServer), ElementsAre(v4, v6));
  EXPECT_THAT(*view->GetXorAddresses(AttributeType::kXorPeerAddress), ElementsAre(v4, v6));
  EXPECT_EQ(view->Find(AttributeType::kUseCandidate)->size(), 0u);
  EXPECT_EQ(view->GetU8(AttributeType::kEvenPort), 0x80);
  EXPECT_EQ(view->GetU16(AttributeType::kResponsePort), 9);
  EXPECT_EQ(view->GetU32(AttributeType::kLifetime), 600u);
  EXPECT_EQ(view->GetU64(AttributeType::kIceControlling), 0x0123456789abcdefu);
  EXPECT_EQ(view->GetString(AttributeType::kRealm), "realm");
  EXPECT_EQ(AsString(*view->Find(AttributeType::kData)), "xyz");
  EXPECT_EQ(*view->GetErrorCode(), (ErrorCode{420, "Unknown Attribute"}));
  EXPECT_EQ(view->GetChangeRequest(), (ChangeRequest{true, false}));
  EXPECT_THAT(*view->GetUnknownAttributes(), ::testing::ElementsAreArray(unknown));
  EXPECT_EQ(view->GetPasswordAlgorithm()->algorithm, PasswordAlgorithm::kSha256);
  EXPECT_EQ(view->GetPasswordAlgorithms()->size(), 2u);
  EXPECT_EQ(view->Find(AttributeType::kPadding)->size(), 5u);
}

TEST(MessageBuilderTest, PaddingIsZero) {
  const Bytes bytes = MessageBuilder(MessageClass::kRequest, Method::kBinding, kId)
                          .AddString(AttributeType::kUsername, "a")
                          .Build();
  EXPECT_EQ(ToHex(bytes), "000100082112a4420102030405060708090a0b0c0006000161000000");
}

TEST(MessageBuilderTest, LongTextIsCutBetweenCharacters) {
  std::string text(507, 'a');
  text += "\xc3\xa9";  // its second byte would be the 509th
  const Bytes bytes = MessageBuilder(MessageClass::kRequest, Method::kBinding, kId)
                          .AddString(AttributeType::kSoftware, text)
                          .Build();
  EXPECT_EQ(MessageView::Parse(bytes)->GetString(AttributeType::kSoftware), std::string(507, 'a'));
}

TEST(MessageBuilderTest, TextOverTheLimitIsNotRead) {
  const Bytes ok(763, 'r');
  const Bytes over(764, 'r');
  const Bytes ok_message = MessageBuilder(MessageClass::kRequest, Method::kBinding, kId)
                               .AddBytes(AttributeType::kRealm, ok)
                               .Build();
  const Bytes over_message = MessageBuilder(MessageClass::kRequest, Method::kBinding, kId)
                                 .AddBytes(AttributeType::kRealm, over)
                                 .Build();
  EXPECT_TRUE(MessageView::Parse(ok_message)->GetString(AttributeType::kRealm));
  EXPECT_FALSE(MessageView::Parse(over_message)->GetString(AttributeType::kRealm));
}

TEST(MessageBuilderTest, ResponseToAClassicClientKeepsItsWholeId) {
  Bytes bytes = Message("");
  StoreU32(bytes.data() + 4, 0x01020304);
  const auto request = MessageView::ParseClassic(bytes);
  ASSERT_TRUE(request);
  const Bytes response =
      MessageBuilder::ResponseTo(*request, MessageClass::kSuccessResponse).Build();
  EXPECT_EQ(ToHex(response), "01010000010203040102030405060708090a0b0c");
}

TEST(AttributeRegistryTest, IsSortedAndNamesEveryAttribute) {
  const auto registry = AttributeRegistry();
  EXPECT_TRUE(std::is_sorted(registry.begin(), registry.end(),
                             [](const auto& a, const auto& b) { return a.type < b.type; }));
  for (const AttributeInfo& info : registry) {
    EXPECT_EQ(ToString(info.type), info.name);
    EXPECT_THAT(std::string(info.name), ::testing::Not(IsEmpty()));
  }
  EXPECT_EQ(ToString(static_cast<AttributeType>(0x7fff)), "unknown");
}

// The numbers as the IANA registry and RFC 8489 section 18.3, RFC 8656 section 18, RFC 5780 section 9.1, RFC 8445 section 20.1 and
// RFC 6062 section 6.2 assign them.
TEST(AttributeRegistryTest, NumbersAreThoseOfTheRegistry) {
  const std::pair<int, std::string_view> expected[] = {{0x0001, "MAPPED-ADDRESS"},
                                                       {0x0003, "CHANGE-REQUEST"},
                                                       {0x0006, "USERNAME"},
                                                       {0x0008, "MESSAGE-INTEGRITY"},
                                                       {0x0009, "ERROR-CODE"},
                                                       {0x000a, "UNKNOWN-ATTRIBUTES"},
                                                       {0x000c, "CHANNEL-NUMBER"},
                                                       {0x000d, "LIFETIME"},
                                                       {0x0012, "XOR-PEER-ADDRESS"},
                                                       {0x0013, "DATA"},
                                                       {0x0014, "REALM"},
                                                       {0x0015, "NONCE"},
                                                       {0x0016, "XOR-RELAYED-ADDRESS"},
                                                       {0x0017, "REQUESTED-ADDRESS-FAMILY"},
                                                       {0x0018, "EVEN-PORT"},
                                                       {0x0019, "REQUESTED-TRANSPORT"},
                                                       {0x001a, "DONT-FRAGMENT"},
                                                       {0x001b, "ACCESS-TOKEN"},
                                                       {0x001c, "MESSAGE-INTEGRITY-SHA256"},
                                                       {0x001d, "PASSWORD-ALGORITHM"},
                                                       {0x001e, "USERHASH"},
                                                       {0x0020, "XOR-MAPPED-ADDRESS"},
                                                       {0x0022, "RESERVATION-TOKEN"},
                                                       {0x0024, "PRIORITY"},
                                                       {0x0025, "USE-CANDIDATE"},
                                                       {0x0026, "PADDING"},
                                                       {0x0027, "RESPONSE-PORT"},
                                                       {0x002a, "CONNECTION-ID"},
                                                       {0x8000, "ADDITIONAL-ADDRESS-FAMILY"},
                                                       {0x8001, "ADDRESS-ERROR-CODE"},
                                                       {0x8002, "PASSWORD-ALGORITHMS"},
                                                       {0x8003, "ALTERNATE-DOMAIN"},
                                                       {0x8004, "ICMP"},
                                                       {0x8022, "SOFTWARE"},
                                                       {0x8023, "ALTERNATE-SERVER"},
                                                       {0x8025, "TRANSACTION_TRANSMIT_COUNTER"},
                                                       {0x8027, "CACHE-TIMEOUT"},
                                                       {0x8028, "FINGERPRINT"},
                                                       {0x8029, "ICE-CONTROLLED"},
                                                       {0x802a, "ICE-CONTROLLING"},
                                                       {0x802b, "RESPONSE-ORIGIN"},
                                                       {0x802c, "OTHER-ADDRESS"},
                                                       {0x802d, "ECN-CHECK STUN"},
                                                       {0x802e, "THIRD-PARTY-AUTHORIZATION"},
                                                       {0x8030, "MOBILITY-TICKET"},
                                                       {0xc000, "CISCO-STUN-FLOWDATA"},
                                                       {0xc001, "NOMINATION"},
                                                       {0xc002, "ENF-NETWORK-STATUS"},
                                                       {0xc003, "CISCO-WEBEX-FLOW-INFO"},
                                                       {0xc056, "CITRIX-TRANSACTION-ID"},
                                                       {0xc057, "GOOG-NETWORK-INFO"},
                                                       {0xc058, "GOOG-LAST-ICE-CHECK-RECEIVED"},
                                                       {0xc059, "GOOG-MISC-INFO"},
                                                       {0xc05a, "GOOG-OBSOLETE-1"},
                                                       {0xc05b, "GOOG-CONNECTION-ID"},
                                                       {0xc05c, "GOOG-DELTA"},
                                                       {0xc05d, "GOOG-DELTA-ACK"},
                                                       {0xc05e, "GOOG-DELTA-SYNC-REQ"},
                                                       {0xc060, "GOOG-MESSAGE-INTEGRITY-32"}};
  for (const auto& [number, name] : expected) {
    EXPECT_EQ(ToString(static_cast<AttributeType>(number)), name) << number;
  }
}

}  // namespace
}  // namespace rtclab::stun
