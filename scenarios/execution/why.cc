#include "scenarios/execution/why.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace rtclab::scenarios {
namespace {

using Transaction = std::array<uint8_t, 12>;

struct CheckOf {
  const Endpoint* endpoint;
  const ice::CheckRecord* check;
};

class CauseFinder {
 public:
  CauseFinder(const SessionDriver& driver, const sim::Network& network,
              const std::vector<ServerAccess>& servers)
      : driver_(driver), network_(network), servers_(servers) {
    for (const Endpoint* endpoint : {&driver.a(), &driver.b()}) {
      for (const ice::CheckRecord& check : endpoint->agent().check_log()) {
        checks_.emplace(check.transaction_id, CheckOf{endpoint, &check});
      }
    }
  }

  std::vector<results::Cause> Find() {
    for (const sim::PacketEvent& drop : network_.tracer().drops()) AddDrop(drop);
    for (const Endpoint* endpoint : {&driver_.a(), &driver_.b()}) {
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
  // What says most about a session first: a NAT's or firewall's refusal of a check, then a server's, then losses, then
  // packets that never had a chance (private addresses of somebody else's LAN).
  static int Rank(const results::Cause& cause) {
    const bool check = !cause.pair.empty();
    if (cause.rule.starts_with("nat.") || cause.rule.starts_with("firewall.")) return check ? 0 : 1;
    if (cause.rule.starts_with("turn.") || cause.rule.starts_with("stun.")) return 2;
    if (cause.rule.starts_with("link.")) return 3;
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

  const Endpoint* OwnerOf(const IpAddress& ip) const {
    for (const Endpoint* endpoint : {&driver_.a(), &driver_.b()}) {
      const auto& own = network_.addresses(endpoint->host());
      if (std::find(own.begin(), own.end(), ip) != own.end()) return endpoint;
    }
    return nullptr;
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
    // Not a check: of interest when it was on its way to or from a server of ours.
    if (!IsServer(drop.tuple.destination.ip) && !IsServer(drop.tuple.source.ip)) return;
    const Endpoint* owner = OwnerOf(drop.tuple.source.ip);
    if (owner == nullptr) owner = OwnerOf(drop.tuple.destination.ip);
    if (owner != nullptr) Add(drop.where, drop.rule, drop.detail, owner->host(), "", drop.time);
  }

  void AddTrouble(const Endpoint& endpoint, const ServerTrouble& trouble) {
    Add("server/" + ServerName(trouble.server), trouble.rule, trouble.reason, endpoint.host(), "",
        trouble.time);
  }

  const SessionDriver& driver_;
  const sim::Network& network_;
  const std::vector<ServerAccess>& servers_;
  std::map<Transaction, CheckOf> checks_;
  std::vector<results::Cause> causes_;
};

std::string CauseSentence(const results::Cause& cause) {
  const std::string whose = cause.pair.empty()
                                ? fmt::format("{}'s packets", cause.agent)
                                : fmt::format("{}'s checks {}", cause.agent, cause.pair);
  return fmt::format("{}: {} ended at {} by {} ({})", whose, cause.count, cause.where, cause.rule,
                     cause.text);
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

std::string TextOfRelay(const SessionDriver& driver, const results::SelectedPair& pair,
                        const std::vector<results::Cause>& causes) {
  const std::string whose =
      pair.local.type == "relay" && pair.remote.type == "relay"
          ? "both sides'"
          : fmt::format("{}'s",
                        pair.local.type == "relay" ? driver.spec().a.host : driver.spec().b.host);
  const auto relay_only = [](const EndpointSpec& e) {
    return e.ice.policy == IceSpec::Policy::kRelay;
  };
  if (relay_only(driver.spec().a) || relay_only(driver.spec().b)) {
    return fmt::format(
        "Relayed through {} TURN allocation: the session allows relayed candidates only.", whose);
  }
  std::vector<results::Cause> direct;
  std::copy_if(causes.begin(), causes.end(), std::back_inserter(direct),
               [](const results::Cause& c) { return c.pair.find("relay") == std::string::npos; });
  return fmt::format("Relayed through {} TURN allocation: no direct pair worked.{}", whose,
                     MainCauses(direct, 2));
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

}  // namespace

results::Why Explain(const SessionDriver& driver, const results::Session& session,
                     const sim::Network& network, const std::vector<ServerAccess>& servers) {
  results::Why why;
  why.causes = CauseFinder(driver, network, servers).Find();
  if (session.state == "connected" && session.selected_pair) {
    const results::SelectedPair& pair = *session.selected_pair;
    const bool relayed = pair.local.type == "relay" || pair.remote.type == "relay";
    why.text = relayed ? TextOfRelay(driver, pair, why.causes) : TextOfDirect(driver, pair);
    return why;
  }
  std::string reasons;
  for (const Endpoint* endpoint : {&driver.a(), &driver.b()}) {
    const std::string& reason = endpoint->agent().failure_reason();
    if (!reason.empty()) reasons += fmt::format(" {}: {}.", endpoint->host(), reason);
  }
  why.text = fmt::format("No candidate pair worked.{}{}", reasons, MainCauses(why.causes, 3));
  return why;
}

}  // namespace rtclab::scenarios
