// Requests as cases write them, and what comes back. A request is a list of attributes in the order they were added, with a way of
// signing; nothing is checked, so that wrong ones can be written too. Raw bytes go through Client::SendRaw().
#ifndef RTCLAB_CONFORMANCE_ENGINE_MESSAGE_H_
#define RTCLAB_CONFORMANCE_ENGINE_MESSAGE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conformance/engine/target.h"
#include "stack/base/bytes.h"
#include "stack/stun/message.h"

namespace rtclab::conformance {

// How a request is authenticated, and what is to be wrong about it. The default signs as RFC 8489 section 9.2.3 has it with the
// realm, nonce and algorithms of the client's last challenge, and not at all before one (unless realm, nonce or key are given).
struct Signing {
  enum class Kind : uint8_t { kLongTerm, kNone, kShortTerm };
  Kind kind = Kind::kLongTerm;
  std::optional<Credentials> credentials{};  // none: the client's
  // Sent, and used for the key, in place of the challenge's.
  std::optional<std::string> realm{};
  std::optional<std::string> nonce{};
  std::optional<stun::PasswordAlgorithm>
      algorithm{};  // adds PASSWORD-ALGORITHM(S); needs a challenge that offers them
  std::optional<bool>
      sha256{};  // MESSAGE-INTEGRITY-SHA256 (true) or MESSAGE-INTEGRITY (false); both: `both_integrities`
  bool both_integrities = false;
  bool userhash = false;  // USERHASH in place of USERNAME
  std::optional<Bytes> raw_userhash{};
  // Left out.
  bool omit_username = false, omit_realm = false, omit_nonce = false, omit_integrity = false;
  // PASSWORD-ALGORITHM and PASSWORD-ALGORITHMS.
  bool omit_algorithm = false, omit_algorithms = false;
  std::optional<Bytes> raw_algorithm{}, raw_algorithms{};  // values in place of the proper ones
  bool corrupt_integrity = false;                          // one bit of MESSAGE-INTEGRITY flipped
  bool corrupt_integrity_sha256 = false;
  std::size_t sha256_length = 32;
  std::optional<Bytes> key{};  // the HMAC key itself (RFC 7635's mac_key)
  // Attributes behind the integrity attribute.
  std::vector<std::pair<uint16_t, Bytes>> trailing{};
  bool fingerprint = false;
  bool corrupt_fingerprint = false;
};

class Request {
 public:
  explicit Request(stun::Method method,
                   stun::MessageClass message_class = stun::MessageClass::kRequest);

  // Attributes by their RFC's names, in the order added. XOR addresses are XORed when the bytes are made.
  Request& RequestedTransport(uint8_t protocol = 17);
  Request& Lifetime(uint32_t seconds);
  Request& PeerAddress(const TransportAddress& peer);  // XOR-PEER-ADDRESS
  Request& ChannelNumber(uint16_t number);
  Request& Data(ByteView data);
  Request& EvenPort(bool reserve_next);
  Request& ReservationToken(uint64_t token);
  Request& RequestedFamily(uint8_t family);  // 0x01 IPv4, 0x02 IPv6
  Request& AdditionalFamily(uint8_t family);
  Request& DontFragment();
  Request& ConnectionId(uint32_t id);
  Request& MobilityTicket(ByteView ticket);
  Request& ChangeRequest(bool change_ip, bool change_port);
  Request& ResponsePort(uint16_t port);
  Request& Padding(std::size_t size);
  Request& Software(std::string_view text);
  // Any attribute with any value; padded with zeros, or with `padding_byte`.
  Request& Attribute(uint16_t type, ByteView value, uint8_t padding_byte = 0);
  Request& Attribute(stun::AttributeType type, ByteView value) {
    return Attribute(static_cast<uint16_t>(type), value);
  }
  Request& Sign(Signing signing);
  Request& Unsigned() { return Sign({.kind = Signing::Kind::kNone}); }
  // Same transaction id each time it is sent; else every call draws a new one.
  Request& TransactionId(const stun::TransactionId& id);

  stun::Method method() const { return method_; }
  stun::MessageClass message_class() const { return class_; }
  const std::optional<Signing>& signing() const { return signing_; }
  const std::optional<stun::TransactionId>& transaction_id() const { return id_; }
  struct Item {
    uint16_t type = 0;
    Bytes value{};
    uint8_t padding = 0;
    std::optional<TransportAddress> xor_address{};
  };
  const std::vector<Item>& items() const { return items_; }

 private:
  stun::Method method_;
  stun::MessageClass class_;
  std::vector<Item> items_;
  std::optional<Signing> signing_;  // none: the default
  std::optional<stun::TransactionId> id_;
};

// What the server answered, or that it did not.
class Response {
 public:
  Response() = default;  // no answer
  Response(Bytes bytes, const TransportAddress& from);

  bool received() const { return view_.has_value(); }
  explicit operator bool() const { return received(); }
  // 0: success; the ERROR-CODE of an error response; -1: no answer; -2: an error response without a proper ERROR-CODE.
  int code() const;
  bool success() const { return code() == 0; }
  const Bytes& bytes() const { return bytes_; }
  const TransportAddress& from() const { return from_; }
  const stun::MessageView& view() const { return *view_; }  // received() only

  bool Has(stun::AttributeType type) const;
  // The whole ERROR-CODE, attribute texts etc. through view(). "401 Unauthenticated", "success", "no answer".
  std::string Describe() const;

 private:
  Bytes bytes_;
  TransportAddress from_;
  std::optional<stun::MessageView> view_;  // into bytes_: copies and moves keep it valid (see .cc)

 public:
  Response(const Response& other);
  Response(Response&& other) noexcept;
  Response& operator=(Response other) noexcept;
  ~Response() = default;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_MESSAGE_H_
