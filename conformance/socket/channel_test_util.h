// What tests of channels share: patience, and an EchoServer's ports.
#ifndef RTCLAB_CONFORMANCE_SOCKET_CHANNEL_TEST_UTIL_H_
#define RTCLAB_CONFORMANCE_SOCKET_CHANNEL_TEST_UTIL_H_

#include <string>

#include "conformance/socket/channel.h"
#include "conformance/socket/secure_test_util.h"

namespace rtclab::conformance {

inline constexpr TimeDelta kChannelPatience = TimeDelta::Seconds(2);

inline const TransportAddress& PortOf(const EchoServer& server, Transport transport) {
  switch (transport) {
    case Transport::kUdp:
      return server.udp();
    case Transport::kTcp:
      return server.tcp();
    case Transport::kTls:
      return server.tls();
    case Transport::kDtls:
      break;
  }
  return server.dtls();
}

inline std::string NextText(Channel& channel, TimeDelta limit = kChannelPatience) {
  const auto got = channel.Receive(limit);
  return got ? std::string(AsString(got->bytes)) : "(nothing)";
}

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_CHANNEL_TEST_UTIL_H_
