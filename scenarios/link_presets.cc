#include "scenarios/link_presets.h"

#include <array>

namespace rtclab::scenarios {
namespace {

using sim::LinkBehaviour;
using sim::LinkSpec;

constexpr LinkBehaviour Direction(DataRate rate, TimeDelta delay, TimeDelta jitter, double loss) {
  LinkBehaviour link;
  link.rate = rate;
  link.delay = delay;
  link.jitter = jitter;
  link.loss = loss;
  return link;
}

// One way is half of the measured round trip. Jitter is ours unless the source gives it. Rates of the fixed lines are
// those of common tariffs: the cited reports show that fixed lines deliver what is advertised.
constexpr std::array<LinkPreset, 7> kPresets = {{
    {"fiber",
     {Direction(DataRate::MegabitsPerSec(300), TimeDelta::Millis(12), TimeDelta::Micros(500), 0),
      Direction(DataRate::MegabitsPerSec(300), TimeDelta::Millis(12), TimeDelta::Micros(500), 0)},
     "FCC, 2014 Measuring Broadband America Fixed Broadband Report: fiber-to-the-home averaged 24 "
     "ms of round trip in the "
     "peak period",
     "300 Mbit/s both ways, 12 ms, jitter 0.5 ms"},
    {"cable",
     {Direction(DataRate::MegabitsPerSec(10), TimeDelta::Millis(16), TimeDelta::Millis(2), 0.001),
      Direction(DataRate::MegabitsPerSec(100), TimeDelta::Millis(16), TimeDelta::Millis(1), 0.001)},
     "FCC, 2014 Measuring Broadband America Fixed Broadband Report: cable averaged 32 ms of round "
     "trip; loss inside the "
     "lowest class (under 0.4 %) of the Ninth Report's chart 8",
     "10 Mbit/s up, 100 Mbit/s down, 16 ms, jitter 2 ms up and 1 ms down, loss 0.1 %"},
    {"dsl",
     {Direction(DataRate::MegabitsPerSec(1), TimeDelta::Micros(24'500), TimeDelta::Millis(2),
                0.002),
      Direction(DataRate::MegabitsPerSec(12), TimeDelta::Micros(24'500), TimeDelta::Millis(1),
                0.002)},
     "FCC, 2014 Measuring Broadband America Fixed Broadband Report: DSL averaged 49 ms of round "
     "trip; loss inside the "
     "lowest class (under 0.4 %) of the Ninth Report's chart 8",
     "1 Mbit/s up, 12 Mbit/s down, 24.5 ms, jitter 2 ms up and 1 ms down, loss 0.2 %"},
    {"wifi",
     {Direction(DataRate::MegabitsPerSec(50), TimeDelta::Millis(5), TimeDelta::Micros(7'500), 0),
      Direction(DataRate::MegabitsPerSec(50), TimeDelta::Millis(5), TimeDelta::Micros(7'500), 0)},
     "Pei et al., WiFi can be the weakest link of round trip network latency in the wild, INFOCOM "
     "2016: more than half "
     "of the packets spend over 20 ms in the Wi-Fi hop's round trip; 802.11 retransmits, so loss "
     "shows as jitter",
     "50 Mbit/s both ways, 5 ms, jitter 7.5 ms"},
    {"lte",
     {Direction(DataRate::KilobitsPerSec(13'600), TimeDelta::Micros(26'550), TimeDelta::Millis(5),
                0),
      Direction(DataRate::KilobitsPerSec(14'700), TimeDelta::Micros(26'550), TimeDelta::Millis(5),
                0)},
     "Ofcom, Measuring mobile broadband performance in the UK, April 2015: 4G averaged 14.7 Mbit/s "
     "down, 13.6 Mbit/s up, "
     "53.1 ms of latency; the radio link retransmits, so loss shows as jitter",
     "13.6 Mbit/s up, 14.7 Mbit/s down, 26.55 ms, jitter 5 ms"},
    {"3g",
     {Direction(DataRate::KilobitsPerSec(1'600), TimeDelta::Micros(31'750), TimeDelta::Millis(15),
                0),
      Direction(DataRate::KilobitsPerSec(5'900), TimeDelta::Micros(31'750), TimeDelta::Millis(15),
                0)},
     "Ofcom, Measuring mobile broadband performance in the UK, April 2015: 3G averaged 5.9 Mbit/s "
     "down, 1.6 Mbit/s up, "
     "63.5 ms of latency; the radio link retransmits, so loss shows as jitter",
     "1.6 Mbit/s up, 5.9 Mbit/s down, 31.75 ms, jitter 15 ms"},
    {"satellite",
     {Direction(DataRate::KilobitsPerSec(3'380), TimeDelta::Millis(300), TimeDelta::Millis(15), 0),
      Direction(DataRate::KilobitsPerSec(18'130), TimeDelta::Millis(300), TimeDelta::Millis(15),
                0)},
     "Geostationary. Huston, Using LEOs and GEOs, APNIC Labs 2022: around 600 ms of round trip; "
     "Ookla, Speedtest "
     "Intelligence Q2 2021: Viasat's medians 18.13 Mbit/s down, 3.38 Mbit/s up",
     "3.38 Mbit/s up, 18.13 Mbit/s down, 300 ms, jitter 15 ms"},
}};

}  // namespace

std::span<const LinkPreset> LinkPresets() { return kPresets; }

const LinkPreset* FindLinkPreset(std::string_view name) {
  for (const LinkPreset& preset : kPresets) {
    if (preset.name == name) return &preset;
  }
  return nullptr;
}

}  // namespace rtclab::scenarios
