#include "stack/sctp/association.h"

#include <algorithm>

#include "stack/base/check.h"
#include "stack/sctp/association_impl.h"

namespace rtclab::sctp {

std::string_view ToString(State state) {
  switch (state) {
    case State::kClosed:
      return "closed";
    case State::kCookieWait:
      return "cookie-wait";
    case State::kCookieEchoed:
      return "cookie-echoed";
    case State::kEstablished:
      return "established";
    case State::kShutdownPending:
      return "shutdown-pending";
    case State::kShutdownSent:
      return "shutdown-sent";
    case State::kShutdownReceived:
      return "shutdown-received";
    case State::kShutdownAckSent:
      return "shutdown-ack-sent";
  }
  return "?";
}

std::string_view ToString(DropReason reason) {
  switch (reason) {
    case DropReason::kTruncated:
      return "truncated";
    case DropReason::kBadChecksum:
      return "bad_checksum";
    case DropReason::kWrongPort:
      return "wrong_port";
    case DropReason::kBadTag:
      return "bad_tag";
    case DropReason::kOutOfTheBlue:
      return "out_of_the_blue";
    case DropReason::kMalformedChunk:
      return "malformed_chunk";
    case DropReason::kUnknownChunk:
      return "unknown_chunk";
    case DropReason::kUnexpectedChunk:
      return "unexpected_chunk";
    case DropReason::kBadCookie:
      return "bad_cookie";
    case DropReason::kCount:
      break;
  }
  return "?";
}

Association::Impl::Impl(const AssociationConfig& config, Rng& rng)
    : config_(config),
      send_queue_(config.scheduler),
      rng_(rng),
      cookies_(rng),
      outbound_streams_(config.outbound_streams),
      inbound_streams_(config.max_inbound_streams),
      outstanding_(kSerialBase),
      rto_(config.rto_initial, config.rto_min, config.rto_max),
      congestion_(0),
      path_mtu_(config.mtu, config.max_probed_mtu),
      tracker_(0),
      reassembly_(config.max_receive_message_size) {
  CHECK(config.mtu >= 256 && config.mtu <= 65532);
  CHECK(config.receive_window.bytes() >= 1500);  // RFC 9260 section 3.3.2
  timers_.fill(Timestamp::PlusInfinity());
  // Tags are never zero (section 3.3.2).
  my_tag_ = static_cast<uint32_t>(rng_.Uniform(1, UINT32_MAX));
  my_tie_tag_ = static_cast<uint32_t>(rng_.Uniform(1, UINT32_MAX));
  peer_tie_tag_ = static_cast<uint32_t>(rng_.Uniform(1, UINT32_MAX));
  my_initial_tsn_ = rng_.NextU32();
  outstanding_.Reset(kSerialBase + my_initial_tsn_);
  congestion_.Reset(MaxChunks());
}

bool Association::Impl::HasAssociation() const {
  return state_ != State::kClosed && state_ != State::kCookieWait && state_ != State::kCookieEchoed;
}

bool Association::Impl::AcceptsUserData() const {
  return !ended_ && (state_ == State::kClosed || state_ == State::kCookieWait ||
                     state_ == State::kCookieEchoed || state_ == State::kEstablished);
}

uint16_t Association::Impl::outbound_streams() const {
  return HasAssociation() || state_ == State::kCookieEchoed ? outbound_streams_
                                                            : config_.outbound_streams;
}

Result<void> Association::Impl::Send(Timestamp now, StreamId stream, uint32_t ppid, Bytes payload,
                                     const SendOptions& options) {
  if (!AcceptsUserData()) return rtclab::Fail("association is closed or shutting down");
  if (payload.empty()) return rtclab::Fail("a message has at least one byte");
  if (static_cast<uint16_t>(stream) >= outbound_streams()) {
    return rtclab::Fail("stream beyond what the peer accepts");
  }
  if (payload.size() > config_.send_buffer ||
      send_queue_.buffered() > config_.send_buffer - payload.size()) {
    return rtclab::Fail("send buffer full");
  }
  // With nothing in flight there is no acknowledgement to wait for: a burst begins here.
  const bool idle = outstanding_.empty() && send_queue_.empty();
  Enter(now);
  MessageRef message = MessageRef::Make();
  message->payload = std::move(payload);
  message->stream = stream;
  message->ordered = options.ordered;
  message->ppid = ppid;
  if (options.max_retransmits) message->max_retransmits = *options.max_retransmits;
  if (options.lifetime) message->expires = now + *options.lifetime;
  send_queue_.Add(std::move(message));
  ++metrics_.messages_sent;
  if (idle && HasAssociation()) {
    congestion_.OnIdle(now - last_data_sent_, rto_.rto());
    BurstBegins();
  }
  return {};
}

ReconfigHandler::Context Association::Impl::ReconfigParts() {
  return {send_queue_,      outstanding_,     tracker_,          reassembly_,
          reconfig_events_, inbound_streams_, outbound_streams_, config_.max_inbound_streams};
}

void Association::Impl::EmitReconfigEvents() {
  for (Event& event : reconfig_events_) Emit(std::move(event));
  reconfig_events_.clear();
}

void Association::Impl::ResetStreams(Timestamp now, std::span<const StreamId> streams) {
  Enter(now);
  if (ended_ || streams.empty()) return;
  if (HasAssociation() && !features_.reconfig) {
    Emit(StreamsResetFailed{{streams.begin(), streams.end()}, "peer does not support it"});
    return;
  }
  reconfig_.ResetOutgoing(streams, send_queue_);
}

void Association::Impl::RequestIncomingReset(Timestamp now, std::span<const StreamId> streams) {
  Enter(now);
  if (ended_ || streams.empty()) return;
  if (HasAssociation() && !features_.reconfig) {
    Emit(StreamsResetFailed{{streams.begin(), streams.end()}, "peer does not support it"});
    return;
  }
  reconfig_.RequestIncoming(streams);
}

void Association::Impl::SetMtu(Timestamp now, std::size_t mtu) {
  CHECK(mtu >= 256 && mtu <= 65532);
  Enter(now);
  path_mtu_.SetBase(mtu);
  MtuChanged();
  if (HasAssociation()) ProbeMtu();
}

void Association::Impl::PathChanged(Timestamp now) {
  Enter(now);
  if (ended_) return;
  path_mtu_.SetBase(config_.mtu);
  congestion_.Reset(MaxChunks());
  rto_.Reset();
  if (HasAssociation()) ProbeMtu();
}

void Association::Impl::AddOutgoingStreams(Timestamp now, uint16_t count) {
  Enter(now);
  if (!HasAssociation() || count == 0) return;
  if (!features_.reconfig || outbound_streams_ + uint32_t{count} > UINT16_MAX) {
    Emit(ProtocolError{"streams cannot be added"});
    return;
  }
  reconfig_.AddOutgoing(count);
}

void Association::Impl::MtuChanged() { congestion_.SetMaxChunks(MaxChunks()); }

void Association::Impl::Emit(Event event) { events_.push_back(std::move(event)); }

std::optional<Event> Association::Impl::PollEvent() {
  for (const StreamId stream : send_queue_.fell_low()) Emit(BufferedAmountLow{stream});
  send_queue_.fell_low().clear();
  if (events_.empty()) return std::nullopt;
  std::optional<Event> event(events_.pop_front());
  if (const auto* message = std::get_if<MessageReceived>(&*event)) {
    undelivered_ -= message->payload.size();
    // The window opened again by a good part (section 6.2; receiver-side silly window avoidance).
    const std::size_t window = AvailableWindow();
    const auto whole = static_cast<std::size_t>(config_.receive_window.bytes());
    if (advertised_window_ < whole / 4 &&
        window >= advertised_window_ + std::min(whole / 4, 2 * mtu()) && HasAssociation()) {
      sack_due_ = true;
    }
  }
  return event;
}

void Association::Impl::ReportAbandoned(bool sent) {
  for (const MessageRef& message : given_up_) {
    ++metrics_.messages_abandoned;
    Emit(MessageAbandoned{message->stream, message->ppid, message->ordered, sent});
  }
  given_up_.clear();
}

Timestamp Association::Impl::NextTimeout() const {
  return *std::min_element(timers_.begin(), timers_.end());
}

Metrics Association::Impl::metrics() const {
  const auto size = [](std::size_t v) {
    return DataSize::Bytes(static_cast<int64_t>(std::min<std::size_t>(v, INT64_MAX)));
  };
  Metrics m = metrics_;
  m.cwnd = size(congestion_.cwnd());
  m.ssthresh = size(congestion_.ssthresh());
  m.in_flight = size(outstanding_.flight());
  m.peer_window = size(peer_window_);
  m.srtt = rto_.srtt();
  m.rto = rto_.rto();
  m.mtu = mtu();
  m.in_fast_recovery = congestion_.in_fast_recovery();
  m.duplicate_tsns = tracker_.duplicates();
  return m;
}

Association::Association(AssociationConfig config, Rng& rng)
    : impl_(std::make_unique<Impl>(config, rng)) {}
Association::~Association() = default;
Association::Association(Association&&) noexcept = default;
Association& Association::operator=(Association&&) noexcept = default;

State Association::state() const { return impl_->state_; }
const AssociationConfig& Association::config() const { return impl_->config_; }
Metrics Association::metrics() const { return impl_->metrics(); }
uint16_t Association::outbound_streams() const { return impl_->outbound_streams(); }
void Association::Connect(Timestamp now) { impl_->Connect(now); }
Result<void> Association::Send(Timestamp now, StreamId stream, uint32_t ppid, Bytes payload,
                               const SendOptions& options) {
  return impl_->Send(now, stream, ppid, std::move(payload), options);
}
void Association::ResetStreams(Timestamp now, std::span<const StreamId> streams) {
  impl_->ResetStreams(now, streams);
}
void Association::RequestIncomingReset(Timestamp now, std::span<const StreamId> streams) {
  impl_->RequestIncomingReset(now, streams);
}
void Association::Shutdown(Timestamp now) { impl_->Shutdown(now); }
void Association::Abort(Timestamp now, std::string_view reason) { impl_->Abort(now, reason); }
void Association::PathChanged(Timestamp now) { impl_->PathChanged(now); }
void Association::AddOutgoingStreams(Timestamp now, uint16_t count) {
  impl_->AddOutgoingStreams(now, count);
}
void Association::SetMtu(Timestamp now, std::size_t mtu) { impl_->SetMtu(now, mtu); }
void Association::HandlePacket(Timestamp now, ByteView packet) { impl_->HandlePacket(now, packet); }
void Association::HandleTimeout(Timestamp now) { impl_->HandleTimeout(now); }
std::optional<Bytes> Association::PollTransmit() { return impl_->PollTransmit(); }
std::optional<Event> Association::PollEvent() { return impl_->PollEvent(); }
Timestamp Association::NextTimeout() const { return impl_->NextTimeout(); }
std::size_t Association::buffered_amount(StreamId stream) const {
  return impl_->send_queue_.buffered(stream);
}
std::size_t Association::buffered_amount() const { return impl_->send_queue_.buffered(); }
void Association::SetBufferedAmountLowThreshold(StreamId stream, std::size_t bytes) {
  impl_->send_queue_.SetLowThreshold(stream, bytes);
}
void Association::SetStreamPriority(StreamId stream, uint16_t priority) {
  impl_->send_queue_.SetPriority(stream, priority);
}

}  // namespace rtclab::sctp
