// What relaying and allocating cost the server, without sockets.
#include <benchmark/benchmark.h>

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "stack/base/check.h"
#include "stack/base/rng.h"
#include "stack/stun/credentials.h"
#include "stack/turn/client.h"
#include "stack/turn/server.h"

namespace rtclab::turn {
namespace {

TransportAddress At(uint32_t ip, uint16_t port) { return {IpAddress::V4(ip), port}; }

const TransportAddress kServer = At(0xC6336401, 3478);  // 198.51.100.1
const TransportAddress kPeer = At(0xCB007105, 7000);    // 203.0.113.5

// A server and one client joined by hand; time stands still.
class Pair {
 public:
  explicit Pair(int clients = 1) : rng_(1), server_(Config(), rng_) {
    for (int i = 0; i < clients; ++i) {
      ClientConfig config;
      config.local = At(0xC000020A, static_cast<uint16_t>(4000 + i));
      config.server = kServer;
      config.username = "alice";
      config.password = "wonderland";
      clients_.push_back(std::make_unique<Client>(config, rng_));
    }
  }

  static ServerConfig Config() {
    ServerConfig config;
    config.listening = {kServer};
    config.relay_addresses = {IpAddress::V4(198, 51, 100, 2)};
    auto store = std::make_shared<stun::StaticCredentials>();
    CHECK(store->Add("alice", "wonderland"));
    ServerAuthentication authentication;
    authentication.long_term.realm = "example.org";
    authentication.credentials = store;
    config.authentication = authentication;
    config.max_allocations_per_user = 100'000;
    return config;
  }

  Server& server() { return server_; }
  Client& client(std::size_t i = 0) { return *clients_[i]; }

  void Exchange() {
    for (bool progress = true; progress;) {
      progress = false;
      for (auto& client : clients_) {
        while (auto t = client->PollTransmit()) {
          server_.HandlePacket(now_, {t->source, t->destination, t->payload});
          progress = true;
        }
        while (auto event = client->PollEvent()) {
        }
      }
      while (auto event = server_.PollEvent()) {
        if (const auto* wanted = std::get_if<RelayWanted>(&*event)) {
          server_.RelayBound(now_, wanted->id);
        }
      }
      while (auto t = server_.PollTransmit()) {
        for (auto& client : clients_) {
          if (client->config().local == t->destination) {
            client->HandlePacket(now_, {t->source, t->destination, t->payload});
          }
        }
        progress = true;
      }
    }
  }
  Timestamp now() const { return now_; }

 private:
  Timestamp now_ = Timestamp::Seconds(1);
  Rng rng_;
  Server server_;
  std::vector<std::unique_ptr<Client>> clients_;
};

void Relay(benchmark::State& state, bool to_peer, bool channel) {
  const auto clients = static_cast<int>(state.range(0));
  Pair pair(clients);
  for (int i = 0; i < clients; ++i) {
    Client& client = pair.client(static_cast<std::size_t>(i));
    client.Allocate(pair.now());
    pair.Exchange();
    if (channel) {
      client.BindChannel(pair.now(), kPeer);
    } else {
      client.CreatePermission(pair.now(), std::vector{kPeer.ip});
    }
    pair.Exchange();
  }
  const Bytes payload(1000, 0x5a);
  std::vector<Bytes> messages;
  std::vector<Datagram> packets;
  for (int i = 0; i < clients; ++i) {
    Client& client = pair.client(static_cast<std::size_t>(i));
    CHECK(client.Send(pair.now(), kPeer, payload));
    messages.push_back(client.PollTransmit()->payload);
  }
  for (int i = 0; i < clients; ++i) {
    const Client& client = pair.client(static_cast<std::size_t>(i));
    if (to_peer) {
      packets.push_back({client.config().local, kServer, messages[static_cast<std::size_t>(i)]});
    } else {
      packets.push_back({kPeer, client.relayed()[0], payload});
    }
  }
  std::size_t next = 0;
  for (auto _ : state) {
    pair.server().HandlePacket(pair.now(), packets[next]);
    auto transmit = pair.server().PollTransmit();
    CHECK(transmit.has_value());
    benchmark::DoNotOptimize(transmit->payload.data());
    next = next + 1 == packets.size() ? 0 : next + 1;
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}

void BM_ChannelDataToPeer(benchmark::State& state) { Relay(state, true, true); }
void BM_ChannelDataToClient(benchmark::State& state) { Relay(state, false, true); }
void BM_SendIndicationToPeer(benchmark::State& state) { Relay(state, true, false); }
void BM_DataIndicationToClient(benchmark::State& state) { Relay(state, false, false); }
BENCHMARK(BM_ChannelDataToPeer)->Arg(1)->Arg(1000);
BENCHMARK(BM_ChannelDataToClient)->Arg(1)->Arg(1000);
BENCHMARK(BM_SendIndicationToPeer)->Arg(1)->Arg(1000);
BENCHMARK(BM_DataIndicationToClient)->Arg(1)->Arg(1000);

// Both ends: challenge, Allocate, Refresh with lifetime zero. Three round trips.
void BM_AllocateAndRefresh(benchmark::State& state) {
  Pair pair(0);
  Rng rng(2);
  uint16_t port = 1024;
  for (auto _ : state) {
    ClientConfig config;
    config.local = At(0xC000020A, port++);
    config.server = kServer;
    config.username = "alice";
    config.password = "wonderland";
    Client client(std::move(config), rng);
    const auto exchange = [&] {
      for (bool progress = true; progress;) {
        progress = false;
        while (auto t = client.PollTransmit()) {
          pair.server().HandlePacket(pair.now(), {t->source, t->destination, t->payload});
          while (auto event = pair.server().PollEvent()) {
            if (const auto* wanted = std::get_if<RelayWanted>(&*event)) {
              pair.server().RelayBound(pair.now(), wanted->id);
            }
          }
          while (auto answer = pair.server().PollTransmit()) {
            client.HandlePacket(pair.now(), {answer->source, answer->destination, answer->payload});
          }
          progress = true;
        }
      }
    };
    client.Allocate(pair.now());
    exchange();
    CHECK(client.state() == Client::State::kAllocated);
    client.Close(pair.now());
    exchange();
    CHECK(client.state() == Client::State::kEnded);
  }
}
BENCHMARK(BM_AllocateAndRefresh);

}  // namespace
}  // namespace rtclab::turn
