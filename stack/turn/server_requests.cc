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

bool IsTurnRequest(Method method) {
  return method == Method::kAllocate || method == Method::kRefresh ||
         method == Method::kCreatePermission || method == Method::kChannelBind;
}

}  // namespace

void Server::HandleRequest(Timestamp now, const FiveTuple& tuple, const MessageView& message) {
  if (message.method() == Method::kBinding) return HandleBinding(tuple, message);
  if (!IsTurnRequest(message.method())) {
    return Drop(DropReason::kUnexpected, tuple.client, tuple.server);
  }
  const auto existing = allocations_.find(tuple);
  // Section 7.2: a retransmitted Allocate request gets the same answer, and while its sockets are being bound none yet.
  if (message.method() == Method::kAllocate && existing != allocations_.end() &&
      existing->second->transaction_id == message.transaction_id() &&
      now < existing->second->created + kRetransmissionMemory) {
    if (existing->second->established) SendToClient(tuple, existing->second->response);
    return;
  }
  Responder responder{tuple, message.method(), message.transaction_id(), {}};
  if (!Authenticate(now, message, responder)) return;
  if (const auto unknown = UnknownAttributes(message); !unknown.empty()) {
    MessageBuilder builder(MessageClass::kErrorResponse, responder.method, responder.id);
    builder.AddErrorCode(stun::kErrorUnknownAttribute).AddUnknownAttributes(unknown);
    return SendToClient(tuple, Finish(builder, responder));
  }
  if (message.method() == Method::kAllocate) return HandleAllocate(now, responder, message);

  // Section 5: without an allocation 437, and only its own user may change it.
  Allocation* const allocation = FindAllocation(tuple);
  if (allocation == nullptr) return Reject(responder, stun::kErrorAllocationMismatch);
  if (allocation->username != responder.username()) {
    return Reject(responder, stun::kErrorWrongCredentials);
  }
  if (message.method() == Method::kRefresh) {
    HandleRefresh(now, responder, message, *allocation);
  } else if (message.method() == Method::kCreatePermission) {
    HandleCreatePermission(now, responder, message, *allocation);
  } else {
    HandleChannelBind(now, responder, message, *allocation);
  }
}

// Check 1 of section 7.2, and the same for every other request.
bool Server::Authenticate(Timestamp now, const MessageView& message, Responder& responder) {
  if (!authenticator_) return true;
  auto result = authenticator_->Authenticate(now, message, responder.tuple.client);
  if (!result) {
    SendToClient(responder.tuple, std::move(result.error().response));
    return false;
  }
  responder.client = std::move(*result);
  return true;
}

// Section 7.2, check 10: quotas go by user, not by address.
std::string Server::QuotaKey(const Responder& responder) const {
  const std::string_view username = responder.username();
  const bool time_limited = config_.authentication && config_.authentication->time_limited;
  const std::size_t colon = username.find(':');
  if (!time_limited || colon == std::string_view::npos) return std::string(username);
  return std::string(username.substr(colon + 1));
}

// Sections 7.2 and 8.2: at least the default, at most the maximum.
TimeDelta Server::GrantLifetime(std::optional<uint32_t> requested_s) const {
  const TimeDelta requested = TimeDelta::Seconds(requested_s.value_or(0));
  return std::max(config_.default_lifetime, std::min(requested, config_.max_lifetime));
}

// Section 8.2.
void Server::HandleRefresh(Timestamp now, const Responder& responder, const MessageView& message,
                           Allocation& allocation) {
  const bool one_family = message.Has(AttributeType::kRequestedAddressFamily);
  const auto family = GetFamily(message, AttributeType::kRequestedAddressFamily);
  const auto lifetime_s = message.GetU32(AttributeType::kLifetime);
  if (one_family != family.has_value() ||
      message.Has(AttributeType::kLifetime) != lifetime_s.has_value()) {
    return Reject(responder, stun::kErrorBadRequest);
  }
  if (one_family && allocation.FindRelay(*family) == nullptr) {
    return Reject(responder, stun::kErrorPeerAddressFamilyMismatch);
  }
  const TimeDelta desired = lifetime_s == 0u ? TimeDelta::Zero() : GrantLifetime(lifetime_s);
  MessageBuilder builder = Success(responder);
  builder.AddU32(AttributeType::kLifetime, static_cast<uint32_t>(desired.nanos() / 1'000'000'000));
  SendToClient(responder.tuple, Finish(builder, responder));
  // Ending the last relay ends the allocation, so this walks a copy.
  for (Relay* relay : std::array(allocation.relays)) {
    if (relay == nullptr || (one_family && relay->address.family() != *family)) continue;
    if (desired == TimeDelta::Zero()) {
      EndRelay(*relay, EndReason::kDeleted);
    } else {
      SetExpiry(*relay, now + desired);
    }
  }
}

// Section 10.2. All peers or none: the RFC leaves open what a request with one bad peer installs.
void Server::HandleCreatePermission(Timestamp now, const Responder& responder,
                                    const MessageView& message, Allocation& allocation) {
  const auto peers = message.GetXorAddresses(AttributeType::kXorPeerAddress);
  if (!peers || peers->empty()) return Reject(responder, stun::kErrorBadRequest);
  for (const TransportAddress& peer : *peers) {
    if (allocation.FindRelay(peer.family()) == nullptr) {
      return Reject(responder, stun::kErrorPeerAddressFamilyMismatch);
    }
  }
  for (const TransportAddress& peer : *peers) {
    if (policy_.CheckIp(peer.ip) != PeerVerdict::kAllowed) {
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
    if (relay.InstallPermission(now, peer.ip, config_.max_permissions) == nullptr) {
      return Reject(responder, stun::kErrorInsufficientCapacity);
    }
  }
  MessageBuilder builder = Success(responder);
  SendToClient(responder.tuple, Finish(builder, responder));
}

// Section 12.2.
void Server::HandleChannelBind(Timestamp now, const Responder& responder,
                               const MessageView& message, Allocation& allocation) {
  const auto number = GetChannelNumber(message);
  const auto peer = message.GetXorAddress(AttributeType::kXorPeerAddress);
  if (!number || !peer || !IsBindable(*number)) return Reject(responder, stun::kErrorBadRequest);
  Relay* const relay = allocation.FindRelay(peer->family());
  if (relay == nullptr) return Reject(responder, stun::kErrorPeerAddressFamilyMismatch);
  // Section 21.4 on tunnels is part of the policy.
  if (policy_.Check(*peer) != PeerVerdict::kAllowed) {
    return Reject(responder, stun::kErrorForbidden);
  }
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
