// Data, consent (RFC 7675), keepalives (RFC 8445 section 11), packets in and out, timers.
#include <algorithm>

#include "stack/base/check.h"
#include "stack/ice/agent_impl.h"
#include "stack/stun/demux.h"

namespace rtclab::ice {
namespace {

// RFC 7675 section 5.1: consent checks are never closer than this.
constexpr TimeDelta kMinConsentInterval = TimeDelta::Seconds(4);
// Consent checks whose answers are still taken: as many as fit into the expiry time at the shortest interval, and one.
constexpr std::size_t kMaxOutstandingConsent = 9;

}  // namespace

bool Agent::Impl::Send(Timestamp now, ByteView payload, int stream, int component_id) {
  if (FindComponent(stream, component_id) == nullptr || state_ == AgentState::kClosed) return false;
  Component& c = component(stream, component_id);
  if (!c.has_selected() || (c.lost && c.keys != keys_)) {
    // RFC 8445 section 12.1: any valid pair before there is a selected one; a lite agent has to wait (section 12.1.1).
    if (config_.lite || set_.list(stream).state == ChecklistState::kFailed) return false;
    const ValidPair* best = set_.BestValid(stream, component_id);
    if (best == nullptr) return false;
    if (config_.consent.enabled && now - best->since >= config_.consent.expiry) return false;
    c.from = set_.local(set_.local(best->local).base).candidate.address;
    c.to = set_.remote(best->remote).candidate.address;
    c.on_path = true;
  } else if (c.lost) {
    return false;
  }
  c.last_sent = now;
  ++counters_.data_sent;
  SendPacket(c.from, c.to, Bytes(payload.begin(), payload.end()));
  return true;
}

bool Agent::Impl::HandlePacket(Timestamp now, const Datagram& packet) {
  if (state_ == AgentState::kClosed) return false;
  const bool is_stun = stun::Classify(packet.payload) == stun::PacketKind::kStun;
  const bool accepted = is_stun ? HandleStun(now, packet) : HandleData(packet);
  if (!accepted) ++counters_.dropped;
  if (is_stun) Settle(now);
  return accepted;
}

bool Agent::Impl::HandleStun(Timestamp now, const Datagram& packet) {
  const auto message = stun::MessageView::Parse(packet.payload);
  if (!message || message->method() != stun::Method::kBinding) return false;
  if (message->IsRequest()) return HandleRequest(now, packet, *message);
  if (message->IsIndication()) {
    if (!message->VerifyFingerprint() || !ListensOn(packet.destination)) return false;
    ++counters_.keepalives_received;
    return true;
  }
  if (HandleGatherResponse(now, packet, *message)) return true;
  if (!message->VerifyFingerprint()) return false;
  for (CheckTransaction& check : checks_) {
    if (check.done || check.id != message->transaction_id()) continue;
    const bool accepted = HandleCheckResponse(now, check, packet, *message);
    std::erase_if(checks_, [](const CheckTransaction& c) { return c.done; });
    return accepted;
  }
  return HandleConsentResponse(now, packet, *message);
}

bool Agent::Impl::HandleData(const Datagram& packet) {
  // RFC 8445 section 12.2: on any candidate; from addresses that the peer is known to have. After a restart the peer may go on with the
  // earlier generation's pair for a while: Chromium does so for seconds where it is controlled.
  const Component* to = nullptr;
  for (const Component& c : components_) {
    if (c.on_path && c.from == packet.destination && c.to == packet.source) to = &c;
  }
  if (to == nullptr) {
    const int base = set_.FindBase(packet.destination);
    if (base < 0) return false;
    const LocalCandidate& l = set_.local(base);
    const bool known =
        set_.FindRemote(l.stream, l.candidate.component, packet.source) >= 0 ||
        std::find(proven_paths_.begin(), proven_paths_.end(),
                  ProvenPath{packet.destination, packet.source}) != proven_paths_.end();
    if (!known) return false;
    to = FindComponent(l.stream, l.candidate.component);
  }
  ++counters_.data_received;
  Emit(DataReceived{to->stream, to->id, packet.source,
                    Bytes(packet.payload.begin(), packet.payload.end())});
  return true;
}

// --- Consent, RFC 7675 section 5 -----------------------------------------------------------------

void Agent::Impl::ScheduleConsent(Component& c, Timestamp now) {
  const auto factor = static_cast<int64_t>(rng_->Uniform(800'000, 1'200'000));
  const TimeDelta interval = config_.consent.interval * factor / 1'000'000;
  c.next_consent = now + std::max(interval, kMinConsentInterval);
}

bool Agent::Impl::HandleConsentResponse(Timestamp now, const Datagram& packet,
                                        const stun::MessageView& message) {
  for (Component& c : components_) {
    const auto found = std::find_if(
        c.outstanding.begin(), c.outstanding.end(),
        [&](const ConsentCheck& check) { return check.id == message.transaction_id(); });
    if (found == c.outstanding.end()) continue;
    if (packet.source != c.to || packet.destination != c.from) return false;
    if (!message.VerifyIntegrity(c.keys->remote_key)) return false;
    c.outstanding.erase(found);
    if (message.IsError()) {
      const auto error = message.GetErrorCode();
      if (error && error->code == stun::kErrorForbidden)
        LoseConsent(c, true, "consent revoked: the peer answered 403 on the selected pair");
      return true;
    }
    ++counters_.consent_answered;
    c.last_consent = now;
    c.quiet = false;
    return true;
  }
  return false;
}

void Agent::Impl::LoseConsent(Component& c, bool revoked, const char* why) {
  c.lost = true;
  c.lost_why = why;
  c.outstanding.clear();
  c.next_consent = Timestamp::PlusInfinity();
  Emit(ConsentExpired{c.stream, c.id, revoked});
}

void Agent::Impl::SendKeepalive(Component& c, Timestamp now) {
  // RFC 8445 section 11: an unauthenticated Binding indication with FINGERPRINT.
  c.last_sent = now;
  ++counters_.keepalives_sent;
  SendPacket(c.from, c.to,
             stun::MessageBuilder(stun::MessageClass::kIndication, stun::Method::kBinding,
                                  stun::NewTransactionId(*rng_))
                 .AddFingerprint()
                 .Build());
}

void Agent::Impl::HandleComponentTimers(Timestamp now) {
  for (Component& c : components_) {
    if (!c.on_path || c.lost) continue;
    if (ConsentRuns(c)) {
      c.quiet = now - c.last_consent >= config_.consent.disconnected_after;
      if (now - c.last_consent >= config_.consent.expiry) {
        LoseConsent(c, false, "consent expired: the peer stopped answering on the selected pair");
      } else if (now >= c.next_consent) {
        // Sent once, each with a transaction id of its own.
        const stun::TransactionId id = stun::NewTransactionId(*rng_);
        if (c.outstanding.size() >= kMaxOutstandingConsent)
          c.outstanding.erase(c.outstanding.begin());
        c.outstanding.push_back({id});
        c.last_sent = now;
        ++counters_.consent_sent;
        SendPacket(c.from, c.to, BuildRequest(id, *c.keys, c.priority_attribute, false));
        ScheduleConsent(c, now);
      }
    } else if (now - c.last_sent >= config_.keepalive) {
      SendKeepalive(c, now);
    }
  }
}

// --- Timers and queues ---------------------------------------------------------------------------

void Agent::Impl::HandleTimeout(Timestamp now) {
  if (state_ == AgentState::kClosed) return;
  HandleCheckTimers(now);
  HandleGatherTimers(now);
  if (!patience_over_ && now >= patience_until_) {
    patience_over_ = true;
    // RFC 8863 section 5.
    if (config_.patience_ends_candidates) MarkRemoteEnded(-1);
  }
  HandleComponentTimers(now);
  for (std::size_t s = 0; s < streams_.size(); ++s) {
    if (now < streams_[s].release_at) continue;
    streams_[s].release_at = Timestamp::PlusInfinity();
    ReleaseCandidates(static_cast<int>(s));
  }
  Settle(now);
}

Timestamp Agent::Impl::NextTimeout() const {
  if (state_ == AgentState::kClosed) return Timestamp::PlusInfinity();
  Timestamp next = pacer_idle_ ? Timestamp::PlusInfinity() : next_slot_;
  for (const CheckTransaction& check : checks_) {
    if (!check.cancelled && !check.done) next = std::min(next, check.timer.Next());
  }
  for (const GatherTransaction& t : gather_transactions_) next = std::min(next, t.timer.Next());
  for (const StunBinding& binding : stun_bindings_) next = std::min(next, binding.refresh_at);
  next = std::min(next, gathering_until_);
  if (!patience_over_ && AnyChecklistRuns()) next = std::min(next, patience_until_);
  for (const StreamState& s : streams_) next = std::min({next, s.nominate_at, s.release_at});
  for (const Component& c : components_) {
    if (!c.on_path || c.lost) continue;
    if (!ConsentRuns(c)) {
      next = std::min(next, c.last_sent + config_.keepalive);
      continue;
    }
    next = std::min({next, c.next_consent, c.last_consent + config_.consent.expiry});
    if (!c.quiet) next = std::min(next, c.last_consent + config_.consent.disconnected_after);
  }
  return next;
}

std::optional<Transmit> Agent::Impl::PollTransmit() {
  if (transmits_.empty()) return std::nullopt;
  std::optional<Transmit> out(std::move(transmits_.front()));
  transmits_.pop_front();
  return out;
}

std::optional<Event> Agent::Impl::PollEvent() {
  if (events_.empty()) return std::nullopt;
  std::optional<Event> out(std::move(events_.front()));
  events_.pop_front();
  return out;
}

}  // namespace rtclab::ice
