// One TLS or DTLS association over OpenSSL, sans-socket: bytes of the network and of the application go in and out. The one thing that
// is not pushed in is the time of DTLS retransmissions: OpenSSL reads the real clock for them.
#ifndef RTCLAB_CONFORMANCE_SOCKET_SECURE_STREAM_H_
#define RTCLAB_CONFORMANCE_SOCKET_SECURE_STREAM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/base/ip_address.h"
#include "stack/base/units.h"

namespace rtclab::conformance {

enum class SecureProtocol : uint8_t { kTls, kDtls };
// Of TLS; DTLS 1.0 goes by k11 (RFC 4347 is TLS 1.1's) or k10, DTLS 1.2 by k12. There is no DTLS 1.3 in OpenSSL 3.0: k13 means 1.2 there.
enum class SecureVersion : uint8_t { k10, k11, k12, k13 };

// What a client offers and asks for.
struct SecureOptions {
  std::string ca_file;  // PEM file of trust anchors; empty: the system's store
  bool insecure =
      false;  // goes on with any certificate; SecureInfo::verify_error says what is wrong with it
  // ALPN protocols offered (RFC 7301), the preferred one first: "stun.turn", "stun.nat-discovery" (RFC 7443). Empty: no extension.
  std::vector<std::string> alpn;
  // Below k12 OpenSSL's security level is lowered as well, which those versions' SHA-1 needs.
  SecureVersion min_version = SecureVersion::k12;
  SecureVersion max_version = SecureVersion::k13;
  // OpenSSL's names, colon-separated, for TLS up to 1.2 ("ECDHE-RSA-AES128-GCM-SHA256"); empty: OpenSSL's default list.
  std::string cipher_list;
  // The same for TLS 1.3 ("TLS_AES_128_GCM_SHA256"); empty: OpenSSL's default list.
  std::string cipher_suites;
  // DTLS: how long the first flight waits before it is sent again; doubled each time (RFC 6347 section 4.2.4.1).
  TimeDelta retransmit_after = TimeDelta::Seconds(1);
};

// A certificate with its chain and private key: what a server shows. A value; copies share it. Threads may share it.
class ServerIdentity {
 public:
  enum class Key : uint8_t { kEcdsa, kRsa };  // P-256; 2048 bits

  // Reads PEM files (the certificate first, then its chain). Fails with the file's name and why.
  static Result<ServerIdentity> Load(const std::string& certificate_file,
                                     const std::string& key_file);
  // Makes a self-signed one, valid from a day ago for 90 days. `names` are its subjectAltNames: DNS names and IP addresses; the first is
  // the common name. kRsa takes some 50 ms.
  static ServerIdentity SelfSigned(Key key, const std::vector<std::string>& names);

  // The certificate, PEM: what a client may take as its `ca_file` when it is self-signed.
  std::string CertificatePem() const;
  std::string PrivateKeyPem() const;

  struct Native;
  const Native& native() const { return *native_; }

 private:
  explicit ServerIdentity(std::shared_ptr<const Native> native) : native_(std::move(native)) {}
  std::shared_ptr<const Native> native_;
};

struct SecureServerOptions {
  // One, or an ECDSA and an RSA one: the client's cipher suites decide. Must not be empty.
  std::vector<ServerIdentity> identities;
  // What may be selected, the preferred one first. A client that offers ALPN without any of these is refused with no_application_protocol
  // (RFC 7301 section 3.2); one that offers none is served without.
  std::vector<std::string> alpn = {"stun.turn", "stun.nat-discovery"};
  SecureVersion min_version = SecureVersion::k12;  // RFC 8489 section 6.2.3
  SecureVersion max_version = SecureVersion::k13;
  // OpenSSL's names; empty: those of RFC 8489 section 6.2.3 and their stronger siblings, forward secret and AEAD all of them.
  std::string cipher_list;
  TimeDelta retransmit_after = TimeDelta::Seconds(1);  // as for the client
};

// What many associations share. A value; copies share it. Threads may share it.
class SecureContext {
 public:
  // Fails with the reason: no such CA file, an unknown cipher.
  static Result<SecureContext> Client(SecureProtocol protocol, const SecureOptions& options);
  static Result<SecureContext> Server(SecureProtocol protocol, const SecureServerOptions& options);

  SecureProtocol protocol() const;
  bool is_server() const;

  struct Native;
  const Native& native() const { return *native_; }

 private:
  explicit SecureContext(std::shared_ptr<const Native> native) : native_(std::move(native)) {}
  std::shared_ptr<const Native> native_;
};

// What is known of an association; filled as the handshake goes, complete when it is open.
struct SecureInfo {
  struct Certificate {
    std::string subject;  // one line: "CN = turn.example.org"
    std::string issuer;
    std::vector<std::string> names;  // subjectAltNames: "DNS:turn.example.org", "IP:192.0.2.1"
    std::string key;                 // "RSA 2048", "P-256"
    std::string not_after;           // "2026-11-22T17:00:00Z"
  };

  std::string version;  // "TLSv1.2", "TLSv1.3", "DTLSv1.2"
  std::string cipher;   // the registry's name: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
  std::string
      key_exchange;  // the ephemeral key: "X25519", "P-256", "DH 2048"; empty: none, so not forward secret
  std::string compression = "none";
  std::string alpn;                 // what was selected; empty: none
  std::optional<Certificate> peer;  // the peer's certificate
  std::string verify_error;         // in words; empty: the certificate and its name hold
  bool hello_verify_request =
      false;  // DTLS client: the server asked for a cookie first (RFC 6347 section 4.2.1)
  std::optional<uint8_t>
      alert;  // the fatal alert received (RFC 8446 section 6), also close_notify (0)
};

// One association. After any call take what PollTransmit() and PollReceived() have until both are empty.
class SecureStream {
 public:
  enum class State : uint8_t { kHandshaking, kOpen, kClosed, kFailed };

  // A client; its first flight is there at once. `server_name` is whom the certificate must name: a DNS name (also sent as SNI) or an IP
  // address as text (no SNI: RFC 6066 section 3).
  static SecureStream Client(const SecureContext& context, std::string_view server_name);
  // A server that waits for the client's first bytes. DTLS: without a cookie exchange; DtlsListener has it.
  static SecureStream Server(const SecureContext& context);

  SecureStream(SecureStream&&) noexcept;
  SecureStream& operator=(SecureStream&&) noexcept;
  ~SecureStream();

  // What the network brought: any piece of the stream (TLS), or one datagram (DTLS).
  void HandleBytes(ByteView bytes);
  // TLS: the transport has ended. Without a close_notify before, reason() says so.
  void HandleEnd();
  // Application data: a piece of the stream (TLS), or one record (DTLS, at most 16,384 bytes and best below mtu). Kept until the handshake
  // is over. Fails once the association is closed or has failed, and for records too long.
  Result<void> Send(ByteView bytes);
  // Says goodbye with close_notify; nothing can be sent after it. What the peer still sends is received until its own close_notify or
  // HandleEnd(). During the handshake it ends the association.
  void Close();

  // What to send: some bytes of the stream (TLS), or one datagram (DTLS).
  std::optional<Bytes> PollTransmit();
  // What was received: some bytes of the stream (TLS), or one record (DTLS).
  std::optional<Bytes> PollReceived();

  // When HandleTimeout() is wanted, on RealNow()'s clock: DTLS retransmissions. PlusInfinity(): never.
  Timestamp NextTimeout() const;
  // Early calls do nothing.
  void HandleTimeout();

  State state() const;
  // Why it is closed or has failed, in words: "close_notify", "closed without close_notify", "closed here", "alert received: unknown CA",
  // "the certificate is not for a.example, it names DNS:b.example", "self-signed certificate", "no TLS: wrong version number".
  const std::string& reason() const;
  const SecureInfo& info() const;

  // The largest UDP payload that a DTLS handshake makes; the next flight keeps it. Default 1,200.
  void SetMtu(int bytes);

  struct Impl;  // for this folder only

 private:
  friend class DtlsListener;
  explicit SecureStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The first exchange of a DTLS server, stateless (RFC 6347 section 4.2.1): until a client has returned a cookie made of its address, each of
// its hellos costs one small datagram and nothing is kept.
class DtlsListener {
 public:
  // `context`: of a DTLS server.
  explicit DtlsListener(const SecureContext& context);
  ~DtlsListener();
  DtlsListener(const DtlsListener&) = delete;
  DtlsListener& operator=(const DtlsListener&) = delete;

  struct Answer {
    std::optional<Bytes> transmit;  // a HelloVerifyRequest to send back
    std::optional<SecureStream>
        accepted;  // the cookie holds: the association, which has handled the datagram
  };
  // A datagram from an address that has no association. Anything but a ClientHello makes nothing.
  Answer HandleDatagram(const TransportAddress& from, ByteView datagram);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// "TLS" or "DTLS".
std::string_view ToString(SecureProtocol protocol);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_SECURE_STREAM_H_
