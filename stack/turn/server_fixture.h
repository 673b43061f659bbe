// What the tests of single requests share: a server, and hands to write requests with that the client would never make.
#ifndef RTCLAB_STACK_TURN_SERVER_FIXTURE_H_
#define RTCLAB_STACK_TURN_SERVER_FIXTURE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "stack/stun/long_term_client.h"
#include "stack/turn/attributes.h"
#include "stack/turn/server.h"
#include "stack/turn/test_network.h"

namespace rtclab::turn {

using stun::AttributeType;
using stun::MessageBuilder;
using stun::MessageClass;
using stun::MessageView;
using stun::Method;

inline const TransportAddress kClient = Address("192.0.2.10:4000");
inline const TransportAddress kServer = Address("198.51.100.1:3478");

using Fill = std::function<void(MessageBuilder&)>;

// One server and hands to write requests with. Sockets are bound at once.
class ServerTest : public testing::Test {
 protected:
  ServerTest() { Use(DefaultServerConfig()); }

  void Use(ServerConfig config) {
    rng_.emplace(7);
    server_ = std::make_unique<Server>(std::move(config), *rng_);
    credentials_.emplace(std::string(kUser), std::string(kPassword));
  }

  // What the server sends back, relayed data included.
  std::vector<Transmit> Push(const TransportAddress& from, const TransportAddress& to,
                             const Bytes& payload) {
    server_->HandlePacket(now_, {from, to, payload});
    return Collect();
  }
  std::vector<Transmit> Collect() {
    std::vector<Transmit> out;
    Drain(
        *server_, [&](Transmit&& t) { out.push_back(std::move(t)); },
        [&](ServerEvent&& event) {
          if (const auto* wanted = std::get_if<RelayWanted>(&event)) {
            if (bind_) server_->RelayBound(now_, wanted->id);
            wanted_.push_back(*wanted);
          } else if (const auto* listen = std::get_if<TcpListenWanted>(&event)) {
            server_->RelayBound(now_, listen->id);
            listening_ = listen->id;
          } else if (const auto* connect = std::get_if<TcpConnectWanted>(&event)) {
            connection_ = connect->connection;
            if (connect_) connect_(*connect);
          }
          events_.push_back(std::move(event));
        });
    return out;
  }

  // An authenticated request; the answer's bytes. Learns realm and nonce on the way.
  Bytes Ask(Method method, const Fill& fill, const TransportAddress& from = kClient,
            const TransportAddress& to = kServer) {
    for (int attempt = 0; attempt < 3; ++attempt) {
      MessageBuilder builder(MessageClass::kRequest, method, stun::NewTransactionId(*rng_));
      fill(builder);
      const auto signature = credentials_->Sign(builder);
      last_request_ = builder.Build();
      const auto answers = Push(from, to, last_request_);
      if (answers.empty()) return {};
      EXPECT_EQ(answers[0].source, to);
      EXPECT_EQ(answers[0].destination, from);
      const auto view = MessageView::Parse(answers[0].payload);
      EXPECT_TRUE(view);
      const auto verdict = credentials_->HandleResponse(*view, signature);
      if (verdict == stun::LongTermClient::Verdict::kRetry) continue;
      EXPECT_EQ(verdict, stun::LongTermClient::Verdict::kAccept) << credentials_->why();
      return answers[0].payload;
    }
    ADD_FAILURE() << "the server keeps challenging";
    return {};
  }
  // 0 for success, else the error code; -1 without an answer.
  int Code(Method method, const Fill& fill, const TransportAddress& from = kClient,
           const TransportAddress& to = kServer) {
    answer_ = Ask(method, fill, from, to);
    if (answer_.empty()) return -1;
    const auto view = MessageView::Parse(answer_);
    return view->IsSuccess() ? 0 : view->GetErrorCode().value().code;
  }
  // The same over any transport.
  static FiveTuple Over(ClientTransport transport, uint16_t port = 4000) {
    return {{kClient.ip, port}, kServer, transport};
  }
  // One message of a client; what the server sends back to it. Of a stream that is the first write; TakeWrites() has the rest.
  std::vector<Bytes> PushOn(const FiveTuple& tuple, const Bytes& message) {
    std::vector<Bytes> out;
    if (tuple.transport == ClientTransport::kUdp) {
      for (Transmit& t : Push(tuple.client, tuple.server, message)) {
        if (t.destination == tuple.client) out.push_back(std::move(t.payload));
      }
      return out;
    }
    server_->HandleClientMessage(now_, tuple, message);
    Collect();
    std::vector<StreamWrite> writes = TakeWrites(tuple);
    if (!writes.empty()) out.push_back(std::move(writes[0].payload));
    if (!writes.empty()) writes_.insert(writes_.end(), writes.begin() + 1, writes.end());
    return out;
  }
  std::vector<StreamWrite> TakeWrites(const FiveTuple& tuple) {
    Collect();
    while (auto write = server_->PollStreamWrite()) writes_.push_back(std::move(*write));
    std::vector<StreamWrite> out;
    std::erase_if(writes_, [&](const StreamWrite& write) {
      if (write.tuple == tuple) out.push_back(write);
      return write.tuple == tuple;
    });
    return out;
  }
  int CodeOn(const FiveTuple& tuple, Method method, const Fill& fill) {
    for (int attempt = 0; attempt < 3; ++attempt) {
      MessageBuilder builder(MessageClass::kRequest, method, stun::NewTransactionId(*rng_));
      if (fill) fill(builder);
      const auto signature = credentials_->Sign(builder);
      last_request_ = builder.Build();
      const auto answers = PushOn(tuple, last_request_);
      if (answers.empty()) return -1;
      answer_ = answers[0];
      const auto verdict = credentials_->HandleResponse(Answer(), signature);
      if (verdict == stun::LongTermClient::Verdict::kRetry) continue;
      EXPECT_EQ(verdict, stun::LongTermClient::Verdict::kAccept) << credentials_->why();
      return Answer().IsSuccess() ? 0 : Answer().GetErrorCode().value().code;
    }
    ADD_FAILURE() << "the server keeps challenging";
    return -1;
  }
  int AllocateOn(const FiveTuple& tuple, uint8_t protocol = kProtocolUdp, const Fill& more = {}) {
    return CodeOn(tuple, Method::kAllocate, [&](MessageBuilder& b) {
      AddRequestedTransport(b, protocol);
      if (more) more(b);
    });
  }
  template <typename T>
  std::vector<T> EventsOf() const {
    std::vector<T> out;
    for (const ServerEvent& event : events_) {
      if (const T* e = std::get_if<T>(&event)) out.push_back(*e);
    }
    return out;
  }
  int Allocate(const Fill& more = {}, const TransportAddress& from = kClient,
               const TransportAddress& to = kServer) {
    return Code(
        Method::kAllocate,
        [&](MessageBuilder& b) {
          AddRequestedTransport(b, kProtocolUdp);
          if (more) more(b);
        },
        from, to);
  }
  int Permit(const TransportAddress& peer) {
    return Code(Method::kCreatePermission,
                [&](MessageBuilder& b) { b.AddXorAddress(AttributeType::kXorPeerAddress, peer); });
  }
  int Bind(uint16_t number, const TransportAddress& peer) {
    return Code(Method::kChannelBind, [&](MessageBuilder& b) {
      AddChannelNumber(b, number);
      b.AddXorAddress(AttributeType::kXorPeerAddress, peer);
    });
  }
  int Refresh(std::optional<uint32_t> lifetime_s) {
    return Code(Method::kRefresh, [&](MessageBuilder& b) {
      if (lifetime_s) b.AddU32(AttributeType::kLifetime, *lifetime_s);
    });
  }
  MessageView Answer() const { return *MessageView::Parse(answer_); }
  TransportAddress Relayed() const {
    return Answer().GetXorAddress(AttributeType::kXorRelayedAddress).value();
  }
  uint32_t Lifetime() const { return Answer().GetU32(AttributeType::kLifetime).value(); }
  uint64_t Dropped(DropReason reason) const { return server_->counters().dropped(reason); }
  static Bytes SendIndication(const TransportAddress& peer, const Fill& more = {}) {
    MessageBuilder b(MessageClass::kIndication, Method::kSend, stun::TransactionId{9});
    b.AddXorAddress(AttributeType::kXorPeerAddress, peer);
    if (more) more(b);
    b.AddBytes(AttributeType::kData, Text("data"));
    return b.Build();
  }

  Timestamp now_ = Timestamp::Seconds(100);
  std::optional<Rng> rng_;
  std::unique_ptr<Server> server_;
  std::optional<stun::LongTermClient> credentials_;
  Bytes last_request_;
  Bytes answer_;
  bool bind_ = true;
  RelayId listening_{};        // the last TCP relayed address
  ConnectionId connection_{};  // the last one to be made
  std::function<void(const TcpConnectWanted&)> connect_;
  std::vector<StreamWrite> writes_;
  std::vector<RelayWanted> wanted_;
  std::vector<ServerEvent> events_;
};

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_SERVER_FIXTURE_H_
