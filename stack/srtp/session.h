// SRTP and SRTCP (RFC 3711, RFC 7714) in one direction, with the keys that DTLS-SRTP made (RFC 5764). libsrtp does the work.
//
//   auto sender = Session::Create(7, keys.local_key, keys.local_salt, Direction::kSend);
//   sender->Protect(packet);     // an RTP packet becomes an SRTP packet, in place
#ifndef RTCLAB_STACK_SRTP_SESSION_H_
#define RTCLAB_STACK_SRTP_SESSION_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/error.h"

struct srtp_ctx_t_;

namespace rtclab::srtp {

// What an Error's reason is.
namespace reason {
// The tag does not fit: another key, a forgery, a packet damaged on the way.
inline constexpr std::string_view kAuthFail = "auth-fail";
// A packet with this index was seen before (RFC 3711 section 3.3.2).
inline constexpr std::string_view kReplay = "replay";
// The index lies before the replay window.
inline constexpr std::string_view kReplayOld = "replay-old";
// Not a packet: too short, another version, extensions or CSRCs beyond its end.
inline constexpr std::string_view kMalformed = "malformed";
// The key has protected as many packets as it may: 2^48 of SRTP, 2^31 of SRTCP (RFC 3711 section 9.2).
inline constexpr std::string_view kKeyExpired = "key-expired";
// Create(): an unknown profile, or a key or salt of another length.
inline constexpr std::string_view kBadKey = "bad-key";
// Anything else that libsrtp says.
inline constexpr std::string_view kInternal = "internal";
}  // namespace reason

// Sending protects, receiving unprotects; the other pair of functions is not to be called.
enum class Direction { kSend, kReceive };

struct SessionOptions {
  // Packets that replay protection remembers; 64 (RFC 3711 section 3.3.2's least) to 32,767.
  std::size_t replay_window = 1'024;
  // Identifiers of the header extensions that are encrypted (RFC 6904), as the receiver of the packets has numbered them.
  std::vector<uint8_t> encrypted_extensions;
  // Whether a packet may be protected again with the same sequence number: what answers a NACK where there is no RTX stream
  // (RFC 4585 section 6.2.1). The packet must then be the same, or its key stream is given away.
  bool allow_repeated_sending = true;
};

// Any number of SSRCs; each has its own rollover counter and replay window. Packets of an SSRC not seen before begin with rollover
// counter 0.
class Session {
 public:
  // Protecting makes a packet longer by at most this many bytes. A buffer with that much capacity beyond the packet is not moved.
  static constexpr std::size_t kMaxOverhead = 20;

  // `profile` is a number of IANA's DTLS-SRTP protection profiles: 0x0001 AES128_CM_SHA1_80 (key 16 bytes, salt 14),
  // 0x0007 AEAD_AES_128_GCM (16, 12), 0x0008 AEAD_AES_256_GCM (32, 12). Fails as kBadKey.
  static Result<Session> Create(uint16_t profile, ByteView key, ByteView salt, Direction direction,
                                const SessionOptions& options = {});

  Session(Session&& other) noexcept;
  Session& operator=(Session&& other) noexcept;
  ~Session();

  // Other extensions are encrypted from now on. Rollover counters go on; replays of packets from before the highest one of each SSRC
  // are not noticed for RTP until the window is full again.
  void SetEncryptedExtensions(std::vector<uint8_t> identifiers);

  // In place. On failure the packet's content is not defined any more.
  Result<void> Protect(Bytes& rtp);
  Result<void> ProtectRtcp(Bytes& rtcp);
  Result<void> Unprotect(Bytes& srtp);
  Result<void> UnprotectRtcp(Bytes& srtcp);

  // How many bytes Protect() and ProtectRtcp() add: tag; tag and index.
  std::size_t rtp_overhead() const { return tag_length_; }
  std::size_t rtcp_overhead() const { return tag_length_ + 4; }

 private:
  struct Keys {
    uint16_t profile = 0;
    Bytes key_and_salt;
  };
  Session(srtp_ctx_t_* context, Direction direction, std::size_t tag_length, Keys keys,
          SessionOptions options)
      : context_(context),
        direction_(direction),
        tag_length_(tag_length),
        keys_(std::move(keys)),
        options_(std::move(options)) {}

  srtp_ctx_t_* context_;
  Direction direction_;
  std::size_t tag_length_;
  Keys keys_;  // for SetEncryptedExtensions()
  SessionOptions options_;
};

}  // namespace rtclab::srtp

#endif  // RTCLAB_STACK_SRTP_SESSION_H_
