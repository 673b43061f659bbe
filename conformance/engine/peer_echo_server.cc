#include "conformance/engine/peer_echo_server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <list>
#include <thread>

#include "conformance/engine/peer_echo.h"
#include "stack/crypto/constant_time.h"

namespace rtclab::conformance {
namespace {

constexpr TimeDelta kEchoHandshake = TimeDelta::Seconds(5);
// How long a datagram that the tester wants sent waits at most.
constexpr TimeDelta kEchoTurn = TimeDelta::Millis(5);

// One tester's peer, on a thread of its own.
class EchoSession {
 public:
  EchoSession(const EchoServerOptions& options, std::unique_ptr<Channel> channel)
      : options_(options), channel_(std::move(channel)) {}

  void Run(const std::atomic<bool>& stop, bool full) {
    const auto family = Handshake();
    if (!family) return;
    auto socket = full ? Fail("no more peers at a time") : Bind(*family);
    if (!socket) {
      Bytes refusal = {1};
      const ByteView why = AsBytes(socket.error().reason);
      refusal.insert(refusal.end(), why.begin(), why.end());
      (void)channel_->Send(refusal);
      return;
    }
    ByteWriter welcome;
    welcome.WriteU8(0);
    WriteEchoAddress(welcome, socket->local());
    if (!channel_->Send(welcome.view())) return;
    const Timestamp end = RealNow() + options_.max_life;
    while (!stop && !Interrupted() && !channel_->closed() && RealNow() < end) {
      if (auto got = socket->Receive(kEchoTurn)) {
        if (!channel_->Send(EncodeEchoFrame(got->from, got->bytes))) return;
      }
      if (!Forward(*socket)) return;
    }
  }

 private:
  // The family asked for, by one who knows the token.
  std::optional<AddressFamily> Handshake() {
    Bytes challenge(kEchoChallengeSize);
    std::copy(kEchoGreeting.begin(), kEchoGreeting.end(), challenge.begin());
    if (getentropy(challenge.data() + kEchoGreeting.size(),
                   kEchoChallengeSize - kEchoGreeting.size()) != 0) {
      return std::nullopt;
    }
    if (!channel_->Send(challenge)) return std::nullopt;
    constexpr std::size_t kAnswerSize = 33;
    const Timestamp deadline = RealNow() + kEchoHandshake;
    while (buffer_.size() < kAnswerSize) {
      const auto piece = channel_->Receive(std::max(deadline - RealNow(), TimeDelta::Zero()));
      if (!piece) return std::nullopt;
      buffer_.insert(buffer_.end(), piece->bytes.begin(), piece->bytes.end());
    }
    const uint8_t family = buffer_[32];
    const auto proof = EchoProof(options_.token, challenge, family);
    if (!crypto::ConstantTimeEqual(proof, ByteView(buffer_).first(32))) return std::nullopt;
    if (family != 4 && family != 6) return std::nullopt;
    buffer_.erase(buffer_.begin(), buffer_.begin() + kAnswerSize);
    return static_cast<AddressFamily>(family);
  }

  Result<PeerSocket> Bind(AddressFamily family) const {
    for (const IpAddress& ip : options_.addresses) {
      if (ip.family() == family) return PeerSocket::Bind({ip, 0});
    }
    if (channel_->local().family() == family) return PeerSocket::Bind({channel_->local().ip, 0});
    return Fail(fmt::format("no {} address here: --address names one",
                            family == AddressFamily::kIpv6 ? "IPv6" : "IPv4"));
  }

  // Sends what the tester wants sent; false when the peer is to end.
  bool Forward(PeerSocket& socket) {
    if (const auto piece = channel_->Receive(TimeDelta::Zero())) {
      buffer_.insert(buffer_.end(), piece->bytes.begin(), piece->bytes.end());
    }
    while (true) {
      const auto frame = TakeEchoFrame(buffer_);
      if (!frame) return false;
      if (!*frame) return true;
      const IpAddress& ip = (*frame)->address.ip;
      const bool allowed = std::any_of(options_.allow.begin(), options_.allow.end(),
                                       [&ip](const IpPrefix& p) { return p.Contains(ip); });
      if (!allowed) continue;
      if (++sent_ > options_.max_datagrams) return false;
      (void)socket.SendTo((*frame)->address, (*frame)->datagram);
    }
  }

  const EchoServerOptions& options_;
  std::unique_ptr<Channel> channel_;
  Bytes buffer_;
  int sent_ = 0;
};

}  // namespace

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
