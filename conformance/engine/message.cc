#include "conformance/engine/message.h"

#include <fmt/format.h>

#include <array>

namespace rtclab::conformance {
namespace {

Bytes Big(uint64_t value, int count) {
  Bytes out(static_cast<std::size_t>(count));
  for (int i = count - 1; i >= 0; --i, value >>= 8) {
    out[static_cast<std::size_t>(i)] = static_cast<uint8_t>(value);
  }
  return out;
}

}  // namespace

Request::Request(stun::Method method, stun::MessageClass message_class)
    : method_(method), class_(message_class) {}

Request& Request::Attribute(uint16_t type, ByteView value, uint8_t padding_byte) {
  items_.push_back({type, Bytes(value.begin(), value.end()), padding_byte, {}});
  return *this;
}

Request& Request::RequestedTransport(uint8_t protocol) {
  return Attribute(stun::AttributeType::kRequestedTransport, Big(uint64_t{protocol} << 24, 4));
}
Request& Request::Lifetime(uint32_t seconds) {
  return Attribute(stun::AttributeType::kLifetime, Big(seconds, 4));
}
Request& Request::PeerAddress(const TransportAddress& peer) {
  items_.push_back({static_cast<uint16_t>(stun::AttributeType::kXorPeerAddress), {}, 0, peer});
  return *this;
}
Request& Request::ChannelNumber(uint16_t number) {
  return Attribute(stun::AttributeType::kChannelNumber, Big(uint64_t{number} << 16, 4));
}
Request& Request::Data(ByteView data) { return Attribute(stun::AttributeType::kData, data); }
Request& Request::EvenPort(bool reserve_next) {
  return Attribute(stun::AttributeType::kEvenPort, Big(reserve_next ? 0x80 : 0, 1));
}
Request& Request::ReservationToken(uint64_t token) {
  return Attribute(stun::AttributeType::kReservationToken, Big(token, 8));
}
Request& Request::RequestedFamily(uint8_t family) {
  return Attribute(stun::AttributeType::kRequestedAddressFamily, Big(uint64_t{family} << 24, 4));
}
Request& Request::AdditionalFamily(uint8_t family) {
  return Attribute(stun::AttributeType::kAdditionalAddressFamily, Big(uint64_t{family} << 24, 4));
}
Request& Request::DontFragment() { return Attribute(stun::AttributeType::kDontFragment, {}); }
Request& Request::ConnectionId(uint32_t id) {
  return Attribute(stun::AttributeType::kConnectionId, Big(id, 4));
}
Request& Request::MobilityTicket(ByteView ticket) {
  return Attribute(stun::AttributeType::kMobilityTicket, ticket);
}
Request& Request::ChangeRequest(bool change_ip, bool change_port) {
  return Attribute(stun::AttributeType::kChangeRequest,
                   Big((change_ip ? 4u : 0u) | (change_port ? 2u : 0u), 4));
}
Request& Request::ResponsePort(uint16_t port) {
  return Attribute(stun::AttributeType::kResponsePort, Big(uint64_t{port} << 16, 4));
}
Request& Request::Padding(std::size_t size) {
  return Attribute(stun::AttributeType::kPadding, Bytes(size));
}
Request& Request::Software(std::string_view text) {
  return Attribute(stun::AttributeType::kSoftware, AsBytes(text));
}
Request& Request::Sign(Signing signing) {
  signing_ = std::move(signing);
  return *this;
}
Request& Request::TransactionId(const stun::TransactionId& id) {
  id_ = id;
  return *this;
}

Response::Response(Bytes bytes, const TransportAddress& from)
    : bytes_(std::move(bytes)), from_(from) {
  if (auto parsed = stun::MessageView::Parse(bytes_)) view_ = *parsed;
}

Response::Response(const Response& other) : bytes_(other.bytes_), from_(other.from_) {
  if (!other.view_) return;
  if (auto parsed = stun::MessageView::Parse(bytes_)) view_ = *parsed;
}

// A moved vector keeps its storage, so the view goes on pointing at it.
Response::Response(Response&& other) noexcept
    : bytes_(std::move(other.bytes_)), from_(other.from_), view_(other.view_) {
  other.view_.reset();
}

Response& Response::operator=(Response other) noexcept {
  bytes_ = std::move(other.bytes_);
  from_ = other.from_;
  view_ = other.view_;
  other.view_.reset();
  return *this;
}

int Response::code() const {
  if (!view_) return -1;
  if (!view_->IsError()) return 0;
  const auto error = view_->GetErrorCode();
  return error ? error->code : -2;
}

bool Response::Has(stun::AttributeType type) const { return view_ && view_->Has(type); }

std::string Response::Describe() const {
  if (!view_) return "no answer";
  if (view_->IsSuccess()) return fmt::format("{} success response", ToString(view_->method()));
  if (!view_->IsError()) {
    return fmt::format("{} {}", ToString(view_->method()), ToString(view_->message_class()));
  }
  const auto error = view_->GetErrorCode();
  if (!error) {
    return fmt::format("{} error response without a proper ERROR-CODE", ToString(view_->method()));
  }
  return error->reason.empty() ? fmt::format("{}", error->code)
                               : fmt::format("{} {}", error->code, error->reason);
}

}  // namespace rtclab::conformance
