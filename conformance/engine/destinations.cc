#include "conformance/engine/destinations.h"

#include <algorithm>
#include <array>

namespace rtclab::conformance {
namespace {

bool IsDocumentation(const IpAddress& ip) {
  return ip.InPrefix(IpAddress::V4(192, 0, 2, 0), 24) ||
         ip.InPrefix(IpAddress::V4(198, 51, 100, 0), 24) ||
         ip.InPrefix(IpAddress::V4(203, 0, 113, 0), 24) ||
         ip.InPrefix(*IpAddress::Parse("2001:db8::"), 32);
}

// The value of an XOR address attribute, whatever its padding and reserved bits.
std::optional<IpAddress> LenientAddress(ByteView value, ByteView header) {
  if (value.size() < 8) return std::nullopt;
  const std::size_t size = value[1] == 2 ? 16 : 4;
  if (value.size() < 4 + size) return std::nullopt;
  std::array<uint8_t, 16> ip{};
  for (std::size_t i = 0; i < size; ++i) ip[i] = value[4 + i] ^ header[4 + i];
  return IpAddress::FromBytes(ByteView(ip).first(size));
}

}  // namespace

Destinations::Destinations(const Target& target) {
  for (const auto& [key, endpoint] : target.endpoints) server_.insert(endpoint.ip);
  server_.insert(target.addresses.begin(), target.addresses.end());
  if (target.redirecting) server_.insert(target.redirecting->ip);
  own_.insert(target.peers.local.begin(), target.peers.local.end());
  if (!target.peers.remote.IsNone()) own_.insert(target.peers.remote.ip);
  if (target.denied_peer) denied_ = target.denied_peer->ip;
  if (target.safety.enabled) {
    probes_.insert(target.safety.destinations.begin(), target.safety.destinations.end());
  }
}

bool Destinations::MaySend(const IpAddress& address) const {
  return server_.contains(address) || own_.contains(address);
}

bool Destinations::MayRelay(const IpAddress& address, bool safety) const {
  return MaySend(address) || address == denied_ || IsDocumentation(address) ||
         (safety && probes_.contains(address));
}

std::optional<IpAddress> Destinations::Offence(ByteView message, bool safety,
                                               std::map<uint16_t, IpAddress>& channels) const {
  if (message.size() < 4) return std::nullopt;
  const uint16_t type = LoadU16(message.data());
  if (type >= 0x4000 && type < 0x8000) {
    const auto bound = channels.find(type);
    if (bound == channels.end() || MayRelay(bound->second, safety)) return std::nullopt;
    return bound->second;
  }
  const stun::Method method = stun::DecodeMethod(type & 0x3fff);
  const bool sends = method == stun::Method::kSend || method == stun::Method::kConnect;
  if (!sends && method != stun::Method::kChannelBind) return std::nullopt;
  std::optional<IpAddress> peer;
  std::optional<uint16_t> channel;
  for (std::size_t at = stun::kHeaderSize; at + 4 <= message.size();) {
    const std::size_t length = LoadU16(message.data() + at + 2);
    const auto attribute = static_cast<stun::AttributeType>(LoadU16(message.data() + at));
    const ByteView value = message.subspan(at + 4, std::min(length, message.size() - at - 4));
    if (attribute == stun::AttributeType::kXorPeerAddress) {
      const auto found = LenientAddress(value, message);
      if (found && sends && !MayRelay(*found, safety)) return found;
      if (found && !peer) peer = found;
    }
    if (attribute == stun::AttributeType::kChannelNumber && value.size() >= 2) {
      channel = LoadU16(value.data());
    }
    at += 4 + ((length + 3) & ~std::size_t{3});
  }
  if (peer && channel) channels[*channel] = *peer;
  return std::nullopt;
}

}  // namespace rtclab::conformance
