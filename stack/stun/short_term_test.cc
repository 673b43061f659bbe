#include "stack/stun/short_term.h"

#include <gtest/gtest.h>

#include "stack/stun/test_vectors.h"

namespace rtclab::stun {
namespace {

using Algorithm = ShortTermClient::Algorithm;
using Verdict = ShortTermClient::Verdict;

constexpr TransactionId kId = {1, 2, 3};

std::optional<IntegrityKey> Lookup(std::string_view username) {
  if (username != "user" && username != "evtj:h6vY") return std::nullopt;
  return IntegrityKey::ShortTerm(vectors::kShortTermPassword);
}

Bytes Request(const ShortTermClient& client) {
  MessageBuilder builder(MessageClass::kRequest, Method::kBinding, kId);
  client.Sign(builder);
  return builder.Build();
}

Bytes Response(const ShortTermPeer& peer) {
  MessageBuilder builder(MessageClass::kSuccessResponse, Method::kBinding, kId);
  ProtectShortTerm(builder, peer);
  return builder.Build();
}

TEST(ShortTermTest, Rfc5769RequestPasses) {
  const Bytes bytes = *FromHex(vectors::kRequest);
  const auto peer = CheckShortTerm(*MessageView::Parse(bytes), Lookup);
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->username, "evtj:h6vY");
  EXPECT_FALSE(peer->sha256);
}

TEST(ShortTermTest, MissingAttributesAre400AndWrongOnes401) {
  const auto code = [](const char* hex) {
    Bytes bytes = *FromHex(std::string("0001 0000 2112a442 0102030405060708090a0b0c") + hex);
    StoreU16(bytes.data() + 2, static_cast<uint16_t>(bytes.size() - 20));
    const auto peer = CheckShortTerm(*MessageView::Parse(bytes), Lookup);
    return peer ? 0 : peer.error();
  };
  EXPECT_EQ(code(""), 400);
  EXPECT_EQ(code("0006 0004 75736572"), 400);
  EXPECT_EQ(code("0008 0014 0000000000000000000000000000000000000000"), 400);
  EXPECT_EQ(code("0006 0004 75736573 0008 0014 0000000000000000000000000000000000000000"), 401);
  EXPECT_EQ(code("0006 0004 75736572 0008 0014 0000000000000000000000000000000000000000"), 401);
}

TEST(ShortTermTest, BothAttributesFirstThenTheOneTheServerUses) {
  ShortTermClient client("user", vectors::kShortTermPassword);
  const Bytes first = Request(client);
  const auto view = MessageView::Parse(first);
  EXPECT_TRUE(view->HasIntegrity());
  EXPECT_TRUE(view->HasIntegritySha256());
  const auto peer = CheckShortTerm(*view, Lookup);
  ASSERT_TRUE(peer);
  EXPECT_TRUE(peer->sha256);
  const Bytes response = Response(*peer);
  const auto answer = MessageView::Parse(response);
  EXPECT_TRUE(answer->HasIntegritySha256());
  EXPECT_FALSE(answer->HasIntegrity());
  EXPECT_EQ(client.HandleResponse(*answer), Verdict::kAccept);
  EXPECT_EQ(client.algorithm(), Algorithm::kSha256);
  const Bytes second = Request(client);
  EXPECT_FALSE(MessageView::Parse(second)->HasIntegrity());
  EXPECT_TRUE(MessageView::Parse(second)->HasIntegritySha256());
}

TEST(ShortTermTest, AnswerInTheOtherAlgorithmIsDiscarded) {
  ShortTermClient client("user", vectors::kShortTermPassword, Algorithm::kSha1);
  const Bytes request = Request(client);
  EXPECT_FALSE(MessageView::Parse(request)->HasIntegritySha256());
  const auto peer = CheckShortTerm(*MessageView::Parse(request), Lookup);
  ASSERT_TRUE(peer);
  ShortTermPeer other = *peer;
  other.sha256 = true;
  const Bytes wrong = Response(other);
  EXPECT_EQ(client.HandleResponse(*MessageView::Parse(wrong)), Verdict::kDiscard);
  Bytes right = Response(*peer);
  EXPECT_EQ(client.HandleResponse(*MessageView::Parse(right)), Verdict::kAccept);
  right.back() ^= 1;
  EXPECT_EQ(client.HandleResponse(*MessageView::Parse(right)), Verdict::kIntegrityViolation);
  const Bytes none = MessageBuilder(MessageClass::kSuccessResponse, Method::kBinding, kId).Build();
  EXPECT_EQ(client.HandleResponse(*MessageView::Parse(none)), Verdict::kIntegrityViolation);
}

}  // namespace
}  // namespace rtclab::stun
