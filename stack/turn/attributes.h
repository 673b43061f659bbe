// The values of TURN's own attributes (RFC 8656 section 18) that are more than a number, an address or a string.
#ifndef RTCLAB_STACK_TURN_ATTRIBUTES_H_
#define RTCLAB_STACK_TURN_ATTRIBUTES_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "stack/base/error.h"
#include "stack/base/ip_address.h"
#include "stack/stun/message.h"
#include "stack/stun/message_builder.h"

namespace rtclab::turn {

inline constexpr uint8_t kProtocolUdp = 17;  // RFC 8656 section 18.8
inline constexpr uint8_t kProtocolTcp = 6;   // RFC 6062 section 4.1

// The getters give nullopt when the attribute is absent or malformed; MessageView::Has() tells which. Reserved bits are
// ignored when read and zero when written, as every figure of section 18 demands.

// CHANNEL-NUMBER, section 18.1: any 16-bit number; whether it can be bound is for the caller.
std::optional<uint16_t> GetChannelNumber(const stun::MessageView& message);
void AddChannelNumber(stun::MessageBuilder& builder, uint16_t number);

// REQUESTED-ADDRESS-FAMILY and ADDITIONAL-ADDRESS-FAMILY, sections 18.6 and 18.11. An unknown family gives kNone.
std::optional<AddressFamily> GetFamily(const stun::MessageView& message, stun::AttributeType type);
void AddFamily(stun::MessageBuilder& builder, stun::AttributeType type, AddressFamily family);

// EVEN-PORT, section 18.7: the R bit.
std::optional<bool> GetEvenPort(const stun::MessageView& message);
void AddEvenPort(stun::MessageBuilder& builder, bool reserve_next);

// REQUESTED-TRANSPORT, section 18.8: an IP protocol number.
std::optional<uint8_t> GetRequestedTransport(const stun::MessageView& message);
void AddRequestedTransport(stun::MessageBuilder& builder, uint8_t protocol);

// ADDRESS-ERROR-CODE, section 18.12.
struct AddressError {
  AddressFamily family = AddressFamily::kNone;
  int code = 0;
  std::string_view reason;
};
std::optional<AddressError> GetAddressError(const stun::MessageView& message);
void AddAddressError(stun::MessageBuilder& builder, AddressFamily family, int code);

// ICMP, section 18.13.
struct IcmpReport {
  uint8_t type = 0;
  uint8_t code = 0;
  uint32_t error_data = 0;

  bool operator==(const IcmpReport&) const = default;
};
std::optional<IcmpReport> GetIcmp(const stun::MessageView& message);
void AddIcmp(stun::MessageBuilder& builder, const IcmpReport& icmp);

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_ATTRIBUTES_H_
