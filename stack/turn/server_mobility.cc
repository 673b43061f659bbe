// Mobility (RFC 8016): tickets, and allocations that move to another 5-tuple.
//
// A ticket names an allocation by a serial number and says how many tickets it had before, sealed with a key that the server makes when
// it starts (section 5). Only the last ticket of an allocation is good; a retransmitted Refresh is known by its transaction id.
#include <array>

#include "stack/crypto/aead.h"
#include "stack/turn/server_internal.h"

namespace rtclab::turn {
namespace {

using stun::AttributeType;
using stun::MessageBuilder;
using stun::MessageView;

constexpr std::size_t kTicketContentSize = 12;
constexpr std::size_t kTicketSize =
    crypto::kAeadNonceSize + kTicketContentSize + crypto::kAeadTagSize;

}  // namespace

// Section 5: without credentials, only where (D)TLS tells that it is the same client.
bool Server::AllowsMobility(const FiveTuple& tuple) const {
  const bool secure =
      tuple.transport == ClientTransport::kTls || tuple.transport == ClientTransport::kDtls;
  return config_.mobility && (authenticator_.has_value() || secure);
}

// Section 3.1.2.
int Server::CheckMobileAllocate(const Responder& responder, const MessageView& message) const {
  const auto ticket = message.Find(AttributeType::kMobilityTicket);
  if (!ticket) return 0;
  if (!ticket->empty() && !config_.quirks.ticket_in_allocate_accepted)
    return stun::kErrorBadRequest;
  return AllowsMobility(responder.tuple) ? 0 : stun::kErrorMobilityForbidden;
}

void Server::GiveTicket(Allocation& allocation, MessageBuilder& builder) {
  Mobility& mobility = *allocation.mobility;
  std::array<uint8_t, kTicketContentSize> content;
  StoreU64(content.data(), mobility.serial);
  StoreU32(content.data() + 8, ++mobility.generation);
  std::array<uint8_t, crypto::kAeadNonceSize> nonce;
  rng_.Fill(nonce);
  if (!config_.quirks.ticket_constant || mobility.ticket.empty()) {
    const Bytes sealed =
        crypto::AeadSeal(crypto::Aead::kAes128Gcm, ticket_key_, nonce, {}, content);
    mobility.ticket.assign(nonce.begin(), nonce.end());
    mobility.ticket.insert(mobility.ticket.end(), sealed.begin(), sealed.end());
  }
  builder.AddBytes(AttributeType::kMobilityTicket, mobility.ticket);
}

// The allocation of a ticket. `code`: 0, or what section 3.2.2 says to answer.
Allocation* Server::FindByTicket(ByteView ticket, int& code) const {
  code = stun::kErrorBadRequest;
  if (ticket.size() != kTicketSize) return nullptr;
  const auto content =
      crypto::AeadOpen(crypto::Aead::kAes128Gcm, ticket_key_, ticket.first(crypto::kAeadNonceSize),
                       {}, ticket.subspan(crypto::kAeadNonceSize));
  if (!content) return nullptr;
  const auto it = mobile_.find(LoadU64(content->data()));
  code = stun::kErrorAllocationMismatch;
  if (it == mobile_.end()) return nullptr;
  // A replaced ticket is good for retransmissions only.
  const bool current = LoadU32(content->data() + 8) == it->second->mobility->generation;
  const bool accepted = current || config_.quirks.ticket_reusable || config_.quirks.ticket_constant;
  code = accepted ? 0 : stun::kErrorBadRequest;
  return it->second;
}

// A Refresh request with a ticket, section 3.2.2: the ticket tells the allocation, not the 5-tuple.
void Server::HandleMove(Timestamp now, const Responder& responder, const MessageView& message) {
  const FiveTuple& tuple = responder.tuple;
  if (!AllowsMobility(tuple)) return Reject(responder, stun::kErrorMobilityForbidden);
  int code = 0;
  Allocation* const allocation = FindByTicket(*message.Find(AttributeType::kMobilityTicket), code);
  if (code != 0) return Reject(responder, code);
  if (tuple == allocation->tuple || tuple == allocation->mobility->next) {
    return Reject(responder, stun::kErrorBadRequest);
  }
  if (!IsOwner(responder, *allocation) && !config_.quirks.ticket_user_unchecked) {
    return Reject(responder, stun::kErrorWrongCredentials);
  }
  // A 5-tuple has one allocation (RFC 8656 section 3.2).
  if (allocations_.contains(tuple) || moving_.contains(tuple)) {
    return Reject(responder, stun::kErrorAllocationMismatch);
  }
  if (PeerPolicy::IsTunnel(tuple.client.ip)) return Reject(responder, stun::kErrorForbidden);
  // RFC 6062 section 5.1: TCP allocations have a stream as their control connection.
  for (const Relay* relay : allocation->relays) {
    if (relay != nullptr && relay->tcp && !IsStream(tuple.transport)) {
      return Reject(responder, stun::kErrorBadRequest);
    }
  }
  HandleRefresh(now, responder, message, *allocation);
}

// The old 5-tuple stays in use until the client sends data from the new one.
void Server::StartMove(const Responder& responder, Allocation& allocation,
                       MessageBuilder& builder) {
  Mobility& mobility = *allocation.mobility;
  if (mobility.next) moving_.erase(*mobility.next);
  mobility.next = responder.tuple;
  moving_.emplace(responder.tuple, &allocation);
  GiveTicket(allocation, builder);
  if (config_.quirks.move_drops_state) {
    for (Relay* relay : allocation.relays) {
      if (relay == nullptr) continue;
      allocation.DropChannels(*relay);
      relay->channels.clear();
      relay->permissions.clear();
    }
  }
  if (!mobility.reachable || config_.quirks.path_switched_at_once) CompleteMove(allocation);
}

void Server::CompleteMove(Allocation& allocation) {
  const FiveTuple from = allocation.tuple;
  const FiveTuple to = *allocation.mobility->next;
  moving_.erase(to);
  allocation.mobility->next.reset();
  allocation.mobility->reachable = true;
  allocation.tuple = to;
  auto node = allocations_.extract(from);
  node.key() = to;
  allocations_.insert(std::move(node));
  events_.Push(AllocationMoved{from, to});
}

}  // namespace rtclab::turn
