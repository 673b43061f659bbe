// The Allocate request: its checks, the relay sockets, the answer (RFC 8656 section 7.2).
#include <algorithm>

#include "stack/stun/alternate_server.h"
#include "stack/turn/attributes.h"
#include "stack/turn/server_internal.h"

namespace rtclab::turn {
namespace {

using stun::AttributeType;
using stun::MessageBuilder;
using stun::MessageView;

}  // namespace

void Server::HandleAllocate(Timestamp now, const Responder& responder, const MessageView& message) {
  const ServerQuirks& quirks = config_.quirks;
  // Check 2. An allocation whose sockets are still being bound counts.
  if (allocations_.contains(responder.tuple) || moving_.contains(responder.tuple)) {
    Allocation* const old = FindAllocation(responder.tuple);
    const bool again = old != nullptr && old->transaction_id == responder.id;
    if (old == nullptr ||
        !(again ? quirks.retransmitted_allocate_is_new : quirks.second_allocate_accepted)) {
      return Reject(responder, stun::kErrorAllocationMismatch);
    }
    EndAllocation(*old, EndReason::kDeleted);
  }
  // Section 21.4: Teredo and 6to4 clients MUST NOT get an allocation.
  if (PeerPolicy::IsTunnel(responder.tuple.client.ip) && !quirks.tunnel_clients_accepted) {
    return Reject(responder, stun::kErrorForbidden);
  }
  Plan plan;
  if (const int code = CheckAllocate(now, responder, message, plan); code != 0) {
    return Reject(responder, code);
  }
  if (RejectWhenFull(responder)) return;
  StartAllocation(now, responder, plan);
}

// Checks 3 to 9, in the RFC's order.
int Server::CheckAllocate(Timestamp now, const Responder& responder, const MessageView& message,
                          Plan& plan) {
  const auto transport = GetRequestedTransport(message);
  if (!transport) return stun::kErrorBadRequest;
  plan.tcp = *transport == kProtocolTcp && config_.tcp_relay;
  if (!plan.tcp && *transport != kProtocolUdp) return stun::kErrorUnsupportedTransportProtocol;
  if (!plan.tcp && !config_.udp_relay) return stun::kErrorForbidden;
  if (plan.tcp) {
    if (const int code = CheckTcpAllocate(responder, message); code != 0) return code;
  }
  if (const int code = CheckMobileAllocate(responder, message); code != 0) return code;
  plan.mobile = message.Has(AttributeType::kMobilityTicket);

  const auto lifetime = message.GetU32(AttributeType::kLifetime);
  const auto even = GetEvenPort(message);
  const auto token = message.GetU64(AttributeType::kReservationToken);
  if (message.Has(AttributeType::kLifetime) != lifetime.has_value() ||
      message.Has(AttributeType::kEvenPort) != even.has_value() ||
      message.Has(AttributeType::kReservationToken) != token.has_value()) {
    return stun::kErrorBadRequest;
  }
  plan.lifetime = GrantLifetime(now, lifetime, responder);
  if (config_.quirks.allocate_lifetime_zero && lifetime == 0u) plan.lifetime = TimeDelta::Zero();
  plan.even = even.has_value() && !plan.tcp;
  plan.reserve = even.value_or(false) && !plan.tcp;
  if (!token || plan.tcp || config_.quirks.reservation_token_ignored) {
    return CheckFamilies(message, plan);
  }

  // Check 5: the token settles family and port, so nothing else may.
  if (even || message.Has(AttributeType::kRequestedAddressFamily) ||
      message.Has(AttributeType::kAdditionalAddressFamily)) {
    return stun::kErrorBadRequest;
  }
  const auto it = relay_by_token_.find(*token);
  if (it == relay_by_token_.end() || it->second->expires <= now) {
    if (config_.quirks.reservation_token_unchecked) return CheckFamilies(message, plan);
    return stun::kErrorInsufficientCapacity;
  }
  plan.reserved = it->second;
  plan.families = {plan.reserved->address.family()};
  return 0;
}

// Checks 6 to 9.
int Server::CheckFamilies(const MessageView& message, Plan& plan) const {
  const bool has_requested = message.Has(AttributeType::kRequestedAddressFamily);
  const bool has_additional = message.Has(AttributeType::kAdditionalAddressFamily);
  const auto requested = GetFamily(message, AttributeType::kRequestedAddressFamily);
  if (has_requested && (has_additional || !requested)) return stun::kErrorBadRequest;
  if (!has_additional) {
    AddressFamily family = requested.value_or(AddressFamily::kIpv4);
    if (config_.quirks.wrong_family_allocated && !Supports(family)) {
      family = config_.relay_addresses[0].family();
    }
    if (!Supports(family)) return stun::kErrorAddressFamilyNotSupported;
    plan.families = {family};
    return 0;
  }
  const auto additional = GetFamily(message, AttributeType::kAdditionalAddressFamily);
  if (plan.reserve || additional != AddressFamily::kIpv6) return stun::kErrorBadRequest;
  for (const AddressFamily family : {AddressFamily::kIpv4, AddressFamily::kIpv6}) {
    if (Supports(family)) {
      plan.families.push_back(family);
    } else {
      plan.refused = family;
      plan.refused_code = stun::kErrorAddressFamilyNotSupported;
    }
  }
  return 0;
}

bool Server::Supports(AddressFamily family) const {
  return std::any_of(config_.relay_addresses.begin(), config_.relay_addresses.end(),
                     [family](const IpAddress& ip) { return ip.family() == family; });
}

// Checks 10 and 11.
bool Server::RejectWhenFull(const Responder& responder) {
  const bool alternate = HasAlternate(responder.tuple.client.family());
  if (config_.redirect_all && alternate) {
    Redirect(responder);
    return true;
  }
  const auto count = allocations_of_user_.find(QuotaKey(responder));
  if (count != allocations_of_user_.end() && count->second >= config_.max_allocations_per_user &&
      !config_.quirks.quota_ignored) {
    Reject(responder, stun::kErrorAllocationQuotaReached);
    return true;
  }
  if (allocations_.size() < config_.max_allocations) return false;
  if (alternate) {
    Redirect(responder);
  } else {
    Reject(responder, stun::kErrorInsufficientCapacity);
  }
  return true;
}

// RFC 8489 section 14.8: a 300 that is not signed MUST NOT be sent.
bool Server::HasAlternate(AddressFamily family) const {
  if (!authenticator_) return false;
  return std::any_of(config_.alternate_servers.begin(), config_.alternate_servers.end(),
                     [family](const TransportAddress& a) { return a.family() == family; });
}

void Server::Redirect(const Responder& responder) {
  MessageBuilder builder(stun::MessageClass::kErrorResponse, responder.method, responder.id);
  builder.AddErrorCode(stun::kErrorTryAlternate);
  stun::AddAlternateServers(builder, responder.tuple.client.family(), config_.alternate_servers,
                            config_.alternate_domain);
  SendToClient(responder.tuple, Finish(builder, responder));
}

void Server::StartAllocation(Timestamp now, const Responder& responder, const Plan& plan) {
  auto allocation = std::make_unique<Allocation>();
  allocation->tuple = responder.tuple;
  allocation->username = responder.username();
  allocation->quota_key = QuotaKey(responder);
  allocation->transaction_id = responder.id;
  allocation->created = now;
  allocation->token = responder.token;
  if (config_.quirks.channel_never_expires) {
    allocation->channel_lifetime = TimeDelta::PlusInfinity();
  }
  allocation->channel_refresh = !config_.quirks.channel_not_refreshed;
  if (plan.mobile) {
    allocation->mobility.emplace().serial = next_serial_++;
    mobile_.emplace(allocation->mobility->serial, allocation.get());
  }
  auto pending = std::make_unique<Pending>();
  pending->responder = responder;
  pending->plan = plan;
  pending->allocation = allocation.get();
  for (const AddressFamily family : plan.families) {
    pending->slots.push_back({family, nullptr, nullptr, config_.bind_attempts});
  }
  ++allocations_of_user_[allocation->quota_key];
  allocations_.emplace(responder.tuple, std::move(allocation));
  Pending& stored = *pending;
  pending_.emplace(responder.tuple, std::move(pending));

  if (plan.reserved != nullptr) {
    Relay& relay = *plan.reserved;
    relay_by_token_.erase(relay.token);
    relay.token = 0;
    relay.owner = stored.allocation;
    SetExpiry(relay, Timestamp::PlusInfinity());
    stored.slots[0].relay = &relay;
  } else {
    for (std::size_t slot = 0; slot < stored.slots.size(); ++slot) WantRelay(stored, slot);
  }
  CompleteIfBound(now, stored);
}

// Asks the driver for a slot's sockets. Without a free port the slot stays empty and the plan says so.
bool Server::WantRelay(Pending& pending, std::size_t index) {
  Pending::Slot& slot = pending.slots[index];
  const auto address = slot.attempts_left > 0
                           ? PickAddress(slot.family, pending.plan.even, pending.plan.reserve)
                           : std::nullopt;
  if (!address) {
    pending.plan.refused = slot.family;
    pending.plan.refused_code = stun::kErrorInsufficientCapacity;
    return false;
  }
  --slot.attempts_left;
  slot.relay = &AddRelay(*address, pending.plan.tcp);
  slot.relay->owner = pending.allocation;
  if (pending.plan.reserve) {
    const auto next_port = static_cast<uint16_t>(address->port + 1);
    slot.reserve = &AddRelay({address->ip, next_port}, false);
    slot.reserve->owner = pending.allocation;
  }
  return true;
}

// RFC 6056 section 3.3.1 (simple port randomization): a random port, then the next ones until one is free.
std::optional<TransportAddress> Server::PickAddress(AddressFamily family, bool even, bool pair) {
  const ServerQuirks& quirks = config_.quirks;
  const uint16_t min_port = quirks.ports_outside_range ? 20'000 : config_.min_port;
  const uint16_t max_port = quirks.ports_outside_range ? 40'000 : config_.max_port;
  const uint32_t count = uint32_t{max_port} - min_port + 1;
  const uint32_t wanted_parity = quirks.even_port_odd ? 1 : 0;
  for (const IpAddress& ip : config_.relay_addresses) {
    if (ip.family() != family) continue;
    auto start = static_cast<uint32_t>(rng_.Uniform(0, count - 1));
    if (quirks.ports_in_order) start = static_cast<uint32_t>(next_relay_id_ % count);
    for (uint32_t i = 0; i < count; ++i) {
      const auto port = static_cast<uint16_t>(min_port + (start + i) % count);
      if (even && port % 2 != wanted_parity) continue;
      if (pair && port == max_port) continue;
      if (!IsFree({ip, port})) continue;
      if (pair && !IsFree({ip, static_cast<uint16_t>(port + 1)})) continue;
      return TransportAddress{ip, port};
    }
  }
  return std::nullopt;
}

bool Server::IsFree(const TransportAddress& address) const {
  return !relay_by_address_.contains(address) &&
         std::find(config_.listening.begin(), config_.listening.end(), address) ==
             config_.listening.end();
}

void Server::RelayBound(Timestamp now, RelayId id) {
  const auto it = relays_.find(id);
  if (it == relays_.end()) return;  // released in the meantime
  it->second->bound = true;
  if (it->second->owner == nullptr) return;
  const auto pending = pending_.find(it->second->owner->tuple);
  if (pending != pending_.end()) CompleteIfBound(now, *pending->second);
}

void Server::RelayBindFailed(Timestamp now, RelayId id) {
  const auto it = relays_.find(id);
  if (it == relays_.end() || it->second->bound || it->second->owner == nullptr) return;
  Pending& pending = *pending_.at(it->second->owner->tuple);
  for (std::size_t i = 0; i < pending.slots.size(); ++i) {
    Pending::Slot& slot = pending.slots[i];
    const bool is_reserve = slot.reserve != nullptr && slot.reserve->id == id;
    if (!is_reserve && (slot.relay == nullptr || slot.relay->id != id)) continue;
    // A pair is two neighbours: without one the other is of no use.
    for (Relay* relay : {slot.relay, slot.reserve}) {
      if (relay != nullptr) RemoveRelay(*relay);
    }
    slot.relay = nullptr;
    slot.reserve = nullptr;
    WantRelay(pending, i);
    break;
  }
  CompleteIfBound(now, pending);
}

void Server::CompleteIfBound(Timestamp now, Pending& pending) {
  bool any = false;
  for (const Pending::Slot& slot : pending.slots) {
    for (const Relay* relay : {slot.relay, slot.reserve}) {
      if (relay == nullptr) continue;
      if (!relay->bound) return;
      any = true;
    }
  }
  if (any) return Establish(now, pending);
  Reject(pending.responder, stun::kErrorInsufficientCapacity);
  AbandonPending(pending);
}

void Server::Establish(Timestamp now, Pending& pending) {
  Allocation& allocation = *pending.allocation;
  MessageBuilder builder = Success(pending.responder);
  AllocationCreated created{allocation.tuple, allocation.username, {}, pending.plan.tcp};
  std::optional<uint64_t> token;
  for (std::size_t i = 0; i < pending.slots.size(); ++i) {
    const Pending::Slot& slot = pending.slots[i];
    if (slot.relay == nullptr) continue;
    allocation.relays[i] = slot.relay;
    ExpireAllocation(*slot.relay, now + pending.plan.lifetime);
    if (config_.quirks.initial_permission) {
      slot.relay->InstallPermission(now, allocation.tuple.client, config_.max_permissions);
    }
    builder.AddXorAddress(AttributeType::kXorRelayedAddress, slot.relay->address);
    created.relayed.push_back(slot.relay->address);
    if (slot.reserve != nullptr) token = Reserve(now, *slot.reserve);
  }
  builder.AddU32(AttributeType::kLifetime,
                 static_cast<uint32_t>(pending.plan.lifetime.nanos() / 1'000'000'000));
  if (token) builder.AddU64(AttributeType::kReservationToken, *token);
  builder.AddXorAddress(AttributeType::kXorMappedAddress, allocation.tuple.client);
  if (allocation.mobility) GiveTicket(allocation, builder);
  // Check 9: a dual request that was met by half.
  if (pending.plan.refused_code != 0) {
    AddAddressError(builder, pending.plan.refused, pending.plan.refused_code);
  }
  allocation.established = true;
  allocation.created = now;
  allocation.response = Finish(builder, pending.responder);
  ++counters_.allocations_created;
  SendToClient(allocation.tuple, allocation.response);
  events_.Push(std::move(created));
  pending_.erase(FiveTuple(allocation.tuple));
}

uint64_t Server::Reserve(Timestamp now, Relay& relay) {
  do {
    relay.token = rng_.NextU64();
  } while (relay.token == 0 || relay_by_token_.contains(relay.token));
  relay.owner = nullptr;
  relay_by_token_.emplace(relay.token, &relay);
  SetExpiry(relay, now + (config_.quirks.reservation_forgotten ? TimeDelta::Seconds(1)
                                                               : config_.reservation_lifetime));
  return relay.token;
}

void Server::AbandonPending(Pending& pending) {
  for (const Pending::Slot& slot : pending.slots) {
    for (Relay* relay : {slot.relay, slot.reserve}) {
      if (relay != nullptr) RemoveRelay(*relay);
    }
  }
  const FiveTuple tuple = pending.responder.tuple;
  RemoveAllocation(tuple);
  pending_.erase(tuple);
}

}  // namespace rtclab::turn
