#include "scenarios/execution/server_program.h"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/execution/schedule.h"
#include "sim/host/protocol_host.h"
#include "stack/base/check.h"
#include "stack/stun/server.h"
#include "stack/turn/server.h"

namespace rtclab::scenarios {
namespace {

constexpr std::string_view kRealm = "rtclab.example";
// What UNIX time it is when a run begins: REST credentials carry an absolute expiry. Any fixed moment would do.
constexpr int64_t kUnixTimeAtZero = 1'700'000'000;

std::vector<TransportAddress> FirstOfEachFamily(const std::vector<IpAddress>& addresses,
                                                uint16_t port) {
  std::vector<TransportAddress> out;
  for (const IpAddress& ip : addresses) {
    const bool known = std::any_of(out.begin(), out.end(), [&](const TransportAddress& a) {
      return a.family() == ip.family();
    });
    if (!known) out.push_back({ip, port});
  }
  return out;
}

class StunProgram final : public ServerProgram {
 public:
  StunProgram(const ServerSpec& spec, sim::Network& network)
      : rng_(network.Stream("stun/" + spec.name)),
        server_(ConfigOf(spec, network), rng_),
        host_(network.host(spec.host), server_, Ignore{}) {
    for (const TransportAddress& address : server_.ListenAddresses())
      CHECK(host_.Bind(address).has_value());
  }

 private:
  struct Ignore {
    void operator()(Timestamp, stun::Server::Event&&) const {}
  };

  static stun::ServerConfig ConfigOf(const ServerSpec& spec, const sim::Network& network) {
    stun::ServerConfig config;
    const std::vector<IpAddress>& all = network.addresses(spec.host);
    for (const TransportAddress& primary : FirstOfEachFamily(all, spec.port)) {
      stun::ServerAddresses addresses{.primary = primary, .alternate = std::nullopt};
      if (spec.behaviour_discovery) {
        for (const IpAddress& ip : all) {
          if (ip.family() == primary.family() && ip != primary.ip) {
            addresses.alternate = TransportAddress{ip, static_cast<uint16_t>(spec.port + 1)};
            break;
          }
        }
      }
      config.addresses.push_back(addresses);
    }
    return config;
  }

  Rng rng_;
  stun::Server server_;
  sim::ProtocolHost<stun::Server, Ignore> host_;
};

class TurnProgram final : public ServerProgram {
 public:
  TurnProgram(const ServerSpec& spec, sim::Network& network)
      : rng_(network.Stream("turn/" + spec.name)),
        server_(ConfigOf(spec, network), rng_),
        host_(network.host(spec.host), server_, OnEvent{this}) {
    for (const TransportAddress& address : server_.config().listening)
      CHECK(host_.Bind(address).has_value());
  }

 private:
  struct OnEvent {
    TurnProgram* self;
    void operator()(Timestamp now, turn::ServerEvent&& event) const { self->Handle(now, event); }
  };

  static turn::ServerConfig ConfigOf(const ServerSpec& spec, const sim::Network& network) {
    turn::ServerConfig config;
    const std::vector<TransportAddress> listening =
        FirstOfEachFamily(network.addresses(spec.host), spec.port);
    config.listening = listening;
    for (const TransportAddress& address : listening) {
      if (address.ip.IsV4() ? spec.ipv4_relay : spec.ipv6_relay)
        config.relay_addresses.push_back(address.ip);
    }
    turn::ServerAuthentication authentication;
    authentication.time_limited = spec.rest_secret.has_value();
    authentication.long_term.realm = kRealm;
    if (spec.rest_secret) {
      authentication.credentials = std::make_shared<stun::RestCredentials>(
          std::vector<std::string>{*spec.rest_secret}, kUnixTimeAtZero);
    } else {
      auto users = std::make_shared<stun::StaticCredentials>();
      CHECK(users->Add(spec.username, spec.password).has_value());
      authentication.credentials = std::move(users);
    }
    config.authentication = std::move(authentication);
    config.max_lifetime = std::max(spec.max_lifetime, config.default_lifetime);
    if (spec.max_lifetime < config.default_lifetime)
      config.default_lifetime = config.max_lifetime = spec.max_lifetime;
    if (spec.user_quota)
      config.max_allocations_per_user = static_cast<std::size_t>(*spec.user_quota);
    config.peer_policy.allow_private = spec.allow_private_peers;
    return config;
  }

  void Handle(Timestamp now, const turn::ServerEvent& event) {
    if (const auto* wanted = std::get_if<turn::RelayWanted>(&event)) {
      if (host_.Bind(wanted->address)) {
        server_.RelayBound(now, wanted->id);
      } else {
        server_.RelayBindFailed(now, wanted->id);
      }
    } else if (const auto* released = std::get_if<turn::RelayReleased>(&event)) {
      host_.Unbind(released->address);
    }
  }

  Rng rng_;
  turn::Server server_;
  sim::ProtocolHost<turn::Server, OnEvent> host_;
};

// Takes what comes and says nothing, as a server does whose process hangs.
class SilentProgram final : public ServerProgram, private sim::UdpReceiver {
 public:
  SilentProgram(const ServerSpec& spec, sim::Network& network) : udp_(network.host(spec.host)) {
    for (const TransportAddress& address :
         FirstOfEachFamily(network.addresses(spec.host), spec.port)) {
      CHECK(udp_.Bind(address, *this).has_value());
      bound_.push_back(address);
    }
  }
  ~SilentProgram() override {
    for (const TransportAddress& address : bound_) udp_.Unbind(address);
  }

 private:
  void OnDatagram(Timestamp, const Datagram&) override {}
  void OnIcmpError(Timestamp, const IcmpError&) override {}

  sim::UdpHost& udp_;
  std::vector<TransportAddress> bound_;
};

}  // namespace

std::unique_ptr<ServerProgram> StartServer(const ServerSpec& spec, sim::Network& network) {
  if (spec.silent) return std::make_unique<SilentProgram>(spec, network);
  if (spec.turn) return std::make_unique<TurnProgram>(spec, network);
  return std::make_unique<StunProgram>(spec, network);
}

ServerAccess DescribeAccess(const ServerSpec& spec, const sim::Network& network) {
  ServerAccess access{.name = spec.name,
                      .turn = spec.turn,
                      .addresses = FirstOfEachFamily(network.addresses(spec.host), spec.port),
                      .username = spec.username,
                      .password = spec.password};
  if (spec.rest_secret) {
    const int64_t expiry = kUnixTimeAtZero + spec.rest_ttl.nanos() / TimeDelta::Seconds(1).nanos();
    const stun::RestCredential credential =
        stun::MakeRestCredential(*spec.rest_secret, expiry, spec.username);
    access.username = credential.username;
    access.password = credential.password;
  }
  if (spec.client_password) access.password = *spec.client_password;
  access.dual = spec.ipv4_relay && spec.ipv6_relay && access.addresses.size() > 1;
  return access;
}

}  // namespace rtclab::scenarios
