// Names to addresses, by the system's resolver.
#ifndef RTCLAB_CONFORMANCE_SOCKET_RESOLVE_H_
#define RTCLAB_CONFORMANCE_SOCKET_RESOLVE_H_

#include <string>
#include <vector>

#include "stack/base/error.h"
#include "stack/base/ip_address.h"

namespace rtclab::conformance {

// The addresses of `host`, each once, in the order of getaddrinfo(3): at least one. An IP address as text is itself. Fails with the system's
// words.
Result<std::vector<IpAddress>> ResolveHost(const std::string& host);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_RESOLVE_H_
