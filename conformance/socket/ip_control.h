// IpMarks as the control messages of sendmsg(2) and recvmsg(2); for this folder only.
#ifndef RTCLAB_CONFORMANCE_SOCKET_IP_CONTROL_H_
#define RTCLAB_CONFORMANCE_SOCKET_IP_CONTROL_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "conformance/socket/ip_marks.h"

namespace rtclab::conformance {

// Room for the traffic class and the hop limit.
struct alignas(cmsghdr) ControlBuffer {
  std::array<uint8_t, 2 * CMSG_SPACE(sizeof(int))> bytes;
};

// Makes `message` carry the marks in `buffer`; nothing for what is the system's default. DF is a socket option.
inline void StoreMarks(const IpMarks& marks, bool ipv6, ControlBuffer& buffer, msghdr& message) {
  message.msg_control = nullptr;
  message.msg_controllen = 0;
  std::size_t used = 0;
  const auto append = [&](int level, int type, int value) {
    auto* const header = reinterpret_cast<cmsghdr*>(buffer.bytes.data() + used);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(CMSG_DATA(header), &value, sizeof value);
    used += CMSG_SPACE(sizeof value);
  };
  if (marks.traffic_class() != 0) {
    append(ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_TCLASS : IP_TOS, marks.traffic_class());
  }
  if (marks.hop_limit != 0) {
    append(ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_HOPLIMIT : IP_TTL, marks.hop_limit);
  }
  if (used == 0) return;
  message.msg_control = buffer.bytes.data();
  message.msg_controllen = used;
}

// What recvmsg() told of a datagram.
inline IpMarks LoadMarks(const msghdr& message) {
  IpMarks marks;
  auto* const m = const_cast<msghdr*>(&message);  // CMSG_NXTHDR asks for it and changes nothing
  for (cmsghdr* c = CMSG_FIRSTHDR(m); c != nullptr; c = CMSG_NXTHDR(m, c)) {
    const bool v4 = c->cmsg_level == IPPROTO_IP;
    const bool v6 = c->cmsg_level == IPPROTO_IPV6;
    if (v4 && c->cmsg_type == IP_TOS) {
      marks.set_traffic_class(*CMSG_DATA(c));  // one octet, unlike the others
    } else if ((v6 && c->cmsg_type == IPV6_TCLASS) || (v4 && c->cmsg_type == IP_TTL) ||
               (v6 && c->cmsg_type == IPV6_HOPLIMIT)) {
      int value = 0;
      std::memcpy(&value, CMSG_DATA(c), sizeof value);
      if (v6 && c->cmsg_type == IPV6_TCLASS) {
        marks.set_traffic_class(static_cast<uint8_t>(value));
      } else {
        marks.hop_limit = static_cast<uint8_t>(value);
      }
    }
  }
  return marks;
}

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_IP_CONTROL_H_
