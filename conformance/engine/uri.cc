#include "conformance/engine/uri.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "conformance/socket/resolve.h"

namespace rtclab::conformance {
namespace {

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// RFC 3986 section 3.2.2: reg-name without percent-encoding, which no DNS name needs.
bool IsHostName(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

std::optional<uint16_t> ParsePort(std::string_view text) {
  if (text.empty() || text.size() > 5) return std::nullopt;
  uint32_t port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    port = port * 10 + static_cast<uint32_t>(c - '0');
  }
  if (port == 0 || port > 65'535) return std::nullopt;
  return static_cast<uint16_t>(port);
}

// Of `text` from `at`: "[IPv6]" or a name; `at` goes behind it.
Result<std::string> ParseUriHost(std::string_view text, std::size_t& at) {
  const std::size_t start = at;
  if (at < text.size() && text[at] == '[') {
    const std::size_t close = text.find(']', at);
    if (close == std::string_view::npos) return Fail("\"[\" without \"]\"", start);
    const std::string_view literal = text.substr(at + 1, close - at - 1);
    const auto ip = IpAddress::Parse(literal);
    if (!ip || !ip->IsV6()) return Fail(fmt::format("\"{}\" is no IPv6 address", literal), start);
    at = close + 1;
    return std::string(literal);
  }
  at = std::min(text.find_first_of(":?", at), text.size());
  const std::string_view name = text.substr(start, at - start);
  if (!IsHostName(name)) {
    const bool slashes = name.starts_with("//");
    return Fail(slashes ? std::string("a host stands right behind the scheme's colon, without //")
                        : fmt::format("\"{}\" is no host name or IP address", name),
                start);
  }
  return std::string(name);
}

}  // namespace

std::string ServerUri::ToString() const {
  const bool udp = transport == Transport::kUdp || transport == Transport::kDtls;
  const bool bracket = host.find(':') != std::string::npos;
  std::string out = fmt::format("{}{}:{}:{}", turn ? "turn" : "stun", secure ? "s" : "",
                                bracket ? "[" + host + "]" : host, port);
  if (udp == secure) out += udp ? "?transport=udp" : "?transport=tcp";
  return out;
}

Result<ServerUri> ParseServerUri(std::string_view text) {
  const std::size_t colon = text.find(':');
  // Not repeated here: it may hold a password.
  if (text.find('@') != std::string_view::npos) {
    return Fail("a URI of RFC 7064 or RFC 7065 names no user: --user and --password do");
  }
  const std::string scheme = Lower(text.substr(0, colon == std::string_view::npos ? 0 : colon));
  ServerUri uri;
  uri.turn = scheme == "turn" || scheme == "turns";
  uri.secure = scheme == "stuns" || scheme == "turns";
  if (!uri.turn && scheme != "stun" && scheme != "stuns") {
    return Fail(fmt::format("\"{}\" does not begin with turn:, turns:, stun: or stuns:", text));
  }
  uri.port = uri.secure ? 5349 : 3478;
  uri.transport = uri.secure ? Transport::kTls : Transport::kUdp;
  uri.transport_named = uri.secure;
  std::size_t at = colon + 1;
  auto host = ParseUriHost(text, at);
  if (!host) return tl::unexpected(host.error());
  uri.host = std::move(*host);
  if (at < text.size() && text[at] == ':') {
    const std::size_t end = std::min(text.find('?', at), text.size());
    const auto port = ParsePort(text.substr(at + 1, end - at - 1));
    if (!port) {
      return Fail(fmt::format("\"{}\" is no port", text.substr(at + 1, end - at - 1)), at + 1);
    }
    uri.port = *port;
    at = end;
  }
  if (at == text.size()) return uri;
  const std::string query = Lower(text.substr(at));
  if (query == "?transport=udp") {
    uri.transport = uri.secure ? Transport::kDtls : Transport::kUdp;
  } else if (query == "?transport=tcp") {
    uri.transport = uri.secure ? Transport::kTls : Transport::kTcp;
  } else {
    return Fail(
        fmt::format("expected ?transport=udp or ?transport=tcp, found \"{}\"", text.substr(at)),
        at);
  }
  uri.transport_named = true;
  return uri;
}

Result<void> AddServer(Target& target, const ServerUri& uri) {
  const auto addresses = ResolveHost(uri.host);
  if (!addresses) return tl::unexpected(addresses.error());
  const bool first = target.endpoints.empty();
  bool used = false;
  std::set<AddressFamily> seen;
  for (const IpAddress& ip : *addresses) {
    // Of several addresses of a family the first one.
    if (!seen.insert(ip.family()).second) continue;
    const std::pair where(uri.transport, ip.family());
    const TransportAddress endpoint{ip, uri.port};
    // One that another URI only implied gives way.
    if (!target.named.contains(where)) target.endpoints.erase(where);
    used |= target.endpoints.emplace(where, endpoint).first->second == endpoint;
    // Every system's localhost has two, and its servers mostly one.
    if (seen.size() == 1 || !ip.IsLoopback()) target.named.insert(where);
    if (!uri.transport_named) {
      target.endpoints.emplace(std::pair(Transport::kTcp, ip.family()),
                               TransportAddress{ip, uri.port});
    }
  }
  if (!used) {
    target.unused.push_back(fmt::format("{} over {}",
                                        TransportAddress{addresses->front(), uri.port}.ToString(),
                                        ToString(uri.transport)));
  }
  if (!first) return {};
  target.transport = uri.transport;
  target.host = uri.host;
  target.stun_only = !uri.turn;
  const bool v4 = std::any_of(addresses->begin(), addresses->end(),
                              [](const IpAddress& ip) { return ip.IsV4(); });
  target.family = v4 ? AddressFamily::kIpv4 : AddressFamily::kIpv6;
  if (target.name.empty()) target.name = uri.host;
  return {};
}

}  // namespace rtclab::conformance
