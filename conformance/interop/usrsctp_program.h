// The conversations with usrsctp: how a case is added, and what the groups of them share. They run side by side, once, when the first
// test asks for its own.
#ifndef RTCLAB_CONFORMANCE_INTEROP_USRSCTP_PROGRAM_H_
#define RTCLAB_CONFORMANCE_INTEROP_USRSCTP_PROGRAM_H_

#include <memory>
#include <string>
#include <vector>

#include "conformance/interop/usrsctp_lab.h"
#include "stack/datachannel/channel_manager.h"
#include "stack/sctp/association.h"

namespace rtclab::conformance {

using SctpCase = CaseOf<sctp::Association>;
using ChannelCase = CaseOf<datachannel::ChannelManager>;

// Who sends INIT. Data channels have both do it (RFC 8841 section 9.3).
enum class Role { kWeConnect, kTheyConnect, kBothConnect };
const char* NameOf(Role role);

sctp::AssociationConfig OurConfig(bool interleaving);

// Slices of one pool: making them while the conversations run would hold up their clocks.
inline constexpr std::size_t kLargestMessage = 1048576;
Bytes MessageBytes(std::size_t size, std::size_t seed);

// One message that arrived.
struct Arrival {
  uint16_t stream;
  uint32_t ppid;
  bool ordered;
  const Bytes* payload;
};

std::vector<Arrival> AtUsrsctp(const SctpCase& c);
std::vector<Arrival> AtOurs(const SctpCase& c);

// A list of cases that grows; a case's name is what its test is called.
class Program {
 public:
  Program();
  SctpCase& Add(const std::string& name, Role role, bool interleaving, int loss_percent = 0,
                int reorder_percent = 0);
  SctpCase& AddConfigured(const CaseOptions& options, const sctp::AssociationConfig& config,
                          Role role);
  void AddHandshakes();
  void AddTransfers();
  void AddExtras();
  void AddPartialReliability();
  void AddLongPartialReliability();
  void AddResets();
  void AddEnds();
  void AddDataChannels();
  // Runs all at the first call; what is left to do of the case, or nothing.
  std::string Outcome(const std::string& name);
  std::vector<std::string> Names() const;
  // How long the case took, from the start of all.
  TimeDelta Took(const std::string& name) const;

 private:
  UsrsctpLibrary library_;
  std::vector<std::unique_ptr<InteropCase>> cases_;
  bool ran_ = false;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_INTEROP_USRSCTP_PROGRAM_H_
