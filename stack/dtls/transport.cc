#include "stack/dtls/transport.h"

#include <algorithm>
#include <utility>

#include "stack/base/check.h"
#include "stack/dtls/transport_impl.h"

namespace rtclab::dtls {
namespace {

constexpr std::size_t kMinMtu = 256;
// OpenSSL gathers a flight in a buffer of this size (BIO_f_buffer) and would cut a record at its end.
constexpr std::size_t kMaxMtu = 4'096;
constexpr std::size_t kMinDataSize = 512;
constexpr std::size_t kMaxDataSize = 16'384;

TransportConfig Normalised(TransportConfig config) {
  CHECK(config.certificate != nullptr);
  config.mtu = std::clamp(config.mtu, kMinMtu, kMaxMtu);
  config.max_data_size = std::clamp(config.max_data_size, kMinDataSize, kMaxDataSize);
  return config;
}

// Whether the datagram begins with a ClientHello, which only a client sends.
bool IsFromAClient(ByteView datagram) {
  constexpr uint8_t kClientHello = 1;
  ByteReader reader(datagram);
  const auto record = ReadRecord(reader);
  return record && record->first.type == ContentType::kHandshake && record->first.epoch == 0 &&
         !record->second.empty() && record->second[0] == kClientHello;
}

}  // namespace

std::string_view ToString(TransportState state) {
  switch (state) {
    case TransportState::kNew:
      return "new";
    case TransportState::kConnecting:
      return "connecting";
    case TransportState::kConnected:
      return "connected";
    case TransportState::kClosed:
      return "closed";
    case TransportState::kFailed:
      return "failed";
  }
  return "";
}

Transport::Impl::Impl(TransportConfig transport_config, Rng& seed_source)
    : config(Normalised(std::move(transport_config))),
      certificate(*config.certificate),
      rng(seed_source.NextU64()),
      bio(config.mtu),
      interval(config.initial_retransmission) {
  config.certificate = nullptr;
}

void Transport::Impl::Start(Timestamp now) {
  if (state != TransportState::kNew) return;
  state = TransportState::kConnecting;
  deadline = now + config.handshake_timeout;
  MakeSsl();
  ContinueHandshake(now);
  for (const Bytes& datagram : std::exchange(early, {})) TakeUp(now, datagram);
}

void Transport::Impl::HandlePacket(Timestamp now, ByteView datagram) {
  ++counters.datagrams_received;
  if (state == TransportState::kNew && early.size() < kMaxEarlyDatagrams) {
    early.emplace_back(datagram.begin(), datagram.end());
  } else if (state == TransportState::kNew || Over()) {
    ++counters.ignored_datagrams;
  } else {
    TakeUp(now, datagram);
  }
}

void Transport::Impl::TakeUp(Timestamp now, ByteView datagram) {
  const auto summary = Summarize(datagram);
  if (!summary || Over()) {
    ++counters.ignored_datagrams;
    return;
  }
  if (config.role == Role::kClient && !handshake_complete && IsFromAClient(datagram)) {
    Fail(failure::kRoleConflict, "the peer is a client too");
    return;
  }
  bio.SetInput(datagram);
  if (!handshake_complete) ContinueHandshake(now);
  std::size_t delivered = 0;
  while (handshake_complete && !Over()) {
    Bytes payload;
    const Step step = ReadRecordData(datagram.size(), payload);
    if (step == Step::kClosedByPeer) EndAsClosed(true);
    if (step == Step::kBroken) Fail(broken_reason, std::move(broken_detail));
    if (step != Step::kDone) break;
    ++delivered;
    OnData(std::move(payload));
    if (summary->records == 1 && state == TransportState::kConnected) break;
  }
  bio.ClearInput();
  if (summary->application_records > delivered && handshake_complete) {
    counters.discarded_records += summary->application_records - delivered;
  }
  FollowTimer(now);
}

void Transport::Impl::ContinueHandshake(Timestamp now) {
  switch (DoHandshake()) {
    case Step::kDone:
      OnHandshakeComplete();
      break;
    case Step::kWaiting:
      break;
    case Step::kClosedByPeer:
      Fail(failure::kAlertReceived, "close notify");
      break;
    case Step::kBroken:
      Fail(broken_reason, std::move(broken_detail));
      break;
  }
  FollowTimer(now);
}

void Transport::Impl::OnHandshakeComplete() {
  handshake_complete = true;
  deadline = Timestamp::PlusInfinity();
  if (!config.srtp_profiles.empty() && config.srtp_required &&
      SSL_get_selected_srtp_profile(ssl.get()) == nullptr) {
    SendCloseNotify();
    Fail(failure::kNoSrtpProfile, "the peer chose none of our protection profiles");
    return;
  }
  if (!config.remote_fingerprints.empty()) ReportConnected();
}

void Transport::Impl::ReportConnected() {
  state = TransportState::kConnected;
  events.emplace_back(Connected{ExportSrtpKeys(), CipherSuite()});
  for (Bytes& payload : std::exchange(held, {})) {
    events.emplace_back(DataReceived{std::move(payload)});
  }
}

void Transport::Impl::SetRemoteFingerprints(std::vector<Fingerprint> fingerprints) {
  if (state == TransportState::kConnected || Over()) return;
  config.remote_fingerprints = std::move(fingerprints);
  if (config.remote_fingerprints.empty() || remote_der.empty()) return;
  if (!MatchesFingerprints()) {
    // OpenSSL sends fatal alerts only of its own accord; the peer is told by close_notify.
    SendCloseNotify();
    Fail(failure::kFingerprintMismatch, "the certificate shown before has another fingerprint");
  } else if (handshake_complete) {
    ReportConnected();
  }
}

// RFC 8122 section 5.1: among the fingerprints of the most preferred hash, one must match.
bool Transport::Impl::MatchesFingerprints() const {
  const std::string_view algorithm = PreferredAlgorithm(config.remote_fingerprints);
  if (algorithm.empty()) return false;
  const Fingerprint seen = FingerprintOfDer(remote_der, algorithm);
  return std::ranges::find(config.remote_fingerprints, seen) != config.remote_fingerprints.end();
}

void Transport::Impl::OnData(Bytes payload) {
  if (state == TransportState::kConnected) {
    events.emplace_back(DataReceived{std::move(payload)});
  } else if (held.size() < kMaxHeldRecords) {
    ++counters.held_back;
    held.push_back(std::move(payload));
  } else {
    ++counters.held_back_dropped;
  }
}

void Transport::Impl::Fail(std::string_view reason, std::string detail) {
  if (Over()) return;
  state = TransportState::kFailed;
  deadline = retransmit_at = Timestamp::PlusInfinity();
  held.clear();
  events.emplace_back(Failed{reason, std::move(detail)});
}

void Transport::Impl::EndAsClosed(bool by_peer) {
  if (Over()) return;
  // RFC 5246 section 7.2.1: a close_notify is answered with one.
  SendCloseNotify();
  state = TransportState::kClosed;
  deadline = retransmit_at = Timestamp::PlusInfinity();
  held.clear();
  events.emplace_back(Closed{by_peer});
}

// OpenSSL says when it wants a timer; how long it runs is ours. A timer that stopped in between belongs to a new flight.
void Transport::Impl::FollowTimer(Timestamp now) {
  if (bio.timer_stops() != seen_timer_stops) interval = config.initial_retransmission;
  if (!bio.timer_wanted() || Over()) {
    retransmit_at = Timestamp::PlusInfinity();
  } else if (bio.timer_starts() != seen_timer_starts) {
    retransmit_at = now + interval;
  }
  seen_timer_stops = bio.timer_stops();
  seen_timer_starts = bio.timer_starts();
}

void Transport::Impl::HandleTimeout(Timestamp now) {
  if (Over()) return;
  if (now >= deadline) {
    Fail(failure::kTimeout, "no complete handshake after " +
                                std::to_string(config.handshake_timeout.millis()) + " ms");
    return;
  }
  if (now < retransmit_at) return;
  interval = std::min(interval * 2, config.max_retransmission);
  ++counters.retransmissions;
  retransmit_at = now + interval;  // also should OpenSSL not start its timer again
  if (RetransmitFlight() == Step::kBroken) Fail(broken_reason, std::move(broken_detail));
  FollowTimer(now);
}

Timestamp Transport::Impl::NextTimeout() const { return std::min(deadline, retransmit_at); }

bool Transport::Impl::Send(ByteView data) {
  if (state != TransportState::kConnected || data.empty() || data.size() > config.max_data_size) {
    return false;
  }
  const RandomScope scope = Scope();
  return SSL_write(ssl.get(), data.data(), static_cast<int>(data.size())) > 0;
}

void Transport::Impl::Close() {
  if (state == TransportState::kNew) state = TransportState::kConnecting;
  EndAsClosed(false);
}

Transport::Transport(TransportConfig config, Rng& rng)
    : impl_(std::make_unique<Impl>(std::move(config), rng)) {}
Transport::~Transport() = default;
Transport::Transport(Transport&&) noexcept = default;
Transport& Transport::operator=(Transport&&) noexcept = default;

void Transport::Start(Timestamp now) { impl_->Start(now); }
void Transport::SetRemoteFingerprints(Timestamp, std::vector<Fingerprint> fingerprints) {
  impl_->SetRemoteFingerprints(std::move(fingerprints));
}
bool Transport::Send(Timestamp, ByteView data) { return impl_->Send(data); }
void Transport::Close(Timestamp) { impl_->Close(); }
void Transport::HandlePacket(Timestamp now, ByteView datagram) {
  impl_->HandlePacket(now, datagram);
}
void Transport::HandleTimeout(Timestamp now) { impl_->HandleTimeout(now); }
Timestamp Transport::NextTimeout() const { return impl_->NextTimeout(); }

std::optional<Bytes> Transport::PollTransmit() {
  auto datagram = impl_->bio.PopOutput();
  if (datagram) ++impl_->counters.datagrams_sent;
  return datagram;
}

std::optional<TransportEvent> Transport::PollEvent() {
  auto& events = impl_->events;
  if (events.empty()) return std::nullopt;
  TransportEvent event = std::move(events.front());
  events.pop_front();
  return event;
}

TransportState Transport::state() const { return impl_->state; }
Role Transport::role() const { return impl_->config.role; }
const TransportCounters& Transport::counters() const { return impl_->counters; }
const Bytes& Transport::remote_certificate() const { return impl_->remote_der; }

}  // namespace rtclab::dtls
