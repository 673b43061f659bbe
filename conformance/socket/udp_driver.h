// Runs sans-IO protocols over real UDP sockets with poll(2), one thread, one real clock. The only place in the code base
// that reads a clock on behalf of a protocol.
#ifndef RTCLAB_CONFORMANCE_SOCKET_UDP_DRIVER_H_
#define RTCLAB_CONFORMANCE_SOCKET_UDP_DRIVER_H_

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "conformance/socket/udp_socket.h"
#include "stack/base/sans_io.h"

namespace rtclab::conformance {

class UdpDriver {
 public:
  // What the driver sees of a protocol. Hosted<Protocol> makes one of any sans-IO protocol.
  class Host {
   public:
    virtual ~Host() = default;
    virtual void HandlePacket(Timestamp now, const Datagram& packet) = 0;
    virtual void HandleIcmp(Timestamp now, const IcmpError& error) = 0;
    virtual void HandleTimeout(Timestamp now) = 0;
    virtual Timestamp Drain(const std::function<void(Transmit&&)>& send) = 0;
  };

  UdpDriver();

  // Real time since the driver was made.
  Timestamp Now() const;

  // Hosts `protocol`, which must outlive the driver. `on_event(Event&&)` may call the protocol and the driver.
  template <typename Protocol, typename OnEvent>
  Host* Add(Protocol& protocol, OnEvent on_event);

  // Opens a socket whose datagrams and ICMP errors go to `host`. Port 0: the system chooses. Returns the bound address.
  Result<TransportAddress> Bind(Host* host, const TransportAddress& wanted);
  void Close(const TransportAddress& local);

  // Runs until `done()` holds or `limit` has passed; says whether it held. `done` is asked after every step.
  bool RunUntil(const std::function<bool()>& done, TimeDelta limit);
  void RunFor(TimeDelta duration);

 private:
  struct Socket {
    UdpSocket socket;
    Host* host;
  };

  void DrainAll();
  void FireTimers();
  void Poll(TimeDelta limit);
  void Read(const TransportAddress& local);

  std::chrono::steady_clock::time_point start_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<Timestamp> timers_;  // when each host next wants HandleTimeout()
  std::map<TransportAddress, Socket> sockets_;
  std::vector<uint8_t> buffer_;
};

namespace internal {

template <typename Protocol, typename OnEvent>
class Hosted final : public UdpDriver::Host {
 public:
  Hosted(Protocol& protocol, OnEvent on_event)
      : protocol_(protocol), on_event_(std::move(on_event)) {}

  void HandlePacket(Timestamp now, const Datagram& packet) override {
    protocol_.HandlePacket(now, packet);
  }
  void HandleIcmp(Timestamp now, const IcmpError& error) override {
    if constexpr (requires { protocol_.HandleIcmp(now, error); }) protocol_.HandleIcmp(now, error);
  }
  void HandleTimeout(Timestamp now) override { protocol_.HandleTimeout(now); }
  Timestamp Drain(const std::function<void(Transmit&&)>& send) override {
    return rtclab::Drain(protocol_, send, on_event_);
  }

 private:
  Protocol& protocol_;
  OnEvent on_event_;
};

}  // namespace internal

template <typename Protocol, typename OnEvent>
UdpDriver::Host* UdpDriver::Add(Protocol& protocol, OnEvent on_event) {
  hosts_.push_back(
      std::make_unique<internal::Hosted<Protocol, OnEvent>>(protocol, std::move(on_event)));
  timers_.push_back(Timestamp::PlusInfinity());
  return hosts_.back().get();
}

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_UDP_DRIVER_H_
