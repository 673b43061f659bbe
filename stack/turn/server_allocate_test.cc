// The server's answers to Allocate (RFC 8656 section 7.2): every wish, limit and error code in its place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/turn/server_fixture.h"

namespace rtclab::turn {
namespace {

TEST_F(ServerTest, UnsignedRequestsAreChallenged) {
  const Bytes request = {0x00, 0x03, 0x00, 0x08, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3,  4, 5, 6,
                         7,    8,    9,    10,   11,   12,   0x00, 0x19, 0, 4, 17, 0, 0, 0};
  const auto answers = Push(kClient, kServer, request);
  ASSERT_EQ(answers.size(), 1u);
  const auto view = MessageView::Parse(answers[0].payload);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->GetErrorCode()->code, 401);
  EXPECT_EQ(view->GetString(AttributeType::kRealm), kRealm);
  EXPECT_TRUE(view->Has(AttributeType::kNonce));
  EXPECT_EQ(server_->allocation_count(), 0u);
}

TEST_F(ServerTest, SuccessCarriesWhatSection72Lists) {
  ASSERT_EQ(Allocate(), 0);
  EXPECT_EQ(Relayed().ip, Ip("198.51.100.2"));
  EXPECT_EQ(Lifetime(), 600u);
  EXPECT_EQ(Answer().GetXorAddress(AttributeType::kXorMappedAddress), kClient);
  EXPECT_EQ(Answer().GetString(AttributeType::kSoftware), "rtclab");
  EXPECT_TRUE(Answer().HasIntegrity() || Answer().HasIntegritySha256());
  EXPECT_TRUE(Answer().VerifyFingerprint());
}

TEST_F(ServerTest, SecondAllocateOnA5TupleIs437) {
  ASSERT_EQ(Allocate(), 0);
  EXPECT_EQ(Allocate(), 437);
  EXPECT_EQ(server_->allocation_count(), 1u);
}

TEST_F(ServerTest, RetransmittedAllocateGetsTheSameAnswerFor40Seconds) {
  ASSERT_EQ(Allocate(), 0);
  const Bytes request = last_request_;
  now_ += TimeDelta::Seconds(40) - TimeDelta::Nanos(1);
  auto again = Push(kClient, kServer, request);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].payload, answer_);
  EXPECT_EQ(server_->allocation_count(), 1u);
  now_ += TimeDelta::Nanos(1);
  again = Push(kClient, kServer, request);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(MessageView::Parse(again[0].payload)->GetErrorCode()->code, 437);
}

TEST_F(ServerTest, RetransmissionWhileTheSocketIsBoundIsNotAnswered) {
  bind_ = false;
  EXPECT_EQ(Allocate(), -1);
  EXPECT_TRUE(Push(kClient, kServer, last_request_).empty());
  EXPECT_EQ(Refresh(600), 437);  // there is no allocation yet
  EXPECT_EQ(Allocate(), 437);    // but another Allocate is too late
  ASSERT_EQ(wanted_.size(), 1u);
  server_->RelayBound(now_, wanted_[0].id);
  const auto answers = Collect();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(MessageView::Parse(answers[0].payload)->IsSuccess());
}

TEST_F(ServerTest, RequestedTransportMustBeUdp) {
  EXPECT_EQ(Code(Method::kAllocate, [](MessageBuilder&) {}), 400);
  EXPECT_EQ(Code(Method::kAllocate,
                 [](MessageBuilder& b) { b.AddU16(AttributeType::kRequestedTransport, 0x1100); }),
            400);
  for (const uint8_t protocol : {uint8_t{6}, uint8_t{132}, uint8_t{1}, uint8_t{255}}) {
    EXPECT_EQ(
        Code(Method::kAllocate, [&](MessageBuilder& b) { AddRequestedTransport(b, protocol); }),
        442);
  }
  EXPECT_EQ(Code(Method::kAllocate,
                 [](MessageBuilder& b) {
                   b.AddU32(AttributeType::kRequestedTransport, 0x11ffffff);  // RFFU is ignored
                 }),
            0);
}

TEST_F(ServerTest, UnknownRequiredAttributesAre420AndListed) {
  const auto fill = [](MessageBuilder& b) {
    b.AddU32(static_cast<AttributeType>(0x7ffe), 1);
    b.AddU32(static_cast<AttributeType>(0x7ffd), 1);
    b.AddU32(static_cast<AttributeType>(0xbffe), 1);  // optional
  };
  EXPECT_EQ(Allocate(fill), 420);
  EXPECT_EQ(Answer().GetUnknownAttributes(),
            (std::vector{static_cast<AttributeType>(0x7ffe), static_cast<AttributeType>(0x7ffd)}));
  EXPECT_TRUE(Answer().HasIntegrity() || Answer().HasIntegritySha256());
}

TEST_F(ServerTest, DontFragmentIs420WhereDfCannotBeSet) {
  ServerConfig config = DefaultServerConfig();
  config.dont_fragment = false;
  Use(config);
  EXPECT_EQ(Allocate([](MessageBuilder& b) { b.AddFlag(AttributeType::kDontFragment); }), 420);
  EXPECT_EQ(Answer().GetUnknownAttributes(), (std::vector{AttributeType::kDontFragment}));
  ASSERT_EQ(Allocate(), 0);
  ASSERT_EQ(Permit(kPeer), 0);
  EXPECT_TRUE(Push(kClient, kServer,
                   SendIndication(
                       kPeer, [](MessageBuilder& b) { b.AddFlag(AttributeType::kDontFragment); }))
                  .empty());
  EXPECT_EQ(Dropped(DropReason::kUnknownAttribute), 1u);
}

TEST_F(ServerTest, ReservationTokenExcludesOtherWishes) {
  const auto with = [](const Fill& other) {
    return [other](MessageBuilder& b) {
      b.AddU64(AttributeType::kReservationToken, 5);
      if (other) other(b);
    };
  };
  EXPECT_EQ(Allocate(with([](MessageBuilder& b) { AddEvenPort(b, false); })), 400);
  for (const auto type :
       {AttributeType::kRequestedAddressFamily, AttributeType::kAdditionalAddressFamily}) {
    EXPECT_EQ(Allocate(with([&](MessageBuilder& b) { AddFamily(b, type, AddressFamily::kIpv6); })),
              400);
  }
  EXPECT_EQ(Allocate(with({})), 508);
  EXPECT_EQ(Allocate([](MessageBuilder& b) { b.AddU32(AttributeType::kReservationToken, 5); }),
            400);
}

TEST_F(ServerTest, FamiliesAreChecked) {
  const auto requested = [](uint32_t value) {
    return [value](MessageBuilder& b) { b.AddU32(AttributeType::kRequestedAddressFamily, value); };
  };
  const auto additional = [](uint32_t value) {
    return [value](MessageBuilder& b) { b.AddU32(AttributeType::kAdditionalAddressFamily, value); };
  };
  EXPECT_EQ(Allocate(requested(0x05000000)), 440);
  EXPECT_EQ(Allocate(additional(0x01000000)), 400);
  EXPECT_EQ(Allocate(additional(0x05000000)), 400);
  EXPECT_EQ(Allocate([&](MessageBuilder& b) {
              requested(0x02000000)(b);
              additional(0x02000000)(b);
            }),
            400);
  EXPECT_EQ(Allocate([&](MessageBuilder& b) {
              AddEvenPort(b, true);
              additional(0x02000000)(b);
            }),
            400);
  EXPECT_EQ(
      Allocate([](MessageBuilder& b) { b.AddU16(AttributeType::kRequestedAddressFamily, 0x0200); }),
      400);
  EXPECT_EQ(Allocate(requested(0x02ffffff)), 0);  // reserved bits are ignored
  EXPECT_TRUE(Relayed().ip.IsV6());
}

TEST_F(ServerTest, FamilyWithoutRelayAddressIs440) {
  ServerConfig config = DefaultServerConfig();
  config.relay_addresses = {Ip("2001:db8::2")};
  Use(config);
  EXPECT_EQ(Allocate(), 440);  // no family means IPv4
  config.relay_addresses = {Ip("198.51.100.2")};
  Use(config);
  EXPECT_EQ(Allocate([](MessageBuilder& b) {
              AddFamily(b, AttributeType::kRequestedAddressFamily, AddressFamily::kIpv6);
            }),
            440);
}

TEST_F(ServerTest, PartialDualAllocationExplainsItself) {
  ServerConfig config = DefaultServerConfig();
  config.relay_addresses = {Ip("198.51.100.2")};
  Use(config);
  ASSERT_EQ(Allocate([](MessageBuilder& b) {
              AddFamily(b, AttributeType::kAdditionalAddressFamily, AddressFamily::kIpv6);
            }),
            0);
  const Bytes value = [&] {
    const ByteView v = Answer().Find(AttributeType::kAddressErrorCode).value();
    return Bytes(v.begin(), v.end());
  }();
  ASSERT_GE(value.size(), 4u);
  EXPECT_EQ((Bytes{value.begin(), value.begin() + 4}), (Bytes{0x02, 0x00, 0x04, 40}));
}

TEST_F(ServerTest, PortsRunOut) {
  ServerConfig config = DefaultServerConfig();
  config.relay_addresses = {Ip("198.51.100.2")};
  config.min_port = 50000;
  config.max_port = 50002;
  Use(config);
  std::vector<uint16_t> ports;
  for (uint16_t i = 0; i < 2; ++i) {
    ASSERT_EQ(Allocate([](MessageBuilder& b) { AddEvenPort(b, false); },
                       {kClient.ip, static_cast<uint16_t>(4000 + i)}),
              0);
    ports.push_back(Relayed().port);
  }
  EXPECT_THAT(ports, testing::UnorderedElementsAre(50000, 50002));
  EXPECT_EQ(Allocate([](MessageBuilder& b) { AddEvenPort(b, false); }, {kClient.ip, 5000}), 508);
  EXPECT_EQ(Allocate({}, {kClient.ip, 5000}), 0);
  EXPECT_EQ(Relayed().port, 50001);
  EXPECT_EQ(Allocate({}, {kClient.ip, 5001}), 508);
}

TEST_F(ServerTest, EvenPortIgnoresReservedBits) {
  ASSERT_EQ(Allocate([](MessageBuilder& b) { b.AddU8(AttributeType::kEvenPort, 0x7f); }), 0);
  EXPECT_EQ(Relayed().port % 2, 0);
  EXPECT_FALSE(Answer().Has(AttributeType::kReservationToken));
}

TEST_F(ServerTest, RelayedPortsAreRandomUniqueAndDynamic) {
  std::set<uint16_t> ports;
  int ascending = 0;
  uint16_t last = 0;
  for (uint16_t i = 0; i < 80; ++i) {
    ASSERT_EQ(Allocate({}, {kClient.ip, static_cast<uint16_t>(4000 + i)}), 0);
    const uint16_t port = Relayed().port;
    EXPECT_GE(port, 49152);
    ports.insert(port);
    ascending += port > last ? 1 : 0;
    last = port;
  }
  EXPECT_EQ(ports.size(), 80u);
  EXPECT_GT(ascending, 20);
  EXPECT_LT(ascending, 60);
}

TEST_F(ServerTest, QuotaIsPerUser) {
  ServerConfig config = DefaultServerConfig();
  config.max_allocations_per_user = 2;
  Use(config);
  for (uint16_t i = 0; i < 2; ++i) {
    ASSERT_EQ(Allocate({}, {kClient.ip, static_cast<uint16_t>(4000 + i)}), 0);
  }
  EXPECT_EQ(Allocate({}, {kClient.ip, 4002}), 486);
  const auto alice = credentials_;
  credentials_.emplace("bob", "builder");
  EXPECT_EQ(Allocate({}, {kClient.ip, 4003}), 0);
  credentials_ = alice;
  EXPECT_EQ(Refresh(0), 0);  // the first of the two
  EXPECT_EQ(Allocate({}, {kClient.ip, 4004}), 0);
}

TEST_F(ServerTest, QuotaOfTimeLimitedUsersForgetsTheExpiry) {
  ServerConfig config = DefaultServerConfig();
  config.max_allocations_per_user = 1;
  config.authentication->credentials =
      std::make_shared<stun::RestCredentials>(std::vector<std::string>{"secret"}, 0);
  config.authentication->time_limited = true;
  Use(config);
  const auto use = [&](int64_t expiry, const char* user) {
    const auto credential = stun::MakeRestCredential("secret", expiry, user);
    credentials_.emplace(credential.username, credential.password);
  };
  use(5000, "alice");
  EXPECT_EQ(Allocate({}, {kClient.ip, 4000}), 0);
  use(6000, "alice");
  EXPECT_EQ(Allocate({}, {kClient.ip, 4001}), 486);
  use(6000, "bob");
  EXPECT_EQ(Allocate({}, {kClient.ip, 4002}), 0);
}

TEST_F(ServerTest, FullServerIs508OrRedirects) {
  ServerConfig config = DefaultServerConfig();
  config.max_allocations = 1;
  Use(config);
  ASSERT_EQ(Allocate(), 0);
  EXPECT_EQ(Allocate({}, {kClient.ip, 4001}), 508);

  config.alternate_servers = {Address("198.51.100.9:3478"), Address("[2001:db8::9]:3478")};
  Use(config);
  ASSERT_EQ(Allocate(), 0);
  EXPECT_EQ(Allocate({}, {kClient.ip, 4001}), 300);
  EXPECT_EQ(Answer().GetAddresses(AttributeType::kAlternateServer), config.alternate_servers);
  EXPECT_EQ(Allocate({}, Address("[2001:db8:a::1]:4001"), Address("[2001:db8::1]:3478")), 300);
  EXPECT_EQ(Answer().GetAddress(AttributeType::kAlternateServer), Address("[2001:db8::9]:3478"));
  EXPECT_FALSE(Answer().Has(AttributeType::kAlternateDomain));
}

// RFC 8489 sections 10 and 14.8.
TEST_F(ServerTest, RedirectsAreSignedAndMayNameADomain) {
  ServerConfig config = DefaultServerConfig();
  config.alternate_servers = {Address("198.51.100.9:3478")};
  config.alternate_domain = "turn.example.net";
  config.redirect_all = true;
  Use(config);
  EXPECT_EQ(Allocate(), 300);
  EXPECT_EQ(Answer().GetString(AttributeType::kAlternateDomain), "turn.example.net");
  EXPECT_TRUE(Answer().HasIntegritySha256());
  config.authentication.reset();  // nobody could sign it
  Use(config);
  EXPECT_EQ(Allocate(), 0);
}

TEST_F(ServerTest, TunnelledClientsAreRefused) {
  const TransportAddress server6 = Address("[2001:db8::1]:3478");
  EXPECT_EQ(Allocate({}, Address("[2002:c000:20a::1]:4000"), server6), 403);
  EXPECT_EQ(Allocate({}, Address("[2001::1]:4000"), server6), 403);
}

TEST_F(ServerTest, LifetimeIsBetweenDefaultAndMaximum) {
  const auto with = [](uint32_t seconds) {
    return [seconds](MessageBuilder& b) { b.AddU32(AttributeType::kLifetime, seconds); };
  };
  const std::pair<uint32_t, uint32_t> rows[] = {
      {0, 600}, {1, 600}, {599, 600}, {601, 601}, {1200, 1200}, {3600, 3600}, {0xffffffff, 3600}};
  uint16_t port = 4000;
  for (const auto& [asked, granted] : rows) {
    ASSERT_EQ(Allocate(with(asked), {kClient.ip, port++}), 0);
    EXPECT_EQ(Lifetime(), granted) << asked;
  }
  EXPECT_EQ(Allocate([](MessageBuilder& b) { b.AddU16(AttributeType::kLifetime, 700); },
                     {kClient.ip, port}),
            400);
}

TEST_F(ServerTest, UserhashIsAccepted) {
  // The security feature bit makes the client use USERHASH; no request after the challenge names the user.
  ASSERT_EQ(Allocate(), 0);
  const auto view = MessageView::Parse(last_request_);
  EXPECT_TRUE(view->Has(AttributeType::kUserhash));
  EXPECT_FALSE(view->Has(AttributeType::kUsername));
}

TEST_F(ServerTest, StaleNonceIs438AndTheNextOneWorks) {
  ServerConfig config = DefaultServerConfig();
  config.authentication->long_term.nonce_lifetime = TimeDelta::Seconds(60);
  Use(config);
  ASSERT_EQ(Allocate(), 0);
  now_ += TimeDelta::Seconds(61);
  MessageBuilder builder(MessageClass::kRequest, Method::kRefresh, stun::TransactionId{1});
  credentials_->Sign(builder);
  const auto answers = Push(kClient, kServer, builder.Build());
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(MessageView::Parse(answers[0].payload)->GetErrorCode()->code, 438);
  EXPECT_EQ(Refresh(600), 0);
}

}  // namespace
}  // namespace rtclab::turn
