#include "conformance/cases/safety/safety_steps.h"

#include <array>
#include <utility>

namespace rtclab::conformance {
namespace {

struct SpecialRange {
  std::string_view network;
  int prefix_length;
};

// RFC 6890 and what came after it: ranges in which a laboratory may well live.
constexpr std::array<SpecialRange, 9> kSpecialRanges = {{{"127.0.0.0", 8},
                                                         {"10.0.0.0", 8},
                                                         {"172.16.0.0", 12},
                                                         {"192.168.0.0", 16},
                                                         {"100.64.0.0", 10},
                                                         {"169.254.0.0", 16},
                                                         {"::1", 128},
                                                         {"fc00::", 7},
                                                         {"fe80::", 10}}};

// The IPv4 address inside an IPv6 one: mapped or compatible (RFC 4291 section 2.5.5), NAT64 (RFC 6052), 6to4 (RFC 3056), Teredo
// (RFC 4380). Any other address unchanged.
IpAddress EmbeddedV4(const IpAddress& ip) {
  if (!ip.IsV6()) return ip;
  const ByteView b = ip.bytes();
  if (ip.InPrefix(*IpAddress::Parse("2002::"), 16)) return IpAddress::V4(b[2], b[3], b[4], b[5]);
  if (ip.InPrefix(*IpAddress::Parse("2001::"), 32)) {
    return IpAddress::V4(LoadU32(b.data() + 12) ^ 0xffffffff);
  }
  const bool last = ip.IsV4Mapped() || ip.InPrefix(*IpAddress::Parse("64:ff9b::"), 96) ||
                    (ip.InPrefix(*IpAddress::Parse("::"), 96) && LoadU32(b.data() + 12) > 1);
  return last ? IpAddress::V4(LoadU32(b.data() + 12)) : ip;
}

}  // namespace

Needs SafetyNeeds(std::vector<Feature> features, std::optional<Transport> transport) {
  Needs needs;
  needs.features = std::move(features);
  needs.transport = transport;
  return needs;
}

Clause SafetyRule(std::string_view source, std::string_view rule) {
  return {source, "", Level::kPolicy, rule};
}

Client SafetyConnect(Test& t, std::string_view what, std::optional<Transport> transport) {
  t.SpendProbe();
  ConnectOptions options;
  options.transport = transport;
  options.must_open = false;
  Client client = t.Connect(options);
  t.Expect(client.open(), "the server takes connections after " + std::string(what),
           "no connection");
  return client;
}

void ExpectAlive(Test& t, std::string_view what) {
  Client client = SafetyConnect(t, what);
  if (client.Once(Request(stun::Method::kBinding).Unsigned())) return;
  t.Expect(client.Once(AllocateRequest().Unsigned()).received(),
           "the server answers after " + std::string(what), "no answer");
}

bool SafetyRangeInUse(Test& t, const Client& client, const IpAddress& address) {
  const Target& target = t.target();
  std::vector<IpAddress> used = target.addresses;
  used.push_back(client.server().ip);
  used.push_back(client.local().ip);
  used.insert(used.end(), target.peers.local.begin(), target.peers.local.end());
  for (const auto& [key, endpoint] : target.endpoints) used.push_back(endpoint.ip);
  const IpAddress inner = EmbeddedV4(address);
  for (const SpecialRange& range : kSpecialRanges) {
    const IpAddress network = *IpAddress::Parse(range.network);
    if (!inner.InPrefix(network, range.prefix_length)) continue;
    for (const IpAddress& ip : used) {
      // A host with IPv4 loopback peers has them on IPv6 too.
      if (ip.InPrefix(network, range.prefix_length) || (ip.IsLoopback() && inner.IsLoopback()))
        return true;
    }
  }
  return false;
}

uint8_t SafetyFamily(const IpAddress& address) { return address.IsV6() ? 2 : 1; }

std::string SafetyJoin(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : "; ") + part;
  return out;
}

}  // namespace rtclab::conformance
