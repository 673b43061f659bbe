// What a probe cluster measured, as deployed in libwebrtc.
#ifndef RTCLAB_STACK_CONGESTION_PROBE_ESTIMATOR_H_
#define RTCLAB_STACK_CONGESTION_PROBE_ESTIMATOR_H_

#include <optional>

#include "stack/base/ring.h"
#include "stack/base/units.h"
#include "stack/congestion/types.h"

namespace rtclab::congestion {

class ProbeEstimator {
 public:
  // A cluster whose packets will be reported.
  void AddCluster(Timestamp now, const ProbeCluster& cluster);
  // A received packet of a cluster. Gives an estimate once 80 % of the cluster's packets and bytes
  // have arrived, and again with each further packet: the lesser of the rates it left and arrived
  // with, and 95 % of the latter if that is clearly less (below 90 %), since the probe then filled
  // the path. No estimate from an arrival at more than twice the rate of departure or from spans of
  // more than a second.
  std::optional<DataRate> OnPacket(const PacketResult& packet);

 private:
  struct Cluster {
    ProbeCluster cluster;
    Timestamp added;
    int packets = 0;
    DataSize size;
    Timestamp first_sent;
    Timestamp last_sent;
    DataSize last_sent_size;
    Timestamp first_received;
    Timestamp last_received;
    DataSize first_received_size;
  };
  static std::optional<DataRate> Estimate(const Cluster& cluster);

  Ring<Cluster> clusters_;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_PROBE_ESTIMATOR_H_
