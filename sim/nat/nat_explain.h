// The sentences that go with a NAT's drops. Only built when a packet is dropped.
#ifndef RTCLAB_SIM_NAT_NAT_EXPLAIN_H_
#define RTCLAB_SIM_NAT_NAT_EXPLAIN_H_

#include <deque>
#include <string>

#include "sim/nat/nat_table.h"
#include "sim/trace/packet_info.h"

namespace rtclab::sim {

// Remembers the last mappings to expire, so that a drop can say "too late" instead of "never".
class ExpiredMappings {
 public:
  void Add(const NatTable::Expired& expired);
  // The last mapping that used the external endpoint; nullptr when none did among the last 1,024 to expire.
  const NatTable::Expired* Find(IpProtocol protocol, const TransportAddress& external) const;

 private:
  std::deque<NatTable::Expired> last_;
};

// A drop of `packet` by `rule`.
Verdict Drop(const PacketInfo& packet, const char* rule, std::string detail);

// "203.0.113.7:4242", or "203.0.113.7 (identifier 7)" for ICMP.
std::string Endpoint(IpProtocol protocol, const TransportAddress& address);

// `mapping`: any of those that have the external endpoint; the sentence is about all of them.
Verdict DropFiltered(const NatTable& table, uint32_t mapping, const PacketInfo& packet,
                     const TransportAddress& source, const char* rule);
Verdict DropNoMapping(const ExpiredMappings& expired, const PacketInfo& packet, bool identity);
Verdict DropIcmpError(const PacketInfo& packet, bool outbound);

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_NAT_NAT_EXPLAIN_H_
