#include "stack/stun/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "stack/stun/long_term_client.h"
#include "stack/stun/message_builder.h"

namespace rtclab::stun {
namespace {

using ::testing::ElementsAre;

const TransportAddress kA1P1 = *TransportAddress::Parse("192.0.2.1:3478");
const TransportAddress kA1P2 = *TransportAddress::Parse("192.0.2.1:3479");
const TransportAddress kA2P1 = *TransportAddress::Parse("192.0.2.2:3478");
const TransportAddress kA2P2 = *TransportAddress::Parse("192.0.2.2:3479");
const TransportAddress kAsker = *TransportAddress::Parse("198.51.100.7:40000");

ServerConfig TwoAddresses() {
  ServerConfig config;
  config.addresses = {{kA1P1, kA2P2}};
  return config;
}

// A Binding request as raw bytes: `body` is its attributes.
Bytes Request(std::string_view body = "", std::string_view type = "0001") {
  Bytes out =
      *FromHex(std::string(type) + "0000 2112a442 0102030405060708090a0b0c" + std::string(body));
  StoreU16(out.data() + 2, static_cast<uint16_t>(out.size() - 20));
  return out;
}

std::optional<Transmit> Ask(Server& server, const Bytes& request,
                            const TransportAddress& destination = kA1P1,
                            Timestamp now = Timestamp::Zero()) {
  server.HandlePacket(now, {kAsker, destination, request});
  auto out = server.PollTransmit();
  EXPECT_FALSE(server.PollTransmit());
  EXPECT_EQ(server.PollEvent().has_value(), out.has_value());
  return out;
}

TEST(StunServerTest, BindingTellsTheReflexiveAddress) {
  Rng rng(1);
  ServerConfig config = TwoAddresses();
  config.software = "rtclab";
  Server server(config, rng);
  const auto out = Ask(server, Request());
  ASSERT_TRUE(out);
  EXPECT_EQ(out->source, kA1P1);
  EXPECT_EQ(out->destination, kAsker);
  const auto view = MessageView::Parse(out->payload);
  EXPECT_TRUE(view->IsSuccess());
  EXPECT_EQ(ToHex(view->transaction_id()), "0102030405060708090a0b0c");
  EXPECT_EQ(view->GetXorAddress(AttributeType::kXorMappedAddress), kAsker);
  EXPECT_EQ(view->GetAddress(AttributeType::kMappedAddress), kAsker);
  EXPECT_EQ(view->GetAddress(AttributeType::kResponseOrigin), kA1P1);
  EXPECT_EQ(view->GetAddress(AttributeType::kOtherAddress), kA2P2);
  EXPECT_EQ(view->GetString(AttributeType::kSoftware), "rtclab");
  EXPECT_FALSE(view->HasFingerprint());
}

TEST(StunServerTest, ListensOnBothAddressesAndPorts) {
  Rng rng(1);
  Server two(TwoAddresses(), rng);
  EXPECT_THAT(two.ListenAddresses(), ElementsAre(kA1P1, kA1P2, kA2P1, kA2P2));
  ServerConfig one;
  one.addresses = {{kA1P1, std::nullopt},
                   {*TransportAddress::Parse("[2001:db8::1]:3478"), std::nullopt}};
  EXPECT_EQ(Server(one, rng).ListenAddresses().size(), 2u);
}

// RFC 5780 section 6.1, table 1, for each of the four addresses a request can arrive at.
TEST(StunServerTest, ChangeRequestMovesTheOriginAsTableOneSays) {
  struct Case {
    TransportAddress at;
    const char* flags;
    TransportAddress from;
    TransportAddress other;
  };
  const Case cases[] = {{kA1P1, "00000000", kA1P1, kA2P2}, {kA1P1, "00000004", kA2P1, kA2P2},
                        {kA1P1, "00000002", kA1P2, kA2P2}, {kA1P1, "00000006", kA2P2, kA2P2},
                        {kA1P2, "00000000", kA1P2, kA2P1}, {kA1P2, "00000004", kA2P2, kA2P1},
                        {kA1P2, "00000002", kA1P1, kA2P1}, {kA1P2, "00000006", kA2P1, kA2P1},
                        {kA2P1, "00000000", kA2P1, kA1P2}, {kA2P1, "00000004", kA1P1, kA1P2},
                        {kA2P1, "00000002", kA2P2, kA1P2}, {kA2P1, "00000006", kA1P2, kA1P2},
                        {kA2P2, "00000000", kA2P2, kA1P1}, {kA2P2, "00000004", kA1P2, kA1P1},
                        {kA2P2, "00000002", kA2P1, kA1P1}, {kA2P2, "00000006", kA1P1, kA1P1}};
  Rng rng(1);
  Server server(TwoAddresses(), rng);
  for (const Case& c : cases) {
    const auto out = Ask(server, Request(std::string("0003 0004") + c.flags), c.at);
    ASSERT_TRUE(out);
    EXPECT_EQ(out->source, c.from) << c.at.ToString() << c.flags;
    EXPECT_EQ(out->destination, kAsker);
    const auto view = MessageView::Parse(out->payload);
    EXPECT_EQ(view->GetAddress(AttributeType::kResponseOrigin), c.from);
    EXPECT_EQ(view->GetAddress(AttributeType::kOtherAddress), c.other);
  }
}

TEST(StunServerTest, WithoutASecondAddressChangeRequestIsUnknown) {
  Rng rng(1);
  ServerConfig config;
  config.addresses = {{kA1P1, std::nullopt}};
  Server server(config, rng);
  const auto out = Ask(server, Request("0003 0004 00000006"));
  const auto view = MessageView::Parse(out->payload);
  EXPECT_EQ(view->GetErrorCode()->code, 420);
  EXPECT_THAT(*view->GetUnknownAttributes(), ElementsAre(AttributeType::kChangeRequest));
  const auto plain = Ask(server, Request());
  EXPECT_FALSE(MessageView::Parse(plain->payload)->Has(AttributeType::kOtherAddress));
}

TEST(StunServerTest, ResponsePortMovesTheDestination) {
  Rng rng(1);
  Server server(TwoAddresses(), rng);
  for (const char* body : {"0027 0002 9c41 0000", "0027 0004 9c41 0000"}) {
    const auto out = Ask(server, Request(body));
    ASSERT_TRUE(out);
    EXPECT_EQ(out->destination, (TransportAddress{kAsker.ip, 40001}));
    // The reflexive address is still the request's source.
    EXPECT_EQ(MessageView::Parse(out->payload)->GetXorAddress(AttributeType::kXorMappedAddress),
              kAsker);
  }
}

TEST(StunServerTest, PaddingIsAnsweredWithPadding) {
  Rng rng(1);
  ServerConfig config = TwoAddresses();
  config.mtu = 1399;
  Server server(config, rng);
  const auto out = Ask(server, Request("0026 0004 00000000"));
  EXPECT_EQ(MessageView::Parse(out->payload)->Find(AttributeType::kPadding)->size(), 1400u);
}

TEST(StunServerTest, ContradictionsAreBadRequests) {
  Rng rng(1);
  Server server(TwoAddresses(), rng);
  for (const char* body : {"0026 0004 00000000 0027 0002 9c41 0000",  // PADDING with RESPONSE-PORT
                           "0003 0002 0006 0000",                     // CHANGE-REQUEST of 2 bytes
                           "0003 0000",                               //
                           "0027 0001 9c000000",                      // RESPONSE-PORT of 1 byte
                           "0027 0000"}) {
    const auto out = Ask(server, Request(body));
    ASSERT_TRUE(out) << body;
    EXPECT_EQ(MessageView::Parse(out->payload)->GetErrorCode()->code, 400) << body;
    EXPECT_EQ(out->source, kA1P1);
    EXPECT_EQ(out->destination, kAsker);
  }
}

TEST(StunServerTest, UnknownRequiredAttributesAreListed) {
  Rng rng(1);
  Server server(TwoAddresses(), rng);
  const auto out = Ask(server, Request("7001 0000 7002 0000 7001 0000 f001 0000"));
  const auto view = MessageView::Parse(out->payload);
  EXPECT_EQ(view->GetErrorCode()->code, 420);
  EXPECT_THAT(*view->GetUnknownAttributes(),
              ElementsAre(static_cast<AttributeType>(0x7001), static_cast<AttributeType>(0x7002)));
}

TEST(StunServerTest, WhatElseIsKnownIsAMatterOfConfiguration) {
  Rng rng(1);
  const Bytes lifetime = Request("000d 0004 00000001");
  const Bytes response_port = Request("0027 0004 10010000");
  const Bytes mapped = Request("0020 0008 0001 2113 5e12a443");  // known, and not expected here
  ServerConfig config = TwoAddresses();
  Server plain(config, rng);
  EXPECT_TRUE(MessageView::Parse(Ask(plain, lifetime)->payload)->IsError());
  EXPECT_TRUE(MessageView::Parse(Ask(plain, mapped)->payload)->IsSuccess());
  config.also_known = {AttributeType::kLifetime};
  config.response_port = false;
  Server server(config, rng);
  EXPECT_TRUE(MessageView::Parse(Ask(server, lifetime)->payload)->IsSuccess());
  const auto out = Ask(server, response_port);
  EXPECT_EQ(out->destination, kAsker);
  const auto view = MessageView::Parse(out->payload);
  EXPECT_EQ(view->GetErrorCode()->code, 420);
  EXPECT_THAT(*view->GetUnknownAttributes(), ElementsAre(AttributeType::kResponsePort));
}

TEST(StunServerTest, WhatIsNoBindingRequestToUsIsIgnored) {
  Rng rng(1);
  Server server(TwoAddresses(), rng);
  EXPECT_FALSE(Ask(server, Request("", "0011")));  // indication
  EXPECT_FALSE(Ask(server, Request("", "0101")));  // success response
  EXPECT_FALSE(Ask(server, Request("", "0111")));  // error response
  EXPECT_FALSE(Ask(server, Request("", "0003")));  // Allocate
  EXPECT_FALSE(Ask(server, Request(), *TransportAddress::Parse("192.0.2.1:9")));
  EXPECT_FALSE(Ask(server, Request(), *TransportAddress::Parse("192.0.2.9:3478")));
  EXPECT_FALSE(Ask(server, Request("8028 0004 00000000")));  // wrong FINGERPRINT
  const Bytes whole = Request("0003 0004 00000006");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(
        Ask(server, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))));
  }
}

TEST(StunServerTest, FingerprintIsAnsweredWithFingerprint) {
  Rng rng(1);
  Server server(TwoAddresses(), rng);
  const auto out =
      Ask(server,
          MessageBuilder(MessageClass::kRequest, Method::kBinding, {1}).AddFingerprint().Build());
  ASSERT_TRUE(out);
  EXPECT_TRUE(MessageView::Parse(out->payload)->VerifyFingerprint());
}

// RFC 5389 section 12.2. The first 32 bits are part of the transaction id.
TEST(StunServerTest, ClassicClientsGetMappedAddress) {
  Rng rng(1);
  Server server(TwoAddresses(), rng);
  const Bytes request = *FromHex("0001 0000 00112233445566778899aabbccddeeff");
  const auto out = Ask(server, request);
  ASSERT_TRUE(out);
  EXPECT_EQ(ToHex(out->payload),
            "0101000c00112233445566778899aabbccddeeff000100080001"
            "9c40"
            "c6336407");
  // CHANGE-REQUEST is no longer understood; an odd list is filled up.
  const auto change =
      Ask(server, *FromHex("0001 0008 00112233445566778899aabbccddeeff 0003 0004 00000006"));
  const auto view = MessageView::ParseClassic(change->payload);
  EXPECT_EQ(view->GetErrorCode()->code, 420);
  EXPECT_THAT(*view->GetUnknownAttributes(),
              ElementsAre(AttributeType::kChangeRequest, AttributeType::kChangeRequest));

  ServerConfig strict = TwoAddresses();
  strict.answer_classic = false;
  Server modern(strict, rng);
  EXPECT_FALSE(Ask(modern, request));
}

class AuthenticatedServerTest : public ::testing::Test {
 protected:
  AuthenticatedServerTest() {
    auto users = std::make_shared<StaticCredentials>();
    EXPECT_TRUE(users->Add("alice", "secret"));
    config_ = TwoAddresses();
    config_.long_term.emplace();
    config_.long_term->realm = "example.org";
    config_.credentials = users;
  }
  Bytes Sign(const LongTermClient& client, LongTermClient::Signature& signature,
             std::optional<AttributeType> extra = std::nullopt) {
    MessageBuilder builder(MessageClass::kRequest, Method::kBinding, NewTransactionId(rng_));
    if (extra) builder.AddFlag(*extra);
    signature = client.Sign(builder);
    return builder.Build();
  }
  Rng rng_{1};
  ServerConfig config_;
};

TEST_F(AuthenticatedServerTest, ChallengesThenAnswersProtected) {
  Server server(config_, rng_);
  LongTermClient client("alice", "secret");
  LongTermClient::Signature signature;
  const auto challenge = Ask(server, Sign(client, signature));
  EXPECT_EQ(client.HandleResponse(*MessageView::Parse(challenge->payload), signature),
            LongTermClient::Verdict::kRetry);
  const auto answer = Ask(server, Sign(client, signature));
  const auto view = MessageView::Parse(answer->payload);
  EXPECT_EQ(client.HandleResponse(*view, signature), LongTermClient::Verdict::kAccept);
  EXPECT_EQ(view->GetXorAddress(AttributeType::kXorMappedAddress), kAsker);
  // RFC 8489 section 6.3: authentication comes before unknown attributes.
  const auto unknown = Ask(server, Sign(client, signature, static_cast<AttributeType>(0x7001)));
  const auto unknown_view = MessageView::Parse(unknown->payload);
  EXPECT_EQ(unknown_view->GetErrorCode()->code, 420);
  EXPECT_EQ(client.HandleResponse(*unknown_view, signature), LongTermClient::Verdict::kAccept);
  const auto unsigned_unknown = Ask(server, Request("7001 0000"));
  EXPECT_EQ(MessageView::Parse(unsigned_unknown->payload)->GetErrorCode()->code, 401);
  // A classic client can't authenticate.
  EXPECT_FALSE(Ask(server, *FromHex("0001 0000 00112233445566778899aabbccddeeff")));
}

TEST_F(AuthenticatedServerTest, RedirectsOnlyWhoIsAuthenticated) {
  config_.redirect_to = {*TransportAddress::Parse("[2001:db8::9]:3478"),
                         *TransportAddress::Parse("192.0.2.9:3478")};
  config_.redirect_domain = "other.example.org";
  Server server(config_, rng_);
  LongTermClient client("alice", "secret");
  LongTermClient::Signature signature;
  const auto challenge = Ask(server, Sign(client, signature));
  EXPECT_EQ(MessageView::Parse(challenge->payload)->GetErrorCode()->code, 401);
  client.HandleResponse(*MessageView::Parse(challenge->payload), signature);
  const auto answer = Ask(server, Sign(client, signature));
  const auto view = MessageView::Parse(answer->payload);
  EXPECT_EQ(view->GetErrorCode()->code, 300);
  EXPECT_EQ(client.HandleResponse(*view, signature), LongTermClient::Verdict::kAccept);
  EXPECT_EQ(view->GetAddress(AttributeType::kAlternateServer),
            TransportAddress::Parse("192.0.2.9:3478"));
  EXPECT_EQ(view->GetString(AttributeType::kAlternateDomain), "other.example.org");
  EXPECT_FALSE(view->Has(AttributeType::kOtherAddress));
}

}  // namespace
}  // namespace rtclab::stun
