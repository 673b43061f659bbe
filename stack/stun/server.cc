#include "stack/stun/server.h"

#include <array>
#include <utility>

#include "stack/base/check.h"
#include "stack/stun/alternate_server.h"
#include "stack/stun/message_builder.h"

namespace rtclab::stun {
namespace {

using enum AttributeType;

// The attributes of RFC 8489 section 14 and PADDING of RFC 5780. Those that have no place in a Binding request are known all the same,
// and ignored (RFC 8489 section 6.3). CHANGE-REQUEST is a matter of addresses.
constexpr std::array kKnownInBinding = {
    kUsername,          kRealm,           kNonce,     kUserhash,
    kPasswordAlgorithm, kPadding,         kErrorCode, kUnknownAttributes,
    kMappedAddress,     kXorMappedAddress};

// RFC 5780 section 7.5: 16 bits and 2 bytes of padding, which writers count as the attribute's or as part of the value.
std::optional<uint16_t> ResponsePort(const MessageView& request) {
  const auto value = request.Find(kResponsePort);
  if (!value || (value->size() != 2 && value->size() != 4)) return std::nullopt;
  return LoadU16(value->data());
}

}  // namespace

Server::Server(ServerConfig config, Rng& rng) : config_(std::move(config)) {
  for (const ServerAddresses& own : config_.addresses) {
    CHECK(!own.primary.IsNone());
    if (!own.alternate) continue;
    CHECK(own.alternate->family() == own.primary.family());
    CHECK(own.alternate->ip != own.primary.ip && own.alternate->port != own.primary.port);
  }
  known_.assign(kKnownInBinding.begin(), kKnownInBinding.end());
  if (config_.response_port) known_.push_back(kResponsePort);
  known_.insert(known_.end(), config_.also_known.begin(), config_.also_known.end());
  if (config_.long_term) {
    CHECK(config_.credentials != nullptr);
    authenticator_.emplace(*config_.long_term, config_.credentials, rng);
  }
}

std::vector<TransportAddress> Server::ListenAddresses() const {
  std::vector<TransportAddress> out;
  for (const ServerAddresses& own : config_.addresses) {
    out.push_back(own.primary);
    if (!own.alternate) continue;
    out.push_back({own.primary.ip, own.alternate->port});
    out.push_back({own.alternate->ip, own.primary.port});
    out.push_back(*own.alternate);
  }
  return out;
}

const ServerAddresses* Server::Find(const TransportAddress& destination) const {
  for (const ServerAddresses& own : config_.addresses) {
    if (destination == own.primary) return &own;
    if (!own.alternate) continue;
    const bool ip = destination.ip == own.primary.ip || destination.ip == own.alternate->ip;
    const bool port =
        destination.port == own.primary.port || destination.port == own.alternate->port;
    if (ip && port) return &own;
  }
  return nullptr;
}

void Server::HandlePacket(Timestamp now, const Datagram& packet) {
  const ServerAddresses* own = Find(packet.destination);
  if (own == nullptr) return;
  const auto request = MessageView::Parse(packet.payload);
  if (request) {
    if (request->IsRequest() && request->method() == Method::kBinding) {
      // RFC 8489 section 6.3: a wrong FINGERPRINT means that this is not STUN.
      if (request->HasFingerprint() && !request->VerifyFingerprint()) return;
      HandleRequest(now, packet, *own, *request);
    }
    return;
  }
  if (!config_.answer_classic || config_.long_term) return;
  const auto classic = MessageView::ParseClassic(packet.payload);
  if (classic && classic->IsRequest() && classic->method() == Method::kBinding) {
    HandleClassic(packet, *classic);
  }
}

// RFC 5389 section 12.2: the first 32 bits come back as they were, and MAPPED-ADDRESS replaces XOR-MAPPED-ADDRESS. RESPONSE-ADDRESS and
// CHANGE-REQUEST are no longer understood for such clients.
void Server::HandleClassic(const Datagram& packet, const MessageView& request) {
  const Route route = {packet.destination, std::nullopt, packet.source};
  std::vector<AttributeType> unknown = request.UnknownRequired({});
  std::erase(unknown, kUsername);
  if (unknown.empty()) {
    MessageBuilder builder = MessageBuilder::ResponseTo(request, MessageClass::kSuccessResponse);
    builder.AddAddress(kMappedAddress, packet.source);
    Send(packet, route, builder.Build(), 0);
    return;
  }
  // RFC 3489 section 11.2.10: an odd list is filled up by repeating one.
  if (unknown.size() % 2 != 0) unknown.push_back(unknown.back());
  MessageBuilder builder = MessageBuilder::ErrorResponseTo(request, kErrorUnknownAttribute);
  builder.AddUnknownAttributes(unknown);
  Send(packet, route, builder.Build(), kErrorUnknownAttribute);
}

void Server::HandleRequest(Timestamp now, const Datagram& packet, const ServerAddresses& own,
                           const MessageView& request) {
  Route route = {packet.destination, std::nullopt, packet.source};
  std::optional<Authenticated> client;
  if (authenticator_) {
    auto checked = authenticator_->Authenticate(now, request, packet.source);
    if (!checked) {
      Send(packet, route, std::move(checked.error().response), checked.error().code);
      return;
    }
    client = std::move(*checked);
  }
  int code = 0;
  Bytes response = Answer(packet, own, request, client ? &*client : nullptr, route, code);
  Send(packet, route, std::move(response), code);
}

// RFC 5780 section 6: without a second address CHANGE-REQUEST is not understood.
std::vector<AttributeType> Server::UnknownIn(const ServerAddresses& own,
                                             const MessageView& request) const {
  std::vector<AttributeType> unknown = request.UnknownRequired(known_);
  if (own.alternate) std::erase(unknown, kChangeRequest);
  return unknown;
}

Bytes Server::Answer(const Datagram& packet, const ServerAddresses& own, const MessageView& request,
                     const Authenticated* client, Route& route, int& code) const {
  const auto fail = [&](int error) {
    code = error;
    return MessageBuilder::ErrorResponseTo(request, error);
  };
  // RFC 8489 section 6.3: unknown attributes are looked for after authentication.
  const auto unknown = UnknownIn(own, request);
  if (!unknown.empty()) {
    MessageBuilder builder = fail(kErrorUnknownAttribute);
    builder.AddUnknownAttributes(unknown);
    return Finish(builder, request, client);
  }
  if (client != nullptr && !config_.redirect_to.empty()) {
    MessageBuilder builder = fail(kErrorTryAlternate);
    AddAlternateServers(builder, packet.source.family(), config_.redirect_to,
                        config_.redirect_domain);
    return Finish(builder, request, client);
  }
  const bool padding = request.Has(kPadding);
  const auto change = request.GetChangeRequest();
  const auto port = ResponsePort(request);
  // RFC 5780 section 6.1: PADDING and RESPONSE-PORT exclude each other.
  if ((padding && request.Has(kResponsePort)) || (request.Has(kChangeRequest) && !change) ||
      (request.Has(kResponsePort) && !port)) {
    MessageBuilder builder = fail(kErrorBadRequest);
    return Finish(builder, request, client);
  }
  // RFC 5780 section 6.1, table 1.
  if (own.alternate) {
    const TransportAddress& at = packet.destination;
    const bool at_primary_ip = at.ip == own.primary.ip;
    const bool at_primary_port = at.port == own.primary.port;
    route.other = {at_primary_ip ? own.alternate->ip : own.primary.ip,
                   at_primary_port ? own.alternate->port : own.primary.port};
    if (change && change->change_ip) route.origin.ip = route.other->ip;
    if (change && change->change_port) route.origin.port = route.other->port;
  }
  if (port) route.reply_to.port = *port;

  MessageBuilder builder = MessageBuilder::ResponseTo(request, MessageClass::kSuccessResponse);
  builder.AddXorAddress(kXorMappedAddress, packet.source)
      .AddAddress(kMappedAddress, packet.source)
      .AddAddress(kResponseOrigin, route.origin);
  if (route.other) builder.AddAddress(kOtherAddress, *route.other);
  if (padding) builder.AddPadding((std::size_t{config_.mtu} + 3) & ~std::size_t{3});
  return Finish(builder, request, client);
}

Bytes Server::Finish(MessageBuilder& builder, const MessageView& request,
                     const Authenticated* client) const {
  if (!config_.software.empty()) builder.AddString(kSoftware, config_.software);
  if (client != nullptr) LongTermAuthenticator::Protect(builder, *client);
  // RFC 8489 section 7: a client that uses FINGERPRINT expects it back.
  if (request.HasFingerprint()) builder.AddFingerprint();
  return builder.Build();
}

void Server::Send(const Datagram& request, const Route& route, Bytes payload, int code) {
  events_.push_back({request.source, request.destination, route.origin, route.reply_to, code});
  transmits_.push_back({route.origin, route.reply_to, std::move(payload)});
}

std::optional<Transmit> Server::PollTransmit() {
  if (transmits_.empty()) return std::nullopt;
  Transmit out = std::move(transmits_.front());
  transmits_.pop_front();
  return out;
}

std::optional<Server::Event> Server::PollEvent() {
  if (events_.empty()) return std::nullopt;
  const Event out = events_.front();
  events_.pop_front();
  return out;
}

}  // namespace rtclab::stun
