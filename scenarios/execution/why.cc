#include "scenarios/execution/why.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace rtclab::scenarios {
namespace {

using Transaction = std::array<uint8_t, 12>;

struct CheckOf {
  const EndpointRecord* endpoint;
  const ice::CheckRecord* check;
};

class CauseFinder {
 public:
  CauseFinder(const SessionDriver& driver, const sim::Network& network,
              const std::vector<ServerAccess>& servers)
      : driver_(driver), network_(network), servers_(servers) {
    for (const EndpointRecord* endpoint : {&driver.a(), &driver.b()}) {
      if (endpoint->agent() == nullptr) continue;
      for (const ice::CheckRecord& check : endpoint->agent()->check_log()) {
        checks_.emplace(check.transaction_id, CheckOf{endpoint, &check});
      }
    }
  }

  std::vector<results::Cause> Find() {
    for (const sim::PacketEvent& drop : network_.tracer().drops()) AddDrop(drop);
    for (const EndpointRecord* endpoint : {&driver_.a(), &driver_.b()}) {
      for (const ServerTrouble& trouble : endpoint->troubles()) AddTrouble(*endpoint, trouble);
    }
    std::stable_sort(causes_.begin(), causes_.end(),
                     [](const results::Cause& x, const results::Cause& y) {
                       return std::tuple(Rank(x), -x.count, x.first_ms) <
                              std::tuple(Rank(y), -y.count, y.first_ms);
                     });
    return std::move(causes_);
  }

 private:
  // What says most about a session first: a NAT's or firewall's refusal of a check, then what a link or router lost, then
  // a server's refusals. Last what is normal: that a TURN server relays to no private address, checks to private addresses
  // of somebody else's LAN, and servers' silence, which only repeats that packets were lost.
  static int Rank(const results::Cause& cause) {
    const bool between_peers = !cause.pair.empty();
    if (cause.rule.starts_with("nat.") || cause.rule.starts_with("firewall."))
      return between_peers ? 0 : 2;
    if (cause.rule == "ip.no-route") return 5;
    if (cause.rule.starts_with("link.") || cause.rule.starts_with("ip."))
      return between_peers ? 1 : 3;
    if (cause.rule.starts_with("turn.peer-refused") || cause.rule.ends_with(".no-answer")) return 5;
    return 4;
  }

  bool IsServer(const IpAddress& ip) const {
    return std::any_of(servers_.begin(), servers_.end(), [&](const ServerAccess& s) {
      return std::any_of(s.addresses.begin(), s.addresses.end(),
                         [&](const TransportAddress& a) { return a.ip == ip; });
    });
  }

  std::string ServerName(const TransportAddress& address) const {
    for (const ServerAccess& server : servers_) {
      for (const TransportAddress& a : server.addresses) {
        if (a.ip == address.ip) return server.name;
      }
    }
    return address.ToString();
  }

  // Whose packets have this address: a host's own, or an external one of a LAN that it sits in or behind.
  const EndpointRecord* OwnerOf(const IpAddress& ip) const {
    const auto has = [&](const std::vector<IpAddress>& all) {
      return std::find(all.begin(), all.end(), ip) != all.end();
    };
    for (const EndpointRecord* endpoint : {&driver_.a(), &driver_.b()}) {
      if (has(network_.addresses(endpoint->host()))) return endpoint;
    }
    for (const EndpointRecord* endpoint : {&driver_.a(), &driver_.b()}) {
      for (const std::string& lan : LansOf(endpoint->host())) {
        if (has(network_.external_addresses(lan))) return endpoint;
      }
    }
    return nullptr;
  }

  // The LANs that a host is attached to, and their parents up to the core.
  std::vector<std::string> LansOf(const std::string& host) const {
    const sim::NetworkSpec& spec = network_.spec();
    std::vector<std::string> lans;
    for (const sim::HostSpec& h : spec.hosts) {
      if (h.name != host) continue;
      for (const sim::AttachmentSpec& attachment : h.attachments) lans.push_back(attachment.lan);
    }
    for (std::size_t i = 0; i < lans.size(); ++i) {
      for (const sim::LanSpec& lan : spec.lans) {
        if (lan.name == lans[i]) lans.push_back(lan.parent);
      }
    }
    std::erase(lans, std::string());  // the core
    return lans;
  }

  void Add(const std::string& where, const std::string& rule, const std::string& text,
           const std::string& agent, const std::string& pair, Timestamp time) {
    for (results::Cause& cause : causes_) {
      if (cause.where == where && cause.rule == rule && cause.agent == agent &&
          cause.pair == pair) {
        ++cause.count;
        return;
      }
    }
    causes_.push_back({.where = where,
                       .rule = rule,
                       .text = text,
                       .agent = agent,
                       .pair = pair,
                       .count = 1,
                       .first_ms = (time - driver_.started()).millis_f()});
  }

  void AddDrop(const sim::PacketEvent& drop) {
    const auto check = drop.stun_transaction ? checks_.find(*drop.stun_transaction) : checks_.end();
    if (check != checks_.end()) {
      const auto& [endpoint, record] = check->second;
      Add(drop.where, drop.rule, drop.detail, endpoint->host(),
          fmt::format("{} -> {}", ToString(record->local_type), ToString(record->remote_type)),
          drop.time);
      return;
    }
    const EndpointRecord* from = OwnerOf(drop.tuple.source.ip);
    const EndpointRecord* to = OwnerOf(drop.tuple.destination.ip);
    if (from != nullptr && to != nullptr) {
      // Between the two, but no check: consent (RFC 7675), keepalives, or data.
      Add(drop.where, drop.rule, drop.detail, from->host(),
          drop.stun_transaction ? "consent" : "data", drop.time);
      return;
    }
    // Of interest when it was on its way to or from a server of ours.
    if (!IsServer(drop.tuple.destination.ip) && !IsServer(drop.tuple.source.ip)) return;
    const EndpointRecord* owner = from != nullptr ? from : to;
    if (owner != nullptr) Add(drop.where, drop.rule, drop.detail, owner->host(), "", drop.time);
  }

  void AddTrouble(const EndpointRecord& endpoint, const ServerTrouble& trouble) {
    Add("server/" + ServerName(trouble.server), trouble.rule, trouble.reason, endpoint.host(), "",
        trouble.time);
  }

  const SessionDriver& driver_;
  const sim::Network& network_;
  const std::vector<ServerAccess>& servers_;
  std::map<Transaction, CheckOf> checks_;
  std::vector<results::Cause> causes_;
};

std::string Trimmed(std::string_view sentence) {
  return std::string(sentence.ends_with('.') ? sentence.substr(0, sentence.size() - 1) : sentence);
}

std::string CauseSentence(const results::Cause& cause) {
  if (cause.where.starts_with("server/")) {
    const std::string_view server = std::string_view(cause.where).substr(7);
    if (cause.rule.ends_with(".no-answer"))
      return fmt::format("{} never answered {}", server, cause.agent);
    return fmt::format("{} refused {} by {} ({})", server, cause.agent, cause.rule,
                       Trimmed(cause.text));
  }
  const bool check = cause.pair.find("->") != std::string::npos;
  const std::string whose = check ? fmt::format("{}'s checks {}", cause.agent, cause.pair)
                            : cause.pair.empty()
                                ? fmt::format("{}'s packets to or from a server", cause.agent)
                                : fmt::format("{}'s {} packets", cause.agent, cause.pair);
  return fmt::format("{}: {} ended at {} by {} ({})", whose, cause.count, cause.where, cause.rule,
                     Trimmed(cause.text));
}

// The causes that kept a better pair from working, in a sentence each.
std::string MainCauses(const std::vector<results::Cause>& causes, std::size_t most) {
  std::string text;
  for (const results::Cause& cause : causes) {
    if (most-- == 0) break;
    text += " " + CauseSentence(cause) + ".";
  }
  return text;
}

bool HasFamily(const sim::Network& network, const std::string& host, AddressFamily family) {
  const auto& own = network.addresses(host);
  return std::any_of(own.begin(), own.end(),
                     [&](const IpAddress& ip) { return ip.family() == family; });
}

std::string TextOfRelay(const SessionDriver& driver, const sim::Network& network,
                        const results::SelectedPair& pair,
                        const std::vector<results::Cause>& causes) {
  const std::string& a = driver.spec().a.host;
  const std::string& b = driver.spec().b.host;
  const std::string through =
      pair.local.type == "relay" && pair.remote.type == "relay"
          ? "Relayed through both sides' TURN allocations"
          : fmt::format("Relayed through {}'s TURN allocation", pair.local.type == "relay" ? a : b);
  std::string relay_only;
  for (const EndpointSpec* e : {&driver.spec().a, &driver.spec().b}) {
    if (e->ice.policy == IceSpec::Policy::kRelay)
      relay_only += (relay_only.empty() ? "" : " and ") + e->host;
  }
  if (!relay_only.empty())
    return fmt::format("{}: the scenario allows {} relayed candidates only.", through, relay_only);
  const auto shared = [&](AddressFamily family) {
    return HasFamily(network, a, family) && HasFamily(network, b, family);
  };
  if (!shared(AddressFamily::kIpv4) && !shared(AddressFamily::kIpv6)) {
    return fmt::format(
        "{}: {} and {} have no address family in common, so that no direct pair exists.", through,
        a, b);
  }
  std::vector<results::Cause> direct;
  std::copy_if(causes.begin(), causes.end(), std::back_inserter(direct),
               [](const results::Cause& c) {
                 return !c.pair.empty() && c.pair.find("relay") == std::string::npos;
               });
  return fmt::format("{}: no direct pair worked.{}", through, MainCauses(direct, 2));
}

std::string TextOfDirect(const SessionDriver& driver, const results::SelectedPair& pair) {
  const auto side = [](const std::string& who, const results::SelectedCandidate& candidate) {
    const std::string_view what = candidate.type == "host" ? "its own address"
                                  : candidate.type == "srflx"
                                      ? "its NAT's mapping as the STUN server saw it"
                                      : "a mapping of its NAT for this peer, seen by a check";
    return fmt::format("{} at {} {}:{} ({})", who, candidate.type, candidate.address,
                       candidate.port, what);
  };
  return fmt::format("Direct, the pair of highest priority that worked: {} and {}.",
                     side(driver.spec().a.host, pair.local),
                     side(driver.spec().b.host, pair.remote));
}

std::string TextOfConnected(const SessionDriver& driver, const results::Session& session,
                            const sim::Network& network,
                            const std::vector<results::Cause>& causes) {
  const results::SelectedPair& pair = *session.selected_pair;
  if (driver.spec().a.ice.lite && driver.spec().b.ice.lite) {
    return "Both agents are lite: the pair was chosen without a check (RFC 8445 section 8.2).";
  }
  const bool relayed = pair.local.type == "relay" || pair.remote.type == "relay";
  return relayed ? TextOfRelay(driver, network, pair, causes) : TextOfDirect(driver, pair);
}

std::string FailureReasons(const SessionDriver& driver) {
  std::string reasons;
  for (const EndpointRecord* endpoint : {&driver.a(), &driver.b()}) {
    if (endpoint->agent() == nullptr) continue;
    const std::string& reason = endpoint->agent()->failure_reason();
    if (!reason.empty()) reasons += fmt::format(" {}: {}.", endpoint->host(), reason);
  }
  return reasons;
}

// What ended a session that was connected: packets between the two on the pair in use.
std::string TextOfLoss(const SessionDriver& driver, const std::vector<results::Cause>& causes) {
  std::vector<results::Cause> later;
  std::copy_if(causes.begin(), causes.end(), std::back_inserter(later),
               [](const results::Cause& c) { return c.pair == "consent" || c.pair == "data"; });
  return fmt::format(" It was lost later.{}{}", FailureReasons(driver), MainCauses(later, 2));
}

struct FailureName {
  std::string_view reason;
  std::string_view sentence;  // goes on after the host's name
  bool network;               // packets that were lost may be the reason
};

// The reasons of dtls::failure and of sctp's events, in words.
constexpr FailureName kFailureNames[] = {
    {"dtls-fingerprint-mismatch",
     "got another certificate in the DTLS handshake than the peer's description announced (RFC "
     "8122 "
     "section 5.1)",
     false},
    {"dtls-timeout", "waited for the DTLS handshake in vain", true},
    {"dtls-no-srtp-profile", "has no SRTP protection profile in common with its peer", false},
    {"dtls-no-certificate", "got no certificate from its peer in the DTLS handshake", false},
    {"dtls-version-mismatch", "has a peer that does not speak DTLS 1.2", false},
    {"dtls-no-shared-cipher", "has no DTLS cipher suite in common with its peer", false},
    {"dtls-role-conflict", "is DTLS client, as is its peer", false},
    {"dtls-alert-received", "was told in the DTLS handshake that its peer gives up", false},
    {"dtls-protocol-error", "got a DTLS handshake that is against the rules", false},
    {"dtls-closed-by-peer", "was told by DTLS that its peer closed", false},
    {"sctp-init_timeout", "got no answer to its SCTP INIT", true},
    {"sctp-cookie_timeout", "got no answer to its SCTP cookie", true},
    {"sctp-peer_unreachable", "got no more acknowledgements by SCTP", true},
    {"sctp-peer_abort", "was told by SCTP that its peer aborts", false},
    {"sctp-protocol_violation", "got SCTP that is against the rules", false},
    {"ice-failed", "lost its candidate pair", true},
    {"negotiation", "could not use a description", false},
    {"closed", "closed its connection", false},
};

// "bob got no answer to its SCTP INIT (sctp-init_timeout). Detail." and, where lost packets may be why, what lost them.
std::string FailureSentence(const results::Json& failure,
                            const std::vector<results::Cause>& causes) {
  const std::string reason = failure.value("reason", "");
  const FailureName* known = nullptr;
  for (const FailureName& name : kFailureNames) {
    if (name.reason == reason) known = &name;
  }
  const std::string detail = Trimmed(failure.value("detail", ""));
  std::string text = fmt::format("{} {} ({}){}{}.", failure.value("host", ""),
                                 known == nullptr ? "gave up" : known->sentence, reason,
                                 detail.empty() ? "" : ": ", detail);
  if (known == nullptr || !known->network) return text;
  std::vector<results::Cause> between;
  std::copy_if(causes.begin(), causes.end(), std::back_inserter(between),
               [](const results::Cause& c) { return c.pair == "consent" || c.pair == "data"; });
  return text + MainCauses(between, 2);
}

// "ICE connected (host to srflx)", as far as that is true; empty where it is not.
std::string HowFarIceCame(const SessionDriver& driver) {
  const EndpointRecord &a = driver.a(), &b = driver.b();
  if (a.pair() && b.pair()) {
    return fmt::format("ICE connected ({} to {})", ToString(a.pair()->local.type),
                       ToString(a.pair()->remote.type));
  }
  // DTLS does not wait for the nomination.
  if (a.first_valid_pair() && b.first_valid_pair()) return "ICE connected";
  if (!a.first_valid_pair() && !b.first_valid_pair()) return "";
  return fmt::format("ICE connected at {} alone", (a.first_valid_pair() ? a : b).host());
}

// Of a session whose peer connections never were connected.
std::string TextOfFailed(const SessionDriver& driver, const results::Session& session,
                         const std::vector<results::Cause>& causes) {
  const auto failure = session.extra.find("failure");
  const bool failed = failure != session.extra.end();
  const std::string ice = HowFarIceCame(driver);
  if (!ice.empty()) {
    if (failed) return ice + ", but " + FailureSentence(*failure, causes);
    return ice + ", but not what is above it when the run's max_duration was over." +
           MainCauses(causes, 2);
  }
  if (failed && failure->value("reason", "") != "ice-failed") {
    return "Before ICE connected, " + FailureSentence(*failure, causes);
  }
  std::string text = "No candidate pair worked." + FailureReasons(driver);
  if (!driver.done()) text += " The run's max_duration was over before the agents were done.";
  return text + MainCauses(causes, 3);
}

}  // namespace

results::Why Explain(const SessionDriver& driver, const results::Session& session,
                     const sim::Network& network, const std::vector<ServerAccess>& servers) {
  results::Why why;
  why.causes = CauseFinder(driver, network, servers).Find();
  if (session.state == "connected") {
    if (session.selected_pair) why.text = TextOfConnected(driver, session, network, why.causes);
    const bool lost = session.extra.value("consent_expired", false) ||
                      session.extra.value("final_state", "") != "connected";
    if (lost) {
      why.text += TextOfLoss(driver, why.causes);
    } else if (const auto failure = session.extra.find("failure"); failure != session.extra.end()) {
      why.text += " Later " + FailureSentence(*failure, why.causes);
    }
    return why;
  }
  why.text = TextOfFailed(driver, session, why.causes);
  return why;
}

}  // namespace rtclab::scenarios
