#include "conformance/engine/peer_echo.h"

#include <gmock/gmock.h>

#include "conformance/engine/echo_test_util.h"

namespace rtclab::conformance {
namespace {

using ::testing::HasSubstr;

TEST_F(EchoTest, ASocketOfTheOtherHostSendsAndReceives) {
  Serve("127.0.0.0/8");
  const auto peer = Open();
  ASSERT_TRUE(peer) << peer.error().reason;
  auto other = PeerSocket::Bind(Loopback());
  ASSERT_TRUE(other);
  const Bytes hello = {'h', 'i'};
  ASSERT_TRUE((*peer)->Send(other->local(), hello));
  const auto there = other->Receive(TimeDelta::Seconds(2));
  ASSERT_TRUE(there);
  EXPECT_EQ(there->bytes, hello);
  EXPECT_EQ(there->from, (*peer)->address());
  for (const Bytes& data : {Bytes{}, Bytes{1, 2, 3}, Bytes(1'400, 7)}) {
    ASSERT_TRUE(other->SendTo((*peer)->address(), data));
    const auto back = (*peer)->Receive(TimeDelta::Seconds(2));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->bytes, data);
    EXPECT_EQ(back->from, other->local());
  }
  EXPECT_FALSE((*peer)->Receive(TimeDelta::Millis(20)));
}

TEST_F(EchoTest, NothingIsSentBesideTheRelayUnderTest) {
  Serve("127.0.0.99");
  const auto peer = Open();
  ASSERT_TRUE(peer) << peer.error().reason;
  auto other = PeerSocket::Bind(Loopback());
  ASSERT_TRUE((*peer)->Send(other->local(), Bytes{1}));
  EXPECT_FALSE(other->Receive(TimeDelta::Millis(60)));
}

TEST_F(EchoTest, AWrongTokenAndAFamilyThatIsNotThereAreRefused) {
  Serve("127.0.0.1");
  const auto stranger = EchoPeer::Open(server_->address(), "guess", AddressFamily::kIpv4);
  ASSERT_FALSE(stranger);
  EXPECT_THAT(stranger.error().reason, HasSubstr("token"));
  const auto v6 = Open(AddressFamily::kIpv6);
  ASSERT_FALSE(v6);
  EXPECT_THAT(v6.error().reason, HasSubstr("IPv6"));
}

TEST_F(EchoTest, MorePeersThanItMayHaveAreRefused) {
  Serve("127.0.0.1", 1);
  const auto first = Open();
  ASSERT_TRUE(first) << first.error().reason;
  const auto second = Open();
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().reason, HasSubstr("no more peers"));
}

TEST(EchoFrameTest, IsTakenOnlyWhole) {
  const TransportAddress address{*IpAddress::Parse("2001:db8::1"), 7};
  const Bytes whole = EncodeEchoFrame(address, Bytes{1, 2, 3});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto frame = TakeEchoFrame(part);
    ASSERT_TRUE(frame) << size;
    EXPECT_FALSE(*frame) << size;
  }
  Bytes more = whole;
  more.push_back(9);
  const auto frame = TakeEchoFrame(more);
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->address, address);
  EXPECT_EQ((*frame)->datagram, (Bytes{1, 2, 3}));
  EXPECT_EQ(more, Bytes{9});
  for (const char* wrong : {"0000", "000105", "0003040007", "0007050007c0000201"}) {
    Bytes bytes = *FromHex(wrong);
    EXPECT_FALSE(TakeEchoFrame(bytes)) << wrong;
  }
}

}  // namespace
}  // namespace rtclab::conformance
