// Addresses, options and errors as the system's calls have them; for this folder only.
#ifndef RTCLAB_CONFORMANCE_SOCKET_SYSTEM_ADDRESS_H_
#define RTCLAB_CONFORMANCE_SOCKET_SYSTEM_ADDRESS_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "stack/base/ip_address.h"

namespace rtclab::conformance {

struct SystemAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// Writes `address` into `storage`; returns its length. Only the bytes of the family's own structure are touched.
inline socklen_t StoreAddress(const TransportAddress& address, sockaddr_storage& storage) {
  const ByteView ip = address.ip.bytes();
  if (address.ip.IsV4()) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
    v4 = {};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    std::memcpy(&v4.sin_addr, ip.data(), ip.size());
    return sizeof v4;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(address.port);
  if (!ip.empty()) std::memcpy(&v6.sin6_addr, ip.data(), ip.size());
  return sizeof v6;
}

inline SystemAddress ToSystem(const TransportAddress& address) {
  SystemAddress out;
  out.length = StoreAddress(address, out.storage);
  return out;
}

inline TransportAddress FromSystem(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    return {IpAddress::V4(ntohl(v4.sin_addr.s_addr)), ntohs(v4.sin_port)};
  }
  if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    std::array<uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return {IpAddress::V6(bytes), ntohs(v6.sin6_port)};
  }
  return {};
}

inline TransportAddress BoundAddress(int descriptor) {
  SystemAddress bound;
  if (getsockname(descriptor, bound.get(), &bound.length) != 0) return {};
  return FromSystem(bound.storage);
}

inline int SystemFamily(const TransportAddress& address) {
  return address.ip.IsV6() ? AF_INET6 : AF_INET;
}

// "bind 192.0.2.1:9: Cannot assign requested address".
inline std::string SystemError(const char* call, const TransportAddress& address,
                               int number = errno) {
  return std::string(call) + " " + address.ToString() + ": " + std::strerror(number);
}

inline bool SetOption(int descriptor, int level, int option, int value) {
  return setsockopt(descriptor, level, option, &value, sizeof value) == 0;
}

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_SYSTEM_ADDRESS_H_
