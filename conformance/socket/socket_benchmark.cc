// What real sockets cost: datagrams one by one and in batches, the handshakes of TLS and DTLS, and a flood of DTLS hellos.
#include <benchmark/benchmark.h>

#include "conformance/socket/secure_test_util.h"
#include "conformance/socket/udp_batch.h"

namespace rtclab::conformance {
namespace {

constexpr int kBurst = 32;

void BM_UdpOneByOne(benchmark::State& state) {
  auto a = *UdpSocket::Bind(LoopbackOf(AddressFamily::kIpv4));
  auto b = *UdpSocket::Bind(LoopbackOf(AddressFamily::kIpv4));
  const Bytes payload(1'000);
  Bytes buffer(65'536);
  int64_t received = 0;
  for (auto _ : state) {
    for (int i = 0; i < kBurst; ++i) a.Send(b.local(), payload, false);
    while (b.Receive(buffer)) ++received;
  }
  state.SetItemsProcessed(received);
}
BENCHMARK(BM_UdpOneByOne);

void BM_UdpBatches(benchmark::State& state) {
  auto a = *UdpSocket::Bind(LoopbackOf(AddressFamily::kIpv4));
  auto b = *UdpSocket::Bind(LoopbackOf(AddressFamily::kIpv4));
  SendBatch out;
  ReceiveBatch in;
  int64_t received = 0;
  for (auto _ : state) {
    for (int i = 0; i < kBurst; ++i) out.Add(a, b.local(), Bytes(1'000));
    out.Flush();
    while (const std::size_t count = in.Receive(b)) received += static_cast<int64_t>(count);
  }
  state.SetItemsProcessed(received);
}
BENCHMARK(BM_UdpBatches);

// Both ends of a handshake.
void BM_Handshake(benchmark::State& state, SecureProtocol protocol, ServerIdentity::Key key) {
  const auto server_context = ServerContext(protocol, {.identities = {TestIdentity(key)}});
  const auto client_context = *SecureContext::Client(protocol, {.insecure = true});
  for (auto _ : state) {
    auto server = SecureStream::Server(server_context);
    auto client = SecureStream::Client(client_context, "localhost");
    Exchange(client, server);
    CHECK(client.state() == SecureStream::State::kOpen);
  }
}
BENCHMARK_CAPTURE(BM_Handshake, TlsEcdsa, SecureProtocol::kTls, ServerIdentity::Key::kEcdsa);
BENCHMARK_CAPTURE(BM_Handshake, TlsRsa, SecureProtocol::kTls, ServerIdentity::Key::kRsa);
BENCHMARK_CAPTURE(BM_Handshake, DtlsEcdsa, SecureProtocol::kDtls, ServerIdentity::Key::kEcdsa);

// A record of 1,000 bytes from one end to the other.
void BM_Record(benchmark::State& state, SecureProtocol protocol) {
  auto server = SecureStream::Server(ServerContext(protocol));
  auto client = ClientOf(protocol, {.insecure = true});
  Exchange(client, server);
  const Bytes payload(1'000);
  for (auto _ : state) {
    (void)client.Send(payload);
    while (auto bytes = client.PollTransmit()) server.HandleBytes(*bytes);
    while (auto bytes = server.PollReceived()) benchmark::DoNotOptimize(bytes);
  }
}
BENCHMARK_CAPTURE(BM_Record, Tls, SecureProtocol::kTls);
BENCHMARK_CAPTURE(BM_Record, Dtls, SecureProtocol::kDtls);

// A ClientHello without a cookie: what a flood costs the server.
void BM_HelloWithoutCookie(benchmark::State& state) {
  DtlsListener listener(ServerContext(SecureProtocol::kDtls));
  auto client = ClientOf(SecureProtocol::kDtls, {.insecure = true});
  const Bytes hello = *client.PollTransmit();
  const TransportAddress from{IpAddress::V4(192, 0, 2, 1), 4'000};
  for (auto _ : state) {
    auto answer = listener.HandleDatagram(from, hello);
    CHECK(answer.transmit.has_value());
  }
}
BENCHMARK(BM_HelloWithoutCookie);

}  // namespace
}  // namespace rtclab::conformance
