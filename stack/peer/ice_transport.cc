#include "stack/peer/ice_transport.h"

#include <algorithm>
#include <utility>

#include "stack/base/overloaded.h"

namespace rtclab::peer {
namespace {

// RFC 8656 section 3.2.
constexpr TimeDelta kDefaultLifetime = TimeDelta::Seconds(600);

template <typename Queue>
auto PopFront(Queue& queue) -> std::optional<typename Queue::value_type> {
  if (queue.empty()) return std::nullopt;
  auto front = std::move(queue.front());
  queue.pop_front();
  return front;
}

bool Contains(std::span<const TransportAddress> addresses, const TransportAddress& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

}  // namespace

IceTransport::IceTransport(IceTransportConfig config, Rng& rng)
    : config_(std::move(config)), rng_(rng), agent_(config_.agent, rng) {}

void IceTransport::Gather(Timestamp now, std::span<const TransportAddress> hosts) {
  std::vector<ice::RelayServer> relay_servers;
  for (const TurnServer& server : config_.turn_servers) relay_servers.push_back({server.address});
  agent_.Gather(now, hosts, config_.stun_servers, relay_servers);
  Pump(now);
}

Result<void> IceTransport::SetRemoteParameters(Timestamp now, const ice::RemoteParameters& remote) {
  Result<void> result = agent_.SetRemoteParameters(now, remote);
  Pump(now);
  return result;
}

ice::AddResult IceTransport::AddRemoteCandidate(Timestamp now, const ice::Candidate& candidate) {
  const ice::AddResult result = agent_.AddRemoteCandidate(now, candidate);
  Pump(now);
  return result;
}

void IceTransport::EndOfRemoteCandidates(Timestamp now, std::string_view ufrag) {
  agent_.EndOfRemoteCandidates(now, ufrag);
  Pump(now);
}

void IceTransport::Restart(Timestamp now, const ice::Credentials& local) {
  agent_.Restart(now, local);
  Pump(now);
}

void IceTransport::SetServers(ice::CandidatePolicy policy,
                              std::vector<TransportAddress> stun_servers,
                              std::vector<TurnServer> turn_servers) {
  std::vector<ice::RelayServer> relay_servers;
  relay_servers.reserve(turn_servers.size());
  for (const TurnServer& server : turn_servers) relay_servers.push_back({server.address});
  config_.turn_servers = std::move(turn_servers);
  agent_.SetServers(policy, std::move(stun_servers), std::move(relay_servers));
}

bool IceTransport::Send(Timestamp now, ByteView payload) {
  const bool sent = agent_.Send(now, payload);
  Pump(now);
  return sent;
}

void IceTransport::Close(Timestamp now) {
  agent_.Close(now);
  for (auto& relay : relays_) relay->client->Close(now);
  Pump(now);
}

void IceTransport::HandlePacket(Timestamp now, const Datagram& packet) {
  // A TURN server may share its address with a STUN server, and the socket is shared with checks: the client says
  // whether the packet was one of its own. The newest first: an older one on the same 5-tuple is being closed.
  const bool taken = std::any_of(relays_.rbegin(), relays_.rend(), [&](const auto& relay) {
    return packet.destination == relay->base && packet.source == relay->client->server() &&
           relay->client->HandlePacket(now, packet);
  });
  if (!taken) agent_.HandlePacket(now, packet);
  Pump(now);
}

void IceTransport::HandleIcmp(Timestamp now, const IcmpError& error) {
  for (auto& relay : relays_) {
    if (error.source == relay->base && error.destination == relay->client->server()) {
      relay->client->HandleIcmp(now, error);
    }
  }
  agent_.HandleIcmp(now, error);
  Pump(now);
}

void IceTransport::HandleTimeout(Timestamp now) {
  for (auto& relay : relays_) {
    if (relay->client->NextTimeout() <= now) relay->client->HandleTimeout(now);
  }
  if (agent_.NextTimeout() <= now) agent_.HandleTimeout(now);
  Pump(now);
}

std::optional<Transmit> IceTransport::PollTransmit() { return PopFront(transmits_); }

std::optional<IceTransportEvent> IceTransport::PollEvent() { return PopFront(events_); }

Timestamp IceTransport::NextTimeout() const {
  Timestamp next = agent_.NextTimeout();
  for (const auto& relay : relays_) next = std::min(next, relay->client->NextTimeout());
  return next;
}

void IceTransport::Pump(Timestamp now) {
  bool progress = true;
  while (progress) {
    progress = false;
    while (auto transmit = agent_.PollTransmit()) {
      Route(now, std::move(*transmit));
      progress = true;
    }
    while (auto event = agent_.PollEvent()) {
      OnAgentEvent(now, std::move(*event));
      progress = true;
    }
    // By index: an event may add a relay.
    for (std::size_t i = 0; i < relays_.size(); ++i) {
      Relay& relay = *relays_[i];
      while (auto transmit = relay.client->PollTransmit()) {
        transmits_.push_back(std::move(*transmit));
        progress = true;
      }
      while (auto event = relay.client->PollEvent()) {
        OnTurnEvent(now, relay, std::move(*event));
        progress = true;
      }
    }
  }
  std::erase_if(relays_, [](const auto& relay) { return relay->ended; });
}

void IceTransport::Route(Timestamp now, Transmit transmit) {
  Relay* relay = FindRelay(transmit.source);
  if (relay == nullptr) {
    transmits_.push_back(std::move(transmit));
    return;
  }
  // Without a permission the server would drop it anyway; the agent's retransmissions come back.
  (void)relay->client->Send(now, transmit.destination, transmit.payload, transmit.dont_fragment);
}

void IceTransport::OnAgentEvent(Timestamp now, ice::Event event) {
  std::visit(Overloaded{
                 [&](ice::RelayRequested& e) { StartRelay(now, e); },
                 [&](ice::PermissionWanted& e) { RequestPermissions(now, e); },
                 [&](ice::CandidateReleased& e) {
                   if (e.candidate.type == ice::CandidateType::kRelayed)
                     ReleaseRelay(now, e.candidate.address);
                 },
                 [&](ice::SelectedPairChanged& e) {
                   // ChannelData is 4 bytes of overhead instead of a Send indication's 36 and more.
                   if (Relay* relay = FindRelay(e.pair.local.base)) {
                     relay->client->BindChannel(now, e.pair.remote.address);
                   }
                   events_.emplace_back(std::move(e));
                 },
                 [&](auto& e) { events_.emplace_back(std::move(e)); },
             },
             event);
}

void IceTransport::StartRelay(Timestamp now, const ice::RelayRequested& request) {
  const TurnServer* server = FindServer(request.server);
  if (server == nullptr) {
    agent_.RelayFailed(now, request.request_id, 0, "no such server");
    return;
  }
  using State = turn::Client::State;
  for (auto& relay : relays_) {
    const State state = relay->client->state();
    if (relay->base != request.base || relay->server != request.server) continue;
    if (relay->ended || (state != State::kAllocating && state != State::kAllocated)) continue;
    // After a restart. The server may have forgotten the allocation, or see us at another address: a Refresh tells.
    relay->request_id = request.request_id;
    if (state == State::kAllocated) relay->client->Refresh(now, kDefaultLifetime);
    return;
  }
  relays_.push_back(std::make_unique<Relay>());
  Relay& relay = *relays_.back();
  relay.base = request.base;
  relay.server = request.server;
  relay.request_id = request.request_id;
  Allocate(now, relay, *server);
}

void IceTransport::Allocate(Timestamp now, Relay& relay, const TurnServer& server) {
  turn::ClientConfig config;
  config.local = relay.base;
  config.server = server.address;
  config.username = server.username;
  config.password = server.password;
  config.dual = server.dual;
  if (!config.dual) config.family = relay.base.family();
  // What the client before it has still to say, such as a deletion, goes first.
  while (auto last = relay.client ? relay.client->PollTransmit() : std::nullopt) {
    transmits_.push_back(std::move(*last));
  }
  relay.client = std::make_unique<turn::Client>(config, rng_);
  relay.client->Allocate(now);
}

void IceTransport::OnAllocationLost(Timestamp now, Relay& relay, turn::AllocationLost lost) {
  const std::vector<TransportAddress> gone = std::exchange(relay.relayed, {});
  for (const TransportAddress& relayed : gone) agent_.RemoveLocalAddress(now, relayed);
  events_.emplace_back(RelayLost{relay.base, relay.server, lost.code, std::move(lost.reason)});
  const TurnServer* server = FindServer(relay.server);
  if (relay.request_id && server != nullptr) {
    Allocate(now, relay, *server);
  } else {
    relay.ended = true;
  }
}

const TurnServer* IceTransport::FindServer(const TransportAddress& address) const {
  const auto it = std::find_if(config_.turn_servers.begin(), config_.turn_servers.end(),
                               [&](const TurnServer& s) { return s.address == address; });
  return it == config_.turn_servers.end() ? nullptr : &*it;
}

void IceTransport::RequestPermissions(Timestamp now, const ice::PermissionWanted& wanted) {
  if (Relay* relay = FindRelay(wanted.relayed)) {
    relay->client->CreatePermission(now, wanted.peers);
    return;
  }
  for (const IpAddress& peer : wanted.peers) {
    agent_.PermissionFailed(now, wanted.relayed, peer, "the allocation is gone");
  }
}

void IceTransport::ReleaseRelay(Timestamp now, const TransportAddress& relayed) {
  if (Relay* relay = FindRelay(relayed)) relay->client->Close(now);
}

void IceTransport::OnTurnEvent(Timestamp now, Relay& relay, turn::ClientEvent event) {
  const auto permission_answered = [&](const IpAddress& peer, auto&& answer) {
    for (const TransportAddress& relayed : relay.relayed) {
      if (relayed.family() == peer.family()) answer(relayed);
    }
  };
  const auto answer_request = [&] {
    if (const auto request_id = std::exchange(relay.request_id, std::nullopt)) {
      agent_.AddRelayedCandidates(now, *request_id, relay.relayed, relay.mapped);
    }
  };
  std::visit(
      Overloaded{
          [&](turn::Allocated& e) {
            relay.relayed = e.relayed;
            relay.mapped = e.mapped;
            answer_request();
            events_.emplace_back(RelayAllocated{relay.base, relay.server, std::move(e.relayed)});
          },
          [&](turn::AllocateFailed& e) {
            relay.ended = true;
            if (relay.request_id) {
              agent_.RelayFailed(now, *relay.request_id,
                                 e.code == turn::kRequestTimedOut ? 0 : e.code, e.reason);
            }
            events_.emplace_back(
                RelayRefused{relay.base, relay.server, e.code, std::move(e.reason)});
          },
          [&](turn::PermissionCreated& e) {
            permission_answered(e.peer, [&](const TransportAddress& r) {
              agent_.PermissionGranted(now, r, e.peer);
            });
          },
          [&](turn::PermissionFailed& e) {
            permission_answered(e.peer, [&](const TransportAddress& r) {
              agent_.PermissionFailed(now, r, e.peer, e.reason);
              events_.emplace_back(RelayPeerRefused{r, e.peer, e.code, e.reason});
            });
          },
          [&](turn::DataReceived& e) {
            agent_.HandlePacket(now,
                                {.source = e.peer, .destination = e.relayed, .payload = e.payload});
          },
          [&](turn::IcmpReceived& e) {
            agent_.HandleIcmp(now, {.source = e.relayed,
                                    .destination = e.peer,
                                    .type = e.type,
                                    .code = e.code,
                                    .mtu = e.mtu});
          },
          [&](turn::AllocationLost& e) { OnAllocationLost(now, relay, std::move(e)); },
          [&](turn::AllocationRefreshed&) { answer_request(); },
          [&](turn::Closed&) { relay.ended = true; },
          // Data still flows by Send indications when a channel is refused.
          [](turn::ChannelBound&) {},
          [](turn::ChannelFailed&) {},
          [](turn::Redirected&) {},
      },
      event);
}

IceTransport::Relay* IceTransport::FindRelay(const TransportAddress& relayed) {
  const auto it = std::find_if(relays_.begin(), relays_.end(), [&](const auto& relay) {
    return !relay->ended && Contains(relay->relayed, relayed);
  });
  return it == relays_.end() ? nullptr : it->get();
}

}  // namespace rtclab::peer
