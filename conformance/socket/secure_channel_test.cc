// Channels over TLS and DTLS: handshakes that go wrong, certificates, ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "conformance/socket/channel_test_util.h"
#include "conformance/socket/tcp_socket.h"
#include "conformance/socket/wait.h"

namespace rtclab::conformance {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A TCP server that does with the first connection what a test says, in place of a TLS handshake.
class BrokenTlsTest : public testing::Test {
 protected:
  Channel::Attempt Try(const std::function<void(Channel&)>& behave, TimeDelta limit) {
    ChannelOptions options;
    options.server = listener_.local();
    options.secure.insecure = true;
    options.connect_timeout = limit;
    std::unique_ptr<Channel> peer;
    std::thread server([&] {
      peer = listener_.Accept(kChannelPatience);
      if (peer) behave(*peer);
    });
    auto attempt = Channel::TryOpen(Transport::kTls, options);
    server.join();
    return attempt;
  }
  std::string Prefix() const { return "TLS handshake with " + listener_.local().ToString() + ": "; }

  PeerListener listener_ = *PeerListener::Listen(LoopbackOf(AddressFamily::kIpv4));
};

TEST_F(BrokenTlsTest, SilenceTimesOut) {
  const Timestamp start = RealNow();
  const auto attempt = Try([](Channel&) {}, TimeDelta::Millis(60));
  EXPECT_EQ(attempt.stage, Channel::Stage::kHandshake);
  EXPECT_TRUE(attempt.timed_out);
  EXPECT_EQ(attempt.reason, Prefix() + "no answer in time");
  EXPECT_GE(RealNow() - start, TimeDelta::Millis(60));
}

TEST_F(BrokenTlsTest, GarbageAndEndsAreToldApart) {
  const auto garbage =
      Try([](Channel& peer) { (void)peer.Send(AsBytes("HTTP/1.1 400 Bad Request\r\n\r\n")); },
          kChannelPatience);
  EXPECT_EQ(garbage.stage, Channel::Stage::kHandshake);
  EXPECT_FALSE(garbage.timed_out);
  EXPECT_THAT(garbage.reason, StartsWith(Prefix() + "no TLS: "));
  const auto closed = Try(
      [](Channel& peer) {
        (void)peer.Receive(kChannelPatience);
        peer.CloseWrite();
      },
      kChannelPatience);
  EXPECT_EQ(closed.reason, Prefix() + "the connection ended during the handshake");
  const auto reset = Try(
      [](Channel& peer) {
        (void)peer.Receive(kChannelPatience);
        peer.Reset();
      },
      kChannelPatience);
  EXPECT_EQ(reset.stage, Channel::Stage::kHandshake);
  EXPECT_EQ(reset.reason, Prefix() + "reset");
  // RFC 8446 section 6.2: a fatal alert, handshake_failure (40).
  const auto alert =
      Try([](Channel& peer) { (void)peer.Send(*FromHex("15030300020228")); }, kChannelPatience);
  EXPECT_EQ(alert.reason, Prefix() + "alert received: handshake failure");
  EXPECT_EQ(alert.secure.alert, 40);
}

TEST(SecureChannelTest, ACertificateThatDoesNotHoldIsToldWithWhatItNames) {
  const EchoServer server(AddressFamily::kIpv4);
  const TemporaryFile ca(TestIdentity(ServerIdentity::Key::kEcdsa).CertificatePem());
  for (const Transport transport : {Transport::kTls, Transport::kDtls}) {
    ChannelOptions options;
    options.server = PortOf(server, transport);
    options.secure.ca_file = ca.path();
    options.server_name = "turn.example.org";
    const auto attempt = Channel::TryOpen(transport, options);
    EXPECT_EQ(attempt.stage, Channel::Stage::kHandshake);
    EXPECT_THAT(attempt.reason,
                HasSubstr("the certificate is not for turn.example.org, it names DNS:localhost"));
    ASSERT_TRUE(attempt.secure.peer);
    EXPECT_EQ(attempt.secure.peer->key, "P-256");
  }
}

TEST(SecureChannelTest, ManyChannelsShareAContext) {
  const EchoServer server(AddressFamily::kIpv6);
  ChannelOptions options;
  options.server = server.tls();
  options.context = *SecureContext::Client(SecureProtocol::kTls, {.insecure = true});
  std::vector<std::unique_ptr<Channel>> channels;
  for (int i = 0; i < 8; ++i) channels.push_back(*Channel::Open(Transport::kTls, options));
  for (const auto& channel : channels) ASSERT_TRUE(channel->Send(AsBytes("hello")));
  for (const auto& channel : channels) EXPECT_EQ(NextText(*channel), "hello");
  const auto wrong = Channel::TryOpen(Transport::kDtls, options);
  EXPECT_EQ(wrong.stage, Channel::Stage::kSocket);
  EXPECT_EQ(wrong.reason, "the context is not one of dtls");
}

TEST(SecureChannelTest, DtlsSilenceTimesOut) {
  const auto silent = *PeerSocket::Bind(LoopbackOf(AddressFamily::kIpv4));
  ChannelOptions options;
  options.server = silent.local();
  options.secure.insecure = true;
  options.connect_timeout = TimeDelta::Millis(60);
  options.secure.retransmit_after = TimeDelta::Millis(20);
  const auto attempt = Channel::TryOpen(Transport::kDtls, options);
  EXPECT_EQ(attempt.stage, Channel::Stage::kHandshake);
  EXPECT_TRUE(attempt.timed_out);
}

TEST(SecureChannelTest, ATlsServerThatEndsWithoutAGoodbyeIsToldSo) {
  auto listener = *TcpListener::Listen(LoopbackOf(AddressFamily::kIpv4));
  std::thread server([&] {
    WaitFor(listener.descriptor(), POLLIN, RealNow() + kChannelPatience, false);
    auto socket = listener.Accept();
    if (!socket) return;
    auto secure = SecureStream::Server(ServerContext(SecureProtocol::kTls));
    Bytes buffer(4'096);
    while (secure.state() == SecureStream::State::kHandshaking) {
      WaitFor(socket->descriptor(), POLLIN, RealNow() + kChannelPatience, false);
      const auto io = socket->Read(buffer);
      secure.HandleBytes({buffer.data(), io.size});
      for (const Bytes& bytes : TransmitsOf(secure)) socket->Write(bytes);
    }
  });
  ChannelOptions options;
  options.server = listener.local();
  options.secure.insecure = true;
  const auto channel = Channel::Open(Transport::kTls, options);
  server.join();
  ASSERT_TRUE(channel) << channel.error().reason;
  EXPECT_FALSE((*channel)->Receive(kChannelPatience));
  EXPECT_EQ((*channel)->close_reason(), "closed without close_notify");
}

}  // namespace
}  // namespace rtclab::conformance
