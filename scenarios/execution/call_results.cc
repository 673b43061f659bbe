#include "scenarios/execution/call_results.h"

#include <algorithm>
#include <cmath>

#include "results/json.h"
#include "scenarios/expect_media.h"

namespace rtclab::scenarios {
namespace {

using results::Json;

int64_t WholeNumber(const peer::Stats* stats, std::string_view name) {
  return stats == nullptr ? 0 : std::llround(stats->Number(name).value_or(0));
}

Json MillisOrNull(const std::optional<double>& v) { return v ? results::Millis(*v) : Json(); }

const peer::Stats* BySsrc(const peer::StatsReport& report, peer::StatsType type, int64_t ssrc) {
  for (const peer::Stats* stats : report.OfType(type)) {
    if (WholeNumber(stats, "ssrc") == ssrc) return stats;
  }
  return nullptr;
}

}  // namespace

Json FailureOf(const PeerEndpoint& a, const PeerEndpoint& b) {
  const PeerEndpoint* told = nullptr;
  for (const PeerEndpoint* endpoint : {&a, &b}) {
    if (!endpoint->failure()) continue;
    // The end that was told by the other one that it is over.
    const std::string& reason = endpoint->failure()->reason;
    const bool is_echo = reason == "dtls-alert-received" || reason == "dtls-closed-by-peer" ||
                         reason == "sctp-peer_abort" || reason == "sctp-dtls";
    if (told == nullptr || !is_echo) told = endpoint;
    if (!is_echo) break;
  }
  if (told == nullptr) return nullptr;
  return {{"host", told->host()},
          {"reason", told->failure()->reason},
          {"detail", told->failure()->detail}};
}

void AddTransport(const PeerEndpoint& first, results::Session& session) {
  const std::vector<int> ids = first.connection().transports();
  const peer::PeerTransport* transport =
      ids.empty() ? nullptr : first.connection().transport(ids.front());
  if (transport == nullptr || !transport->dtls_connected()) return;
  const dtls::Connected& connected = *transport->dtls_connected();
  Json json = {{"cipher_suite", connected.cipher_suite}};
  json["srtp_profile"] = connected.srtp ? Json(ToString(connected.srtp->profile)) : Json();
  session.extra["transport"] = std::move(json);
}

void AddPhases(const PeerEndpoint& endpoint, Timestamp started, Json& phases) {
  const peer::Timeline& timeline = endpoint.connection().timeline();
  const auto add = [&](std::string_view name, const std::optional<Timestamp>& from,
                       const std::optional<Timestamp>& to) {
    if (!from) return;
    const auto since = [&](const std::optional<Timestamp>& t) {
      return t ? results::Millis((*t - started).millis_f()) : Json();
    };
    phases.push_back({{"host", endpoint.host()},
                      {"name", name},
                      {"start_ms", since(from)},
                      {"end_ms", since(to)}});
  };
  add("gathering", timeline.gathering_started, timeline.gathering_complete);
  std::optional<Timestamp> first_check;
  if (const ice::Agent* agent = endpoint.agent()) {
    for (const ice::CheckRecord& check : agent->check_log()) {
      if (check.transmissions.empty()) continue;
      first_check =
          std::min(first_check.value_or(check.transmissions.front()), check.transmissions.front());
    }
  }
  add("checks", first_check, timeline.ice_connected);
  add("dtls", timeline.dtls_started, timeline.dtls_connected);
  if (endpoint.has_channels()) {
    add("sctp", timeline.dtls_connected, timeline.sctp_connected);
    add("data_channels", timeline.sctp_connected, endpoint.channels_open());
  }
  if (endpoint.receives_media()) {
    add("first_frame", timeline.dtls_connected, endpoint.all_media());
  }
}

void AddStreams(const std::string& from, const std::string& to, const peer::StatsReport& sender,
                const peer::StatsReport& receiver,
                const std::function<std::optional<double>(std::string_view mid)>& first_frame_ms,
                Json& media) {
  for (const peer::Stats* out : sender.OfType(peer::StatsType::kOutboundRtp)) {
    if (WholeNumber(out, "packetsSent") == 0) continue;
    const peer::Stats* in =
        BySsrc(receiver, peer::StatsType::kInboundRtp, WholeNumber(out, "ssrc"));
    const std::string kind(out->Text("kind"));
    Json json = {{"from", from},
                 {"to", to},
                 {"kind", kind},
                 {"mid", out->Text("mid")},
                 {"first_frame_ms", MillisOrNull(first_frame_ms(out->Text("mid")))},
                 {"packets_sent", WholeNumber(out, "packetsSent")},
                 {"packets_received", WholeNumber(in, "packetsReceived")},
                 {"packets_lost", WholeNumber(in, "packetsLost")},
                 {"packets_retransmitted", WholeNumber(out, "retransmittedPacketsSent")},
                 {"bytes_received", WholeNumber(in, "bytesReceived")},
                 {"nacks", WholeNumber(out, "nackCount")}};
    if (!out->Text("rid").empty()) json["rid"] = out->Text("rid");
    if (kind == "video") {
      json["frames_sent"] = WholeNumber(out, "framesSent");
      json["frames_rendered"] = WholeNumber(in, "framesRendered");
      json["frames_corrupt"] = WholeNumber(in, "framesCorrupt");
      json["key_frames_sent"] = WholeNumber(out, "keyFramesEncoded");
      json["plis"] = WholeNumber(out, "pliCount");
      json["freeze_count"] = WholeNumber(in, "freezeCount");
      json["freeze_ms"] = results::Millis(
          (in == nullptr ? 0 : in->Number("totalFreezesDuration").value_or(0)) * 1000);
      json["packets_recovered_by_fec"] = WholeNumber(in, "packetsRecoveredByFec");
    } else {
      json["concealed_samples"] = WholeNumber(in, "concealedSamples");
      json["samples_received"] = WholeNumber(in, "totalSamplesReceived");
    }
    media.push_back(std::move(json));
  }
}

void AddPath(const std::string& from, const std::string& to, const std::string& controller,
             const std::vector<results::SeriesPoint>& series, Json& paths) {
  double bits = 0, ms = 0, capacity_bits = 0;
  bool capacity_known = true;
  std::vector<double> delays;
  for (const results::SeriesPoint& point : series) {
    if (point.from != from) continue;
    const double media_bps = point.receive_bps - point.data_receive_bps;
    // From the first packet on: the set-up is not part of the flow.
    if (ms == 0 && media_bps <= 0) continue;
    bits += media_bps * point.interval_ms / 1000;
    ms += point.interval_ms;
    capacity_known &= point.capacity_bps.has_value();
    capacity_bits += point.capacity_bps.value_or(0) * point.interval_ms / 1000;
    if (point.queue_delay_ms) delays.push_back(*point.queue_delay_ms);
  }
  Json json = {{"from", from}, {"to", to}, {"controller", controller}};
  if (ms > 0) {
    json["throughput_bps"] = std::llround(bits / ms * 1000);
    json["duration_ms"] = results::Millis(ms);
  }
  if (ms > 0 && capacity_known) {
    json["utilisation"] = static_cast<double>(std::llround(bits / capacity_bits * 1000)) / 1000;
  }
  if (!delays.empty()) {
    json["queue_delay_ms"] = {{"p50", results::Millis(Percentile(delays, 0.5))},
                              {"p95", results::Millis(Percentile(delays, 0.95))},
                              {"p99", results::Millis(Percentile(delays, 0.99))}};
  }
  paths.push_back(std::move(json));
}

void AddTransfer(const ChannelSpec& spec, const PeerEndpoint& from, const PeerEndpoint& to,
                 std::size_t index, Json& channels) {
  const OutgoingTransfer* sent = from.outgoing(index);
  if (sent == nullptr) return;
  const IncomingTransfer& received = *to.incoming(index);
  Json json = {{"label", spec.label},
               {"from", from.host()},
               {"to", to.host()},
               {"messages", sent->total()},
               {"messages_sent", sent->sent()},
               {"messages_received", received.received()},
               {"bytes_received", received.bytes()},
               {"intact", received.IsIntact(*sent)}};
  // A reliable channel is done when everything is there.
  const bool reliable = !spec.max_retransmits && !spec.max_lifetime;
  const bool over = sent->AllSent() && (!reliable || received.received() >= sent->total());
  std::optional<double> ms;
  if (over && sent->first_sent() && received.last_received()) {
    ms = (*received.last_received() - *sent->first_sent()).millis_f();
  }
  json["transfer_ms"] = MillisOrNull(ms);
  json["throughput_bps"] =
      ms && *ms > 0 ? Json(std::llround(static_cast<double>(received.bytes()) * 8000 / *ms))
                    : Json();
  channels.push_back(std::move(json));
}

}  // namespace rtclab::scenarios
