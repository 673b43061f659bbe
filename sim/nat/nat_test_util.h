// What the NAT tests have in common: short names for addresses and packets.
#ifndef RTCLAB_SIM_NAT_NAT_TEST_UTIL_H_
#define RTCLAB_SIM_NAT_NAT_TEST_UTIL_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <string_view>

#include "sim/nat/nat.h"
#include "sim/nat/nat_rules.h"

namespace rtclab::sim {

inline TransportAddress Host(uint8_t number, uint16_t port) {
  return {IpAddress::V4(10, 0, 0, number), port};
}

inline TransportAddress At(std::string_view text) { return TransportAddress::Parse(text).value(); }
inline IpAddress Ip(std::string_view text) { return IpAddress::Parse(text).value(); }

// Hosts inside, the NAT's address, and servers outside.
inline const TransportAddress kAlice = At("10.0.0.2:40000");
inline const TransportAddress kBob = At("10.0.0.3:40000");
inline const TransportAddress kPeer = At("203.0.113.9:3478");
inline const TransportAddress kPeerOtherPort = At("203.0.113.9:3479");
inline const TransportAddress kOther = At("203.0.113.7:4242");
inline constexpr std::string_view kPublic = "198.51.100.2";

inline PacketInfo Udp(const TransportAddress& source, const TransportAddress& destination) {
  PacketInfo p;
  p.tuple = {IpProtocol::kUdp, source, destination};
  p.size = 100;
  return p;
}

enum class Tcp { kSyn, kSynAck, kAck, kFin, kRst };
inline PacketInfo TcpSegment(const TransportAddress& source, const TransportAddress& destination,
                             Tcp kind) {
  PacketInfo p;
  p.tuple = {IpProtocol::kTcp, source, destination};
  p.tcp_syn = kind == Tcp::kSyn || kind == Tcp::kSynAck;
  p.tcp_ack = kind != Tcp::kSyn && kind != Tcp::kRst;
  p.tcp_fin = kind == Tcp::kFin;
  p.tcp_rst = kind == Tcp::kRst;
  return p;
}

inline PacketInfo Echo(std::string_view source, std::string_view destination, uint16_t identifier,
                       bool reply = false) {
  PacketInfo p;
  p.tuple = {IpProtocol::kIcmp, {Ip(source), identifier}, {Ip(destination), identifier}};
  p.icmp_echo_reply = reply;
  return p;
}

// An error from `source` to `destination` that quotes `quoted`.
inline PacketInfo IcmpError(std::string_view source, std::string_view destination,
                            const FlowTuple& quoted, uint8_t type = 3, uint8_t code = 3) {
  PacketInfo p;
  p.tuple = {IpProtocol::kIcmp, {Ip(source), 0}, {Ip(destination), 0}};
  p.icmp_error = IcmpEmbedded{type, code, quoted};
  return p;
}

inline Nat MakeNat(const NatBehaviour& behaviour, uint64_t seed = 1) {
  return Nat(behaviour, {Ip(kPublic)}, Rng(seed, "nat/test/ports"));
}

// The external endpoint that an outbound UDP packet gets; fails the test when it is dropped.
inline TransportAddress Send(Nat& nat, Timestamp now, const TransportAddress& source,
                             const TransportAddress& destination) {
  const Verdict v = nat.Outbound(now, Udp(source, destination));
  EXPECT_EQ(v.action, Verdict::Action::kForward) << v.detail;
  EXPECT_EQ(v.tuple.destination, destination);
  return v.tuple.source;
}

// "" when an inbound UDP packet arrives at `internal`; the rule that dropped it, or where else it went.
inline std::string Receive(Nat& nat, Timestamp now, const TransportAddress& source,
                           const TransportAddress& external, const TransportAddress& internal) {
  const Verdict v = nat.Inbound(now, Udp(source, external));
  if (v.dropped()) {
    EXPECT_FALSE(v.detail.empty());
    EXPECT_EQ(v.tuple, (FlowTuple{IpProtocol::kUdp, source, external}));
    return v.rule;
  }
  EXPECT_TRUE(v.detail.empty());
  EXPECT_EQ(v.tuple.source, source);
  return v.tuple.destination == internal ? "" : "went to " + v.tuple.destination.ToString();
}

inline Timestamp Sec(int64_t s) { return Timestamp::Seconds(s); }

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_NAT_NAT_TEST_UTIL_H_
