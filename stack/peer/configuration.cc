#include "stack/peer/configuration.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace rtclab::peer {
namespace {

// RFC 7064 section 3.2 and RFC 7065 section 3.2.
constexpr uint16_t kDefaultServerPort = 3478;

struct ServerUrl {
  bool turn = false;
  TransportAddress address;
};

std::optional<uint16_t> ParsePort(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

PeerResult<TransportAddress> ParseHostPort(std::string_view text, const std::string& url) {
  std::string_view host = text, port;
  if (!text.empty() && text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == text.npos) return Reject(ErrorName::kSyntaxError, "no closing bracket: " + url);
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else if (const std::size_t colon = text.find(':'); colon != text.npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (host.empty()) return Reject(ErrorName::kSyntaxError, "no host: " + url);
  TransportAddress address;
  address.port = kDefaultServerPort;
  if (!port.empty()) {
    const auto number = port.front() == ':' ? ParsePort(port.substr(1)) : std::nullopt;
    if (!number) return Reject(ErrorName::kSyntaxError, "not a port: " + url);
    address.port = *number;
  }
  const auto ip = IpAddress::Parse(host);
  if (!ip) return Reject(ErrorName::kNotSupportedError, "names are not resolved here: " + url);
  address.ip = *ip;
  return address;
}

// webrtc-pc section 4.4.1.6, validate an ICE server URL.
PeerResult<ServerUrl> ParseServerUrl(const std::string& url) {
  const std::size_t colon = url.find(':');
  const std::string_view scheme = std::string_view(url).substr(0, colon == url.npos ? 0 : colon);
  const bool stun = scheme == "stun" || scheme == "stuns";
  const bool turn = scheme == "turn" || scheme == "turns";
  if (!stun && !turn) return Reject(ErrorName::kSyntaxError, "not a STUN or TURN URL: " + url);
  std::string_view rest = std::string_view(url).substr(colon + 1);
  if (rest.find_first_of("/@#") != rest.npos)
    return Reject(ErrorName::kSyntaxError, "only host and port are allowed: " + url);
  if (const std::size_t query = rest.find('?'); query != rest.npos) {
    const std::string_view transport = rest.substr(query + 1);
    if (stun || (transport != "transport=udp" && transport != "transport=tcp"))
      return Reject(ErrorName::kSyntaxError, "not a transport: " + url);
    if (transport == "transport=tcp")
      return Reject(ErrorName::kNotSupportedError, "TURN over TCP: " + url);
    rest = rest.substr(0, query);
  }
  if (scheme == "stuns" || scheme == "turns")
    return Reject(ErrorName::kNotSupportedError, "STUN and TURN over TLS: " + url);
  const auto address = ParseHostPort(rest, url);
  if (!address) return tl::unexpected(address.error());
  return ServerUrl{turn, *address};
}

}  // namespace

PeerResult<ServerAddresses> ResolveServers(const std::vector<IceServer>& servers) {
  ServerAddresses all;
  for (const IceServer& server : servers) {
    if (server.urls.empty()) return Reject(ErrorName::kSyntaxError, "a server without URLs");
    for (const std::string& url : server.urls) {
      const auto parsed = ParseServerUrl(url);
      if (!parsed) return tl::unexpected(parsed.error());
      if (!parsed->turn) {
        all.stun.push_back(parsed->address);
        continue;
      }
      if (server.username.empty() || server.credential.empty())
        return Reject(ErrorName::kInvalidAccessError, "TURN needs a username and credential");
      all.turn.push_back(
          {.address = parsed->address, .username = server.username, .password = server.credential});
    }
  }
  return all;
}

}  // namespace rtclab::peer
