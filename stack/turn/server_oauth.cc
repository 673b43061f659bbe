// Who sent a request: passwords, or an authorization server's access tokens (RFC 7635 sections 7 and 9).
#include <algorithm>

#include "stack/turn/server_internal.h"

namespace rtclab::turn {
namespace {

using stun::AttributeType;
using stun::MessageView;
using stun::Method;

}  // namespace

tl::expected<stun::Authenticated, stun::Rejection> Server::CheckCredentials(
    Timestamp now, const MessageView& message, Responder& responder) const {
  const TransportAddress& source = responder.tuple.client;
  if (!config_.authentication->third_party) {
    return authenticator_->Authenticate(now, message, source);
  }
  if (message.Has(AttributeType::kAccessToken)) return CheckToken(now, message, responder);
  // Section 9: only Allocate and Refresh carry the token; its session key signs the other requests of the allocation.
  const TokenSession* const session = FindTokenSession(message, responder.tuple);
  if (session == nullptr || message.GetString(AttributeType::kUsername) != session->kid) {
    return authenticator_->Authenticate(now, message, source);
  }
  responder.token = *session;
  return authenticator_->AuthenticateWithKey(now, message, source,
                                             stun::IntegrityKey::FromBytes(session->mac_key));
}

// Section 7.
tl::expected<stun::Authenticated, stun::Rejection> Server::CheckToken(Timestamp now,
                                                                      const MessageView& message,
                                                                      Responder& responder) const {
  const ThirdPartyAuthorization& third_party = *config_.authentication->third_party;
  const TransportAddress& source = responder.tuple.client;
  const auto kid = message.GetString(AttributeType::kUsername);
  const auto key = std::find_if(third_party.keys.begin(), third_party.keys.end(),
                                [&](const AccessTokenKey& k) { return k.kid == kid; });
  const auto refuse = [&](std::string why) {
    return tl::unexpected(authenticator_->Challenge(now, message, source,
                                                    stun::kErrorUnauthenticated, std::move(why)));
  };
  if (kid && key == third_party.keys.end()) return refuse("the kid is not known");
  // Without USERNAME the request is incomplete, which the checks of RFC 8489 say below.
  if (!kid) return authenticator_->AuthenticateWithKey(now, message, source, {});
  const auto token =
      OpenAccessToken(*key, third_party.server_name, *message.Find(AttributeType::kAccessToken));
  if (!token) return refuse("the token is not genuine: " + token.error().reason);
  const TimeDelta unix_now = config_.unix_time_at_zero + (now - Timestamp::Zero());
  TimeDelta left = LifetimeLeft(*token, unix_now, third_party.delta);
  if (config_.quirks.token_expiry_unchecked) {
    left = std::max(left, TimeDelta::Seconds(token->lifetime_s));
  }
  if (left == TimeDelta::Zero()) return refuse("the token is not valid at this time");
  responder.token = TokenSession{std::string(*kid), token->mac_key, now + left};
  return authenticator_->AuthenticateWithKey(now, message, source,
                                             stun::IntegrityKey::FromBytes(token->mac_key));
}

// The session of the allocation that a request without token is about.
const TokenSession* Server::FindTokenSession(const MessageView& message,
                                             const FiveTuple& tuple) const {
  const Allocation* allocation = FindAllocation(tuple);
  if (message.method() == Method::kConnectionBind) {
    const auto id = message.GetU32(AttributeType::kConnectionId);
    const TcpConnection* const connection = id ? FindConnection(ConnectionId{*id}) : nullptr;
    allocation = connection != nullptr ? connection->relay->owner : nullptr;
  }
  return allocation != nullptr && allocation->token ? &*allocation->token : nullptr;
}

}  // namespace rtclab::turn
