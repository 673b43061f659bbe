#include "conformance/engine/encode.h"

#include <gmock/gmock.h>

#include "conformance/engine/test.h"
#include "stack/stun/message.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using ::testing::ElementsAre;

constexpr stun::TransactionId kEncodeId = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
const Credentials kEncodeUser = {"alice", "secret"};

ServerChallenge PlainChallenge() { return {.realm = "r", .nonce = "n"}; }
ServerChallenge Sha256Challenge() {
  return {.realm = "r",
          .nonce = "n",
          .offered = {0, 2, 0, 0, 0, 1, 0, 0},
          .algorithm = stun::PasswordAlgorithm::kSha256};
}

struct Encoded {
  Bytes bytes;
  std::optional<stun::MessageView> view;
};

Encoded EncodeFor(const Request& request, const std::optional<ServerChallenge>& challenge) {
  Encoded out;
  out.bytes = EncodeRequest(request, kEncodeId, kEncodeUser, challenge);
  if (const auto parsed = stun::MessageView::Parse(out.bytes)) out.view = *parsed;
  return out;
}

// Types in the order they stand, integrity and fingerprint included.
std::vector<uint16_t> TypesOf(ByteView bytes) {
  std::vector<uint16_t> out;
  for (std::size_t at = 20; at + 4 <= bytes.size();
       at += 4 + ((LoadU16(bytes.data() + at + 2) + 3u) & ~3u)) {
    out.push_back(LoadU16(bytes.data() + at));
  }
  return out;
}

TEST(EncodeTest, AttributesStandInTheirOrderWithTheirValues) {
  const TransportAddress peer{IpAddress::V4(192, 0, 2, 7), 4'000};
  const Encoded e = EncodeFor(AllocateRequest()
                                  .Lifetime(77)
                                  .PeerAddress(peer)
                                  .ChannelNumber(0x4001)
                                  .EvenPort(true)
                                  .ReservationToken(5)
                                  .RequestedFamily(2)
                                  .DontFragment()
                                  .Unsigned(),
                              PlainChallenge());
  ASSERT_TRUE(e.view);
  EXPECT_THAT(TypesOf(e.bytes), ElementsAre(0x19, 0x0d, 0x12, 0x0c, 0x18, 0x22, 0x17, 0x1a));
  EXPECT_EQ(e.view->transaction_id(), kEncodeId);
  EXPECT_EQ(e.view->GetU32(AttributeType::kRequestedTransport), 17u << 24);
  EXPECT_EQ(e.view->GetU32(AttributeType::kLifetime), 77u);
  EXPECT_EQ(e.view->GetXorAddress(AttributeType::kXorPeerAddress), peer);
  EXPECT_EQ(e.view->GetU32(AttributeType::kChannelNumber), 0x4001u << 16);
  EXPECT_EQ(e.view->GetU8(AttributeType::kEvenPort), 0x80);
  EXPECT_EQ(e.view->GetU64(AttributeType::kReservationToken), 5u);
}

TEST(EncodeTest, AnIpv6PeerIsXoredWithTheTransactionId) {
  const TransportAddress peer{*IpAddress::Parse("2001:db8::7"), 4'000};
  const Encoded e =
      EncodeFor(Request(stun::Method::kCreatePermission).PeerAddress(peer).Unsigned(), {});
  ASSERT_TRUE(e.view);
  EXPECT_EQ(e.view->GetXorAddress(AttributeType::kXorPeerAddress), peer);
}

TEST(EncodeTest, PaddingBytesAreAsWanted) {
  const Bytes value = {1};
  const Bytes bytes =
      EncodeFor(Request(stun::Method::kBinding).Attribute(0xc0ff, value, 0xee), {}).bytes;
  EXPECT_EQ(ToHex(ByteView(bytes).subspan(20)), "c0ff000101eeeeee");
}

TEST(EncodeTest, TheDefaultSignsOnceThereIsAChallenge) {
  EXPECT_FALSE(EncodeFor(AllocateRequest(), {}).view->HasIntegrity());
  const Encoded plain = EncodeFor(AllocateRequest(), PlainChallenge());
  EXPECT_THAT(TypesOf(plain.bytes), ElementsAre(0x19, 0x06, 0x14, 0x15, 0x08));
  EXPECT_TRUE(plain.view->VerifyIntegrity(KeyFor(kEncodeUser, PlainChallenge())));
  const Encoded sha = EncodeFor(AllocateRequest(), Sha256Challenge());
  EXPECT_THAT(TypesOf(sha.bytes), ElementsAre(0x19, 0x06, 0x14, 0x15, 0x8002, 0x1d, 0x1c));
  EXPECT_TRUE(sha.view->VerifyIntegritySha256(KeyFor(kEncodeUser, Sha256Challenge())));
  EXPECT_EQ(sha.view->GetPasswordAlgorithm()->algorithm, stun::PasswordAlgorithm::kSha256);
}

TEST(EncodeTest, IndicationsAndBindingRequestsAreNotSignedByDefault) {
  EXPECT_FALSE(
      EncodeFor(Request(stun::Method::kSend, stun::MessageClass::kIndication), PlainChallenge())
          .view->HasIntegrity());
  EXPECT_FALSE(EncodeFor(Request(stun::Method::kBinding), PlainChallenge()).view->HasIntegrity());
}

struct LeftOut {
  Signing signing;
  std::vector<uint16_t> types;
};

TEST(EncodeTest, WhatIsToBeLeftOutIsLeftOut) {
  const LeftOut all[] = {
      {{.omit_username = true}, {0x14, 0x15, 0x8002, 0x1d, 0x1c}},
      {{.omit_realm = true}, {0x06, 0x15, 0x8002, 0x1d, 0x1c}},
      {{.omit_nonce = true}, {0x06, 0x14, 0x8002, 0x1d, 0x1c}},
      {{.omit_integrity = true}, {0x06, 0x14, 0x15, 0x8002, 0x1d}},
      {{.omit_algorithm = true}, {0x06, 0x14, 0x15, 0x8002, 0x1c}},
      {{.omit_algorithms = true}, {0x06, 0x14, 0x15, 0x1d, 0x1c}},
      {{.sha256 = false}, {0x06, 0x14, 0x15, 0x8002, 0x1d, 0x08}},
      {{.both_integrities = true}, {0x06, 0x14, 0x15, 0x8002, 0x1d, 0x08, 0x1c}},
      {{.userhash = true}, {0x1e, 0x14, 0x15, 0x8002, 0x1d, 0x1c}},
      {{.raw_userhash = Bytes(32)}, {0x1e, 0x14, 0x15, 0x8002, 0x1d, 0x1c}},
      {{.trailing = {{0x8022, Bytes{'x'}}}}, {0x06, 0x14, 0x15, 0x8002, 0x1d, 0x1c, 0x8022}},
      {{.fingerprint = true}, {0x06, 0x14, 0x15, 0x8002, 0x1d, 0x1c, 0x8028}},
      {{.kind = Signing::Kind::kShortTerm}, {0x06, 0x08}},
      {{.kind = Signing::Kind::kNone}, {}},
  };
  for (const LeftOut& one : all) {
    const Encoded e =
        EncodeFor(Request(stun::Method::kRefresh).Sign(one.signing), Sha256Challenge());
    EXPECT_EQ(TypesOf(e.bytes), one.types);
  }
}

TEST(EncodeTest, ValuesOfTheSigningReplaceTheChallenges) {
  const Encoded e =
      EncodeFor(Request(stun::Method::kRefresh)
                    .Sign({.credentials = Credentials{"bob", "other"}, .realm = "x", .nonce = "y"}),
                PlainChallenge());
  EXPECT_EQ(e.view->GetString(AttributeType::kUsername), "bob");
  EXPECT_EQ(e.view->GetString(AttributeType::kRealm), "x");
  EXPECT_EQ(e.view->GetString(AttributeType::kNonce), "y");
  EXPECT_TRUE(e.view->VerifyIntegrity(stun::IntegrityKey::LongTerm("bob", "x", "other")));
  const Bytes key = {1, 2, 3};
  const Encoded raw = EncodeFor(Request(stun::Method::kRefresh).Sign({.key = key}), {});
  EXPECT_TRUE(raw.view->VerifyIntegrity(stun::IntegrityKey::FromBytes(key)));
  const Encoded hash =
      EncodeFor(Request(stun::Method::kRefresh).Sign({.userhash = true}), PlainChallenge());
  const auto expected = stun::Userhash("alice", "r");
  EXPECT_THAT(Bytes(hash.view->Find(AttributeType::kUserhash)->begin(),
                    hash.view->Find(AttributeType::kUserhash)->end()),
              ::testing::ElementsAreArray(expected));
}

TEST(EncodeTest, WhatIsToBeWrongIsWrongAndNothingElse) {
  const auto key = KeyFor(kEncodeUser, PlainChallenge());
  const Request refresh(stun::Method::kRefresh);
  const Encoded bad = EncodeFor(
      Request(refresh).Sign({.corrupt_integrity = true, .fingerprint = true}), PlainChallenge());
  EXPECT_FALSE(bad.view->VerifyIntegrity(key));
  EXPECT_TRUE(bad.view->VerifyFingerprint());
  const Encoded print = EncodeFor(
      Request(refresh).Sign({.fingerprint = true, .corrupt_fingerprint = true}), PlainChallenge());
  EXPECT_TRUE(print.view->VerifyIntegrity(key));
  EXPECT_FALSE(print.view->VerifyFingerprint());
  const auto sha_key = KeyFor(kEncodeUser, Sha256Challenge());
  const Encoded both =
      EncodeFor(Request(refresh).Sign({.both_integrities = true, .corrupt_integrity_sha256 = true}),
                Sha256Challenge());
  EXPECT_TRUE(both.view->VerifyIntegrity(sha_key));
  EXPECT_FALSE(both.view->VerifyIntegritySha256(sha_key));
  const Encoded shorter =
      EncodeFor(Request(refresh).Sign({.sha256_length = 16}), Sha256Challenge());
  EXPECT_TRUE(shorter.view->VerifyIntegritySha256(sha_key, 16));
  EXPECT_FALSE(shorter.view->VerifyIntegritySha256(sha_key));
}

TEST(EncodeTest, AChallengeIsReadAsItsEditionHasIt) {
  const Bytes fixed = *FromHex(
      "0113 0030 2112a442 0102030405060708090a0b0c"
      "0009 0004 00000401"
      "0014 0001 72000000"
      "0015 000e 6f624d61744a6f7332 77414141 78 0000"
      "8002 0008 0002000000010000");
  const auto view = stun::MessageView::Parse(fixed);
  ASSERT_TRUE(view) << view.error().reason;
  const auto read = ReadChallenge(*view, {}, false);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->realm, "r");
  EXPECT_EQ(read->nonce, "obMatJos2wAAAx");
  EXPECT_EQ(read->algorithm, stun::PasswordAlgorithm::kSha256);
  EXPECT_TRUE(read->userhash);
  const auto classic = ReadChallenge(*view, {}, true);
  ASSERT_TRUE(classic);
  EXPECT_TRUE(classic->offered.empty());
  EXPECT_FALSE(classic->userhash);
}

TEST(ResponseTest, CopiesAndMovesKeepTheirView) {
  Response original(
      EncodeFor(Request(stun::Method::kBinding, stun::MessageClass::kSuccessResponse).Software("x"),
                {})
          .bytes,
      {});
  Response copy = original;
  Response moved = std::move(original);
  EXPECT_EQ(copy.view().GetString(AttributeType::kSoftware), "x");
  EXPECT_EQ(moved.view().GetString(AttributeType::kSoftware), "x");
  copy = Response();
  EXPECT_EQ(copy.code(), -1);
  EXPECT_EQ(moved.code(), 0);
  EXPECT_EQ(moved.Describe(), "Binding success response");
  const Response no_code(
      EncodeFor(Request(stun::Method::kBinding, stun::MessageClass::kErrorResponse), {}).bytes, {});
  EXPECT_EQ(no_code.code(), -2);
}

}  // namespace
}  // namespace rtclab::conformance
