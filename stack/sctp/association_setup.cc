// From INIT to COOKIE ACK: RFC 9260 sections 5.1 (normal), 5.2 (collision, restart), with the negotiation of
// the extensions.
#include <algorithm>

#include "stack/sctp/association_impl.h"

namespace rtclab::sctp {

InitChunk Association::Impl::MakeInit() const {
  InitChunk init;
  init.initiate_tag = my_tag_;
  init.a_rwnd =
      static_cast<uint32_t>(std::min<int64_t>(config_.receive_window.bytes(), UINT32_MAX));
  init.outbound_streams = config_.outbound_streams;
  init.inbound_streams = config_.max_inbound_streams;
  init.initial_tsn = my_initial_tsn_;
  const auto offer = [&init](ChunkType type) {
    init.extensions.push_back(static_cast<uint8_t>(type));
  };
  if (config_.reconfig) offer(ChunkType::kReconfig);
  if (config_.partial_reliability) {
    init.forward_tsn = true;
    offer(ChunkType::kForwardTsn);
  }
  if (config_.interleaving) {
    offer(ChunkType::kIData);
    if (config_.partial_reliability) offer(ChunkType::kIForwardTsn);
  }
  offer(ChunkType::kPad);
  if (config_.zero_checksum) init.zero_checksum = kErrorDetectionDtls;
  return init;
}

Features Association::Impl::Agree(const InitChunk& peer) const {
  Features f;
  f.interleaving = config_.interleaving && peer.Supports(ChunkType::kIData);
  // RFC 8260 section 2.3.1: with I-DATA, messages are given up by I-FORWARD-TSN.
  f.partial_reliability =
      config_.partial_reliability &&
      (f.interleaving ? peer.Supports(ChunkType::kIForwardTsn)
                      : peer.forward_tsn || peer.Supports(ChunkType::kForwardTsn));
  f.reconfig = config_.reconfig && peer.Supports(ChunkType::kReconfig);
  f.zero_checksum = config_.zero_checksum && peer.zero_checksum == kErrorDetectionDtls;
  return f;
}

void Association::Impl::Connect(Timestamp now) {
  Enter(now);
  if (ended_ || state_ != State::kClosed) return;
  state_ = State::kCookieWait;
  init_retransmits_ = 0;
  SendInit();
}

void Association::Impl::SendInit() {
  // RFC 9260 section 8.5.1 rule A: the tag is 0. RFC 9653 section 5.2: with a checksum.
  SendControl({0, false}, true, [this](Bytes& packet) {
    InitChunk init = MakeInit();
    if (cookie_preservative_ms_ > 0) init.cookie_preservative_ms = cookie_preservative_ms_;
    init.AppendTo(packet, ChunkType::kInit);
  });
  StartTimer(kInitTimer, rto_.rto());
}

// Section 3.3.2 on values that are not allowed. False: answered or dropped.
bool Association::Impl::InitUsable(const InitChunk& init, const ChunkView& chunk,
                                   uint32_t peer_tag) {
  std::optional<ErrorCause> cause;
  if (init.initiate_tag == 0) {
    CountDrop(DropReason::kMalformedChunk);
    return false;  // there is no tag to answer with
  }
  if (init.host_name) {
    cause = ErrorCause::UnresolvableAddress(chunk.value.subspan(16));
  } else if (init.outbound_streams == 0 || init.inbound_streams == 0 || init.a_rwnd < 1500) {
    cause = ErrorCause::InvalidMandatoryParameter();
  }
  if (!cause) return true;
  CountDrop(DropReason::kMalformedChunk);
  SendAbort({peer_tag, false}, *cause);
  return false;
}

void Association::Impl::HandleInit(const ChunkView& chunk) {
  const auto init = InitChunk::Parse(chunk);
  if (!init) {
    CountDrop(DropReason::kMalformedChunk);
    return;
  }
  if (!InitUsable(*init, chunk, init->initiate_tag)) return;
  if (ended_) {  // this association was, and there is no other
    CountDrop(DropReason::kOutOfTheBlue);
    SendAbort({init->initiate_tag, false}, ErrorCause::OutOfResource());
    return;
  }
  // Section 9.2: the peer did not hear of the end.
  if (state_ == State::kShutdownAckSent) {
    SendShutdownAck();
    return;
  }
  AnswerInit(*init);
}

void Association::Impl::AnswerInit(const InitChunk& init) {
  InitChunk answer = MakeInit();
  StateCookie cookie;
  if (HasAssociation()) {
    // Section 5.2.2: maybe a restart. Other numbers than those in use, and the tie tags in the cookie.
    answer.initiate_tag = static_cast<uint32_t>(rng_.Uniform(1, UINT32_MAX));
    answer.initial_tsn = rng_.NextU32();
  }
  if (HasAssociation() || state_ == State::kCookieEchoed) {
    cookie.local_tie_tag = my_tie_tag_;
    cookie.peer_tie_tag = peer_tie_tag_;
  }
  cookie.created = now_;
  cookie.lifetime = config_.valid_cookie_life;
  if (init.cookie_preservative_ms) {
    // Section 3.3.2.3: the peer asks for more; at most as much again.
    cookie.lifetime +=
        std::min(TimeDelta::Millis(*init.cookie_preservative_ms), config_.valid_cookie_life);
  }
  cookie.local_tag = answer.initiate_tag;
  cookie.peer_tag = init.initiate_tag;
  cookie.local_initial_tsn = answer.initial_tsn;
  cookie.peer_initial_tsn = init.initial_tsn;
  cookie.peer_window = init.a_rwnd;
  cookie.outbound_streams = std::min(config_.outbound_streams, init.inbound_streams);
  cookie.inbound_streams = std::min(config_.max_inbound_streams, init.outbound_streams);
  cookie.local_port = config_.local_port;
  cookie.peer_port = config_.remote_port;
  cookie.features = Agree(init);
  answer.cookie = cookies_.Seal(cookie);
  answer.unrecognized = init.unrecognized;
  SendControl({init.initiate_tag, false}, true,
              [&](Bytes& packet) { answer.AppendTo(packet, ChunkType::kInitAck, MaxChunks()); });
}

void Association::Impl::HandleInitAck(const ChunkView& chunk) {
  // Section 5.2.3.
  if (state_ != State::kCookieWait) {
    CountDrop(DropReason::kUnexpectedChunk);
    return;
  }
  const auto init = InitChunk::Parse(chunk);
  if (!init) {
    CountDrop(DropReason::kMalformedChunk);
    return;
  }
  if (!InitUsable(*init, chunk, init->initiate_tag)) {
    Fail("protocol_violation: INIT ACK not usable", false);
    return;
  }
  if (init->cookie.empty()) {
    SendAbort({init->initiate_tag, false},
              ErrorCause::MissingParameter(ParameterType::kStateCookie));
    Fail("protocol_violation: INIT ACK without a cookie", false);
    return;
  }
  StopTimer(kInitTimer);
  peer_tag_ = init->initiate_tag;
  AdoptPeer(init->initial_tsn, init->a_rwnd,
            std::min(config_.outbound_streams, init->inbound_streams),
            std::min(config_.max_inbound_streams, init->outbound_streams), Agree(*init));
  if (ended_) return;
  cookie_ = init->cookie;
  echo_errors_.clear();
  for (const Bytes& parameter : init->unrecognized) {
    if (echo_errors_.size() < 4) {
      echo_errors_.push_back(ErrorCause::UnrecognizedParameters(parameter));
    }
  }
  state_ = State::kCookieEchoed;
  init_retransmits_ = 0;
  BurstBegins();
  SendCookieEcho();
}

void Association::Impl::SendCookieEcho() {
  cookie_echo_due_ = true;
  StartTimer(kCookieTimer, rto_.rto());
}

void Association::Impl::HandleCookieEcho(const PacketView& packet, const ChunkView& chunk) {
  const auto cookie = cookies_.Open(chunk.value);
  if (!cookie || cookie->local_port != config_.local_port ||
      cookie->peer_port != config_.remote_port ||
      cookie->local_tag != packet.header().verification_tag) {
    CountDrop(DropReason::kBadCookie);
    return;
  }
  const TimeDelta age = now_ - cookie->created;
  const bool stale = age > cookie->lifetime;
  const bool both_match =
      state_ != State::kClosed && cookie->local_tag == my_tag_ && cookie->peer_tag == peer_tag_;
  if (stale && !both_match) {
    // Sections 5.1.5 rule 4 and 5.2.4 rule 3.
    CountDrop(DropReason::kBadCookie);
    SendControl({cookie->peer_tag, false}, true, [&](Bytes& out) {
      ErrorChunk{{ErrorCause::StaleCookie(age - cookie->lifetime)}}.AppendTo(out,
                                                                             ChunkType::kError);
    });
    return;
  }
  if (state_ != State::kClosed) {
    if (!HandleCookieWithAssociation(*cookie, both_match)) return;
  } else {
    AdoptCookie(*cookie);
    if (ended_) return;
    Establish();
  }
  SendControl([](Bytes& out) { AppendEmptyChunk(out, ChunkType::kCookieAck); });
}

// Section 5.2.4, table 12. False: no COOKIE ACK.
bool Association::Impl::HandleCookieWithAssociation(const StateCookie& cookie, bool both_match) {
  const bool local = cookie.local_tag == my_tag_;
  const bool peer = cookie.peer_tag == peer_tag_;
  if (both_match) {  // action D
    if (state_ == State::kCookieEchoed) Establish();
    return true;
  }
  if (local && !peer) {  // action B: both began at once, and the peer has another tag by now
    if (!HasAssociation()) {
      AdoptCookie(cookie);
      if (ended_) return false;
      Establish();
    } else {
      peer_tag_ = cookie.peer_tag;
    }
    return true;
  }
  if (!local && !peer && cookie.local_tie_tag == my_tie_tag_ &&
      cookie.peer_tie_tag == peer_tie_tag_) {  // action A: the peer restarted
    if (state_ == State::kShutdownAckSent) {
      SendShutdownAck();
      SendError(ErrorCause::CookieWhileShuttingDown());
      return false;
    }
    Restart(cookie);
    return !ended_;
  }
  CountDrop(DropReason::kBadCookie);  // action C, and what the table does not have
  return false;
}

void Association::Impl::AdoptCookie(const StateCookie& cookie) {
  my_tag_ = cookie.local_tag;
  peer_tag_ = cookie.peer_tag;
  AdoptPeer(cookie.peer_initial_tsn, cookie.peer_window, cookie.outbound_streams,
            cookie.inbound_streams, cookie.features);
}

void Association::Impl::AdoptPeer(uint32_t peer_initial_tsn, uint32_t peer_window,
                                  uint16_t outbound, uint16_t inbound, const Features& features) {
  if (!outstanding_.empty() && features.interleaving != features_.interleaving) {
    Violation("the peer changed its extensions");
    return;
  }
  tracker_.Reset(peer_initial_tsn);
  reassembly_.Clear();
  settled_ = 0;
  peer_window_ = peer_window - std::min<std::size_t>(peer_window, outstanding_.flight_payload());
  outbound_streams_ = outbound;
  inbound_streams_ = inbound;
  features_ = features;
  outstanding_.SetInterleaving(features.interleaving);
  outstanding_.SetPartialReliability(features.partial_reliability);
  send_queue_.SetInterleaving(features.interleaving);
  reassembly_.SetInterleaving(features.interleaving);
  reconfig_.Start(my_initial_tsn_, peer_initial_tsn);
  send_queue_.DropBeyond(outbound, given_up_);
  ReportAbandoned(false);
  if (!features.reconfig) {
    reconfig_.FailAll("peer does not support it", send_queue_, reconfig_events_);
    EmitReconfigEvents();
  }
}

void Association::Impl::HandleCookieAck() {
  // Section 5.2.5.
  if (state_ == State::kCookieEchoed) Establish();
}

void Association::Impl::HandleStaleCookie() {
  // Section 5.2.6, the first choice: once more from the beginning, asking for a longer life.
  if (state_ != State::kCookieEchoed) return;
  StopTimer(kCookieTimer);
  if (++stale_cookies_ > config_.max_init_retransmits) {
    Fail("cookie_timeout: the peer finds every cookie stale", false);
    return;
  }
  cookie_preservative_ms_ += 1000;
  cookie_echo_due_ = false;
  outstanding_.MarkAll(now_, given_up_);
  state_ = State::kCookieWait;
  SendInit();
}

void Association::Impl::Restart(const StateCookie& cookie) {
  for (int id = 0; id < kTimerCount; ++id) StopTimer(static_cast<TimerId>(id));
  reconfig_.FailAll("peer restarted", send_queue_, reconfig_events_);
  EmitReconfigEvents();
  my_initial_tsn_ = cookie.local_initial_tsn;
  outstanding_.Reset(kSerialBase + my_initial_tsn_);
  send_queue_.Restart(given_up_);
  ReportAbandoned(true);
  congestion_.Reset(MaxChunks());
  rto_.Reset();
  sack_due_ = false;
  sack_at_once_ = false;
  packets_unacked_ = 0;
  forward_tsn_due_ = false;
  fast_retransmit_due_ = false;
  my_tie_tag_ = static_cast<uint32_t>(rng_.Uniform(1, UINT32_MAX));
  peer_tie_tag_ = static_cast<uint32_t>(rng_.Uniform(1, UINT32_MAX));
  AdoptCookie(cookie);
  Emit(Restarted{});
  Establish();
}

void Association::Impl::Establish() {
  const bool first = !HasAssociation();
  state_ = State::kEstablished;
  StopTimer(kInitTimer);
  StopTimer(kCookieTimer);
  cookie_.clear();
  cookie_.shrink_to_fit();
  cookie_echo_due_ = false;
  error_count_ = 0;
  timeouts_in_row_ = 0;
  heartbeat_under_way_ = false;
  last_data_sent_ = now_;
  advertised_window_ = AvailableWindow();
  if (!outstanding_.empty()) StartTimer(kRetransmitTimer, rto_.rto());
  BurstBegins();
  ArmHeartbeat();
  if (first) {
    Emit(Connected{outbound_streams_, inbound_streams_, features_.partial_reliability,
                   features_.interleaving, features_.reconfig, features_.zero_checksum});
  }
  ProbeMtu();
}

}  // namespace rtclab::sctp
