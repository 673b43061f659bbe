// JSEP (RFC 8829) and the signalling half of webrtc-pc: offers, answers, the signaling state machine, transceivers, and what
// both descriptions together ask of the transports. It owns no transport and knows no time. Every call either succeeds as a
// whole or changes nothing.
//
// Inside, functions stand in files by what they are about:
//   negotiator.cc       life, candidates, getters, the negotiation-needed flag
//   transceivers.cc     addTransceiver, addTrack, removeTrack, direction, stop, parameters
//   offer.cc answer.cc  createOffer, createAnswer; sections.cc has what both write
//   describe.cc         set local and remote descriptions, rollback
//   apply.cc            what a description does to sections, transceivers and transports
//   verify.cc           what a remote description must not say
#ifndef RTCLAB_STACK_PEER_NEGOTIATION_NEGOTIATOR_H_
#define RTCLAB_STACK_PEER_NEGOTIATION_NEGOTIATOR_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/ice/config.h"
#include "stack/peer/negotiation/capabilities.h"
#include "stack/peer/negotiation/payload_types.h"
#include "stack/peer/negotiation/transceiver.h"
#include "stack/peer/types.h"
#include "stack/sdp/session_description.h"

namespace rtclab::peer {

struct NegotiatorConfig {
  Capabilities capabilities = DefaultCapabilities();
  BundlePolicy bundle_policy = BundlePolicy::kBalanced;
  // False: a peer that knows no BUNDLE (RFC 8843): it offers no group and answers none.
  bool bundle = true;
  // Answer an offer to send simulcast by receiving all of it. A W3C peer receives one encoding only; a media server all.
  bool accept_simulcast = false;
  // Which role an answer to actpass takes (RFC 8829 section 5.3.1 recommends active).
  bool answer_active = true;
  bool ice_lite = false;
  std::optional<TimeDelta> ice_pacing;  // RFC 8839 section 5.5: said when it is not the default
  std::vector<sdp::Fingerprint> fingerprints;  // of our certificate
  uint16_t sctp_port = 5000;
  uint64_t max_message_size = 262'144;  // bytes that we can receive; 0: any
  std::string cname = "rtclab";
  std::size_t max_encodings = 6;  // of a sender
};

// RTCOfferOptions.
struct OfferOptions {
  bool ice_restart = false;
};

// What one transport, shared by the sections of a bundle, was negotiated to be.
struct JsepTransport {
  int id = 0;                     // never used again
  std::vector<std::string> mids;  // the sections on it; the first one speaks for it
  bool controlling = true;        // the ICE role to start with (RFC 8445 section 6.1.1)
  ice::Credentials local;
  ice::Credentials remote;  // empty until an answer is applied
  bool remote_lite = false;
  std::optional<TimeDelta> remote_pacing;
  std::vector<sdp::Fingerprint> remote_fingerprints;
  std::string local_tls_id, remote_tls_id;
  std::optional<bool> dtls_client;  // our role; empty until an answer is applied
  int dtls_generation = 0;  // one more when the peer's certificate changes: a new DTLS connection
  bool operator==(const JsepTransport&) const = default;
};

// What was negotiated for data channels.
struct SctpParameters {
  std::string mid;
  int transport = 0;
  uint16_t local_port = 5000, remote_port = 5000;
  uint64_t remote_max_message_size = 65'536;  // 0: any
  bool operator==(const SctpParameters&) const = default;
};

struct SignalingStateChanged {
  SignalingState state = SignalingState::kStable;
};
struct NegotiationNeeded {};
// The peer sends on this transceiver from now on, or its streams changed.
struct TrackAdded {
  TransceiverId transceiver = 0;
  std::string track_id;
  std::vector<std::string> streams;
};
// The peer no longer sends on it: its track is muted and leaves its streams.
struct TrackRemoved {
  TransceiverId transceiver = 0;
  std::string track_id;
};
using NegotiatorEvent =
    std::variant<SignalingStateChanged, NegotiationNeeded, TrackAdded, TrackRemoved>;

// A description together with its parsed form.
struct Description {
  SdpType type = SdpType::kOffer;
  sdp::SessionDescription sdp;
};

class Negotiator {
 public:
  // `rng` must outlive the negotiator.
  Negotiator(NegotiatorConfig config, Rng& rng);

  // --- Descriptions ------------------------------------------------------------------------------

  // InvalidStateError: closed, or neither stable nor have-local-offer.
  PeerResult<SessionDescriptionInit> CreateOffer(const OfferOptions& options = {});
  // InvalidStateError: closed, or neither have-remote-offer nor have-local-pranswer.
  PeerResult<SessionDescriptionInit> CreateAnswer();
  // An empty sdp means what was created last, or is created now. InvalidModificationError: the text is another one than the
  // one created last. InvalidStateError: the type does not fit the state.
  PeerResult<void> SetLocalDescription(SdpType type, std::string_view sdp = {});
  // Without a type: an offer or answer, as the state asks for (webrtc-pc 4.4.2, setLocalDescription).
  PeerResult<void> SetLocalDescription();
  // An offer in have-local-offer rolls ours back first. InvalidStateError: the type does not fit the state. OperationError
  // with a line: no SDP. InvalidAccessError: contents that RFC 8829 section 5.8.3 forbids.
  PeerResult<void> SetRemoteDescription(SdpType type, std::string_view sdp);

  // Whether this candidate is for the remote description, and which transport it belongs to; -1: for none that there is.
  // TypeError, InvalidStateError, OperationError as webrtc-pc has them. It is added to the remote description.
  struct CandidateTarget {
    int transport = -1;
    bool end = false;
    std::string ufrag;
    bool all = false;  // an end of candidates for all transports
  };
  PeerResult<CandidateTarget> AddRemoteCandidate(const IceCandidateInit& candidate);
  // Our own candidates ("candidate:..." without ufrag; `port` and `address` for the default one), and their end.
  struct LocalCandidateLine {
    std::string text;
    std::string address;
    uint16_t port = 0;
    bool ipv6 = false;
    int rank =
        0;  // 2 relayed, 1 reflexive, 0 host: the highest is the default (RFC 8839 section 4.2.1.2)
  };
  void AddLocalCandidate(int transport, std::string_view ufrag, const LocalCandidateLine& line);
  void EndOfLocalCandidates(int transport, std::string_view ufrag);
  // The peer's "candidate:..." lines for this transport that belong to the credentials in force, and whether they ended.
  struct RemoteCandidates {
    std::vector<std::string> lines;
    bool end = false;
  };
  RemoteCandidates remote_candidates(const JsepTransport& transport) const;

  void RestartIce();
  // Servers or policy changed: the next offer restarts ICE (RFC 8829 section 5.2.2).
  void IceConfigurationChanged() { ice_configuration_changed_ = true; }
  void Close();
  // The set of capabilities changes nothing that was negotiated; sections that are offered anew use it.
  void SetCapabilities(Capabilities capabilities);

  // --- Transceivers ------------------------------------------------------------------------------

  PeerResult<TransceiverId> AddTransceiver(MediaKind kind, const TransceiverInit& init = {});
  PeerResult<TransceiverId> AddTrack(const Track& track, std::vector<std::string> streams = {});
  PeerResult<void> RemoveTrack(TransceiverId id);
  PeerResult<void> ReplaceTrack(TransceiverId id, std::optional<Track> track);
  PeerResult<void> SetStreams(TransceiverId id, std::vector<std::string> streams);
  PeerResult<void> SetDirection(TransceiverId id, Direction direction);
  PeerResult<void> Stop(TransceiverId id);
  PeerResult<void> SetCodecPreferences(TransceiverId id, std::vector<CodecPreference> codecs);
  // RTCRtpSender.setParameters(): the encodings' values, not their number, order or rids.
  PeerResult<void> SetEncodings(TransceiverId id, const std::vector<EncodingParameters>& encodings);
  // The first data channel was created: a section for data is needed.
  void WantData();
  // False again once the peer refused the section.
  bool wants_data() const { return data_wanted_; }

  // --- What it knows -----------------------------------------------------------------------------

  SignalingState signaling_state() const { return state_.signaling; }
  const Description* current_local() const { return Get(state_.current_local); }
  const Description* pending_local() const { return Get(state_.pending_local); }
  const Description* current_remote() const { return Get(state_.current_remote); }
  const Description* pending_remote() const { return Get(state_.pending_remote); }
  const Description* local() const { return pending_local() ? pending_local() : current_local(); }
  const Description* remote() const {
    return pending_remote() ? pending_remote() : current_remote();
  }
  // null before the first remote description.
  std::optional<bool> can_trickle() const { return state_.can_trickle; }
  // In the order they were added; stopped ones are not in it once that was negotiated.
  const std::vector<Transceiver>& transceivers() const { return state_.transceivers; }
  const Transceiver* FindTransceiver(TransceiverId id) const;
  const std::vector<JsepTransport>& transports() const { return state_.transports; }
  const JsepTransport* FindTransport(int id) const;
  // The transport that a section uses, or -1.
  int transport_of(std::string_view mid) const;
  const std::optional<SctpParameters>& sctp() const { return state_.sctp; }
  // The m-line index of a mid in the local or remote description.
  std::optional<std::size_t> m_line_index_of(std::string_view mid) const;
  const NegotiatorConfig& config() const { return config_; }

  // The negotiation-needed flag is looked at when no event is left, as webrtc-pc's queued task does.
  std::optional<NegotiatorEvent> PollEvent();
  // As above, without looking at the flag.
  std::optional<NegotiatorEvent> PollEventNow();

 private:
  // One m-section, in its place, as the descriptions applied so far make it.
  struct Section {
    std::string mid;
    std::string media;     // "audio", "video", "application", or what the peer offered
    std::string protocol;  // of the m= line
    std::vector<std::string> formats;
    std::optional<TransceiverId> transceiver;
    int transport = -1;
    bool rejected = false;
    bool in_bundle = false;    // of the last answer
    bool bundle_only = false;  // offered so, and not yet answered
    bool IsData() const { return media == "application"; }
  };
  struct State {
    SignalingState signaling = SignalingState::kStable;
    std::optional<Description> current_local, pending_local, current_remote, pending_remote;
    std::optional<bool> can_trickle;
    std::vector<Section> sections;
    std::vector<JsepTransport> transports;
    std::vector<Transceiver> transceivers;
    std::optional<SctpParameters> sctp;

    Transceiver* FindTransceiver(TransceiverId id);
    Transceiver* FindTransceiver(const std::optional<TransceiverId>& id) {
      return id ? FindTransceiver(*id) : nullptr;
    }
    JsepTransport* FindTransport(int id);
  };
  // Where a section of a created description comes from.
  struct SectionPlan {
    std::string mid;
    std::string media;
    std::optional<TransceiverId> transceiver;
    bool rejected = false;
    bool fresh = false;  // no section before it in this place, or a recycled one
    bool own = false;    // carries transport attributes
    bool bundle_only = false;
    int transport = -1;  // a transport that is there; -1: a new one if `own`
    ice::Credentials credentials;
    std::string tls_id;
  };
  struct Created {
    std::string text;
    sdp::SessionDescription sdp;
    std::vector<SectionPlan> plans;
    uint64_t version = 0;  // of what it was made from
    int next_mid = 0;
  };
  // Candidates that one generation of one transport gathered.
  struct LocalCandidates {
    int transport = 0;
    std::string ufrag;
    std::vector<LocalCandidateLine> lines;
    bool end = false;
  };
  using Events = std::vector<NegotiatorEvent>;

  static const Description* Get(const std::optional<Description>& d) { return d ? &*d : nullptr; }
  PeerResult<void> CheckOpen() const;
  PeerResult<Transceiver*> Open(TransceiverId id);
  // Something changed that a description may show.
  void Changed() {
    ++version_;
    update_needed_ = true;
  }
  bool IsNegotiationNeeded() const;
  bool NeedsNegotiation(const Transceiver& t) const;
  std::string NewMid();
  uint32_t NewSsrc();
  SendEncoding NewEncoding(const EncodingParameters& parameters, MediaKind kind);
  ice::Credentials NewCredentials();
  std::string NewTlsId();

  // transceivers.cc
  Transceiver MakeTransceiver(MediaKind kind, Direction direction);
  static void StopSendingAndReceiving(Transceiver& t);
  static void StopTransceiver(Transceiver& t);

  // offer.cc
  std::vector<SectionPlan> PlanOffer(const OfferOptions& options);
  SectionPlan PlanKnownSection(std::size_t index);
  void PlaceSection(std::vector<SectionPlan>& plans, SectionPlan plan);
  void PlanOfferTransports(std::vector<SectionPlan>& plans, const OfferOptions& options);
  ice::Credentials OfferCredentials(const JsepTransport& transport, const OfferOptions& options);
  void OfferExtensions(sdp::MediaDescription& m, const KindCapabilities& capabilities);
  sdp::MediaDescription OfferSection(const SectionPlan& plan, std::size_t index);
  bool IsRecyclable(std::size_t index) const;

  // answer.cc
  std::vector<SectionPlan> PlanAnswer();
  bool MustReject(std::size_t index, const sdp::SessionDescription& offer) const;
  bool BundlePolicyRejects(std::size_t index, const sdp::SessionDescription& offer) const;
  sdp::Setup AnswerSetup(const SectionPlan& plan, const sdp::TransportDescription& offered) const;
  void AddAnswerExtensions(sdp::MediaDescription& m, const Transceiver& t,
                           const sdp::MediaDescription& offered) const;
  void AddAnswerSimulcast(sdp::MediaDescription& m, const Transceiver& t, Direction direction,
                          const sdp::MediaDescription& offered) const;
  void PlanAnswerTransports(std::vector<SectionPlan>& plans);
  sdp::MediaDescription AnswerSection(const SectionPlan& plan, std::size_t index);
  std::vector<sdp::Codec> AnswerCodecs(const Transceiver& t,
                                       const sdp::MediaDescription& offered) const;
  Direction AnswerDirection(const Transceiver& t, const sdp::MediaDescription& offered) const;

  // sections.cc
  sdp::SessionDescription NewDescription();
  sdp::MediaDescription RejectedSection(const SectionPlan& plan, std::size_t index) const;
  // The data section's own lines, or the start of a media section: m=, c=, mid.
  sdp::MediaDescription StartSection(const SectionPlan& plan, std::string_view protocol) const;
  void AddTransportAttributes(sdp::MediaDescription& m, const SectionPlan& plan,
                              sdp::Setup setup) const;
  // The default candidate of the section's transport, and all of its candidates if it speaks for it.
  void AddCandidates(sdp::MediaDescription& m, const SectionPlan& plan) const;
  void AddStreams(sdp::MediaDescription& m, const Transceiver& t, bool sends) const;
  void AddEncodings(sdp::MediaDescription& m, const Transceiver& t, bool simulcast) const;
  void AddSsrcs(sdp::MediaDescription& m, const Transceiver& t) const;
  void AddLipSyncGroups(sdp::SessionDescription& d, const std::vector<SectionPlan>& plans) const;
  // The section of the description that was the last answer, or null.
  const sdp::MediaDescription* LastAnswered(std::string_view mid) const;

  // describe.cc
  PeerResult<void> Rollback(Events& events);
  PeerResult<void> SetLocal(SdpType type, const Created& created);
  PeerResult<void> SetRemote(SdpType type, sdp::SessionDescription description);
  // Fills in what a section inherits: the session's direction, and a mid where there is none.
  void Normalize(SdpType type, sdp::SessionDescription& description);
  PeerResult<void> CheckLocalType(SdpType type) const;
  PeerResult<void> CheckRemoteType(SdpType type) const;
  // Makes `next` the state there is, says so, and remembers what a rollback of an offer goes back to.
  void Commit(State next, SignalingState signaling, Events events);
  void CompleteExchange(State& next, Description answer, bool local);

  // apply.cc
  void ApplyLocalOffer(State& next, const Created& created);
  PeerResult<void> ApplyRemoteOffer(State& next, const sdp::SessionDescription& offer,
                                    Events& events);
  void AssociateRemote(State& next, const sdp::SessionDescription& offer, std::size_t index);
  void ApplyRemoteSimulcast(Transceiver& t, const sdp::MediaDescription& m);
  // Both descriptions are there: `answer` is local or remote. What of transports and media follows.
  PeerResult<void> ApplyAnswer(State& next, const sdp::SessionDescription& local,
                               const sdp::SessionDescription& remote, bool answer_is_local,
                               const std::vector<SectionPlan>* plans, Events& events);
  PeerResult<void> ApplyAnswerTransports(State& next, const sdp::SessionDescription& local,
                                         const sdp::SessionDescription& remote,
                                         bool answer_is_local,
                                         const std::vector<SectionPlan>* plans);
  PeerResult<void> ApplyRemoteTransport(JsepTransport& transport, std::size_t index,
                                        const sdp::SessionDescription& local,
                                        const sdp::SessionDescription& remote,
                                        bool answer_is_local) const;
  void ApplyAnswerMedia(Transceiver& t, const sdp::MediaDescription& local,
                        const sdp::MediaDescription& remote, bool answer_is_local);
  static void NarrowEncodings(Transceiver& t, const sdp::MediaDescription& m, bool local);
  void ApplyAnswerSctp(State& next, const sdp::SessionDescription& local,
                       const sdp::SessionDescription& remote) const;
  static void ProcessRemoteTracks(Transceiver& t, Direction direction,
                                  std::vector<std::string> msids, Events& events);
  void NoteIds(const sdp::MediaDescription& m);
  static void ForgetUnusedTransports(State& next);
  static void ListMids(State& next);

  // verify.cc
  PeerResult<void> VerifyRemote(SdpType type, const sdp::SessionDescription& description) const;
  PeerResult<void> VerifyOffer(const sdp::SessionDescription& offer) const;
  PeerResult<void> VerifyAnswer(const sdp::SessionDescription& answer) const;

  NegotiatorConfig config_;
  Rng& rng_;
  State state_;
  std::optional<State> stable_;  // what a rollback goes back to
  PayloadTypes
      payload_types_;  // of rolled-back descriptions too: a number is not used for something else later
  ExtensionIds extension_ids_;
  std::optional<Created> offer_, answer_;                 // created last
  std::vector<ice::Credentials> credentials_to_replace_;  // [[LocalIceCredentialsToReplace]]
  // Credentials that were made for a restart and rolled back: the agent has gathered with them already.
  struct NextCredentials {
    int transport = 0;
    ice::Credentials credentials;
  };
  std::vector<NextCredentials> next_credentials_;
  std::vector<LocalCandidates> local_candidates_;
  uint64_t session_id_ = 0;
  uint64_t session_version_ = 0;
  uint64_t version_ = 0;
  int next_mid_ = 0;
  int next_transceiver_ = 1;
  int next_transport_ = 1;
  bool data_wanted_ = false;
  bool ice_configuration_changed_ = false;
  bool update_needed_ = false;
  bool negotiation_needed_ = false;
  std::vector<uint32_t> ssrcs_;  // all that were given out
  std::deque<NegotiatorEvent> events_;
};

// The section that carries the transport attributes for the section at `index`: the one with the BUNDLE tag, or itself.
std::size_t TaggedSection(const sdp::SessionDescription& description, std::size_t index);

}  // namespace rtclab::peer

#endif  // RTCLAB_STACK_PEER_NEGOTIATION_NEGOTIATOR_H_
