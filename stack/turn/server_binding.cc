// Binding on the listening addresses, also for clients of RFC 3489.
#include "stack/turn/server.h"

namespace rtclab::turn {
namespace {

using stun::AttributeType;
using stun::MessageBuilder;
using stun::MessageClass;
using stun::MessageView;
using stun::Method;

}  // namespace

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

// What is not a STUN message of today may be one without the magic cookie. Over DTLS such requests get a 500 whatever they ask
// (RFC 8489 section 11); else Binding is answered with MAPPED-ADDRESS (RFC 5389 section 12.2).
void Server::HandleClassic(const FiveTuple& tuple, ByteView message) {
  const auto view = MessageView::ParseClassic(message);
  const bool answer = view && view->cookie() != stun::kMagicCookie && view->IsRequest() &&
                      config_.answer_binding && config_.answer_classic;
  if (answer && tuple.transport == ClientTransport::kDtls) {
    return SendToClient(tuple,
                        MessageBuilder::ErrorResponseTo(*view, stun::kErrorServerError).Build());
  }
  if (!answer || view->method() != Method::kBinding) {
    return Drop(DropReason::kMalformed, tuple.client, tuple.server);
  }
  std::vector<AttributeType> unknown = view->UnknownRequired(known_);
  if (unknown.empty()) {
    MessageBuilder builder = MessageBuilder::ResponseTo(*view, MessageClass::kSuccessResponse);
    builder.AddAddress(AttributeType::kMappedAddress, tuple.client);
    return SendToClient(tuple, builder.Build());
  }
  // RFC 3489 section 11.2.10: an odd list is filled up by repeating one.
  if (unknown.size() % 2 != 0) unknown.push_back(unknown.back());
  MessageBuilder builder = MessageBuilder::ErrorResponseTo(*view, stun::kErrorUnknownAttribute);
  builder.AddUnknownAttributes(unknown);
  SendToClient(tuple, builder.Build());
}

}  // namespace rtclab::turn
