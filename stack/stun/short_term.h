// The short-term credential mechanism, both sides (RFC 8489 section 9.1): what ICE's connectivity checks use.
#ifndef RTCLAB_STACK_STUN_SHORT_TERM_H_
#define RTCLAB_STACK_STUN_SHORT_TERM_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "stack/stun/message.h"
#include "stack/stun/message_builder.h"

namespace rtclab::stun {

// Who sent a message, and how to protect the response.
struct ShortTermPeer {
  std::string_view username;  // into the message
  IntegrityKey key;
  bool sha256 = false;  // the response has MESSAGE-INTEGRITY-SHA256 instead of MESSAGE-INTEGRITY
};

// The key of a username currently valid, nullopt for any other.
using ShortTermLookup = std::function<std::optional<IntegrityKey>(std::string_view username)>;

// The checks of section 9.1.3 in their order. The error is the code of the error response to a request, 400 or 401, which carries no
// integrity and no USERNAME; an indication is dropped instead.
tl::expected<ShortTermPeer, int> CheckShortTerm(const MessageView& message,
                                                const ShortTermLookup& lookup);

// Ends `response` with the integrity attribute that the request used. Only a FINGERPRINT may be added afterwards.
void ProtectShortTerm(MessageBuilder& response, const ShortTermPeer& peer);

// The client's side towards one server (one transport address).
class ShortTermClient {
 public:
  enum class Algorithm { kSha1, kSha256 };
  enum class Verdict {
    kAccept,
    kDiscard,             // as if never received
    kIntegrityViolation,  // as LongTermClient::Verdict::kIntegrityViolation
  };

  // `agreed`: the algorithm that both are known to support. Without it the first requests carry both attributes, and what the
  // server answers with decides for the later ones (sections 9.1.2 and 9.1.5).
  ShortTermClient(const std::string& username, std::string_view password,
                  std::optional<Algorithm> agreed = std::nullopt);

  // Adds USERNAME and integrity. Only a FINGERPRINT may be added afterwards.
  void Sign(MessageBuilder& message) const;
  // Section 9.1.4, for any response to a signed request.
  Verdict HandleResponse(const MessageView& response);

  std::optional<Algorithm> algorithm() const { return algorithm_; }

 private:
  std::string username_;
  IntegrityKey key_;
  std::optional<Algorithm> algorithm_;
};

}  // namespace rtclab::stun

#endif  // RTCLAB_STACK_STUN_SHORT_TERM_H_
