// The server's answers to single requests: every error code in its place, by requests the client would never make.
#include "stack/turn/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "stack/stun/long_term_client.h"
#include "stack/turn/attributes.h"
#include "stack/turn/test_network.h"

namespace rtclab::turn {
namespace {

using stun::AttributeType;
using stun::MessageBuilder;
using stun::MessageClass;
using stun::MessageView;
using stun::Method;

const TransportAddress kClient = Address("192.0.2.10:4000");
const TransportAddress kServer = Address("198.51.100.1:3478");
const TransportAddress kPeer = Address("203.0.113.5:7000");
const TransportAddress kPeer6 = Address("[2001:db8:5::5]:7000");

using Fill = std::function<void(MessageBuilder&)>;

// One server and hands to write requests with. Sockets are bound at once.
class ServerTest : public testing::Test {
 protected:
  ServerTest() { Use(DefaultServerConfig()); }

  void Use(ServerConfig config) {
    rng_.emplace(7);
    server_ = std::make_unique<Server>(std::move(config), *rng_);
    credentials_.emplace(std::string(kUser), std::string(kPassword));
  }

  // What the server sends back, relayed data included.
  std::vector<Transmit> Push(const TransportAddress& from, const TransportAddress& to,
                             const Bytes& payload) {
    server_->HandlePacket(now_, {from, to, payload});
    return Collect();
  }
  std::vector<Transmit> Collect() {
    std::vector<Transmit> out;
    Drain(
        *server_, [&](Transmit&& t) { out.push_back(std::move(t)); },
        [&](ServerEvent&& event) {
          if (const auto* wanted = std::get_if<RelayWanted>(&event)) {
            if (bind_) server_->RelayBound(now_, wanted->id);
            wanted_.push_back(*wanted);
          }
          events_.push_back(std::move(event));
        });
    return out;
  }

  // An authenticated request; the answer's bytes. Learns realm and nonce on the way.
  Bytes Ask(Method method, const Fill& fill, const TransportAddress& from = kClient,
            const TransportAddress& to = kServer) {
    for (int attempt = 0; attempt < 3; ++attempt) {
      MessageBuilder builder(MessageClass::kRequest, method, stun::NewTransactionId(*rng_));
      fill(builder);
      const auto signature = credentials_->Sign(builder);
      last_request_ = builder.Build();
      const auto answers = Push(from, to, last_request_);
      if (answers.empty()) return {};
      EXPECT_EQ(answers[0].source, to);
      EXPECT_EQ(answers[0].destination, from);
      const auto view = MessageView::Parse(answers[0].payload);
      EXPECT_TRUE(view);
      const auto verdict = credentials_->HandleResponse(*view, signature);
      if (verdict == stun::LongTermClient::Verdict::kRetry) continue;
      EXPECT_EQ(verdict, stun::LongTermClient::Verdict::kAccept) << credentials_->why();
      return answers[0].payload;
    }
    ADD_FAILURE() << "the server keeps challenging";
    return {};
  }
  // 0 for success, else the error code; -1 without an answer.
  int Code(Method method, const Fill& fill, const TransportAddress& from = kClient,
           const TransportAddress& to = kServer) {
    answer_ = Ask(method, fill, from, to);
    if (answer_.empty()) return -1;
    const auto view = MessageView::Parse(answer_);
    return view->IsSuccess() ? 0 : view->GetErrorCode().value().code;
  }
  int Allocate(const Fill& more = {}, const TransportAddress& from = kClient,
               const TransportAddress& to = kServer) {
    return Code(
        Method::kAllocate,
        [&](MessageBuilder& b) {
          AddRequestedTransport(b, kProtocolUdp);
          if (more) more(b);
        },
        from, to);
  }
  int Permit(const TransportAddress& peer) {
    return Code(Method::kCreatePermission,
                [&](MessageBuilder& b) { b.AddXorAddress(AttributeType::kXorPeerAddress, peer); });
  }
  int Bind(uint16_t number, const TransportAddress& peer) {
    return Code(Method::kChannelBind, [&](MessageBuilder& b) {
      AddChannelNumber(b, number);
      b.AddXorAddress(AttributeType::kXorPeerAddress, peer);
    });
  }
  int Refresh(std::optional<uint32_t> lifetime_s) {
    return Code(Method::kRefresh, [&](MessageBuilder& b) {
      if (lifetime_s) b.AddU32(AttributeType::kLifetime, *lifetime_s);
    });
  }
  MessageView Answer() const { return *MessageView::Parse(answer_); }
  TransportAddress Relayed() const {
    return Answer().GetXorAddress(AttributeType::kXorRelayedAddress).value();
  }
  uint32_t Lifetime() const { return Answer().GetU32(AttributeType::kLifetime).value(); }
  uint64_t Dropped(DropReason reason) const { return server_->counters().dropped(reason); }
  static Bytes SendIndication(const TransportAddress& peer, const Fill& more = {}) {
    MessageBuilder b(MessageClass::kIndication, Method::kSend, stun::TransactionId{9});
    b.AddXorAddress(AttributeType::kXorPeerAddress, peer);
    if (more) more(b);
    b.AddBytes(AttributeType::kData, Text("data"));
    return b.Build();
  }

  Timestamp now_ = Timestamp::Seconds(100);
  std::optional<Rng> rng_;
  std::unique_ptr<Server> server_;
  std::optional<stun::LongTermClient> credentials_;
  Bytes last_request_;
  Bytes answer_;
  bool bind_ = true;
  std::vector<RelayWanted> wanted_;
  std::vector<ServerEvent> events_;
};

// Allocate, RFC 8656 section 7.2.

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

// Permissions, sections 9 and 10.2.

TEST_F(ServerTest, PermissionLastsExactly300Seconds) {
  ASSERT_EQ(Allocate(), 0);
  const TransportAddress relayed = Relayed();
  ASSERT_EQ(Permit(kPeer), 0);
  const Timestamp start = now_;
  // Neither direction of data refreshes it.
  for (int second = 1; second < 300; ++second) {
    now_ = start + TimeDelta::Seconds(second);
    ASSERT_EQ(Push(kPeer, relayed, Text("x")).size(), 1u);
    ASSERT_EQ(Push(kClient, kServer, SendIndication(kPeer)).size(), 1u);
  }
  now_ = start + TimeDelta::Seconds(300) - TimeDelta::Nanos(1);
  EXPECT_EQ(Push(kPeer, relayed, Text("x")).size(), 1u);
  now_ = start + TimeDelta::Seconds(300);
  EXPECT_TRUE(Push(kPeer, relayed, Text("x")).empty());
  EXPECT_TRUE(Push(kClient, kServer, SendIndication(kPeer)).empty());
  EXPECT_EQ(Dropped(DropReason::kNoPermission), 2u);
}

TEST_F(ServerTest, ChannelBindRefreshesThePermission) {
  ASSERT_EQ(Allocate(), 0);
  const TransportAddress relayed = Relayed();
  ASSERT_EQ(Permit(kPeer), 0);
  now_ += TimeDelta::Seconds(200);
  ASSERT_EQ(Bind(0x4000, kPeer), 0);
  now_ += TimeDelta::Seconds(299);
  EXPECT_EQ(Push(kPeer, relayed, Text("x")).size(), 1u);
}

TEST_F(ServerTest, CreatePermissionNeedsSoundPeers) {
  ASSERT_EQ(Allocate(), 0);
  EXPECT_EQ(Code(Method::kCreatePermission, [](MessageBuilder&) {}), 400);
  const Bytes short_address = {0, 1, 0, 0, 1};
  const Bytes strange_family = {0, 7, 0, 0, 1, 2, 3, 4};
  for (const Bytes& bad : {short_address, strange_family}) {
    EXPECT_EQ(Code(Method::kCreatePermission,
                   [&](MessageBuilder& b) {
                     b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer);
                     b.AddBytes(AttributeType::kXorPeerAddress, bad);
                   }),
              400);
  }
  EXPECT_EQ(Permit(kPeer6), 443);
  EXPECT_EQ(Permit({kPeer.ip, 0}), 0);
}

TEST_F(ServerTest, OneForbiddenPeerSpoilsTheRequest) {
  ASSERT_EQ(Allocate(), 0);
  const TransportAddress relayed = Relayed();
  EXPECT_EQ(Code(Method::kCreatePermission,
                 [](MessageBuilder& b) {
                   b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer);
                   b.AddXorAddress(AttributeType::kXorPeerAddress, Address("127.0.0.1:1"));
                 }),
            403);
  EXPECT_TRUE(Push(kPeer, relayed, Text("x")).empty());
}

TEST_F(ServerTest, ForbiddenPeersAre403) {
  ASSERT_EQ(Allocate(), 0);
  for (const char* peer : {"127.0.0.1:1", "0.0.0.0:1", "10.0.0.1:1", "169.254.169.254:80",
                           "224.0.0.1:1", "255.255.255.255:1", "198.51.100.1:3478"}) {
    EXPECT_EQ(Permit(Address(peer)), 403) << peer;
    EXPECT_EQ(Bind(0x4000, Address(peer)), 403) << peer;
  }
  EXPECT_EQ(Bind(0x4000, {kPeer.ip, 0}), 403);
  ASSERT_EQ(Refresh(0), 0);
  ASSERT_EQ(Allocate([](MessageBuilder& b) {
              AddFamily(b, AttributeType::kRequestedAddressFamily, AddressFamily::kIpv6);
            }),
            0);
  for (const char* peer : {"[::1]:1", "[::]:1", "[fe80::1]:1", "[fd00::1]:1", "[ff02::1]:1",
                           "[::ffff:127.0.0.1]:1", "[2002:c000:201::1]:1", "[2001::1]:1"}) {
    EXPECT_EQ(Permit(Address(peer)), 403) << peer;
    EXPECT_EQ(Bind(0x4000, Address(peer)), 403) << peer;
  }
}

TEST_F(ServerTest, SendToAListeningPortIsRefusedEvenWithThePermission) {
  ServerConfig config = DefaultServerConfig();
  config.relay_addresses = {kServer.ip};
  Use(config);
  ASSERT_EQ(Allocate(), 0);
  ASSERT_EQ(Permit(kServer), 0);  // other clients of this server meet at this IP address
  EXPECT_TRUE(Push(kClient, kServer, SendIndication(kServer)).empty());
  EXPECT_EQ(Dropped(DropReason::kPeerRefused), 1u);
  EXPECT_EQ(Bind(0x4000, kServer), 403);
  EXPECT_EQ(Push(kClient, kServer, SendIndication({kServer.ip, 50000})).size(), 1u);
}

TEST_F(ServerTest, PermissionsAndChannelsAreLimited) {
  ServerConfig config = DefaultServerConfig();
  config.max_permissions = 2;
  config.max_channels = 1;
  Use(config);
  ASSERT_EQ(Allocate(), 0);
  ASSERT_EQ(Bind(0x4000, kPeer), 0);
  ASSERT_EQ(Permit(Address("203.0.113.6:1")), 0);
  EXPECT_EQ(Permit(Address("203.0.113.7:1")), 508);
  EXPECT_EQ(Permit(kPeer), 0);  // a refresh takes no room
  EXPECT_EQ(Bind(0x4001, {kPeer.ip, 7001}), 508);
  now_ += TimeDelta::Seconds(300);
  EXPECT_EQ(Permit(Address("203.0.113.7:1")), 0);  // in the place of the one that has expired
}

// Send, section 11.2.

TEST_F(ServerTest, BrokenSendIndicationsAreDropped) {
  ASSERT_EQ(Allocate(), 0);
  ASSERT_EQ(Permit(kPeer), 0);
  MessageBuilder no_peer(MessageClass::kIndication, Method::kSend, stun::TransactionId{9});
  no_peer.AddBytes(AttributeType::kData, Text("x"));
  EXPECT_TRUE(Push(kClient, kServer, no_peer.Build()).empty());
  MessageBuilder no_data(MessageClass::kIndication, Method::kSend, stun::TransactionId{9});
  no_data.AddXorAddress(AttributeType::kXorPeerAddress, kPeer);
  EXPECT_TRUE(Push(kClient, kServer, no_data.Build()).empty());
  EXPECT_EQ(Dropped(DropReason::kMalformed), 2u);
  EXPECT_TRUE(
      Push(kClient, kServer,
           SendIndication(
               kPeer, [](MessageBuilder& b) { b.AddU32(static_cast<AttributeType>(0x7ffe), 1); }))
          .empty());
  EXPECT_EQ(Dropped(DropReason::kUnknownAttribute), 1u);
  EXPECT_TRUE(Push(kClient, kServer, SendIndication(kPeer6)).empty());
  EXPECT_EQ(Dropped(DropReason::kPeerFamily), 1u);
}

TEST_F(ServerTest, TruncatedMessagesDoNothing) {
  ASSERT_EQ(Allocate(), 0);
  ASSERT_EQ(Bind(0x4000, kPeer), 0);
  const Bytes send = SendIndication(kPeer);
  const Bytes channel_data = {0x40, 0x00, 0x00, 0x03, 'a', 'b', 'c'};
  for (const Bytes& whole : {send, channel_data}) {
    ASSERT_EQ(Push(kClient, kServer, whole).size(), 1u);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_TRUE(
          Push(kClient, kServer, Bytes(whole.begin(), whole.begin() + static_cast<long>(size)))
              .empty())
          << size;
    }
  }
}

TEST_F(ServerTest, HugeDatagramsAreNotWrapped) {
  ASSERT_EQ(Allocate(), 0);
  const TransportAddress relayed = Relayed();
  ASSERT_EQ(Permit(kPeer), 0);
  EXPECT_TRUE(Push(kPeer, relayed, Bytes(65'507)).empty());
  EXPECT_EQ(Dropped(DropReason::kTooLarge), 1u);
  EXPECT_EQ(Push(kPeer, relayed, Bytes(64'000)).size(), 1u);
}

// Channels, section 12.

TEST_F(ServerTest, ChannelNumbersHaveARange) {
  ASSERT_EQ(Allocate(), 0);
  for (const int bad : {0x0000, 0x3fff, 0x5000, 0x7ffe, 0x7fff, 0x8000, 0xffff}) {
    EXPECT_EQ(Bind(static_cast<uint16_t>(bad), kPeer), 400) << bad;
  }
  EXPECT_EQ(Bind(0x4000, kPeer), 0);
  EXPECT_EQ(Bind(0x4fff, {kPeer.ip, 7001}), 0);
  EXPECT_EQ(Code(Method::kChannelBind,
                 [](MessageBuilder& b) { b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer); }),
            400);
  EXPECT_EQ(Code(Method::kChannelBind, [](MessageBuilder& b) { AddChannelNumber(b, 0x4001); }),
            400);
  EXPECT_EQ(Code(Method::kChannelBind,
                 [](MessageBuilder& b) {
                   b.AddU16(AttributeType::kChannelNumber, 0x4001);
                   b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer);
                 }),
            400);
  EXPECT_EQ(Code(Method::kChannelBind,
                 [](MessageBuilder& b) {
                   b.AddU32(AttributeType::kChannelNumber, 0x4002ffff);  // RFFU is ignored
                   b.AddXorAddress(AttributeType::kXorPeerAddress, {kPeer.ip, 7002});
                 }),
            0);
  EXPECT_EQ(Bind(0x4003, kPeer6), 443);
}

TEST_F(ServerTest, ChannelsAreOneToOneForTenMinutes) {
  ASSERT_EQ(Allocate([](MessageBuilder& b) { b.AddU32(AttributeType::kLifetime, 3600); }), 0);
  const TransportAddress other = {kPeer.ip, 7001};
  const Timestamp start = now_;
  ASSERT_EQ(Bind(0x4000, kPeer), 0);
  EXPECT_EQ(Bind(0x4000, other), 400);
  EXPECT_EQ(Bind(0x4001, kPeer), 400);
  EXPECT_EQ(Bind(0x4001, other), 0);
  now_ = start + TimeDelta::Seconds(600) - TimeDelta::Nanos(1);
  EXPECT_EQ(Bind(0x4000, {kPeer.ip, 7002}), 400);
  EXPECT_EQ(Push(kClient, kServer, {0x40, 0x00, 0, 1, 'x'}).size(), 1u);
  now_ = start + TimeDelta::Seconds(600);
  EXPECT_TRUE(Push(kClient, kServer, {0x40, 0x00, 0, 1, 'x'}).empty());
  EXPECT_EQ(Dropped(DropReason::kUnboundChannel), 1u);
  EXPECT_EQ(Bind(0x4000, other), 0);  // both sides were free again
  EXPECT_EQ(Bind(0x4001, kPeer), 0);
  EXPECT_EQ(Push(kClient, kServer, {0x40, 0x00, 0, 1, 'x'})[0].destination, other);
}

TEST_F(ServerTest, RebindingRefreshesTheChannel) {
  ASSERT_EQ(Allocate([](MessageBuilder& b) { b.AddU32(AttributeType::kLifetime, 3600); }), 0);
  const TransportAddress relayed = Relayed();
  ASSERT_EQ(Bind(0x4000, kPeer), 0);
  now_ += TimeDelta::Seconds(599);
  ASSERT_EQ(Bind(0x4000, kPeer), 0);
  now_ += TimeDelta::Seconds(299);
  const auto to_client = Push(kPeer, relayed, Text("x"));
  ASSERT_EQ(to_client.size(), 1u);
  EXPECT_EQ(to_client[0].payload, (Bytes{0x40, 0x00, 0, 1, 'x'}));
  now_ += TimeDelta::Seconds(1);  // the permission ends before the channel
  EXPECT_TRUE(Push(kPeer, relayed, Text("x")).empty());
}

TEST_F(ServerTest, PaddedAndReservedChannelData) {
  ASSERT_EQ(Allocate(), 0);
  ASSERT_EQ(Bind(0x4000, kPeer), 0);
  const auto padded = Push(kClient, kServer, {0x40, 0x00, 0, 1, 'x', 0, 0, 0});
  ASSERT_EQ(padded.size(), 1u);
  EXPECT_EQ(Text(padded[0].payload), "x");
  const auto empty = Push(kClient, kServer, {0x40, 0x00, 0, 0});
  ASSERT_EQ(empty.size(), 1u);
  EXPECT_TRUE(empty[0].payload.empty());
  EXPECT_TRUE(Push(kClient, kServer, {0x50, 0x00, 0, 1, 'x'}).empty());
  EXPECT_TRUE(Push(kClient, kServer, {0x4f, 0xee, 0, 1, 'x'}).empty());
  EXPECT_TRUE(Push(kClient, kServer, {}).empty());
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
