#include "stack/base/ip_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>

#include "stack/base/check.h"

namespace rtclab {

IpAddress IpAddress::V4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  IpAddress out;
  out.family_ = AddressFamily::kIpv4;
  out.bytes_ = {a, b, c, d};
  return out;
}

IpAddress IpAddress::V4(uint32_t host_order) {
  IpAddress out;
  out.family_ = AddressFamily::kIpv4;
  StoreU32(out.bytes_.data(), host_order);
  return out;
}

IpAddress IpAddress::V6(const std::array<uint8_t, 16>& bytes) {
  IpAddress out;
  out.family_ = AddressFamily::kIpv6;
  out.bytes_ = bytes;
  return out;
}

std::optional<IpAddress> IpAddress::FromBytes(ByteView bytes) {
  if (bytes.size() == 4) return V4(bytes[0], bytes[1], bytes[2], bytes[3]);
  if (bytes.size() != 16) return std::nullopt;
  std::array<uint8_t, 16> v6;
  std::copy(bytes.begin(), bytes.end(), v6.begin());
  return V6(v6);
}

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  // inet_pton wants a terminated string; the longest textual IPv6 address has 45 characters.
  if (text.empty() || text.size() > 45 || text.find('\0') != text.npos) return std::nullopt;
  const std::string terminated(text);
  std::array<uint8_t, 16> bytes;
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) {
    return V4(bytes[0], bytes[1], bytes[2], bytes[3]);
  }
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return V6(bytes);
  return std::nullopt;
}

IpAddress IpAddress::Any(AddressFamily family) {
  IpAddress out;
  out.family_ = family;
  return out;
}

uint32_t IpAddress::ToV4HostOrder() const {
  CHECK(IsV4());
  return LoadU32(bytes_.data());
}

bool IpAddress::IsAny() const { return !IsNone() && *this == Any(family_); }

bool IpAddress::IsLoopback() const {
  if (IsV4()) return bytes_[0] == 127;
  static const IpAddress kLoopback = *Parse("::1");
  return *this == kLoopback;
}

bool IpAddress::IsLinkLocal() const {
  if (IsV4()) return bytes_[0] == 169 && bytes_[1] == 254;
  return IsV6() && bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool IpAddress::IsMulticast() const {
  if (IsV4()) return (bytes_[0] & 0xf0) == 0xe0;
  return IsV6() && bytes_[0] == 0xff;
}

bool IpAddress::IsPrivate() const {
  if (IsV4()) {
    return bytes_[0] == 10 || (bytes_[0] == 172 && (bytes_[1] & 0xf0) == 16) ||
           (bytes_[0] == 192 && bytes_[1] == 168) || (bytes_[0] == 100 && (bytes_[1] & 0xc0) == 64);
  }
  return IsV6() && (bytes_[0] & 0xfe) == 0xfc;
}

bool IpAddress::IsBroadcast() const { return IsV4() && LoadU32(bytes_.data()) == 0xffffffffu; }

bool IpAddress::IsV4Mapped() const {
  static const IpAddress kPrefix = *Parse("::ffff:0:0");
  return InPrefix(kPrefix, 96);
}

IpAddress IpAddress::Unmapped() const {
  return IsV4Mapped() ? V4(LoadU32(bytes_.data() + 12)) : *this;
}

bool IpAddress::InPrefix(const IpAddress& network, int prefix_length) const {
  if (family_ != network.family_ || IsNone()) return false;
  const auto whole = static_cast<std::size_t>(prefix_length / 8);
  CHECK(prefix_length >= 0 && whole <= bytes().size());
  if (!std::equal(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(whole),
                  network.bytes_.begin())) {
    return false;
  }
  const int rest = prefix_length % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff << (8 - rest));
  return (bytes_[whole] & mask) == (network.bytes_[whole] & mask);
}

std::string IpAddress::ToString() const {
  if (IsNone()) return "none";
  char text[INET6_ADDRSTRLEN];
  // glibc's inet_ntop writes what RFC 5952 section 4 recommends.
  CHECK(inet_ntop(IsV4() ? AF_INET : AF_INET6, bytes_.data(), text, sizeof text) != nullptr);
  return text;
}

std::optional<TransportAddress> TransportAddress::Parse(std::string_view text) {
  std::string_view host;
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  const bool bracketed = !text.empty() && text.front() == '[';
  if (bracketed) {
    if (colon < 2 || text[colon - 1] != ']') return std::nullopt;
    host = text.substr(1, colon - 2);
  } else {
    host = text.substr(0, colon);
  }
  const std::string_view digits = text.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  const auto ip = IpAddress::Parse(host);
  if (!ip || ip->IsV6() != bracketed) return std::nullopt;
  return TransportAddress{*ip, port};
}

std::string TransportAddress::ToString() const {
  return ip.IsV6() ? fmt::format("[{}]:{}", ip.ToString(), port)
                   : fmt::format("{}:{}", ip.ToString(), port);
}

std::size_t TransportAddressHash::operator()(const TransportAddress& a) const {
  uint64_t hash = 0xcbf29ce484222325u;
  const auto mix = [&hash](uint8_t b) { hash = (hash ^ b) * 0x100000001b3u; };
  for (uint8_t b : a.ip.bytes()) mix(b);
  mix(static_cast<uint8_t>(a.port >> 8));
  mix(static_cast<uint8_t>(a.port));
  return hash;
}

}  // namespace rtclab
