#include "conformance/report/describe_attribute.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "results/report/terminal.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;

constexpr std::size_t kMostText = 128, kMostHex = 48;

std::string Wrong(ByteView value, std::string_view why) {
  return fmt::format("{} (malformed: {})", value.empty() ? "empty" : ShortHex(value), why);
}

std::string AddressValue(ByteView value, const stun::TransactionId* id) {
  const auto address =
      id != nullptr ? stun::ParseXorAddress(value, *id) : stun::ParseAddress(value);
  return address ? address->ToString() : Wrong(value, address.error().reason);
}

// The first four bytes as in ERROR-CODE and ADDRESS-ERROR-CODE: class and number (RFC 8489 section 14.8).
std::string ErrorValue(ByteView value) {
  if (value.size() < 4) return Wrong(value, "shorter than 4 bytes");
  const int code = (value[2] & 7) * 100 + value[3];
  const std::string_view known = stun::ReasonPhrase(code);
  std::string text = fmt::format("{} {}", code, Quoted(AsString(value.subspan(4))));
  if (!known.empty() && AsString(value.subspan(4)) != known) {
    text += fmt::format(" (registry: {})", known);
  }
  if (value[3] > 99 || (value[2] & 7) < 3 || (value[2] & 7) > 6) text += " (not a valid code)";
  return text;
}

std::string FamilyName(uint8_t family) {
  if (family == 1) return "IPv4";
  if (family == 2) return "IPv6";
  return fmt::format("unknown family 0x{:02x}", family);
}

std::string AddressErrorValue(ByteView value) {
  if (value.size() < 4) return Wrong(value, "shorter than 4 bytes");
  return FamilyName(value[0]) + " " + ErrorValue(value);
}

std::string TypesValue(ByteView value) {
  if (value.size() % 2 != 0) return Wrong(value, "an odd number of bytes");
  std::string text;
  for (std::size_t i = 0; i < value.size(); i += 2) {
    if (i > 0) text += ", ";
    text += AttributeName(static_cast<AttributeType>(LoadU16(value.data() + i)));
  }
  return text.empty() ? "none" : text;
}

// PASSWORD-ALGORITHMS and PASSWORD-ALGORITHM: algorithm, length of parameters, parameters padded to 4 (RFC 8489 section 14.11).
std::string AlgorithmsValue(ByteView value) {
  std::string text;
  ByteReader reader(value);
  while (!reader.empty()) {
    const auto algorithm = reader.ReadU16();
    const auto length = reader.ReadU16();
    const auto parameters = length ? reader.ReadBytes(*length) : std::nullopt;
    if (!parameters) return Wrong(value, "an entry does not fit");
    reader.ReadBytes(std::min<std::size_t>((4 - *length % 4) % 4, reader.remaining()));
    if (!text.empty()) text += ", ";
    text += *algorithm == 1   ? "MD5"
            : *algorithm == 2 ? "SHA-256"
                              : fmt::format("unknown 0x{:04x}", *algorithm);
    if (!parameters->empty()) text += " with " + ShortHex(*parameters);
  }
  return text.empty() ? "none" : text;
}

std::string ProtocolValue(uint8_t protocol) {
  if (protocol == 17) return "17 (UDP)";
  if (protocol == 6) return "6 (TCP)";
  return fmt::format("{}", protocol);
}

std::string ChangeRequestValue(uint32_t flags) {
  std::string text = (flags & 4) != 0 ? "change IP" : "";
  if ((flags & 2) != 0) text += text.empty() ? "change port" : " and port";
  if (text.empty()) text = "change nothing";
  if ((flags & ~6u) != 0) text += fmt::format(" (other bits: 0x{:08x})", flags & ~6u);
  return text;
}

std::string IcmpValue(ByteView value) {
  if (value.size() != 8) return Wrong(value, "not 8 bytes");
  return fmt::format("type {}, code {}, data 0x{:08x}", value[2], value[3],
                     LoadU32(value.data() + 4));
}

// How a value reads.
enum class Form : uint8_t {
  kHex,
  kText,
  kAddress,
  kXorAddress,
  kSeconds,
  kNumber32,
  kPort,
  kChannel,
  kFamily,
  kEvenPort,
  kProtocol,
  kFlag,
  kError,
  kAddressError,
  kTypes,
  kAlgorithms,
  kChangeRequest,
  kIcmp,
  kZeros,
};

Form FormOf(AttributeType type) {
  switch (type) {
    case AttributeType::kMappedAddress:
    case AttributeType::kResponseAddress:
    case AttributeType::kSourceAddress:
    case AttributeType::kChangedAddress:
    case AttributeType::kReflectedFrom:
    case AttributeType::kAlternateServer:
    case AttributeType::kResponseOrigin:
    case AttributeType::kOtherAddress:
      return Form::kAddress;
    case AttributeType::kXorMappedAddress:
    case AttributeType::kXorPeerAddress:
    case AttributeType::kXorRelayedAddress:
      return Form::kXorAddress;
    case AttributeType::kUsername:
    case AttributeType::kRealm:
    case AttributeType::kNonce:
    case AttributeType::kSoftware:
    case AttributeType::kAlternateDomain:
    case AttributeType::kThirdPartyAuthorization:
      return Form::kText;
    case AttributeType::kLifetime:
    case AttributeType::kCacheTimeout:
      return Form::kSeconds;
    case AttributeType::kPriority:
    case AttributeType::kConnectionId:
      return Form::kNumber32;
    case AttributeType::kResponsePort:
      return Form::kPort;
    case AttributeType::kChannelNumber:
      return Form::kChannel;
    case AttributeType::kRequestedAddressFamily:
    case AttributeType::kAdditionalAddressFamily:
      return Form::kFamily;
    case AttributeType::kEvenPort:
      return Form::kEvenPort;
    case AttributeType::kRequestedTransport:
      return Form::kProtocol;
    case AttributeType::kDontFragment:
    case AttributeType::kUseCandidate:
      return Form::kFlag;
    case AttributeType::kErrorCode:
      return Form::kError;
    case AttributeType::kAddressErrorCode:
      return Form::kAddressError;
    case AttributeType::kUnknownAttributes:
      return Form::kTypes;
    case AttributeType::kPasswordAlgorithm:
    case AttributeType::kPasswordAlgorithms:
      return Form::kAlgorithms;
    case AttributeType::kChangeRequest:
      return Form::kChangeRequest;
    case AttributeType::kIcmp:
      return Form::kIcmp;
    case AttributeType::kPadding:
      return Form::kZeros;
    default:
      return Form::kHex;
  }
}

// How many bytes a value of that form has; nullopt: not fixed.
std::optional<std::size_t> SizeOf(Form form) {
  switch (form) {
    case Form::kFlag:
      return 0;
    case Form::kEvenPort:
      return 1;
    case Form::kSeconds:
    case Form::kNumber32:
    case Form::kChannel:
    case Form::kFamily:
    case Form::kProtocol:
    case Form::kChangeRequest:
      return 4;
    default:
      return std::nullopt;
  }
}

std::string FixedValue(Form form, ByteView value) {
  switch (form) {
    case Form::kFlag:
      return "set";
    case Form::kEvenPort:
      return (value[0] & 0x80) != 0 ? "reserve the next port" : "reserve nothing";
    case Form::kSeconds:
      return fmt::format("{} s", LoadU32(value.data()));
    case Form::kNumber32:
      return fmt::format("{}", LoadU32(value.data()));
    case Form::kChannel:
      return fmt::format("0x{:04x}", LoadU16(value.data()));
    case Form::kFamily:
      return FamilyName(value[0]);
    case Form::kProtocol:
      return ProtocolValue(value[0]);
    default:
      return ChangeRequestValue(LoadU32(value.data()));
  }
}

std::string VariableValue(Form form, ByteView value, const stun::TransactionId& id) {
  switch (form) {
    case Form::kText:
      return Quoted(AsString(value));
    case Form::kAddress:
      return AddressValue(value, nullptr);
    case Form::kXorAddress:
      return AddressValue(value, &id);
    case Form::kPort:  // 2 bytes, or 4 with reserved ones (RFC 5780 section 7.5 against its figure)
      if (value.size() != 2 && value.size() != 4) return Wrong(value, "neither 2 nor 4 bytes");
      return fmt::format("{}", LoadU16(value.data()));
    case Form::kError:
      return ErrorValue(value);
    case Form::kAddressError:
      return AddressErrorValue(value);
    case Form::kTypes:
      return TypesValue(value);
    case Form::kAlgorithms:
      return AlgorithmsValue(value);
    case Form::kIcmp:
      return IcmpValue(value);
    case Form::kZeros:
      if (std::all_of(value.begin(), value.end(), [](uint8_t b) { return b == 0; })) {
        return fmt::format("{} bytes of zero", value.size());
      }
      return fmt::format("{} bytes: {}", value.size(), ShortHex(value));
    default:
      return value.empty() ? "empty" : ShortHex(value);
  }
}

}  // namespace

std::string AttributeName(AttributeType type) {
  const std::string_view name = stun::ToString(type);
  if (name != "unknown") return std::string(name);
  return fmt::format("0x{:04x} (unknown, comprehension-{})", static_cast<uint16_t>(type),
                     stun::IsComprehensionRequired(type) ? "required" : "optional");
}

std::string DescribeValue(AttributeType type, ByteView value, const stun::TransactionId& id) {
  const Form form = FormOf(type);
  const auto size = SizeOf(form);
  if (!size) return VariableValue(form, value, id);
  if (value.size() == *size) return FixedValue(form, value);
  return Wrong(value, fmt::format("{} bytes, not {}", value.size(), *size));
}

std::string Quoted(std::string_view text) {
  const bool cut = text.size() > kMostText;
  return '"' + results::Printable(text.substr(0, kMostText)) + '"' +
         (cut ? fmt::format(" and {} bytes more", text.size() - kMostText) : "");
}

std::string ShortHex(ByteView bytes) {
  if (bytes.size() <= kMostHex) return ToHex(bytes);
  return fmt::format("{}... ({} bytes)", ToHex(bytes.first(kMostHex)), bytes.size());
}

}  // namespace rtclab::conformance
