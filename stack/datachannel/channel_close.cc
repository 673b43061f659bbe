// How channels end: RFC 8831 section 6.7, by resetting both streams of the pair, and with the
// association.
#include <utility>

#include "stack/base/check.h"
#include "stack/datachannel/channel_impl.h"
#include "stack/datachannel/channel_manager.h"

namespace rtclab::datachannel {

void ChannelManager::Close(Timestamp now, ChannelId id) {
  now_ = now;
  Channel& channel = Get(id);
  if (channel.state > ChannelState::kOpen) return;
  SetState(channel, ChannelState::kClosing);
  if (channel.finished) return;
  if (!channel.on_transport) {
    const auto stream = channel.stream;
    FinishChannel(channel, std::nullopt);
    if (stream) Free(*stream);
    return;
  }
  StreamPair& pair = streams_.at(*channel.stream);
  if (!pair.closing) BeginClose(*channel.stream, pair);
  Pump();
}

// RFC 8832 section 6: the channel on `stream`, or what would have become one, is closed. RFC 8831
// section 6.6 asks for the same after a message with an error.
void ChannelManager::Refuse(uint16_t stream, std::string reason) {
  ProtocolViolation violation;
  violation.stream = stream;
  violation.reason = reason;
  events_.Push(std::move(violation));
  if (stream >= max_channels_) return;  // there is no outgoing stream to reset
  StreamPair& pair = streams_[stream];
  if (pair.closing) return;
  if (pair.channel != nullptr) {
    pair.channel->failure = ChannelFailure{ErrorDetail::kDataChannelFailure, std::move(reason)};
    events_.Push(ChannelClosing{pair.channel->id});
  }
  BeginClose(stream, pair);
}

void ChannelManager::BeginClose(uint16_t stream, StreamPair& pair) {
  pair.closing = true;
  // The association takes a second reset of a stream for the one under way: it has to wait for that.
  if (pair.stale_reset) return;
  const sctp::StreamId id{stream};
  association_.ResetStreams(now_, {&id, 1});
}

std::vector<uint16_t> ChannelManager::NumbersOf(const std::vector<sctp::StreamId>& streams) const {
  std::vector<uint16_t> numbers;
  if (streams.empty()) {  // all
    for (const auto& [stream, pair] : streams_) numbers.push_back(stream);
  }
  for (const sctp::StreamId stream : streams) numbers.push_back(static_cast<uint16_t>(stream));
  return numbers;
}

void ChannelManager::HandleIncomingResets(const std::vector<sctp::StreamId>& streams) {
  for (const uint16_t stream : NumbersOf(streams)) {
    const auto it = streams_.find(stream);
    if (it == streams_.end()) continue;
    StreamPair& pair = it->second;
    pair.incoming_reset = true;
    if (!pair.closing) {
      // RFC 8831 section 6.7: the peer closes, and we reset our stream in turn.
      if (Channel* const channel = pair.channel; channel != nullptr) {
        if (channel->we_opened && !channel->acknowledged) {
          // RFC 8832 section 6: a reset before the ACK is the peer's refusal.
          channel->failure =
              ChannelFailure{ErrorDetail::kDataChannelFailure, "the peer refused the channel"};
        }
        events_.Push(ChannelClosing{channel->id});
      }
      BeginClose(stream, pair);
    }
    MaybeFinishClose(stream);
  }
}

// RFC 6525 section 4.2 lets the peer ask for the reset of our streams, which closes their channels.
void ChannelManager::HandleResetRequest(const std::vector<sctp::StreamId>& streams) {
  for (const uint16_t stream : NumbersOf(streams)) {
    const auto it = streams_.find(stream);
    if (it == streams_.end() || it->second.closing) continue;
    if (it->second.channel != nullptr) events_.Push(ChannelClosing{it->second.channel->id});
    // Where the association obeys by itself this changes nothing; it leaves "all streams" to us.
    BeginClose(stream, it->second);
  }
}

void ChannelManager::HandleOutgoingReset(uint16_t stream) {
  const auto it = streams_.find(stream);
  if (it == streams_.end()) return;
  StreamPair& pair = it->second;
  if (std::exchange(pair.stale_reset, false)) {
    if (pair.closing) BeginClose(stream, pair);
    return;
  }
  if (!pair.closing) return;
  pair.outgoing_reset = true;
  MaybeFinishClose(stream);
}

void ChannelManager::HandleResetFailed(uint16_t stream, const std::string& reason) {
  const auto it = streams_.find(stream);
  if (it == streams_.end()) return;
  StreamPair& pair = it->second;
  if (std::exchange(pair.stale_reset, false)) {
    if (pair.closing) BeginClose(stream, pair);
    return;
  }
  if (!pair.closing) return;
  // The channel is over, but its identifier cannot be used again: the sequence numbers go on.
  pair.reset_failed = true;
  if (pair.channel != nullptr) {
    FinishChannel(*pair.channel, ChannelFailure{ErrorDetail::kDataChannelFailure,
                                                "the stream reset failed: " + reason});
  }
}

void ChannelManager::MaybeFinishClose(uint16_t stream) {
  const StreamPair& pair = streams_.at(stream);
  if (!pair.outgoing_reset || !pair.incoming_reset) return;
  if (pair.channel != nullptr) FinishChannel(*pair.channel, std::nullopt);
  Free(stream);
}

void ChannelManager::FinishChannel(Channel& channel, std::optional<ChannelFailure> failure) {
  CHECK(!channel.finished);
  channel.final_amount = channel.on_transport ? AmountOnTransport(channel) : 0;
  channel.finished = true;
  channel.control = {};
  channel.partial = {};
  if (channel.stream) {
    if (const auto it = streams_.find(*channel.stream); it != streams_.end()) {
      it->second.channel = nullptr;
    }
  }
  if (!failure) failure = std::move(channel.failure);
  events_.Push(ChannelClosed{channel.id, std::move(failure)});
}

// RFC 8831 section 6.2: with the association all channels end; an error is told unless it was graceful.
void ChannelManager::FinishAll(const std::optional<ChannelFailure>& failure) {
  for (const auto& channel : channels_) {
    if (channel && !channel->finished) FinishChannel(*channel, failure);
  }
  streams_.clear();
  lowest_free_ = dtls_client_.value_or(true) ? 0 : 1;
}

void ChannelManager::HandleEnd(bool graceful, std::string reason) {
  if (transport_state_ == TransportState::kClosed) return;
  transport_state_ = TransportState::kClosed;
  std::optional<ChannelFailure> failure;
  if (!graceful) failure = ChannelFailure{ErrorDetail::kSctpFailure, reason};
  FinishAll(failure);
  events_.Push(TransportClosed{graceful, std::move(reason)});
}

void ChannelManager::HandleRestart() {
  FinishAll(ChannelFailure{ErrorDetail::kSctpFailure, "the peer restarted the association"});
  events_.Push(TransportRestarted{});
}

void ChannelManager::Shutdown(Timestamp now) {
  now_ = now;
  if (transport_state_ == TransportState::kNew) {
    HandleEnd(true, "shutdown");
    return;
  }
  association_.Shutdown(now);
  Pump();
}

void ChannelManager::Abort(Timestamp now, std::string_view reason) {
  now_ = now;
  if (transport_state_ == TransportState::kNew) {
    HandleEnd(false, "local_abort: " + std::string(reason));
    return;
  }
  association_.Abort(now, reason);
  Pump();
}

}  // namespace rtclab::datachannel
