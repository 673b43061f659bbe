// What comes from the association: user messages and DCEP (RFC 8831 section 6.6, RFC 8832 section 6).
#include <algorithm>
#include <string>
#include <utility>

#include "stack/base/overloaded.h"
#include "stack/datachannel/channel_impl.h"
#include "stack/datachannel/channel_manager.h"

namespace rtclab::datachannel {
namespace {

// The most that is put together from messages with deprecated PPIDs where we named no limit.
constexpr uint64_t kMaxPartialSize = uint64_t{16} * 1024 * 1024;

constexpr uint16_t Number(sctp::StreamId stream) { return static_cast<uint16_t>(stream); }

uint16_t ClampToU16(uint32_t value) {
  return static_cast<uint16_t>(std::min<uint32_t>(value, 0xFFFF));
}

// WebRTC, "announcing a data channel instance"; what is beyond the W3C's unsigned short is its
// greatest value.
ChannelInit InitOf(const DataChannelOpen& open) {
  ChannelInit init;
  init.label = open.label;
  init.protocol = open.protocol;
  init.ordered = open.ordered;
  init.priority = open.priority;
  if (open.reliability == Reliability::kMaxRetransmits) {
    init.max_retransmits = ClampToU16(open.reliability_parameter);
  } else if (open.reliability == Reliability::kTimed) {
    init.max_packet_life_time_ms = ClampToU16(open.reliability_parameter);
  }
  return init;
}

}  // namespace

void ChannelManager::Pump() {
  while (auto event = association_.PollEvent()) {
    std::visit(
        Overloaded{
            [this](const sctp::Connected& e) { HandleConnected(e); },
            [this](sctp::MessageReceived& e) { HandleMessage(e); },
            [this](const sctp::Closed&) { HandleEnd(true, "shutdown"); },
            [this](sctp::Aborted& e) { HandleEnd(false, std::move(e.reason)); },
            [this](sctp::ConnectFailed& e) { HandleEnd(false, std::move(e.reason)); },
            [this](const sctp::Restarted&) { HandleRestart(); },
            [this](const sctp::StreamsResetPerformed& e) {
              for (const auto stream : e.streams) HandleOutgoingReset(Number(stream));
            },
            [this](const sctp::StreamsResetFailed& e) {
              for (const auto stream : e.streams) HandleResetFailed(Number(stream), e.reason);
            },
            [this](const sctp::IncomingStreamsReset& e) { HandleIncomingResets(e.streams); },
            [this](const sctp::OutgoingResetRequested& e) { HandleResetRequest(e.streams); },
            [this](const sctp::BufferedAmountLow& e) { HandleBufferedAmountLow(Number(e.stream)); },
            [this](const sctp::MessageAbandoned& e) { HandleAbandoned(e); },
            [this](sctp::ProtocolError& e) {
              events_.Push(ProtocolViolation{std::nullopt, "sctp: " + e.reason});
            },
        },
        *event);
  }
}

void ChannelManager::HandleConnected(const sctp::Connected& connected) {
  transport_state_ = TransportState::kConnected;
  // RTCSctpTransport's connected procedure, steps 3 and 4.
  max_channels_ = std::min(connected.outbound_streams, connected.inbound_streams);
  events_.Push(TransportConnected{max_channels_});
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    Channel* const channel = channels_[i].get();
    if (channel == nullptr || channel->finished || channel->on_transport) continue;
    if (*channel->stream < max_channels_) {
      OpenOnTransport(*channel);
    } else {
      FinishChannel(*channel, ChannelFailure{ErrorDetail::kDataChannelFailure,
                                             "the association has no stream for this id"});
      Free(*channel->stream);
    }
  }
}

void ChannelManager::HandleMessage(sctp::MessageReceived& message) {
  if (message.ppid == static_cast<uint32_t>(Ppid::kDcep)) {
    HandleDcep(message);
    return;
  }
  const uint16_t stream = Number(message.stream);
  const auto it = streams_.find(stream);
  if (it == streams_.end()) {
    // RFC 8832 section 6: user data on an unused stream is an error; the channel has to be closed.
    Refuse(stream, "unknown_stream: a message on a stream that no channel uses");
    return;
  }
  if (it->second.closing || it->second.channel == nullptr) return;
  HandleUserMessage(*it->second.channel, message);
}

void ChannelManager::HandleUserMessage(Channel& channel, sctp::MessageReceived& message) {
  const uint16_t stream = *channel.stream;
  const uint64_t limit = config_.local_max_message_size;
  channel.acknowledged = true;  // RFC 8832 section 6: "or any other message"
  if (limit != 0 && message.payload.size() > limit) {
    Refuse(stream, "message_too_big: longer than our max-message-size");
    return;
  }
  const auto ppid = static_cast<Ppid>(message.ppid);
  bool binary = false;
  switch (ppid) {
    case Ppid::kBinaryPartial:
    case Ppid::kStringPartial:
      HandlePartial(channel, ppid == Ppid::kBinaryPartial, message.payload);
      return;
    case Ppid::kBinary:
      binary = true;
      break;
    case Ppid::kBinaryEmpty:
      binary = true;
      message.payload.clear();  // RFC 8831 section 6.6: whatever it holds
      break;
    case Ppid::kString:
      break;
    case Ppid::kStringEmpty:
      message.payload.clear();
      break;
    default:
      Refuse(stream, "unsupported_ppid: " + std::to_string(message.ppid));
      return;
  }
  if (channel.partial_binary) {
    HandlePartial(channel, binary, message.payload);
    if (!channel.partial_binary) return;
    channel.partial_binary.reset();
    message.payload = std::exchange(channel.partial, {});
  }
  events_.Push(MessageReceived{channel.id, binary, std::move(message.payload)});
}

// RFC 8831 section 6.6's deprecated fragmentation, which only reliable and ordered channels had. On an
// error `partial_binary` is empty afterwards.
void ChannelManager::HandlePartial(Channel& channel, bool binary, ByteView payload) {
  const uint64_t limit =
      config_.local_max_message_size != 0 ? config_.local_max_message_size : kMaxPartialSize;
  const ChannelInit& init = channel.init;
  std::string error;
  if (!init.ordered || init.max_retransmits || init.max_packet_life_time_ms) {
    error = "unsupported_ppid: a partial message on a channel that may lose or reorder";
  } else if (channel.partial_binary.value_or(binary) != binary) {
    error = "partial_mismatch: a message of the other kind between the parts of one";
  } else if (channel.partial.size() + payload.size() > limit) {
    error = "message_too_big: the parts of a message together";
  }
  if (!error.empty()) {
    channel.partial = {};
    channel.partial_binary.reset();
    Refuse(*channel.stream, std::move(error));
    return;
  }
  channel.partial_binary = binary;
  channel.partial.insert(channel.partial.end(), payload.begin(), payload.end());
}

void ChannelManager::HandleDcep(const sctp::MessageReceived& message) {
  const uint16_t stream = Number(message.stream);
  const auto parsed = ParseDcep(message.payload);
  // RFC 8832 section 6. Chromium acknowledges unordered channels out of order, where the order says nothing: told, and the channel stays.
  if (!message.ordered && parsed && std::holds_alternative<DataChannelAck>(*parsed)) {
    events_.Push(ProtocolViolation{stream, "dcep_unordered: an unordered DATA_CHANNEL_ACK"});
  } else if (!message.ordered) {
    Refuse(stream, "dcep_unordered: DCEP messages are ordered");
    return;
  }
  if (!parsed) {
    Refuse(stream, "dcep_malformed: " + parsed.error().reason);
    return;
  }
  if (const auto* open = std::get_if<DataChannelOpen>(&*parsed)) {
    HandleOpen(stream, *open);
    return;
  }
  const auto it = streams_.find(stream);
  if (it == streams_.end()) {
    Refuse(stream, "dcep_unexpected_ack: on a stream that no channel uses");
  } else if (it->second.closing || it->second.channel == nullptr) {
    return;
  } else if (it->second.channel->we_opened) {
    it->second.channel->acknowledged = true;
  } else {
    // Harmless, and RFC 8832 asks for nothing: told, and the channel stays.
    events_.Push(ProtocolViolation{stream, "dcep_unexpected_ack: for no DATA_CHANNEL_OPEN"});
  }
}

void ChannelManager::HandleOpen(uint16_t stream, const DataChannelOpen& open) {
  // RFC 8832 section 6: the DTLS client has the even identifiers. We are not Start()ed without a role.
  const uint16_t peers_parity = *dtls_client_ ? 1 : 0;
  if (stream % 2 != peers_parity) {
    Refuse(stream, "dcep_wrong_parity: DATA_CHANNEL_OPEN with an identifier of ours");
    return;
  }
  bool stale_reset = false;
  if (const auto it = streams_.find(stream); it != streams_.end()) {
    StreamPair& pair = it->second;
    if (!pair.closing) {
      Refuse(stream, "dcep_stream_in_use: DATA_CHANNEL_OPEN on a channel's stream");
      return;
    }
    if (!pair.incoming_reset) return;  // sent before the peer knew that we close
    // The peer has seen both resets and uses the identifier again; its confirmation of ours is still
    // under way. What we send now waits for it (sctp::Association::ResetStreams).
    stale_reset = !pair.outgoing_reset && !pair.reset_failed;
    if (pair.channel != nullptr) FinishChannel(*pair.channel, std::nullopt);
    Free(stream);
  }
  if (stream >= max_channels_) {
    Refuse(stream, "unknown_stream: DATA_CHANNEL_OPEN on a stream that has no way back");
    return;
  }
  Channel& channel = Add(InitOf(open));
  Assign(channel, stream);
  streams_[stream].stale_reset = stale_reset;
  channel.on_transport = true;
  channel.acknowledged = true;
  const sctp::StreamId id{stream};
  association_.SetStreamPriority(id, open.priority != 0 ? open.priority : kNormalPriority);
  association_.SetBufferedAmountLowThreshold(id, 0);
  events_.Push(ChannelAnnounced{channel.id, channel.init});
  if (!SendControl(channel, BuildDcep(DataChannelAck{}))) {
    Refuse(stream, "sctp: DATA_CHANNEL_ACK does not fit the send buffer");
    return;
  }
  events_.Push(ChannelOpen{channel.id});
}

void ChannelManager::HandleAbandoned(const sctp::MessageAbandoned& abandoned) {
  const auto it = streams_.find(Number(abandoned.stream));
  if (it == streams_.end() || it->second.channel == nullptr) return;
  ++it->second.channel->stats.messages_abandoned;
}

}  // namespace rtclab::datachannel
