// The State Cookie (RFC 9260 sections 5.1.3 to 5.1.5): what an association needs to come into being, with a
// MAC, so that answering an INIT leaves nothing behind.
#ifndef RTCLAB_STACK_SCTP_COOKIE_H_
#define RTCLAB_STACK_SCTP_COOKIE_H_

#include <cstdint>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/crypto/digest.h"

namespace rtclab::sctp {

// The extensions that both sides have.
struct Features {
  bool partial_reliability = false;
  bool interleaving = false;
  bool reconfig = false;
  bool zero_checksum = false;  // the peer takes packets without a checksum
  bool operator==(const Features&) const = default;
};

struct StateCookie {
  Timestamp created;
  TimeDelta lifetime;  // the Valid.Cookie.Life when it was made
  uint32_t local_tag = 0;
  uint32_t peer_tag = 0;
  uint32_t local_tie_tag = 0;  // section 5.2.2; 0: no association was there
  uint32_t peer_tie_tag = 0;
  uint32_t local_initial_tsn = 0;
  uint32_t peer_initial_tsn = 0;
  uint32_t peer_window = 0;
  uint16_t outbound_streams = 0;  // agreed
  uint16_t inbound_streams = 0;
  uint16_t local_port = 0;
  uint16_t peer_port = 0;
  Features features;
  bool operator==(const StateCookie&) const = default;
};

class CookieJar {
 public:
  // The key is drawn from `rng`.
  explicit CookieJar(Rng& rng);
  Bytes Seal(const StateCookie& cookie) const;
  // Nothing for a cookie that this jar did not seal.
  std::optional<StateCookie> Open(ByteView sealed) const;

 private:
  crypto::HmacSha256 mac_;
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_COOKIE_H_
