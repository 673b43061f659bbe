// The faults that the catalogue has to catch: one row each, with the clause it breaks, how it is made, and who notices.
#ifndef RTCLAB_CONFORMANCE_MUTATION_FAULT_H_
#define RTCLAB_CONFORMANCE_MUTATION_FAULT_H_

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/mutation/stun_edit.h"
#include "conformance/server/turn_host.h"

namespace rtclab::conformance {

// What a fault remembers. Used on the server's thread only.
struct FaultMemory {
  std::map<std::string, Bytes> kept;
  std::set<turn::FiveTuple> seen;
  int count = 0;
};

// A STUN message to or from a client.
struct Passing {
  StunEdit& message;
  const turn::FiveTuple& tuple;
  const StunEdit* request;   // of a response, as the client sent it; null: not known
  TransportAddress* source;  // of a response over UDP: where it leaves from; null on the way in
  FaultMemory& memory;
  const std::vector<TransportAddress>& listening;  // the server's UDP addresses
};

struct Fault {
  std::string_view id;
  std::string_view what;  // "The server ..."
  // The clause it breaks, as in Clause: RFC and section, or the source of a safety rule and nothing.
  std::string_view rfc;
  std::string_view section;
  // Cases that fail of it and rest on that clause; empty: none does, see `survives`.
  std::vector<std::string_view> killers;

  // How: at least one of these. Functions return false to drop the message. What is signed is signed again.
  bool turn::ServerQuirks::*quirk = nullptr;
  void (*configure)(HostConfig&) = nullptr;
  bool (*response)(Passing&) = nullptr;                           // STUN messages to a client
  bool (*request)(Passing&) = nullptr;                            // STUN messages of a client
  bool (*to_client)(const turn::FiveTuple&, Bytes&) = nullptr;    // all messages, as bytes
  bool (*from_client)(const turn::FiveTuple&, Bytes&) = nullptr;  // the same
  bool (*to_peer)(Transmit&) = nullptr;
  bool (*from_peer)(const TransportAddress& peer, Bytes&) = nullptr;
  bool (*from_stream)(const turn::FiveTuple&, Bytes&, FaultMemory&) = nullptr;
  bool closes_after_answer = false;
  int copies_to_client = 1, copies_to_peer = 1;  // of relayed data
  std::string_view survives = {};                // why nothing notices
};

// All of them, in the order of the table in README.md.
const std::vector<Fault>& Faults();

// One file a subject.
void AddHeaderFaults(std::vector<Fault>& faults);
void AddErrorFaults(std::vector<Fault>& faults);
void AddAuthenticationFaults(std::vector<Fault>& faults);
void AddAllocationFaults(std::vector<Fault>& faults);
void AddRelayFaults(std::vector<Fault>& faults);
void AddExtensionFaults(std::vector<Fault>& faults);
void AddSafetyFaults(std::vector<Fault>& faults);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_MUTATION_FAULT_H_
