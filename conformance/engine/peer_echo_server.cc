#include "conformance/engine/peer_echo_server.h"

#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <list>
#include <thread>

#include "conformance/engine/peer_echo_session.h"

namespace rtclab::conformance {
Result<IpPrefix> ParsePrefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto ip = IpAddress::Parse(text.substr(0, slash));
  if (!ip) return Fail(fmt::format("\"{}\" is no IP address or prefix", text));
  IpPrefix prefix{*ip, ip->IsV4() ? 32 : 128};
  if (slash == std::string_view::npos) return prefix;
  const char* const end = text.data() + text.size();
  int length = -1;
  const auto [at, error] = std::from_chars(text.data() + slash + 1, end, length);
  if (error != std::errc() || at != end || length < 0 || length > prefix.length) {
    return Fail(fmt::format("\"{}\" is no prefix length", text.substr(slash + 1)));
  }
  prefix.length = length;
  return prefix;
}

struct EchoServer::Impl {
  EchoServerOptions options;
  PeerListener listener;

  struct Worker {
    std::atomic<bool> done{false};
    std::thread thread;
  };
  std::list<Worker> workers;
  std::atomic<bool> ending{false};

  // Joins those that have ended; all of them when `all`.
  void Reap(bool all) {
    for (auto it = workers.begin(); it != workers.end();) {
      if (!all && !it->done) {
        ++it;
        continue;
      }
      it->thread.join();
      it = workers.erase(it);
    }
  }
};

EchoServer::EchoServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EchoServer::EchoServer(EchoServer&&) noexcept = default;

EchoServer::~EchoServer() {
  if (!impl_) return;
  impl_->ending = true;
  impl_->Reap(true);
}

const TransportAddress& EchoServer::address() const { return impl_->listener.local(); }

Result<EchoServer> EchoServer::Listen(EchoServerOptions options) {
  if (options.token.empty()) return Fail("a token is needed");
  if (options.allow.empty()) return Fail("the relay's address is needed");
  auto listener = PeerListener::Listen(options.listen);
  if (!listener) return Fail(listener.error().reason);
  return EchoServer(
      std::unique_ptr<Impl>(new Impl{std::move(options), std::move(*listener), {}, {}}));
}

void EchoServer::Run(const std::atomic<bool>& stop) {
  // A few beyond the limit are told so; more wait in the listener's queue.
  const auto limit = static_cast<std::size_t>(impl_->options.max_peers);
  while (!stop && !Interrupted()) {
    impl_->Reap(false);
    if (impl_->workers.size() >= limit + 4) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      continue;
    }
    auto channel = impl_->listener.Accept(TimeDelta::Millis(200));
    if (!channel) continue;
    impl_->Reap(false);
    const bool full = impl_->workers.size() >= limit;
    Impl::Worker& worker = impl_->workers.emplace_back();
    worker.thread =
        std::thread([impl = impl_.get(), &worker, full,
                     session = EchoSession(impl_->options, std::move(channel))]() mutable {
          session.Run(impl->ending, full);
          worker.done = true;
        });
  }
  impl_->ending = true;
  impl_->Reap(true);
}

}  // namespace rtclab::conformance
