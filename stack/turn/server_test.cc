// What an allocation's owner, others and strangers may ask of the server; Refresh (RFC 8656 section 8.2); streams; drops.
#include <gtest/gtest.h>

#include "stack/turn/server_fixture.h"

namespace rtclab::turn {
namespace {

// Everything else needs an allocation, of one's own.

TEST_F(ServerTest, RequestsWithoutAllocationAre437) {
  EXPECT_EQ(Refresh(600), 437);
  EXPECT_EQ(Permit(kPeer), 437);
  EXPECT_EQ(Bind(0x4000, kPeer), 437);
}

TEST_F(ServerTest, AnotherUserIs441) {
  ASSERT_EQ(Allocate(), 0);
  credentials_.emplace("bob", "builder");
  EXPECT_EQ(Refresh(0), 441);
  EXPECT_EQ(Permit(kPeer), 441);
  EXPECT_EQ(Bind(0x4000, kPeer), 441);
  EXPECT_EQ(server_->allocation_count(), 1u);
}

TEST_F(ServerTest, IndicationsAndDataWithoutAllocationAreIgnored) {
  EXPECT_TRUE(Push(kClient, kServer, SendIndication(kPeer)).empty());
  EXPECT_TRUE(Push(kClient, kServer, {0x40, 0x00, 0x00, 0x01, 'x'}).empty());
  EXPECT_EQ(Dropped(DropReason::kNoAllocation), 2u);
}

TEST_F(ServerTest, UnknownMethodsAndWrongClassesAreIgnored) {
  const auto push = [&](MessageClass c, Method m) {
    return Push(kClient, kServer, MessageBuilder(c, m, stun::TransactionId{3}).Build());
  };
  EXPECT_TRUE(push(MessageClass::kRequest, static_cast<Method>(0x0ff)).empty());
  EXPECT_TRUE(push(MessageClass::kRequest, Method::kConnect).empty());
  EXPECT_TRUE(push(MessageClass::kRequest, Method::kSend).empty());
  EXPECT_TRUE(push(MessageClass::kIndication, Method::kAllocate).empty());
  EXPECT_TRUE(push(MessageClass::kSuccessResponse, Method::kAllocate).empty());
  EXPECT_TRUE(push(MessageClass::kErrorResponse, Method::kRefresh).empty());
  EXPECT_EQ(Dropped(DropReason::kUnexpected), 6u);
  EXPECT_TRUE(push(MessageClass::kIndication, Method::kBinding).empty());
}

TEST_F(ServerTest, BindingIsAnsweredWithoutCredentials) {
  const auto answers = Push(
      kClient, kServer,
      MessageBuilder(MessageClass::kRequest, Method::kBinding, stun::TransactionId{3}).Build());
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(MessageView::Parse(answers[0].payload)->GetXorAddress(AttributeType::kXorMappedAddress),
            kClient);
}

// RFC 8489 section 11, RFC 5389 section 12.2: a Binding request of an RFC 3489 client, without the magic cookie.
TEST_F(ServerTest, ClassicClientsAreAnsweredButNotOverDtls) {
  const Bytes request = *FromHex("0001 0000 00112233445566778899aabbccddeeff");
  auto answers = PushOn(Over(ClientTransport::kUdp), request);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(ToHex(answers[0]),
            "0101000c00112233445566778899aabbccddeeff000100080001"
            "0fa0"
            "c000020a");
  answers = PushOn(Over(ClientTransport::kDtls), request);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(LoadU16(answers[0].data()), 0x0111);
  EXPECT_EQ(ToHex(ByteView(answers[0]).subspan(4, 16)), "00112233445566778899aabbccddeeff");
  EXPECT_EQ(ToHex(ByteView(answers[0]).subspan(20, 2)), "0009");
  EXPECT_EQ(ToHex(ByteView(answers[0]).subspan(24, 4)), "00000500");
  // An Allocate request, an indication, a message with the cookie that is broken otherwise.
  for (const char* other :
       {"0003 0000 00112233445566778899aabbccddeeff", "0011 0000 00112233445566778899aabbccddeeff",
        "8001 0000 00112233445566778899aabbccddeeff",
        "0001 0004 2112a4424455667788990a0b0c0d0e0f"}) {
    EXPECT_TRUE(PushOn(Over(ClientTransport::kUdp), *FromHex(other)).empty()) << other;
  }
  EXPECT_TRUE(
      PushOn(Over(ClientTransport::kDtls), *FromHex("0011 0000 00112233445566778899aabbccddeeff"))
          .empty());
  EXPECT_EQ(
      PushOn(Over(ClientTransport::kDtls), *FromHex("0003 0000 00112233445566778899aabbccddeeff"))
          .size(),
      1u);
  answers = PushOn(Over(ClientTransport::kUdp),
                   *FromHex("0001 0008 00112233445566778899aabbccddeeff 7ffe 0004 00000000"));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(LoadU16(answers[0].data()), 0x0111);
  ServerConfig config = DefaultServerConfig();
  config.answer_classic = false;
  Use(config);
  EXPECT_TRUE(PushOn(Over(ClientTransport::kUdp), request).empty());
}

// RFC 5389 and RFC 5766 have none of what RFC 8489 and RFC 8656 added.
TEST_F(ServerTest, TheOldProfile) {
  ServerConfig config = DefaultServerConfig();
  UseRfc5766(config);
  Use(config);
  MessageBuilder b(MessageClass::kRequest, Method::kAllocate, stun::TransactionId{3});
  answer_ = PushOn(Over(ClientTransport::kUdp), b.Build()).at(0);
  EXPECT_EQ(Answer().GetErrorCode()->code, 401);
  EXPECT_FALSE(Answer().Has(AttributeType::kPasswordAlgorithms));
  EXPECT_FALSE(Answer().GetString(AttributeType::kNonce)->starts_with("obMatJos2"));
  ASSERT_EQ(Allocate(), 0);
  EXPECT_TRUE(Answer().HasIntegrity());
  EXPECT_FALSE(Answer().HasIntegritySha256());
  EXPECT_EQ(Bind(0x7ffe, kPeer), 0);
  EXPECT_EQ(Bind(0x7fff, {kPeer.ip, 7001}), 400);
  EXPECT_EQ(Push(kClient, kServer, {0x7f, 0xfe, 0, 1, 'x'}).size(), 1u);
}

// Refresh, section 8.2.

TEST_F(ServerTest, AllocationExpiresToTheNanosecond) {
  ASSERT_EQ(Allocate(), 0);
  const TransportAddress relayed = Relayed();
  ASSERT_EQ(Permit(kPeer), 0);
  EXPECT_EQ(server_->NextTimeout(), now_ + TimeDelta::Seconds(600));
  const Timestamp end = server_->NextTimeout();
  server_->HandleTimeout(end - TimeDelta::Nanos(1));
  EXPECT_EQ(server_->allocation_count(), 1u);
  now_ = end;
  EXPECT_EQ(Refresh(600), 437);  // no timer needed to fire first
  EXPECT_EQ(server_->allocation_count(), 0u);
  const auto* released = std::get_if<RelayReleased>(&events_.back());
  ASSERT_NE(released, nullptr);
  EXPECT_EQ(released->address, relayed);
  EXPECT_EQ(server_->NextTimeout(), Timestamp::PlusInfinity());
}

TEST_F(ServerTest, RefreshExtendsAndDeletes) {
  ASSERT_EQ(Allocate(), 0);
  now_ += TimeDelta::Seconds(500);
  ASSERT_EQ(Refresh(1), 0);
  EXPECT_EQ(Lifetime(), 600u);
  ASSERT_EQ(Refresh(99999), 0);
  EXPECT_EQ(Lifetime(), 3600u);
  EXPECT_EQ(server_->NextTimeout(), now_ + TimeDelta::Seconds(3600));
  ASSERT_EQ(Refresh(std::nullopt), 0);
  EXPECT_EQ(Lifetime(), 600u);
  ASSERT_EQ(Refresh(0), 0);
  EXPECT_EQ(Lifetime(), 0u);
  EXPECT_EQ(Refresh(600), 437);
  EXPECT_EQ(Permit(kPeer), 437);
  EXPECT_EQ(Bind(0x4000, kPeer), 437);
}

TEST_F(ServerTest, RefreshOfAnotherFamilyIs443) {
  ASSERT_EQ(Allocate(), 0);
  EXPECT_EQ(Code(Method::kRefresh,
                 [](MessageBuilder& b) {
                   AddFamily(b, AttributeType::kRequestedAddressFamily, AddressFamily::kIpv6);
                 }),
            443);
  EXPECT_EQ(Code(Method::kRefresh,
                 [](MessageBuilder& b) { b.AddU8(AttributeType::kRequestedAddressFamily, 1); }),
            400);
  EXPECT_EQ(Code(Method::kRefresh, [](MessageBuilder& b) { b.AddU8(AttributeType::kLifetime, 1); }),
            400);
}

TEST_F(ServerTest, HalfOfADualAllocationCanGo) {
  ASSERT_EQ(Allocate([](MessageBuilder& b) {
              AddFamily(b, AttributeType::kAdditionalAddressFamily, AddressFamily::kIpv6);
            }),
            0);
  const auto relayed = Answer().GetXorAddresses(AttributeType::kXorRelayedAddress).value();
  ASSERT_EQ(relayed.size(), 2u);
  ASSERT_EQ(Bind(0x4000, kPeer), 0);
  ASSERT_EQ(Bind(0x4001, kPeer6), 0);
  ASSERT_EQ(Code(Method::kRefresh,
                 [](MessageBuilder& b) {
                   b.AddU32(AttributeType::kLifetime, 0);
                   AddFamily(b, AttributeType::kRequestedAddressFamily, AddressFamily::kIpv4);
                 }),
            0);
  EXPECT_EQ(server_->allocation_count(), 1u);
  EXPECT_EQ(Permit(kPeer), 443);
  EXPECT_EQ(Push(kPeer6, relayed[1], Text("x")).size(), 1u);
  EXPECT_TRUE(Push(kPeer, relayed[0], Text("x")).empty());
  EXPECT_TRUE(Push(kClient, kServer, {0x40, 0x00, 0, 1, 'x'}).empty());
  EXPECT_EQ(Push(kClient, kServer, {0x40, 0x01, 0, 1, 'x'}).size(), 1u);
  ASSERT_EQ(Refresh(0), 0);
  EXPECT_EQ(server_->allocation_count(), 0u);
}

// Streams: only the framing differs.

TEST_F(ServerTest, StreamClientsGetPaddedChannelData) {
  ServerConfig config = DefaultServerConfig();
  config.authentication.reset();
  Use(config);
  const FiveTuple tuple{kClient, kServer, ClientTransport::kTcp};
  const auto ask = [&](Method method, const Fill& fill) {
    MessageBuilder b(MessageClass::kRequest, method, stun::NewTransactionId(*rng_));
    fill(b);
    server_->HandleClientMessage(now_, tuple, b.Build());
    EXPECT_TRUE(Collect().empty());
    auto write = server_->PollStreamWrite();
    EXPECT_TRUE(write && write->tuple == tuple);
    return write->payload;
  };
  answer_ = ask(Method::kAllocate, [](MessageBuilder& b) { AddRequestedTransport(b, 17); });
  ASSERT_TRUE(Answer().IsSuccess());
  const TransportAddress relayed = Relayed();
  ask(Method::kChannelBind, [](MessageBuilder& b) {
    AddChannelNumber(b, 0x4000);
    b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer);
  });
  EXPECT_TRUE(Push(kPeer, relayed, Text("abcde")).empty());
  EXPECT_EQ(server_->PollStreamWrite()->payload,
            (Bytes{0x40, 0x00, 0, 5, 'a', 'b', 'c', 'd', 'e', 0, 0, 0}));
  // The same addresses over UDP are another 5-tuple.
  EXPECT_EQ(Allocate(), 0);
  EXPECT_EQ(server_->allocation_count(), 2u);
  server_->HandleDisconnect(now_, tuple);
  EXPECT_EQ(server_->allocation_count(), 1u);
}

TEST_F(ServerTest, DisconnectAbandonsAnAllocationUnderWay) {
  ServerConfig config = DefaultServerConfig();
  config.authentication.reset();
  Use(config);
  bind_ = false;
  const FiveTuple tuple{kClient, kServer, ClientTransport::kTcp};
  MessageBuilder b(MessageClass::kRequest, Method::kAllocate, stun::NewTransactionId(*rng_));
  AddRequestedTransport(b, 17);
  server_->HandleClientMessage(now_, tuple, b.Build());
  Collect();
  ASSERT_EQ(wanted_.size(), 1u);
  server_->HandleDisconnect(now_, tuple);
  server_->RelayBound(now_, wanted_[0].id);  // too late
  Collect();
  EXPECT_EQ(server_->allocation_count(), 0u);
  EXPECT_FALSE(server_->PollStreamWrite());
  EXPECT_TRUE(std::holds_alternative<RelayReleased>(events_.back()));
}

TEST_F(ServerTest, DropsAreReportedOnRequest) {
  ServerConfig config = DefaultServerConfig();
  config.report_drops = true;
  Use(config);
  Push(kClient, kServer, {0x40, 0x00, 0, 0});
  const auto* dropped = std::get_if<PacketDropped>(&events_.back());
  ASSERT_NE(dropped, nullptr);
  EXPECT_EQ(dropped->reason, DropReason::kNoAllocation);
  EXPECT_EQ(dropped->source, kClient);
  EXPECT_EQ(ToString(dropped->reason), "no-allocation");
}

}  // namespace
}  // namespace rtclab::turn
