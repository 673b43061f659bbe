#include "scenarios/execution/call_session.h"

#include <algorithm>
#include <cmath>

#include "scenarios/execution/call_results.h"
#include "scenarios/execution/ice_session.h"
#include "scenarios/execution/schedule.h"
#include "stack/sctp/association.h"

namespace rtclab::scenarios {
namespace {

// After the last message of an unreliable transfer left: long enough for it to arrive over any link that the presets know.
constexpr TimeDelta kTransferSettle = TimeDelta::Seconds(2);

double BitRate(uint64_t bytes, TimeDelta interval) {
  return static_cast<double>(bytes) * 8000 / interval.millis_f();
}

std::optional<Timestamp> Later(const std::optional<Timestamp>& x,
                               const std::optional<Timestamp>& y) {
  return x && y ? std::optional(std::max(*x, *y)) : std::nullopt;
}

bool IsReliable(const ChannelSpec& channel) {
  return !channel.max_retransmits && !channel.max_lifetime;
}

}  // namespace

CallSession::CallSession(const SessionSpec& spec, sim::Network& network,
                         const std::vector<ServerAccess>& servers, std::function<void()> on_done)
    : SessionDriver(spec, network, std::move(on_done)),
      a_(spec, true, network, servers, *this),
      b_(spec, false, network, servers, *this) {}

void CallSession::Start() {
  last_sample_ = network().Now();
  After(peer().sample_interval, [this] { SampleBoth(); });
  a_.Start();
}

void CallSession::OnDescription(PeerEndpoint& from,
                                const peer::SessionDescriptionInit& description) {
  PeerEndpoint& to = Other(from);
  After(spec().signalling_delay, [&to, description] { to.ReceiveDescription(description); });
}

void CallSession::OnCandidate(PeerEndpoint& from, const peer::IceCandidateInit& candidate) {
  PeerEndpoint& to = Other(from);
  After(spec().signalling_delay, [&to, candidate] { to.ReceiveCandidate(candidate); });
}

void CallSession::OnProgress(PeerEndpoint&) {
  if (!both_connected_ && a_.connected() && b_.connected()) {
    both_connected_ = true;
    if (peer().media) {
      After(peer().media->duration, [this] {
        media_over_ = true;
        SessionDriver::OnProgress();
      });
    }
  }
  if (!transfers_settling_ && both_connected_ && TransfersOver()) {
    transfers_settling_ = true;
    const bool all_reliable =
        std::all_of(peer().channels.begin(), peer().channels.end(), IsReliable);
    After(all_reliable ? TimeDelta::Zero() : kTransferSettle, [this] {
      transfers_over_ = true;
      SessionDriver::OnProgress();
    });
  }
  SessionDriver::OnProgress();
}

bool CallSession::RunEndpointAction(const ActionSpec& action) {
  PeerEndpoint& endpoint = Named(action.target);
  switch (action.kind) {
    case ActionSpec::Kind::kMediaPause:
      endpoint.PauseMedia();
      break;
    case ActionSpec::Kind::kMediaResume:
      endpoint.ResumeMedia();
      break;
    case ActionSpec::Kind::kAddVideo:
      endpoint.AddVideo();
      break;
    case ActionSpec::Kind::kClose:
      if (!snapshot_) snapshot_ = TakeSnapshot();
      if (!both_connected_ && snapshot_->failure.is_null()) {
        snapshot_->failure = {{"host", endpoint.host()},
                              {"reason", "closed"},
                              {"detail", "before both sides were connected"}};
      }
      endpoint.Close();
      break;
    default:
      break;
  }
  return true;
}

bool CallSession::TransfersOver() const {
  if (!a_.channels_open() || !b_.channels_open()) return false;
  if (!a_.transfers_sent() || !b_.transfers_sent()) return false;
  for (std::size_t i = 0; i < peer().channels.size(); ++i) {
    if (!IsReliable(peer().channels[i])) continue;
    for (const auto& [from, to] : {std::pair(&a_, &b_), std::pair(&b_, &a_)}) {
      const OutgoingTransfer* sent = from->outgoing(i);
      if (sent != nullptr && to->incoming(i)->received() < sent->total()) return false;
    }
  }
  return true;
}

bool CallSession::Settled() const {
  // A restart or the link's return may still save what ICE lost; DTLS and negotiation stay failed.
  for (const PeerEndpoint* endpoint : {&a_, &b_}) {
    if (endpoint->failure() && (!both_connected_ || endpoint->failure()->reason != "ice-failed")) {
      return true;
    }
    if (endpoint->connection().connection_state() == peer::ConnectionState::kFailed) return true;
  }
  // Valid pairs carry data before one is selected.
  if (!both_connected_ || !a_.selected() || !b_.selected()) return false;
  return (!peer().media || media_over_) && (peer().channels.empty() || transfers_over_);
}

void CallSession::Finish() {
  if (!snapshot_) snapshot_ = TakeSnapshot();
  // Other sessions of the run may go on: they shall have the network for themselves.
  After(TimeDelta::Zero(), [this] {
    for (PeerEndpoint* endpoint : {&a_, &b_}) {
      if (!endpoint->closed()) endpoint->PauseMedia();
    }
  });
}

void CallSession::SampleBoth() {
  if (done()) return;
  const media::Sample a = a_.Sample(), b = b_.Sample();
  const uint64_t marks[4] = {a_.data_bytes_sent(), a_.data_bytes_received(), b_.data_bytes_sent(),
                             b_.data_bytes_received()};
  AddPoint(a_, b_, a, b, marks[0] - data_marks_[0], marks[3] - data_marks_[3]);
  AddPoint(b_, a_, b, a, marks[2] - data_marks_[2], marks[1] - data_marks_[1]);
  std::copy(std::begin(marks), std::end(marks), std::begin(data_marks_));
  last_sample_ = network().Now();
  After(peer().sample_interval, [this] { SampleBoth(); });
}

void CallSession::AddPoint(const PeerEndpoint& from, const PeerEndpoint& to,
                           const media::Sample& sent, const media::Sample& received,
                           uint64_t data_sent, uint64_t data_received) {
  const Timestamp now = network().Now();
  const TimeDelta interval = now - last_sample_;
  results::SeriesPoint& point = series_.emplace_back();
  point.session = spec().name;
  point.from = from.host();
  point.to = to.host();
  point.time_ms = SinceStart(now);
  point.interval_ms = interval.millis_f();
  point.send_bps = static_cast<double>(sent.send_rate.bps()) + BitRate(data_sent, interval);
  point.target_bps = static_cast<double>(sent.target.bps());
  point.data_receive_bps = BitRate(data_received, interval);
  point.receive_bps = static_cast<double>(received.receive_rate.bps()) + point.data_receive_bps;
  if (received.receive_rate.bps() > 0) {
    point.queue_delay_ms = received.receive_queue_delay.millis_f();
    point.queue_delay_max_ms = received.receive_queue_delay_max.millis_f();
  }
  point.loss = received.receive_loss;
  if (sent.rtt > TimeDelta::Zero()) {
    point.rtt_ms = sent.rtt.millis_f();
  } else if (const sctp::Association* association = from.connection().association()) {
    if (const auto srtt = association->metrics().srtt) point.rtt_ms = srtt->millis_f();
  }
  if (const auto rate = network().PathRate(from.host(), to.host())) {
    point.capacity_bps = static_cast<double>(rate->bps());
  }
  point.frames = static_cast<int>(received.frames_rendered);
  point.freeze_ms = received.freeze_seconds * 1000;
  point.state = sent.controller_state;
}

CallSession::Snapshot CallSession::TakeSnapshot() const {
  const Timestamp now = network().Now();
  return {a_.connection().GetStats(now), b_.connection().GetStats(now), FailureOf(a_, b_)};
}

std::optional<double> CallSession::SinceStartOrNever(const std::optional<Timestamp>& t) const {
  if (!t) return std::nullopt;
  return SinceStart(*t);
}

void CallSession::AddResult(results::Session& session) const {
  const Snapshot snapshot = snapshot_ ? *snapshot_ : TakeSnapshot();
  session.timing_ms.dtls_connected = SinceStartOrNever(
      Later(a_.connection().timeline().dtls_connected, b_.connection().timeline().dtls_connected));
  if (!both_connected_) {
    session.state = "failed";
    session.selected_pair.reset();
  }
  // What the other end makes of a close is no failure.
  const results::Json failure = Ended() ? snapshot.failure : FailureOf(a_, b_);
  if (!failure.is_null()) session.extra["failure"] = failure;
  AddTransport(a_, session);
  results::Json phases = results::Json::array();
  for (const PeerEndpoint* endpoint : {&a_, &b_}) AddPhases(*endpoint, started(), phases);
  session.extra["phases"] = std::move(phases);
  if (peer().media) AddMedia(snapshot, session);
  if (!peer().channels.empty()) {
    session.timing_ms.data_channel_open =
        SinceStartOrNever(Later(a_.channels_open(), b_.channels_open()));
    results::Json channels = results::Json::array();
    for (std::size_t i = 0; i < peer().channels.size(); ++i) {
      AddTransfer(peer().channels[i], a_, b_, i, channels);
      AddTransfer(peer().channels[i], b_, a_, i, channels);
    }
    session.extra["data_channels"] = std::move(channels);
  }
}

void CallSession::AddMedia(const Snapshot& snapshot, results::Session& session) const {
  const bool to_a = peer().media->from_b, to_b = peer().media->from_a;
  session.timing_ms.first_media = SinceStartOrNever(
      to_a && to_b ? Later(a_.all_media(), b_.all_media()) : (to_a ? a_ : b_).all_media());
  results::Json media = results::Json::array();
  AddStreams(
      a_.host(), b_.host(), snapshot.a, snapshot.b,
      [&](std::string_view mid) { return SinceStartOrNever(b_.first_frame(mid)); }, media);
  AddStreams(
      b_.host(), a_.host(), snapshot.b, snapshot.a,
      [&](std::string_view mid) { return SinceStartOrNever(a_.first_frame(mid)); }, media);
  session.extra["media"] = std::move(media);
  results::Json paths = results::Json::array();
  if (to_b) AddPath(a_.host(), b_.host(), peer().controller_a, series_, paths);
  if (to_a) AddPath(b_.host(), a_.host(), peer().controller_b, series_, paths);
  session.extra["paths"] = std::move(paths);
}

std::unique_ptr<SessionDriver> MakeSession(const SessionSpec& spec, sim::Network& network,
                                           const std::vector<ServerAccess>& servers,
                                           std::function<void()> on_done) {
  if (spec.peer) {
    return std::make_unique<CallSession>(spec, network, servers, std::move(on_done));
  }
  return std::make_unique<IceSession>(spec, network, servers, std::move(on_done));
}

}  // namespace rtclab::scenarios
