// What a LAN's gateway does between inside and outside: the firewall, then the NAT beyond it.
#ifndef RTCLAB_SIM_IP_GATEWAY_H_
#define RTCLAB_SIM_IP_GATEWAY_H_

#include <optional>
#include <string>

#include "sim/firewall/firewall.h"
#include "sim/nat/nat.h"
#include "sim/trace/packet_info.h"
#include "stack/base/units.h"

namespace rtclab::sim {

class Gateway {
 public:
  // `lan`: names the two in traces: "nat/<lan>", "firewall/<lan>".
  Gateway(const std::string& lan, std::optional<Nat> nat, std::optional<Firewall> firewall);

  // Forgets every mapping and flow, as a power cycle does; `rng` makes the ports from now on.
  void Reboot(Rng rng);

  // A verdict, and which of the two gave it.
  struct Decision {
    Verdict verdict;
    const std::string* where = nullptr;
    bool changed = false;  // the verdict's tuple or quoted tuple differs from the packet's
  };

  Decision Outbound(Timestamp now, const PacketInfo& packet);
  Decision Inbound(Timestamp now, const PacketInfo& packet);

  const Nat* nat() const { return nat_ ? &*nat_ : nullptr; }
  const Firewall* firewall() const { return firewall_ ? &*firewall_ : nullptr; }
  const std::string& nat_name() const { return nat_name_; }
  // One of the NAT's addresses, so that packets for it from inside are the NAT's business.
  bool IsExternal(const IpAddress& address) const { return nat_ && nat_->IsExternal(address); }

 private:
  std::string nat_name_, firewall_name_;
  std::optional<Nat> nat_;
  std::optional<Firewall> firewall_;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_IP_GATEWAY_H_
