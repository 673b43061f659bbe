// What the client makes of the server's answers.
#include <algorithm>
#include <string>
#include <utility>

#include "stack/turn/attributes.h"
#include "stack/turn/client.h"
#include "stack/turn/lifetimes.h"

namespace rtclab::turn {
namespace {

using stun::AttributeType;
using stun::MessageView;
using stun::Method;

// Comprehension-required attributes that TURN and long-term credentials put into responses.
constexpr AttributeType kKnownInResponses[] = {AttributeType::kMappedAddress,
                                               AttributeType::kXorMappedAddress,
                                               AttributeType::kErrorCode,
                                               AttributeType::kUnknownAttributes,
                                               AttributeType::kLifetime,
                                               AttributeType::kXorRelayedAddress,
                                               AttributeType::kRealm,
                                               AttributeType::kNonce,
                                               AttributeType::kReservationToken,
                                               AttributeType::kUsername,
                                               AttributeType::kUserhash,
                                               AttributeType::kPasswordAlgorithm};

std::string Reason(int code, std::string_view reason) {
  return std::string(reason.empty() ? stun::ReasonPhrase(code) : reason);
}

}  // namespace

bool Client::HandleResponse(Timestamp now, const MessageView& message) {
  const auto it =
      std::find_if(transactions_.begin(), transactions_.end(),
                   [&](const Transaction& t) { return t.id == message.transaction_id(); });
  if (it == transactions_.end()) return false;
  using Verdict = stun::LongTermClient::Verdict;
  const bool sound = message.method() == it->request.method &&
                     (message.IsSuccess() || message.GetErrorCode().has_value());
  const Verdict verdict =
      sound ? credentials_.HandleResponse(message, it->signature) : Verdict::kDiscard;
  if (verdict == Verdict::kIntegrityViolation) it->integrity_violated = true;
  if (verdict == Verdict::kDiscard ||
      (verdict == Verdict::kIntegrityViolation && !IsStream(config_.transport))) {
    ++dropped_;
    return true;
  }
  const Request request = std::move(it->request);
  transactions_.erase(it);
  const int code = message.IsError() ? message.GetErrorCode()->code : kBadAnswer;
  if (verdict == Verdict::kRetry && !config_.username.empty()) {
    Start(now, request);
  } else if (verdict == Verdict::kRetry) {
    HandleFailure(now, request, code, "the server wants credentials and none are configured");
  } else if (verdict != Verdict::kAccept) {
    HandleFailure(now, request, code, credentials_.why());
  } else if (message.IsError()) {
    HandleError(now, request, message);
  } else {
    HandleSuccess(now, request, message);
  }
  return true;
}

void Client::HandleSuccess(Timestamp now, const Request& request, const MessageView& message) {
  // RFC 8489 section 6.3.3.
  if (!message.UnknownRequired(kKnownInResponses).empty()) {
    return HandleFailure(now, request, kBadAnswer, "the answer has unknown required attributes");
  }
  switch (request.method) {
    case Method::kAllocate:
      return HandleAllocated(now, message);
    case Method::kRefresh:
      return HandleRefreshed(now, request, message);
    case Method::kCreatePermission:
      return HandlePermissionsCreated(now, request);
    default:
      return HandleChannelBound(now, request);
  }
}

void Client::HandleError(Timestamp now, const Request& request, const MessageView& message) {
  const stun::ErrorCode error = *message.GetErrorCode();
  if (request.method != Method::kAllocate) {
    return HandleFailure(now, request, error.code, error.reason);
  }
  if (error.code == stun::kErrorUnknownAttribute && RelaxAndRetry(now, message)) return;
  AllocateFailed failed{error.code, Reason(error.code, error.reason), std::nullopt,
                        Advice::kGiveUp};
  if (error.code == stun::kErrorTryAlternate) {
    if (const auto redirect = redirects_.Follow(now, message, server_)) {
      failed.alternate_server = redirect->server;
      if (redirects_followed_ < config_.max_redirects) return Redirect(now, redirect->server);
    }
  }
  HandleAllocateFailure(std::move(failed));
}

// Section 7.4, 420: the server cannot set DF; ask again without.
bool Client::RelaxAndRetry(Timestamp now, const MessageView& message) {
  const auto unknown = message.GetUnknownAttributes();
  const bool names_it = unknown && std::find(unknown->begin(), unknown->end(),
                                             AttributeType::kDontFragment) != unknown->end();
  if (!names_it || !dont_fragment_) return false;
  dont_fragment_ = false;
  Start(now, Request{Method::kAllocate});
  return true;
}

// Section 7.4, 300: a new server asks for credentials anew.
void Client::Redirect(Timestamp now, const TransportAddress& server) {
  ++redirects_followed_;
  events_.Push(Redirected{server_, server});
  server_ = server;
  credentials_ = stun::LongTermClient(config_.username, config_.password);
  Start(now, Request{Method::kAllocate});
}

// Section 7.3.
void Client::HandleAllocated(Timestamp now, const MessageView& message) {
  Allocated allocated;
  if (!ReadAddresses(message, allocated)) {
    events_.Push(AllocateFailed{kBadAnswer, "the answer lacks an address or lifetime we can use",
                                std::nullopt, Advice::kGiveUp});
    return Delete(now, false);
  }
  allocated.lifetime = TimeDelta::Seconds(*message.GetU32(AttributeType::kLifetime));
  allocated.reservation_token = message.GetU64(AttributeType::kReservationToken);
  allocated.dont_fragment = dont_fragment_;
  if (const auto refused = GetAddressError(message)) {
    allocated.refused_family = refused->family;
    allocated.refused_code = refused->code;
  }
  state_ = State::kAllocated;
  relayed_ = allocated.relayed;
  expires_ = now + allocated.lifetime;
  refresh_at_ = RefreshTime(now, allocated.lifetime);
  events_.Push(std::move(allocated));
}

bool Client::ReadAddresses(const MessageView& message, Allocated& allocated) const {
  const auto relayed = message.GetXorAddresses(AttributeType::kXorRelayedAddress);
  const auto mapped = message.GetXorAddress(AttributeType::kXorMappedAddress);
  const auto lifetime_s = message.GetU32(AttributeType::kLifetime);
  if (!relayed || relayed->empty() || !mapped || !lifetime_s || *lifetime_s == 0) return false;
  // Only the families that were asked for, each once.
  if (relayed->size() > (config_.dual ? 2u : 1u)) return false;
  if (relayed->size() == 2 && (*relayed)[0].family() == (*relayed)[1].family()) return false;
  const AddressFamily only =
      config_.family == AddressFamily::kNone ? AddressFamily::kIpv4 : config_.family;
  if (!config_.dual && !config_.reservation_token && (*relayed)[0].family() != only) return false;
  allocated.relayed = *relayed;
  allocated.mapped = *mapped;
  return true;
}

void Client::HandleRefreshed(Timestamp now, const Request& request, const MessageView& message) {
  if (state_ == State::kClosing) {
    if (report_closed_) events_.Push(Closed{});
    return End();
  }
  const auto lifetime_s = message.GetU32(AttributeType::kLifetime);
  if (!lifetime_s || *lifetime_s == 0) {
    return HandleFailure(now, request, kBadAnswer, "the answer to Refresh has no lifetime");
  }
  const TimeDelta lifetime = TimeDelta::Seconds(*lifetime_s);
  expires_ = now + lifetime;
  refresh_at_ = RefreshTime(now, lifetime);
  events_.Push(AllocationRefreshed{lifetime});
}

// Section 10.3.
void Client::HandlePermissionsCreated(Timestamp now, const Request& request) {
  for (const IpAddress& peer : request.peers) {
    const auto it = permissions_.find(peer);
    if (it == permissions_.end()) continue;
    Permission& permission = it->second;
    const bool is_new = permission.expires <= now;
    permission.requested = false;
    permission.expires = now + kPermissionLifetime;
    if (permission.keep) permission.refresh_at = RefreshTime(now, kPermissionLifetime);
    if (is_new) events_.Push(PermissionCreated{peer});
  }
}

// Section 12.3: the permission comes with the channel.
void Client::HandleChannelBound(Timestamp now, const Request& request) {
  const auto it = channels_.find(request.peer);
  if (it == channels_.end()) return;
  Channel& channel = it->second;
  const bool is_new = channel.expires <= now;
  channel.requested = false;
  channel.expires = now + kChannelLifetime;
  if (channel.keep) channel.refresh_at = RefreshTime(now, kChannelLifetime);
  Permission& permission = permissions_[request.peer.ip];
  permission.expires = now + kPermissionLifetime;
  if (permission.keep && !permission.requested) {
    permission.refresh_at = RefreshTime(now, kPermissionLifetime);
  }
  if (is_new) events_.Push(ChannelBound{request.peer, channel.number});
}

void Client::HandleFailure(Timestamp now, const Request& request, int code,
                           std::string_view reason) {
  if (state_ == State::kClosing) {
    // Section 8.3: 437 means that it is gone already. Whatever else it is, we are done with it.
    if (report_closed_) events_.Push(Closed{});
    return End();
  }
  if (request.method == Method::kAllocate) {
    return HandleAllocateFailure({code, Reason(code, reason), std::nullopt, Advice::kGiveUp});
  }
  if (state_ != State::kAllocated) return;
  // Section 5: the allocation is gone, or belongs to somebody else; and one that cannot be refreshed will be gone.
  if (code == stun::kErrorAllocationMismatch || code == stun::kErrorWrongCredentials ||
      request.method == Method::kRefresh) {
    return Lose(code, reason);
  }
  if (request.method == Method::kCreatePermission) {
    HandlePermissionFailure(now, request, code, reason);
  } else {
    HandleChannelFailure(now, request, code, reason);
  }
}

// Section 7.4.
void Client::HandleAllocateFailure(AllocateFailed failed) {
  const bool picky = config_.even_port || config_.reserve_next || config_.reservation_token;
  switch (failed.code) {
    case stun::kErrorTryAlternate:
      failed.advice = failed.alternate_server ? Advice::kAlternateServer : Advice::kGiveUp;
      break;
    case kRequestTimedOut:
      failed.advice = Advice::kOtherTransport;
      break;
    case stun::kErrorAllocationMismatch:
      failed.advice = Advice::kOtherLocalAddress;
      break;
    case stun::kErrorAllocationQuotaReached:
      failed.advice = Advice::kRetryLater;
      break;
    case stun::kErrorInsufficientCapacity:
      failed.advice = picky ? Advice::kRelaxRequest : Advice::kRetryLater;
      break;
    default:
      failed.advice = Advice::kGiveUp;
  }
  events_.Push(std::move(failed));
  End();
}

// A server answers one bad peer by refusing the whole request: ask for each by itself then.
void Client::HandlePermissionFailure(Timestamp now, const Request& request, int code,
                                     std::string_view reason) {
  if (request.peers.size() > 1 && code != kRequestTimedOut) {
    for (const IpAddress& peer : request.peers) RequestPermissions(now, {peer});
    return;
  }
  for (const IpAddress& peer : request.peers) {
    permissions_.erase(peer);
    events_.Push(PermissionFailed{peer, code, Reason(code, reason)});
  }
}

void Client::HandleChannelFailure(Timestamp now, const Request& request, int code,
                                  std::string_view reason) {
  const auto it = channels_.find(request.peer);
  if (it == channels_.end()) return;
  const bool was_bound = now < it->second.expires;
  if (was_bound && code == stun::kErrorBadRequest) {
    // Section 12.3: the two sides disagree about the channels; the allocation has to go.
    events_.Push(AllocationLost{code, "the server no longer agrees about a channel"});
    return Delete(now, false);
  }
  // Without an answer the server may have bound it: number and peer stay together. Else the peer is free for another number;
  // this number is not used again.
  it->second.requested = false;
  if (code != kRequestTimedOut) {
    peer_of_channel_.erase(static_cast<uint16_t>(request.number));
    channels_.erase(it);
  }
  events_.Push(ChannelFailed{request.peer, code, Reason(code, reason)});
}

void Client::Lose(int code, std::string_view reason) {
  events_.Push(AllocationLost{code, Reason(code, reason)});
  End();
}

}  // namespace rtclab::turn
