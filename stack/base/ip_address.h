// IP addresses and transport addresses (the RFCs' word for an IP address and a port).
#ifndef RTCLAB_STACK_BASE_IP_ADDRESS_H_
#define RTCLAB_STACK_BASE_IP_ADDRESS_H_

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stack/base/bytes.h"

namespace rtclab {

enum class AddressFamily : uint8_t { kNone = 0, kIpv4 = 4, kIpv6 = 6 };

// An IPv4 or IPv6 address, or none. A value type: 17 bytes, ordered by family, then by bytes.
class IpAddress {
 public:
  constexpr IpAddress() = default;
  static IpAddress V4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
  static IpAddress V4(uint32_t host_order);
  static IpAddress V6(const std::array<uint8_t, 16>& bytes);
  // 4 bytes make an IPv4 address, 16 an IPv6 one; any other count gives nullopt.
  static std::optional<IpAddress> FromBytes(ByteView bytes);
  // Dotted decimal, or RFC 4291 section 2.2 text without zone; nullopt for anything else.
  static std::optional<IpAddress> Parse(std::string_view text);
  // 0.0.0.0 or ::.
  static IpAddress Any(AddressFamily family);

  AddressFamily family() const { return family_; }
  bool IsV4() const { return family_ == AddressFamily::kIpv4; }
  bool IsV6() const { return family_ == AddressFamily::kIpv6; }
  bool IsNone() const { return family_ == AddressFamily::kNone; }
  // 4 or 16 bytes in network order.
  ByteView bytes() const { return {bytes_.data(), IsV4() ? 4u : IsV6() ? 16u : 0u}; }
  // IPv4 only.
  uint32_t ToV4HostOrder() const;

  bool IsAny() const;
  bool IsLoopback() const;   // 127.0.0.0/8, ::1
  bool IsLinkLocal() const;  // 169.254.0.0/16 (RFC 3927), fe80::/10 (RFC 4291 section 2.5.6)
  bool IsMulticast() const;  // 224.0.0.0/4, ff00::/8
  bool IsPrivate() const;    // RFC 1918, RFC 6598 shared space, fc00::/7 (RFC 4193)
  bool IsBroadcast() const;  // 255.255.255.255
  bool IsV4Mapped() const;   // ::ffff:0:0/96
  // The IPv4 address inside an IPv4-mapped one; any other address unchanged.
  IpAddress Unmapped() const;
  // Whether the first `prefix_length` bits equal those of `network` (same family only).
  bool InPrefix(const IpAddress& network, int prefix_length) const;

  // RFC 5952 text for IPv6, dotted decimal for IPv4, "none" for none.
  std::string ToString() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  AddressFamily family_ = AddressFamily::kNone;
  std::array<uint8_t, 16> bytes_{};
};

// An IP address and a port: what RFC 8445 and RFC 8656 call a transport address.
struct TransportAddress {
  IpAddress ip;
  uint16_t port = 0;

  // "192.0.2.1:3478" or "[2001:db8::1]:3478"; nullopt for anything else.
  static std::optional<TransportAddress> Parse(std::string_view text);
  bool IsNone() const { return ip.IsNone(); }
  AddressFamily family() const { return ip.family(); }
  std::string ToString() const;

  auto operator<=>(const TransportAddress&) const = default;
};

// FNV-1a over the bytes: the same on every machine, for hashed containers whose order never shows.
struct TransportAddressHash {
  std::size_t operator()(const TransportAddress& a) const;
};

}  // namespace rtclab

#endif  // RTCLAB_STACK_BASE_IP_ADDRESS_H_
