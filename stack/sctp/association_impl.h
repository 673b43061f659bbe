// The association's state, and its parts by file: association.cc (the interface), association_setup.cc
// (INIT to COOKIE ACK), association_receive.cc (packets and small chunks in), association_data.cc (DATA,
// SACK and FORWARD-TSN in), association_send.cc (packets out), association_close.cc (SHUTDOWN, ABORT,
// failure), association_timers.cc.
#ifndef RTCLAB_STACK_SCTP_ASSOCIATION_IMPL_H_
#define RTCLAB_STACK_SCTP_ASSOCIATION_IMPL_H_

#include <array>
#include <string>
#include <vector>

#include "stack/base/ring.h"
#include "stack/sctp/association.h"
#include "stack/sctp/chunks_control.h"
#include "stack/sctp/chunks_setup.h"
#include "stack/sctp/congestion.h"
#include "stack/sctp/cookie.h"
#include "stack/sctp/outstanding.h"
#include "stack/sctp/packet.h"
#include "stack/sctp/path_mtu.h"
#include "stack/sctp/reassembly.h"
#include "stack/sctp/reconfig.h"
#include "stack/sctp/rto.h"
#include "stack/sctp/send_queue.h"
#include "stack/sctp/tsn_tracker.h"

namespace rtclab::sctp {

class Association::Impl {
 public:
  Impl(const AssociationConfig& config, Rng& rng);

  // association.cc
  Result<void> Send(Timestamp now, StreamId stream, uint32_t ppid, Bytes payload,
                    const SendOptions& options);
  void ResetStreams(Timestamp now, std::span<const StreamId> streams);
  void RequestIncomingReset(Timestamp now, std::span<const StreamId> streams);
  void SetMtu(Timestamp now, std::size_t mtu);
  void PathChanged(Timestamp now);
  void AddOutgoingStreams(Timestamp now, uint16_t count);
  std::optional<Event> PollEvent();
  Timestamp NextTimeout() const;
  Metrics metrics() const;
  uint16_t outbound_streams() const;

  // association_setup.cc
  void Connect(Timestamp now);
  // association_close.cc
  void Shutdown(Timestamp now);
  void Abort(Timestamp now, std::string_view reason);
  // association_receive.cc
  void HandlePacket(Timestamp now, ByteView packet);
  // association_timers.cc
  void HandleTimeout(Timestamp now);
  // association_send.cc
  std::optional<Bytes> PollTransmit();

  AssociationConfig config_;
  State state_ = State::kClosed;
  SendQueue send_queue_;

 private:
  enum TimerId : uint8_t {
    kInitTimer,           // T1-init
    kCookieTimer,         // T1-cookie
    kRetransmitTimer,     // T3-rtx
    kShutdownTimer,       // T2-shutdown
    kShutdownGuardTimer,  // T5-shutdown-guard
    kSackTimer,
    kHeartbeatTimer,
    kReconfigTimer,
    kProbeTimer,  // of the path MTU search
    kTimerCount
  };
  // Which verification tag goes on an answer that is no part of the association.
  struct Reply {
    uint32_t tag = 0;
    bool reflected = false;
  };

  // association.cc
  void Enter(Timestamp now) { now_ = now; }
  void Emit(Event event);
  void StartTimer(TimerId id, TimeDelta delay) { timers_[id] = now_ + delay; }
  void StopTimer(TimerId id) { timers_[id] = Timestamp::PlusInfinity(); }
  bool TimerRuns(TimerId id) const { return !timers_[id].IsInfinite(); }
  bool HasAssociation() const;  // a TCB that can carry data
  bool AcceptsUserData() const;
  void CountDrop(DropReason reason) { ++metrics_.dropped[static_cast<std::size_t>(reason)]; }
  std::size_t mtu() const { return path_mtu_.mtu(); }
  // PMDCS: what a packet has for chunks, a multiple of 4.
  std::size_t MaxChunks() const { return (mtu() - CommonHeader::kSize) & ~std::size_t{3}; }
  ReconfigHandler::Context ReconfigParts();
  void EmitReconfigEvents();
  void ReportAbandoned(bool sent);
  void MtuChanged();

  // association_setup.cc
  InitChunk MakeInit() const;
  Features Agree(const InitChunk& peer) const;
  void SendInit();
  void SendCookieEcho();
  void HandleInit(const ChunkView& chunk);
  void AnswerInit(const InitChunk& init);
  void HandleInitAck(const ChunkView& chunk);
  bool InitUsable(const InitChunk& init, const ChunkView& chunk, uint32_t peer_tag);
  void HandleCookieEcho(const PacketView& packet, const ChunkView& chunk);
  bool HandleCookieWithAssociation(const StateCookie& cookie, bool both_match);
  void HandleCookieAck();
  void HandleStaleCookie();
  void AdoptCookie(const StateCookie& cookie);
  void AdoptPeer(uint32_t peer_initial_tsn, uint32_t peer_window, uint16_t outbound,
                 uint16_t inbound, const Features& features);
  void Restart(const StateCookie& cookie);
  void Establish();

  // association_receive.cc
  bool ChecksumAccepted(const PacketView& packet, const ChunkView& first) const;
  bool TagAccepted(const PacketView& packet, const ChunkView& first);
  bool HandleOutOfTheBlue(const PacketView& packet, const ChunkView& first);
  void HandleChunks(const PacketView& packet);
  bool HandleChunk(const PacketView& packet, const ChunkView& chunk);
  bool HandleUnknownChunk(const ChunkView& chunk);
  void HandleHeartbeat(const ChunkView& chunk);
  void HandleHeartbeatAck(const ChunkView& chunk);
  void HandleAbort(const PacketView& packet, const ChunkView& chunk);
  void HandleError(const ChunkView& chunk);
  void HandleReconfig(const ChunkView& chunk);
  void FinishPacket();

  // association_data.cc
  void HandleData(const ChunkView& chunk);
  void HandleSack(const ChunkView& chunk);
  void AfterAck(const OutstandingChunks::SackResult& result, std::size_t flight_before);
  void SettleAbandoned();
  void HandleForwardTsn(const ChunkView& chunk);
  void DeliverMessages();
  void DecideAboutSack();
  std::size_t AvailableWindow() const;

  // association_send.cc
  bool MaySendData() const;
  bool HasPacketToSend();
  std::optional<Bytes> BuildPacket();
  void AppendSack(Bytes& packet);
  void AppendControl(Bytes& packet);
  void AppendRetransmissions(Bytes& packet);
  void AppendNewData(Bytes& packet);
  bool WindowOpen() const;
  bool MayRetransmit() const;
  std::size_t SpaceIn(const Bytes& packet) const;
  void BurstBegins();
  // A packet with `append`'s chunk alone goes out before everything else.
  template <typename Append>
  void SendControl(Reply reply, bool with_checksum, Append append) {
    Bytes packet = BeginPacket({config_.local_port, config_.remote_port, reply.tag}, 256);
    append(packet);
    FinishControl(std::move(packet), with_checksum);
  }
  template <typename Append>
  void SendControl(Append append) {
    SendControl({peer_tag_, false}, false, append);
  }
  void FinishControl(Bytes packet, bool with_checksum);
  void CountSent(const Bytes& packet);

  // association_close.cc
  void SendAbort(Reply reply, const ErrorCause& cause);
  void SendError(const ErrorCause& cause);
  void Violation(std::string_view what);
  void Fail(std::string_view reason, bool by_peer);
  void End();
  void ProgressShutdown();
  void SendShutdown();
  void SendShutdownAck();
  void HandleShutdown(const ChunkView& chunk);
  void HandleShutdownAck(const PacketView& packet);
  void HandleShutdownComplete(const PacketView& packet, const ChunkView& chunk);

  // association_timers.cc
  void OnTimer(TimerId id);
  void OnInitTimer();
  void OnCookieTimer();
  void OnRetransmitTimer();
  void OnShutdownTimer();
  void OnHeartbeatTimer();
  void OnReconfigTimer();
  void OnProbeTimer();
  bool CountError();  // false: too many, the association has failed
  void ArmHeartbeat();
  void SendHeartbeat(std::size_t size);
  void ProbeMtu();

  Rng& rng_;
  CookieJar cookies_;
  Timestamp now_;
  bool ended_ = false;
  std::array<Timestamp, kTimerCount> timers_;
  Metrics metrics_;

  // Who we are and who the peer is.
  uint32_t my_tag_ = 0;
  uint32_t peer_tag_ = 0;
  uint32_t my_tie_tag_ = 0;  // random: the tags themselves would tell a stranger (section 5.2.2)
  uint32_t peer_tie_tag_ = 0;
  uint32_t my_initial_tsn_ = 0;
  Features features_;
  uint16_t outbound_streams_;
  uint16_t inbound_streams_;
  Bytes cookie_;  // to echo
  bool cookie_echo_due_ = false;
  uint32_t init_retransmits_ = 0;
  uint32_t stale_cookies_ = 0;
  uint32_t cookie_preservative_ms_ = 0;
  std::vector<ErrorCause> echo_errors_;  // go with the COOKIE ECHO

  // Out.
  Ring<Bytes> outbox_;
  OutstandingChunks outstanding_;
  RtoEstimator rto_;
  CongestionController congestion_;
  PathMtuSearch path_mtu_;
  std::size_t peer_window_ = 0;
  std::size_t burst_limit_ = 0;  // flight may not grow beyond it before something is heard
  bool fast_retransmit_due_ = false;
  bool forward_tsn_due_ = false;
  Timestamp last_data_sent_;
  uint32_t error_count_ = 0;      // section 8.1
  uint32_t timeouts_in_row_ = 0;  // T3-rtx without anything acknowledged
  bool heartbeat_under_way_ = false;
  uint32_t heartbeat_nonce_ = 0;
  uint32_t shutdown_retransmits_ = 0;
  std::vector<MessageRef> given_up_;

  // In.
  TsnTracker tracker_;
  Reassembly reassembly_;
  ReconfigHandler reconfig_;
  std::vector<Event> reconfig_events_;
  bool packet_has_data_ = false;
  bool sack_at_once_ = false;
  bool sack_due_ = false;
  uint32_t packets_unacked_ = 0;
  std::size_t settled_ = 0;      // held by the reassembly when there was no gap
  std::size_t undelivered_ = 0;  // bytes in events
  std::size_t advertised_window_ = 0;
  std::vector<MessageReceived> delivered_;
  Ring<Event> events_;
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_ASSOCIATION_IMPL_H_
