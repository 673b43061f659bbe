// The life of relays and allocations: found, refreshed, expired, ended.
#include <algorithm>
#include <array>

#include "stack/turn/server_internal.h"

namespace rtclab::turn {

void Server::HandleDisconnect(Timestamp now, const FiveTuple& tuple) {
  if (NextTimeout() <= now) HandleTimeout(now);
  if (HandleDataDisconnect(tuple)) return;
  if (const auto it = pending_.find(tuple); it != pending_.end()) {
    return AbandonPending(*it->second);
  }
  if (const auto it = moving_.find(tuple); it != moving_.end()) {
    it->second->mobility->next.reset();  // it never arrived
    moving_.erase(it);
    return;
  }
  Allocation* const allocation = FindAllocation(tuple);
  if (allocation == nullptr || config_.quirks.control_close_ignored) return;
  if (!allocation->mobility) return EndAllocation(*allocation, EndReason::kDisconnected);
  // RFC 8016 section 3.2.2: the end of the old connection completes a move. Without one under way the allocation waits for its ticket
  // until it expires.
  if (allocation->mobility->next) return CompleteMove(*allocation);
  allocation->mobility->reachable = false;
}

void Server::HandleTimeout(Timestamp now) {
  while (!expiries_.empty() && expiries_.begin()->first <= now) {
    Relay& relay = *relays_.at(expiries_.begin()->second);
    if (relay.owner != nullptr) {
      EndRelay(relay, EndReason::kExpired);
    } else {
      RemoveRelay(relay);
    }
  }
  while (!connection_expiries_.empty() && connection_expiries_.begin()->first <= now) {
    ExpireConnection(*connections_.at(connection_expiries_.begin()->second));
  }
}

Timestamp Server::NextTimeout() const {
  const Timestamp relay = expiries_.empty() ? Timestamp::PlusInfinity() : expiries_.begin()->first;
  if (connection_expiries_.empty()) return relay;
  return std::min(relay, connection_expiries_.begin()->first);
}

Allocation* Server::FindAllocation(const FiveTuple& tuple) const {
  if (const auto it = allocations_.find(tuple); it != allocations_.end()) {
    return it->second->established ? it->second.get() : nullptr;
  }
  if (moving_.empty()) return nullptr;
  const auto it = moving_.find(tuple);
  return it != moving_.end() ? it->second : nullptr;
}

Allocation* Server::FindForData(const FiveTuple& tuple) {
  Allocation* const allocation = FindAllocation(tuple);
  if (allocation != nullptr && allocation->mobility && allocation->mobility->next == tuple) {
    CompleteMove(*allocation);
  }
  return allocation;
}

Relay& Server::AddRelay(const TransportAddress& address, bool tcp) {
  auto relay = std::make_unique<Relay>();
  relay->id = RelayId{next_relay_id_++};
  relay->address = address;
  relay->tcp = tcp;
  if (config_.quirks.permission_never_expires) {
    relay->permission_lifetime = TimeDelta::PlusInfinity();
  }
  relay->permission_refresh = !config_.quirks.permission_not_refreshed;
  relay_by_address_.emplace(address, relay.get());
  if (tcp) {
    events_.Push(TcpListenWanted{relay->id, address});
  } else {
    events_.Push(RelayWanted{relay->id, address});
  }
  return *relays_.emplace(relay->id, std::move(relay)).first->second;
}

void Server::SetExpiry(Relay& relay, Timestamp expires) {
  expiries_.erase({relay.expires, relay.id});
  relay.expires = expires;
  if (!expires.IsInfinite()) expiries_.emplace(expires, relay.id);
}

void Server::ExpireAllocation(Relay& relay, Timestamp expires) {
  SetExpiry(relay, config_.quirks.allocation_never_expires ? Timestamp::PlusInfinity() : expires);
}

// One relayed address of an established allocation ends, and with its last one the allocation.
void Server::EndRelay(Relay& relay, EndReason reason) {
  Allocation& allocation = *relay.owner;
  events_.Push(AllocationEnded{allocation.tuple, allocation.username, relay.address, reason});
  allocation.DropChannels(relay);
  // RFC 6062 section 5.5.
  for (const ConnectionId id : std::vector(relay.connections)) {
    CloseConnection(*connections_.at(id), reason != EndReason::kDisconnected);
  }
  std::replace(allocation.relays.begin(), allocation.relays.end(), &relay,
               static_cast<Relay*>(nullptr));
  RemoveRelay(relay);
  const bool ended = std::all_of(allocation.relays.begin(), allocation.relays.end(),
                                 [](const Relay* r) { return r == nullptr; });
  if (ended) RemoveAllocation(FiveTuple(allocation.tuple));
}

void Server::EndAllocation(Allocation& allocation, EndReason reason) {
  // Ending the last relay ends the allocation, so this walks a copy.
  for (Relay* relay : std::array(allocation.relays)) {
    if (relay != nullptr) EndRelay(*relay, reason);
  }
}

void Server::RemoveRelay(Relay& relay) {
  events_.Push(RelayReleased{relay.id, relay.address});
  SetExpiry(relay, Timestamp::PlusInfinity());
  if (relay.token != 0) relay_by_token_.erase(relay.token);
  relay_by_address_.erase(relay.address);
  relays_.erase(RelayId(relay.id));
}

void Server::RemoveAllocation(const FiveTuple& tuple) {
  const auto it = allocations_.find(tuple);
  const Allocation& allocation = *it->second;
  const auto count = allocations_of_user_.find(allocation.quota_key);
  if (--count->second == 0) allocations_of_user_.erase(count);
  if (allocation.mobility) {
    mobile_.erase(allocation.mobility->serial);
    if (allocation.mobility->next) moving_.erase(*allocation.mobility->next);
  }
  allocations_.erase(it);
}

}  // namespace rtclab::turn
