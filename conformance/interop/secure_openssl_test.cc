// The TLS and DTLS of real sockets (conformance/socket) against OpenSSL's own client and server programs on loopback.
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "conformance/interop/child_process.h"
#include "conformance/interop/loopback.h"
#include "conformance/socket/channel.h"
#include "conformance/socket/event_loop.h"
#include "conformance/socket/tcp_socket.h"

namespace rtclab::conformance {
namespace {

constexpr TimeDelta kSecurePatience = TimeDelta::Seconds(10);

struct SecureCase {
  std::string name;
  Transport transport;
  ServerIdentity::Key key;
  std::vector<std::string> options;  // of their program
  std::string version;
  std::string cipher;
};
void PrintTo(const SecureCase& test, std::ostream* out) { *out << test.name; }

class SecureOpenSslTest : public testing::TestWithParam<SecureCase> {
 protected:
  SecureOpenSslTest()
      : identity_(ServerIdentity::SelfSigned(GetParam().key, {"localhost", "127.0.0.1"})) {
    std::ofstream(folder_.path() / "cert.pem") << identity_.CertificatePem();
    std::ofstream(folder_.path() / "key.pem") << identity_.PrivateKeyPem();
  }

  bool is_dtls() const { return GetParam().transport == Transport::kDtls; }

  void StartTheirs(std::vector<std::string> arguments) {
    if (is_dtls()) arguments.emplace_back("-dtls1_2");
    const auto& more = GetParam().options;
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto started = ChildProcess::Start(std::move(arguments), ChildProcess::Input::kPipe);
    ASSERT_TRUE(started) << started.error().reason << "; scripts/setup installs openssl";
    process_ = std::make_unique<ChildProcess>(std::move(*started));
  }
  bool TheyPrint(const std::string& text) {
    const Timestamp end = RealNow() + kSecurePatience;
    while (process_->Output().find(text) == std::string::npos) {
      if (RealNow() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  std::string PathOf(const char* name) const { return (folder_.path() / name).string(); }

  TemporaryFolder folder_;
  ServerIdentity identity_;
  std::unique_ptr<ChildProcess> process_;
};

TEST_P(SecureOpenSslTest, OurClientTheirServer) {
  const uint16_t port = FreePort();
  std::vector<std::string> arguments = {
      "openssl", "s_server",         "-accept",  "127.0.0.1:" + std::to_string(port),
      "-cert",   PathOf("cert.pem"), "-key",     PathOf("key.pem"),
      "-alpn",   "stun.turn",        "-naccept", "1"};
  if (is_dtls()) arguments.emplace_back("-listen");
  StartTheirs(std::move(arguments));
  ASSERT_TRUE(TheyPrint("ACCEPT"));
  ChannelOptions options;
  options.server = {Loopback(AddressFamily::kIpv4), port};
  options.secure.ca_file = PathOf("cert.pem");
  options.secure.alpn = {"stun.turn"};
  auto opened = Channel::Open(GetParam().transport, options);
  ASSERT_TRUE(opened) << opened.error().reason << process_->Output();
  Channel& channel = **opened;
  EXPECT_EQ(channel.secure()->version, GetParam().version);
  EXPECT_EQ(channel.secure()->cipher, GetParam().cipher);
  EXPECT_EQ(channel.secure()->alpn, "stun.turn");
  EXPECT_EQ(channel.secure()->verify_error, "");
  EXPECT_EQ(channel.secure()->hello_verify_request, is_dtls());
  ASSERT_TRUE(channel.Send(AsBytes("hello from rtclab\n")));
  EXPECT_TRUE(TheyPrint("hello from rtclab")) << process_->Output();
  ASSERT_TRUE(process_->Write("hello from openssl\n"));
  const auto got = channel.Receive(kSecurePatience);
  ASSERT_TRUE(got);
  EXPECT_EQ(AsString(got->bytes), "hello from openssl\n");
  // It answers close_notify with its own, and ends.
  channel.CloseWrite();
  EXPECT_FALSE(channel.Receive(kSecurePatience));
  EXPECT_EQ(channel.close_reason(), "closed");
}

// Serves one client, echoing, until it says goodbye. Returns why the association ended.
std::string ServeTls(TcpListener& listener, const SecureContext& context, EventLoop& loop) {
  std::optional<TcpSocket> socket;
  auto secure = SecureStream::Server(context);
  Bytes buffer(65'536);
  loop.Add(listener.descriptor(), [&](EventLoop::Ready) {
    socket = listener.Accept();
    if (!socket) return;
    loop.Add(socket->descriptor(), [&](EventLoop::Ready) {
      const auto io = socket->Read(buffer);
      if (io.status == TcpSocket::Status::kOk) secure.HandleBytes({buffer.data(), io.size});
      if (io.status == TcpSocket::Status::kEnd) secure.HandleEnd();
      while (auto bytes = secure.PollReceived()) (void)secure.Send(*bytes);
      while (auto bytes = secure.PollTransmit()) socket->Write(*bytes);
      if (!secure.reason().empty()) loop.Stop();
    });
  });
  const Timestamp end = RealNow() + kSecurePatience;
  loop.Run([&](Timestamp now) {
    if (now >= end) loop.Stop();
    return end;
  });
  return secure.reason();
}

std::string ServeDtls(UdpSocket& socket, const SecureContext& context, EventLoop& loop) {
  DtlsListener listener(context);
  std::optional<SecureStream> secure;
  Bytes buffer(65'536);
  loop.Add(socket.descriptor(), [&](EventLoop::Ready) {
    while (auto datagram = socket.Receive(buffer)) {
      if (!secure) {
        auto answer = listener.HandleDatagram(datagram->source, datagram->payload);
        if (answer.transmit) socket.Send(datagram->source, *answer.transmit, false);
        secure = std::move(answer.accepted);
        if (!secure) continue;
      } else {
        secure->HandleBytes(datagram->payload);
      }
      while (auto bytes = secure->PollReceived()) (void)secure->Send(*bytes);
      while (auto bytes = secure->PollTransmit()) socket.Send(datagram->source, *bytes, false);
      if (!secure->reason().empty()) loop.Stop();
    }
  });
  const Timestamp end = RealNow() + kSecurePatience;
  loop.Run([&](Timestamp now) {
    if (now >= end) loop.Stop();
    return end;
  });
  return secure ? secure->reason() : "never accepted";
}

TEST_P(SecureOpenSslTest, TheirClientOurServer) {
  const auto context = SecureContext::Server(
      is_dtls() ? SecureProtocol::kDtls : SecureProtocol::kTls, {.identities = {identity_}});
  ASSERT_TRUE(context);
  auto tcp = *TcpListener::Listen({Loopback(AddressFamily::kIpv4), 0});
  auto udp = *UdpSocket::Bind({Loopback(AddressFamily::kIpv4), 0});
  EventLoop loop;
  std::string reason;
  std::thread server(
      [&] { reason = is_dtls() ? ServeDtls(udp, *context, loop) : ServeTls(tcp, *context, loop); });
  StartTheirs({"openssl", "s_client", "-connect",
               (is_dtls() ? udp.local() : tcp.local()).ToString(), "-CAfile", PathOf("cert.pem"),
               "-verify_return_error", "-verify_ip", "127.0.0.1", "-alpn",
               "stun.turn,stun.nat-discovery"});
  EXPECT_TRUE(TheyPrint("Verify return code: 0 (ok)")) << process_->Output();
  EXPECT_TRUE(TheyPrint("ALPN protocol: stun.turn")) << process_->Output();
  EXPECT_TRUE(TheyPrint("Compression: NONE")) << process_->Output();
  EXPECT_TRUE(TheyPrint(GetParam().version)) << process_->Output();
  ASSERT_TRUE(process_->Write("there and back\n"));
  EXPECT_TRUE(TheyPrint("there and back")) << process_->Output();
  // "Q" at the beginning of a line ends it with close_notify.
  ASSERT_TRUE(process_->Write("Q\n"));
  server.join();
  EXPECT_EQ(reason, "close_notify");
}

INSTANTIATE_TEST_SUITE_P(
    Programs, SecureOpenSslTest,
    testing::Values(SecureCase{"Tls13",
                               Transport::kTls,
                               ServerIdentity::Key::kEcdsa,
                               {},
                               "TLSv1.3",
                               "TLS_AES_256_GCM_SHA384"},
                    SecureCase{"Tls12Rsa",
                               Transport::kTls,
                               ServerIdentity::Key::kRsa,
                               {"-no_tls1_3", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"},
                               "TLSv1.2",
                               "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
                    SecureCase{"Tls12RsaDhe",
                               Transport::kTls,
                               ServerIdentity::Key::kRsa,
                               {"-no_tls1_3", "-cipher", "DHE-RSA-AES128-GCM-SHA256"},
                               "TLSv1.2",
                               "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"},
                    SecureCase{"Dtls",
                               Transport::kDtls,
                               ServerIdentity::Key::kEcdsa,
                               {"-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"},
                               "DTLSv1.2",
                               "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}),
    [](const auto& i) { return i.param.name; });

}  // namespace
}  // namespace rtclab::conformance
