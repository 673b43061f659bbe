// Data channels: the manager over the DTLS of the transport that the data section uses.
#include <algorithm>
#include <utility>

#include "stack/base/overloaded.h"
#include "stack/peer/peer_impl.h"

namespace rtclab::peer {
namespace {

ErrorName ToPeerError(datachannel::ErrorName name) {
  switch (name) {
    case datachannel::ErrorName::kTypeError:
      return ErrorName::kTypeError;
    case datachannel::ErrorName::kInvalidStateError:
      return ErrorName::kInvalidStateError;
    case datachannel::ErrorName::kOperationError:
      return ErrorName::kOperationError;
  }
  return ErrorName::kOperationError;
}

// "init-timeout" of "init-timeout: no answer to ...": what a reason begins with.
std::string ShortId(std::string_view reason) {
  return std::string(reason.substr(0, reason.find_first_of(": ")));
}

}  // namespace

datachannel::ManagerConfig PeerConnection::Impl::MakeManagerConfig() const {
  datachannel::ManagerConfig config;
  config.sctp = config_.sctp;
  if (sctp_) {
    config.sctp.local_port = sctp_->local_port;
    config.sctp.remote_port = sctp_->remote_port;
    config.max_message_size = sctp_->remote_max_message_size;
  }
  config.local_max_message_size = config_.max_message_size;
  config.max_channels = config_.max_channels;
  return config;
}

PeerResult<datachannel::ChannelId> PeerConnection::Impl::CreateDataChannel(
    Timestamp now, const datachannel::ChannelInit& init) {
  if (closed_) return Reject(ErrorName::kInvalidStateError, "the connection is closed");
  if (data_ == nullptr)
    data_ = std::make_unique<datachannel::ChannelManager>(MakeManagerConfig(), sctp_rng_);
  const auto id = data_->Create(now, init);
  if (!id) return Reject(ToPeerError(id.error().name), id.error().reason);
  if (!sctp_) created_channels_.push_back(init);
  negotiator_.WantData();
  Pump(now);
  return *id;
}

PeerResult<void> PeerConnection::Impl::Send(Timestamp now, datachannel::ChannelId id, bool binary,
                                            Bytes message) {
  if (data_ == nullptr || closed_)
    return Reject(ErrorName::kInvalidStateError, "the channel is not open");
  const auto sent = data_->Send(now, id, binary, std::move(message));
  if (!sent) return Reject(ToPeerError(sent.error().name), sent.error().reason);
  PumpData(now);
  return {};
}

void PeerConnection::Impl::SyncData(Timestamp now) {
  const std::optional<SctpParameters>& negotiated = negotiator_.sctp();
  if (!negotiated) {
    // Refused, or stopped by a later description: the channels end.
    const bool refused = data_ != nullptr &&
                         negotiator_.signaling_state() == SignalingState::kStable &&
                         (sctp_ || !negotiator_.wants_data());
    if (refused && data_->transport_state() != datachannel::TransportState::kClosed) {
      Fail(sctp_ ? sctp_->transport : 0, "data-refused", "the peer refused the data section");
      data_->Abort(now, "refused");
      sctp_.reset();
    }
    return;
  }
  const bool first = !sctp_;
  const bool other_ports = sctp_ && (sctp_->local_port != negotiated->local_port ||
                                     sctp_->remote_port != negotiated->remote_port);
  sctp_ = negotiated;
  if (data_ != nullptr && other_ports) {
    // RFC 8829 section 5.11: another remote port is another association.
    data_->Abort(now, "other-port");
    PumpData(now);
  } else if (data_ != nullptr && first && !data_started_ &&
             (sctp_->remote_port != config_.sctp.remote_port ||
              sctp_->local_port != config_.sctp.local_port)) {
    // The ports were guessed when the first channel was made: the same channels again, with the same identifiers.
    data_ = std::make_unique<datachannel::ChannelManager>(MakeManagerConfig(), sctp_rng_);
    for (const datachannel::ChannelInit& init : created_channels_) (void)data_->Create(now, init);
  }
  created_channels_.clear();
  if (data_ == nullptr)
    data_ = std::make_unique<datachannel::ChannelManager>(MakeManagerConfig(), sctp_rng_);
  data_->SetMaxMessageSize(sctp_->remote_max_message_size);
  const JsepTransport* jsep = negotiator_.FindTransport(sctp_->transport);
  if (jsep != nullptr && jsep->dtls_client) data_->SetDtlsRole(*jsep->dtls_client);
  StartDataIfReady(now);
}

void PeerConnection::Impl::StartDataIfReady(Timestamp now) {
  if (data_started_ || data_ == nullptr || !sctp_) return;
  const PeerTransport* transport = FindTransport(sctp_->transport);
  if (transport == nullptr || transport->dtls_state() != DtlsTransportState::kConnected) return;
  data_started_ = true;
  data_->Start(now, transport->dtls()->role() == dtls::Role::kClient);
}

bool PeerConnection::Impl::PumpData(Timestamp now) {
  if (data_ == nullptr) return false;
  bool progress = false;
  PeerTransport* transport = sctp_ ? FindTransport(sctp_->transport) : nullptr;
  while (auto packet = data_->PollTransmit()) {
    // Without DTLS there is nobody to send to; SCTP sends again what matters.
    if (transport != nullptr) (void)transport->SendData(now, *packet);
    progress = true;
  }
  while (auto event = data_->PollEvent()) {
    OnDataEvent(now, std::move(*event));
    progress = true;
  }
  return progress;
}

void PeerConnection::Impl::OnDataEvent(Timestamp now, datachannel::Event event) {
  if (std::holds_alternative<datachannel::TransportConnected>(event)) {
    NoteFirst(timeline_.sctp_connected, now);
  } else if (std::holds_alternative<datachannel::ChannelOpen>(event)) {
    NoteFirst(timeline_.data_channel_open, now);
  } else if (const auto* closed = std::get_if<datachannel::TransportClosed>(&event)) {
    // Our own abort has its reason told where it was decided.
    if (!closed->graceful && ShortId(closed->reason) != "local_abort")
      Fail(sctp_ ? sctp_->transport : 0, "sctp-" + ShortId(closed->reason), closed->reason);
  }
  std::visit([this](auto& e) { Emit(std::move(e)); }, event);
}

}  // namespace rtclab::peer
