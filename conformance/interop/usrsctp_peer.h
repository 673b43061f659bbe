// One SCTP association of usrsctp, the stack that browsers came with: over AF_CONN, packets by callback,
// single-threaded. It reads the wall clock, so what uses it runs in real time.
#ifndef RTCLAB_CONFORMANCE_INTEROP_USRSCTP_PEER_H_
#define RTCLAB_CONFORMANCE_INTEROP_USRSCTP_PEER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stack/base/bytes.h"

struct socket;
struct sctp_rcvinfo;

namespace rtclab::conformance {

// The library in this process: made once, before the first peer and ended after the last.
class UsrsctpLibrary {
 public:
  UsrsctpLibrary();
  ~UsrsctpLibrary();
  UsrsctpLibrary(const UsrsctpLibrary&) = delete;
  UsrsctpLibrary& operator=(const UsrsctpLibrary&) = delete;

  // Lets the library's timers run: `elapsed_ms` since the last call.
  void Tick(uint32_t elapsed_ms);
};

struct UsrsctpOptions {
  bool interleaving = false;
  bool stream_reset = true;
  uint16_t streams = 1024;
  uint16_t port = 5000;
};

struct UsrsctpMessage {
  uint16_t stream = 0;
  uint32_t ppid = 0;
  bool ordered = true;
  std::optional<uint32_t> max_retransmits;  // sending only
  std::optional<uint32_t> lifetime_ms;      // sending only
  Bytes payload;
};

class UsrsctpPeer {
 public:
  // `output` takes each packet and must not call the peer back.
  UsrsctpPeer(const UsrsctpOptions& options, std::function<void(Bytes)> output);
  ~UsrsctpPeer();
  UsrsctpPeer(const UsrsctpPeer&) = delete;
  UsrsctpPeer& operator=(const UsrsctpPeer&) = delete;

  // One of both, once.
  void Connect();
  void Listen();
  void HandlePacket(ByteView packet);
  // Accepts what came in and sends what did not fit before.
  void Service();

  void Send(UsrsctpMessage message);
  // Resets our outgoing streams; false when the library refuses.
  bool ResetStreams(std::span<const uint16_t> streams);
  // SHUTDOWN, after what is queued.
  void Shutdown();
  // ABORT.
  void Abort();

  // What was seen so far.
  std::vector<UsrsctpMessage> received;
  std::vector<uint16_t> incoming_resets;
  std::vector<uint16_t> outgoing_resets;
  std::vector<std::string> errors;  // what the library refused
  bool up = false;
  bool restarted = false;
  bool closed = false;  // gracefully
  bool lost = false;    // aborted or given up
  uint64_t send_failures = 0;
  bool peer_interleaving = false;
  bool peer_partial_reliability = false;
  bool peer_reconfig = false;

 private:
  static int OnReceive(struct socket* from, void* data, std::size_t size, const sctp_rcvinfo& info,
                       int flags, void* self);
  void HandleMessage(ByteView data, const sctp_rcvinfo& info, int flags);
  void HandleNotification(ByteView data);
  void Configure(const UsrsctpOptions& options);
  template <typename T>
  void SetOption(int option, const T& value, const char* name);
  bool TrySend(const UsrsctpMessage& message);
  // Where the association is: the socket, or the one that was accepted.
  struct socket* active() const {
    return accepted_ != nullptr ? accepted_ : socket_;
  }

  std::function<void(Bytes)> output_;
  uint16_t port_;
  struct socket* socket_ = nullptr;
  struct socket* accepted_ = nullptr;
  bool listening_ = false;
  std::deque<UsrsctpMessage> unsent_;
  std::vector<UsrsctpMessage> partial_;  // messages whose end has not come

  friend struct UsrsctpCallbacks;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_INTEROP_USRSCTP_PEER_H_
