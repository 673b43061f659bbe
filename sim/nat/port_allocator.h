// Which external port a new mapping gets: RFC 4787 section 4.2.
#ifndef RTCLAB_SIM_NAT_PORT_ALLOCATOR_H_
#define RTCLAB_SIM_NAT_PORT_ALLOCATOR_H_

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sim/nat/behaviour.h"
#include "sim/trace/packet_info.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"

namespace rtclab::sim {

class PortAllocator {
 public:
  struct Request {
    IpProtocol protocol = IpProtocol::kUdp;
    TransportAddress internal;
    // RFC 4787 section 4.2.3: the port wanted because the one below it belongs to the host's port below.
    std::optional<uint16_t> contiguous;
    // With port overlapping: whether a port that others use already is free towards this destination.
    std::function<bool(uint16_t port)> free_towards_destination;
  };

  // `addresses`: how many external addresses there are; they are named by index from here on.
  PortAllocator(const NatBehaviour& behaviour, std::size_t addresses);

  // A port on that address, or nullopt when none is left. Does not take it.
  std::optional<uint16_t> Choose(std::size_t address, const Request& request, Rng& rng);
  void Take(IpProtocol protocol, std::size_t address, uint16_t port);
  // `internal` held the port until `at`. For port_reuse_delay from then on, only it gets the port back (RFC 6888 REQ-8).
  void Release(IpProtocol protocol, std::size_t address, uint16_t port, const IpAddress& internal,
               Timestamp at);
  // Frees the ports whose delay has passed at `now`.
  void Advance(Timestamp now);

 private:
  struct Range {
    uint32_t low, high;
    uint32_t step;  // 2 where parity counts
    uint32_t Count() const { return low > high ? 0 : (high - low) / step + 1; }
  };
  // The ports of one protocol on one address.
  struct Ports {
    std::array<uint64_t, 1024> taken{};
    std::optional<uint32_t> last;                    // given; kSequential goes on from here
    std::unordered_map<uint16_t, uint32_t> sharers;  // mappings on a port beyond the first
    bool IsTaken(uint32_t port) const { return taken[port / 64] >> (port % 64) & 1; }
  };
  // A port that is free again, but not yet for everybody.
  struct Resting {
    Timestamp until;
    IpAddress internal;  // whose it was
  };
  using PortName = std::pair<std::size_t, uint16_t>;  // index into ports_, port
  struct Mode {
    bool overlap = false;  // a taken port will do if its destinations differ
    bool pair = false;     // the port above must be free too
  };

  static std::size_t IndexOf(IpProtocol protocol, std::size_t address);
  Ports& PortsOf(std::size_t index);
  Range RangeFor(const Request& request) const;
  bool Usable(std::size_t index, uint32_t port, const Request& request, Mode mode) const;
  std::optional<uint16_t> Search(std::size_t index, const Range& range, uint32_t start,
                                 const Request& request, Mode mode) const;
  uint32_t StartOfSearch(std::size_t index, const Range& range, const Request& request, Rng& rng);

  const NatBehaviour behaviour_;
  std::vector<std::unique_ptr<Ports>> ports_;
  std::map<PortName, Resting> resting_;
  std::deque<std::pair<Timestamp, PortName>> resting_order_;  // releases come in order of time
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_NAT_PORT_ALLOCATOR_H_
