#include "conformance/socket/udp_driver.h"

#include <poll.h>

#include <algorithm>

namespace rtclab::conformance {
namespace {

// The largest UDP datagram there is.
constexpr std::size_t kBufferSize = 65'535;
// A done() that depends on something outside is asked at least this often.
constexpr TimeDelta kLongestNap = TimeDelta::Millis(50);

}  // namespace

UdpDriver::UdpDriver() : start_(std::chrono::steady_clock::now()), buffer_(kBufferSize) {}

Timestamp UdpDriver::Now() const {
  const auto elapsed = std::chrono::steady_clock::now() - start_;
  return Timestamp::Nanos(std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count());
}

Result<TransportAddress> UdpDriver::Bind(Host* host, const TransportAddress& wanted) {
  auto socket = UdpSocket::Bind(wanted);
  if (!socket) return tl::unexpected<Error>(socket.error());
  const TransportAddress local = socket->local();
  sockets_.emplace(local, Socket{std::move(*socket), host});
  return local;
}

void UdpDriver::Close(const TransportAddress& local) { sockets_.erase(local); }

void UdpDriver::DrainAll() {
  const std::function<void(Transmit &&)> send = [this](Transmit&& transmit) {
    const auto it = sockets_.find(transmit.source);
    if (it == sockets_.end()) return;
    it->second.socket.Send(transmit.destination, transmit.payload, transmit.dont_fragment);
  };
  for (std::size_t i = 0; i < hosts_.size(); ++i) timers_[i] = hosts_[i]->Drain(send);
}

void UdpDriver::FireTimers() {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    const Timestamp now = Now();
    if (timers_[i] <= now) hosts_[i]->HandleTimeout(now);
  }
}

void UdpDriver::Read(const TransportAddress& local) {
  auto it = sockets_.find(local);
  if (it == sockets_.end()) return;
  Host* const host = it->second.host;
  while (auto error = it->second.socket.ReceiveIcmp()) host->HandleIcmp(Now(), *error);
  while (auto packet = it->second.socket.Receive(buffer_)) {
    host->HandlePacket(Now(), *packet);
    DrainAll();
    it = sockets_.find(local);  // an event may have closed it
    if (it == sockets_.end()) return;
  }
}

void UdpDriver::Poll(TimeDelta limit) {
  TimeDelta nap = std::min(limit, kLongestNap);
  for (const Timestamp timer : timers_) {
    if (!timer.IsInfinite()) nap = std::min(nap, timer - Now());
  }
  std::vector<pollfd> descriptors;
  std::vector<TransportAddress> locals;
  for (const auto& [local, socket] : sockets_) {
    descriptors.push_back({socket.socket.descriptor(), POLLIN, 0});
    locals.push_back(local);
  }
  // Rounded up: a nap that ends just before a timer would spin.
  const int64_t nap_ms = std::max<int64_t>(0, (nap.nanos() + 999'999) / 1'000'000);
  if (poll(descriptors.data(), descriptors.size(), static_cast<int>(nap_ms)) <= 0) return;
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    if (descriptors[i].revents != 0) Read(locals[i]);
  }
}

bool UdpDriver::RunUntil(const std::function<bool()>& done, TimeDelta limit) {
  const Timestamp end = Now() + limit;
  for (;;) {
    DrainAll();
    if (done()) return true;
    const Timestamp now = Now();
    if (now >= end) return false;
    Poll(end - now);
    FireTimers();
  }
}

void UdpDriver::RunFor(TimeDelta duration) {
  RunUntil([] { return false; }, duration);
}

}  // namespace rtclab::conformance
