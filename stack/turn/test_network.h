// The tests' world: one server, clients and peers joined by a memory network in virtual time, 10 ms each way.
#ifndef RTCLAB_STACK_TURN_TEST_NETWORK_H_
#define RTCLAB_STACK_TURN_TEST_NETWORK_H_

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "stack/base/check.h"
#include "stack/base/rng.h"
#include "stack/base/sans_io.h"
#include "stack/stun/credentials.h"
#include "stack/turn/client.h"
#include "stack/turn/server.h"

namespace rtclab::turn {

inline IpAddress Ip(std::string_view text) { return IpAddress::Parse(text).value(); }
inline TransportAddress Address(std::string_view text) {
  return TransportAddress::Parse(text).value();
}
inline const TransportAddress kPeer = Address("203.0.113.5:7000");
inline const TransportAddress kPeer6 = Address("[2001:db8:5::5]:7000");
inline Bytes Text(std::string_view text) { return Bytes(text.begin(), text.end()); }
inline std::string Text(const Bytes& bytes) { return std::string(bytes.begin(), bytes.end()); }

inline constexpr std::string_view kUser = "alice";
inline constexpr std::string_view kPassword = "wonderland";
inline constexpr std::string_view kRealm = "example.org";

// A dual-stack server with two users.
inline ServerConfig DefaultServerConfig() {
  ServerConfig config;
  config.listening = {Address("198.51.100.1:3478"), Address("[2001:db8::1]:3478")};
  config.relay_addresses = {Ip("198.51.100.2"), Ip("2001:db8::2")};
  auto store = std::make_shared<stun::StaticCredentials>();
  CHECK(store->Add(kUser, kPassword));
  CHECK(store->Add("bob", "builder"));
  ServerAuthentication authentication;
  authentication.long_term.realm = kRealm;
  authentication.credentials = std::move(store);
  config.authentication = std::move(authentication);
  return config;
}

inline ClientConfig DefaultClientConfig() {
  ClientConfig config;
  config.local = Address("192.0.2.10:4000");
  config.server = Address("198.51.100.1:3478");
  config.username = kUser;
  config.password = kPassword;
  return config;
}

// What a client has told.
class EventLog {
 public:
  void Add(ClientEvent&& event) { events_.push_back(std::move(event)); }
  template <typename T>
  std::vector<T> All() const {
    std::vector<T> out;
    for (const ClientEvent& event : events_) {
      if (const T* e = std::get_if<T>(&event)) out.push_back(*e);
    }
    return out;
  }
  template <typename T>
  std::size_t Count() const {
    return All<T>().size();
  }
  // The only event of its kind; an empty one with a test failure otherwise comes from value().
  template <typename T>
  T Only() const {
    const auto all = All<T>();
    return all.size() == 1 ? all.front() : throw std::runtime_error("not exactly one such event");
  }
  void Clear() { events_.clear(); }

 private:
  std::vector<ClientEvent> events_;
};

class TestNetwork {
 public:
  static constexpr TimeDelta kOneWay = TimeDelta::Millis(10);

  explicit TestNetwork(ServerConfig config = DefaultServerConfig())
      : rng_(20240607), server(std::move(config), rng_) {}

  Timestamp now() const { return now_; }

  Client& AddClient(ClientConfig config) {
    clients_.push_back(std::make_unique<Host>(std::move(config), rng_));
    return clients_.back()->client;
  }
  EventLog& events(const Client& client) {
    for (auto& host : clients_) {
      if (&host->client == &client) return host->events;
    }
    throw std::runtime_error("no such client");
  }
  // A client with an allocation, made within 100 ms.
  Client& Allocated(ClientConfig config = DefaultClientConfig()) {
    Client& client = AddClient(std::move(config));
    client.Allocate(now_);
    RunFor(TimeDelta::Millis(100));
    return client;
  }
  // With a permission for `peer`.
  Client& Permitted(const IpAddress& peer, ClientConfig config = DefaultClientConfig()) {
    Client& client = Allocated(std::move(config));
    client.CreatePermission(now_, std::vector{peer});
    RunFor(TimeDelta::Millis(100));
    return client;
  }

  // From anywhere to anywhere.
  void Send(const TransportAddress& from, const TransportAddress& to, Bytes payload) {
    Carry(Transmit{from, to, std::move(payload)});
  }
  // What reached an address that is neither the server's nor a client's.
  std::vector<Transmit> TakeReceived(const TransportAddress& at) {
    std::vector<Transmit> out;
    std::erase_if(received_, [&](const Transmit& t) {
      if (t.destination == at) out.push_back(t);
      return t.destination == at;
    });
    return out;
  }

  void RunFor(TimeDelta duration) { RunUntil(now_ + duration); }
  void RunUntil(Timestamp end) {
    for (;;) {
      const Timestamp timer = DrainAll();
      Timestamp next = timer;
      for (const Flight& flight : flights_) next = std::min(next, flight.arrival);
      if (next > end) break;
      now_ = std::max(now_, next);
      Deliver();
      if (server.NextTimeout() <= now_) server.HandleTimeout(now_);
      for (auto& host : clients_) {
        if (host->client.NextTimeout() <= now_) host->client.HandleTimeout(now_);
      }
    }
    now_ = end;
  }

 private:
  struct Host {
    Host(ClientConfig config, Rng& rng) : client(std::move(config), rng) {}
    Client client;
    EventLog events;
  };
  struct Flight {
    Timestamp arrival;
    Transmit transmit;
  };

  void Carry(Transmit&& transmit) {
    if (lose && lose(transmit)) return;
    flights_.push_back({now_ + kOneWay, std::move(transmit)});
  }
  void Deliver() {
    std::vector<Flight> arrived;
    std::erase_if(flights_, [&](Flight& flight) {
      const bool here = flight.arrival <= now_;
      if (here) arrived.push_back(flight);
      return here;
    });
    for (const Flight& flight : arrived) Arrive(flight.transmit);
  }
  void Arrive(const Transmit& transmit) {
    const Datagram packet{transmit.source, transmit.destination, transmit.payload};
    const auto& listening = server.config().listening;
    if (std::find(listening.begin(), listening.end(), packet.destination) != listening.end() ||
        sockets.contains(packet.destination)) {
      return server.HandlePacket(now_, packet);
    }
    for (auto& host : clients_) {
      if (host->client.config().local == packet.destination &&
          host->client.HandlePacket(now_, packet)) {
        return;
      }
    }
    received_.push_back(transmit);
  }
  Timestamp DrainAll() {
    const auto carry = [this](Transmit&& t) { Carry(std::move(t)); };
    Timestamp next =
        Drain(server, carry, [this](ServerEvent&& event) { HandleServerEvent(std::move(event)); });
    for (auto& host : clients_) {
      const Timestamp timer = Drain(host->client, carry, [&host](ClientEvent&& event) {
        host->events.Add(std::move(event));
      });
      next = std::min(next, timer);
    }
    return next;
  }
  void HandleServerEvent(ServerEvent&& event) {
    if (const auto* wanted = std::get_if<RelayWanted>(&event)) {
      ++relays_wanted;
      if (refuse_bind && refuse_bind(wanted->address)) {
        server.RelayBindFailed(now_, wanted->id);
      } else {
        sockets.insert(wanted->address);
        server.RelayBound(now_, wanted->id);
      }
    } else if (const auto* released = std::get_if<RelayReleased>(&event)) {
      sockets.erase(released->address);
    }
    server_events.push_back(std::move(event));
  }

  Rng rng_;
  Timestamp now_ = Timestamp::Seconds(1);
  std::vector<std::unique_ptr<Host>> clients_;
  std::vector<Flight> flights_;
  std::vector<Transmit> received_;

 public:
  Server server;
  std::set<TransportAddress> sockets;  // relay sockets that are open
  std::vector<ServerEvent> server_events;
  int relays_wanted = 0;
  std::function<bool(const TransportAddress&)> refuse_bind;  // true: the driver cannot bind it
  std::function<bool(const Transmit&)> lose;                 // true: the network loses it
};

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_TEST_NETWORK_H_
