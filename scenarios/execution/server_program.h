// The STUN and TURN servers of a run, each on its host.
#ifndef RTCLAB_SCENARIOS_EXECUTION_SERVER_PROGRAM_H_
#define RTCLAB_SCENARIOS_EXECUTION_SERVER_PROGRAM_H_

#include <memory>
#include <string>
#include <vector>

#include "scenarios/run_spec.h"
#include "sim/topology/network.h"
#include "stack/base/ip_address.h"

namespace rtclab::scenarios {

// What clients have to know of a server.
struct ServerAccess {
  std::string name;
  bool turn = false;
  std::vector<TransportAddress> addresses;  // one of each family that it has
  std::string username, password;
  bool dual = false;  // relays both families
};

class ServerProgram {
 public:
  virtual ~ServerProgram() = default;
};

// Starts the program that `spec` describes; it runs until the returned object goes, which has to be before `network`.
// `spec` and `network` must outlive it.
std::unique_ptr<ServerProgram> StartServer(const ServerSpec& spec, sim::Network& network);

ServerAccess DescribeAccess(const ServerSpec& spec, const sim::Network& network);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_SERVER_PROGRAM_H_
