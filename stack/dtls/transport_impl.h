// The inside of a transport: the state on the driver's clock (transport.cc) and the calls into OpenSSL (transport_impl.cc). For this
// room only.
#ifndef RTCLAB_STACK_DTLS_TRANSPORT_IMPL_H_
#define RTCLAB_STACK_DTLS_TRANSPORT_IMPL_H_

#include <openssl/ssl.h>

#include <deque>
#include <vector>

#include "stack/dtls/datagram_bio.h"
#include "stack/dtls/library_context.h"
#include "stack/dtls/record.h"
#include "stack/dtls/transport.h"

namespace rtclab::dtls {

struct Transport::Impl {
  // Before Start() and before verification, this many datagrams and records may wait.
  static constexpr std::size_t kMaxEarlyDatagrams = 16;
  static constexpr std::size_t kMaxHeldRecords = 256;

  Impl(TransportConfig transport_config, Rng& seed_source);

  // transport.cc: what happens when.
  void Start(Timestamp now);
  void SetRemoteFingerprints(std::vector<Fingerprint> fingerprints);
  bool Send(ByteView data);
  void Close();
  void HandlePacket(Timestamp now, ByteView datagram);
  void HandleTimeout(Timestamp now);
  Timestamp NextTimeout() const;

  bool Over() const { return state == TransportState::kClosed || state == TransportState::kFailed; }
  void TakeUp(Timestamp now, ByteView datagram);
  void ContinueHandshake(Timestamp now);
  void OnHandshakeComplete();
  void ReportConnected();
  void OnData(Bytes payload);
  void Fail(std::string_view reason, std::string detail);
  void EndAsClosed(bool by_peer);
  void FollowTimer(Timestamp now);
  bool MatchesFingerprints() const;

  // transport_impl.cc: OpenSSL. Each call that may draw randomness opens a scope for it.
  RandomScope Scope() {
    return RandomScope(config.randomness == Randomness::kSystem ? nullptr : &rng);
  }
  void MakeSsl();
  enum class Step { kDone, kWaiting, kClosedByPeer, kBroken };
  Step DoHandshake();
  Step RetransmitFlight();
  // kDone: one record's data is in `out`.
  Step ReadRecordData(std::size_t size_hint, Bytes& out);
  void SendCloseNotify();
  Step Classify(int result);
  void NameError(unsigned long error);
  void TakeRemoteCertificate();
  std::optional<SrtpKeys> ExportSrtpKeys();
  std::string CipherSuite() const;

  // OpenSSL's callbacks.
  static Impl* From(const SSL* ssl);
  static int OnVerify(X509_STORE_CTX* store, void* unused);
  static int OnClientHello(SSL* ssl, int* alert, void* unused);
  static void OnKeyLog(const SSL* ssl, const char* line);

  TransportConfig config;
  Certificate certificate;
  Rng rng;
  DatagramBio bio;
  OpenSslPtr<SSL> ssl;  // after `bio`, whose BIO it owns

  TransportState state = TransportState::kNew;
  bool handshake_complete = false;  // but perhaps not verified
  Timestamp deadline = Timestamp::PlusInfinity();
  Timestamp retransmit_at = Timestamp::PlusInfinity();
  TimeDelta interval;  // of the retransmission timer
  uint64_t seen_timer_starts = 0;
  uint64_t seen_timer_stops = 0;

  std::vector<Bytes> early;  // datagrams that came before Start()
  std::vector<Bytes> held;   // data that waits for the fingerprint
  Bytes remote_der;
  // Why OpenSSL failed, by NameError() or by the callback that made it fail.
  std::string_view broken_reason;
  std::string broken_detail;
  std::deque<TransportEvent> events;
  TransportCounters counters;
};

}  // namespace rtclab::dtls

#endif  // RTCLAB_STACK_DTLS_TRANSPORT_IMPL_H_
