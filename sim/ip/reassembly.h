// Puts fragments together again (RFC 791 section 3.2, RFC 8200 section 4.5).
#ifndef RTCLAB_SIM_IP_REASSEMBLY_H_
#define RTCLAB_SIM_IP_REASSEMBLY_H_

#include <map>
#include <optional>
#include <tuple>

#include "sim/trace/ip_view.h"
#include "stack/base/bytes.h"
#include "stack/base/units.h"

namespace rtclab::sim {

class Reassembler {
 public:
  // RFC 1122 section 3.3.2: 60 to 120 s; RFC 8200 section 4.5: 60 s.
  static constexpr TimeDelta kTimeout = TimeDelta::Seconds(60);
  static constexpr std::size_t kMaxDatagrams = 1024;  // under way at once; the oldest gives way

  // Takes a fragment; the whole packet, without any fragment header, when it was the last one that
  // was missing. Overlapping fragments end the datagram (RFC 5722; harsher than RFC 791 for IPv4).
  std::optional<Bytes> Add(Timestamp now, ByteView packet, const IpView& view);

 private:
  using Key = std::tuple<IpAddress, IpAddress, uint8_t, uint32_t>;
  struct Datagram {
    Timestamp started;
    Bytes header;                     // of the first fragment, IPv6 without its fragment header
    std::map<uint32_t, Bytes> parts;  // by offset
    std::optional<uint32_t> size;     // of the payload, from the last fragment
    uint32_t received = 0;
  };

  static Bytes Join(const Datagram& datagram);
  void Expire(Timestamp now);

  std::map<Key, Datagram> datagrams_;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_IP_REASSEMBLY_H_
