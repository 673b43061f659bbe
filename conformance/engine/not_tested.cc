#include "conformance/engine/not_tested.h"

#include <fmt/format.h>

#include <algorithm>

namespace rtclab::conformance {
namespace {

bool DidNotRun(const CaseResult& result) {
  return result.verdict.outcome == Outcome::kSkipped ||
         result.verdict.outcome == Outcome::kUnsupported;
}

bool Wants(const Case& test_case, Feature feature) {
  const auto& wanted = test_case.needs.features;
  return std::find(wanted.begin(), wanted.end(), feature) != wanted.end();
}

template <typename Concerned>
int CountWithout(const std::vector<CaseResult>& results, const Concerned& concerned) {
  return static_cast<int>(std::count_if(
      results.begin(), results.end(),
      [&](const CaseResult& result) { return DidNotRun(result) && concerned(*result.test_case); }));
}

bool NeedsTurn(const Case& test_case) {
  return test_case.needs.credentials || Wants(test_case, Feature::kTurn);
}

void AddTurn(const RunContext& run, const std::vector<CaseResult>& results,
             std::vector<NotTested>& out) {
  const Target& target = run.target();
  if (target.stun_only || target.user || run.Supports(Feature::kTurn) ||
      target.declared.contains(Feature::kTurn)) {
    return;
  }
  const bool asks = !run.features.at(Feature::kTurn).known;
  out.push_back({.part = "TURN",
                 .cases = CountWithout(results, NeedsTurn),
                 .why = asks ? "the server asks for credentials, and no user was given"
                             : "no allocation without a user: " + run.HowKnown(Feature::kTurn),
                 .how = "name a user of the server with --user and the password in RTCLAB_PASSWORD "
                        "(or --rest-secret, --oauth-kid); a stun: URI says that only STUN is "
                        "meant"});
}

// By which feature it was found out whether the endpoint answers; none: it was not asked.
std::optional<Feature> ProbeOf(const Target& target, Transport transport, AddressFamily family) {
  if (family == target.family || !target.endpoints.contains({transport, target.family})) {
    return TransportFeature(transport);
  }
  if (family == AddressFamily::kIpv6) return Feature::kIpv6Transport;
  return std::nullopt;
}

void AddEndpoints(const RunContext& run, const std::vector<CaseResult>& results,
                  std::vector<NotTested>& out) {
  const Target& target = run.target();
  for (const auto& [where, endpoint] : target.endpoints) {
    const Transport transport = where.first;
    const AddressFamily family = where.second;
    // turn: names TCP beside UDP; whether it is there is for the probe to find out.
    if (!target.named.contains(where)) continue;
    const auto feature = ProbeOf(target, transport, family);
    if (!feature || run.Supports(*feature) || target.declared.contains(*feature)) continue;
    const auto concerned = [&](const Case& c) {
      return c.needs.transport == transport || Wants(c, *feature) ||
             (*feature == Feature::kIpv6Transport && c.needs.family == AddressFamily::kIpv6);
    };
    out.push_back({.part = fmt::format("{} over {}", endpoint.ToString(), ToString(transport)),
                   .cases = CountWithout(results, concerned),
                   .why = "it was named, but can't be used: " + run.HowKnown(*feature),
                   .how = "see that the server listens there and is let through; then run again"});
  }
}

}  // namespace

std::vector<NotTested> FindNotTested(const RunContext& run,
                                     const std::vector<CaseResult>& results) {
  std::vector<NotTested> out;
  if (run.features.contains(Feature::kTurn)) AddTurn(run, results, out);
  AddEndpoints(run, results, out);
  for (const std::string& unused : run.target().unused) {
    out.push_back({.part = unused,
                   .why = "an endpoint of the same transport and address family was named before",
                   .how = "give it a run of its own"});
  }
  return out;
}

bool AnyRan(const std::vector<CaseResult>& results) {
  return !std::all_of(results.begin(), results.end(), DidNotRun);
}

}  // namespace rtclab::conformance
