#include "conformance/socket/resolve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

namespace rtclab::conformance {

Result<std::vector<IpAddress>> ResolveHost(const std::string& host) {
  if (const auto ip = IpAddress::Parse(host)) return std::vector<IpAddress>{*ip};
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, [](addrinfo* p) {
    if (p != nullptr) freeaddrinfo(p);
  });
  if (error != 0) return Fail(host + ": " + gai_strerror(error));
  std::vector<IpAddress> out;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    IpAddress ip;
    if (at->ai_family == AF_INET) {
      ip = IpAddress::V4(ntohl(reinterpret_cast<const sockaddr_in*>(at->ai_addr)->sin_addr.s_addr));
    } else if (at->ai_family == AF_INET6) {
      std::array<uint8_t, 16> bytes{};
      std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(at->ai_addr)->sin6_addr,
                  bytes.size());
      ip = IpAddress::V6(bytes);
    } else {
      continue;
    }
    if (std::find(out.begin(), out.end(), ip) == out.end()) out.push_back(ip);
  }
  if (out.empty()) return Fail(host + ": no IPv4 or IPv6 address");
  return out;
}

}  // namespace rtclab::conformance
