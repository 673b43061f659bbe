// A place to stand between a server and its sockets: what changes messages on their way makes a faulty server of a right one.
#ifndef RTCLAB_CONFORMANCE_SERVER_TAMPER_H_
#define RTCLAB_CONFORMANCE_SERVER_TAMPER_H_

#include "stack/base/bytes.h"
#include "stack/base/datagram.h"
#include "stack/turn/five_tuple.h"

namespace rtclab::conformance {

// Every function may change the bytes; false drops them. Called on the host's thread.
class Tamper {
 public:
  virtual ~Tamper() = default;
  // A message of a client, whole, before the server sees it.
  virtual bool FromClient(const turn::FiveTuple&, Bytes&) { return true; }
  // A message to a client. `source`: the address that it leaves from over UDP; another one of the server's may be set.
  virtual bool ToClient(const turn::FiveTuple&, Bytes&, TransportAddress& /*source*/) {
    return true;
  }
  // A datagram to a peer, and from one.
  virtual bool ToPeer(Transmit&) { return true; }
  virtual bool FromPeer(const TransportAddress& /*peer*/, const TransportAddress& /*relayed*/,
                        Bytes&) {
    return true;
  }
  // What was read of a client's TCP or TLS connection, before messages are cut out of it.
  virtual bool FromStream(const turn::FiveTuple&, Bytes&) { return true; }
  // Whether the client's connection is closed after this message.
  virtual bool ClosesAfter(const turn::FiveTuple&, ByteView) { return false; }
  // How often a datagram goes out.
  virtual int CopiesToClient(ByteView) { return 1; }
  virtual int CopiesToPeer(const Transmit&) { return 1; }
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SERVER_TAMPER_H_
