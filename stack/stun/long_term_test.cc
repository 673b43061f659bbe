// The long-term credential mechanism, client and server against each other and each against raw bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "stack/stun/long_term_authenticator.h"
#include "stack/stun/long_term_client.h"
#include "stack/stun/test_vectors.h"

namespace rtclab::stun {
namespace {

using Verdict = LongTermClient::Verdict;
using ::testing::ElementsAre;

const TransportAddress kClient = *TransportAddress::Parse("198.51.100.5:4000");
const TransportAddress kElsewhere = *TransportAddress::Parse("198.51.100.5:4001");

std::shared_ptr<StaticCredentials> Users() {
  auto users = std::make_shared<StaticCredentials>();
  EXPECT_TRUE(users->Add("alice", "secret"));
  EXPECT_TRUE(users->Add(vectors::kLongTermUsername, "p\u00e4ss"));
  return users;
}

LongTermConfig Config() {
  LongTermConfig config;
  config.realm = "example.org";
  return config;
}

class LongTermTest : public ::testing::Test {
 protected:
  void UseServer(LongTermConfig config,
                 std::shared_ptr<const CredentialStore> credentials = Users()) {
    server_.emplace(std::move(config), std::move(credentials), rng_);
  }

  // One request and its response; `alter_response` may forge it on the way.
  struct Exchange {
    Bytes request;
    Bytes response;
    int code = 0;  // what the server answered
    Verdict verdict = Verdict::kDiscard;
  };
  template <typename Alter>
  Exchange Ask(LongTermClient& client, Timestamp now, Alter&& alter_response) {
    Exchange out;
    MessageBuilder builder(MessageClass::kRequest, Method::kBinding, NewTransactionId(rng_));
    const auto signature = client.Sign(builder);
    out.request = builder.Build();
    const auto request = MessageView::Parse(out.request);
    EXPECT_TRUE(request);
    const auto checked = server_->Authenticate(now, *request, kClient);
    if (checked) {
      MessageBuilder ok = MessageBuilder::ResponseTo(*request, MessageClass::kSuccessResponse);
      ok.AddXorAddress(AttributeType::kXorMappedAddress, kClient);
      LongTermAuthenticator::Protect(ok, *checked);
      out.response = ok.Build();
    } else {
      out.code = checked.error().code;
      out.response = checked.error().response;
    }
    out.response = alter_response(std::move(out.response));
    const auto response = MessageView::Parse(out.response);
    EXPECT_TRUE(response);
    out.verdict = client.HandleResponse(*response, signature);
    return out;
  }
  Exchange Ask(LongTermClient& client, Timestamp now = Timestamp::Zero()) {
    return Ask(client, now, [](Bytes b) { return b; });
  }

  // The code of the answer to `bytes`, 0 for success.
  int CodeFor(const Bytes& bytes, Timestamp now = Timestamp::Zero(),
              const TransportAddress& source = kClient) {
    const auto request = MessageView::Parse(bytes);
    EXPECT_TRUE(request);
    const auto checked = server_->Authenticate(now, *request, source);
    return checked ? 0 : checked.error().code;
  }

  Rng rng_{1};
  std::optional<LongTermAuthenticator> server_;
};

TEST_F(LongTermTest, ChallengeThenSuccessWithSha256AndUserhash) {
  UseServer(Config());
  LongTermClient client("alice", "secret");
  const Exchange first = Ask(client);
  EXPECT_EQ(first.code, 401);
  EXPECT_EQ(first.verdict, Verdict::kRetry);
  const auto challenge = MessageView::Parse(first.response);
  EXPECT_EQ(challenge->GetString(AttributeType::kRealm), "example.org");
  EXPECT_TRUE(challenge->GetString(AttributeType::kNonce)->starts_with("obMatJos2wAAA"));
  EXPECT_EQ(ToHex(*challenge->Find(AttributeType::kPasswordAlgorithms)), "0002000000010000");
  EXPECT_FALSE(challenge->HasIntegrity());

  const Exchange second = Ask(client);
  EXPECT_EQ(second.code, 0);
  EXPECT_EQ(second.verdict, Verdict::kAccept);
  const auto request = MessageView::Parse(second.request);
  EXPECT_FALSE(request->Has(AttributeType::kUsername));
  EXPECT_TRUE(request->Has(AttributeType::kUserhash));
  EXPECT_FALSE(request->HasIntegrity());
  EXPECT_TRUE(request->HasIntegritySha256());
  EXPECT_EQ(request->GetPasswordAlgorithm()->algorithm, PasswordAlgorithm::kSha256);
  const auto response = MessageView::Parse(second.response);
  EXPECT_TRUE(response->HasIntegritySha256());
  EXPECT_FALSE(response->HasIntegrity());
  EXPECT_FALSE(response->Has(AttributeType::kUsername));
}

TEST_F(LongTermTest, WithoutAlgorithmsItIsRfc5389) {
  LongTermConfig config = Config();
  config.algorithms.clear();
  config.username_anonymity = false;
  UseServer(config);
  LongTermClient client(std::string(vectors::kLongTermUsername), "p\u00e4ss");
  EXPECT_EQ(Ask(client).verdict, Verdict::kRetry);
  EXPECT_TRUE(client.nonce().starts_with("obMatJos2AAAA"));
  const Exchange second = Ask(client);
  EXPECT_EQ(second.verdict, Verdict::kAccept);
  const auto request = MessageView::Parse(second.request);
  EXPECT_EQ(request->GetString(AttributeType::kUsername), vectors::kLongTermUsername);
  EXPECT_TRUE(request->HasIntegrity());
  EXPECT_FALSE(request->Has(AttributeType::kPasswordAlgorithm));
  EXPECT_TRUE(MessageView::Parse(second.response)->HasIntegrity());
}

TEST_F(LongTermTest, OldClientOfNewServerIsServedWithMd5) {
  UseServer(Config());
  LongTermClient client("alice", "secret");
  Ask(client);
  // What a client of RFC 5389 sends: it knows neither PASSWORD-ALGORITHMS nor USERHASH.
  const IntegrityKey key = IntegrityKey::LongTerm("alice", "example.org", "secret");
  MessageBuilder builder(MessageClass::kRequest, Method::kBinding, NewTransactionId(rng_));
  builder.AddString(AttributeType::kUsername, "alice")
      .AddString(AttributeType::kRealm, "example.org")
      .AddString(AttributeType::kNonce, client.nonce())
      .AddMessageIntegrity(key);
  const Bytes bytes = builder.Build();
  const auto request = MessageView::Parse(bytes);
  const auto checked = server_->Authenticate(Timestamp::Zero(), *request, kClient);
  ASSERT_TRUE(checked);
  EXPECT_FALSE(checked->sha256);
  MessageBuilder ok = MessageBuilder::ResponseTo(*request, MessageClass::kSuccessResponse);
  LongTermAuthenticator::Protect(ok, *checked);
  const Bytes response = ok.Build();
  EXPECT_TRUE(MessageView::Parse(response)->VerifyIntegrity(key));
}

TEST_F(LongTermTest, WrongPasswordFailsWithoutAnotherTry) {
  UseServer(Config());
  LongTermClient client("alice", "wrong");
  EXPECT_EQ(Ask(client).verdict, Verdict::kRetry);
  const Exchange second = Ask(client);
  EXPECT_EQ(second.code, 401);
  EXPECT_EQ(second.verdict, Verdict::kFail);
  LongTermClient stranger("mallory", "secret");
  EXPECT_EQ(Ask(stranger).verdict, Verdict::kRetry);
  EXPECT_EQ(Ask(stranger).verdict, Verdict::kFail);
}

TEST_F(LongTermTest, StaleNonceIsReplacedAndTheRequestRepeated) {
  UseServer(Config());
  LongTermClient client("alice", "secret");
  Ask(client);
  EXPECT_EQ(Ask(client, Timestamp::Seconds(3599)).verdict, Verdict::kAccept);
  const std::string old = client.nonce();
  const Exchange stale = Ask(client, Timestamp::Seconds(3600));
  EXPECT_EQ(stale.code, 438);
  EXPECT_EQ(stale.verdict, Verdict::kRetry);
  EXPECT_NE(client.nonce(), old);
  EXPECT_EQ(Ask(client, Timestamp::Seconds(3601)).verdict, Verdict::kAccept);
}

// RFC 8489 section 9.2.4 looks at the nonce last, RFC 5389 section 10.2.2 before user and integrity.
TEST_F(LongTermTest, NonceIsCheckedWhereTheEditionHasIt) {
  for (const bool current : {true, false}) {
    LongTermConfig config = Config();
    if (!current) {
      config.algorithms.clear();
      config.username_anonymity = false;
      config.nonce_cookie = false;
    }
    UseServer(config);
    LongTermClient wrong("alice", "wrong");
    Ask(wrong);
    const Bytes request = Ask(wrong).request;
    EXPECT_EQ(CodeFor(request), 401) << current;
    EXPECT_EQ(CodeFor(request, Timestamp::Seconds(3600)), current ? 401 : 438) << current;
  }
}

TEST_F(LongTermTest, ServerThatFindsEveryNonceStaleIsGivenUp) {
  LongTermConfig config = Config();
  config.nonce_lifetime = TimeDelta::Zero();
  UseServer(config);
  LongTermClient client("alice", "secret");
  Verdict verdict = Ask(client).verdict;
  int tries = 0;
  while (verdict == Verdict::kRetry && tries < 100) {
    verdict = Ask(client).verdict;
    ++tries;
  }
  EXPECT_EQ(verdict, Verdict::kFail);
  EXPECT_LT(tries, 40);
}

TEST_F(LongTermTest, NonceIsForOneTransportAddress) {
  UseServer(Config());
  LongTermClient client("alice", "secret");
  Ask(client);
  const Exchange good = Ask(client);
  EXPECT_EQ(CodeFor(good.request), 0);
  EXPECT_EQ(CodeFor(good.request, Timestamp::Zero(), kElsewhere), 438);
  const NonceFactory nonces({}, TimeDelta::Seconds(10), rng_);
  EXPECT_NE(nonces.Make(Timestamp::Zero(), kClient), nonces.Make(Timestamp::Zero(), kElsewhere));
}

TEST_F(LongTermTest, AlteredNonceIsNotValid) {
  const NonceFactory nonces({true, true}, TimeDelta::Seconds(10), rng_);
  const std::string nonce = nonces.Make(Timestamp::Seconds(1), kClient);
  using V = NonceFactory::Verdict;
  EXPECT_EQ(nonces.Check(Timestamp::Seconds(1), kClient, nonce), V::kValid);
  EXPECT_EQ(nonces.Check(Timestamp::Seconds(11), kClient, nonce), V::kStale);
  for (std::size_t i = 0; i < nonce.size(); ++i) {
    std::string altered = nonce;
    altered[i] = altered[i] == '0' ? '1' : '0';
    EXPECT_EQ(nonces.Check(Timestamp::Seconds(1), kClient, altered), V::kForeign) << i;
    EXPECT_EQ(nonces.Check(Timestamp::Seconds(1), kClient, nonce.substr(0, i)), V::kForeign) << i;
  }
}

TEST_F(LongTermTest, NoncesHideTheirTime) {
  const NonceFactory nonces({true, true}, TimeDelta::Seconds(10), rng_);
  const std::string one = nonces.Make(Timestamp::Seconds(1), kClient);
  const std::string two = nonces.Make(Timestamp::Seconds(1) + TimeDelta::Nanos(1), kClient);
  int same = 0;
  for (std::size_t i = 13; i < one.size(); ++i) same += one[i] == two[i];
  EXPECT_LT(same, 12);  // of 48 hexadecimal digits, 3 by chance
}

TEST_F(LongTermTest, NoncesWithoutCookieAndForEveryClient) {
  using V = NonceFactory::Verdict;
  const NonceFactory plain({}, TimeDelta::Seconds(10), rng_, {.cookie = false});
  const std::string nonce = plain.Make(Timestamp::Seconds(1), kClient);
  EXPECT_EQ(nonce.size(), 48u);
  EXPECT_FALSE(ParseNonceCookie(nonce));
  EXPECT_EQ(plain.Check(Timestamp::Seconds(1), kClient, nonce), V::kValid);
  EXPECT_EQ(plain.Check(Timestamp::Seconds(1), kElsewhere, nonce), V::kForeign);
  const NonceFactory shared({}, TimeDelta::Seconds(10), rng_, {.per_client = false});
  EXPECT_EQ(
      shared.Check(Timestamp::Seconds(1), kElsewhere, shared.Make(Timestamp::Zero(), kClient)),
      V::kValid);
}

// Requests in raw form, attribute by attribute: RFC 8489 section 9.2.4's checks in their order.
TEST_F(LongTermTest, MissingAttributesAreBadRequests) {
  UseServer(Config());
  const std::string user = "0006 0005 616c696365 000000";
  const std::string realm = "0014 000b 6578616d706c652e6f7267 00";
  const std::string nonce = "0015 0004 61626364";
  const std::string mac = "0008 0014 0000000000000000000000000000000000000000";
  const auto code = [&](const std::string& body) {
    Bytes bytes = *FromHex("0001 0000 2112a442 0102030405060708090a0b0c" + body);
    StoreU16(bytes.data() + 2, static_cast<uint16_t>(bytes.size() - 20));
    return CodeFor(bytes);
  };
  EXPECT_EQ(code(""), 401);
  EXPECT_EQ(code(user + realm + nonce), 401);
  EXPECT_EQ(code(realm + nonce + mac), 400);
  EXPECT_EQ(code(user + nonce + mac), 400);
  EXPECT_EQ(code(user + realm + mac), 400);
  EXPECT_EQ(code(mac), 400);
  EXPECT_EQ(code(mac + user + realm + nonce), 400);  // after the integrity: not there
  EXPECT_EQ(code(user + realm + nonce + mac), 401);  // wrong HMAC comes before the foreign nonce
  EXPECT_EQ(code("0006 0003 626f6200" + realm + nonce + mac), 401);  // no such user
  // PASSWORD-ALGORITHM and PASSWORD-ALGORITHMS: one without the other, another list, an algorithm not on it, two algorithms.
  const std::string offer = "8002 0008 0002000000010000";
  const std::string sha256 = "001d 0004 00020000";
  EXPECT_EQ(code(user + realm + nonce + offer + mac), 400);
  EXPECT_EQ(code(user + realm + nonce + sha256 + mac), 400);
  EXPECT_EQ(code(user + realm + nonce + sha256 + "8002 0004 00010000" + mac), 400);
  EXPECT_EQ(code(user + realm + nonce + "001d 0004 00030000" + offer + mac), 400);
  EXPECT_EQ(code(user + realm + nonce + "001d 0008 0002000000010000" + offer + mac), 400);
  EXPECT_EQ(code(user + realm + nonce + "001d 0002 00020000" + offer + mac), 400);
  EXPECT_EQ(code(user + realm + nonce + sha256 + offer + mac), 401);
  // USERHASH of the wrong size is nobody's.
  EXPECT_EQ(code("001e 0004 00000000" + realm + nonce + mac), 401);
}

TEST_F(LongTermTest, EveryAlteredByteOfASignedRequestIsRefused) {
  UseServer(Config());
  LongTermClient client("alice", "secret");
  Ask(client);
  const Bytes good = Ask(client).request;
  ASSERT_EQ(CodeFor(good), 0);
  for (std::size_t i = 2; i < good.size(); ++i) {
    Bytes bytes = good;
    bytes[i] ^= 0x01;
    const auto request = MessageView::Parse(bytes);
    if (!request || !request->IsRequest()) continue;
    // Padding is covered by the HMAC as well.
    EXPECT_NE(CodeFor(bytes), 0) << i;
  }
}

// RFC 8489 section 9.2.1: someone on the path takes the better algorithm or the whole list away.
TEST_F(LongTermTest, BidDownIsNoticed) {
  UseServer(Config());
  const auto without_list = [](Bytes response) {
    const auto view = MessageView::Parse(response);
    MessageBuilder forged(view->message_class(), view->method(), view->transaction_id());
    for (const AttributeView attribute : view->attributes()) {
      if (attribute.type == AttributeType::kPasswordAlgorithms) continue;
      forged.AddBytes(attribute.type, attribute.value);
    }
    return forged.Build();
  };
  LongTermClient client("alice", "secret");
  EXPECT_EQ(Ask(client, Timestamp::Zero(), without_list).verdict, Verdict::kFail);

  const auto only_md5 = [](Bytes response) {
    const auto view = MessageView::Parse(response);
    MessageBuilder forged(view->message_class(), view->method(), view->transaction_id());
    for (const AttributeView attribute : view->attributes()) {
      if (attribute.type == AttributeType::kPasswordAlgorithms) {
        forged.AddBytes(attribute.type, *FromHex("00010000"));
      } else {
        forged.AddBytes(attribute.type, attribute.value);
      }
    }
    return forged.Build();
  };
  LongTermClient second("alice", "secret");
  EXPECT_EQ(Ask(second, Timestamp::Zero(), only_md5).verdict, Verdict::kRetry);
  EXPECT_EQ(Ask(second).code, 400);  // the server sees a list that it did not send

  const auto without_cookie = [](Bytes response) {
    const auto view = MessageView::Parse(response);
    MessageBuilder forged(view->message_class(), view->method(), view->transaction_id());
    for (const AttributeView attribute : view->attributes()) {
      if (attribute.type == AttributeType::kPasswordAlgorithms) continue;
      if (attribute.type == AttributeType::kNonce) {
        std::string nonce(AsString(attribute.value));
        nonce.replace(9, 4, "AAAA");
        forged.AddString(attribute.type, nonce);
      } else {
        forged.AddBytes(attribute.type, attribute.value);
      }
    }
    return forged.Build();
  };
  LongTermClient third("alice", "secret");
  EXPECT_EQ(Ask(third, Timestamp::Zero(), without_cookie).verdict, Verdict::kRetry);
  EXPECT_EQ(Ask(third).code, 438);  // not a nonce of ours
}

TEST_F(LongTermTest, UnknownAlgorithmsOnlyMeansNoRetry) {
  UseServer(Config());
  LongTermClient client("alice", "secret");
  const auto unknown_only = [](Bytes response) {
    for (std::size_t i = 0; i + 12 <= response.size(); ++i) {
      if (ToHex(ByteView(response).subspan(i, 4)) == "80020008") {
        response[i + 5] = 0x77;
        response[i + 9] = 0x78;
      }
    }
    return response;
  };
  EXPECT_EQ(Ask(client, Timestamp::Zero(), unknown_only).verdict, Verdict::kFail);
}

TEST_F(LongTermTest, ResponsesWithoutOrWithWrongIntegrityAreNotTaken) {
  UseServer(Config());
  LongTermClient client("alice", "secret");
  Ask(client);
  const auto flipped = [](Bytes response) {
    response.back() ^= 1;
    return response;
  };
  EXPECT_EQ(Ask(client, Timestamp::Zero(), flipped).verdict, Verdict::kIntegrityViolation);
  const auto plain = [](Bytes response) {
    const auto view = MessageView::Parse(response);
    return MessageBuilder(view->message_class(), view->method(), view->transaction_id()).Build();
  };
  EXPECT_EQ(Ask(client, Timestamp::Zero(), plain).verdict, Verdict::kIntegrityViolation);
  const auto bad_request = [](Bytes response) {
    const auto view = MessageView::Parse(response);
    return MessageBuilder(MessageClass::kErrorResponse, view->method(), view->transaction_id())
        .AddErrorCode(400)
        .Build();
  };
  EXPECT_EQ(Ask(client, Timestamp::Zero(), bad_request).verdict, Verdict::kDiscard);
  const auto no_code = [](Bytes response) {
    const auto view = MessageView::Parse(response);
    return MessageBuilder(MessageClass::kErrorResponse, view->method(), view->transaction_id())
        .Build();
  };
  EXPECT_EQ(Ask(client, Timestamp::Zero(), no_code).verdict, Verdict::kIntegrityViolation);
  const auto promising = [](Bytes response) {
    const auto view = MessageView::Parse(response);
    return MessageBuilder(view->message_class(), view->method(), view->transaction_id())
        .AddString(AttributeType::kNonce, "obMatJos2gAAAxyz")
        .Build();
  };
  EXPECT_EQ(Ask(client, Timestamp::Zero(), promising).verdict, Verdict::kDiscard);
  EXPECT_EQ(Ask(client).verdict, Verdict::kAccept);
}

TEST_F(LongTermTest, ChallengeToAnOlderSignatureIsRetried) {
  UseServer(Config());
  LongTermClient client("alice", "secret");
  const Exchange first = Ask(client);
  const auto challenge = MessageView::Parse(first.response);
  // A second unsigned request was under way when the first was challenged.
  EXPECT_EQ(client.HandleResponse(*challenge, LongTermClient::Signature{}), Verdict::kRetry);
}

TEST_F(LongTermTest, UnknownAttributesResponseIsProtected) {
  UseServer(Config());
  LongTermClient client("alice", "secret");
  Ask(client);
  const Bytes bytes = Ask(client).request;
  const auto request = MessageView::Parse(bytes);
  const auto checked = server_->Authenticate(Timestamp::Zero(), *request, kClient);
  ASSERT_TRUE(checked);
  const AttributeType unknown[] = {static_cast<AttributeType>(0x7001)};
  const Bytes response =
      LongTermAuthenticator::UnknownAttributesResponse(*request, unknown, &*checked);
  const auto view = MessageView::Parse(response);
  EXPECT_EQ(view->GetErrorCode()->code, 420);
  EXPECT_THAT(*view->GetUnknownAttributes(), ElementsAre(unknown[0]));
  EXPECT_TRUE(view->VerifyIntegritySha256(client.key()));
}

TEST(NonceCookieTest, FeaturesAreTheLeftmostBits) {
  EXPECT_EQ(NonceCookie({}), "obMatJos2AAAA");
  EXPECT_EQ(NonceCookie({true, false}), "obMatJos2gAAA");
  EXPECT_EQ(NonceCookie({false, true}), "obMatJos2QAAA");
  EXPECT_EQ(NonceCookie({true, true}), "obMatJos2wAAA");
  EXPECT_EQ(ParseNonceCookie("obMatJos2wAAAxyz"), (SecurityFeatures{true, true}));
  EXPECT_EQ(ParseNonceCookie("obMatJos2//////"), (SecurityFeatures{true, true}));
  for (const char* nonce : {"", "obMatJos", "obMatJos2", "obMatJos2gAA", "obMatJos2g*AA",
                            "obMatJos2gA==", "obmatJos2gAAA"}) {
    EXPECT_FALSE(ParseNonceCookie(nonce)) << nonce;
  }
}

// The key of RFC 8489 section 9.2.2's example.
TEST(LongTermKeyTest, ExampleOfTheRfc) {
  const auto expected = IntegrityKey::FromBytes(*FromHex("8493fbc53ba582fb4c044c456bdc40eb"));
  EXPECT_EQ(IntegrityKey::LongTerm("user", "realm", "pass").sha1().Compute(AsBytes("x")),
            expected.sha1().Compute(AsBytes("x")));
}

TEST(RestCredentialsTest, PasswordIsMadeFromSecretAndUsername) {
  const RestCredential credential = MakeRestCredential("north", 1700000000, "fred");
  EXPECT_EQ(credential.username, "1700000000:fred");
  // printf '1700000000:fred' | openssl dgst -sha1 -hmac north -binary | base64
  EXPECT_EQ(credential.password, "fSbrG+7uKPc7hvAqRImABX1+dVs=");
  EXPECT_EQ(MakeRestCredential("north", 17).username, "17");
}

TEST(RestCredentialsTest, GoodUntilTheExpiryByTheConfiguredClock) {
  const RestCredentials store({"new", "old"}, 1'000'000);
  const RestCredential credential = MakeRestCredential("old", 1'000'060, "fred");
  const auto before = store.Passwords(credential.username, Timestamp::Millis(59'999));
  ASSERT_EQ(before.size(), 2u);
  EXPECT_EQ(before[1], credential.password);
  EXPECT_TRUE(store.Passwords(credential.username, Timestamp::Seconds(60)).empty());
  for (const char* username :
       {"", ":", "fred", "12x:fred", ":1000060", " 1000060", "99999999999999999999"}) {
    EXPECT_TRUE(store.Passwords(username, Timestamp::Zero()).empty()) << username;
  }
}

TEST_F(LongTermTest, RestCredentialsWorkWithEitherSecret) {
  UseServer(Config(),
            std::make_shared<RestCredentials>(std::vector<std::string>{"new", "old"}, 1'000'000));
  for (const char* secret : {"new", "old"}) {
    const RestCredential credential = MakeRestCredential(secret, 1'000'060, "fred");
    LongTermClient client(credential.username, credential.password);
    EXPECT_EQ(Ask(client).verdict, Verdict::kRetry);
    EXPECT_TRUE(client.nonce().starts_with("obMatJos2gAAA"));  // no username anonymity
    EXPECT_EQ(Ask(client).verdict, Verdict::kAccept) << secret;
    EXPECT_EQ(Ask(client, Timestamp::Seconds(60)).code, 401);
  }
  const RestCredential forged = MakeRestCredential("other", 1'000'060, "fred");
  LongTermClient client(forged.username, forged.password);
  Ask(client);
  EXPECT_EQ(Ask(client).verdict, Verdict::kFail);
}

TEST(StaticCredentialsTest, UnpreparableTextIsRefused) {
  StaticCredentials users;
  EXPECT_FALSE(users.Add("", "x"));
  EXPECT_FALSE(users.Add("x", "a\x01"));
  EXPECT_TRUE(users.Add("e\u0301", "x"));
  EXPECT_EQ(users.Passwords("\u00e9", Timestamp::Zero()).size(), 1u);
  EXPECT_EQ(users.UsernameOf(Userhash("\u00e9", "r"), "r"), "\u00e9");
  EXPECT_FALSE(users.UsernameOf(Userhash("\u00e9", "r"), "s"));
}

}  // namespace
}  // namespace rtclab::stun
