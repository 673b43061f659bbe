// Faults of allocations: RFC 8656 sections 6 to 8.
#include "conformance/mutation/fault.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using stun::Method;
using turn::ServerQuirks;

constexpr std::string_view kTurn = "8656";

void AddQuirkFaults(std::vector<Fault>& faults) {
  const auto add = [&](std::string_view id, std::string_view what, std::string_view section,
                       std::vector<std::string_view> killers, bool ServerQuirks::*quirk) {
    faults.push_back({.id = id,
                      .what = what,
                      .rfc = kTurn,
                      .section = section,
                      .killers = std::move(killers),
                      .quirk = quirk});
  };
  add("second-allocate-accepted", "replaces an allocation by a second Allocate instead of 437",
      "7.2", {"turn.alloc.existing"}, &ServerQuirks::second_allocate_accepted);
  add("retransmission-allocates-again", "makes a new allocation of a retransmitted Allocate", "7.2",
      {"turn.alloc.retransmit"}, &ServerQuirks::retransmitted_allocate_is_new);
  add("token-ignored", "ignores RESERVATION-TOKEN", "7.2", {"turn.alloc.token-use"},
      &ServerQuirks::reservation_token_ignored);
  add("token-unchecked", "gives another port for a token that it does not know", "7.2",
      {"turn.alloc.token-invalid", "turn.alloc.token-reused"},
      &ServerQuirks::reservation_token_unchecked);
  add("even-port-odd", "gives odd ports for EVEN-PORT", "7.2",
      {"turn.alloc.even-r0", "turn.alloc.even-r1"}, &ServerQuirks::even_port_odd);
  add("reservation-forgotten", "holds a reserved port for a second only", "7.2",
      {"turn.alloc.token-30s"}, &ServerQuirks::reservation_forgotten);
  add("wrong-family-accepted", "lets Refresh and peers of another family succeed", "8.2",
      {"turn.refresh.family-mismatch"}, &ServerQuirks::wrong_family_accepted);
  add("lifetime-unclamped", "grants the lifetime asked for, however short or long", "7.2",
      {"turn.alloc.life-low", "turn.alloc.life-max"}, &ServerQuirks::lifetime_unclamped);
  add("allocate-lifetime-zero", "grants Allocate a lifetime of 0", "7.2", {"turn.alloc.life-zero"},
      &ServerQuirks::allocate_lifetime_zero);
  add("deletion-ignored", "answers Refresh with LIFETIME 0 and deletes nothing", "8.2",
      {"turn.refresh.delete"}, &ServerQuirks::lifetime_zero_ignored);
  add("dual-deletion", "deletes both relayed addresses when one is deleted", "8.1",
      {"turn.refresh.dual-one"}, &ServerQuirks::dual_refresh_deletes_both);
  add("allocation-never-expires", "keeps an allocation whose lifetime has passed", "6",
      {"turn.state.expiry"}, &ServerQuirks::allocation_never_expires);
  add("data-refreshes-allocation", "keeps an allocation as long as data is relayed", "6",
      {"turn.state.data-no-refresh"}, &ServerQuirks::data_refreshes_allocation);
  add("ports-in-order", "gives relayed ports in order", "7.2", {"turn.alloc.port-random"},
      &ServerQuirks::ports_in_order);
  add("ports-outside-range", "gives relayed ports outside the dynamic range", "7.2",
      {"turn.alloc.port-range"}, &ServerQuirks::ports_outside_range);
  add("quota-ignored", "allocates for a user without limit", "5", {"turn.gen.quota"},
      &ServerQuirks::quota_ignored);
}

void AddResponseFaults(std::vector<Fault>& faults) {
  const auto add = [&](std::string_view id, std::string_view what, std::string_view section,
                       std::vector<std::string_view> killers, bool (*change)(Passing&)) {
    faults.push_back({.id = id,
                      .what = what,
                      .rfc = kTurn,
                      .section = section,
                      .killers = std::move(killers),
                      .response = change});
  };
  add("allocate-lifetime-missing", "sends no LIFETIME in the Allocate response", "7.2",
      {"turn.alloc.resp-attrs"}, [](Passing& p) {
        if (p.message.IsSuccess(Method::kAllocate)) p.message.Remove(AttributeType::kLifetime);
        return true;
      });
  add("allocate-relayed-missing", "sends no XOR-RELAYED-ADDRESS in the Allocate response", "7.2",
      {"turn.alloc.resp-attrs"}, [](Passing& p) {
        if (p.message.IsSuccess(Method::kAllocate))
          p.message.Remove(AttributeType::kXorRelayedAddress);
        return true;
      });
  add("allocate-mapped-missing", "sends no XOR-MAPPED-ADDRESS in the Allocate response", "7.2",
      {"turn.alloc.resp-attrs"}, [](Passing& p) {
        if (p.message.IsSuccess(Method::kAllocate))
          p.message.Remove(AttributeType::kXorMappedAddress);
        return true;
      });
  add("token-missing", "sends no RESERVATION-TOKEN for EVEN-PORT with R=1", "7.2",
      {"turn.alloc.even-r1"}, [](Passing& p) {
        p.message.Remove(AttributeType::kReservationToken);
        return true;
      });
  add("refresh-lifetime-missing", "sends no LIFETIME in the Refresh response", "8.2",
      {"turn.refresh.resp-lifetime"}, [](Passing& p) {
        if (p.message.IsSuccess(Method::kRefresh)) p.message.Remove(AttributeType::kLifetime);
        return true;
      });
  add("default-lifetime-short", "gives 300 s to who asks for no lifetime", "6",
      {"turn.state.default-lifetime"}, [](Passing& p) {
        if (p.message.IsSuccess(Method::kAllocate) &&
            p.message.U32(AttributeType::kLifetime) == 600) {
          p.message.SetU32(AttributeType::kLifetime, 300);
        }
        return true;
      });
  add("address-error-missing", "grants half of a dual allocation without ADDRESS-ERROR-CODE", "7.2",
      {"turn.alloc.aaf-full", "turn.alloc.aaf-partial"}, [](Passing& p) {
        if (!p.message.IsSuccess(Method::kAllocate)) return true;
        std::erase_if(p.message.attributes, [](const StunEdit::Attribute& a) {
          return a.type == AttributeType::kXorRelayedAddress && a.value.size() > 1 &&
                 a.value[1] == 2;
        });
        return true;
      });
}

// The server does not see an attribute of Allocate requests.
template <AttributeType kType>
bool Overlook(Passing& p) {
  if (p.message.IsRequest(Method::kAllocate)) p.message.Remove(kType);
  return true;
}

void AddRequestFaults(std::vector<Fault>& faults) {
  const auto add = [&](std::string_view id, std::string_view what, std::string_view section,
                       std::vector<std::string_view> killers, bool (*change)(Passing&)) {
    faults.push_back({.id = id,
                      .what = what,
                      .rfc = kTurn,
                      .section = section,
                      .killers = std::move(killers),
                      .request = change});
  };
  add("transport-unchecked", "allocates UDP whatever REQUESTED-TRANSPORT says", "7.2",
      {"turn.alloc.rt-unsupported", "turn.alloc.rt-malformed", "turn.alloc.rt-missing"},
      [](Passing& p) {
        if (p.message.IsRequest(Method::kAllocate))
          p.message.Set(AttributeType::kRequestedTransport, {17, 0, 0, 0});
        return true;
      });
  add("transport-reserved-bits", "refuses REQUESTED-TRANSPORT with reserved bits", "18.8",
      {"turn.alloc.rt-rffu"}, [](Passing& p) {
        auto* transport = p.message.Find(AttributeType::kRequestedTransport);
        if (transport != nullptr && transport->value.size() == 4 &&
            (transport->value[1] | transport->value[2] | transport->value[3]) != 0) {
          transport->value[0] = 99;
        }
        return true;
      });
  add("even-port-ignored", "ignores EVEN-PORT", "7.2", {"turn.alloc.even-r1"},
      Overlook<AttributeType::kEvenPort>);
  add("token-with-even-port", "takes RESERVATION-TOKEN together with EVEN-PORT", "7.2",
      {"turn.alloc.token-even"}, [](Passing& p) {
        if (p.message.IsRequest(Method::kAllocate) &&
            p.message.Has(AttributeType::kReservationToken) &&
            p.message.Has(AttributeType::kEvenPort)) {
          p.message.Remove(AttributeType::kReservationToken);
        }
        return true;
      });
  add("family-ignored", "gives IPv4 whatever REQUESTED-ADDRESS-FAMILY says", "7.2",
      {"turn.alloc.raf-v6", "turn.alloc.raf-unsupported"},
      Overlook<AttributeType::kRequestedAddressFamily>);
  add("both-families-accepted",
      "takes REQUESTED-ADDRESS-FAMILY and ADDITIONAL-ADDRESS-FAMILY together", "7.2",
      {"turn.alloc.raf-aaf"}, [](Passing& p) {
        if (p.message.IsRequest(Method::kAllocate) &&
            p.message.Has(AttributeType::kRequestedAddressFamily)) {
          p.message.Remove(AttributeType::kAdditionalAddressFamily);
        }
        return true;
      });
  add("additional-family-ipv4", "takes ADDITIONAL-ADDRESS-FAMILY with IPv4", "7.2",
      {"turn.alloc.aaf-v4"}, [](Passing& p) {
        auto* family = p.message.Find(AttributeType::kAdditionalAddressFamily);
        if (family != nullptr && !family->value.empty() && family->value[0] == 1)
          p.message.Remove(AttributeType::kAdditionalAddressFamily);
        return true;
      });
  add("family-of-the-client", "gives a client on IPv6 an IPv6 address that it did not ask for",
      "7.2", {"turn.alloc.raf-absent-over-v6"}, [](Passing& p) {
        if (p.message.IsRequest(Method::kAllocate) && p.tuple.client.ip.IsV6() &&
            !p.message.Has(AttributeType::kRequestedAddressFamily) &&
            !p.message.Has(AttributeType::kAdditionalAddressFamily) &&
            !p.message.Has(AttributeType::kReservationToken)) {
          p.message.Set(AttributeType::kRequestedAddressFamily, {2, 0, 0, 0});
        }
        return true;
      });
  add("allocate-lifetime-ignored", "ignores LIFETIME in Allocate", "7.2", {},
      Overlook<AttributeType::kLifetime>);
  faults.back().survives =
      "a server may have a maximum that is its default, and then it looks the same";
  add("refresh-lifetime-ignored", "ignores a LIFETIME above the default in Refresh", "8.2",
      {"turn.refresh.life-mid"}, [](Passing& p) {
        if (p.message.IsRequest(Method::kRefresh) &&
            p.message.U32(AttributeType::kLifetime).value_or(0) > 600) {
          p.message.Remove(AttributeType::kLifetime);
        }
        return true;
      });
  add("dont-fragment-refused", "answers DONT-FRAGMENT with 400", "7.2",
      {"turn.alloc.df-unsupported"}, [](Passing& p) {
        if (p.message.IsRequest(Method::kAllocate) && p.message.Has(AttributeType::kDontFragment))
          p.message.Remove(AttributeType::kRequestedTransport);
        return true;
      });
}

}  // namespace

void AddAllocationFaults(std::vector<Fault>& faults) {
  AddQuirkFaults(faults);
  AddResponseFaults(faults);
  AddRequestFaults(faults);
}

}  // namespace rtclab::conformance
