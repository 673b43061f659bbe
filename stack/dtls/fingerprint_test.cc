#include "stack/dtls/fingerprint.h"

#include <gtest/gtest.h>

namespace rtclab::dtls {
namespace {

// The example of RFC 8122 section 5, in one line.
constexpr std::string_view kExample =
    "sha-256 12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:"
    "7C:AB:4A:AD";

TEST(FingerprintTest, ReadsAndWritesTheExample) {
  const auto fingerprint = Fingerprint::Parse(kExample);
  ASSERT_TRUE(fingerprint);
  EXPECT_EQ(fingerprint->algorithm, "sha-256");
  EXPECT_EQ(ToHex(fingerprint->value),
            "12df3e5d496b19e57cab4aadb9b13f82183b540212df3e5d496b19e57cab4aad");
  EXPECT_EQ(fingerprint->ToString(), kExample);
}

TEST(FingerprintTest, CaseDoesNotMatter) {
  std::string lower(kExample);
  for (char& c : lower) c = static_cast<char>(std::tolower(c));
  EXPECT_EQ(Fingerprint::Parse(lower), Fingerprint::Parse(kExample));
  std::string upper(kExample);
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(Fingerprint::Parse(upper), Fingerprint::Parse(kExample));
}

TEST(FingerprintTest, TruncationAtEveryByte) {
  for (std::size_t size = 0; size < kExample.size(); ++size) {
    EXPECT_FALSE(Fingerprint::Parse(kExample.substr(0, size))) << size;
  }
}

TEST(FingerprintTest, SaysWhereItIsWrong) {
  const struct {
    std::string_view text;
    std::size_t offset;
  } kCases[] = {
      {"", 0},         {" 12", 0},          {"sha-256", 7},   {"sha-256:12", 7},
      {"foo 1", 4},    {"foo 12:", 7},      {"foo 12:G1", 7}, {"foo 12 34", 6},
      {"foo 12:3", 7}, {"sha-1 12:34", 11}, {"foo 1234", 6},
  };
  for (const auto& test : kCases) {
    const auto result = Fingerprint::Parse(test.text);
    ASSERT_FALSE(result) << test.text;
    EXPECT_EQ(result.error().offset, test.offset) << test.text;
  }
}

// A hash that we do not know is read, and never chosen; MD5 and MD2 are known and forbidden (RFC 8122 section 5).
TEST(FingerprintTest, PreferredAlgorithm) {
  const Fingerprint sha1{"sha-1", Bytes(20)}, sha512{"sha-512", Bytes(64)}, md5{"md5", Bytes(16)},
      sha256{"sha-256", Bytes(32)}, unknown = *Fingerprint::Parse("sha3-256 00:01");
  EXPECT_EQ(PreferredAlgorithm(std::vector{sha1, sha512, sha256}), "sha-256");
  EXPECT_EQ(PreferredAlgorithm(std::vector{sha1, sha512}), "sha-512");
  EXPECT_EQ(PreferredAlgorithm(std::vector{md5, sha1, unknown}), "sha-1");
  EXPECT_EQ(PreferredAlgorithm(std::vector{md5, unknown}), "");
  EXPECT_EQ(PreferredAlgorithm({}), "");
}

}  // namespace
}  // namespace rtclab::dtls
