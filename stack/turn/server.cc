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
// RFC 6062 section 5.2.
constexpr TimeDelta kMinConnectTimeout = TimeDelta::Seconds(30);
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

PeerPolicyConfig PolicyOf(const ServerConfig& config) {
  PeerPolicyConfig policy = config.peer_policy;
  if (config.quirks.mapped_policy_unchecked) policy.judge_embedded = false;
  return policy;
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

// What RFC 8489 and RFC 8656 define, and what the configuration adds. Known but out of place is ignored (RFC 8489 section 6.3).
std::vector<AttributeType> KnownAttributes(const ServerConfig& config) {
  using enum AttributeType;
  std::vector<AttributeType> known = {kMappedAddress,
                                      kUsername,
                                      kMessageIntegrity,
                                      kErrorCode,
                                      kUnknownAttributes,
                                      kChannelNumber,
                                      kLifetime,
                                      kXorPeerAddress,
                                      kData,
                                      kRealm,
                                      kNonce,
                                      kXorRelayedAddress,
                                      kRequestedAddressFamily,
                                      kEvenPort,
                                      kRequestedTransport,
                                      kMessageIntegritySha256,
                                      kPasswordAlgorithm,
                                      kUserhash,
                                      kXorMappedAddress,
                                      kReservationToken};
  // Section 7.2, check 4: a server that cannot set DF does not know DONT-FRAGMENT.
  if (config.dont_fragment) known.push_back(kDontFragment);
  if (config.tcp_relay) known.push_back(kConnectionId);
  // RFC 7635 section 7: unexpected, ACCESS-TOKEN is an unknown attribute.
  if (config.authentication && config.authentication->third_party) known.push_back(kAccessToken);
  return known;
}

void UseRfc5766(ServerConfig& config) {
  config.max_channel_number = 0x7ffe;  // RFC 5766 section 11.2
  if (!config.authentication) return;
  config.authentication->long_term.algorithms.clear();
  config.authentication->long_term.username_anonymity = false;
  config.authentication->long_term.nonce_cookie = false;
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
      policy_(PolicyOf(config_), config_.listening, config_.relay_addresses) {
  CHECK(!config_.listening.empty() && !config_.relay_addresses.empty());
  CHECK(config_.min_port > 0 && config_.min_port <= config_.max_port);
  CHECK(config_.default_lifetime > TimeDelta::Zero());
  CHECK(config_.max_lifetime >= config_.default_lifetime);
  CHECK(config_.reservation_lifetime >= kMinReservation);
  CHECK(config_.tcp_connect_timeout >= kMinConnectTimeout);
  CHECK(config_.bind_attempts > 0);
  known_ = KnownAttributes(config_);
  if (config_.authentication) MakeAuthenticator();
  if (config_.mobility) rng_.Fill(ticket_key_);
}

void Server::MakeAuthenticator() {
  const ServerAuthentication& authentication = *config_.authentication;
  stun::LongTermConfig long_term = authentication.long_term;
  if (long_term.software.empty()) long_term.software = config_.software;
  if (authentication.third_party) {
    long_term.third_party_server = authentication.third_party->server_name;
    for (const AccessTokenKey& key : authentication.third_party->keys) {
      CHECK(key.key.size() == crypto::AeadKeySize(key.algorithm));
    }
  }
  if (config_.quirks.nonce_never_stale) long_term.nonce_lifetime = TimeDelta::PlusInfinity();
  if (config_.quirks.nonce_of_any_source) long_term.nonce_per_client = false;
  if (config_.quirks.bid_down_unchecked) long_term.check_offer = false;
  if (config_.quirks.truncated_sha256_accepted) {
    long_term.min_sha256_size = stun::kMinIntegritySha256Size;
  }
  if (config_.quirks.integrity_unchecked) long_term.check_integrity = false;
  std::shared_ptr<const stun::CredentialStore> credentials = authentication.credentials;
  if (credentials == nullptr) credentials = std::make_shared<stun::StaticCredentials>();
  authenticator_.emplace(std::move(long_term), std::move(credentials), rng_);
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
  if (IsDataConnection(tuple)) return HandleClientData(now, tuple, message);
  HandleClient(now, tuple, message);
}

void Server::HandleClient(Timestamp now, const FiveTuple& tuple, ByteView message) {
  if (LooksLikeChannelData(message, config_.max_channel_number)) {
    return HandleChannelData(now, tuple, message);
  }
  const auto view = MessageView::Parse(message);
  if (!view) return HandleClassic(tuple, message);
  if (view->HasFingerprint() && !view->VerifyFingerprint()) {
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
  const ServerQuirks& quirks = config_.quirks;
  auto data = ParseChannelData(message, config_.max_channel_number);
  const bool whole = data.has_value() && !quirks.channel_padding_relayed;
  if (!whole && (data || quirks.short_channel_data_relayed) && message.size() >= 4) {
    data = ChannelData{ChannelNumber{LoadU16(message.data())}, message.subspan(4)};
  }
  if (!data) return Drop(DropReason::kMalformed, tuple.client, tuple.server);
  Allocation* const allocation = FindForData(tuple);
  if (allocation == nullptr) return Drop(DropReason::kNoAllocation, tuple.client, tuple.server);
  const Channel* const channel = allocation->FindChannel(now, data->channel);
  if (channel == nullptr) return Drop(DropReason::kUnboundChannel, tuple.client, tuple.server);
  if (quirks.channel_data_refreshes) {
    allocation->channels.at(static_cast<uint16_t>(data->channel)).expires = now + kChannelLifetime;
  }
  SendToPeer(now, *channel->relay, channel->peer, data->payload, false);
}

// RFC 8656 section 11.2.
void Server::HandleSend(Timestamp now, const FiveTuple& tuple, const MessageView& message) {
  const ServerQuirks& quirks = config_.quirks;
  const Allocation* const allocation = FindForData(tuple);
  if (allocation == nullptr) return Drop(DropReason::kNoAllocation, tuple.client, tuple.server);
  if (!UnknownAttributes(message).empty()) {
    return Drop(DropReason::kUnknownAttribute, tuple.client, tuple.server);
  }
  const auto peer = message.GetXorAddress(AttributeType::kXorPeerAddress);
  auto data = message.Find(AttributeType::kData);
  if (quirks.send_without_data_relayed && !data) data = ByteView();
  if (!peer || !data) return Drop(DropReason::kMalformed, tuple.client, tuple.server);
  Relay* const relay = allocation->FindRelay(peer->family());
  // A TCP allocation relays no datagrams (RFC 6062 section 3).
  if (relay == nullptr || relay->tcp) return Drop(DropReason::kPeerFamily, tuple.client, *peer);
  if (!Permits(now, *relay, *peer) && !quirks.send_permission_unchecked) {
    return Drop(DropReason::kNoPermission, tuple.client, *peer);
  }
  if (policy_.Check(*peer) != PeerVerdict::kAllowed && !quirks.send_policy_unchecked) {
    return Drop(DropReason::kPeerRefused, tuple.client, *peer);
  }
  // Sections 13 to 15: the attribute means the DF bit of IPv4, and across families over UDP nothing.
  const bool same_family = tuple.client.ip.IsV4() || IsStream(tuple.transport);
  const bool dont_fragment =
      peer->ip.IsV4() && same_family && message.Has(AttributeType::kDontFragment);
  SendToPeer(now, *relay, *peer, *data, dont_fragment);
}

void Server::SendToPeer(Timestamp now, Relay& relay, const TransportAddress& peer, ByteView data,
                        bool dont_fragment) {
  const ServerQuirks& quirks = config_.quirks;
  if (quirks.empty_data_dropped && data.empty()) return;
  if (quirks.data_refreshes_permission) {
    relay.InstallPermission(now, peer, config_.max_permissions);
  }
  if (quirks.data_refreshes_allocation) SetExpiry(relay, now + config_.default_lifetime);
  ++counters_.packets_to_peers;
  counters_.bytes_to_peers += data.size();
  transmits_.Push(Transmit{relay.address, peer, Bytes(data.begin(), data.end()), dont_fragment});
}

// Section 9: by the IP address alone.
bool Server::Permits(Timestamp now, const Relay& relay, const TransportAddress& peer) const {
  const Permission* const permission = relay.FindPermission(now, peer.ip);
  if (permission == nullptr) return config_.quirks.permissions_shared && AnyPermits(now, peer.ip);
  return !config_.quirks.permission_by_port || permission->port == peer.port;
}

// For ServerQuirks::permissions_shared.
bool Server::AnyPermits(Timestamp now, const IpAddress& peer) const {
  return std::any_of(relays_.begin(), relays_.end(), [&](const auto& entry) {
    return entry.second->FindPermission(now, peer) != nullptr;
  });
}

// RFC 8656 sections 11.3 and 12.7.
void Server::HandlePeer(Timestamp now, const Relay& relay, const Datagram& packet) {
  const Allocation* const allocation = relay.owner;
  if (allocation == nullptr || !allocation->established) {
    return Drop(DropReason::kNoPermission, packet.source, packet.destination);
  }
  if (!IsReachable(*allocation)) {
    return Drop(DropReason::kNoAllocation, packet.source, packet.destination);
  }
  const auto it = relay.channels.find(packet.source);
  const Channel* channel =
      it != relay.channels.end() && now < it->second->expires ? it->second : nullptr;
  const bool permitted =
      channel != nullptr ? now < channel->permission->expires : Permits(now, relay, packet.source);
  if (config_.quirks.indication_despite_channel) channel = nullptr;
  if (!permitted && !config_.quirks.peer_permission_unchecked) {
    return Drop(DropReason::kNoPermission, packet.source, packet.destination);
  }
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
  if (it == relay_by_address_.end() || it->second->owner == nullptr ||
      !IsReachable(*it->second->owner)) {
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

std::vector<AttributeType> Server::UnknownAttributes(const MessageView& message) const {
  if (config_.quirks.unknown_attributes_accepted) return {};
  return message.UnknownRequired(known_);
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

}  // namespace rtclab::turn
