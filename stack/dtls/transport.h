// One DTLS 1.2 association (RFC 6347) as WebRTC uses it (RFC 8827 section 6.5, RFC 5764): certificates on both sides, known by
// their fingerprints, keys for SRTP, and a channel for data. OpenSSL does the protocol; time and randomness are the caller's.
//
//   Transport dtls({.certificate = &mine, .role = Role::kClient, .remote_fingerprints = {theirs}}, rng);
//   dtls.Start(now);
//   // then the one protocol shape of stack/base/sans_io.h, with datagrams as plain bytes: HandlePacket(), HandleTimeout(),
//   // PollTransmit(), PollEvent(), NextTimeout()
#ifndef RTCLAB_STACK_DTLS_TRANSPORT_H_
#define RTCLAB_STACK_DTLS_TRANSPORT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/dtls/certificate.h"
#include "stack/dtls/fingerprint.h"
#include "stack/dtls/setup.h"
#include "stack/dtls/srtp_keys.h"

namespace rtclab::dtls {

// Where keys, randoms and nonces come from.
enum class Randomness {
  kSimulation,  // from the Rng: the same seed gives the same datagrams. Not secret.
  kSystem,      // from the operating system: for real peers
};

struct TransportConfig {
  const Certificate* certificate = nullptr;  // ours; needed, copied
  Role role = Role::kClient;
  // What the peer's certificate must match. Empty: not known yet; then everything is held back until SetRemoteFingerprints().
  std::vector<Fingerprint> remote_fingerprints;
  // In order of preference; the server's order decides. Empty: use_srtp is not used.
  std::vector<SrtpProfile> srtp_profiles = DefaultSrtpProfiles();
  // Whether a peer with which none of `srtp_profiles` is shared is a failure; otherwise the association goes on for data alone.
  bool srtp_required = true;
  // The largest datagram of a handshake, bytes of UDP payload; 256 to 4,096, others are taken to the nearer end.
  std::size_t mtu = 1200;
  // The largest Send(), bytes; 512 to 16,384. It sizes a buffer, so it is not larger than what SCTP needs.
  std::size_t max_data_size = 2'048;
  // RFC 6347 section 4.2.4.1: a lost flight comes again after 1 s, then after twice that each time, up to 60 s.
  TimeDelta initial_retransmission = TimeDelta::Seconds(1);
  TimeDelta max_retransmission = TimeDelta::Seconds(60);
  // From Start() until the handshake must be complete. With the values above, OpenSSL's own limit of 12 retransmissions in a row is
  // some 450 s away; whichever is first ends it as `timeout`.
  TimeDelta handshake_timeout = TimeDelta::Seconds(60);
  bool key_log = false;  // whether KeyLogLine events are made
  Randomness randomness = Randomness::kSimulation;
};

// The handshake is complete and the peer's certificate is the one that was signalled.
struct Connected {
  std::optional<SrtpKeys> srtp;  // none: use_srtp was not negotiated
  std::string cipher_suite;      // the IANA name, such as "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
};

// The association is over, with one of these reasons. A fatal alert to the peer, where one was due, is already in PollTransmit().
struct Failed {
  std::string_view reason;
  std::string detail;  // more, in words
};
namespace failure {
// The peer's certificate matches none of the fingerprints (RFC 8122 section 5.1).
inline constexpr std::string_view kFingerprintMismatch = "fingerprint-mismatch";
// The handshake was not complete in time.
inline constexpr std::string_view kTimeout = "timeout";
// No protection profile in common, and srtp_required.
inline constexpr std::string_view kNoSrtpProfile = "no-srtp-profile";
// The peer, as client, did not show a certificate.
inline constexpr std::string_view kNoCertificate = "no-certificate";
// The peer does not speak DTLS 1.2.
inline constexpr std::string_view kVersionMismatch = "version-mismatch";
// No cipher suite, group or signature algorithm in common.
inline constexpr std::string_view kNoSharedCipher = "no-shared-cipher";
// Both sides are clients. (Two servers wait for each other until the timeout.)
inline constexpr std::string_view kRoleConflict = "role-conflict";
// The peer sent a fatal alert, named in the detail, or closed during the handshake ("close notify").
inline constexpr std::string_view kAlertReceived = "alert-received";
// Anything else that the peer did wrong.
inline constexpr std::string_view kProtocolError = "protocol-error";
}  // namespace failure

// One record of application data, whole.
struct DataReceived {
  Bytes payload;
};

// Closed without failure: by Close(), or by the peer's close_notify.
struct Closed {
  bool by_peer = false;
};

// A line for an NSS key log file, without line end: with it Wireshark decrypts this association.
struct KeyLogLine {
  std::string line;
};

using TransportEvent = std::variant<Connected, Failed, DataReceived, Closed, KeyLogLine>;

// The names of the W3C's RTCDtlsTransportState.
enum class TransportState { kNew, kConnecting, kConnected, kClosed, kFailed };
std::string_view ToString(TransportState state);

struct TransportCounters {
  uint64_t datagrams_sent = 0;
  uint64_t datagrams_received = 0;
  uint64_t ignored_datagrams = 0;  // not DTLS, or after the end, or too many before Start()
  uint64_t discarded_records =
      0;                         // application data that was replayed, forged or otherwise dropped
  uint64_t retransmissions = 0;  // flights that our timer sent again
  uint64_t held_back = 0;        // records of application data that waited for the fingerprint
  uint64_t held_back_dropped = 0;  // and those that found no room to wait
};

class Transport {
 public:
  using Config = TransportConfig;
  using Event = TransportEvent;

  // Takes one number from `rng` to seed a stream of its own, so that transports made from one Rng do not disturb each other,
  // whatever they do then.
  Transport(TransportConfig config, Rng& rng);
  ~Transport();
  Transport(Transport&&) noexcept;
  Transport& operator=(Transport&&) noexcept;

  // Begins the handshake: the client sends, the server waits. Datagrams that came before are taken up now. Only the first call counts.
  void Start(Timestamp now);
  // When the description with the fingerprints comes after the transport was made. Once the peer is verified, further calls do
  // nothing: other fingerprints mean another association (RFC 8842 section 4).
  void SetRemoteFingerprints(Timestamp now, std::vector<Fingerprint> fingerprints);
  // One record of application data, 1 to `max_data_size` bytes; it makes one datagram of 37 bytes more (with the GCM suites; with
  // ChaCha20 29). False, and nothing happens, when not connected or of another size.
  bool Send(Timestamp now, ByteView data);
  // Sends close_notify if there is an association, and ends it with Closed.
  void Close(Timestamp now);

  void HandlePacket(Timestamp now, ByteView datagram);
  void HandleTimeout(Timestamp now);
  std::optional<Bytes> PollTransmit();
  std::optional<TransportEvent> PollEvent();
  Timestamp NextTimeout() const;

  TransportState state() const;
  Role role() const;
  const TransportCounters& counters() const;
  // The peer's certificate, DER; empty before it was seen.
  const Bytes& remote_certificate() const;

  struct Impl;  // for this room only

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace rtclab::dtls

#endif  // RTCLAB_STACK_DTLS_TRANSPORT_H_
