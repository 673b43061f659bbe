// What RTP and data of one bundle go through: ICE, DTLS over its pairs, SRTP with the keys of DTLS, and the media engine
// between SRTP and the streams. The W3C's RTCDtlsTransport with its RTCIceTransport.
#ifndef RTCLAB_STACK_PEER_TRANSPORT_H_
#define RTCLAB_STACK_PEER_TRANSPORT_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "stack/base/datagram.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/dtls/transport.h"
#include "stack/media/engine.h"
#include "stack/peer/ice_transport.h"
#include "stack/peer/negotiation/negotiator.h"
#include "stack/peer/types.h"
#include "stack/srtp/session.h"

namespace rtclab::peer {

struct PeerTransportConfig {
  int id = 0;
  IceTransportConfig ice;
  dtls::TransportConfig dtls;  // role and fingerprints come with the answer
};

// `reason` and `detail` are those of dtls::Failed, or "srtp-keys".
struct DtlsStateChanged {
  DtlsTransportState state = DtlsTransportState::kNew;
  std::string reason;
  std::string detail;
};
// DTLS application data: one SCTP packet.
struct DataPacket {
  Bytes payload;
};

using PeerTransportEvent =
    std::variant<IceTransportEvent, DtlsStateChanged, DataPacket, media::Event, dtls::KeyLogLine>;

// Identifiers of the header extensions that SRTP encrypts (RFC 6904), as their receiver numbered them; in any order.
struct EncryptedExtensions {
  std::vector<uint8_t> to_peer, from_peer;
  bool operator==(const EncryptedExtensions&) const = default;
};

struct PeerTransportCounters {
  // Everything but ICE's own packets; bytes are UDP payloads.
  uint64_t packets_sent = 0;
  uint64_t packets_received = 0;
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  // What came and was of no use.
  uint64_t unknown_packets = 0;     // neither DTLS nor RTP (RFC 7983)
  uint64_t early_dropped = 0;       // more DTLS before the answer than is kept
  uint64_t media_without_keys = 0;  // RTP before DTLS was connected, or without anybody to take it
  uint64_t srtp_auth_failures = 0;
  uint64_t srtp_replays = 0;
  uint64_t srtp_other_failures = 0;
};

// Sans-IO as stack/base/sans_io.h has it.
class PeerTransport {
 public:
  using Event = PeerTransportEvent;

  // The streams must outlive the transport. One each, so that more of one protocol changes nothing for the others.
  struct Randoms {
    Rng &ice, &dtls, &media;
  };
  PeerTransport(PeerTransportConfig config, Randoms randoms);

  int id() const { return config_.id; }
  void Gather(Timestamp now, std::span<const TransportAddress> hosts);
  const std::vector<TransportAddress>& hosts() const { return hosts_; }
  // Takes over what was negotiated: credentials, the peer's candidates, the DTLS role and fingerprints. What is known stays as
  // it is, so it can be called after every description.
  void Apply(Timestamp now, const JsepTransport& jsep,
             const Negotiator::RemoteCandidates& candidates, bool has_media);
  // Whether Apply() would begin a new generation of candidates.
  bool WouldRestart(const JsepTransport& jsep) const;
  void SetServers(ice::CandidatePolicy policy, std::vector<TransportAddress> stun_servers,
                  std::vector<TurnServer> turn_servers);
  ice::AddResult AddRemoteCandidate(Timestamp now, const ice::Candidate& candidate);
  void EndOfRemoteCandidates(Timestamp now, std::string_view ufrag);

  // The engine, made at the first call.
  media::Engine& EnsureEngine(Timestamp now, const media::EngineConfig& config);
  media::Engine* engine() { return engine_.get(); }
  const media::Engine* engine() const { return engine_.get(); }
  // What was negotiated; for packets from now on.
  void SetEncryptedExtensions(EncryptedExtensions ids);
  // Call after each call to the engine: takes what it made.
  void Flush(Timestamp now) { Pump(now); }

  // Sends an SCTP packet; false when DTLS is not connected.
  bool SendData(Timestamp now, ByteView packet);
  // Ends DTLS and ICE, properly; what that sends is still to be polled.
  void Close(Timestamp now);

  void HandlePacket(Timestamp now, const Datagram& packet);
  void HandleIcmp(Timestamp now, const IcmpError& error);
  void HandleTimeout(Timestamp now);
  std::optional<Transmit> PollTransmit() { return ice_.PollTransmit(); }
  std::optional<PeerTransportEvent> PollEvent();
  Timestamp NextTimeout() const;

  const ice::Agent& agent() const { return ice_.agent(); }
  ice::AgentState ice_state() const { return agent().state(); }
  bool gathering() const { return gathering_; }
  DtlsTransportState dtls_state() const { return dtls_state_; }
  const dtls::Transport* dtls() const { return dtls_.get(); }
  const std::optional<dtls::Connected>& dtls_connected() const { return connected_; }
  std::optional<Timestamp> dtls_started() const { return dtls_started_; }
  std::optional<Timestamp> first_media_sent() const { return first_media_sent_; }
  std::optional<Timestamp> first_media_received() const { return first_media_received_; }
  const PeerTransportCounters& counters() const { return counters_; }
  uint32_t selected_pair_changes() const { return selected_pair_changes_; }
  const std::vector<sdp::Fingerprint>& remote_fingerprints() const { return fingerprints_; }

 private:
  void Pump(Timestamp now);
  bool PumpDtls(Timestamp now);
  bool PumpEngine(Timestamp now);
  void OnIceEvent(Timestamp now, IceTransportEvent event);
  void OnSelectedPair(Timestamp now, const ice::CandidatePair& pair);
  void OnPacket(Timestamp now, Bytes payload);
  void OnMedia(Timestamp now, Bytes packet, bool rtcp);
  void OnDtlsEvent(Timestamp now, dtls::TransportEvent event);
  void OnDtlsConnected(Timestamp now, dtls::Connected connected);
  void ApplyIce(Timestamp now, const JsepTransport& jsep,
                const Negotiator::RemoteCandidates& candidates);
  void ApplyDtls(Timestamp now, const JsepTransport& jsep, bool has_media);
  void MaybeStartDtls(Timestamp now);
  void SetDtlsState(DtlsTransportState state, std::string reason = {}, std::string detail = {});
  void UpdateNetwork(Timestamp now);
  void SendOut(Timestamp now, ByteView packet);
  void SendDtls(Timestamp now, Bytes datagram);
  bool IsWritable() const;

  PeerTransportConfig config_;
  Randoms randoms_;
  IceTransport ice_;
  std::vector<TransportAddress> hosts_;
  std::vector<std::string> used_ufrags_;  // of our generations
  ice::Credentials applied_remote_;
  std::string ended_ufrag_;  // the peer's generation whose candidates have ended
  bool gathering_ = false;

  std::unique_ptr<dtls::Transport> dtls_;
  int dtls_generation_ = 0;
  bool dtls_is_started_ = false;
  DtlsTransportState dtls_state_ = DtlsTransportState::kNew;
  std::vector<sdp::Fingerprint> fingerprints_;
  std::optional<dtls::Connected> connected_;
  std::vector<Bytes> early_dtls_;  // before the answer told our role
  std::deque<Bytes> unsent_dtls_;  // made before a pair was valid
  std::optional<srtp::Session> protect_, unprotect_;
  EncryptedExtensions encrypted_extensions_;

  std::unique_ptr<media::Engine> engine_;
  bool network_available_ = false;
  std::size_t packet_overhead_ = 28;  // of IP, UDP and TURN, bytes

  std::deque<PeerTransportEvent> events_;
  std::optional<Timestamp> dtls_started_, first_media_sent_, first_media_received_;
  PeerTransportCounters counters_;
  uint32_t selected_pair_changes_ = 0;
  bool closed_ = false;
};

}  // namespace rtclab::peer

#endif  // RTCLAB_STACK_PEER_TRANSPORT_H_
