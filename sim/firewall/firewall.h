// A stateful firewall as a pure model: a packet's addresses in, a verdict out, time pushed in.
#ifndef RTCLAB_SIM_FIREWALL_FIREWALL_H_
#define RTCLAB_SIM_FIREWALL_FIREWALL_H_

#include <memory>

#include "sim/firewall/rules.h"
#include "sim/trace/packet_info.h"
#include "stack/base/units.h"

namespace rtclab::sim {

class Firewall {
 public:
  explicit Firewall(const FirewallBehaviour& behaviour);
  ~Firewall();
  Firewall(Firewall&&) noexcept;
  Firewall& operator=(Firewall&&) noexcept;

  // Never kHairpin, and never rewrites: the verdict's tuple is the packet's. The verdict's `rule`
  // stays valid while the firewall (or the one it was moved to) lives. `now` never goes back
  // between calls.
  Verdict Outbound(Timestamp now, const PacketInfo& packet);
  Verdict Inbound(Timestamp now, const PacketInfo& packet);

  const FirewallBehaviour& behaviour() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_FIREWALL_FIREWALL_H_
