#include "conformance/interop/usrsctp_peer.h"

#include <arpa/inet.h>
#include <usrsctp.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "stack/base/check.h"

namespace rtclab::conformance {
namespace {

// What the library knows and its installed header does not name (RFC 8260 section 4.3.1).
constexpr int kSctpInterleavingSupported = 0x00001206;

constexpr int kBufferSize = 4 * 1024 * 1024;
// Fast clocks: the path's round trip is a few milliseconds.
constexpr uint32_t kRtoMinMs = 40;
constexpr uint32_t kRtoInitialMs = 100;
constexpr uint32_t kRtoMaxMs = 400;
constexpr uint32_t kSackDelayMs = 10;
constexpr uint32_t kPathMtu = 1191;  // as browsers set it

sockaddr_conn AddressOf(UsrsctpPeer* peer, uint16_t port) {
  sockaddr_conn address{};
  address.sconn_family = AF_CONN;
  address.sconn_port = htons(port);
  address.sconn_addr = peer;
  return address;
}

}  // namespace

// The library's C callbacks.
struct UsrsctpCallbacks {
  static int Output(void* address, void* buffer, std::size_t length, uint8_t, uint8_t) {
    const auto* const bytes = static_cast<const uint8_t*>(buffer);
    static_cast<UsrsctpPeer*>(address)->output_(Bytes(bytes, bytes + length));
    return 0;
  }
  static int Receive(struct socket* from, sctp_sockstore, void* data, std::size_t size,
                     sctp_rcvinfo info, int flags, void* self) {
    return UsrsctpPeer::OnReceive(from, data, size, info, flags, self);
  }
};

UsrsctpLibrary::UsrsctpLibrary() {
  usrsctp_init_nothreads(0, &UsrsctpCallbacks::Output, nullptr);
  usrsctp_sysctl_set_sctp_ecn_enable(0);
  usrsctp_sysctl_set_sctp_blackhole(2);  // no ABORT for what comes after the end
  // T5-shutdown-guard (RFC 9260 section 9.2) is 5 * RTO.Max unless set, here 2 s: at 20 % loss too little.
  usrsctp_sysctl_set_sctp_shutdown_guard_time_default(60);
}

UsrsctpLibrary::~UsrsctpLibrary() {
  // The library ends when its last socket is gone, which may take a tick.
  for (int i = 0; i < 100 && usrsctp_finish() != 0; ++i) usrsctp_handle_timers(100);
}

void UsrsctpLibrary::Tick(uint32_t elapsed_ms) { usrsctp_handle_timers(elapsed_ms); }

UsrsctpPeer::UsrsctpPeer(const UsrsctpOptions& options, std::function<void(Bytes)> output)
    : output_(std::move(output)), port_(options.port) {
  usrsctp_register_address(this);
  socket_ = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, &UsrsctpCallbacks::Receive, nullptr,
                           0, this);
  CHECK(socket_ != nullptr);
  Configure(options);
  sockaddr_conn address = AddressOf(this, port_);
  CHECK(usrsctp_bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
}

UsrsctpPeer::~UsrsctpPeer() {
  if (accepted_ != nullptr) usrsctp_close(accepted_);
  if (socket_ != nullptr) usrsctp_close(socket_);
  usrsctp_deregister_address(this);
}

template <typename T>
void UsrsctpPeer::SetOption(int option, const T& value, const char* name) {
  if (usrsctp_setsockopt(socket_, IPPROTO_SCTP, option, &value, sizeof(value)) != 0) {
    errors.push_back(std::string(name) + ": " + std::strerror(errno));
  }
}

void UsrsctpPeer::Configure(const UsrsctpOptions& options) {
  usrsctp_set_non_blocking(socket_, 1);
  const int size = kBufferSize;
  usrsctp_setsockopt(socket_, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
  usrsctp_setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
  // usrsctp_close() aborts.
  const linger abort_on_close{1, 0};
  usrsctp_setsockopt(socket_, SOL_SOCKET, SO_LINGER, &abort_on_close, sizeof(abort_on_close));

  for (const int event :
       {SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT, SCTP_SEND_FAILED_EVENT, SCTP_SHUTDOWN_EVENT}) {
    SetOption(SCTP_EVENT, sctp_event{0, static_cast<uint16_t>(event), 1}, "SCTP_EVENT");
  }
  SetOption(SCTP_NODELAY, 1, "SCTP_NODELAY");
  SetOption(SCTP_RECVRCVINFO, 1, "SCTP_RECVRCVINFO");
  SetOption(SCTP_INITMSG, sctp_initmsg{options.streams, options.streams, 20, kRtoMaxMs},
            "SCTP_INITMSG");
  SetOption(SCTP_RTOINFO, sctp_rtoinfo{0, kRtoInitialMs, kRtoMaxMs, kRtoMinMs}, "SCTP_RTOINFO");
  SetOption(SCTP_DELAYED_SACK, sctp_sack_info{0, kSackDelayMs, 2}, "SCTP_DELAYED_SACK");
  if (options.stream_reset) {
    SetOption(SCTP_ENABLE_STREAM_RESET, sctp_assoc_value{0, SCTP_ENABLE_RESET_STREAM_REQ},
              "SCTP_ENABLE_STREAM_RESET");
  }
  sctp_assocparams limits{};
  limits.sasoc_asocmaxrxt = 30;
  SetOption(SCTP_ASSOCINFO, limits, "SCTP_ASSOCINFO");
  sctp_paddrparams path{};
  path.spp_flags = SPP_PMTUD_DISABLE;
  path.spp_pathmtu = kPathMtu;
  path.spp_pathmaxrxt = 30;
  SetOption(SCTP_PEER_ADDR_PARAMS, path, "SCTP_PEER_ADDR_PARAMS");
  if (options.interleaving) {
    SetOption(SCTP_FRAGMENT_INTERLEAVE, 2, "SCTP_FRAGMENT_INTERLEAVE");
    SetOption(kSctpInterleavingSupported, sctp_assoc_value{0, 1}, "SCTP_INTERLEAVING_SUPPORTED");
  }
}

void UsrsctpPeer::Connect() {
  sockaddr_conn address = AddressOf(this, port_);
  if (usrsctp_connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 &&
      errno != EINPROGRESS) {
    errors.push_back(std::string("connect: ") + std::strerror(errno));
  }
}

void UsrsctpPeer::Listen() {
  listening_ = true;
  if (usrsctp_listen(socket_, 1) != 0) {
    errors.push_back(std::string("listen: ") + std::strerror(errno));
  }
}

void UsrsctpPeer::HandlePacket(ByteView packet) {
  usrsctp_conninput(this, packet.data(), packet.size(), 0);
}

void UsrsctpPeer::Service() {
  if (listening_ && accepted_ == nullptr) {
    accepted_ = usrsctp_accept(socket_, nullptr, nullptr);
    if (accepted_ != nullptr) usrsctp_set_non_blocking(accepted_, 1);
  }
  if (!up || (listening_ && accepted_ == nullptr)) return;
  while (!unsent_.empty() && TrySend(unsent_.front())) unsent_.pop_front();
}

void UsrsctpPeer::Send(UsrsctpMessage message) {
  unsent_.push_back(std::move(message));
  Service();
}

bool UsrsctpPeer::TrySend(const UsrsctpMessage& message) {
  sctp_sendv_spa options{};
  options.sendv_flags = SCTP_SEND_SNDINFO_VALID;
  options.sendv_sndinfo.snd_sid = message.stream;
  options.sendv_sndinfo.snd_ppid = htonl(message.ppid);
  options.sendv_sndinfo.snd_flags =
      static_cast<uint16_t>(SCTP_EOR | (message.ordered ? 0 : SCTP_UNORDERED));
  if (message.max_retransmits || message.lifetime_ms) {
    options.sendv_flags |= SCTP_SEND_PRINFO_VALID;
    options.sendv_prinfo.pr_policy = message.lifetime_ms ? SCTP_PR_SCTP_TTL : SCTP_PR_SCTP_RTX;
    options.sendv_prinfo.pr_value =
        message.lifetime_ms.value_or(message.max_retransmits.value_or(0));
  }
  const ssize_t sent = usrsctp_sendv(active(), message.payload.data(), message.payload.size(),
                                     nullptr, 0, &options, sizeof(options), SCTP_SENDV_SPA, 0);
  if (sent >= 0) return true;
  if (errno == EWOULDBLOCK || errno == EAGAIN || errno == EINPROGRESS) return false;
  errors.push_back(std::string("send: ") + std::strerror(errno));
  return true;  // nothing to gain from another try
}

bool UsrsctpPeer::ResetStreams(std::span<const uint16_t> streams) {
  std::vector<uint8_t> request(sizeof(sctp_reset_streams) + streams.size_bytes());
  auto* const reset = reinterpret_cast<sctp_reset_streams*>(request.data());
  reset->srs_flags = SCTP_STREAM_RESET_OUTGOING;
  reset->srs_number_streams = static_cast<uint16_t>(streams.size());
  std::copy(streams.begin(), streams.end(), reset->srs_stream_list);
  return usrsctp_setsockopt(active(), IPPROTO_SCTP, SCTP_RESET_STREAMS, reset,
                            static_cast<socklen_t>(request.size())) == 0;
}

void UsrsctpPeer::Shutdown() {
  if (usrsctp_shutdown(active(), SHUT_WR) != 0) {
    errors.push_back(std::string("shutdown: ") + std::strerror(errno));
  }
}

void UsrsctpPeer::Abort() {
  usrsctp_close(active());
  (accepted_ != nullptr ? accepted_ : socket_) = nullptr;
}

int UsrsctpPeer::OnReceive(struct socket*, void* data, std::size_t size, const sctp_rcvinfo& info,
                           int flags, void* self) {
  if (data == nullptr) return 1;
  auto* const peer = static_cast<UsrsctpPeer*>(self);
  const ByteView view{static_cast<const uint8_t*>(data), size};
  if ((flags & MSG_NOTIFICATION) != 0) {
    peer->HandleNotification(view);
  } else {
    peer->HandleMessage(view, info, flags);
  }
  std::free(data);
  return 1;
}

void UsrsctpPeer::HandleMessage(ByteView data, const sctp_rcvinfo& info, int flags) {
  const bool ordered = (info.rcv_flags & SCTP_UNORDERED) == 0;
  // A large message may come in parts; only the last says MSG_EOR.
  const auto begun = std::find_if(partial_.begin(), partial_.end(), [&](const auto& m) {
    return m.stream == info.rcv_sid && m.ordered == ordered;
  });
  UsrsctpMessage message;
  if (begun != partial_.end()) {
    message = std::move(*begun);
    partial_.erase(begun);
  }
  message.stream = info.rcv_sid;
  message.ppid = ntohl(info.rcv_ppid);
  message.ordered = ordered;
  message.payload.insert(message.payload.end(), data.begin(), data.end());
  ((flags & MSG_EOR) != 0 ? received : partial_).push_back(std::move(message));
}

void UsrsctpPeer::HandleNotification(ByteView data) {
  const auto* const event = reinterpret_cast<const sctp_notification*>(data.data());
  switch (event->sn_header.sn_type) {
    case SCTP_ASSOC_CHANGE: {
      const sctp_assoc_change& change = event->sn_assoc_change;
      up = up || change.sac_state == SCTP_COMM_UP;
      restarted = restarted || change.sac_state == SCTP_RESTART;
      closed = closed || change.sac_state == SCTP_SHUTDOWN_COMP;
      lost = lost || change.sac_state == SCTP_COMM_LOST || change.sac_state == SCTP_CANT_STR_ASSOC;
      if (change.sac_state != SCTP_COMM_UP) break;
      for (std::size_t i = sizeof(change);
           i < std::min<std::size_t>(change.sac_length, data.size()); ++i) {
        peer_interleaving |= data[i] == SCTP_ASSOC_SUPPORTS_INTERLEAVING;
        peer_partial_reliability |= data[i] == SCTP_ASSOC_SUPPORTS_PR;
        peer_reconfig |= data[i] == SCTP_ASSOC_SUPPORTS_RE_CONFIG;
      }
      break;
    }
    case SCTP_STREAM_RESET_EVENT: {
      const sctp_stream_reset_event& reset = event->sn_strreset_event;
      if ((reset.strreset_flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED)) != 0) {
        errors.emplace_back("stream reset denied or failed");
        break;
      }
      const std::size_t count = (reset.strreset_length - sizeof(reset)) / sizeof(uint16_t);
      auto& seen = (reset.strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN) != 0 ? incoming_resets
                                                                                : outgoing_resets;
      for (std::size_t i = 0; i < count; ++i) seen.push_back(reset.strreset_stream_list[i]);
      break;
    }
    case SCTP_SEND_FAILED_EVENT:
      ++send_failures;
      break;
    default:
      break;
  }
}

}  // namespace rtclab::conformance
