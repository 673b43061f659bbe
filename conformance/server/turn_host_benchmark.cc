// What a relayed datagram costs: a host in a thread of its own, one client and one peer over loopback. CPU time is that of the whole process, both
// ends of both sockets included.
#include <benchmark/benchmark.h>

#include <thread>

#include "conformance/server/turn_host.h"
#include "conformance/socket/udp_batch.h"
#include "stack/stun/message_builder.h"
#include "stack/turn/attributes.h"
#include "stack/turn/channel_data.h"

namespace {

using namespace rtclab;
using namespace rtclab::conformance;

constexpr uint16_t kBenchChannel = 0x4001;

// A client with an allocation and a channel to `peer`.
struct Relay {
  Relay() : rng(1), client(*UdpSocket::Bind(Any())), peer(*UdpSocket::Bind(Any())) {
    HostConfig config;
    config.listen = {Any()};
    config.tcp = false;
    config.turn.relay_addresses = {Any().ip};
    config.turn.peer_policy.allow_loopback = true;
    host = std::move(*TurnHost::Start(std::move(config), rng));
    thread = std::thread([this] { host->Run(); });
    client.SetBuffers(4 << 20);
    peer.SetBuffers(4 << 20);
    stun::MessageBuilder allocate(stun::MessageClass::kRequest, stun::Method::kAllocate, {});
    turn::AddRequestedTransport(allocate, turn::kProtocolUdp);
    const Bytes answer = Ask(allocate.Build());
    relayed =
        *stun::MessageView::Parse(answer)->GetXorAddress(stun::AttributeType::kXorRelayedAddress);
    stun::MessageBuilder bind(stun::MessageClass::kRequest, stun::Method::kChannelBind, {1});
    turn::AddChannelNumber(bind, kBenchChannel);
    bind.AddXorAddress(stun::AttributeType::kXorPeerAddress, peer.local());
    Ask(bind.Build());
  }
  ~Relay() {
    host->Stop();
    thread.join();
  }

  static TransportAddress Any() { return *TransportAddress::Parse("127.0.0.1:0"); }
  TransportAddress server() const { return host->endpoints().front().address; }

  Bytes Ask(const Bytes& request) {
    client.Send(server(), request, false);
    for (;;) {
      if (const auto answer = client.Receive(buffer)) {
        return Bytes(answer->payload.begin(), answer->payload.end());
      }
      std::this_thread::yield();
    }
  }

  Rng rng;
  UdpSocket client, peer;
  std::unique_ptr<TurnHost> host;
  std::thread thread;
  TransportAddress relayed;
  std::vector<uint8_t> buffer = std::vector<uint8_t>(65'536);
};

// Bursts of 32 datagrams of 1,000 bytes, the next when all have arrived.
void BM_RelayDatagrams(benchmark::State& state, bool to_peer) {
  Relay relay;
  const Bytes payload(1'000, 0x5a);
  const Bytes message =
      to_peer ? turn::BuildChannelData(turn::ChannelNumber{kBenchChannel}, payload, false)
              : payload;
  UdpSocket& from = to_peer ? relay.client : relay.peer;
  UdpSocket& to = to_peer ? relay.peer : relay.client;
  const TransportAddress at = to_peer ? relay.server() : relay.relayed;
  SendBatch out;
  ReceiveBatch in;
  constexpr std::size_t kBurst = 32;
  for (auto _ : state) {
    for (std::size_t i = 0; i < kBurst; ++i) out.Add(from, at, message);
    out.Flush();
    for (std::size_t arrived = 0; arrived < kBurst;) {
      const std::size_t count = in.Receive(to);
      if (count == 0) std::this_thread::yield();
      arrived += count;
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBurst));
}
BENCHMARK_CAPTURE(BM_RelayDatagrams, ToPeer, true)->MeasureProcessCPUTime()->UseRealTime();
BENCHMARK_CAPTURE(BM_RelayDatagrams, ToClient, false)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
