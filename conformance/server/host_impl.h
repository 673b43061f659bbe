// The parts of TurnHost, seen only by its own files: UDP ports, clients over streams and DTLS, relays.
#ifndef RTCLAB_CONFORMANCE_SERVER_HOST_IMPL_H_
#define RTCLAB_CONFORMANCE_SERVER_HOST_IMPL_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "conformance/server/turn_host.h"
#include "conformance/socket/event_loop.h"
#include "conformance/socket/ip_marks.h"
#include "conformance/socket/tcp_socket.h"
#include "conformance/socket/udp_batch.h"
#include "conformance/socket/udp_socket.h"
#include "stack/stun/stream_framer.h"

namespace rtclab::conformance {

// A UDP socket that clients or peers send to.
struct UdpPort {
  explicit UdpPort(UdpSocket s) : socket(std::move(s)) {}
  UdpSocket socket;
  bool listening = false;
  bool discovery = false;  // Binding requests go to the STUN server with its second address
  std::unique_ptr<DtlsListener> dtls;  // DTLS clients are taken here
};

// Bytes on their way into a TCP connection.
struct WriteQueue {
  Bytes bytes;
  std::size_t offset = 0;

  std::size_t size() const { return bytes.size() - offset; }
  void Push(ByteView more);
  // As many as the system takes; false: the connection is broken.
  bool WriteTo(TcpSocket& socket);
};

// A client over TCP or TLS.
struct StreamLink {
  StreamLink(TcpSocket s, const turn::FiveTuple& t) : socket(std::move(s)), tuple(t) {}
  TcpSocket socket;
  turn::FiveTuple tuple;
  std::optional<SecureStream> secure;
  stun::StreamFramer framer;
  WriteQueue out;
  std::optional<turn::ConnectionId> connection;  // it is a data connection of RFC 6062
  bool ended = false;                            // nothing more comes: close once all is written
  bool closing = false;                          // told to close once all is written
  Timestamp opened;                              // real time, as the next two
  Timestamp last_heard;                          // a whole message, or data
  Timestamp closing_since;
};

// A client over DTLS.
struct DtlsLink {
  DtlsLink(SecureStream s, UdpPort& p) : secure(std::move(s)), port(&p) {}
  SecureStream secure;
  UdpPort* port;
  Timestamp opened;  // real time
  Timestamp last_heard;
};

// A peer's TCP connection (RFC 6062).
struct PeerLink {
  explicit PeerLink(TcpSocket s) : socket(std::move(s)) {}
  TcpSocket socket;
  WriteQueue out;
  bool connecting = false;
  bool closing = false;
  Timestamp closing_since;                // real time
  std::optional<turn::FiveTuple> client;  // its data connection
};

struct TurnHost::Impl {
  Impl(HostConfig c, Rng& r)
      : config(std::move(c)),
        rng(r),
        loop(config.stop_at_interrupt ? EventLoop::AtInterrupt::kStop
                                      : EventLoop::AtInterrupt::kGoOn),
        buffer(65'536) {}
  ~Impl();

  // Starting (turn_host.cc).
  Result<void> Open();
  Result<void> OpenUdp(const TransportAddress& address, bool secure);
  Result<void> OpenTcp(const TransportAddress& address, bool secure);
  Result<void> OpenBoth(const TransportAddress& wanted, bool secure);
  Result<void> OpenDiscovery();
  Result<void> OpenContexts();
  UdpPort& Watch(UdpSocket socket);

  // The server's clock, and back to the real one.
  Timestamp Now() const { return Timestamp::Nanos(RealNow().nanos() * config.clock_speed); }
  Timestamp ToReal(Timestamp server_time) const;

  // UDP (turn_host.cc).
  void ReadUdp(UdpPort& port, EventLoop::Ready ready);
  void HandleDatagram(Timestamp now, UdpPort& port, const Datagram& datagram);
  void HandleClientDatagram(Timestamp now, UdpPort& port, const Datagram& datagram);
  void SendRelayed(const UdpPort& from, const IpMarks& marks);
  void SendUdp(Transmit&& transmit, const UdpPort* from = nullptr, const IpMarks& marks = {});
  Timestamp AfterRound(Timestamp real_now);
  void DrainServers();

  // Clients over streams and DTLS (host_clients.cc).
  void Accept(TcpListener& listener, bool secure);
  void ReadStream(const turn::FiveTuple& tuple);
  void HandleStreamBytes(StreamLink& link, ByteView bytes);
  void HandlePlainBytes(StreamLink& link, ByteView bytes);
  void HandleFrames(StreamLink& link);
  void HandleMessage(const turn::FiveTuple& tuple, ByteView message);
  void Write(turn::StreamWrite&& write);
  void Flush(StreamLink& link);
  void EndStream(const turn::FiveTuple& tuple);
  void HandleDtls(UdpPort& port, const Datagram& datagram);
  void PumpDtls(const turn::FiveTuple& tuple);
  void EndDtls(const turn::FiveTuple& tuple);
  Timestamp RunDtlsTimers(Timestamp real_now);
  void Sweep(Timestamp real_now);
  void SweepPeers(Timestamp real_now);
  // No descriptor is left for a connection: the listener is left alone until the next Sweep().
  void Pause(int listener);

  // Relays (host_relays.cc).
  void HandleEvent(turn::ServerEvent&& event);
  void Bind(const turn::RelayWanted& wanted);
  void Listen(const turn::TcpListenWanted& wanted);
  void Release(const turn::RelayReleased& released);
  void Connect(const turn::TcpConnectWanted& wanted);
  void AcceptPeers(turn::RelayId relay);
  PeerLink& WatchPeer(turn::ConnectionId id, TcpSocket socket);
  void HandlePeerReady(turn::ConnectionId id, EventLoop::Ready ready);
  void ReadPeer(turn::ConnectionId id, bool broken);
  void WriteToPeer(turn::ConnectionId id, ByteView bytes);
  void FlushPeer(turn::ConnectionId id);
  void ClosePeer(turn::ConnectionId id);
  void LosePeer(turn::ConnectionId id);
  void RemovePeer(turn::ConnectionId id);
  void JoinData(const turn::DataConnectionBound& bound);
  void Throttle(StreamLink& link, PeerLink& peer);

  HostConfig config;
  Rng& rng;
  EventLoop loop;
  std::vector<Endpoint> endpoints;
  std::unique_ptr<turn::Server> turn;
  std::unique_ptr<stun::Server> stun;
  std::optional<SecureContext> tls, dtls;

  std::unordered_map<TransportAddress, std::unique_ptr<UdpPort>, turn::AddressHash> udp_ports;
  std::vector<std::unique_ptr<TcpListener>> tcp_listeners;
  ReceiveBatch received;
  SendBatch to_send;
  std::vector<uint8_t> buffer;

  std::unordered_map<turn::FiveTuple, std::unique_ptr<StreamLink>, turn::FiveTupleHash> streams;
  std::unordered_map<turn::FiveTuple, std::unique_ptr<DtlsLink>, turn::FiveTupleHash> dtls_links;
  std::set<turn::FiveTuple> dtls_timers;  // associations that may want HandleTimeout()
  Timestamp next_dtls_timer = Timestamp::PlusInfinity();  // real time: none of them wants it before
  std::vector<turn::FiveTuple> ended;                     // streams to close after the next drain
  std::unordered_set<turn::FiveTuple, turn::FiveTupleHash> allocated;  // clients with an allocation
  std::map<turn::RelayId, std::unique_ptr<TcpListener>> tcp_relays;
  std::map<turn::ConnectionId, std::unique_ptr<PeerLink>> peers;
  std::set<int> paused;  // listeners
  Timestamp next_sweep;  // real time
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SERVER_HOST_IMPL_H_
