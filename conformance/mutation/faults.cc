#include "conformance/mutation/fault.h"

namespace rtclab::conformance {

const std::vector<Fault>& Faults() {
  static const std::vector<Fault> faults = [] {
    std::vector<Fault> all;
    AddHeaderFaults(all);
    AddErrorFaults(all);
    AddAuthenticationFaults(all);
    AddAllocationFaults(all);
    AddRelayFaults(all);
    AddExtensionFaults(all);
    AddSafetyFaults(all);
    return all;
  }();
  return faults;
}

}  // namespace rtclab::conformance
