#include "stack/datachannel/channel_manager.h"

#include <algorithm>
#include <utility>

#include "stack/base/check.h"
#include "stack/base/overloaded.h"
#include "stack/datachannel/channel_impl.h"

namespace rtclab::datachannel {
namespace {

constexpr std::size_t kMaxTextSize = 65535;   // WebRTC createDataChannel(), steps 5 and 11
constexpr uint16_t kInvalidStreamId = 65535;  // step 17

tl::unexpected<ChannelError> Refused(ErrorName name, std::string reason) {
  return tl::unexpected(ChannelError{name, std::move(reason)});
}

ManagerConfig WithStreamLimit(const ManagerConfig& given) {
  ManagerConfig config = given;
  sctp::AssociationConfig& sctp = config.sctp;
  sctp.outbound_streams = std::min(sctp.outbound_streams, config.max_channels);
  sctp.max_inbound_streams = std::min(sctp.max_inbound_streams, config.max_channels);
  return config;
}

// Steps 5 to 17 of createDataChannel(): what is a TypeError about it, or null.
const char* FindTypeError(const ChannelInit& init) {
  if (init.label.size() > kMaxTextSize) return "label is longer than 65535 bytes";
  if (!IsUtf8(init.label)) return "label is not UTF-8";
  if (init.protocol.size() > kMaxTextSize) return "protocol is longer than 65535 bytes";
  if (!IsUtf8(init.protocol)) return "protocol is not UTF-8";
  if (init.negotiated && !init.id) return "a negotiated channel needs an id";
  if (init.max_packet_life_time_ms && init.max_retransmits) {
    return "maxPacketLifeTime and maxRetransmits exclude each other";
  }
  if (init.negotiated && *init.id == kInvalidStreamId) return "id 65535 is not allowed";
  return nullptr;
}

}  // namespace

ChannelManager::ChannelManager(const ManagerConfig& config, Rng& rng)
    : config_(WithStreamLimit(config)), association_(config_.sctp, rng) {}

ChannelManager::~ChannelManager() = default;

// --- Setting up ---

void ChannelManager::SetDtlsRole(bool dtls_client) {
  if (dtls_client_) return;
  dtls_client_ = dtls_client;
  lowest_free_ = dtls_client ? 0 : 1;
  for (const auto& channel : channels_) {
    if (!channel || channel->stream || channel->finished) continue;
    if (const auto stream = FreeStreamId()) {
      Assign(*channel, *stream);
    } else {
      FinishChannel(*channel,
                    ChannelFailure{ErrorDetail::kDataChannelFailure, "no identifier is free"});
    }
  }
}

void ChannelManager::Start(Timestamp now, bool dtls_client) {
  now_ = now;
  if (transport_state_ != TransportState::kNew) return;
  transport_state_ = TransportState::kConnecting;
  SetDtlsRole(dtls_client);
  association_.Connect(now);
  Pump();
}

void ChannelManager::SetMaxMessageSize(uint64_t bytes) { config_.max_message_size = bytes; }

std::optional<uint64_t> ChannelManager::max_message_size() const {
  // RTCSctpTransport, "update max message size"; our canSendSize is the association's send buffer.
  const uint64_t can_send = config_.sctp.send_buffer;
  const uint64_t remote = config_.max_message_size;
  if (remote == 0 && can_send == 0) return std::nullopt;
  if (remote == 0 || can_send == 0) return std::max(remote, can_send);
  return std::min(remote, can_send);
}

std::optional<uint16_t> ChannelManager::max_channels() const {
  if (max_channels_ == 0) return std::nullopt;
  return max_channels_;
}

uint16_t ChannelManager::stream_limit() const {
  return max_channels_ != 0 ? max_channels_ : config_.max_channels;
}

// --- Identifiers ---

std::optional<uint16_t> ChannelManager::FreeStreamId() {
  CHECK(dtls_client_);
  uint32_t candidate = lowest_free_;
  for (auto it = streams_.lower_bound(lowest_free_); it != streams_.end(); ++it) {
    if (it->first > candidate) break;
    if (it->first == candidate) candidate += 2;
  }
  if (candidate >= stream_limit()) return std::nullopt;
  lowest_free_ = static_cast<uint16_t>(candidate);
  return lowest_free_;
}

void ChannelManager::Assign(Channel& channel, uint16_t stream) {
  channel.stream = stream;
  channel.init.id = stream;
  channel.stats.data_channel_identifier = stream;
  streams_[stream].channel = &channel;
}

void ChannelManager::Free(uint16_t stream) {
  streams_.erase(stream);
  if (dtls_client_ && stream % 2 == (*dtls_client_ ? 0 : 1)) {
    lowest_free_ = std::min(lowest_free_, stream);
  }
}

// --- Channels ---

ChannelManager::Channel& ChannelManager::Get(ChannelId id) {
  return const_cast<Channel&>(std::as_const(*this).Get(id));
}

const ChannelManager::Channel& ChannelManager::Get(ChannelId id) const {
  const auto index = static_cast<std::size_t>(id);
  CHECK(index < channels_.size() && channels_[index]);
  return *channels_[index];
}

ChannelManager::Channel& ChannelManager::Add(ChannelInit init) {
  auto channel = std::make_unique<Channel>();
  channel->id = static_cast<ChannelId>(channels_.size());
  channel->init = std::move(init);
  channels_.push_back(std::move(channel));
  return *channels_.back();
}

ChannelResult<ChannelId> ChannelManager::Create(Timestamp now, const ChannelInit& init) {
  now_ = now;
  if (transport_state_ == TransportState::kClosed) {
    return Refused(ErrorName::kInvalidStateError, "the transport is closed");
  }
  if (const char* wrong = FindTypeError(init)) return Refused(ErrorName::kTypeError, wrong);
  std::optional<uint16_t> stream;
  if (init.negotiated) {
    stream = init.id;
    if (streams_.contains(*stream)) {
      return Refused(ErrorName::kOperationError, "another channel has this id");
    }
  } else if (dtls_client_) {
    stream = FreeStreamId();
    if (!stream) return Refused(ErrorName::kOperationError, "no id is free");
  }
  if (stream && max_channels_ != 0 && *stream >= max_channels_) {
    return Refused(ErrorName::kOperationError, "the association has no stream for this id");
  }
  Channel& channel = Add(init);
  channel.init.id.reset();
  if (stream) Assign(channel, *stream);
  if (transport_state_ == TransportState::kConnected) OpenOnTransport(channel);
  Pump();
  return channel.id;
}

void ChannelManager::OpenOnTransport(Channel& channel) {
  channel.on_transport = true;
  const sctp::StreamId stream{*channel.stream};
  // RFC 8831 section 6.4: the priority is the weight of RFC 8260's scheduler, which has no zero.
  const uint16_t priority = channel.init.priority;
  association_.SetStreamPriority(stream, priority != 0 ? priority : kNormalPriority);
  association_.SetBufferedAmountLowThreshold(stream, channel.low_threshold);
  if (channel.init.negotiated) {
    channel.acknowledged = true;
  } else {
    DataChannelOpen open;
    open.ordered = channel.init.ordered;
    open.priority = channel.init.priority;
    open.label = channel.init.label;
    open.protocol = channel.init.protocol;
    if (channel.init.max_retransmits) {
      open.reliability = Reliability::kMaxRetransmits;
      open.reliability_parameter = *channel.init.max_retransmits;
    } else if (channel.init.max_packet_life_time_ms) {
      open.reliability = Reliability::kTimed;
      open.reliability_parameter = *channel.init.max_packet_life_time_ms;
    }
    channel.we_opened = true;
    if (!SendControl(channel, BuildDcep(open))) {
      FinishChannel(channel, ChannelFailure{ErrorDetail::kDataChannelFailure,
                                            "DATA_CHANNEL_OPEN does not fit the send buffer"});
      Free(*channel.stream);
      return;
    }
  }
  events_.Push(ChannelOpen{channel.id});
}

bool ChannelManager::SendControl(Channel& channel, Bytes message) {
  // RFC 8832 section 6: ordered and reliable.
  const std::size_t size = message.size();
  if (!association_.Send(now_, sctp::StreamId{*channel.stream}, static_cast<uint32_t>(Ppid::kDcep),
                         std::move(message))) {
    return false;
  }
  NoteControlBytes(channel, size);
  return true;
}

ChannelResult<void> ChannelManager::Send(Timestamp now, ChannelId id, bool binary,
                                         ByteView message) {
  return Send(now, id, binary, Bytes(message.begin(), message.end()));
}

ChannelResult<void> ChannelManager::Send(Timestamp now, ChannelId id, bool binary, Bytes message) {
  now_ = now;
  Channel& channel = Get(id);
  if (channel.state != ChannelState::kOpen || channel.finished ||
      streams_.at(*channel.stream).closing) {
    return Refused(ErrorName::kInvalidStateError, "the channel is not open");
  }
  const uint64_t size = message.size();
  if (const auto limit = max_message_size(); limit && size > *limit) {
    return Refused(ErrorName::kTypeError, "the message is longer than maxMessageSize");
  }
  // RFC 8831 section 6.6: SCTP has no empty message; a zero byte with a PPID of its own stands for it.
  Ppid ppid = binary ? Ppid::kBinary : Ppid::kString;
  if (size == 0) {
    ppid = binary ? Ppid::kBinaryEmpty : Ppid::kStringEmpty;
    message.push_back(0);
  }
  sctp::SendOptions options;
  // RFC 8832 section 6: ordered until the peer is known to know the channel.
  options.ordered = channel.init.ordered || !channel.acknowledged;
  options.max_retransmits = channel.init.max_retransmits;
  if (channel.init.max_packet_life_time_ms) {
    options.lifetime = TimeDelta::Millis(*channel.init.max_packet_life_time_ms);
  }
  const auto sent = association_.Send(now, sctp::StreamId{*channel.stream},
                                      static_cast<uint32_t>(ppid), std::move(message), options);
  if (!sent) return Refused(ErrorName::kOperationError, sent.error().reason);
  if (size == 0) {
    NoteControlBytes(channel, 1);
  } else {
    channel.queued += size;
  }
  ++channel.stats.messages_sent;
  channel.stats.bytes_sent += size;
  if (AmountOnTransport(channel) > channel.low_threshold) channel.above_threshold = true;
  Pump();
  return {};
}

void ChannelManager::Release(ChannelId id) {
  CHECK(Get(id).finished);
  channels_[static_cast<std::size_t>(id)].reset();
}

// --- bufferedAmount ---

void ChannelManager::NoteControlBytes(Channel& channel, std::size_t size) {
  const uint64_t pending = association_.buffered_amount(sctp::StreamId{*channel.stream});
  channel.queued += size;
  const uint64_t sent = channel.queued - std::min(channel.queued, pending);
  std::erase_if(channel.control, [&](const ControlBytes& c) { return c.end <= sent; });
  if (!channel.control.empty() && channel.control.back().end + size == channel.queued) {
    channel.control.back().end += size;
    channel.control.back().size += size;
  } else {
    channel.control.push_back({channel.queued, size});
  }
}

uint64_t ChannelManager::AmountOnTransport(const Channel& channel) const {
  // A stream's queue is sent from its front, so what is pending are the last bytes that were queued.
  const uint64_t pending = association_.buffered_amount(sctp::StreamId{*channel.stream});
  const uint64_t sent = channel.queued - std::min(channel.queued, pending);
  uint64_t control = 0;
  for (const ControlBytes& c : channel.control) {
    if (c.end > sent) control += std::min(c.size, c.end - sent);
  }
  return pending - std::min(pending, control);
}

uint64_t ChannelManager::buffered_amount(ChannelId id) const {
  const Channel& channel = Get(id);
  if (channel.finished) return channel.final_amount;
  return channel.on_transport ? AmountOnTransport(channel) : 0;
}

void ChannelManager::SetBufferedAmountLowThreshold(ChannelId id, uint64_t bytes) {
  Channel& channel = Get(id);
  channel.low_threshold = bytes;
  if (channel.finished || !channel.on_transport) return;
  association_.SetBufferedAmountLowThreshold(sctp::StreamId{*channel.stream}, bytes);
  channel.above_threshold = AmountOnTransport(channel) > bytes;
}

uint64_t ChannelManager::buffered_amount_low_threshold(ChannelId id) const {
  return Get(id).low_threshold;
}

void ChannelManager::HandleBufferedAmountLow(uint16_t stream) {
  const auto it = streams_.find(stream);
  if (it == streams_.end() || it->second.channel == nullptr) return;
  Channel& channel = *it->second.channel;
  // The association counts our own bytes too: an empty message or a DATA_CHANNEL_OPEN that left is no
  // news for the application.
  if (!channel.above_threshold || AmountOnTransport(channel) > channel.low_threshold) return;
  channel.above_threshold = false;
  events_.Push(BufferedAmountLow{channel.id});
}

// --- Driving ---

void ChannelManager::HandlePacket(Timestamp now, ByteView packet) {
  now_ = now;
  if (transport_state_ == TransportState::kNew) return;
  association_.HandlePacket(now, packet);
  Pump();
}

void ChannelManager::HandleTimeout(Timestamp now) {
  now_ = now;
  association_.HandleTimeout(now);
  Pump();
}

std::optional<Bytes> ChannelManager::PollTransmit() {
  auto packet = association_.PollTransmit();
  Pump();  // what left the queue may have been the last above a threshold
  return packet;
}

Timestamp ChannelManager::NextTimeout() const { return association_.NextTimeout(); }

std::optional<Event> ChannelManager::PollEvent() {
  Pump();
  while (auto event = events_.Pop()) {
    if (Deliver(*event)) return event;
  }
  return std::nullopt;
}

void ChannelManager::SetState(Channel& channel, ChannelState state) {
  if (channel.state == state) return;
  if (channel.state == ChannelState::kOpen) ++closed_;
  if (state == ChannelState::kOpen) ++opened_;
  channel.state = state;
}

// The W3C's tasks look at the state when they run: an event that is overtaken by close() is dropped.
bool ChannelManager::Deliver(Event& event) {
  const auto find = [this](ChannelId id) { return channels_[static_cast<std::size_t>(id)].get(); };
  return std::visit(Overloaded{
                        [&](const ChannelAnnounced& e) {
                          Channel* const channel = find(e.id);
                          if (channel == nullptr || channel->state != ChannelState::kConnecting)
                            return false;
                          SetState(*channel, ChannelState::kOpen);
                          return true;
                        },
                        [&](const ChannelOpen& e) {
                          Channel* const channel = find(e.id);
                          if (channel == nullptr || channel->state > ChannelState::kOpen)
                            return false;
                          SetState(*channel, ChannelState::kOpen);
                          return true;
                        },
                        [&](const MessageReceived& e) {
                          Channel* const channel = find(e.id);
                          if (channel == nullptr || channel->state != ChannelState::kOpen)
                            return false;
                          ++channel->stats.messages_received;
                          channel->stats.bytes_received += e.payload.size();
                          return true;
                        },
                        [&](const ChannelClosing& e) {
                          Channel* const channel = find(e.id);
                          if (channel == nullptr || channel->state > ChannelState::kOpen)
                            return false;
                          SetState(*channel, ChannelState::kClosing);
                          return true;
                        },
                        [&](const ChannelClosed& e) {
                          Channel* const channel = find(e.id);
                          if (channel == nullptr || channel->state == ChannelState::kClosed)
                            return false;
                          SetState(*channel, ChannelState::kClosed);
                          return true;
                        },
                        [&](const BufferedAmountLow& e) { return find(e.id) != nullptr; },
                        [](const auto&) { return true; },
                    },
                    event);
}

// --- Looking ---

ChannelState ChannelManager::state(ChannelId id) const { return Get(id).state; }
const ChannelInit& ChannelManager::init(ChannelId id) const { return Get(id).init; }
std::optional<uint16_t> ChannelManager::stream_id(ChannelId id) const { return Get(id).stream; }

ChannelStats ChannelManager::stats(ChannelId id) const {
  const Channel& channel = Get(id);
  ChannelStats stats = channel.stats;
  stats.label = channel.init.label;
  stats.protocol = channel.init.protocol;
  stats.state = channel.state;
  return stats;
}

std::vector<ChannelId> ChannelManager::channels() const {
  std::vector<ChannelId> ids;
  for (const auto& channel : channels_) {
    if (channel) ids.push_back(channel->id);
  }
  return ids;
}

}  // namespace rtclab::datachannel
