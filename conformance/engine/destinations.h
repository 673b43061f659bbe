// Where packets may go: the one place that decides it. Nothing is sent, by us or through the relay, to an address that the user did
// not name and that is not ours.
#ifndef RTCLAB_CONFORMANCE_ENGINE_DESTINATIONS_H_
#define RTCLAB_CONFORMANCE_ENGINE_DESTINATIONS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "conformance/engine/target.h"
#include "stack/base/bytes.h"
#include "stack/base/ip_address.h"
#include "stack/stun/message.h"

namespace rtclab::conformance {

class Destinations {
 public:
  Destinations() = default;
  // The server's endpoints and further addresses, the peers, and the destinations of safety probes that `target` names.
  explicit Destinations(const Target& target);

  // An address of this host, where peers are.
  void AddOwn(const IpAddress& address) { own_.insert(address); }

  // Whether we may send there: the server, ourselves, a peer that the user named.
  bool MaySend(const IpAddress& address) const;
  // Whether the server may be made to send there: as above, the address that the profile says is refused, documentation addresses
  // (RFC 5737, RFC 3849), which belong to nobody; in safety cases the destinations named for them.
  bool MayRelay(const IpAddress& address, bool safety) const;

  // What a message to the server would make it send to: the peer of a Send indication, a Connect request or, with `channels` (as bound by
  // what was sent before on this 5-tuple), of ChannelData. Remembers ChannelBind requests in `channels`. Returns the peer if it may
  // not be sent to. Malformed messages are looked at as leniently as a careless server would.
  std::optional<IpAddress> Offence(ByteView message, bool safety,
                                   std::map<uint16_t, IpAddress>& channels) const;

 private:
  std::set<IpAddress> server_, own_, probes_;
  std::optional<IpAddress> denied_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_DESTINATIONS_H_
