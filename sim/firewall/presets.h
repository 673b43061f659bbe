// Named firewalls. Each cites where its behaviour comes from.
#ifndef RTCLAB_SIM_FIREWALL_PRESETS_H_
#define RTCLAB_SIM_FIREWALL_PRESETS_H_

#include <span>
#include <string_view>

#include "sim/firewall/rules.h"

namespace rtclab::sim {

struct FirewallPreset {
  std::string_view name;
  FirewallBehaviour behaviour;
  std::string_view source;       // RFC or vendor's document
  std::string_view description;  // one sentence
};

std::span<const FirewallPreset> FirewallPresets();

// nullptr when there is no preset of that name.
const FirewallPreset* FindFirewallPreset(std::string_view name);

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_FIREWALL_PRESETS_H_
