#include "sim/topology/spec_check.h"

#include <map>
#include <set>
#include <string>

#include "sim/nat/nat.h"

namespace rtclab::sim {
namespace {

// RFC 791 section 3.2 and RFC 8200 section 5: what every link must carry.
constexpr int kMinMtuV4 = 68, kMinMtuV6 = 1280, kMaxMtu = 65535;
constexpr int kMaxCount = 1 << 16;

bool IsProbability(double p) { return p >= 0 && p <= 1; }

Result<void> CheckBehaviour(const LinkBehaviour& link, const std::string& who, bool v6) {
  const auto fail = [&](const char* what) { return Fail(who + ": " + what); };
  if (link.rate.bps() <= 0) return fail("the rate must be above 0");
  if (link.delay < TimeDelta::Zero() || link.delay > TimeDelta::Seconds(3600)) {
    return fail("the delay must be between 0 and 1 hour");
  }
  if (link.jitter < TimeDelta::Zero() || link.jitter > TimeDelta::Seconds(3600)) {
    return fail("the jitter must be between 0 and 1 hour");
  }
  if (!IsProbability(link.loss)) return fail("the loss must be between 0 and 1");
  if (!IsProbability(link.duplication)) return fail("the duplication must be between 0 and 1");
  if (!IsProbability(link.corruption)) return fail("the corruption must be between 0 and 1");
  if (const auto& chain = link.burst_loss) {
    if (!IsProbability(chain->p_good_to_bad) || !IsProbability(chain->p_bad_to_good) ||
        !IsProbability(chain->loss_good) || !IsProbability(chain->loss_bad)) {
      return fail("the probabilities of burst loss must be between 0 and 1");
    }
  }
  if (link.queue_packets < 0) return fail("the queue must hold 0 or more packets");
  if (link.queue_bytes < 0) return fail("the queue must hold 0 or more bytes");
  if (link.mtu < (v6 ? kMinMtuV6 : kMinMtuV4) || link.mtu > kMaxMtu) {
    return fail(v6 ? "the MTU must be between 1280 (IPv6's minimum) and 65535"
                   : "the MTU must be between 68 and 65535");
  }
  return {};
}

Result<void> CheckLink(const LinkSpec& link, const std::string& who, bool v6) {
  if (auto up = CheckBehaviour(link.up, who + ", upwards", v6); !up) return up;
  return CheckBehaviour(link.down, who + ", downwards", v6);
}

class Checker {
 public:
  explicit Checker(const NetworkSpec& spec) : spec_(spec) {}

  Result<void> Check() {
    if (auto names = CheckNames(); !names) return names;
    for (const LanSpec& lan : spec_.lans) {
      if (auto ok = CheckLan(lan); !ok) return ok;
    }
    for (const HostSpec& host : spec_.hosts) {
      if (auto ok = CheckHost(host); !ok) return ok;
    }
    return {};
  }

 private:
  Result<void> CheckNames() {
    std::set<std::string> names = {"core"};
    const auto take = [&](const std::string& name) -> Result<void> {
      if (name.empty()) return Fail("a host or LAN has no name");
      if (name.find('/') != std::string::npos) return Fail("the name " + name + " has a slash");
      if (!names.insert(name).second) return Fail("the name " + name + " is taken");
      return {};
    };
    for (const LanSpec& lan : spec_.lans) {
      if (auto ok = take(lan.name); !ok) return ok;
      lans_[lan.name] = &lan;
    }
    for (const HostSpec& host : spec_.hosts) {
      if (auto ok = take(host.name); !ok) return ok;
    }
    return {};
  }

  const LanSpec* Find(const std::string& name) const {
    const auto it = lans_.find(name);
    return it == lans_.end() ? nullptr : it->second;
  }

  Result<void> CheckLan(const LanSpec& lan) const {
    const std::string who = "LAN " + lan.name;
    if (!lan.ipv4 && !lan.ipv6) return Fail(who + " has no address family");
    if (lan.external_addresses < 1 || lan.external_addresses > kMaxCount) {
      return Fail(who + ": external_addresses must be between 1 and 65536");
    }
    if (!lan.parent.empty()) {
      const LanSpec* parent = Find(lan.parent);
      if (parent == nullptr) return Fail(who + ": there is no LAN " + lan.parent);
      if ((lan.ipv4 && !parent->ipv4) || (lan.ipv6 && !parent->ipv6)) {
        return Fail(who + " has an address family that its parent " + lan.parent + " lacks");
      }
    }
    std::size_t steps = 0;
    for (const LanSpec* at = &lan; at != nullptr; at = Find(at->parent)) {
      if (++steps > spec_.lans.size()) return Fail(who + " is its own ancestor");
    }
    if (lan.nat) {
      if (const auto contradiction = FindContradiction(*lan.nat)) {
        return Fail(who + ": the NAT cannot be: " + *contradiction);
      }
    }
    return CheckLink(lan.uplink, "the uplink of " + who, lan.ipv6);
  }

  Result<void> CheckHost(const HostSpec& host) const {
    const std::string who = "host " + host.name;
    if (host.attachments.empty()) return Fail(who + " is attached to nothing");
    if (host.addresses < 1 || host.addresses > kMaxCount) {
      return Fail(who + ": addresses must be between 1 and 65536");
    }
    std::set<std::string> seen;
    for (const AttachmentSpec& attachment : host.attachments) {
      if (!seen.insert(attachment.lan).second) {
        return Fail(who + " is attached to " +
                    (attachment.lan.empty() ? "the core" : attachment.lan) + " twice");
      }
      const LanSpec* lan = Find(attachment.lan);
      if (!attachment.lan.empty() && lan == nullptr) {
        return Fail(who + ": there is no LAN " + attachment.lan);
      }
      const bool v4 = host.ipv4 && (lan == nullptr || lan->ipv4);
      const bool v6 = host.ipv6 && (lan == nullptr || lan->ipv6);
      if (!v4 && !v6) {
        return Fail(who + " has no address family in common with " +
                    (lan == nullptr ? "the core" : "LAN " + lan->name));
      }
      if (auto ok = CheckLink(attachment.access, "the access link of " + who, v6); !ok) return ok;
    }
    return {};
  }

  const NetworkSpec& spec_;
  std::map<std::string, const LanSpec*> lans_;
};

}  // namespace

Result<void> CheckSpec(const NetworkSpec& spec) { return Checker(spec).Check(); }

}  // namespace rtclab::sim
