// Longest-prefix routes to ports.
#ifndef RTCLAB_SIM_IP_ROUTE_TABLE_H_
#define RTCLAB_SIM_IP_ROUTE_TABLE_H_

#include <cstdint>
#include <vector>

#include "stack/base/ip_address.h"

namespace rtclab::sim {

class RouteTable {
 public:
  static constexpr int kNone = -1;

  // Several ports may have a route to the same prefix: the one added first wins where any will do.
  void Add(const IpAddress& prefix, int length, int port);
  // The port of the longest prefix that holds `address`; with `only`, among that port's routes.
  int Find(const IpAddress& address, int only = kNone) const;

 private:
  struct Key {
    uint64_t high = 0, low = 0;
    auto operator<=>(const Key&) const = default;
  };
  struct Entry {
    AddressFamily family;
    int length;
    Key key;
    int port;
  };
  struct Level {  // all entries of one family and length
    AddressFamily family;
    int length;
    std::size_t begin, end;
  };

  static Key ToKey(const IpAddress& address);
  static Key Mask(Key key, int length);
  void Sort() const;

  // Sorted by family, length (longest first) and key when a look-up needs it.
  mutable std::vector<Entry> entries_;
  mutable std::vector<Level> levels_;
  mutable bool sorted_ = true;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_IP_ROUTE_TABLE_H_
