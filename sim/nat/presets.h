// Named NATs. Each cites where its behaviour comes from.
#ifndef RTCLAB_SIM_NAT_PRESETS_H_
#define RTCLAB_SIM_NAT_PRESETS_H_

#include <span>
#include <string_view>

#include "sim/nat/behaviour.h"

namespace rtclab::sim {

struct NatPreset {
  std::string_view name;
  NatBehaviour behaviour;
  std::string_view source;       // RFC, paper or vendor's document
  std::string_view description;  // one sentence
};

// 15 presets in a fixed order. "No NAT" is not among them: it is the absence of one (LanSpec::nat),
// which the scenario language calls `none`.
std::span<const NatPreset> NatPresets();

// nullptr when there is no preset of that name.
const NatPreset* FindNatPreset(std::string_view name);

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_NAT_PRESETS_H_
