// Faults of error responses: another code for each rule, attributes that are missing.
#include "conformance/mutation/fault.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using stun::Method;

// Instead of `kFrom` in responses to `kMethod`: `kTo`.
template <int kFrom, int kTo, Method kMethod>
bool AnotherCode(Passing& p) {
  if (p.message.method == kMethod && p.message.ErrorCode() == kFrom) p.message.SetErrorCode(kTo);
  return true;
}

template <int kFrom, int kTo>
bool AnotherCodeForAll(Passing& p) {
  if (p.message.ErrorCode() == kFrom) p.message.SetErrorCode(kTo);
  return true;
}

void AddCodeFaults(std::vector<Fault>& faults) {
  const auto add = [&](std::string_view id, std::string_view what, std::string_view rfc,
                       std::string_view section, std::vector<std::string_view> killers,
                       bool (*change)(Passing&)) {
    faults.push_back({.id = id,
                      .what = what,
                      .rfc = rfc,
                      .section = section,
                      .killers = std::move(killers),
                      .response = change});
  };
  add("code-401", "challenges with 400 instead of 401", "8489", "9.2.4", {"stun.lt.no-mi-401"},
      AnotherCodeForAll<401, 400>);
  add("code-438", "answers stale nonces with 401 instead of 438", "8489", "9.2.4",
      {"stun.lt.stale"}, AnotherCodeForAll<438, 401>);
  add("code-420", "answers unknown attributes with 400 instead of 420", "8489", "6.3.1",
      {"stun.req.unknown-required"}, AnotherCodeForAll<420, 400>);
  add("code-437-allocate", "answers a second Allocate with 400 instead of 437", "8656", "7.2",
      {"turn.alloc.existing"}, AnotherCode<437, 400, Method::kAllocate>);
  add("code-437-refresh", "answers Refresh without an allocation with 400 instead of 437", "8656",
      "5", {"turn.gen.437-refresh"}, AnotherCode<437, 400, Method::kRefresh>);
  add("code-437-permission",
      "answers CreatePermission without an allocation with 400 instead of 437", "8656", "5",
      {"turn.gen.437-createpermission"}, AnotherCode<437, 400, Method::kCreatePermission>);
  add("code-437-channel", "answers ChannelBind without an allocation with 400 instead of 437",
      "8656", "5", {"turn.gen.437-channelbind"}, AnotherCode<437, 400, Method::kChannelBind>);
  add("code-441", "answers another user's credentials with 403 instead of 441", "8656", "5",
      {"turn.gen.441-refresh", "turn.gen.441-createpermission"}, AnotherCodeForAll<441, 403>);
  add("code-442", "answers an unsupported transport with 400 instead of 442", "8656", "7.2",
      {"turn.alloc.rt-unsupported"}, AnotherCodeForAll<442, 400>);
  add("code-443", "answers a peer of another family with 400 instead of 443", "8656", "10.2",
      {"turn.cp.family"}, AnotherCodeForAll<443, 400>);
  add("code-403-permission", "answers a denied peer with 400 instead of 403", "8656", "10.2",
      {"turn.cp.forbidden"}, AnotherCode<403, 400, Method::kCreatePermission>);
  add("code-403-channel", "answers ChannelBind to a denied peer with 400 instead of 403", "8656",
      "12.2", {"turn.chan.forbidden"}, AnotherCode<403, 400, Method::kChannelBind>);
  add("code-508", "answers an unknown token with 400 instead of 508", "8656", "7.2",
      {"turn.alloc.token-invalid"}, AnotherCodeForAll<508, 400>);
  add("code-400-transport", "answers a missing REQUESTED-TRANSPORT with 500 instead of 400", "8656",
      "7.2", {"turn.alloc.rt-missing"}, AnotherCode<400, 500, Method::kAllocate>);
  add("code-400-channel", "answers channel numbers out of range with 500 instead of 400", "8656",
      "12.2", {"turn.chan.range-low"}, AnotherCode<400, 500, Method::kChannelBind>);
  add("code-446", "answers a second Connect to a peer with 400 instead of 446", "6062", "5.2",
      {"tcp.connect.exists"}, AnotherCodeForAll<446, 400>);
  add("code-447", "answers a refused connection with 500 instead of 447", "6062", "5.2",
      {"tcp.connect.refused"}, AnotherCodeForAll<447, 500>);
  add("code-class-7", "sends error codes of class 7", "8489", "14.8", {"stun.err.class-range"},
      AnotherCodeForAll<401, 701>);
}

void AddMissingFaults(std::vector<Fault>& faults) {
  faults.push_back({.id = "error-code-missing",
                    .what = "sends error responses without ERROR-CODE",
                    .rfc = "8489",
                    .section = "6.3.1.1",
                    .killers = {"stun.err.error-code"},
                    .response = [](Passing& p) {
                      p.message.Remove(AttributeType::kErrorCode);
                      return true;
                    }});
  faults.push_back({.id = "error-code-reserved-bits",
                    .what = "sets reserved bits of ERROR-CODE",
                    .rfc = "8489",
                    .section = "14.8",
                    .killers = {"stun.err.reserved-zero"},
                    .response = [](Passing& p) {
                      if (auto* code = p.message.Find(AttributeType::kErrorCode))
                        code->value[0] = 0xff;
                      return true;
                    }});
  faults.push_back({.id = "unknown-attributes-missing",
                    .what = "sends a 420 without UNKNOWN-ATTRIBUTES",
                    .rfc = "8489",
                    .section = "6.3.1.1",
                    .killers = {"stun.req.unknown-required-list"},
                    .response = [](Passing& p) {
                      p.message.Remove(AttributeType::kUnknownAttributes);
                      return true;
                    }});
  faults.push_back({.id = "unknown-attributes-elsewhere",
                    .what = "sends UNKNOWN-ATTRIBUTES with every error",
                    .rfc = "8489",
                    .section = "14.13",
                    .killers = {"stun.err.unknown-only-420"},
                    .response = [](Passing& p) {
                      if (p.message.ErrorCode() != 0 && p.message.ErrorCode() != 420)
                        p.message.Set(AttributeType::kUnknownAttributes, {0x7f, 0x01});
                      return true;
                    }});
  faults.push_back({.id = "unknown-required-accepted",
                    .what = "ignores unknown comprehension-required attributes",
                    .rfc = "8489",
                    .section = "6.3.1",
                    .killers = {"stun.req.unknown-required-methods"},
                    .quirk = &turn::ServerQuirks::unknown_attributes_accepted});
  faults.push_back({.id = "unknown-optional-refused",
                    .what = "answers unknown comprehension-optional attributes with 420",
                    .rfc = "8489",
                    .section = "6.3",
                    .killers = {"stun.req.unknown-optional"},
                    .response = [](Passing& p) {
                      if (p.request == nullptr || !p.message.IsResponse()) return true;
                      for (const StunEdit::Attribute& attribute : p.request->attributes) {
                        if (stun::IsComprehensionRequired(attribute.type) ||
                            stun::ToString(attribute.type) != "unknown") {
                          continue;
                        }
                        p.message.MakeError(420);
                        p.message.Set(AttributeType::kUnknownAttributes, Bytes(2));
                        StoreU16(p.message.attributes.back().value.data(),
                                 static_cast<uint16_t>(attribute.type));
                        return true;
                      }
                      return true;
                    }});
  faults.push_back({.id = "realm-missing",
                    .what = "sends a challenge without REALM",
                    .rfc = "8489",
                    .section = "9.2.4",
                    .killers = {"stun.lt.no-mi-401"},
                    .response = [](Passing& p) {
                      p.message.Remove(AttributeType::kRealm);
                      return true;
                    }});
  faults.push_back({.id = "nonce-missing",
                    .what = "sends a challenge without NONCE",
                    .rfc = "8489",
                    .section = "9.2.4",
                    .killers = {"stun.lt.no-mi-401"},
                    .response = [](Passing& p) {
                      p.message.Remove(AttributeType::kNonce);
                      return true;
                    }});
  faults.push_back({.id = "stale-without-nonce",
                    .what = "sends a 438 without a new NONCE",
                    .rfc = "8489",
                    .section = "9.2.4",
                    .killers = {"stun.lt.stale"},
                    .response = [](Passing& p) {
                      if (p.message.ErrorCode() == 438) p.message.Remove(AttributeType::kNonce);
                      return true;
                    }});
  faults.push_back({.id = "stale-repeats-nonce",
                    .what = "repeats the stale nonce in the 438",
                    .rfc = "8489",
                    .section = "9.2.4",
                    .killers = {"stun.lt.stale-new-nonce-valid"},
                    .response = [](Passing& p) {
                      if (p.message.ErrorCode() != 438 || p.request == nullptr) return true;
                      if (const auto* nonce = p.request->Find(AttributeType::kNonce))
                        p.message.Set(AttributeType::kNonce, nonce->value);
                      return true;
                    }});
}

}  // namespace

void AddErrorFaults(std::vector<Fault>& faults) {
  AddCodeFaults(faults);
  AddMissingFaults(faults);
}

}  // namespace rtclab::conformance
