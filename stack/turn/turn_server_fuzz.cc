// Feeds a TURN server, and through it a client's allocation, with datagrams. Each input is a list of datagrams: one byte says where it
// comes from and goes to, two bytes its length.
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
      const TransportAddress client{kClient.ip, static_cast<uint16_t>(kClient.port + (*route & 1))};
      if ((*route & 2) != 0) {
        Push(kPeer, relayed_, *payload);
      } else if ((*route & 4) != 0) {
        server_.HandleClientMessage(now_, {client, kListening, ClientTransport::kTcp}, *payload);
        Collect();
      } else {
        Push(client, kListening, *payload);
      }
    }
  }

 private:
  static ServerConfig Config() {
    ServerConfig config;
    config.listening = {kListening};
    config.relay_addresses = {IpAddress::V4(198, 51, 100, 2), *IpAddress::Parse("2001:db8::2")};
    config.max_permissions = 4;
    config.max_channels = 4;
    return config;
  }
  void Push(const TransportAddress& from, const TransportAddress& to, ByteView payload) {
    server_.HandlePacket(now_, {from, to, payload});
    Collect();
  }
  void Collect() {
    Drain(
        server_, [](Transmit&&) {},
        [this](ServerEvent&& event) {
          if (const auto* wanted = std::get_if<RelayWanted>(&event)) {
            if (relayed_.IsNone()) relayed_ = wanted->address;
            if (wanted->address.port % 7 == 0) {
              server_.RelayBindFailed(now_, wanted->id);
            } else {
              server_.RelayBound(now_, wanted->id);
            }
          }
        });
    while (server_.PollStreamWrite()) {
    }
  }

  Rng rng_;
  Server server_;
  Timestamp now_ = Timestamp::Seconds(1);
  TransportAddress relayed_;
};

}  // namespace
}  // namespace rtclab::turn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  rtclab::turn::Harness().Run(rtclab::ByteReader({data, size}));
  return 0;
}
