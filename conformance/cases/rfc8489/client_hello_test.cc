#include "conformance/cases/rfc8489/client_hello.h"

#include <gtest/gtest.h>

namespace rtclab::conformance {
namespace {

// A ServerHello's body: version, random, an empty session id, suite 0xc02f, compression 1.
Bytes HelloBytes(ByteView prefix, uint8_t random) {
  Bytes out(prefix.begin(), prefix.end());
  out.insert(out.end(), {0x03, 0x03});
  out.insert(out.end(), 32, random);
  out.insert(out.end(), {0x00, 0xc0, 0x2f, 0x01});
  return out;
}

TEST(ClientHelloTest, LengthsNestAsTheyShould) {
  Rng rng(1);
  const uint16_t suites[] = {0x0005, 0xc02f};
  const Bytes none = {0};
  const Bytes tls = TlsClientHello(rng, suites, none);
  EXPECT_EQ(tls[0], 22);
  EXPECT_EQ(LoadU16(tls.data() + 3), tls.size() - 5);
  EXPECT_EQ(LoadU32(tls.data() + 5), 0x01000000u | (tls.size() - 9));
  EXPECT_EQ(LoadU16(tls.data() + 44), 4);  // behind version, random and session id
  EXPECT_EQ(LoadU32(tls.data() + 46), 0x0005c02fu);
  const Bytes dtls = DtlsClientHello(rng, suites);
  EXPECT_EQ(LoadU16(dtls.data() + 11), dtls.size() - 13);
  EXPECT_EQ(LoadU32(dtls.data() + 13), 0x01000000u | (dtls.size() - 25));
}

TEST(ClientHelloTest, TlsAnswersAreRead) {
  const Bytes prefix = {22, 3, 3, 0, 42, 2, 0, 0, 38};
  const Bytes hello = HelloBytes(prefix, 0x11);
  const auto answer = ReadTlsAnswer(hello);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->kind, HelloAnswer::Kind::kServerHello);
  EXPECT_EQ(answer->suite, 0xc02f);
  EXPECT_EQ(answer->compression, 1);
  for (std::size_t size = 0; size < hello.size(); ++size) {
    EXPECT_FALSE(ReadTlsAnswer(ByteView(hello).first(size))) << size;
  }
  const Bytes alert = {21, 3, 3, 0, 2, 2, 40};
  EXPECT_EQ(ReadTlsAnswer(alert)->kind, HelloAnswer::Kind::kAlert);
  EXPECT_EQ(ReadTlsAnswer(alert)->alert, 40);
  // A record that ends within the hello.
  Bytes cut = {22, 3, 3, 0, 10, 2, 0, 0, 38, 3, 3, 1, 2, 3, 4};
  EXPECT_EQ(ReadTlsAnswer(cut)->kind, HelloAnswer::Kind::kOther);
}

TEST(ClientHelloTest, DtlsAnswersAreRead) {
  Bytes prefix = {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50};
  prefix.insert(prefix.end(), {2, 0, 0, 38, 0, 0, 0, 0, 0, 0, 0, 38});
  const Bytes hello = HelloBytes(prefix, 0x22);
  EXPECT_EQ(ReadDtlsAnswer(hello)->kind, HelloAnswer::Kind::kServerHello);
  for (std::size_t size = 0; size < hello.size(); ++size) {
    const auto answer = ReadDtlsAnswer(ByteView(hello).first(size));
    EXPECT_TRUE(!answer || answer->kind == HelloAnswer::Kind::kOther) << size;
  }
  Bytes verify = prefix;
  verify[13] = 3;
  EXPECT_EQ(ReadDtlsAnswer(verify)->kind, HelloAnswer::Kind::kHelloVerifyRequest);
}

}  // namespace
}  // namespace rtclab::conformance
