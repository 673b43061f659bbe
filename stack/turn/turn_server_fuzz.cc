// Feeds a TURN server, and through it clients' allocations, with datagrams and with bytes of TCP connections. Each input is a list: one
// byte says where the bytes come from and go to, two bytes how many they are.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <variant>

#include "stack/base/rng.h"
#include "stack/base/sans_io.h"
#include "stack/turn/attributes.h"
#include "stack/turn/server.h"

namespace rtclab::turn {
namespace {

const TransportAddress kListening{IpAddress::V4(198, 51, 100, 1), 3478};
const TransportAddress kClient{IpAddress::V4(192, 0, 2, 10), 4000};
const TransportAddress kPeer{IpAddress::V4(203, 0, 113, 5), 7000};

class Harness {
 public:
  Harness() : rng_(1), server_(Config(), rng_) {
    stun::MessageBuilder allocate(stun::MessageClass::kRequest, stun::Method::kAllocate, {1});
    AddRequestedTransport(allocate, kProtocolUdp);
    Push(kClient, kListening, allocate.Build());
    stun::MessageBuilder bind(stun::MessageClass::kRequest, stun::Method::kChannelBind, {2});
    AddChannelNumber(bind, 0x4000);
    bind.AddXorAddress(stun::AttributeType::kXorPeerAddress, kPeer);
    Push(kClient, kListening, bind.Build());
  }

  void Run(ByteReader input) {
    while (const auto route = input.ReadU8()) {
      const auto length = input.ReadU16();
      if (!length) return;
      const auto payload = input.ReadBytes(std::min<std::size_t>(*length, input.remaining()));
      now_ += TimeDelta::Seconds(*route >> 3);
      const auto port = static_cast<uint16_t>(kClient.port + (*route & 1));
      const FiveTuple stream{{kClient.ip, port}, kListening, ClientTransport::kTls};
      switch (*route & 6) {
        case 0:
          Push(stream.client, kListening, *payload);
          break;
        case 2:
          Push(kPeer, relayed_, *payload);
          break;
        case 4:
          server_.HandleClientMessage(now_, stream, *payload);
          break;
        default:
          Connections(stream, *route, *payload);
      }
      Collect();
    }
  }

 private:
  static ServerConfig Config() {
    ServerConfig config;
    config.listening = {kListening};
    config.relay_addresses = {IpAddress::V4(198, 51, 100, 2), *IpAddress::Parse("2001:db8::2")};
    config.max_permissions = 4;
    config.max_channels = 4;
    config.tcp_relay = true;
    config.tcp_buffer = 64;
    config.mobility = true;
    return config;
  }
  // What happens to TCP connections.
  void Connections(const FiveTuple& stream, uint8_t route, ByteView payload) {
    switch (route >> 3 & 7) {
      case 0:
        return server_.HandleDisconnect(now_, stream);
      case 1:
        return server_.HandleTcpClosed(now_, connection_);
      case 2:
        return server_.TcpConnectFailed(now_, connection_);
      case 3:
        connection_ = server_.TcpAccepted(now_, listening_, kPeer);
        return;
      case 4:
        return server_.HandleClientData(now_, stream, payload);
      case 5:
        return Request(stream, stun::Method::kConnectionBind, [this](stun::MessageBuilder& b) {
          b.AddU32(stun::AttributeType::kConnectionId, static_cast<uint32_t>(connection_));
        });
      case 6:
        return Request(stream, stun::Method::kRefresh, [this](stun::MessageBuilder& b) {
          b.AddBytes(stun::AttributeType::kMobilityTicket, ticket_);
        });
      default:
        return server_.HandleTcpData(now_, connection_, payload);
    }
  }
  // Requests with what only the server can have made.
  template <typename Fill>
  void Request(const FiveTuple& tuple, stun::Method method, Fill fill) {
    stun::MessageBuilder builder(stun::MessageClass::kRequest, method,
                                 stun::NewTransactionId(rng_));
    fill(builder);
    server_.HandleClientMessage(now_, tuple, builder.Build());
  }
  void Push(const TransportAddress& from, const TransportAddress& to, ByteView payload) {
    server_.HandlePacket(now_, {from, to, payload});
    Collect();
  }
  void Collect() {
    Drain(
        server_, [](Transmit&&) {},
        [this](ServerEvent&& event) {
          if (const auto* listen = std::get_if<TcpListenWanted>(&event)) {
            listening_ = listen->id;
            server_.RelayBound(now_, listen->id);
          } else if (const auto* connect = std::get_if<TcpConnectWanted>(&event)) {
            connection_ = connect->connection;
            if (connect->to.port % 3 != 0) server_.TcpConnected(now_, connection_);
          } else if (const auto* wanted = std::get_if<RelayWanted>(&event)) {
            if (relayed_.IsNone()) relayed_ = wanted->address;
            if (wanted->address.port % 7 == 0) {
              server_.RelayBindFailed(now_, wanted->id);
            } else {
              server_.RelayBound(now_, wanted->id);
            }
          }
        });
    while (const auto write = server_.PollStreamWrite()) {
      const auto view = stun::MessageView::Parse(write->payload);
      const auto ticket =
          view ? view->Find(stun::AttributeType::kMobilityTicket) : std::optional<ByteView>();
      if (ticket) ticket_.assign(ticket->begin(), ticket->end());
    }
  }

  Rng rng_;
  Server server_;
  Timestamp now_ = Timestamp::Seconds(1);
  TransportAddress relayed_;
  RelayId listening_{};
  ConnectionId connection_{};
  Bytes ticket_;
};

}  // namespace
}  // namespace rtclab::turn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  rtclab::turn::Harness().Run(rtclab::ByteReader({data, size}));
  return 0;
}
