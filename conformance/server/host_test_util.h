// A server on loopback in a thread of its own, and the little that its tests say to it.
#ifndef RTCLAB_CONFORMANCE_SERVER_HOST_TEST_UTIL_H_
#define RTCLAB_CONFORMANCE_SERVER_HOST_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "conformance/server/turn_host.h"
#include "stack/stun/message_builder.h"
#include "stack/stun/stream_framer.h"
#include "stack/turn/attributes.h"

namespace rtclab::conformance {

inline constexpr TimeDelta kHostLimit = TimeDelta::Seconds(3);

// A server on loopback that runs until the end of the test.
class RunningHost {
 public:
  // `change` may set more in the configuration.
  explicit RunningHost(
      bool secure = false, const std::function<void(HostConfig&)>& change = [](HostConfig&) {})
      : rng_(7) {
    HostConfig config;
    config.listen = {*TransportAddress::Parse("127.0.0.1:0")};
    if (secure) {
      static const ServerIdentity identity =
          ServerIdentity::SelfSigned(ServerIdentity::Key::kEcdsa, {"127.0.0.1"});
      config.identities = {identity};
      config.secure_listen = {*TransportAddress::Parse("127.0.0.1:0")};
    }
    config.turn.relay_addresses = {*IpAddress::Parse("127.0.0.1")};
    config.turn.peer_policy.allow_loopback = true;
    config.turn.tcp_relay = true;
    config.stop_at_interrupt = false;
    change(config);
    auto started = TurnHost::Start(std::move(config), rng_);
    EXPECT_TRUE(started) << started.error().reason;
    host_ = std::move(*started);
    thread_ = std::thread([this] { host_->Run(); });
  }
  ~RunningHost() {
    host_->Stop();
    thread_.join();
  }

  TransportAddress Address(Transport transport) const {
    for (const TurnHost::Endpoint& endpoint : host_->endpoints()) {
      if (endpoint.transport == transport) return endpoint.address;
    }
    return {};
  }
  std::unique_ptr<Channel> Open(Transport transport) const {
    ChannelOptions options;
    options.server = Address(transport);
    options.secure.insecure = true;
    auto channel = Channel::Open(transport, options);
    EXPECT_TRUE(channel) << channel.error().reason;
    return std::move(*channel);
  }

 private:
  Rng rng_;
  std::unique_ptr<TurnHost> host_;
  std::thread thread_;
};

// Reads whole messages of a channel, whatever its transport.
class MessageReader {
 public:
  explicit MessageReader(Channel& channel) : channel_(channel) {}
  Bytes Next() {
    for (;;) {
      if (channel_.is_stream()) {
        const auto frame = framer_.Next();
        if (!frame) return {};
        if (*frame) return Bytes((*frame)->bytes.begin(), (*frame)->bytes.end());
      }
      auto received = channel_.Receive(kHostLimit);
      if (!received) return {};
      if (!channel_.is_stream()) return received->bytes;
      framer_.Push(received->bytes);
    }
  }
  ByteView rest() const { return framer_.rest(); }

 private:
  Channel& channel_;
  stun::StreamFramer framer_;
};

inline stun::MessageBuilder HostRequest(stun::Method method, uint8_t id) {
  stun::TransactionId transaction{};
  transaction[11] = id;
  return {stun::MessageClass::kRequest, method, transaction};
}

inline Bytes HostAllocate(uint8_t protocol) {
  auto request = HostRequest(stun::Method::kAllocate, 1);
  turn::AddRequestedTransport(request, protocol);
  return request.Build();
}

inline Bytes HostChannelBind(const TransportAddress& peer) {
  auto bind = HostRequest(stun::Method::kChannelBind, 2);
  turn::AddChannelNumber(bind, 0x4001);
  bind.AddXorAddress(stun::AttributeType::kXorPeerAddress, peer);
  return bind.Build();
}

// A request that must succeed; the answer.
inline Bytes AskHost(Channel& channel, MessageReader& reader, const Bytes& request) {
  EXPECT_TRUE(channel.Send(request));
  Bytes answer = reader.Next();
  const auto view = stun::MessageView::Parse(answer);
  EXPECT_TRUE(view && view->IsSuccess());
  return answer;
}

inline TransportAddress RelayedIn(ByteView answer) {
  return stun::MessageView::Parse(answer)
      ->GetXorAddress(stun::AttributeType::kXorRelayedAddress)
      .value_or(TransportAddress());
}

// Whether a Binding request over UDP is answered.
inline bool IsAlive(const RunningHost& host) {
  const auto channel = host.Open(Transport::kUdp);
  MessageReader reader(*channel);
  if (!channel->Send(HostRequest(stun::Method::kBinding, 9).Build())) return false;
  return !reader.Next().empty();
}

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SERVER_HOST_TEST_UTIL_H_
