// Third-party authorization (RFC 7635) at the server.
#include <gtest/gtest.h>

#include "stack/turn/server_fixture.h"

namespace rtclab::turn {
namespace {

constexpr TimeDelta kUnixAtZero = TimeDelta::Seconds(1'700'000'000);
constexpr std::string_view kOauthServer = "turn.example.org";

class OauthTest : public ServerTest {
 protected:
  OauthTest() { Use(OauthConfig()); }

  static AccessTokenKey MasterKey() { return {"north", Bytes(32, 0x11), crypto::Aead::kAes256Gcm}; }
  static AccessTokenKey OtherKey() { return {"south", Bytes(16, 0x22), crypto::Aead::kAes128Gcm}; }
  static ServerConfig OauthConfig() {
    ServerConfig config = DefaultServerConfig();
    config.unix_time_at_zero = kUnixAtZero;
    config.tcp_relay = true;
    config.authentication->third_party =
        ThirdPartyAuthorization{std::string(kOauthServer), {MasterKey(), OtherKey()}};
    return config;
  }
  AccessToken Contents(uint32_t lifetime_s = 3600) const {
    return {Bytes(20, 0x33), TokenTime::FromUnix(kUnixAtZero + (now_ - Timestamp::Zero())),
            lifetime_s};
  }
  static Bytes Token(const AccessToken& contents, const AccessTokenKey& key = MasterKey()) {
    return MakeAccessToken(key, kOauthServer, contents, Bytes(12, 0x44));
  }

  struct Signing {
    std::string kid = "north";
    Bytes mac_key = Bytes(20, 0x33);
    std::optional<Bytes> token;
    bool sha256 = false;
    bool sign = true;
    bool realm = true;
  };
  // A request with the server's own nonce for this client.
  int Ask7635(const FiveTuple& tuple, Method method, const Signing& how, const Fill& fill = {}) {
    const auto key = stun::IntegrityKey::FromBytes(how.mac_key);
    for (int attempt = 0; attempt < 2; ++attempt) {
      MessageBuilder b(MessageClass::kRequest, method, stun::NewTransactionId(*rng_));
      if (method == Method::kAllocate) AddRequestedTransport(b, protocol_);
      if (fill) fill(b);
      if (how.token) b.AddBytes(AttributeType::kAccessToken, *how.token);
      b.AddString(AttributeType::kUsername, how.kid);
      if (how.realm) b.AddString(AttributeType::kRealm, kRealm);
      b.AddString(AttributeType::kNonce, nonce_);
      if (how.sign && how.sha256) b.AddMessageIntegritySha256(key);
      if (how.sign && !how.sha256) b.AddMessageIntegrity(key);
      const auto answers = PushOn(tuple, b.Build());
      if (answers.empty()) return -1;
      answer_ = answers[0];
      if (const auto nonce = Answer().GetString(AttributeType::kNonce)) nonce_ = *nonce;
      if (Answer().IsSuccess()) {
        EXPECT_EQ(Answer().HasIntegritySha256(), how.sha256);
        EXPECT_TRUE(how.sha256 ? Answer().VerifyIntegritySha256(key)
                               : Answer().VerifyIntegrity(key));
        return 0;
      }
      if (Answer().GetErrorCode()->code != 438) return Answer().GetErrorCode()->code;
    }
    return 438;
  }
  int AllocateWith(const Bytes& token, const Fill& fill = {}) {
    Signing how;
    how.token = token;
    return Ask7635(tuple_, Method::kAllocate, how, fill);
  }

  const FiveTuple tuple_ = Over(ClientTransport::kUdp);
  uint8_t protocol_ = kProtocolUdp;
  std::string nonce_ = "none yet";
};

TEST_F(OauthTest, TheChallengeNamesTheServer) {
  MessageBuilder b(MessageClass::kRequest, Method::kAllocate, stun::TransactionId{1});
  AddRequestedTransport(b, kProtocolUdp);
  answer_ = PushOn(tuple_, b.Build()).at(0);
  EXPECT_EQ(Answer().GetErrorCode()->code, 401);
  EXPECT_EQ(Answer().GetString(AttributeType::kThirdPartyAuthorization), kOauthServer);
  EXPECT_TRUE(Answer().Has(AttributeType::kNonce));
  EXPECT_TRUE(Answer().Has(AttributeType::kSoftware));
}

TEST_F(OauthTest, AGoodTokenAllocates) {
  EXPECT_EQ(AllocateWith(Token(Contents())), 0);
  EXPECT_EQ(EventsOf<AllocationCreated>().at(0).username, "north");
  Signing how;
  how.kid = "south";
  how.token = Token(Contents(), OtherKey());
  EXPECT_EQ(Ask7635(Over(ClientTransport::kUdp, 4001), Method::kAllocate, how), 0);
  how.sha256 = true;
  EXPECT_EQ(Ask7635(Over(ClientTransport::kUdp, 4002), Method::kAllocate, how), 0);
}

TEST_F(OauthTest, PasswordsStillWork) {
  EXPECT_EQ(Allocate(), 0);
  ServerConfig config = OauthConfig();
  config.authentication->credentials = nullptr;
  Use(config);
  EXPECT_EQ(AllocateWith(Token(Contents())), 0);
}

TEST_F(OauthTest, BadTokensAre401) {
  const Bytes good = Token(Contents());
  for (std::size_t size = 0; size < good.size(); ++size) {
    ASSERT_EQ(AllocateWith(Bytes(good.begin(), good.begin() + static_cast<long>(size))), 401)
        << size;
  }
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes altered = good;
    altered[i] ^= 0x10;
    ASSERT_EQ(AllocateWith(altered), 401) << i;
  }
  for (const int length : {0, 65'535}) {
    Bytes altered = good;
    StoreU16(altered.data(), static_cast<uint16_t>(length));
    EXPECT_EQ(AllocateWith(altered), 401) << length;
  }
  EXPECT_EQ(AllocateWith(Token(Contents(), OtherKey())), 401);  // not sealed with the kid's key
  EXPECT_EQ(AllocateWith(MakeAccessToken(MasterKey(), "elsewhere", Contents(), Bytes(12, 1))), 401);
  EXPECT_EQ(Answer().GetString(AttributeType::kThirdPartyAuthorization), kOauthServer);
  EXPECT_EQ(AllocateWith(good), 0);
}

TEST_F(OauthTest, TokensAreForTheirTime) {
  const Bytes token = Token(Contents(100));
  now_ += TimeDelta::Seconds(105) - TimeDelta::Millis(1);
  EXPECT_EQ(AllocateWith(token), 0);
  now_ += TimeDelta::Seconds(10);  // the allocation has ended as well
  EXPECT_EQ(server_->NextTimeout() <= now_, true);
  EXPECT_EQ(AllocateWith(token), 401);
  AccessToken future = Contents(100);
  future.timestamp = TokenTime::FromUnix(kUnixAtZero + TimeDelta::Seconds(100'000));
  EXPECT_EQ(AllocateWith(Token(future)), 401);
}

TEST_F(OauthTest, SignatureAndFormAreChecked) {
  Signing how;
  how.token = Token(Contents());
  how.mac_key = Bytes(20, 0x34);
  EXPECT_EQ(Ask7635(tuple_, Method::kAllocate, how), 401);
  how.mac_key = {};
  EXPECT_EQ(Ask7635(tuple_, Method::kAllocate, how), 401);
  how = Signing{};
  how.token = Token(Contents());
  how.kid = "west";
  EXPECT_EQ(Ask7635(tuple_, Method::kAllocate, how), 401);
  how.kid = "north";
  how.sign = false;
  EXPECT_EQ(Ask7635(tuple_, Method::kAllocate, how), 401);
  how.sign = true;
  how.realm = false;
  EXPECT_EQ(Ask7635(tuple_, Method::kAllocate, how), 400);
  how.realm = true;
  nonce_ = "made up";
  EXPECT_EQ(Ask7635(tuple_, Method::kAllocate, how), 0);  // by way of 438
  how.token.reset();
  EXPECT_EQ(Ask7635(Over(ClientTransport::kUdp, 4001), Method::kAllocate, how), 401);
}

// Section 9: lifetime + 5 s - age, and never more than the token's lifetime.
TEST_F(OauthTest, LifetimeIsCappedByTheToken) {
  const Bytes token = Token(Contents(100));
  const auto long_life = [](MessageBuilder& b) { b.AddU32(AttributeType::kLifetime, 3000); };
  ASSERT_EQ(AllocateWith(token, long_life), 0);
  EXPECT_EQ(Lifetime(), 100u);
  now_ += TimeDelta::Seconds(50);
  Signing how;
  how.token = token;
  ASSERT_EQ(Ask7635(tuple_, Method::kRefresh, how, long_life), 0);
  EXPECT_EQ(Lifetime(), 55u);
  EXPECT_EQ(server_->NextTimeout(), now_ + TimeDelta::Seconds(55));
  // A new token takes over, with its own key.
  AccessToken next = Contents(1000);
  next.mac_key = Bytes(20, 0x55);
  how.token = Token(next);
  how.mac_key = next.mac_key;
  ASSERT_EQ(Ask7635(tuple_, Method::kRefresh, how, long_life), 0);
  EXPECT_EQ(Lifetime(), 1000u);
  how.token.reset();
  EXPECT_EQ(Ask7635(tuple_, Method::kRefresh, how), 0);
}

// Section 9: only Allocate and Refresh carry the token.
TEST_F(OauthTest, OtherRequestsAreSignedWithTheSessionKey) {
  ASSERT_EQ(AllocateWith(Token(Contents())), 0);
  const auto peer = [](MessageBuilder& b) {
    b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer);
  };
  EXPECT_EQ(Ask7635(tuple_, Method::kCreatePermission, {}, peer), 0);
  Signing wrong;
  wrong.mac_key = Bytes(20, 0x77);
  EXPECT_EQ(Ask7635(tuple_, Method::kCreatePermission, wrong, peer), 401);
  EXPECT_EQ(Permit(kPeer), 441);  // alice, with her password
}

TEST_F(OauthTest, DataConnectionsUseTheSessionKey) {
  protocol_ = kProtocolTcp;
  connect_ = [this](const TcpConnectWanted& wanted) {
    server_->TcpConnected(now_, wanted.connection);
  };
  const FiveTuple control = Over(ClientTransport::kTcp, 5000);
  Signing how;
  how.token = Token(Contents());
  ASSERT_EQ(Ask7635(control, Method::kAllocate, how), 0);
  how.token.reset();
  ASSERT_EQ(
      Ask7635(control, Method::kConnect, how,
              [](MessageBuilder& b) { b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer); }),
      0);
  EXPECT_EQ(Ask7635(Over(ClientTransport::kTcp, 5001), Method::kConnectionBind, how,
                    [&](MessageBuilder& b) {
                      b.AddU32(AttributeType::kConnectionId, static_cast<uint32_t>(connection_));
                    }),
            0);
}

TEST_F(OauthTest, QuotasGoByTokenNotByKid) {
  ServerConfig config = OauthConfig();
  config.max_allocations_per_user = 1;
  Use(config);
  ASSERT_EQ(AllocateWith(Token(Contents())), 0);
  Signing how;
  how.token = Token(Contents());
  EXPECT_EQ(Ask7635(Over(ClientTransport::kUdp, 4001), Method::kAllocate, how), 486);
  AccessToken other = Contents();
  other.mac_key = how.mac_key = Bytes(20, 0x66);
  how.token = Token(other);
  EXPECT_EQ(Ask7635(Over(ClientTransport::kUdp, 4001), Method::kAllocate, how), 0);
}

TEST_F(OauthTest, QuirksBreakTheRulesOfTokens) {
  const Bytes token = Token(Contents(100));
  const auto long_life = [](MessageBuilder& b) { b.AddU32(AttributeType::kLifetime, 3000); };
  ServerConfig config = OauthConfig();
  config.quirks.token_lifetime_uncapped = true;
  Use(config);
  ASSERT_EQ(AllocateWith(token, long_life), 0);
  EXPECT_EQ(Lifetime(), 3000u);
  config.quirks = {};
  config.quirks.token_expiry_unchecked = true;
  Use(config);
  now_ += TimeDelta::Seconds(10'000);
  EXPECT_EQ(AllocateWith(token, long_life), 0);
}

// Section 7: a server that did not ask for tokens does not know them.
TEST_F(OauthTest, UnexpectedTokensAre420) {
  Use(DefaultServerConfig());
  EXPECT_EQ(Allocate([&](MessageBuilder& b) {
              b.AddBytes(AttributeType::kAccessToken, Token(Contents()));
            }),
            420);
}

}  // namespace
}  // namespace rtclab::turn
