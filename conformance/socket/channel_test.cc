#include "conformance/socket/channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>
#include <tuple>

#include "conformance/socket/channel_test_util.h"

namespace rtclab::conformance {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr TimeDelta kAMoment = TimeDelta::Millis(30);

std::string TransportName(Transport transport) { return std::string(ToString(transport)); }

class ChannelTest : public testing::TestWithParam<std::tuple<Transport, AddressFamily>> {
 protected:
  ChannelTest()
      : server_(std::get<1>(GetParam())),
        trusted_(TestIdentity(ServerIdentity::Key::kEcdsa).CertificatePem()) {
    options_.server = PortOf(server_, transport());
    options_.secure.ca_file = trusted_.path();
    options_.secure.alpn = {"stun.turn"};
  }
  static Transport transport() { return std::get<0>(GetParam()); }
  static AddressFamily family() { return std::get<1>(GetParam()); }
  bool is_secure() const {
    return transport() == Transport::kTls || transport() == Transport::kDtls;
  }
  std::unique_ptr<Channel> Open() {
    auto channel = Channel::Open(transport(), options_);
    EXPECT_TRUE(channel) << channel.error().reason;
    return channel ? *std::move(channel) : nullptr;
  }

  EchoServer server_;
  TemporaryFile trusted_;
  ChannelOptions options_;
};

TEST_P(ChannelTest, SendsAndReceives) {
  const auto channel = Open();
  ASSERT_TRUE(channel);
  EXPECT_EQ(channel->transport(), transport());
  EXPECT_EQ(channel->remote(), options_.server);
  EXPECT_EQ(channel->local().ip, options_.server.ip);
  EXPECT_NE(channel->local().port, 0);
  EXPECT_EQ(channel->is_stream(), transport() == Transport::kTcp || transport() == Transport::kTls);
  for (const std::string text : {"first", "second"}) {
    const Timestamp before = RealNow();
    ASSERT_TRUE(channel->Send(AsBytes(text)));
    const auto got = channel->Receive(kChannelPatience);
    ASSERT_TRUE(got);
    EXPECT_EQ(AsString(got->bytes), text);
    EXPECT_EQ(got->from, options_.server);
    EXPECT_GE(got->at, before);
    EXPECT_LE(got->at, RealNow());
  }
  EXPECT_FALSE(channel->closed());
  EXPECT_EQ(channel->close_reason(), "");
  ASSERT_EQ(channel->secure() != nullptr, is_secure());
  if (!is_secure()) return;
  EXPECT_EQ(channel->secure()->version, transport() == Transport::kTls ? "TLSv1.3" : "DTLSv1.2");
  EXPECT_EQ(channel->secure()->alpn, "stun.turn");
  EXPECT_EQ(channel->secure()->verify_error, "");
  EXPECT_EQ(channel->secure()->hello_verify_request, transport() == Transport::kDtls);
}

TEST_P(ChannelTest, SilenceEndsAtTheLimit) {
  const auto channel = Open();
  ASSERT_TRUE(channel);
  for (const TimeDelta limit : {TimeDelta::Zero(), kAMoment}) {
    const Timestamp start = RealNow();
    EXPECT_FALSE(channel->Receive(limit));
    EXPECT_GE(RealNow() - start, limit);
    EXPECT_LT(RealNow() - start, limit + TimeDelta::Millis(300));
  }
  EXPECT_FALSE(channel->closed());
}

TEST_P(ChannelTest, BindsWhereItIsTold) {
  uint16_t port = 0;
  {
    const auto free = *TcpListener::Listen(LoopbackOf(family()));
    port = free.local().port;
  }
  options_.local = {IpAddress::Any(family()), port};
  const auto channel = Open();
  ASSERT_TRUE(channel);
  EXPECT_EQ(channel->local(), (LoopbackOf(family(), port)));
  ASSERT_TRUE(channel->Send(AsBytes("x")));
  EXPECT_EQ(NextText(*channel), "x");
}

TEST_P(ChannelTest, WhatThisHostRefusesIsToldSo) {
  options_.local = {family() == AddressFamily::kIpv4 ? IpAddress::V4(192, 0, 2, 1)
                                                     : *IpAddress::Parse("2001:db8::1"),
                    0};
  const auto attempt = Channel::TryOpen(transport(), options_);
  EXPECT_EQ(attempt.stage, Channel::Stage::kSocket);
  EXPECT_EQ(attempt.channel, nullptr);
  EXPECT_THAT(attempt.reason, StartsWith("bind "));
}

TEST_P(ChannelTest, AServerThatIsNotThereIsToldSo) {
  {
    const auto gone = *TcpListener::Listen(LoopbackOf(family()));
    options_.server = gone.local();
  }
  auto attempt = Channel::TryOpen(transport(), options_);
  if (transport() == Transport::kUdp) {
    ASSERT_EQ(attempt.stage, Channel::Stage::kOpen);
    ASSERT_TRUE(attempt.channel->Send(AsBytes("anybody?")));
    EXPECT_FALSE(attempt.channel->Receive(kAMoment));
    const auto icmp = attempt.channel->ReceiveIcmp();
    ASSERT_TRUE(icmp);
    EXPECT_EQ(icmp->destination, options_.server);
    EXPECT_FALSE(attempt.channel->ReceiveIcmp());
    return;
  }
  EXPECT_EQ(attempt.stage, Channel::Stage::kConnect);
  EXPECT_FALSE(attempt.timed_out);
  EXPECT_THAT(attempt.reason, HasSubstr(options_.server.ToString()));
  EXPECT_THAT(attempt.reason, HasSubstr(transport() == Transport::kDtls ? "port unreachable (ICMP)"
                                                                        : "Connection refused"));
}

TEST_P(ChannelTest, AnInterruptEndsAWait) {
  const auto channel = Open();
  ASSERT_TRUE(channel);
  // By Interrupt(), which wakes at once, and by the flag alone, which is looked at every 50 ms.
  for (const bool wake : {true, false}) {
    std::thread user([wake] {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      wake ? Interrupt() : Interrupted().store(true);
    });
    const Timestamp start = RealNow();
    EXPECT_FALSE(channel->Receive(kChannelPatience));
    EXPECT_LT(RealNow() - start, TimeDelta::Millis(500));
    user.join();
    // Cleaning up goes on.
    channel->set_interruptible(false);
    ASSERT_TRUE(channel->Send(AsBytes("goodbye")));
    EXPECT_EQ(NextText(*channel), "goodbye");
    channel->set_interruptible(true);
    EXPECT_EQ(Channel::TryOpen(transport(), options_).stage, Channel::Stage::kInterrupted);
    ClearInterrupt();
  }
}

TEST_P(ChannelTest, AChannelClosedHereSendsNoMore) {
  const auto channel = Open();
  ASSERT_TRUE(channel);
  channel->Reset();
  EXPECT_TRUE(channel->closed());
  EXPECT_EQ(channel->close_reason(), "closed here");
  const auto sent = channel->Send(AsBytes("x"));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().reason, "closed here");
  EXPECT_FALSE(channel->Receive(TimeDelta::Zero()));
}

INSTANTIATE_TEST_SUITE_P(All, ChannelTest,
                         testing::Combine(testing::Values(Transport::kUdp, Transport::kTcp,
                                                          Transport::kTls, Transport::kDtls),
                                          testing::Values(AddressFamily::kIpv4,
                                                          AddressFamily::kIpv6)),
                         [](const auto& i) {
                           return TransportName(std::get<0>(i.param)) +
                                  FamilyName(std::get<1>(i.param));
                         });

class ClosingChannelTest : public testing::TestWithParam<Transport> {
 protected:
  ClosingChannelTest() : server_(AddressFamily::kIpv4) {
    options_.server = PortOf(server_, GetParam());
    options_.secure.insecure = true;
    channel_ = *Channel::Open(GetParam(), options_);
  }
  EchoServer server_;
  ChannelOptions options_;
  std::unique_ptr<Channel> channel_;
};

TEST_P(ClosingChannelTest, ThePeersCloseIsSeen) {
  ASSERT_TRUE(channel_->Send(AsBytes("close")));
  const Timestamp start = RealNow();
  EXPECT_FALSE(channel_->Receive(kChannelPatience));
  EXPECT_LT(RealNow() - start, TimeDelta::Seconds(1));
  EXPECT_TRUE(channel_->closed());
  EXPECT_EQ(channel_->close_reason(), "closed");
}

TEST_P(ClosingChannelTest, OurHalfCloseIsAnswered) {
  ASSERT_TRUE(channel_->Send(AsBytes("x")));
  EXPECT_EQ(NextText(*channel_), "x");
  channel_->CloseWrite();
  EXPECT_FALSE(channel_->Send(AsBytes("too late")));
  if (GetParam() == Transport::kTcp) {
    EXPECT_EQ(NextText(*channel_), "bye");
  }
  EXPECT_FALSE(channel_->Receive(kChannelPatience));
  EXPECT_TRUE(channel_->closed());
  EXPECT_EQ(channel_->close_reason(), "closed");
}

INSTANTIATE_TEST_SUITE_P(Transports, ClosingChannelTest,
                         testing::Values(Transport::kTcp, Transport::kTls, Transport::kDtls),
                         [](const auto& i) { return TransportName(i.param); });

TEST(UdpChannelTest, TakesAnswersFromAnywhereAndSendsElsewhere) {
  auto server = *PeerSocket::Bind(LoopbackOf(AddressFamily::kIpv4));
  auto other = *PeerSocket::Bind(LoopbackOf(AddressFamily::kIpv4));
  ChannelOptions options;
  options.server = server.local();
  options.marks = {.dscp = 10, .ecn = 2};
  const auto channel = *Channel::Open(Transport::kUdp, options);
  ASSERT_TRUE(channel->Send(AsBytes("hello")));
  const auto asked = server.Receive(kChannelPatience);
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->from, channel->local());
  EXPECT_EQ(asked->marks.dscp, 10);
  EXPECT_EQ(asked->marks.ecn, 2);
  ASSERT_TRUE(other.SendTo(channel->local(), AsBytes("from elsewhere"), {.dscp = 46, .ecn = 1}));
  const auto got = channel->Receive(kChannelPatience);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->from, other.local());
  EXPECT_EQ(got->marks.dscp, 46);
  EXPECT_EQ(got->marks.ecn, 1);
  ASSERT_TRUE(channel->SendTo(other.local(), AsBytes("elsewhere"), {.hop_limit = 5}));
  const auto there = other.Receive(kChannelPatience);
  ASSERT_TRUE(there);
  EXPECT_EQ(there->marks, (IpMarks{.hop_limit = 5}));
  // An empty datagram is one.
  ASSERT_TRUE(channel->Send({}));
  EXPECT_TRUE(server.Receive(kChannelPatience));
}

TEST(PeerSocketTest, WaitsForIcmp) {
  auto peer = *PeerSocket::Bind(LoopbackOf(AddressFamily::kIpv4));
  EXPECT_FALSE(peer.ReceiveIcmp(TimeDelta::Millis(5)));
  TransportAddress nobody;
  {
    const auto gone = *PeerSocket::Bind(LoopbackOf(AddressFamily::kIpv4));
    nobody = gone.local();
  }
  ASSERT_TRUE(peer.SendTo(nobody, AsBytes("x")));
  const auto icmp = peer.ReceiveIcmp(kChannelPatience);
  ASSERT_TRUE(icmp);
  EXPECT_EQ(icmp->type, 3);
  EXPECT_EQ(icmp->code, 3);
  ASSERT_FALSE(PeerSocket::Bind({IpAddress::V4(192, 0, 2, 1), 0}));
}

TEST(PeerListenerTest, AcceptsChannelsAndConnectsFromTheSameAddress) {
  auto listener = *PeerListener::Listen(LoopbackOf(AddressFamily::kIpv4));
  auto relay = *PeerListener::Listen(LoopbackOf(AddressFamily::kIpv4));
  EXPECT_EQ(listener.Accept(TimeDelta::Millis(5)), nullptr);
  ChannelOptions options;
  options.server = relay.local();
  options.local = listener.local();
  options.reuse_local = true;
  const auto outgoing = Channel::Open(Transport::kTcp, options);
  ASSERT_TRUE(outgoing) << outgoing.error().reason;
  const auto incoming = relay.Accept(kChannelPatience);
  ASSERT_TRUE(incoming);
  EXPECT_EQ(incoming->remote(), listener.local());
  EXPECT_EQ(incoming->transport(), Transport::kTcp);
  ASSERT_TRUE(incoming->Send(AsBytes("hello")));
  EXPECT_EQ(NextText(**outgoing), "hello");
  (*outgoing)->Reset();
  EXPECT_FALSE(incoming->Receive(kChannelPatience));
  EXPECT_EQ(incoming->close_reason(), "reset");
}

TEST(StreamChannelTest, ThePeersResetIsSeen) {
  const EchoServer server(AddressFamily::kIpv4);
  for (const Transport transport : {Transport::kTcp, Transport::kTls}) {
    ChannelOptions options;
    options.server = PortOf(server, transport);
    options.secure.insecure = true;
    const auto channel = *Channel::Open(transport, options);
    ASSERT_TRUE(channel->Send(AsBytes("reset")));
    EXPECT_FALSE(channel->Receive(kChannelPatience));
    EXPECT_TRUE(channel->closed());
    EXPECT_EQ(channel->close_reason(), "reset");
    const auto sent = channel->Send(AsBytes("x"));
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().reason, "reset");
  }
}

TEST(StreamChannelTest, SendGivesUpOnAPeerThatDoesNotRead) {
  auto listener = *PeerListener::Listen(LoopbackOf(AddressFamily::kIpv4));
  ChannelOptions options;
  options.server = listener.local();
  options.send_timeout = TimeDelta::Millis(50);
  const auto channel = *Channel::Open(Transport::kTcp, options);
  const auto peer = listener.Accept(kChannelPatience);
  ASSERT_TRUE(peer);
  const std::string block(1 << 20, 'x');
  std::size_t accepted = 0;
  Result<void> sent;
  for (; accepted < 64; ++accepted) {
    sent = channel->Send(AsBytes(block));
    if (!sent) break;
  }
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().reason, "the peer does not read");
  // What is left goes out before the next bytes: the stream has no hole.
  std::size_t read = 0;
  std::thread reader([&] {
    while (auto got = peer->Receive(TimeDelta::Millis(200))) {
      read += got->bytes.size();
      if (AsString(got->bytes).back() == 'y') break;
    }
  });
  EXPECT_TRUE(channel->Send(AsBytes("y")));
  reader.join();
  EXPECT_EQ(read, (accepted + 1) * block.size() + 1);
}

TEST(StreamChannelTest, TwoThatWriteMuchDoNotWaitForEachOther) {
  auto listener = *PeerListener::Listen(LoopbackOf(AddressFamily::kIpv4));
  ChannelOptions options;
  options.server = listener.local();
  const auto near = *Channel::Open(Transport::kTcp, options);
  const auto far = listener.Accept(kChannelPatience);
  ASSERT_TRUE(far);
  // More than both systems' buffers hold, so that each has to read while it writes.
  const std::string much(16 << 20, 'z');
  const auto write_then_read = [&much](Channel& channel) {
    EXPECT_TRUE(channel.Send(AsBytes(much)));
    std::size_t got = 0;
    while (got < much.size()) {
      const auto piece = channel.Receive(kChannelPatience);
      if (!piece) break;
      got += piece->bytes.size();
    }
    EXPECT_EQ(got, much.size());
  };
  std::thread other([&] { write_then_read(*far); });
  write_then_read(*near);
  other.join();
}

TEST(StreamChannelTest, HalfClosedByThePeerCanStillBeWrittenTo) {
  auto listener = *PeerListener::Listen(LoopbackOf(AddressFamily::kIpv4));
  ChannelOptions options;
  options.server = listener.local();
  const auto channel = *Channel::Open(Transport::kTcp, options);
  const auto peer = listener.Accept(kChannelPatience);
  ASSERT_TRUE(peer);
  ASSERT_TRUE(peer->Send(AsBytes("last words")));
  peer->CloseWrite();
  EXPECT_FALSE(channel->closed());
  EXPECT_EQ(NextText(*channel), "last words");
  EXPECT_FALSE(channel->Receive(kChannelPatience));
  EXPECT_TRUE(channel->closed());
  EXPECT_EQ(channel->close_reason(), "closed");
  ASSERT_TRUE(channel->Send(AsBytes("answer")));
  EXPECT_EQ(NextText(*peer), "answer");
}

TEST(LocalAddressTest, FollowsTheRoutes) {
  const auto v4 = LocalAddressFor({IpAddress::V4(127, 0, 0, 9), 3478});
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->ip, IpAddress::V4(127, 0, 0, 1));
  EXPECT_EQ(v4->port, 0);
  EXPECT_EQ(LocalAddressFor(LoopbackOf(AddressFamily::kIpv6, 1)).value(),
            LoopbackOf(AddressFamily::kIpv6));
}

}  // namespace
}  // namespace rtclab::conformance
