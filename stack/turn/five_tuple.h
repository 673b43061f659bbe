// What identifies an allocation: client address, server address and the transport between them (RFC 8656 section 2).
#ifndef RTCLAB_STACK_TURN_FIVE_TUPLE_H_
#define RTCLAB_STACK_TURN_FIVE_TUPLE_H_

#include <compare>
#include <cstdint>
#include <cstring>

#include "stack/base/ip_address.h"

namespace rtclab::turn {

// The transport between client and server (RFC 8656 section 3.1).
enum class ClientTransport : uint8_t { kUdp, kTcp, kTls, kDtls };

constexpr bool IsStream(ClientTransport transport) {
  return transport == ClientTransport::kTcp || transport == ClientTransport::kTls;
}

struct FiveTuple {
  TransportAddress client;
  TransportAddress server;
  ClientTransport transport = ClientTransport::kUdp;

  auto operator<=>(const FiveTuple&) const = default;
};

namespace internal {

// Mixes whole words (the multiply-xorshift finaliser of splitmix64): these hashes are on the path of every relayed packet.
constexpr uint64_t Mix(uint64_t h, uint64_t v) {
  h = (h ^ v) * 0xbf58476d1ce4e5b9;
  return h ^ (h >> 29);
}

inline uint64_t Word(const uint8_t* p) {
  uint64_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

inline uint64_t HashIp(const IpAddress& ip, uint64_t seed) {
  if (ip.IsV4()) return Mix(seed, ip.ToV4HostOrder());
  if (ip.IsV6()) return Mix(Mix(seed, Word(ip.bytes().data())), Word(ip.bytes().data() + 8));
  return seed;
}

}  // namespace internal

struct IpHash {
  std::size_t operator()(const IpAddress& ip) const { return internal::HashIp(ip, 1); }
};

struct AddressHash {
  std::size_t operator()(const TransportAddress& a) const { return internal::HashIp(a.ip, a.port); }
};

struct FiveTupleHash {
  std::size_t operator()(const FiveTuple& t) const {
    const uint64_t ports = uint64_t{t.client.port} << 32 | uint64_t{t.server.port} << 8 |
                           static_cast<uint64_t>(t.transport);
    return internal::HashIp(t.server.ip, internal::HashIp(t.client.ip, ports));
  }
};

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_FIVE_TUPLE_H_
