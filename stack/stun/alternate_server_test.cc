#include "stack/stun/alternate_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rtclab::stun {
namespace {

const TransportAddress kA = *TransportAddress::Parse("192.0.2.1:3478");
const TransportAddress kB = *TransportAddress::Parse("192.0.2.2:3478");
const TransportAddress kB6 = *TransportAddress::Parse("[2001:db8::2]:3478");

Bytes TryAlternate(std::vector<TransportAddress> servers, std::string_view domain = {},
                   int code = 300) {
  MessageBuilder builder(MessageClass::kErrorResponse, Method::kBinding, {1});
  builder.AddErrorCode(code);
  AddAlternateServers(builder, AddressFamily::kIpv4, servers, domain);
  return builder.Build();
}

TEST(AlternateServerTest, OwnFamilyComesFirstAndIsFollowed) {
  const Bytes bytes = TryAlternate({kB6, kB}, "turn.example.org");
  const auto view = MessageView::Parse(bytes);
  EXPECT_THAT(*view->GetAddresses(AttributeType::kAlternateServer),
              ::testing::ElementsAre(kB, kB6));
  RedirectGuard guard;
  const auto redirect = guard.Follow(Timestamp::Zero(), *view, kA);
  ASSERT_TRUE(redirect);
  EXPECT_EQ(redirect->server, kB);
  EXPECT_EQ(redirect->domain, "turn.example.org");
}

TEST(AlternateServerTest, NoServerOfTheFamilyOrNo300IsNoRedirect) {
  RedirectGuard guard;
  const Bytes other_family = TryAlternate({kB6});
  EXPECT_FALSE(guard.Follow(Timestamp::Zero(), *MessageView::Parse(other_family), kA));
  const Bytes none = TryAlternate({});
  EXPECT_FALSE(guard.Follow(Timestamp::Zero(), *MessageView::Parse(none), kA));
  const Bytes forbidden = TryAlternate({kB}, {}, 403);
  EXPECT_FALSE(guard.Follow(Timestamp::Zero(), *MessageView::Parse(forbidden), kA));
  // ALTERNATE-SERVER with family 3, as raw bytes.
  const Bytes raw = *FromHex(
      "0111 0014 2112a442 0102030405060708090a0b0c 0009 0004 00000300 8023 0008 00030d96 c0000202");
  EXPECT_FALSE(guard.Follow(Timestamp::Zero(), *MessageView::Parse(raw), kA));
}

TEST(AlternateServerTest, PingPongEndsButNotForEver) {
  RedirectGuard guard;
  const Bytes to_b = TryAlternate({kB});
  const Bytes to_a = TryAlternate({kA});
  ASSERT_TRUE(guard.Follow(Timestamp::Zero(), *MessageView::Parse(to_b), kA));
  EXPECT_FALSE(guard.Follow(Timestamp::Seconds(1), *MessageView::Parse(to_a), kB));
  EXPECT_FALSE(guard.Follow(Timestamp::Seconds(299), *MessageView::Parse(to_a), kB));
  EXPECT_TRUE(guard.Follow(Timestamp::Seconds(300), *MessageView::Parse(to_a), kB));
  // A server that points at itself.
  EXPECT_FALSE(guard.Follow(Timestamp::Seconds(900), *MessageView::Parse(to_b), kB));
}

}  // namespace
}  // namespace rtclab::stun
