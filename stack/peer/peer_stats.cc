// getStats(): W3C webrtc-stats. What no part can know, such as energy of echoes, is left out, as the W3C lets members be.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "stack/crypto/base64.h"
#include "stack/peer/peer_impl.h"

namespace rtclab::peer {
namespace {

// Adds members one by one; an empty optional adds nothing.
class StatsWriter {
 public:
  StatsWriter(StatsReport& report, StatsType type, std::string id, Timestamp timestamp) {
    report.entries.push_back({type, std::move(id), timestamp, {}});
    stats_ = &report.entries.back();
  }
  StatsWriter& Put(std::string_view name, StatsValue value) {
    stats_->members.emplace_back(std::string(name), std::move(value));
    return *this;
  }
  StatsWriter& Text(std::string_view name, std::string_view value) {
    return Put(name, std::string(value));
  }
  StatsWriter& TextIfAny(std::string_view name, std::string_view value) {
    return value.empty() ? *this : Text(name, value);
  }
  template <typename T>
  StatsWriter& Count(std::string_view name, T value) {
    return Put(name, static_cast<uint64_t>(value));
  }
  template <typename T>
  StatsWriter& CountIf(std::string_view name, const std::optional<T>& value) {
    return value ? Count(name, *value) : *this;
  }
  StatsWriter& Real(std::string_view name, double value) { return Put(name, value); }
  StatsWriter& RealIf(std::string_view name, const std::optional<double>& value) {
    return value ? Real(name, *value) : *this;
  }
  // DOMHighResTimeStamp: milliseconds.
  StatsWriter& TimeIf(std::string_view name, const std::optional<Timestamp>& value) {
    return value ? Real(name, value->millis_f()) : *this;
  }

 private:
  Stats* stats_;
};

// --- Identifiers. The same thing has the same one in every report. ---

std::string TransportStatsId(int id) { return fmt::format("T{}", id); }
std::string CertificateId(const dtls::Fingerprint& f) { return "CF" + ToHex(f.value); }
std::string LocalCandidateId(int transport, const ice::Candidate& c) {
  return fmt::format("L{}-{}-{}", transport, c.address.ToString(), c.base.ToString());
}
std::string RemoteCandidateId(int transport, const ice::Candidate& c) {
  return fmt::format("R{}-{}", transport, c.address.ToString());
}
std::string PairId(int transport, const ice::CandidatePair& p) {
  return fmt::format("CP{}-{}-{}", transport, p.local.address.ToString(),
                     p.remote.address.ToString());
}
std::string StreamId(std::string_view prefix, int transport, uint32_t ssrc) {
  return fmt::format("{}{}-{}", prefix, transport, ssrc);
}
std::string CodecId(int transport, bool out, uint8_t payload_type) {
  return fmt::format("C{}{}-{}", out ? "O" : "I", transport, payload_type);
}
std::string SourceId(const std::string& track) { return "S-" + track; }

std::string_view PairStateName(ice::PairState state) { return ToString(state); }

void AddCandidate(StatsReport& report, Timestamp now, int transport, const ice::Candidate& c,
                  bool local) {
  StatsWriter out(report, local ? StatsType::kLocalCandidate : StatsType::kRemoteCandidate,
                  local ? LocalCandidateId(transport, c) : RemoteCandidateId(transport, c), now);
  out.Text("transportId", TransportStatsId(transport))
      .Text("address", c.address.ip.ToString())
      .Count("port", c.address.port)
      .Text("protocol", "udp")
      .Text("candidateType", ice::ToString(c.type))
      .Count("priority", c.priority);
  if (local && !c.server.IsNone()) {
    const bool relay = c.type == ice::CandidateType::kRelayed;
    out.Text("url", fmt::format("{}:{}", relay ? "turn" : "stun", c.server.ToString()));
    if (relay) out.Text("relayProtocol", "udp");
  }
  out.TextIfAny("foundation", c.foundation);
  if (c.related) {
    out.Text("relatedAddress", c.related->ip.ToString());
    out.Count("relatedPort", c.related->port);
  }
  out.TextIfAny("usernameFragment", c.ufrag);
}

// What the log of checks says about one pair.
struct PairChecks {
  uint64_t requests_sent = 0;
  uint64_t responses_received = 0;
  double total_round_trip_time = 0;
  std::optional<double> current_round_trip_time;
};
PairChecks ChecksOf(const ice::Agent& agent, const ice::CandidatePair& pair) {
  PairChecks checks;
  for (const ice::CheckRecord& record : agent.check_log()) {
    if (record.local != pair.local.base || record.remote != pair.remote.address) continue;
    checks.requests_sent += record.transmissions.size();
    if (record.outcome != ice::CheckOutcome::kSucceeded || record.transmissions.empty()) continue;
    ++checks.responses_received;
    const double rtt = (*record.finished - record.transmissions.back()).seconds();
    checks.total_round_trip_time += rtt;
    checks.current_round_trip_time = rtt;
  }
  return checks;
}

void AddPair(StatsReport& report, Timestamp now, const PeerTransport& transport,
             const ice::CandidatePair& pair, std::string_view state, bool nominated,
             bool selected) {
  const int id = transport.id();
  const PairChecks checks = ChecksOf(transport.agent(), pair);
  StatsWriter out(report, StatsType::kCandidatePair, PairId(id, pair), now);
  out.Text("transportId", TransportStatsId(id))
      .Text("localCandidateId", LocalCandidateId(id, pair.local))
      .Text("remoteCandidateId", RemoteCandidateId(id, pair.remote))
      .Text("state", state)
      .Put("nominated", nominated);
  if (selected) {
    const PeerTransportCounters& c = transport.counters();
    out.Count("packetsSent", c.packets_sent)
        .Count("packetsReceived", c.packets_received)
        .Count("bytesSent", c.bytes_sent)
        .Count("bytesReceived", c.bytes_received);
  }
  out.Real("totalRoundTripTime", checks.total_round_trip_time)
      .RealIf("currentRoundTripTime", checks.current_round_trip_time);
  if (selected && transport.engine() != nullptr) {
    const media::EngineStats engine = transport.engine()->stats(now);
    out.Real("availableOutgoingBitrate", engine.available_outgoing_bitrate)
        .RealIf("availableIncomingBitrate", engine.available_incoming_bitrate);
  }
  out.Count("requestsSent", checks.requests_sent)
      .Count("responsesReceived", checks.responses_received);
  if (selected) {
    const ice::AgentCounters& counters = transport.agent().counters();
    out.Count("requestsReceived", counters.checks_received)
        .Count("responsesSent", counters.checks_received)
        .Count("consentRequestsSent", counters.consent_sent);
  }
}

void AddIce(StatsReport& report, Timestamp now, const PeerTransport& transport) {
  const ice::Agent& agent = transport.agent();
  const auto selected = agent.selected_pair();
  std::vector<ice::Candidate> local = agent.local_candidates(), remote = agent.remote_candidates();
  std::vector<ice::Agent::ChecklistEntry> entries = agent.checklist();
  const auto is_selected = [&](const ice::CandidatePair& pair) {
    return selected && pair.local.address == selected->local.address &&
           pair.remote.address == selected->remote.address;
  };
  // The selected pair may be of an earlier generation, or one that was learnt by a check.
  if (selected && std::none_of(entries.begin(), entries.end(),
                               [&](const auto& e) { return is_selected(e.pair); })) {
    entries.insert(entries.begin(), {*selected, ice::PairState::kSucceeded, true});
  }
  for (const auto& entry : entries) {
    const auto add = [](std::vector<ice::Candidate>& list, const ice::Candidate& c) {
      if (std::none_of(list.begin(), list.end(), [&c](const ice::Candidate& o) {
            return o.address == c.address && o.base == c.base;
          })) {
        list.push_back(c);
      }
    };
    add(local, entry.pair.local);
    if (std::none_of(remote.begin(), remote.end(), [&entry](const ice::Candidate& o) {
          return o.address == entry.pair.remote.address;
        })) {
      remote.push_back(entry.pair.remote);
    }
  }
  for (const ice::Candidate& c : local) AddCandidate(report, now, transport.id(), c, true);
  for (const ice::Candidate& c : remote) AddCandidate(report, now, transport.id(), c, false);
  for (const auto& entry : entries) {
    const bool chosen = is_selected(entry.pair);
    AddPair(report, now, transport, entry.pair, chosen ? "succeeded" : PairStateName(entry.state),
            entry.nominated || chosen, chosen);
  }
}

void AddCertificate(StatsReport& report, Timestamp now, const dtls::Fingerprint& fingerprint,
                    ByteView der) {
  const std::string id = CertificateId(fingerprint);
  if (report.Find(id) != nullptr) return;
  const std::string text = fingerprint.ToString();
  StatsWriter(report, StatsType::kCertificate, id, now)
      .Text("fingerprint", text.substr(text.find(' ') + 1))
      .Text("fingerprintAlgorithm", fingerprint.algorithm)
      .Text("base64Certificate", crypto::Base64Encode(der));
}

void AddTransport(StatsReport& report, Timestamp now, const PeerTransport& transport,
                  const dtls::Certificate& own) {
  const ice::Agent& agent = transport.agent();
  const PeerTransportCounters& c = transport.counters();
  StatsWriter out(report, StatsType::kTransport, TransportStatsId(transport.id()), now);
  out.Count("packetsSent", c.packets_sent)
      .Count("packetsReceived", c.packets_received)
      .Count("bytesSent", c.bytes_sent)
      .Count("bytesReceived", c.bytes_received)
      .Text("iceRole", ice::ToString(agent.role()))
      .Text("iceLocalUsernameFragment", agent.local_credentials().ufrag)
      .Text("dtlsState", ToString(transport.dtls_state()))
      .Text("iceState", ice::ToString(agent.state()));
  if (const auto selected = agent.selected_pair())
    out.Text("selectedCandidatePairId", PairId(transport.id(), *selected));
  out.Text("localCertificateId", CertificateId(own.fingerprint()));
  const dtls::Transport* dtls = transport.dtls();
  if (dtls != nullptr && !dtls->remote_certificate().empty()) {
    out.Text("remoteCertificateId",
             CertificateId(dtls::FingerprintOfDer(dtls->remote_certificate(), "sha-256")));
  }
  if (const auto& connected = transport.dtls_connected()) {
    out.Text("tlsVersion", "FEFD");  // DTLS 1.2 (RFC 6347 section 4.1)
    out.Text("dtlsCipher", connected->cipher_suite);
  }
  out.Text("dtlsRole", dtls == nullptr ? "unknown" : dtls::ToString(dtls->role()));
  if (const auto& connected = transport.dtls_connected(); connected && connected->srtp)
    out.Text("srtpCipher", dtls::ToString(connected->srtp->profile));
  out.Count("selectedCandidatePairChanges", transport.selected_pair_changes());
}

void PutStream(StatsWriter& out, const media::RtpStreamStats& s, int transport, bool sent) {
  out.Count("ssrc", s.ssrc)
      .Text("kind", media::KindName(s.kind))
      .Text("transportId", TransportStatsId(transport));
  if (!s.codec.empty()) out.Text("codecId", CodecId(transport, sent, s.payload_type));
}

void PutReceived(StatsWriter& out, const media::ReceivedRtpStreamStats& s) {
  out.Count("packetsReceived", s.packets_received)
      .Put("packetsLost", s.packets_lost)
      .Real("jitter", s.jitter);
}

void PutVideoInbound(StatsWriter& out, const media::InboundRtpStats& s) {
  out.Count("framesDecoded", s.frames_decoded)
      .Count("keyFramesDecoded", s.key_frames_decoded)
      .Count("framesRendered", s.frames_rendered)
      .Count("framesDropped", s.frames_dropped)
      .Count("frameWidth", s.frame_width)
      .Count("frameHeight", s.frame_height)
      .Real("framesPerSecond", s.frames_per_second)
      .Real("totalDecodeTime", s.total_decode_time)
      .Real("totalInterFrameDelay", s.total_inter_frame_delay)
      .Real("totalSquaredInterFrameDelay", s.total_squared_inter_frame_delay)
      .Count("pauseCount", s.pause_count)
      .Real("totalPausesDuration", s.total_pauses_duration)
      .Count("freezeCount", s.freeze_count)
      .Real("totalFreezesDuration", s.total_freezes_duration)
      .Count("firCount", s.fir_count)
      .Count("pliCount", s.pli_count)
      .Count("framesReceived", s.frames_received)
      .Count("framesAssembledFromMultiplePackets", s.frames_assembled_from_multiple_packets)
      .Real("totalAssemblyTime", s.total_assembly_time);
}

void PutAudioInbound(StatsWriter& out, const media::InboundRtpStats& s, int transport) {
  out.Count("totalSamplesReceived", s.total_samples_received)
      .Count("concealedSamples", s.concealed_samples)
      .Count("silentConcealedSamples", s.silent_concealed_samples)
      .Count("concealmentEvents", s.concealment_events)
      .Count("insertedSamplesForDeceleration", s.inserted_samples_for_deceleration)
      .Count("removedSamplesForAcceleration", s.removed_samples_for_acceleration)
      .Real("audioLevel", s.audio_level)
      .Real("totalAudioEnergy", s.total_audio_energy)
      .Real("totalSamplesDuration", s.total_samples_duration)
      .Text("playoutId", StreamId("AP", transport, s.ssrc));
}

void AddInbound(StatsReport& report, Timestamp now, int transport, const media::InboundRtpStats& s,
                bool has_remote) {
  StatsWriter out(report, StatsType::kInboundRtp, StreamId("I", transport, s.ssrc), now);
  PutStream(out, s, transport, false);
  out.Count("packetsReceived", s.packets_received)
      .Count("packetsReceivedWithEct1", s.packets_received_with_ect1)
      .Count("packetsReceivedWithCe", s.packets_received_with_ce)
      .Put("packetsLost", s.packets_lost)
      .Real("jitter", s.jitter)
      .Text("trackIdentifier", s.track_identifier)
      .TextIfAny("mid", s.mid);
  if (has_remote) out.Text("remoteId", StreamId("RO", transport, s.ssrc));
  if (s.kind == media::Kind::kVideo) PutVideoInbound(out, s);
  out.TimeIf("lastPacketReceivedTimestamp", s.last_packet_received_timestamp)
      .Count("headerBytesReceived", s.header_bytes_received)
      .Count("packetsDiscarded", s.packets_discarded)
      .Count("fecBytesReceived", s.fec_bytes_received)
      .Count("fecPacketsReceived", s.fec_packets_received)
      .Count("fecPacketsDiscarded", s.fec_packets_discarded)
      .Count("packetsRecoveredByFec", s.packets_recovered_by_fec)
      .Count("bytesReceived", s.bytes_received)
      .Count("nackCount", s.nack_count)
      .Real("totalProcessingDelay", s.total_processing_delay)
      .Real("jitterBufferDelay", s.jitter_buffer_delay)
      .Real("jitterBufferTargetDelay", s.jitter_buffer_target_delay)
      .Count("jitterBufferEmittedCount", s.jitter_buffer_emitted_count)
      .Real("jitterBufferMinimumDelay", s.jitter_buffer_minimum_delay);
  if (s.kind == media::Kind::kAudio) PutAudioInbound(out, s, transport);
  out.Count("retransmittedPacketsReceived", s.retransmitted_packets_received)
      .Count("retransmittedBytesReceived", s.retransmitted_bytes_received)
      .CountIf("rtxSsrc", s.rtx_ssrc)
      .CountIf("fecSsrc", s.fec_ssrc);
}

std::string_view LimitationName(media::QualityLimitation reason) {
  static constexpr std::string_view kNames[] = {"none", "cpu", "bandwidth", "other"};
  return kNames[static_cast<std::size_t>(reason)];
}

void PutVideoOutbound(StatsWriter& out, const media::OutboundRtpStats& s) {
  out.Count("totalEncodedBytesTarget", s.total_encoded_bytes_target)
      .Count("frameWidth", s.frame_width)
      .Count("frameHeight", s.frame_height)
      .Real("framesPerSecond", s.frames_per_second)
      .Count("framesSent", s.frames_sent)
      .Count("hugeFramesSent", s.huge_frames_sent)
      .Count("framesEncoded", s.frames_encoded)
      .Count("keyFramesEncoded", s.key_frames_encoded)
      .Real("totalEncodeTime", s.total_encode_time)
      .Text("qualityLimitationReason", LimitationName(s.quality_limitation_reason))
      .Put("qualityLimitationDurations",
           StatsRecord{{"none", s.quality_limitation_none_duration},
                       {"cpu", 0.0},
                       {"bandwidth", s.quality_limitation_bandwidth_duration},
                       {"other", 0.0}})
      .Count("qualityLimitationResolutionChanges", s.quality_limitation_resolution_changes)
      .Count("firCount", s.fir_count)
      .Count("pliCount", s.pli_count)
      .TextIfAny("scalabilityMode", s.scalability_mode);
}

void AddOutbound(StatsReport& report, Timestamp now, int transport,
                 const media::OutboundRtpStats& s, const media::EngineStats& engine) {
  StatsWriter out(report, StatsType::kOutboundRtp, StreamId("O", transport, s.ssrc), now);
  PutStream(out, s, transport, true);
  out.Count("packetsSent", s.packets_sent).Count("bytesSent", s.bytes_sent).TextIfAny("mid", s.mid);
  for (const media::MediaSourceStats& source : engine.media_source) {
    if (source.mid == s.mid) out.Text("mediaSourceId", SourceId(source.track_identifier));
  }
  const auto& remote = engine.remote_inbound_rtp;
  if (std::any_of(remote.begin(), remote.end(), [&s](const auto& r) { return r.ssrc == s.ssrc; })) {
    out.Text("remoteId", StreamId("RI", transport, s.ssrc));
  }
  out.TextIfAny("rid", s.rid)
      .Count("encodingIndex", s.encoding_index)
      .Count("headerBytesSent", s.header_bytes_sent)
      .Count("retransmittedPacketsSent", s.retransmitted_packets_sent)
      .Count("retransmittedBytesSent", s.retransmitted_bytes_sent)
      .CountIf("rtxSsrc", s.rtx_ssrc)
      .Real("targetBitrate", s.target_bitrate)
      .Real("totalPacketSendDelay", s.total_packet_send_delay)
      .Count("nackCount", s.nack_count);
  if (s.kind == media::Kind::kVideo) PutVideoOutbound(out, s);
  out.Put("active", s.active);
}

void AddSource(StatsReport& report, Timestamp now, const media::MediaSourceStats& s) {
  if (report.Find(SourceId(s.track_identifier)) != nullptr) return;
  StatsWriter out(report, StatsType::kMediaSource, SourceId(s.track_identifier), now);
  out.Text("trackIdentifier", s.track_identifier).Text("kind", media::KindName(s.kind));
  if (s.kind == media::Kind::kVideo) {
    out.Count("width", s.width)
        .Count("height", s.height)
        .Count("frames", s.frames)
        .Real("framesPerSecond", s.frames_per_second);
  } else {
    out.Real("audioLevel", s.audio_level)
        .Real("totalAudioEnergy", s.total_audio_energy)
        .Real("totalSamplesDuration", s.total_samples_duration);
  }
}

void AddRemoteStreams(StatsReport& report, int transport, const media::EngineStats& engine) {
  for (const media::RemoteInboundRtpStats& s : engine.remote_inbound_rtp) {
    StatsWriter out(report, StatsType::kRemoteInboundRtp, StreamId("RI", transport, s.ssrc),
                    s.timestamp);
    PutStream(out, s, transport, true);
    PutReceived(out, s);
    out.Text("localId", StreamId("O", transport, s.ssrc))
        .RealIf("roundTripTime", s.round_trip_time)
        .Real("totalRoundTripTime", s.total_round_trip_time)
        .Real("fractionLost", s.fraction_lost)
        .Count("roundTripTimeMeasurements", s.round_trip_time_measurements);
  }
  for (const media::RemoteOutboundRtpStats& s : engine.remote_outbound_rtp) {
    StatsWriter out(report, StatsType::kRemoteOutboundRtp, StreamId("RO", transport, s.ssrc),
                    s.timestamp);
    PutStream(out, s, transport, false);
    out.Count("packetsSent", s.packets_sent)
        .Count("bytesSent", s.bytes_sent)
        .Text("localId", StreamId("I", transport, s.ssrc))
        .Real("remoteTimestamp", s.remote_timestamp.millis_f())
        .Count("reportsSent", s.reports_sent);
  }
}

void AddCodec(StatsReport& report, Timestamp now, int transport, bool sent,
              const media::RtpStreamStats& s, const std::vector<Transceiver>& transceivers) {
  const std::string id = CodecId(transport, sent, s.payload_type);
  if (s.codec.empty() || report.Find(id) != nullptr) return;
  StatsWriter out(report, StatsType::kCodec, id, now);
  out.Count("payloadType", s.payload_type)
      .Text("transportId", TransportStatsId(transport))
      .Text("mimeType", s.codec);
  for (const Transceiver& t : transceivers) {
    if (t.mid != s.mid) continue;
    const sdp::Codec* codec =
        sdp::FindCodec(sent ? t.sender.codecs : t.receiver.codecs, s.payload_type);
    if (codec == nullptr) continue;
    out.Count("clockRate", codec->clock_rate);
    if (t.kind == MediaKind::kAudio) out.Count("channels", codec->channels);
    out.TextIfAny("sdpFmtpLine", codec->fmtp);
    return;
  }
}

void AddPlayout(StatsReport& report, Timestamp now, int transport,
                const media::InboundRtpStats& s) {
  if (s.kind != media::Kind::kAudio) return;
  // The device plays every sample that the jitter buffer gives, at once: its own delay and gaps are none.
  StatsWriter(report, StatsType::kMediaPlayout, StreamId("AP", transport, s.ssrc), now)
      .Text("kind", "audio")
      .Real("synthesizedSamplesDuration", 0.0)
      .Count("synthesizedSamplesEvents", 0)
      .Real("totalSamplesDuration", s.total_samples_duration)
      .Real("totalPlayoutDelay", 0.0)
      .Count("totalSamplesCount", s.total_samples_received);
}

}  // namespace

StatsReport PeerConnection::Impl::GetStats(Timestamp now) const {
  StatsReport report;
  const uint32_t opened = data_ != nullptr ? data_->data_channels_opened() : 0;
  const uint32_t ended = data_ != nullptr ? data_->data_channels_closed() : 0;
  StatsWriter(report, StatsType::kPeerConnection, "P", now)
      .Count("dataChannelsOpened", opened)
      .Count("dataChannelsClosed", ended);
  AddCertificate(report, now, certificate_.fingerprint(), certificate_.der());
  for (const auto& t : transports_) {
    if (t->dtls() == nullptr || t->dtls()->remote_certificate().empty()) continue;
    const Bytes& der = t->dtls()->remote_certificate();
    AddCertificate(report, now, dtls::FingerprintOfDer(der, "sha-256"), der);
  }
  for (const auto& t : transports_) AddTransport(report, now, *t, certificate_);
  for (const auto& t : transports_) AddIce(report, now, *t);
  if (data_ != nullptr) {
    for (const datachannel::ChannelId id : data_->channels()) {
      const datachannel::ChannelStats s = data_->stats(id);
      StatsWriter(report, StatsType::kDataChannel, fmt::format("D{}", static_cast<uint32_t>(id)),
                  now)
          .Text("label", s.label)
          .Text("protocol", s.protocol)
          .CountIf("dataChannelIdentifier", s.data_channel_identifier)
          .Text("state",
                datachannel::ToString(closed_ ? datachannel::ChannelState::kClosed : s.state))
          .Count("messagesSent", s.messages_sent)
          .Count("bytesSent", s.bytes_sent)
          .Count("messagesReceived", s.messages_received)
          .Count("bytesReceived", s.bytes_received);
    }
  }
  for (const auto& t : transports_) {
    if (t->engine() == nullptr) continue;
    const media::EngineStats engine = t->engine()->stats(now);
    const auto& transceivers = negotiator_.transceivers();
    for (const auto& s : engine.outbound_rtp) AddCodec(report, now, t->id(), true, s, transceivers);
    for (const auto& s : engine.inbound_rtp) AddCodec(report, now, t->id(), false, s, transceivers);
    for (const auto& s : engine.media_source) AddSource(report, now, s);
    for (const auto& s : engine.outbound_rtp) AddOutbound(report, now, t->id(), s, engine);
    for (const auto& s : engine.inbound_rtp) {
      const auto& remote = engine.remote_outbound_rtp;
      const bool reported = std::any_of(remote.begin(), remote.end(),
                                        [&s](const auto& r) { return r.ssrc == s.ssrc; });
      AddInbound(report, now, t->id(), s, reported);
    }
    AddRemoteStreams(report, t->id(), engine);
    for (const auto& s : engine.inbound_rtp) AddPlayout(report, now, t->id(), s);
  }
  std::stable_sort(report.entries.begin(), report.entries.end(),
                   [](const Stats& a, const Stats& b) { return a.type < b.type; });
  return report;
}

}  // namespace rtclab::peer
