// A scripted server on loopback, and targets that point at it.
#ifndef RTCLAB_CONFORMANCE_ENGINE_ENGINE_TEST_UTIL_H_
#define RTCLAB_CONFORMANCE_ENGINE_ENGINE_TEST_UTIL_H_

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "conformance/engine/runner.h"
#include "conformance/engine/target.h"
#include "conformance/socket/channel.h"
#include "stack/stun/message_builder.h"

namespace rtclab::conformance {

inline TransportAddress Loopback() { return {IpAddress::V4(127, 0, 0, 1), 0}; }

// What to send back for a datagram.
using FakeHandler = std::function<std::vector<Bytes>(ByteView, const TransportAddress& from)>;

// Binding and Allocate succeed without credentials, Refresh is granted what it asks for.
inline std::vector<Bytes> KindAnswer(ByteView bytes, const TransportAddress& from) {
  const auto request = stun::MessageView::Parse(bytes);
  if (!request || !request->IsRequest()) return {};
  auto answer = stun::MessageBuilder::ResponseTo(*request, stun::MessageClass::kSuccessResponse);
  answer.AddXorAddress(stun::AttributeType::kXorMappedAddress, from);
  if (request->method() == stun::Method::kAllocate) {
    answer.AddXorAddress(stun::AttributeType::kXorRelayedAddress,
                         {IpAddress::V4(127, 0, 0, 1), 50'000});
  }
  if (request->method() != stun::Method::kBinding) {
    answer.AddU32(stun::AttributeType::kLifetime,
                  request->GetU32(stun::AttributeType::kLifetime).value_or(600));
  }
  return {answer.Build()};
}

class FakeUdpServer {
 public:
  explicit FakeUdpServer(FakeHandler handler)
      : handler_(std::move(handler)), socket_(std::move(*PeerSocket::Bind(Loopback()))) {
    thread_ = std::thread([this] { Serve(); });
  }
  ~FakeUdpServer() {
    stop_ = true;
    thread_.join();
  }
  const TransportAddress& address() const { return socket_.local(); }

 private:
  void Serve() {
    while (!stop_) {
      // An interrupt ends the wait at once; the server goes on.
      const auto got = socket_.Receive(TimeDelta::Millis(20));
      if (!got) {
        if (Interrupted()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      for (const Bytes& answer : handler_(got->bytes, got->from)) {
        (void)socket_.SendTo(got->from, answer);
      }
    }
  }
  FakeHandler handler_;
  PeerSocket socket_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// A TCP server: what `handler` gives for the first bytes of a connection, then it closes.
class FakeTcpServer {
 public:
  explicit FakeTcpServer(FakeHandler handler)
      : handler_(std::move(handler)), listener_(std::move(*PeerListener::Listen(Loopback()))) {
    thread_ = std::thread([this] { Serve(); });
  }
  ~FakeTcpServer() {
    stop_ = true;
    thread_.join();
  }
  const TransportAddress& address() const { return listener_.local(); }

 private:
  void Serve() {
    while (!stop_) {
      const auto channel = listener_.Accept(TimeDelta::Millis(20));
      if (!channel) continue;
      const auto got = channel->Receive(TimeDelta::Millis(500));
      if (!got) continue;
      for (const Bytes& answer : handler_(got->bytes, got->from)) (void)channel->Send(answer);
    }
  }
  FakeHandler handler_;
  PeerListener listener_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// Everything declared, so that nothing is probed but what is asked for: TURN when `turn`.
inline Target FakeTarget(const TransportAddress& server, Transport transport, bool turn) {
  Target target;
  target.name = "fake";
  target.host = server.ip.ToString();
  target.transport = transport;
  target.endpoints[{transport, AddressFamily::kIpv4}] = server;
  for (std::size_t i = 0; i < kFeatureCount; ++i) target.declared[static_cast<Feature>(i)] = false;
  target.declared[Feature::kTurn] = turn;
  target.declared[Feature::kUdpTransport] = target.declared[Feature::kTcpTransport] = true;
  target.answer_timeout = TimeDelta::Millis(150);
  target.silence = TimeDelta::Millis(40);
  return target;
}

inline Case MakeCase(std::string_view id, void (*run)(Test&), Level level = Level::kMust) {
  Case out;
  out.id = id;
  out.title = id;
  out.clauses = {{"8489", "6", level, "MUST"}};
  out.run = run;
  return out;
}

inline RunReport RunCases(const CaseList& cases, const Target& target, RunOptions options = {}) {
  return Run(cases, target, options);
}

inline void Passes(Test&) {}

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_ENGINE_TEST_UTIL_H_
