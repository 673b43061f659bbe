// Faults that make a server unsafe to expose: peers that it must not relay to, amplification, leaks. The clauses are the sources of the
// rules.
#include "conformance/mutation/fault.h"
#include "conformance/server/credentials.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using turn::ServerQuirks;

void AddPolicyFaults(std::vector<Fault>& faults) {
  const auto add = [&](std::string_view id, std::string_view what, std::string_view rfc,
                       std::string_view section, std::vector<std::string_view> killers,
                       bool ServerQuirks::*quirk) {
    faults.push_back({.id = id,
                      .what = what,
                      .rfc = rfc,
                      .section = section,
                      .killers = std::move(killers),
                      .quirk = quirk});
  };
  constexpr std::string_view kLists = "RFC 8656 section 21.2.2";
  add("permission-policy-unchecked", "gives permissions for private, multicast and other peers",
      kLists, "", {"sec.relay.multicast", "sec.relay.linklocal"},
      &ServerQuirks::permission_policy_unchecked);
  add("channel-policy-unchecked", "binds channels to private, multicast and other peers", kLists,
      "", {"sec.relay.multicast", "sec.relay.linklocal"}, &ServerQuirks::channel_policy_unchecked);
  add("connect-policy-unchecked", "connects to peers that it denies", "6062", "5.2",
      {"tcp.connect.forbidden"}, &ServerQuirks::connect_policy_unchecked);
  add("mapped-policy-unchecked", "does not look at the IPv4 address inside an IPv6 one",
      "CVE-2026-27624", "", {"sec.relay.mapped"}, &ServerQuirks::mapped_policy_unchecked);
  const auto allow = [&](std::string_view id, std::string_view what, std::string_view source,
                         std::vector<std::string_view> killers,
                         void (*configure)(HostConfig & config)) {
    faults.push_back({.id = id,
                      .what = what,
                      .rfc = source,
                      .section = "",
                      .killers = std::move(killers),
                      .configure = configure});
  };
  allow("send-policy-unchecked", "relays Send indications to peers that it denies",
        "RFC 8656 section 11.2", {"sec.relay.send-bypass"}, [](HostConfig& config) {
          config.turn.quirks.send_policy_unchecked = true;
          config.turn.quirks.send_permission_unchecked = true;
        });
  allow("loopback-allowed", "relays to all of loopback", "RFC 8656 section 21.1.4",
        {"sec.relay.send"},
        [](HostConfig& config) { config.turn.peer_policy.allow_loopback = true; });
  allow("private-allowed", "relays to private networks", kLists, {"sec.relay.rfc1918"},
        [](HostConfig& config) { config.turn.peer_policy.allow_private = true; });
  allow("link-local-allowed", "relays to link-local addresses", kLists,
        {"sec.relay.linklocal", "sec.relay.linklocal6"},
        [](HostConfig& config) { config.turn.peer_policy.allow_link_local = true; });
  allow("embedded-not-judged", "does not judge IPv4 addresses inside NAT64 and 6to4 ones",
        "RFC 8656 section 21.4", {"sec.relay.embedded"},
        [](HostConfig& config) { config.turn.peer_policy.judge_embedded = false; });
}

}  // namespace

void AddSafetyFaults(std::vector<Fault>& faults) {
  AddPolicyFaults(faults);
  faults.push_back({.id = "amplification-binding",
                    .what = "answers a Binding request with 1200 bytes",
                    .rfc = "RFC 8489 section 16.1.2",
                    .section = "",
                    .killers = {"sec.amp.binding"},
                    .response = [](Passing& p) {
                      if (p.message.IsSuccess(stun::Method::kBinding))
                        p.message.Set(AttributeType::kEnfNetworkStatus, Bytes(1'200));
                      return true;
                    }});
  faults.push_back({.id = "amplification-challenge",
                    .what = "answers a request without credentials with 1000 bytes",
                    .rfc = "RFC 8489 section 16.1.2",
                    .section = "",
                    .killers = {"sec.amp.challenge"},
                    .response = [](Passing& p) {
                      if (p.message.ErrorCode() == 401)
                        p.message.Set(AttributeType::kEnfNetworkStatus, Bytes(1'000));
                      return true;
                    }});
  faults.push_back({.id = "padding-leaks",
                    .what = "pads with bytes of earlier requests",
                    .rfc = "CVE-2020-4067",
                    .section = "",
                    .killers = {"sec.leak.padding"},
                    .response = [](Passing& p) {
                      p.message.padding = p.request == nullptr ? 0x41 : p.request->id[0] | 1;
                      return true;
                    }});
  faults.push_back({.id = "data-padding-leaks",
                    .what = "pads Data indications with bytes that are not zero",
                    .rfc = "CVE-2020-4067",
                    .section = "",
                    .killers = {"sec.leak.data"},
                    .response = [](Passing& p) {
                      if (p.message.method == stun::Method::kData) p.message.padding = 0x41;
                      return true;
                    }});
  faults.push_back({.id = "unknown-attributes-leak",
                    .what = "lists attributes in UNKNOWN-ATTRIBUTES that the request did not have",
                    .rfc = "RFC 8489 section 14.13",
                    .section = "",
                    .killers = {"sec.leak.error-echo"},
                    .response = [](Passing& p) {
                      if (auto* unknown = p.message.Find(AttributeType::kUnknownAttributes)) {
                        unknown->value.push_back(0x12);
                        unknown->value.push_back(0x34);
                      }
                      return true;
                    }});
  faults.push_back({.id = "expired-rest-accepted",
                    .what = "takes time-limited names that have expired",
                    .rfc = "draft-uberti-behave-turn-rest",
                    .section = "",
                    .killers = {"sec.auth.expired-rest"},
                    .configure = [](HostConfig& config) {
                      // A second store whose clock stands at 1970: no name has expired.
                      auto& credentials = config.turn.authentication->credentials;
                      credentials = std::make_shared<CredentialChain>(
                          std::vector<std::shared_ptr<const stun::CredentialStore>>{
                              credentials, std::make_shared<stun::RestCredentials>(
                                               std::vector<std::string>{"north"}, 0)});
                    }});
}

}  // namespace rtclab::conformance
