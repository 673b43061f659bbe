#include "scenarios/cause_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "sim/firewall/firewall_rules.h"
#include "sim/ip/ip_rules.h"
#include "sim/link/link_rules.h"
#include "sim/nat/nat_rules.h"

namespace rtclab::scenarios {
namespace {

constexpr std::string_view kFirewallRule = sim::firewall_rule::kNamedRulePrefix;
// What a server's refusal or silence is called; see execution/endpoint.cc.
constexpr std::array<const char*, 3> kServerRules = {"stun.no-answer", "turn.no-answer",
                                                     "turn.allocation-lost"};
// Followed by the error code of the response (RFC 8489 section 14.8: 300 to 699), of which the messages name a common one.
struct CodeRule {
  std::string_view prefix, code;
};
constexpr std::array<CodeRule, 3> kCodeRules = {
    {{"stun.error-", "500"}, {"turn.error-", "486"}, {"turn.peer-refused-", "403"}}};

std::vector<std::string> KnownRules(const sim::NetworkSpec& network) {
  std::vector<std::string> rules;
  const auto add = [&](const auto& table) {
    for (const sim::RuleInfo& rule : table) {
      if (rule.id != kFirewallRule) rules.emplace_back(rule.id);
    }
  };
  add(sim::nat_rule::kTable);
  add(sim::firewall_rule::kTable);
  for (const sim::LanSpec& lan : network.lans) {
    if (!lan.firewall) continue;
    for (const sim::FirewallRule& rule : lan.firewall->rules)
      rules.push_back(std::string(kFirewallRule) + rule.name);
  }
  add(sim::link_rule::kTable);
  add(sim::ip_rule::kTable);
  rules.insert(rules.end(), kServerRules.begin(), kServerRules.end());
  for (const CodeRule& rule : kCodeRules)
    rules.push_back(std::string(rule.prefix) + std::string(rule.code));
  return rules;
}

bool IsCodeRule(std::string_view rule) {
  return std::ranges::any_of(kCodeRules, [&](const CodeRule& known) {
    const std::string_view prefix = known.prefix;
    if (!rule.starts_with(prefix) || rule.size() != prefix.size() + 3) return false;
    const std::string_view code = rule.substr(prefix.size());
    return code[0] >= '3' && code[0] <= '6' &&
           std::ranges::all_of(code, [](char c) { return c >= '0' && c <= '9'; });
  });
}

}  // namespace

void CheckCause(const Node& cause, const sim::NetworkSpec& network, bool applies, Report& report) {
  for (const Node& item : cause.items) CheckCause(item, network, applies, report);
  if (!cause.IsString() || IsCodeRule(cause.text)) return;
  if (!applies && cause.text.starts_with(kFirewallRule)) return;
  const std::vector<std::string> known = KnownRules(network);
  if (std::ranges::find(known, cause.text) != known.end()) return;
  report.Add(cause.origin,
             fmt::format("unknown rule {}{}", Quoted(cause.text), Suggestion(cause.text, known)));
}

}  // namespace rtclab::scenarios
