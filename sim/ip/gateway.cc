#include "sim/ip/gateway.h"

#include <utility>

namespace rtclab::sim {
namespace {

bool Changed(const PacketInfo& packet, const Verdict& verdict) {
  return verdict.tuple != packet.tuple ||
         (verdict.embedded && packet.icmp_error && *verdict.embedded != packet.icmp_error->tuple);
}

}  // namespace

Gateway::Gateway(const std::string& lan, std::optional<Nat> nat, std::optional<Firewall> firewall)
    : nat_name_("nat/" + lan),
      firewall_name_("firewall/" + lan),
      nat_(std::move(nat)),
      firewall_(std::move(firewall)) {}

void Gateway::Reboot(Rng rng) {
  // Static address translation is configuration, not state.
  if (nat_ && !nat_->behaviour().one_to_one) {
    nat_ = Nat(nat_->behaviour(), nat_->external_addresses(), rng);
  }
  if (firewall_) firewall_ = Firewall(firewall_->behaviour());
}

Gateway::Decision Gateway::Outbound(Timestamp now, const PacketInfo& packet) {
  Decision decision;
  decision.verdict.tuple = packet.tuple;
  decision.where = &firewall_name_;
  if (firewall_) {
    decision.verdict = firewall_->Outbound(now, packet);
    if (decision.verdict.dropped()) return decision;
  }
  if (nat_) {
    decision.where = &nat_name_;
    decision.verdict = nat_->Outbound(now, packet);
    decision.changed = !decision.verdict.dropped() && Changed(packet, decision.verdict);
  }
  return decision;
}

Gateway::Decision Gateway::Inbound(Timestamp now, const PacketInfo& packet) {
  Decision decision;
  decision.verdict.tuple = packet.tuple;
  decision.where = &firewall_name_;
  if (nat_) {
    decision.where = &nat_name_;
    decision.verdict = nat_->Inbound(now, packet);
    if (decision.verdict.dropped()) return decision;
    decision.changed = Changed(packet, decision.verdict);
  }
  if (firewall_) {
    PacketInfo inside = packet;
    inside.tuple = decision.verdict.tuple;
    if (inside.icmp_error && decision.verdict.embedded) {
      inside.icmp_error->tuple = *decision.verdict.embedded;
    }
    Verdict verdict = firewall_->Inbound(now, inside);
    if (verdict.dropped()) {
      decision.where = &firewall_name_;
      decision.verdict = std::move(verdict);
    }
  }
  return decision;
}

}  // namespace rtclab::sim
