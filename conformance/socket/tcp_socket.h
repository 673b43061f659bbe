// A non-blocking TCP connection and listener of the operating system.
#ifndef RTCLAB_CONFORMANCE_SOCKET_TCP_SOCKET_H_
#define RTCLAB_CONFORMANCE_SOCKET_TCP_SOCKET_H_

#include <optional>
#include <span>
#include <string>

#include "conformance/socket/ip_marks.h"
#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/base/ip_address.h"

namespace rtclab::conformance {

struct TcpOptions {
  // Several sockets may bind one local address (SO_REUSEPORT beside SO_REUSEADDR): RFC 6062 listens on a relayed address and connects from it.
  bool reuse_port = false;
  // DSCP and hop limit of what is sent; the system sets ECN itself, and DF by its path MTU discovery.
  IpMarks marks;
  // SO_SNDBUF and SO_RCVBUF in bytes; 0: the system's.
  int buffer_size = 0;
  // Connections that may wait to be accepted (listen(2)).
  int backlog = 512;
};

// Owns one file descriptor; movable. TCP_NODELAY is set: what is written is sent at once.
class TcpSocket {
 public:
  enum class Status : uint8_t {
    kOk,
    kBlocked,  // nothing to read, or no room to write: wait for the descriptor
    kEnd,      // reading: the peer has sent FIN
    kReset,    // the peer has sent RST, or the system has given up (error() says)
  };
  struct Io {
    Status status = Status::kOk;
    std::size_t size = 0;  // bytes read or written, when kOk
  };

  // Begins to connect; the connection is there, or has failed, once the descriptor is writable. `local` none: the system chooses. Fails with the
  // system's words.
  static Result<TcpSocket> Connect(const TransportAddress& remote,
                                   const TransportAddress& local = {},
                                   const TcpOptions& options = {});
  TcpSocket(TcpSocket&& other) noexcept;
  TcpSocket& operator=(TcpSocket&& other) noexcept;
  TcpSocket(const TcpSocket&) = delete;
  TcpSocket& operator=(const TcpSocket&) = delete;
  // FIN when all is read, RST when something is left unread, as Linux does.
  ~TcpSocket();

  int descriptor() const { return descriptor_; }
  const TransportAddress& local() const { return local_; }
  const TransportAddress& remote() const { return remote_; }

  // After Connect(): true when connected, false while under way, and why it failed.
  Result<bool> FinishConnect();

  // Up to buffer.size() bytes that have come.
  Io Read(std::span<uint8_t> buffer);
  // As many of the bytes as the system takes. Never raises SIGPIPE.
  Io Write(ByteView bytes);
  // The system's words for the last kReset: "Connection reset by peer".
  const std::string& error() const { return error_; }

  // FIN after what was written; reading goes on.
  void ShutdownWrite();
  // RST, by closing with SO_LINGER 0. The descriptor is gone.
  void Reset();
  void Close();

 private:
  friend class TcpListener;
  TcpSocket(int descriptor, const TransportAddress& remote)
      : descriptor_(descriptor), remote_(remote) {}
  Io Broken();

  int descriptor_ = -1;
  TransportAddress local_;
  TransportAddress remote_;
  std::string error_;
  bool connected_ = false;
};

// Owns one listening file descriptor; movable.
class TcpListener {
 public:
  // Port 0: the system chooses. SO_REUSEADDR is set; IPv6 sockets carry IPv6 only. Fails with the system's words.
  static Result<TcpListener> Listen(const TransportAddress& local, const TcpOptions& options = {});

  TcpListener(TcpListener&& other) noexcept;
  TcpListener& operator=(TcpListener&& other) noexcept;
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;
  ~TcpListener();

  int descriptor() const { return descriptor_; }
  const TransportAddress& local() const { return local_; }
  // The next connection; nullopt when none is waiting or the system is out of descriptors.
  std::optional<TcpSocket> Accept();
  // Whether the last Accept() found no descriptor or memory for a connection. It waits on, so the listener stays readable: whoever watches it
  // had better look away for a while.
  bool exhausted() const { return exhausted_; }

 private:
  explicit TcpListener(int descriptor, const TcpOptions& options)
      : descriptor_(descriptor), options_(options) {}

  int descriptor_ = -1;
  TcpOptions options_;
  TransportAddress local_;
  bool exhausted_ = false;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_TCP_SOCKET_H_
