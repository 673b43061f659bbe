// How far a TCP connection has come, as a middlebox sees it: RFC 7857 section 2, figure 1.
#ifndef RTCLAB_SIM_TRACE_TCP_SESSION_H_
#define RTCLAB_SIM_TRACE_TCP_SESSION_H_

#include <cstdint>

#include "sim/trace/packet_info.h"

namespace rtclab::sim {

class TcpSession {
 public:
  enum class State : uint8_t {
    kClosed,       // no SYN yet
    kInit,         // a SYN from one side
    kEstablished,  // a SYN from both sides, in whatever order (RFC 5382 REQ-2a: simultaneous open too)
    kOneFin,       // a FIN from one side
    kBothFin,
    kTrans,  // a RST; any other packet makes it established again
  };

  State state() const { return state_; }

  // RFC 5382 REQ-5: which of the two idle timeouts applies. A half-closed connection may live long.
  bool transitory() const { return state_ != State::kEstablished && state_ != State::kOneFin; }

  void HandlePacket(bool outbound, const PacketInfo& packet) {
    const uint8_t side = outbound ? 1 : 2;
    if (packet.tcp_rst) {
      if (!transitory()) state_ = State::kTrans;
      return;
    }
    if (packet.tcp_syn) return HandleSyn(side);
    if (state_ == State::kTrans) state_ = State::kEstablished;
    if (packet.tcp_fin && !transitory()) {
      fins_ |= side;
      state_ = fins_ == 3 ? State::kBothFin : State::kOneFin;
    }
  }

 private:
  void HandleSyn(uint8_t side) {
    if (state_ == State::kClosed || state_ == State::kBothFin || state_ == State::kTrans) {
      state_ = State::kInit;  // also the same ports used for a new connection
      syns_ = side;
      fins_ = 0;
      return;
    }
    syns_ |= side;
    if (state_ == State::kInit && syns_ == 3) state_ = State::kEstablished;
  }

  State state_ = State::kClosed;
  uint8_t syns_ = 0;  // bit 0: from the inside, bit 1: from the outside
  uint8_t fins_ = 0;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_TRACE_TCP_SESSION_H_
