// The same transfer as in sctp_benchmark.cc by usrsctp, as a measure. A program of its own: its state is
// global. Without threads; its clock is moved by hand.
#include <benchmark/benchmark.h>
#include <usrsctp.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <vector>

#include "stack/base/check.h"

namespace rtclab::sctp {
namespace {

struct Flying {
  void* to;
  std::vector<char> bytes;
};
std::deque<Flying> g_flying;
char g_sides[2];  // two addresses: the endpoints are named by them

int Output(void* address, void* buffer, size_t length, uint8_t, uint8_t) {
  void* to = address == &g_sides[0] ? &g_sides[1] : &g_sides[0];
  const char* bytes = static_cast<const char*>(buffer);
  g_flying.push_back({to, std::vector<char>(bytes, bytes + length)});
  return 0;
}

sockaddr_conn Address(void* side, uint16_t port) {
  sockaddr_conn address{};
  address.sconn_family = AF_CONN;
  address.sconn_port = htons(port);
  address.sconn_addr = side;
  return address;
}

std::size_t g_received = 0;
std::vector<char> g_buffer(1 << 20);

void PassPackets(struct socket* reader) {
  while (true) {
    while (!g_flying.empty()) {
      Flying f = std::move(g_flying.front());
      g_flying.pop_front();
      usrsctp_conninput(f.to, f.bytes.data(), f.bytes.size(), 0);
    }
    if (reader == nullptr) return;
    int flags = 0;
    sctp_rcvinfo info{};
    socklen_t info_size = sizeof(info);
    unsigned int info_type = 0;
    const ssize_t n = usrsctp_recvv(reader, g_buffer.data(), g_buffer.size(), nullptr, nullptr,
                                    &info, &info_size, &info_type, &flags);
    if (n <= 0) {
      if (g_flying.empty()) return;
      continue;
    }
    g_received += static_cast<std::size_t>(n);
  }
}

struct socket* MakeSocket(void* side, uint16_t port) {
  struct socket* s =
      usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, nullptr, nullptr, 0, nullptr);
  CHECK(s != nullptr);
  usrsctp_set_non_blocking(s, 1);
  const int size = 5 * 1024 * 1024;
  usrsctp_setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
  usrsctp_setsockopt(s, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
  const int on = 1;
  usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof(on));
  sockaddr_conn address = Address(side, port);
  CHECK(usrsctp_bind(s, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  return s;
}

void BM_UsrsctpTransfer(benchmark::State& state) {
  static bool ready = false;
  if (!ready) {
    usrsctp_init_nothreads(0, Output, nullptr);
    usrsctp_sysctl_set_sctp_ecn_enable(0);
    usrsctp_register_address(&g_sides[0]);
    usrsctp_register_address(&g_sides[1]);
    ready = true;
  }
  if (state.range(1) != 0) {
    usrsctp_enable_crc32c_offload();
  } else {
    usrsctp_disable_crc32c_offload();
  }
  static uint16_t port = 6000;
  port = static_cast<uint16_t>(port + 2);
  struct socket* listener = MakeSocket(&g_sides[1], port);
  CHECK(usrsctp_listen(listener, 1) == 0);
  struct socket* a = MakeSocket(&g_sides[0], static_cast<uint16_t>(port + 1));
  // An address names our end of the wire, also as a destination.
  sockaddr_conn peer = Address(&g_sides[0], port);
  const int result = usrsctp_connect(a, reinterpret_cast<sockaddr*>(&peer), sizeof(peer));
  CHECK(result == 0 || errno == EINPROGRESS);
  PassPackets(nullptr);
  struct socket* z = usrsctp_accept(listener, nullptr, nullptr);
  CHECK(z != nullptr);
  usrsctp_set_non_blocking(z, 1);
  sctp_paddrparams params{};  // packets of the size of ours
  params.spp_flags = SPP_PMTUD_DISABLE;
  params.spp_pathmtu = 1191;
  usrsctp_setsockopt(a, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &params, sizeof(params));

  const auto size = static_cast<std::size_t>(state.range(0));
  g_received = 0;
  std::size_t sent = 0;
  sctp_sndinfo info{};
  for (auto _ : state) {
    for (int i = 0; i < 8; ++i) {
      const std::vector<char> message(size, 'Z');
      while (usrsctp_sendv(a, message.data(), size, nullptr, 0, &info, sizeof(info),
                           SCTP_SENDV_SNDINFO, 0) < 0) {
        PassPackets(z);
        usrsctp_handle_timers(10);
      }
      sent += size;
    }
    PassPackets(z);
  }
  for (int i = 0; i < 10'000 && g_received < sent; ++i) {
    usrsctp_handle_timers(10);
    PassPackets(z);
  }
  CHECK(g_received == sent);
  state.SetBytesProcessed(static_cast<int64_t>(sent));
  usrsctp_close(a);
  usrsctp_close(z);
  usrsctp_close(listener);
  for (int i = 0; i < 10; ++i) {
    usrsctp_handle_timers(10);
    PassPackets(nullptr);
  }
}
BENCHMARK(BM_UsrsctpTransfer)->ArgNames({"bytes", "no_crc"})->Args({16384, 0})->Args({16384, 1});

}  // namespace
}  // namespace rtclab::sctp
