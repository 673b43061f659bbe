#include "stack/turn/server.h"

#include <algorithm>

#include "stack/base/check.h"
#include "stack/turn/attributes.h"
#include "stack/turn/server_internal.h"

namespace rtclab::turn {
namespace {

using stun::AttributeType;
using stun::MessageBuilder;
using stun::MessageClass;
using stun::MessageView;
using stun::Method;

// RFC 8656 section 7.2: the reservation is held for at least this long.
constexpr TimeDelta kMinReservation = TimeDelta::Seconds(30);
// What a UDP datagram holds over IPv4.
constexpr std::size_t kMaxUdpPayload = 65'507;
// Application data that a Data indication holds with its own attributes, below the builder's limit.
constexpr std::size_t kMaxIndicationData = 64'900;

// RFC 8656 section 11.5: ICMPv4 destination unreachable and time exceeded; ICMPv6 destination unreachable, packet too big, time
// exceeded.
bool IsRelayedIcmp(AddressFamily family, uint8_t type) {
  return family == AddressFamily::kIpv4 ? type == 3 || type == 11 : type >= 1 && type <= 3;
}

// Section 18.13: Error Data is the MTU for "fragmentation needed" and "packet too big", else zero.
bool ReportsMtu(AddressFamily family, uint8_t type, uint8_t code) {
  return family == AddressFamily::kIpv4 ? type == 3 && code == 4 : type == 2;
}

}  // namespace

std::string_view ToString(DropReason reason) {
  switch (reason) {
    case DropReason::kMalformed:
      return "malformed";
    case DropReason::kUnexpected:
      return "unexpected";
    case DropReason::kNoAllocation:
      return "no-allocation";
    case DropReason::kUnknownAttribute:
      return "unknown-attribute";
    case DropReason::kNoPermission:
      return "no-permission";
    case DropReason::kPeerRefused:
      return "peer-refused";
    case DropReason::kPeerFamily:
      return "peer-family";
    case DropReason::kUnboundChannel:
      return "unbound-channel";
    case DropReason::kUnknownDestination:
      return "unknown-destination";
    case DropReason::kTooLarge:
      return "too-large";
    case DropReason::kIcmpType:
      return "icmp-type";
  }
  return "unknown";
}

std::string_view ToString(EndReason reason) {
  switch (reason) {
    case EndReason::kDeleted:
      return "deleted";
    case EndReason::kExpired:
      return "expired";
    case EndReason::kDisconnected:
      return "disconnected";
  }
  return "unknown";
}

Server::Server(ServerConfig config, Rng& rng)
    : config_(std::move(config)),
      rng_(rng),
      policy_(config_.peer_policy, config_.listening, config_.relay_addresses) {
  CHECK(!config_.listening.empty() && !config_.relay_addresses.empty());
  CHECK(config_.min_port > 0 && config_.min_port <= config_.max_port);
  CHECK(config_.default_lifetime > TimeDelta::Zero());
  CHECK(config_.max_lifetime >= config_.default_lifetime);
  CHECK(config_.reservation_lifetime >= kMinReservation);
  CHECK(config_.bind_attempts > 0);
  if (config_.authentication) {
    stun::LongTermConfig long_term = config_.authentication->long_term;
    if (long_term.software.empty()) long_term.software = config_.software;
    authenticator_.emplace(std::move(long_term), config_.authentication->credentials, rng_);
  }
}

Server::~Server() = default;

void Server::HandlePacket(Timestamp now, const Datagram& packet) {
  if (NextTimeout() <= now) HandleTimeout(now);
  for (const TransportAddress& listening : config_.listening) {
    if (packet.destination == listening) {
      const FiveTuple tuple{packet.source, packet.destination, ClientTransport::kUdp};
      return HandleClient(now, tuple, packet.payload);
    }
  }
  const auto it = relay_by_address_.find(packet.destination);
  if (it == relay_by_address_.end()) {
    return Drop(DropReason::kUnknownDestination, packet.source, packet.destination);
  }
  HandlePeer(now, *it->second, packet);
}

void Server::HandleClientMessage(Timestamp now, const FiveTuple& tuple, ByteView message) {
  if (NextTimeout() <= now) HandleTimeout(now);
  HandleClient(now, tuple, message);
}

void Server::HandleClient(Timestamp now, const FiveTuple& tuple, ByteView message) {
  if (LooksLikeChannelData(message)) return HandleChannelData(now, tuple, message);
  const auto view = MessageView::Parse(message);
  if (!view || (view->HasFingerprint() && !view->VerifyFingerprint())) {
    return Drop(DropReason::kMalformed, tuple.client, tuple.server);
  }
  if (view->IsRequest()) return HandleRequest(now, tuple, *view);
  if (view->IsIndication() && view->method() == Method::kSend) {
    return HandleSend(now, tuple, *view);
  }
  // A Binding indication is a keepalive and asks for nothing (RFC 8489 section 6.3.2). Everything else is discarded.
  if (view->IsIndication() && view->method() == Method::kBinding) return;
  Drop(DropReason::kUnexpected, tuple.client, tuple.server);
}

// RFC 8656 section 12.6.
void Server::HandleChannelData(Timestamp now, const FiveTuple& tuple, ByteView message) {
  const auto data = ParseChannelData(message);
  if (!data) return Drop(DropReason::kMalformed, tuple.client, tuple.server);
  const Allocation* const allocation = FindAllocation(tuple);
  if (allocation == nullptr) return Drop(DropReason::kNoAllocation, tuple.client, tuple.server);
  const Channel* const channel = allocation->FindChannel(now, data->channel);
  if (channel == nullptr) return Drop(DropReason::kUnboundChannel, tuple.client, tuple.server);
  ++counters_.packets_to_peers;
  counters_.bytes_to_peers += data->payload.size();
  transmits_.Push(Transmit{channel->relay->address, channel->peer,
                           Bytes(data->payload.begin(), data->payload.end())});
}

// RFC 8656 section 11.2.
void Server::HandleSend(Timestamp now, const FiveTuple& tuple, const MessageView& message) {
  const Allocation* const allocation = FindAllocation(tuple);
  if (allocation == nullptr) return Drop(DropReason::kNoAllocation, tuple.client, tuple.server);
  if (!UnknownAttributes(message).empty()) {
    return Drop(DropReason::kUnknownAttribute, tuple.client, tuple.server);
  }
  const auto peer = message.GetXorAddress(AttributeType::kXorPeerAddress);
  const auto data = message.Find(AttributeType::kData);
  if (!peer || !data) return Drop(DropReason::kMalformed, tuple.client, tuple.server);
  const Relay* const relay = allocation->FindRelay(peer->family());
  if (relay == nullptr) return Drop(DropReason::kPeerFamily, tuple.client, *peer);
  if (relay->FindPermission(now, peer->ip) == nullptr) {
    return Drop(DropReason::kNoPermission, tuple.client, *peer);
  }
  if (policy_.Check(*peer) != PeerVerdict::kAllowed) {
    return Drop(DropReason::kPeerRefused, tuple.client, *peer);
  }
  // Sections 13 to 15: the attribute means the DF bit of IPv4, and across families over UDP nothing.
  const bool same_family = tuple.client.ip.IsV4() || IsStream(tuple.transport);
  const bool dont_fragment =
      peer->ip.IsV4() && same_family && message.Has(AttributeType::kDontFragment);
  ++counters_.packets_to_peers;
  counters_.bytes_to_peers += data->size();
  transmits_.Push(
      Transmit{relay->address, *peer, Bytes(data->begin(), data->end()), dont_fragment});
}

void Server::HandleBinding(const FiveTuple& tuple, const MessageView& message) {
  if (!config_.answer_binding) return Drop(DropReason::kUnexpected, tuple.client, tuple.server);
  const auto unknown = UnknownAttributes(message);
  MessageBuilder builder =
      unknown.empty() ? MessageBuilder::ResponseTo(message, MessageClass::kSuccessResponse)
                      : MessageBuilder::ErrorResponseTo(message, stun::kErrorUnknownAttribute);
  if (unknown.empty()) {
    builder.AddXorAddress(AttributeType::kXorMappedAddress, tuple.client);
  } else {
    builder.AddUnknownAttributes(unknown);
  }
  if (!config_.software.empty()) builder.AddString(AttributeType::kSoftware, config_.software);
  if (config_.fingerprint) builder.AddFingerprint();
  SendToClient(tuple, builder.Build());
}

// RFC 8656 sections 11.3 and 12.7.
void Server::HandlePeer(Timestamp now, const Relay& relay, const Datagram& packet) {
  const Allocation* const allocation = relay.owner;
  if (allocation == nullptr || !allocation->established) {
    return Drop(DropReason::kNoPermission, packet.source, packet.destination);
  }
  const auto it = relay.channels.find(packet.source);
  const Channel* const channel =
      it != relay.channels.end() && now < it->second->expires ? it->second : nullptr;
  const bool permitted = channel != nullptr
                             ? now < channel->permission->expires
                             : relay.FindPermission(now, packet.source.ip) != nullptr;
  if (!permitted) return Drop(DropReason::kNoPermission, packet.source, packet.destination);
  const std::size_t limit =
      channel != nullptr ? kMaxUdpPayload - kChannelDataHeaderSize : kMaxIndicationData;
  if (packet.payload.size() > limit) {
    return Drop(DropReason::kTooLarge, packet.source, packet.destination);
  }
  ++counters_.packets_to_clients;
  counters_.bytes_to_clients += packet.payload.size();
  if (channel != nullptr) {
    return SendToClient(allocation->tuple, BuildChannelData(channel->number, packet.payload,
                                                            IsStream(allocation->tuple.transport)));
  }
  MessageBuilder builder(MessageClass::kIndication, Method::kData, stun::NewTransactionId(rng_));
  builder.AddXorAddress(AttributeType::kXorPeerAddress, packet.source);
  builder.AddBytes(AttributeType::kData, packet.payload);
  SendToClient(allocation->tuple, builder.Build());
}

// RFC 8656 section 11.5: judged by where the offending datagram was going, not by which router complains.
void Server::HandleIcmp(Timestamp now, const IcmpError& error) {
  if (NextTimeout() <= now) HandleTimeout(now);
  const auto it = relay_by_address_.find(error.source);
  if (it == relay_by_address_.end() || it->second->owner == nullptr) {
    return Drop(DropReason::kUnknownDestination, error.destination, error.source);
  }
  const Relay& relay = *it->second;
  const AddressFamily family = relay.address.family();
  if (!IsRelayedIcmp(family, error.type)) {
    return Drop(DropReason::kIcmpType, error.destination, error.source);
  }
  if (relay.FindPermission(now, error.destination.ip) == nullptr) {
    return Drop(DropReason::kNoPermission, error.destination, error.source);
  }
  const uint32_t error_data = ReportsMtu(family, error.type, error.code) ? error.mtu : 0;
  MessageBuilder builder(MessageClass::kIndication, Method::kData, stun::NewTransactionId(rng_));
  builder.AddXorAddress(AttributeType::kXorPeerAddress, error.destination);
  AddIcmp(builder, {error.type, error.code, error_data});
  ++counters_.icmp_to_clients;
  SendToClient(relay.owner->tuple, builder.Build());
}

void Server::HandleDisconnect(Timestamp now, const FiveTuple& tuple) {
  if (NextTimeout() <= now) HandleTimeout(now);
  if (const auto it = pending_.find(tuple); it != pending_.end()) {
    return AbandonPending(*it->second);
  }
  if (const Allocation* const allocation = FindAllocation(tuple)) {
    for (Relay* relay : std::array(allocation->relays)) {
      if (relay != nullptr) EndRelay(*relay, EndReason::kDisconnected);
    }
  }
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
}

Timestamp Server::NextTimeout() const {
  return expiries_.empty() ? Timestamp::PlusInfinity() : expiries_.begin()->first;
}

std::vector<AttributeType> Server::UnknownAttributes(const MessageView& message) const {
  // What RFC 8489 and RFC 8656 define. Known but out of place is ignored (RFC 8489 section 6.3).
  static constexpr AttributeType kKnown[] = {AttributeType::kMappedAddress,
                                             AttributeType::kUsername,
                                             AttributeType::kMessageIntegrity,
                                             AttributeType::kErrorCode,
                                             AttributeType::kUnknownAttributes,
                                             AttributeType::kChannelNumber,
                                             AttributeType::kLifetime,
                                             AttributeType::kXorPeerAddress,
                                             AttributeType::kData,
                                             AttributeType::kRealm,
                                             AttributeType::kNonce,
                                             AttributeType::kXorRelayedAddress,
                                             AttributeType::kRequestedAddressFamily,
                                             AttributeType::kEvenPort,
                                             AttributeType::kRequestedTransport,
                                             AttributeType::kMessageIntegritySha256,
                                             AttributeType::kPasswordAlgorithm,
                                             AttributeType::kUserhash,
                                             AttributeType::kXorMappedAddress,
                                             AttributeType::kReservationToken,
                                             AttributeType::kDontFragment};
  // Section 7.2, check 4: a server that cannot set DF does not know DONT-FRAGMENT, which stands last.
  const std::span<const AttributeType> known(kKnown);
  return message.UnknownRequired(config_.dont_fragment ? known : known.first(known.size() - 1));
}

void Server::SendToClient(const FiveTuple& tuple, Bytes message) {
  if (tuple.transport == ClientTransport::kUdp) {
    transmits_.Push(Transmit{tuple.server, tuple.client, std::move(message)});
  } else {
    stream_writes_.Push(StreamWrite{tuple, std::move(message)});
  }
}

void Server::Drop(DropReason reason, const TransportAddress& source,
                  const TransportAddress& destination) {
  ++counters_.drops[static_cast<std::size_t>(reason)];
  if (config_.report_drops) events_.Push(PacketDropped{reason, source, destination});
}

Allocation* Server::FindAllocation(const FiveTuple& tuple) const {
  const auto it = allocations_.find(tuple);
  return it != allocations_.end() && it->second->established ? it->second.get() : nullptr;
}

Relay& Server::AddRelay(const TransportAddress& address) {
  auto relay = std::make_unique<Relay>();
  relay->id = RelayId{next_relay_id_++};
  relay->address = address;
  relay_by_address_.emplace(address, relay.get());
  events_.Push(RelayWanted{relay->id, address});
  return *relays_.emplace(relay->id, std::move(relay)).first->second;
}

void Server::SetExpiry(Relay& relay, Timestamp expires) {
  expiries_.erase({relay.expires, relay.id});
  relay.expires = expires;
  if (!expires.IsInfinite()) expiries_.emplace(expires, relay.id);
}

// One relayed address of an established allocation ends, and with its last one the allocation.
void Server::EndRelay(Relay& relay, EndReason reason) {
  Allocation& allocation = *relay.owner;
  events_.Push(AllocationEnded{allocation.tuple, allocation.username, relay.address, reason});
  allocation.DropChannels(relay);
  std::replace(allocation.relays.begin(), allocation.relays.end(), &relay,
               static_cast<Relay*>(nullptr));
  RemoveRelay(relay);
  const bool ended = std::all_of(allocation.relays.begin(), allocation.relays.end(),
                                 [](const Relay* r) { return r == nullptr; });
  if (ended) RemoveAllocation(FiveTuple(allocation.tuple));
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
  const auto count = allocations_of_user_.find(it->second->quota_key);
  if (--count->second == 0) allocations_of_user_.erase(count);
  allocations_.erase(it);
}

}  // namespace rtclab::turn
