// What the firewall tests have in common: short names for addresses and packets.
#ifndef RTCLAB_SIM_FIREWALL_FIREWALL_TEST_UTIL_H_
#define RTCLAB_SIM_FIREWALL_FIREWALL_TEST_UTIL_H_

#include <string>
#include <string_view>

#include "sim/firewall/firewall.h"

namespace rtclab::sim {

inline TransportAddress At(std::string_view text) { return TransportAddress::Parse(text).value(); }
inline IpAddress Ip(std::string_view text) { return IpAddress::Parse(text).value(); }
inline Timestamp Sec(int64_t s) { return Timestamp::Seconds(s); }

inline const TransportAddress kHost = At("192.0.2.10:40000");    // protected
inline const TransportAddress kServer = At("203.0.113.9:3478");  // not

inline PacketInfo Udp(const TransportAddress& source, const TransportAddress& destination) {
  PacketInfo p;
  p.tuple = {IpProtocol::kUdp, source, destination};
  return p;
}
inline PacketInfo TcpSegment(const TransportAddress& source, const TransportAddress& destination,
                             bool syn, bool ack) {
  PacketInfo p;
  p.tuple = {IpProtocol::kTcp, source, destination};
  p.tcp_syn = syn;
  p.tcp_ack = ack;
  return p;
}
inline PacketInfo Echo(const IpAddress& source, const IpAddress& destination, uint16_t identifier,
                       bool reply) {
  PacketInfo p;
  p.tuple = {IpProtocol::kIcmp, {source, identifier}, {destination, identifier}};
  p.icmp_echo_reply = reply;
  return p;
}
inline PacketInfo IcmpError(std::string_view source, std::string_view destination,
                            const FlowTuple& quoted) {
  PacketInfo p;
  p.tuple = {IpProtocol::kIcmp, {Ip(source), 0}, {Ip(destination), 0}};
  p.icmp_error = IcmpEmbedded{3, 3, quoted};
  return p;
}

// "" when it passes, else the rule.
inline std::string Result(const Verdict& verdict) { return verdict.dropped() ? verdict.rule : ""; }
inline std::string Out(Firewall& firewall, Timestamp now, const PacketInfo& packet) {
  return Result(firewall.Outbound(now, packet));
}
inline std::string In(Firewall& firewall, Timestamp now, const PacketInfo& packet) {
  return Result(firewall.Inbound(now, packet));
}

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_FIREWALL_FIREWALL_TEST_UTIL_H_
