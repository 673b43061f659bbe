// Named access links. Each cites where its figures come from.
#ifndef RTCLAB_SCENARIOS_LINK_PRESETS_H_
#define RTCLAB_SCENARIOS_LINK_PRESETS_H_

#include <span>
#include <string_view>

#include "sim/link/link_behaviour.h"

namespace rtclab::scenarios {

struct LinkPreset {
  std::string_view name;
  sim::LinkSpec link;
  std::string_view source;
  std::string_view description;  // one sentence with the figures
};

// `fiber`, `cable`, `dsl`, `wifi`, `lte`, `3g`, `satellite`, in this order. The language's `perfect` is the absence of one.
std::span<const LinkPreset> LinkPresets();

// nullptr when there is no preset of that name.
const LinkPreset* FindLinkPreset(std::string_view name);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_LINK_PRESETS_H_
