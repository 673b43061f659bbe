#include "sim/topology/address_plan.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>

#include "sim/topology/spec_check.h"

namespace rtclab::sim {
namespace {

IpAddress V6(uint32_t high, uint16_t group, uint64_t low) {
  std::array<uint8_t, 16> bytes{};
  StoreU32(bytes.data(), high);
  StoreU16(bytes.data() + 4, group);
  StoreU64(bytes.data() + 8, low);
  return IpAddress::V6(bytes);
}

constexpr uint32_t V4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  return uint32_t{a} << 24 | uint32_t{b} << 16 | uint32_t{c} << 8 | d;
}

constexpr uint32_t kDocumentationV6 = 0x20010db8, kUniqueLocalV6 = 0xfd000000;
constexpr uint16_t kCoreGatewaysV6 = 0xffff;

// Addresses from one range, then from another.
class Pool {
 public:
  struct Range {
    uint32_t first, last;
  };
  constexpr Pool(Range range, Range spill) : range_(range), spill_(spill) {}

  constexpr uint64_t size() const { return Size(range_) + Size(spill_); }

  std::optional<IpAddress> Next() {
    if (range_.first > range_.last) range_ = std::exchange(spill_, {1, 0});
    if (range_.first > range_.last) return std::nullopt;
    return IpAddress::V4(range_.first++);
  }

 private:
  static constexpr uint64_t Size(Range range) { return uint64_t{range.last} - range.first + 1; }

  Range range_, spill_;
};

// Aligned power-of-two blocks of one range.
class Blocks {
 public:
  Blocks(uint32_t first, uint64_t size) : next_(first), end_(first + size) {}

  uint64_t left() const { return end_ - next_; }

  std::optional<Prefix> Next(int length) {
    const uint64_t size = uint64_t{1} << (32 - length);
    const uint64_t start = (next_ + size - 1) / size * size;
    if (start + size > end_) return std::nullopt;
    next_ = start + size;
    return Prefix{IpAddress::V4(static_cast<uint32_t>(start)), length};
  }

 private:
  uint64_t next_, end_;
};

// The longest prefix with room for `hosts` addresses beside the network's and the broadcast's.
int LengthFor(uint64_t hosts) {
  int length = 24;
  while ((uint64_t{1} << (32 - length)) - 2 < hosts) --length;
  return length;
}

constexpr Pool kCoreHosts{{V4(198, 51, 100, 2), V4(198, 51, 100, 254)},
                          {V4(198, 19, 128, 1), V4(198, 19, 255, 254)}};
constexpr Pool kCoreGateways{{V4(203, 0, 113, 1), V4(203, 0, 113, 254)},
                             {V4(198, 19, 0, 1), V4(198, 19, 127, 254)}};
constexpr uint64_t kPublicSize = 1 << 16, kPrivateSize = 1 << 24;

class Planner {
 public:
  explicit Planner(const NetworkSpec& spec) : spec_(spec) {}

  tl::expected<AddressPlan, AddressShortage> Plan() {
    for (std::size_t i = 0; i < spec_.lans.size(); ++i) lan_index_[spec_.lans[i].name] = i;
    plan_.lans.resize(spec_.lans.size());
    plan_.hosts.resize(spec_.hosts.size());
    plan_.core_routers = {IpAddress::V4(198, 51, 100, 1), V6(kDocumentationV6, 0, 1)};
    for (std::size_t i = 0; i < spec_.lans.size(); ++i) DescribeLan(i);
    Count();
    for (std::size_t i = 0; i < spec_.lans.size(); ++i) {
      if (!PlanBlocks(i)) return NoBlock(i);
    }
    for (std::size_t i = 0; i < spec_.hosts.size(); ++i) {
      if (!PlanHost(i)) {
        return NoAddress(spec_.hosts[i].name,
                         "the hosts on the core need {} IPv4 addresses; there are {}", on_core_,
                         kCoreHosts.size());
      }
    }
    for (std::size_t i = 0; i < spec_.lans.size(); ++i) {
      if (!PlanExternal(i)) {
        return NoAddress(
            spec_.lans[i].name,
            "the networks on the core need {} IPv4 addresses for their gateways; there are {}",
            gateways_on_core_, kCoreGateways.size());
      }
    }
    return std::move(plan_);
  }

 private:
  using Shortage = tl::unexpected<AddressShortage>;

  template <typename... Args>
  static Shortage NoAddress(const std::string& name, fmt::format_string<Args...> reason,
                            Args&&... args) {
    return Shortage({name, fmt::format(reason, std::forward<Args>(args)...)});
  }

  Shortage NoBlock(std::size_t i) const {
    const std::string& name = spec_.lans[i].name;
    if (!spec_.lans[i].ipv4 || plan_.lans[i].v4) {
      return NoAddress(name, "there are {} networks with IPv6 at most", kCoreGatewaysV6 - 1);
    }
    const bool inside = Behind(i, &LanPlan::translates_v4);
    return NoAddress(
        name, "it needs a block of {} IPv4 addresses; networks {} have {}, of which {} are left",
        uint64_t{1} << (32 - LengthFor(members_[i])), inside ? "behind a NAT" : "without a NAT",
        inside ? kPrivateSize : kPublicSize, (inside ? private_blocks_ : public_blocks_).left());
  }

  std::optional<std::size_t> Lan(const std::string& name) const {
    if (name.empty()) return std::nullopt;
    return lan_index_.at(name);
  }

  void DescribeLan(std::size_t i) {
    const LanSpec& lan = spec_.lans[i];
    LanPlan& plan = plan_.lans[i];
    plan.parent = Lan(lan.parent);
    plan.translates_v4 = lan.nat.has_value();
    plan.translates_v6 = lan.nat && lan.nat->translate_ipv6;
  }

  // Whether a NAT is between the LAN and the core.
  bool Behind(std::optional<std::size_t> lan, bool LanPlan::*translates) const {
    for (; lan; lan = plan_.lans[*lan].parent) {
      if (plan_.lans[*lan].*translates) return true;
    }
    return false;
  }

  int ExternalCount(std::size_t i) const {
    return spec_.lans[i].nat ? spec_.lans[i].external_addresses : 1;
  }

  void Count() {
    members_.assign(spec_.lans.size(), 1);  // the gateway
    carrier_.assign(spec_.lans.size(), false);
    for (const HostSpec& host : spec_.hosts) {
      for (const AttachmentSpec& attachment : host.attachments) {
        const auto addresses = static_cast<uint64_t>(host.addresses);
        if (const auto lan = Lan(attachment.lan)) {
          members_[*lan] += addresses;
        } else if (host.ipv4) {
          on_core_ += addresses;
        }
      }
    }
    for (std::size_t i = 0; i < spec_.lans.size(); ++i) {
      const auto parent = plan_.lans[i].parent;
      const auto external = static_cast<uint64_t>(ExternalCount(i));
      if (!parent) {
        if (spec_.lans[i].ipv4) gateways_on_core_ += external;
        continue;
      }
      members_[*parent] += external;
      if (plan_.lans[i].translates_v4) carrier_[*parent] = true;
    }
  }

  std::optional<Prefix> V4Block(std::size_t i) {
    const int length = LengthFor(members_[i]);
    if (!Behind(i, &LanPlan::translates_v4)) return public_blocks_.Next(length);
    if (carrier_[i] && length >= 16) {
      if (auto block = carrier_blocks_.Next(16)) return block;
    } else if (i < 255 && length == 24) {
      return Prefix{IpAddress::V4(192, 168, static_cast<uint8_t>(i + 1), 0), 24};
    }
    return private_blocks_.Next(length);
  }

  bool PlanBlocks(std::size_t i) {
    const LanSpec& lan = spec_.lans[i];
    LanPlan& plan = plan_.lans[i];
    next_v4_.push_back(2);
    next_v6_.push_back(2);
    if (lan.ipv4) {
      plan.v4 = V4Block(i);
      if (!plan.v4) return false;
      plan.routers.push_back(IpAddress::V4(plan.v4->address.ToV4HostOrder() + 1));
    }
    if (lan.ipv6) {
      if (i + 1 >= kCoreGatewaysV6) return false;
      const uint32_t high = Behind(i, &LanPlan::translates_v6) ? kUniqueLocalV6 : kDocumentationV6;
      plan.v6 = Prefix{V6(high, static_cast<uint16_t>(i + 1), 0), 64};
      plan.routers.push_back(InV6(*plan.v6, 1));
    }
    return true;
  }

  static IpAddress InV6(const Prefix& prefix, uint64_t low) {
    const uint8_t* bytes = prefix.address.bytes().data();
    return V6(LoadU32(bytes), LoadU16(bytes + 4), low);
  }

  // The next address of a member of a LAN, or of a host on the core.
  std::optional<IpAddress> NextV4(std::optional<std::size_t> lan, Pool& core) {
    if (!lan) return core.Next();
    return IpAddress::V4(plan_.lans[*lan].v4->address.ToV4HostOrder() + next_v4_[*lan]++);
  }
  IpAddress NextV6(std::optional<std::size_t> lan, uint16_t core_group, uint64_t& core) {
    if (!lan) return V6(kDocumentationV6, core_group, core++);
    return InV6(*plan_.lans[*lan].v6, next_v6_[*lan]++);
  }

  bool PlanHost(std::size_t i) {
    const HostSpec& host = spec_.hosts[i];
    for (const AttachmentSpec& attachment : host.attachments) {
      HostPlan::Attachment plan{Lan(attachment.lan), {}};
      const bool v4 = host.ipv4 && (!plan.lan || spec_.lans[*plan.lan].ipv4);
      const bool v6 = host.ipv6 && (!plan.lan || spec_.lans[*plan.lan].ipv6);
      for (int n = 0; v4 && n < host.addresses; ++n) {
        const auto address = NextV4(plan.lan, core_hosts_);
        if (!address) return false;
        plan.addresses.push_back(*address);
      }
      for (int n = 0; v6 && n < host.addresses; ++n) {
        plan.addresses.push_back(NextV6(plan.lan, 0, core_hosts_v6_));
      }
      plan_.hosts[i].attachments.push_back(std::move(plan));
    }
    return true;
  }

  bool PlanExternal(std::size_t i) {
    const LanSpec& lan = spec_.lans[i];
    LanPlan& plan = plan_.lans[i];
    for (int n = 0; lan.ipv4 && n < ExternalCount(i); ++n) {
      const auto address = NextV4(plan.parent, core_gateways_);
      if (!address) return false;
      plan.external.push_back(*address);
    }
    for (int n = 0; lan.ipv6 && n < (plan.translates_v6 ? ExternalCount(i) : 1); ++n) {
      plan.external.push_back(NextV6(plan.parent, kCoreGatewaysV6, core_gateways_v6_));
    }
    return true;
  }

  const NetworkSpec& spec_;
  AddressPlan plan_;
  std::map<std::string, std::size_t> lan_index_;
  std::vector<uint64_t> members_;
  std::vector<bool> carrier_;
  std::vector<uint32_t> next_v4_;
  std::vector<uint64_t> next_v6_;
  uint64_t core_hosts_v6_ = 2, core_gateways_v6_ = 1;
  uint64_t on_core_ = 0, gateways_on_core_ = 0;  // IPv4 addresses needed
  Pool core_hosts_ = kCoreHosts, core_gateways_ = kCoreGateways;
  Blocks public_blocks_{V4(198, 18, 0, 0), kPublicSize};
  Blocks carrier_blocks_{V4(100, 64, 0, 0), 1 << 22};
  Blocks private_blocks_{V4(10, 0, 0, 0), kPrivateSize};
};

}  // namespace

Result<AddressPlan> PlanAddresses(const NetworkSpec& spec) {
  if (auto checked = CheckSpec(spec); !checked) return tl::unexpected(checked.error());
  auto plan = Planner(spec).Plan();
  if (!plan) return Fail(plan.error().name + ": " + plan.error().reason);
  return std::move(*plan);
}

std::optional<AddressShortage> FindShortage(const NetworkSpec& spec) {
  auto plan = Planner(spec).Plan();
  if (plan) return std::nullopt;
  return std::move(plan.error());
}

}  // namespace rtclab::sim
