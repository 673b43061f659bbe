// The test vectors of RFC 5769 and RFC 8489 appendix B.
#include "stack/stun/test_vectors.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "stack/stun/message.h"
#include "stack/stun/message_builder.h"

namespace rtclab::stun {
namespace {

TEST(VectorsTest, Rfc5769Request) {
  const Bytes bytes = *FromHex(vectors::kRequest);
  const auto view = MessageView::Parse(bytes);
  ASSERT_TRUE(view) << view.error().reason;
  EXPECT_EQ(view->message_class(), MessageClass::kRequest);
  EXPECT_EQ(view->method(), Method::kBinding);
  EXPECT_EQ(ToHex(view->transaction_id()), "b7e7a701bc34d686fa87dfae");
  EXPECT_EQ(view->GetString(AttributeType::kSoftware), "STUN test client");
  EXPECT_EQ(view->GetU32(AttributeType::kPriority), 0x6e0001ffu);
  EXPECT_EQ(view->GetU64(AttributeType::kIceControlled), 0x932ff9b151263b36u);
  EXPECT_EQ(view->GetString(AttributeType::kUsername), "evtj:h6vY");
  EXPECT_TRUE(view->VerifyIntegrity(IntegrityKey::ShortTerm(vectors::kShortTermPassword)));
  EXPECT_TRUE(view->VerifyFingerprint());
  EXPECT_FALSE(view->VerifyIntegrity(IntegrityKey::ShortTerm("VOkJxbRl1RmTxUk/WvJxBu")));
}

TEST(VectorsTest, Rfc5769Responses) {
  const IntegrityKey key = IntegrityKey::ShortTerm(vectors::kShortTermPassword);
  const Bytes v4 = *FromHex(vectors::kResponseV4);
  const auto view4 = MessageView::Parse(v4);
  ASSERT_TRUE(view4) << view4.error().reason;
  EXPECT_EQ(view4->message_class(), MessageClass::kSuccessResponse);
  EXPECT_EQ(view4->GetString(AttributeType::kSoftware), "test vector");
  EXPECT_EQ(view4->GetXorAddress(AttributeType::kXorMappedAddress),
            TransportAddress::Parse("192.0.2.1:32853"));
  EXPECT_TRUE(view4->VerifyIntegrity(key));
  EXPECT_TRUE(view4->VerifyFingerprint());

  const Bytes v6 = *FromHex(vectors::kResponseV6);
  const auto view6 = MessageView::Parse(v6);
  ASSERT_TRUE(view6) << view6.error().reason;
  EXPECT_EQ(view6->GetXorAddress(AttributeType::kXorMappedAddress),
            TransportAddress::Parse("[2001:db8:1234:5678:11:2233:4455:6677]:32853"));
  EXPECT_TRUE(view6->VerifyIntegrity(key));
  EXPECT_TRUE(view6->VerifyFingerprint());
}

TEST(VectorsTest, Rfc5769LongTermRequest) {
  const Bytes bytes = *FromHex(vectors::kLongTermRequest);
  const auto view = MessageView::Parse(bytes);
  ASSERT_TRUE(view) << view.error().reason;
  EXPECT_EQ(view->GetString(AttributeType::kUsername), vectors::kLongTermUsername);
  EXPECT_EQ(view->GetString(AttributeType::kNonce), "f//499k954d6OL34oL9FSTvy64sA");
  EXPECT_EQ(view->GetString(AttributeType::kRealm), vectors::kLongTermRealm);
  EXPECT_FALSE(view->HasFingerprint());
  EXPECT_TRUE(view->VerifyIntegrity(IntegrityKey::LongTerm(
      vectors::kLongTermUsername, vectors::kLongTermRealm, vectors::kLongTermPassword)));
}

// This vector has no padding other than zeros, so our own builder must give exactly its bytes.
TEST(VectorsTest, BuilderReproducesRfc5769LongTermRequest) {
  const Bytes expected = *FromHex(vectors::kLongTermRequest);
  TransactionId id;
  std::copy_n(expected.begin() + 8, id.size(), id.begin());
  const Bytes built =
      MessageBuilder(MessageClass::kRequest, Method::kBinding, id)
          .AddString(AttributeType::kUsername, vectors::kLongTermUsername)
          .AddString(AttributeType::kNonce, "f//499k954d6OL34oL9FSTvy64sA")
          .AddString(AttributeType::kRealm, vectors::kLongTermRealm)
          .AddMessageIntegrity(IntegrityKey::LongTerm(
              vectors::kLongTermUsername, vectors::kLongTermRealm, vectors::kLongTermPassword))
          .Build();
  EXPECT_EQ(ToHex(built), ToHex(expected));
}

// The vector as printed contradicts its own RFC twice: the length field counts the header, and the HMAC covers that wrong length.
// So the parser rejects it, its digest is checked with the length as printed, and the corrected message is checked as well.
TEST(VectorsTest, Rfc8489UserhashRequest) {
  Bytes bytes = *FromHex(vectors::kUserhashRequest);
  EXPECT_FALSE(MessageView::Parse(bytes));

  const IntegrityKey key =
      IntegrityKey::LongTerm(vectors::kLongTermUsername, vectors::kLongTermRealm,
                             vectors::kLongTermPassword, PasswordAlgorithm::kSha256);
  const std::size_t integrity = bytes.size() - 36;
  const auto mac = key.sha256().Compute(ByteView(bytes).first(integrity));
  EXPECT_EQ(ToHex(mac), ToHex(ByteView(bytes).last(32)));

  StoreU16(bytes.data() + 2, 0x88);
  const auto corrected = key.sha256().Compute(ByteView(bytes).first(integrity));
  std::copy(corrected.begin(), corrected.end(), bytes.end() - 32);
  const auto view = MessageView::Parse(bytes);
  ASSERT_TRUE(view) << view.error().reason;
  EXPECT_TRUE(view->VerifyIntegritySha256(key));
  EXPECT_EQ(view->GetString(AttributeType::kNonce), "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA");
  const auto userhash = Userhash(vectors::kLongTermUsername, vectors::kLongTermRealm);
  EXPECT_EQ(ToHex(*view->Find(AttributeType::kUserhash)), ToHex(userhash));

  TransactionId id;
  std::copy_n(bytes.begin() + 8, id.size(), id.begin());
  const Bytes built =
      MessageBuilder(MessageClass::kRequest, Method::kBinding, id)
          .AddBytes(AttributeType::kUserhash, userhash)
          .AddString(AttributeType::kNonce, "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA")
          .AddString(AttributeType::kRealm, vectors::kLongTermRealm)
          .AddMessageIntegritySha256(key)
          .Build();
  EXPECT_EQ(ToHex(built), ToHex(bytes));
}

}  // namespace
}  // namespace rtclab::stun
