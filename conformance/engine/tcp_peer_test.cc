#include "conformance/engine/tcp_peer.h"

#include <gmock/gmock.h>

#include "conformance/engine/echo_test_util.h"

namespace rtclab::conformance {
namespace {

using ::testing::HasSubstr;

class TcpEchoTest : public EchoTest {
 protected:
  PeerPlan Plan() const {
    return {.kind = PeerPlan::Kind::kRemote, .remote = server_->address(), .remote_token = "token"};
  }
  // As the relay: from an address of choice.
  static std::unique_ptr<Channel> ConnectTo(const TransportAddress& to, uint8_t last = 1) {
    ChannelOptions options;
    options.server = to;
    options.local = TransportAddress{IpAddress::V4(127, 0, 0, last), 0};
    auto channel = Channel::Open(Transport::kTcp, options);
    return channel ? std::move(*channel) : nullptr;
  }
  // What comes until `size` bytes are there or the end.
  static Bytes Read(Channel& channel, std::size_t size) {
    Bytes out;
    while (out.size() < size) {
      const auto piece = channel.Receive(TimeDelta::Seconds(2));
      if (!piece) break;
      out.insert(out.end(), piece->bytes.begin(), piece->bytes.end());
    }
    return out;
  }
  static bool Ends(Channel& channel) {
    while (channel.Receive(TimeDelta::Seconds(2))) {
    }
    return channel.closed();
  }
};

TEST_F(TcpEchoTest, APortOfTheOtherHostTakesTheRelaysConnection) {
  Serve("127.0.0.1");
  auto peer = ListenThere(Plan(), AddressFamily::kIpv4);
  ASSERT_TRUE(peer) << peer.error().reason;
  EXPECT_FALSE((*peer)->Accept(TimeDelta::Millis(20)));
  const auto relay = ConnectTo((*peer)->local());
  ASSERT_TRUE(relay);
  const auto stream = (*peer)->Accept(TimeDelta::Seconds(2));
  ASSERT_TRUE(stream);
  EXPECT_EQ(stream->remote(), relay->local());
  EXPECT_EQ(stream->local(), (*peer)->local());
  const Bytes there(100'000, 0x5a), back(70'000, 0xa5);
  ASSERT_TRUE(relay->Send(there));
  EXPECT_EQ(Read(*stream, there.size()), there);
  ASSERT_TRUE(stream->Send(back));
  EXPECT_EQ(Read(*relay, back.size()), back);
  // A half that is closed leaves the other one open.
  relay->CloseWrite();
  EXPECT_TRUE(Ends(*stream));
  ASSERT_TRUE(stream->Send(back));
  stream->CloseWrite();
  EXPECT_EQ(Read(*relay, back.size()), back);
  EXPECT_TRUE(Ends(*relay));
}

TEST_F(TcpEchoTest, AResetIsOneOnTheOtherSideToo) {
  Serve("127.0.0.1");
  for (const bool ours : {true, false}) {
    auto peer = *ListenThere(Plan(), AddressFamily::kIpv4);
    const auto relay = ConnectTo(peer->local());
    const auto stream = peer->Accept(TimeDelta::Seconds(2));
    ASSERT_TRUE(relay && stream);
    (ours ? *stream : *relay).Reset();
    Channel& other = ours ? *relay : *stream;
    EXPECT_TRUE(Ends(other)) << ours;
    EXPECT_EQ(other.close_reason(), "reset") << ours;
  }
}

TEST_F(TcpEchoTest, OnlyTheRelaysConnectionIsTaken) {
  Serve("127.0.0.1");
  auto peer = *ListenThere(Plan(), AddressFamily::kIpv4);
  const auto stranger = ConnectTo(peer->local(), 2);
  // Its reset may be here before the connection is known to be open.
  EXPECT_TRUE(!stranger || Ends(*stranger));
  const auto relay = ConnectTo(peer->local());
  const auto stream = peer->Accept(TimeDelta::Seconds(2));
  ASSERT_TRUE(relay && stream);
  EXPECT_EQ(stream->remote(), relay->local());
}

TEST_F(TcpEchoTest, ItConnectsOnlyWhereItsOperatorAllows) {
  options_.connect = {*ParsePrefix("127.0.0.1")};
  Serve("127.0.0.0/8");
  auto relayed = *PeerListener::Listen(Loopback());
  const PeerConnection made = ConnectThere(Plan(), relayed.local());
  ASSERT_TRUE(made.stream) << made.reason;
  const auto accepted = relayed.Accept(TimeDelta::Seconds(2));
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->remote(), made.stream->local());
  ASSERT_TRUE(made.stream->Send(Bytes{1, 2, 3}));
  EXPECT_EQ(Read(*accepted, 3), (Bytes{1, 2, 3}));

  auto elsewhere = *PeerListener::Listen({IpAddress::V4(127, 0, 0, 2), 0});
  const PeerConnection refused = ConnectThere(Plan(), elsewhere.local());
  EXPECT_FALSE(refused.stream);
  EXPECT_TRUE(refused.refused);
  EXPECT_THAT(refused.reason, HasSubstr("127.0.0.2: --connect allows it"));
  EXPECT_FALSE(elsewhere.Accept(TimeDelta::Millis(50)));

  TransportAddress closed = relayed.local();
  relayed = *PeerListener::Listen(Loopback());
  const PeerConnection failed = ConnectThere(Plan(), closed);
  EXPECT_FALSE(failed.stream || failed.refused || failed.broken) << failed.reason;
}

TEST_F(TcpEchoTest, WithoutLeaveItConnectsNowhere) {
  Serve("127.0.0.0/8");
  auto relayed = *PeerListener::Listen(Loopback());
  EXPECT_TRUE(ConnectThere(Plan(), relayed.local()).refused);
  EXPECT_FALSE(relayed.Accept(TimeDelta::Millis(50)));
}

TEST_F(TcpEchoTest, AClosedPortIsClosedWhenItIsNamed) {
  Serve("127.0.0.1");
  for (int i = 0; i < 5; ++i) {
    const auto closed = ClosedPortThere(Plan(), AddressFamily::kIpv4);
    ASSERT_TRUE(closed) << closed.error().reason;
    EXPECT_FALSE(ConnectTo(*closed));
  }
}

TEST_F(TcpEchoTest, NoMoreBytesThanItMayPass) {
  options_.max_bytes = 1'000;
  Serve("127.0.0.1");
  auto peer = *ListenThere(Plan(), AddressFamily::kIpv4);
  const auto relay = ConnectTo(peer->local());
  const auto stream = peer->Accept(TimeDelta::Seconds(2));
  ASSERT_TRUE(relay && stream);
  (void)relay->Send(Bytes(1'001));
  EXPECT_LE(Read(*stream, 2'000).size(), 1'000u);
  EXPECT_TRUE(stream->closed());
}

// The greeting is answered with a proof of something else than is asked for.
TEST_F(TcpEchoTest, TheRequestIsPartOfTheProof) {
  options_.connect = {*ParsePrefix("127.0.0.0/8")};
  Serve("127.0.0.0/8");
  auto relayed = *PeerListener::Listen(Loopback());
  for (const Bytes& request :
       {Bytes{0x24, 4, 0, 9, 127, 0, 0, 1}, Bytes{0x14}, Bytes{0x34}, Bytes{0x05}}) {
    for (const bool proven : {true, false}) {
      const auto channel = ConnectTo(server_->address());
      ASSERT_TRUE(channel);
      const Bytes challenge = Read(*channel, kEchoChallengeSize);
      ASSERT_EQ(challenge.size(), kEchoChallengeSize);
      const auto proof = EchoProof("token", challenge, proven ? ByteView(request) : ByteView());
      Bytes answer(proof.begin(), proof.end());
      answer.insert(answer.end(), request.begin(), request.end());
      ASSERT_TRUE(channel->Send(answer));
      const Bytes first = Read(*channel, 1);
      const bool known = request[0] == 0x24 || request[0] == 0x14;
      EXPECT_EQ(!first.empty(), proven && known) << int{request[0]};
    }
  }
}

}  // namespace
}  // namespace rtclab::conformance
