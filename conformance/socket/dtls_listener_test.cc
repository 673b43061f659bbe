// DTLS alone: cookies, retransmission, records and datagrams.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "conformance/socket/real_clock.h"
#include "conformance/socket/secure_test_util.h"

namespace rtclab::conformance {
namespace {

using DtlsState = SecureStream::State;

const TransportAddress kCaller{IpAddress::V4(192, 0, 2, 1), 4'000};
const TransportAddress kOtherPort{IpAddress::V4(192, 0, 2, 1), 4'001};
const TransportAddress kOtherHost{IpAddress::V4(192, 0, 2, 2), 4'000};

class DtlsListenerTest : public testing::Test {
 protected:
  DtlsListenerTest() : context_(ServerContext(SecureProtocol::kDtls)), listener_(context_) {}

  static SecureStream Caller(TimeDelta retransmit_after = TimeDelta::Seconds(1)) {
    return ClientOf(SecureProtocol::kDtls,
                    {.insecure = true, .retransmit_after = retransmit_after});
  }
  // The second ClientHello of `client`, with the cookie that the listener has made for `from`.
  Bytes HelloWithCookie(SecureStream& client, const TransportAddress& from) {
    const Bytes hello = *client.PollTransmit();
    auto answer = listener_.HandleDatagram(from, hello);
    CHECK(answer.transmit && !answer.accepted);
    client.HandleBytes(*answer.transmit);
    return *client.PollTransmit();
  }

  SecureContext context_;
  DtlsListener listener_;
};

TEST_F(DtlsListenerTest, AsksForACookieBeforeAnything) {
  auto client = Caller();
  EXPECT_FALSE(client.info().hello_verify_request);
  const Bytes hello = *client.PollTransmit();
  // Stateless: the same hello is answered again and again, always with one datagram smaller than it.
  for (int i = 0; i < 5; ++i) {
    const auto answer = listener_.HandleDatagram(kCaller, hello);
    EXPECT_FALSE(answer.accepted);
    ASSERT_TRUE(answer.transmit);
    EXPECT_LE(answer.transmit->size(), 64u);
    EXPECT_LT(answer.transmit->size(), hello.size());
    // RFC 6347 sections 4.1 and 4.2.1: a handshake record with a HelloVerifyRequest (3).
    EXPECT_EQ((*answer.transmit)[0], 22);
    EXPECT_EQ((*answer.transmit)[13], 3);
  }
}

TEST_F(DtlsListenerTest, AcceptsTheCookieOfThatAddress) {
  auto client = Caller();
  auto answer = listener_.HandleDatagram(kCaller, HelloWithCookie(client, kCaller));
  EXPECT_FALSE(answer.transmit);
  ASSERT_TRUE(answer.accepted);
  Exchange(*answer.accepted, client);
  EXPECT_EQ(client.state(), DtlsState::kOpen) << client.reason();
  EXPECT_EQ(answer.accepted->state(), DtlsState::kOpen) << answer.accepted->reason();
  EXPECT_TRUE(client.info().hello_verify_request);
  ASSERT_TRUE(client.Send(AsBytes("hello")));
  Exchange(*answer.accepted, client);
  EXPECT_EQ(TextOf(*answer.accepted), "hello");
}

TEST_F(DtlsListenerTest, ACookieOfAnotherAddressIsWorthNothing) {
  for (const TransportAddress& thief : {kOtherPort, kOtherHost}) {
    auto client = Caller();
    const Bytes hello = HelloWithCookie(client, kCaller);
    const auto stolen = listener_.HandleDatagram(thief, hello);
    EXPECT_FALSE(stolen.accepted);
    // Asked for a cookie of its own: RFC 6347 section 4.2.1 takes a wrong one as none.
    EXPECT_TRUE(stolen.transmit);
    EXPECT_TRUE(listener_.HandleDatagram(kCaller, hello).accepted);
  }
}

TEST_F(DtlsListenerTest, EveryDamagedCookieIsRefused) {
  auto client = Caller();
  const Bytes hello = HelloWithCookie(client, kCaller);
  // RFC 6347 section 4.2.2: record header 13, handshake header 12, version 2, random 32, session id, cookie.
  const std::size_t cookie = 13 + 12 + 2 + 32 + 1 + hello[13 + 12 + 34];
  ASSERT_EQ(hello[cookie], 16);
  for (std::size_t i = 1; i <= hello[cookie]; ++i) {
    Bytes damaged = hello;
    damaged[cookie + i] ^= 1;
    EXPECT_FALSE(listener_.HandleDatagram(kCaller, damaged).accepted) << i;
  }
}

TEST_F(DtlsListenerTest, CallersDoNotDisturbEachOther) {
  auto first = Caller();
  auto second = Caller();
  const Bytes first_hello = HelloWithCookie(first, kCaller);
  const Bytes second_hello = HelloWithCookie(second, kOtherHost);
  auto a = listener_.HandleDatagram(kCaller, first_hello);
  auto b = listener_.HandleDatagram(kOtherHost, second_hello);
  ASSERT_TRUE(a.accepted && b.accepted);
  Exchange(*b.accepted, second);
  Exchange(*a.accepted, first);
  EXPECT_EQ(first.state(), DtlsState::kOpen);
  EXPECT_EQ(second.state(), DtlsState::kOpen);
}

TEST_F(DtlsListenerTest, StraysAreNotAnswered) {
  auto client = Caller();
  const Bytes hello = *client.PollTransmit();
  // Cut at every byte: never an association, never an answer.
  for (std::size_t size = 0; size < hello.size(); ++size) {
    const auto answer = listener_.HandleDatagram(kCaller, ByteView(hello).first(size));
    EXPECT_FALSE(answer.accepted) << size;
    EXPECT_FALSE(answer.transmit) << size;
  }
  const std::vector<std::pair<std::string, Bytes>> table = {
      {"STUN", *FromHex("000100002112a442000102030405060708090a0b")},
      {"application data", *FromHex("17fefd0001000000000001000401020304")},
      {"alert", *FromHex("15fefd00000000000000000002022800")},
      {"zeros", Bytes(200)},
  };
  for (const auto& [name, bytes] : table) {
    const auto answer = listener_.HandleDatagram(kCaller, bytes);
    EXPECT_FALSE(answer.accepted || answer.transmit) << name;
  }
  // And it still works.
  EXPECT_TRUE(listener_.HandleDatagram(kCaller, hello).transmit);
}

TEST_F(DtlsListenerTest, DamagedHellosNeverBreakIt) {
  for (std::size_t i = 0;; ++i) {
    auto client = Caller();
    Bytes hello = *client.PollTransmit();
    if (i >= hello.size()) break;
    hello[i] ^= 0xFF;
    EXPECT_FALSE(listener_.HandleDatagram(kCaller, hello).accepted) << i;
  }
  auto client = Caller();
  EXPECT_TRUE(listener_.HandleDatagram(kCaller, HelloWithCookie(client, kCaller)).accepted);
}

void SleepUntil(Timestamp when) {
  const TimeDelta left = when - RealNow();
  if (left > TimeDelta::Zero()) std::this_thread::sleep_for(std::chrono::nanoseconds(left.nanos()));
}

TEST_F(DtlsListenerTest, LostFlightsAreSentAgain) {
  constexpr TimeDelta kFirstWait = TimeDelta::Millis(60);
  auto client = Caller(kFirstWait);
  EXPECT_EQ(TransmitsOf(client).size(), 1u);  // lost
  const Timestamp first = client.NextTimeout();
  ASSERT_FALSE(first.IsInfinite());
  EXPECT_LE(first - RealNow(), kFirstWait);
  client.HandleTimeout();  // too early
  EXPECT_TRUE(TransmitsOf(client).empty());
  SleepUntil(first);
  client.HandleTimeout();
  EXPECT_EQ(TransmitsOf(client).size(), 1u);
  EXPECT_GT(client.NextTimeout() - first, kFirstWait);  // doubled

  auto server =
      SecureStream::Server(ServerContext(SecureProtocol::kDtls, {.retransmit_after = kFirstWait}));
  auto other = Caller();
  for (const Bytes& bytes : TransmitsOf(other)) server.HandleBytes(bytes);
  // The server's flight is lost: its own timer brings it again.
  EXPECT_FALSE(TransmitsOf(server).empty());
  SleepUntil(server.NextTimeout());
  server.HandleTimeout();
  Exchange(other, server);
  EXPECT_EQ(other.state(), DtlsState::kOpen) << other.reason();
  EXPECT_TRUE(other.NextTimeout().IsInfinite());
  EXPECT_TRUE(server.NextTimeout().IsInfinite());
}

TEST_F(DtlsListenerTest, GivesUpWithoutAnAnswer) {
  auto client =
      ClientOf(SecureProtocol::kDtls, {.insecure = true, .retransmit_after = TimeDelta::Micros(1)});
  for (int i = 0; i < 50 && client.state() == DtlsState::kHandshaking; ++i) client.HandleTimeout();
  EXPECT_EQ(client.state(), DtlsState::kFailed);
  EXPECT_EQ(client.reason(), "no answer to the handshake");
  EXPECT_TRUE(client.NextTimeout().IsInfinite());
}

TEST_F(DtlsListenerTest, ARecordIsADatagramAndHasItsLimit) {
  auto client = Caller();
  auto answer = listener_.HandleDatagram(kCaller, HelloWithCookie(client, kCaller));
  ASSERT_TRUE(answer.accepted);
  Exchange(client, *answer.accepted);
  for (const char* text : {"one", "two", "three"}) ASSERT_TRUE(client.Send(AsBytes(text)));
  ASSERT_TRUE(client.Send(Bytes(16'384, 7)));
  const auto sent = TransmitsOf(client);
  ASSERT_EQ(sent.size(), 4u);
  for (const Bytes& bytes : sent) answer.accepted->HandleBytes(bytes);
  for (const std::size_t size : {3u, 3u, 5u, 16'384u}) {
    const auto record = answer.accepted->PollReceived();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->size(), size);
  }
  const auto too_long = client.Send(Bytes(16'385));
  ASSERT_FALSE(too_long);
  EXPECT_THAT(too_long.error().reason, testing::HasSubstr("16385"));
  EXPECT_EQ(client.state(), DtlsState::kOpen);
}

TEST_F(DtlsListenerTest, DamagedAndRepeatedRecordsAreDropped) {
  auto client = Caller();
  auto answer = listener_.HandleDatagram(kCaller, HelloWithCookie(client, kCaller));
  ASSERT_TRUE(answer.accepted);
  SecureStream& server = *answer.accepted;
  Exchange(client, server);
  ASSERT_TRUE(client.Send(AsBytes("once")));
  const Bytes record = *client.PollTransmit();
  for (std::size_t i = 0; i < record.size(); ++i) {
    Bytes damaged = record;
    damaged[i] ^= 0x10;
    server.HandleBytes(damaged);
  }
  for (std::size_t size = 0; size < record.size(); ++size) {
    server.HandleBytes(ByteView(record).first(size));
  }
  server.HandleBytes(*FromHex("000100002112a442000102030405060708090a0b"));
  EXPECT_EQ(server.state(), DtlsState::kOpen) << server.reason();
  EXPECT_EQ(TextOf(server), "");
  server.HandleBytes(record);
  server.HandleBytes(record);
  EXPECT_EQ(TextOf(server), "once");
}

TEST_F(DtlsListenerTest, FlightsKeepTheMtu) {
  const auto context = ServerContext(SecureProtocol::kDtls,
                                     {.identities = {TestIdentity(ServerIdentity::Key::kRsa)}});
  auto server = SecureStream::Server(context);
  server.SetMtu(400);
  auto client = Caller();
  for (const Bytes& bytes : TransmitsOf(client)) server.HandleBytes(bytes);
  const auto flight = TransmitsOf(server);
  EXPECT_GT(flight.size(), 2u);
  for (const Bytes& bytes : flight) {
    EXPECT_LE(bytes.size(), 400u);
    client.HandleBytes(bytes);
  }
  Exchange(client, server);
  EXPECT_EQ(client.state(), DtlsState::kOpen) << client.reason();
  EXPECT_FALSE(client.info().hello_verify_request);
}

}  // namespace
}  // namespace rtclab::conformance
