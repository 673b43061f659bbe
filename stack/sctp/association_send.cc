// Packets out: what goes into the next one, and when (RFC 9260 sections 6.1, 6.10 and 7).
#include <algorithm>
#include <limits>

#include "stack/sctp/association_impl.h"

namespace rtclab::sctp {
namespace {

// More could not be named by gap blocks (16 bits).
constexpr std::size_t kMostOutstanding = 60'000;
// What a SACK may take of a packet that also has data.
constexpr std::size_t kBundledSackLimit = 256;

}  // namespace

void Association::Impl::CountSent(const Bytes& packet) {
  ++metrics_.packets_sent;
  metrics_.bytes_sent += packet.size();
}

void Association::Impl::FinishControl(Bytes packet, bool with_checksum) {
  // RFC 9653 section 5.2: what begins or does not belong to an association has a checksum.
  if (with_checksum || !features_.zero_checksum) WriteChecksum(packet);
  outbox_.push_back(std::move(packet));
}

void Association::Impl::BurstBegins() {
  // Section 6.1 rule D, by a limit beside cwnd.
  burst_limit_ = config_.max_burst == 0 ? std::numeric_limits<std::size_t>::max()
                                        : outstanding_.flight() + config_.max_burst * MaxChunks();
}

std::size_t Association::Impl::SpaceIn(const Bytes& packet) const {
  const std::size_t used = packet.size() - CommonHeader::kSize;
  return MaxChunks() - std::min(used, MaxChunks());
}

bool Association::Impl::MaySendData() const {
  return state_ == State::kEstablished || state_ == State::kShutdownPending ||
         state_ == State::kShutdownReceived ||
         (state_ == State::kCookieEchoed && cookie_echo_due_);  // section 5.1: bundled with it
}

bool Association::Impl::WindowOpen() const {
  const std::size_t flight = outstanding_.flight();
  if (flight >= congestion_.cwnd() || flight >= burst_limit_) return false;
  if (outstanding_.HasRetransmission()) return false;  // rule C: those first
  if (outstanding_.size() >= kMostOutstanding) return false;
  // Rule A: never beyond the peer's window, but with nothing in flight one chunk probes it. A window of
  // less than a packet counts as closed (silly window avoidance).
  return peer_window_ >= MaxChunks() || flight == 0;
}

bool Association::Impl::MayRetransmit() const {
  return outstanding_.HasRetransmission() &&
         (fast_retransmit_due_ || outstanding_.flight() < congestion_.cwnd());
}

bool Association::Impl::HasPacketToSend() {
  if (cookie_echo_due_) return true;
  if (!HasAssociation()) return false;
  if (sack_due_ || forward_tsn_due_) return true;
  if (MaySendData() && (MayRetransmit() || (send_queue_.HasEligible() && WindowOpen()))) {
    return true;
  }
  if (!features_.reconfig || state_ != State::kEstablished) return false;
  ReconfigHandler::Context context = ReconfigParts();
  return reconfig_.HasChunks(context);
}

std::optional<Bytes> Association::Impl::PollTransmit() {
  if (!outbox_.empty()) {
    Bytes packet = outbox_.pop_front();
    CountSent(packet);
    return packet;
  }
  if (ended_ || !HasPacketToSend()) return std::nullopt;
  return BuildPacket();
}

std::optional<Bytes> Association::Impl::BuildPacket() {
  const bool data =
      MaySendData() && (outstanding_.HasRetransmission() || send_queue_.HasEligible());
  Bytes packet =
      BeginPacket({config_.local_port, config_.remote_port, peer_tag_}, data ? mtu() : 128);
  bool checksum = !features_.zero_checksum;
  if (cookie_echo_due_) {
    checksum = true;
    AppendCookieEcho(packet, cookie_);
    if (!echo_errors_.empty()) {
      ErrorChunk{std::move(echo_errors_)}.AppendTo(packet, ChunkType::kError);
      echo_errors_.clear();
    }
  } else {
    AppendControl(packet);
  }
  if (MaySendData()) {
    AppendRetransmissions(packet);
    AppendNewData(packet);
  }
  cookie_echo_due_ = false;
  if (packet.size() == CommonHeader::kSize) return std::nullopt;
  if (checksum) WriteChecksum(packet);
  CountSent(packet);
  return packet;
}

void Association::Impl::AppendSack(Bytes& packet) {
  advertised_window_ = AvailableWindow();
  const std::size_t limit = send_queue_.HasEligible() ? kBundledSackLimit : SpaceIn(packet);
  const auto window = static_cast<uint32_t>(std::min<std::size_t>(advertised_window_, UINT32_MAX));
  tracker_.MakeSack(window, std::min(limit, SpaceIn(packet))).AppendTo(packet);
  ++metrics_.sacks_sent;
  sack_due_ = false;
  packets_unacked_ = 0;
  StopTimer(kSackTimer);
}

void Association::Impl::AppendControl(Bytes& packet) {
  // Section 6.1: an acknowledgement that waits goes with data.
  const bool waiting = packets_unacked_ > 0 && state_ != State::kShutdownSent;
  if (sack_due_ || waiting) AppendSack(packet);
  if (forward_tsn_due_) {
    forward_tsn_due_ = false;
    if (const auto forward = outstanding_.MakeForwardTsn(SpaceIn(packet))) {
      forward->AppendTo(packet, features_.interleaving);
      if (!TimerRuns(kRetransmitTimer)) StartTimer(kRetransmitTimer, rto_.rto());
    }
  }
  if (!features_.reconfig || state_ != State::kEstablished) return;
  ReconfigHandler::Context context = ReconfigParts();
  if (!reconfig_.HasChunks(context)) return;
  const bool was_in_flight = reconfig_.request_in_flight();
  const std::size_t max_streams = (MaxChunks() - 256) / 2;
  for (const ReconfigChunk& chunk :
       reconfig_.TakeChunks(context, std::max<std::size_t>(max_streams, 8))) {
    Bytes bytes;
    chunk.AppendTo(bytes);
    if (bytes.size() <= SpaceIn(packet)) {
      packet.insert(packet.end(), bytes.begin(), bytes.end());
    } else {
      SendControl([&](Bytes& out) { out.insert(out.end(), bytes.begin(), bytes.end()); });
    }
  }
  if (!was_in_flight && reconfig_.request_in_flight()) StartTimer(kReconfigTimer, rto_.rto());
}

void Association::Impl::AppendRetransmissions(Bytes& packet) {
  if (!MayRetransmit()) return;
  const bool empty = packet.size() == CommonHeader::kSize;
  // Section 7.2.4 rule 3: the first packet goes out whatever the window; the others as cwnd allows.
  const auto sent = outstanding_.Retransmit(now_, SpaceIn(packet), empty, packet, given_up_);
  SettleAbandoned();
  if (sent.chunks == 0) return;
  fast_retransmit_due_ = false;
  metrics_.retransmissions += sent.chunks;
  if (sent.fast) metrics_.fast_retransmissions += sent.chunks;
  last_data_sent_ = now_;
  if (state_ == State::kCookieEchoed) return;  // T1-cookie watches over this packet
  if (sent.earliest || !TimerRuns(kRetransmitTimer)) StartTimer(kRetransmitTimer, rto_.rto());
}

void Association::Impl::AppendNewData(Bytes& packet) {
  if (!send_queue_.HasEligible() || !WindowOpen()) return;
  const std::size_t header = outstanding_.HeaderSize();
  const std::size_t full = MaxChunks() - header;
  // Not reliable in part: then nothing expires.
  const Timestamp expiry = features_.partial_reliability ? now_ : Timestamp::Nanos(INT64_MIN);
  bool sent = false;
  send_queue_.PacketBegins();
  while (WindowOpen()) {
    const std::size_t space = SpaceIn(packet);
    if (space <= header) break;
    auto fragment = send_queue_.Produce(expiry, space - header, full, given_up_);
    if (!fragment) break;
    const StreamId stream = fragment->message->stream;
    const std::size_t length = fragment->length;
    const bool fills =
        outstanding_.flight() + header + length >= congestion_.cwnd() || peer_window_ < 2 * length;
    // RFC 7053: the peer need not wait with its SACK when we wait for it.
    const bool hurry = fills || state_ == State::kShutdownPending;
    const Tsn tsn = outstanding_.Send(now_, std::move(*fragment),
                                      hurry ? DataChunk::kImmediate : uint8_t{0}, packet);
    send_queue_.Assigned(stream, tsn);
    peer_window_ -= std::min(peer_window_, length);
    ++metrics_.data_chunks_sent;
    sent = true;
  }
  if (!given_up_.empty()) ReportAbandoned(false);
  if (!sent) return;
  last_data_sent_ = now_;
  if (state_ != State::kCookieEchoed && !TimerRuns(kRetransmitTimer)) {
    StartTimer(kRetransmitTimer, rto_.rto());
  }
}

}  // namespace rtclab::sctp
