// The bytes that a case exchanged with the server and with peers, for reports and captures.
#ifndef RTCLAB_CONFORMANCE_ENGINE_EXCHANGE_H_
#define RTCLAB_CONFORMANCE_ENGINE_EXCHANGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "conformance/socket/channel.h"
#include "stack/base/bytes.h"
#include "stack/base/ip_address.h"
#include "stack/base/units.h"

namespace rtclab::conformance {

struct Packet {
  Timestamp at;               // since the run began
  bool sent = false;          // by us
  Transport transport{};      // to a peer: kUdp or kTcp
  std::string who{};          // "client", "client 2", "peer": which of our own ends
  TransportAddress local{};   // that end's address
  TransportAddress remote{};  // the other end's
  Bytes bytes{};              // above the transport: what TLS and DTLS protect is here in clear
  std::string note{};  // a packet without bytes: an event ("connection closed by the server")
};

using Exchange = std::vector<Packet>;

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_EXCHANGE_H_
