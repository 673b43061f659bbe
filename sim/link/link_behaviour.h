// What a link does to packets, one direction. Everything is drawn from the link's own random
// stream.
#ifndef RTCLAB_SIM_LINK_LINK_BEHAVIOUR_H_
#define RTCLAB_SIM_LINK_LINK_BEHAVIOUR_H_

#include <optional>

#include "stack/base/units.h"

namespace rtclab::sim {

// Two-state Markov loss (Gilbert 1960, Elliott 1963): the chain steps once a packet.
struct GilbertElliott {
  double p_good_to_bad = 0;
  double p_bad_to_good = 1;
  double loss_good = 0;
  double loss_bad = 1;

  bool operator==(const GilbertElliott&) const = default;
};

struct LinkBehaviour {
  DataRate rate = DataRate::PlusInfinity();
  TimeDelta delay;       // propagation, one way
  TimeDelta jitter;      // standard deviation of the extra delay, which is |Normal(0, jitter)|
  bool reorder = false;  // jitter may reorder; otherwise a packet never overtakes the one before it
  double loss = 0;       // independent, 0 to 1
  std::optional<GilbertElliott> burst_loss;
  double duplication = 0;  // probability that a packet arrives twice
  double corruption = 0;   // probability that one bit flips (the receiver's checksum then drops it,
                           // with that reason)
  int queue_packets = 1000;  // drop-tail; counts packets waiting, not the one being sent
  int64_t queue_bytes = 0;   // a further limit of the same queue; 0: none
  int mtu = 1500;            // bytes of IP packet

  bool operator==(const LinkBehaviour&) const = default;
};

// New figures for a link in use; what is absent stays.
struct LinkChange {
  std::optional<DataRate> rate;
  std::optional<TimeDelta> delay;
  std::optional<double> loss;  // independent, 0 to 1
};

struct LinkSpec {
  LinkBehaviour up;  // from the network or host towards the internet
  LinkBehaviour down;

  bool operator==(const LinkSpec&) const = default;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_LINK_LINK_BEHAVIOUR_H_
