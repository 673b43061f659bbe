// The data channels of one peer over one SCTP association: RFC 8831, RFC 8832 and the behaviour of the
// W3C's RTCDataChannel and RTCSctpTransport.
#ifndef RTCLAB_STACK_DATACHANNEL_CHANNEL_MANAGER_H_
#define RTCLAB_STACK_DATACHANNEL_CHANNEL_MANAGER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/datachannel/channel.h"
#include "stack/datachannel/dcep.h"
#include "stack/datachannel/event_queue.h"
#include "stack/sctp/association.h"

namespace rtclab::datachannel {

// RFC 9260's parameters are for a network that SCTP has to probe by itself. Under data channels ICE's
// consent (RFC 7675) tells within 30 s when the peer is gone, so timers back off to 3 s at most and
// retransmissions go on for longer than consent lasts, as browsers have it: a transfer lives through
// heavy loss.
inline sctp::AssociationConfig DataChannelAssociationConfig() {
  sctp::AssociationConfig config;
  config.rto_initial = TimeDelta::Millis(500);
  config.rto_min = TimeDelta::Millis(400);
  config.rto_max = TimeDelta::Seconds(3);
  config.max_init_retransmits = 30;
  config.max_association_retransmits = 30;
  return config;
}

struct ManagerConfig {
  // `outbound_streams` and `max_inbound_streams` are lowered to max_channels; `send_buffer` is the
  // W3C's canSendSize.
  sctp::AssociationConfig sctp = DataChannelAssociationConfig();
  // The peer's a=max-message-size: 0 is no limit, 65,536 where the peer says nothing (RFC 8841
  // section 6).
  uint64_t max_message_size = 65536;
  // What we said in ours. A longer message closes its channel; 0 is no limit but
  // sctp.max_receive_message_size.
  uint64_t local_max_message_size = 0;
  // Identifiers are below this. RFC 8831 section 6.2 asks for 65,535.
  uint16_t max_channels = 65535;
};

// Sans-IO as stack/base/sans_io.h has it; a transmit is one SCTP packet in the clear, for DTLS to carry.
class ChannelManager {
 public:
  using Event = datachannel::Event;

  // `rng` must outlive the manager.
  ChannelManager(const ManagerConfig& config, Rng& rng);
  ~ChannelManager();
  ChannelManager(const ChannelManager&) = delete;
  ChannelManager& operator=(const ChannelManager&) = delete;

  // The DTLS role is known: the client takes even identifiers, the server odd ones (RFC 8832 section
  // 6), for the channels made so far and later. A second call changes nothing.
  void SetDtlsRole(bool dtls_client);
  // DTLS is connected: sets up the association (both peers may, RFC 8841 section 9.3). Ends in
  // TransportConnected or TransportClosed. Once.
  void Start(Timestamp now, bool dtls_client);
  // The peer's max-message-size, from a later description.
  void SetMaxMessageSize(uint64_t bytes);

  // createDataChannel(). TypeError: label or protocol too long or not UTF-8, both limits given, or an
  // identifier missing or 65,535. OperationError: no identifier free, or it is taken or beyond the
  // peer's. InvalidStateError: the transport is closed. May be called at any time before that; the
  // channel is open with ChannelOpen, which does not wait for the peer's DATA_CHANNEL_ACK.
  ChannelResult<ChannelId> Create(Timestamp now, const ChannelInit& init);
  // send(). InvalidStateError: not open. TypeError: longer than max_message_size(). OperationError:
  // does not fit the send buffer.
  ChannelResult<void> Send(Timestamp now, ChannelId id, bool binary, ByteView message);
  ChannelResult<void> Send(Timestamp now, ChannelId id, bool binary, Bytes message);
  // close(): what is queued is sent first; ends in ChannelClosed. A channel that closes already stays.
  void Close(Timestamp now, ChannelId id);
  // Forgets a closed channel; its id is unknown from then on.
  void Release(ChannelId id);

  // Ends the association gracefully or at once, and with it every channel: TransportClosed.
  void Shutdown(Timestamp now);
  void Abort(Timestamp now, std::string_view reason);

  // Packets before Start() are dropped.
  void HandlePacket(Timestamp now, ByteView packet);
  void HandleTimeout(Timestamp now);
  std::optional<Bytes> PollTransmit();
  std::optional<Event> PollEvent();
  Timestamp NextTimeout() const;

  TransportState transport_state() const { return transport_state_; }
  // RTCSctpTransport's maxMessageSize in bytes; nullopt: no limit.
  std::optional<uint64_t> max_message_size() const;
  // RTCSctpTransport's maxChannels; nullopt before it is connected.
  std::optional<uint16_t> max_channels() const;
  const sctp::Association& association() const { return association_; }

  // About one channel; `id` is one that Create() or ChannelAnnounced gave and that was not released.
  ChannelState state(ChannelId id) const;
  const ChannelInit& init(ChannelId id) const;
  std::optional<uint16_t> stream_id(ChannelId id) const;
  // Bytes of messages queued and not yet in a packet, without framing; keeps its value after the end.
  uint64_t buffered_amount(ChannelId id) const;
  // At first 0.
  void SetBufferedAmountLowThreshold(ChannelId id, uint64_t bytes);
  uint64_t buffered_amount_low_threshold(ChannelId id) const;
  ChannelStats stats(ChannelId id) const;
  // All channels that were not released, in the order they were made.
  std::vector<ChannelId> channels() const;
  // RTCPeerConnectionStats: how many channels have ever been open, and how many have left it again.
  uint32_t data_channels_opened() const { return opened_; }
  uint32_t data_channels_closed() const { return closed_; }

 private:
  struct Channel;
  // A pair of streams with one identifier, in use by a channel or on its way to be free again.
  struct StreamPair {
    Channel* channel = nullptr;  // none: only to be closed
    bool closing = false;        // our outgoing stream's reset is asked for
    bool outgoing_reset = false;
    bool incoming_reset = false;
    // A reset of the pair's last life is not yet confirmed; its confirmation is not this life's.
    bool stale_reset = false;
    bool reset_failed = false;
  };

  Channel& Get(ChannelId id);
  const Channel& Get(ChannelId id) const;
  Channel& Add(ChannelInit init);
  void SetState(Channel& channel, ChannelState state);
  bool Deliver(Event& event);

  // Identifiers.
  std::optional<uint16_t> FreeStreamId();
  void Assign(Channel& channel, uint16_t stream);
  void Free(uint16_t stream);
  uint16_t stream_limit() const;

  // What the association reports.
  void Pump();
  void HandleConnected(const sctp::Connected& connected);
  void HandleMessage(sctp::MessageReceived& message);
  void HandleUserMessage(Channel& channel, sctp::MessageReceived& message);
  void HandlePartial(Channel& channel, bool binary, ByteView payload);
  // Empty: all.
  void HandleIncomingResets(const std::vector<sctp::StreamId>& streams);
  void HandleResetRequest(const std::vector<sctp::StreamId>& streams);
  void HandleOutgoingReset(uint16_t stream);
  void HandleResetFailed(uint16_t stream, const std::string& reason);
  void HandleBufferedAmountLow(uint16_t stream);
  void HandleAbandoned(const sctp::MessageAbandoned& abandoned);
  void HandleRestart();
  void HandleEnd(bool graceful, std::string reason);

  // DCEP.
  void HandleDcep(const sctp::MessageReceived& message);
  void HandleOpen(uint16_t stream, const DataChannelOpen& open);
  void OpenOnTransport(Channel& channel);
  // False: the send buffer is full.
  bool SendControl(Channel& channel, Bytes message);

  // Closing.
  void Refuse(uint16_t stream, std::string reason);
  void BeginClose(uint16_t stream, StreamPair& pair);
  void MaybeFinishClose(uint16_t stream);
  void FinishChannel(Channel& channel, std::optional<ChannelFailure> failure);
  void FinishAll(const std::optional<ChannelFailure>& failure);
  std::vector<uint16_t> NumbersOf(const std::vector<sctp::StreamId>& streams) const;

  // bufferedAmount.
  uint64_t AmountOnTransport(const Channel& channel) const;
  void NoteControlBytes(Channel& channel, std::size_t size);

  ManagerConfig config_;
  sctp::Association association_;
  Timestamp now_;
  TransportState transport_state_ = TransportState::kNew;
  std::optional<bool> dtls_client_;
  uint16_t max_channels_ = 0;

  std::vector<std::unique_ptr<Channel>> channels_;  // by ChannelId; null when released
  std::map<uint16_t, StreamPair> streams_;
  uint16_t lowest_free_ = 0;  // no identifier of our parity below it is free
  uint32_t opened_ = 0;
  uint32_t closed_ = 0;
  EventQueue<Event> events_;
};

}  // namespace rtclab::datachannel

#endif  // RTCLAB_STACK_DATACHANNEL_CHANNEL_MANAGER_H_
