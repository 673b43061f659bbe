// Requests to the server: credentials, Refresh, CreatePermission, ChannelBind, and how every request is answered.
#include <algorithm>
#include <array>

#include "stack/turn/attributes.h"
#include "stack/turn/server_internal.h"

namespace rtclab::turn {
namespace {

using stun::AttributeType;
using stun::MessageBuilder;
using stun::MessageClass;
using stun::MessageView;
using stun::Method;

// RFC 8489 section 6.3.1: how long the answer to a request has to be remembered for its retransmissions.
constexpr TimeDelta kRetransmissionMemory = TimeDelta::Seconds(40);

}  // namespace

bool Server::TakesRequest(Method method) const {
  switch (method) {
    case Method::kAllocate:
    case Method::kRefresh:
    case Method::kCreatePermission:
    case Method::kChannelBind:
      return true;
    case Method::kConnect:
    case Method::kConnectionBind:
      return config_.tcp_relay;
    default:
      return false;
  }
}

void Server::HandleRequest(Timestamp now, const FiveTuple& tuple, const MessageView& message) {
  const Method method = message.method();
  if (method == Method::kBinding) return HandleBinding(tuple, message);
  if (!TakesRequest(method)) return Drop(DropReason::kUnexpected, tuple.client, tuple.server);
  if (AnswerRetransmission(now, tuple, message)) return;
  Responder responder{tuple, method, message.transaction_id(), {}, {}};
  if (!Authenticate(now, message, responder)) return;
  if (const auto unknown = UnknownAttributes(message); !unknown.empty()) {
    MessageBuilder builder(MessageClass::kErrorResponse, responder.method, responder.id);
    builder.AddErrorCode(stun::kErrorUnknownAttribute).AddUnknownAttributes(unknown);
    return SendToClient(tuple, Finish(builder, responder));
  }
  // These name an allocation in other ways than by the 5-tuple.
  if (method == Method::kAllocate) return HandleAllocate(now, responder, message);
  if (method == Method::kConnectionBind) return HandleConnectionBind(responder, message);
  if (method == Method::kRefresh && message.Has(AttributeType::kMobilityTicket)) {
    return HandleMove(now, responder, message);
  }
  // Section 5: without an allocation 437, and only its own user may change it.
  Allocation* const allocation = FindAllocation(tuple);
  if (allocation == nullptr) return Reject(responder, stun::kErrorAllocationMismatch);
  if (!IsOwner(responder, *allocation)) return Reject(responder, stun::kErrorWrongCredentials);
  if (method == Method::kRefresh) {
    HandleRefresh(now, responder, message, *allocation);
  } else if (method == Method::kCreatePermission) {
    HandleCreatePermission(now, responder, message, *allocation);
  } else if (method == Method::kChannelBind) {
    HandleChannelBind(now, responder, message, *allocation);
  } else {
    HandleConnect(now, responder, message, *allocation);
  }
}

// Section 7.2: a retransmitted Allocate request gets the same answer, and while its sockets are being bound none yet. So does a Refresh
// that moved the allocation, whose ticket is no longer good (RFC 8016 section 3.2.2).
bool Server::AnswerRetransmission(Timestamp now, const FiveTuple& tuple,
                                  const MessageView& message) {
  if (message.method() == Method::kAllocate) {
    const auto it = allocations_.find(tuple);
    if (it == allocations_.end() || it->second->transaction_id != message.transaction_id() ||
        it->second->created + kRetransmissionMemory <= now ||
        config_.quirks.retransmitted_allocate_is_new) {
      return false;
    }
    if (it->second->established) SendToClient(tuple, it->second->response);
    return true;
  }
  if (message.method() != Method::kRefresh || mobile_.empty()) return false;
  const Allocation* const allocation = FindAllocation(tuple);
  if (allocation == nullptr || !allocation->mobility) return false;
  const Mobility& mobility = *allocation->mobility;
  if (mobility.response.empty() || mobility.transaction_id != message.transaction_id() ||
      mobility.answered + kRetransmissionMemory <= now) {
    return false;
  }
  SendToClient(tuple, mobility.response);
  return true;
}

// Check 1 of section 7.2, and the same for every other request.
bool Server::Authenticate(Timestamp now, const MessageView& message, Responder& responder) {
  if (!authenticator_) return true;
  const bool is_signed = message.HasIntegrity() || message.HasIntegritySha256();
  if (config_.quirks.allocate_unauthenticated && !is_signed &&
      message.method() == Method::kAllocate) {
    return true;
  }
  auto result = CheckCredentials(now, message, responder);
  if (!result) {
    SendToClient(responder.tuple, std::move(result.error().response));
    return false;
  }
  responder.client = std::move(*result);
  return true;
}

// Section 5: the same user, and by the same kind of credentials (RFC 6062 section 4.3).
bool Server::IsOwner(const Responder& responder, const Allocation& allocation) const {
  if (config_.quirks.other_user_accepted) return true;
  return allocation.username == responder.username() &&
         allocation.token.has_value() == responder.token.has_value();
}

// Section 7.2, check 10: quotas go by user, not by address.
std::string Server::QuotaKey(const Responder& responder) const {
  // All clients of an authorization server share its kid: there the token is the user.
  if (responder.token) return responder.token->kid + '/' + ToHex(responder.token->mac_key);
  const std::string_view username = responder.username();
  const bool time_limited = config_.authentication && config_.authentication->time_limited;
  const std::size_t colon = username.find(':');
  if (!time_limited || colon == std::string_view::npos) return std::string(username);
  return std::string(username.substr(colon + 1));
}

// Sections 7.2 and 8.2: at least the default, at most the maximum; and not beyond an access token's end (RFC 7635 section 9).
TimeDelta Server::GrantLifetime(Timestamp now, std::optional<uint32_t> requested_s,
                                const Responder& responder) const {
  const TimeDelta requested = TimeDelta::Seconds(requested_s.value_or(0));
  TimeDelta granted = std::max(config_.default_lifetime, std::min(requested, config_.max_lifetime));
  if (config_.quirks.lifetime_unclamped && requested_s > 0u) granted = requested;
  if (responder.token && !config_.quirks.token_lifetime_uncapped) {
    granted = std::min(granted, responder.token->expires - now);
  }
  // LIFETIME counts seconds, and zero would say that the allocation is gone.
  return TimeDelta::Seconds(std::max<int64_t>(granted.nanos() / 1'000'000'000, 1));
}

// Section 8.2.
void Server::HandleRefresh(Timestamp now, const Responder& responder, const MessageView& message,
                           Allocation& allocation) {
  const ServerQuirks& quirks = config_.quirks;
  bool one_family = message.Has(AttributeType::kRequestedAddressFamily);
  const auto family = GetFamily(message, AttributeType::kRequestedAddressFamily);
  const auto lifetime_s = message.GetU32(AttributeType::kLifetime);
  if (one_family != family.has_value() ||
      message.Has(AttributeType::kLifetime) != lifetime_s.has_value()) {
    return Reject(responder, stun::kErrorBadRequest);
  }
  if (one_family && allocation.FindRelay(*family) == nullptr) {
    if (!quirks.wrong_family_accepted) {
      return Reject(responder, stun::kErrorPeerAddressFamilyMismatch);
    }
    one_family = false;
  }
  const bool deletes = lifetime_s == 0u;
  const TimeDelta desired = deletes ? TimeDelta::Zero() : GrantLifetime(now, lifetime_s, responder);
  MessageBuilder builder = Success(responder);
  builder.AddU32(AttributeType::kLifetime, static_cast<uint32_t>(desired.nanos() / 1'000'000'000));
  const bool moves = !deletes && message.Has(AttributeType::kMobilityTicket);
  if (moves) StartMove(responder, allocation, builder);
  // RFC 7635 section 9: a client refreshes with its newest token.
  if (responder.token) allocation.token = responder.token;
  Bytes response = Finish(builder, responder);
  if (moves) {
    allocation.mobility->transaction_id = responder.id;
    allocation.mobility->response = response;
    allocation.mobility->answered = now;
  }
  SendToClient(responder.tuple, std::move(response));
  if (deletes ? quirks.lifetime_zero_ignored : quirks.refresh_has_no_effect) return;
  if (deletes && quirks.dual_refresh_deletes_both) one_family = false;
  // Ending the last relay ends the allocation, so this walks a copy.
  for (Relay* relay : std::array(allocation.relays)) {
    if (relay == nullptr || (one_family && relay->address.family() != *family)) continue;
    if (deletes) {
      EndRelay(*relay, EndReason::kDeleted);
    } else {
      ExpireAllocation(*relay, now + desired);
    }
  }
}

// Section 10.2. All peers or none: the RFC leaves open what a request with one bad peer installs.
void Server::HandleCreatePermission(Timestamp now, const Responder& responder,
                                    const MessageView& message, Allocation& allocation) {
  const ServerQuirks& quirks = config_.quirks;
  auto peers = message.GetXorAddresses(AttributeType::kXorPeerAddress);
  if (!peers || peers->empty()) return Reject(responder, stun::kErrorBadRequest);
  if (quirks.first_peer_only) peers->resize(1);
  const auto no_relay = [&](const TransportAddress& peer) {
    return allocation.FindRelay(peer.family()) == nullptr;
  };
  if (quirks.wrong_family_accepted) std::erase_if(*peers, no_relay);
  if (std::any_of(peers->begin(), peers->end(), no_relay)) {
    return Reject(responder, stun::kErrorPeerAddressFamilyMismatch);
  }
  for (const TransportAddress& peer : *peers) {
    if (policy_.CheckIp(peer.ip) != PeerVerdict::kAllowed && !quirks.permission_policy_unchecked) {
      return Reject(responder, stun::kErrorForbidden);
    }
  }
  for (const Relay* relay : allocation.relays) {
    if (relay == nullptr) continue;
    const auto added = static_cast<std::size_t>(
        std::count_if(peers->begin(), peers->end(), [&](const TransportAddress& peer) {
          return peer.family() == relay->address.family() && !relay->permissions.contains(peer.ip);
        }));
    if (relay->permissions.size() + added > config_.max_permissions &&
        relay->CountPermissions(now) + added > config_.max_permissions) {
      return Reject(responder, stun::kErrorInsufficientCapacity);
    }
  }
  for (const TransportAddress& peer : *peers) {
    Relay& relay = *allocation.FindRelay(peer.family());
    if (relay.InstallPermission(now, peer, config_.max_permissions) == nullptr) {
      return Reject(responder, stun::kErrorInsufficientCapacity);
    }
  }
  MessageBuilder builder = Success(responder);
  SendToClient(responder.tuple, Finish(builder, responder));
}

// Section 12.2.
void Server::HandleChannelBind(Timestamp now, const Responder& responder,
                               const MessageView& message, Allocation& allocation) {
  const ServerQuirks& quirks = config_.quirks;
  const auto number = GetChannelNumber(message);
  const auto peer = message.GetXorAddress(AttributeType::kXorPeerAddress);
  if (!number || !peer) return Reject(responder, stun::kErrorBadRequest);
  if (!IsBindable(*number, config_.max_channel_number) && !quirks.channel_range_unchecked) {
    return Reject(responder, stun::kErrorBadRequest);
  }
  Relay* const relay = allocation.FindRelay(peer->family());
  if (relay == nullptr && quirks.wrong_family_accepted) {
    MessageBuilder builder = Success(responder);
    return SendToClient(responder.tuple, Finish(builder, responder));
  }
  if (relay == nullptr) return Reject(responder, stun::kErrorPeerAddressFamilyMismatch);
  // RFC 6062 section 3 has no channels.
  if (relay->tcp) return Reject(responder, stun::kErrorBadRequest);
  // Section 21.4 on tunnels is part of the policy.
  if (policy_.Check(*peer) != PeerVerdict::kAllowed && !quirks.channel_policy_unchecked) {
    return Reject(responder, stun::kErrorForbidden);
  }
  const Channel* const bound = allocation.FindChannel(now, ChannelNumber{*number});
  const bool refresh = bound != nullptr && bound->peer == *peer;
  if (quirks.channel_number_rebindable && !refresh) allocation.UnbindNumber(ChannelNumber{*number});
  if (quirks.channel_peer_rebindable && !refresh) allocation.UnbindPeer(*relay, *peer);
  const Permission* const permission = relay->FindPermission(now, peer->ip);
  const Timestamp permitted = permission != nullptr ? permission->expires : now;
  switch (allocation.BindChannel(now, ChannelNumber{*number}, *peer, *relay,
                                 config_.max_permissions, config_.max_channels)) {
    case ChannelBindResult::kNumberTaken:
    case ChannelBindResult::kPeerTaken:
      return Reject(responder, stun::kErrorBadRequest);
    case ChannelBindResult::kNoCapacity:
      return Reject(responder, stun::kErrorInsufficientCapacity);
    case ChannelBindResult::kBound:
      break;
  }
  if (quirks.channel_without_permission) relay->permissions.at(peer->ip).expires = permitted;
  MessageBuilder builder = Success(responder);
  SendToClient(responder.tuple, Finish(builder, responder));
}

void Server::Reject(const Responder& responder, int code) {
  MessageBuilder builder(MessageClass::kErrorResponse, responder.method, responder.id);
  builder.AddErrorCode(code);
  SendToClient(responder.tuple, Finish(builder, responder));
}

MessageBuilder Server::Success(const Responder& responder) {
  return {MessageClass::kSuccessResponse, responder.method, responder.id};
}

// SOFTWARE where section 5 wants it, then the integrity attribute that the request used, then FINGERPRINT.
Bytes Server::Finish(MessageBuilder& builder, const Responder& responder) const {
  const bool names_software =
      responder.method == Method::kAllocate || responder.method == Method::kRefresh;
  if (names_software && !config_.software.empty()) {
    builder.AddString(AttributeType::kSoftware, config_.software);
  }
  if (responder.client) stun::LongTermAuthenticator::Protect(builder, *responder.client);
  if (config_.fingerprint) builder.AddFingerprint();
  return builder.Build();
}

}  // namespace rtclab::turn
