#include "conformance/engine/case_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "conformance/engine/overlay.h"
#include "conformance/engine/test.h"

namespace rtclab::conformance {
namespace {

constexpr TimeDelta kCaseLimit = TimeDelta::Seconds(30);
// The longest lifetime waited for is 10 minutes (a channel's, RFC 8656 section 12).
constexpr TimeDelta kSlowCaseLimit = TimeDelta::Seconds(900);
constexpr TimeDelta kTooLongToRepeat = TimeDelta::Seconds(60);

struct Place {
  Transport transport{};
  AddressFamily family{};
};

// Where a case runs: over what it asks for, else over what the user named; in the other family where only that is known.
std::optional<Place> FindPlace(const Target& target, const Needs& needs) {
  const Transport transport = needs.transport.value_or(target.transport);
  const AddressFamily family = needs.family.value_or(target.family);
  if (target.endpoints.contains({transport, family})) return Place{transport, family};
  if (needs.family) return std::nullopt;
  const AddressFamily other =
      family == AddressFamily::kIpv4 ? AddressFamily::kIpv6 : AddressFamily::kIpv4;
  if (target.endpoints.contains({transport, other})) return Place{transport, other};
  return std::nullopt;
}

Verdict Missing(Outcome outcome, std::string reason) {
  return {.outcome = outcome, .reason = std::move(reason)};
}

std::optional<Verdict> MissingFeature(const RunContext& run, Feature feature) {
  if (run.Supports(feature)) return std::nullopt;
  // What no probe could tell is not held against the server, and not said of it either.
  const auto found = run.features.find(feature);
  const bool known = found == run.features.end() || found->second.known;
  return Missing(known ? Outcome::kUnsupported : Outcome::kSkipped,
                 fmt::format("{}: {}", ToString(feature), run.HowKnown(feature)));
}

std::optional<Verdict> MissingPeer(const RunContext& run, const Needs& needs,
                                   AddressFamily family) {
  if (needs.peer == PeerNeed::kNone) return std::nullopt;
  if (run.peers.empty())
    return Missing(Outcome::kSkipped, "there is no peer that the server reaches");
  if (needs.peer == PeerNeed::kAny) return std::nullopt;
  const bool local = std::any_of(run.peers.begin(), run.peers.end(),
                                 [](const auto& p) { return p.second == PeerPlan::Kind::kLocal; });
  if (needs.peer == PeerNeed::kTcp) {
    if (local || run.target().peers.kind == PeerPlan::Kind::kRemote) return std::nullopt;
    return Missing(Outcome::kSkipped,
                   "needs a TCP peer that the server reaches: this host, or rtclab peer-echo on "
                   "another (--peer-echo)");
  }
  if (!local) return Missing(Outcome::kSkipped, "needs a peer with an address of this host");
  if (needs.peer != PeerNeed::kTwoLocal) return std::nullopt;
  const auto own = run.own.find(family);
  if (own != run.own.end() && own->second.size() >= 2) return std::nullopt;
  return Missing(Outcome::kSkipped, "needs peers on two addresses of this host");
}

// Why a case can't run, if it can't.
std::optional<Verdict> CanNotRun(const RunContext& run, const Case& test_case,
                                 const std::optional<Place>& place) {
  const Target& target = run.target();
  const Needs& needs = test_case.needs;
  const auto wants = [&](Feature feature) {
    return std::find(needs.features.begin(), needs.features.end(), feature) != needs.features.end();
  };
  if (target.stun_only && (needs.credentials || wants(Feature::kTurn))) {
    return MissingFeature(run, Feature::kTurn);
  }
  if (needs.transport) {
    const Feature feature = TransportFeature(*needs.transport);
    if (target.declared.contains(feature) || place) {
      if (auto missing = MissingFeature(run, feature)) return missing;
    }
  }
  if (!place) {
    return Missing(Outcome::kSkipped,
                   fmt::format("no {}{} endpoint of the server is known",
                               needs.family == AddressFamily::kIpv6 ? "IPv6 " : "",
                               ToString(needs.transport.value_or(target.transport))));
  }
  if (needs.credentials && !target.user) {
    return Missing(Outcome::kSkipped, "needs a user of the server: --user and --password");
  }
  if (needs.second_user && !target.second_user) {
    return Missing(Outcome::kSkipped, "needs a second user: --user2 and --password2");
  }
  if (needs.credentials && !run.Supports(Feature::kTurn)) {
    return MissingFeature(run, Feature::kTurn);
  }
  for (const Feature feature : needs.features) {
    if (auto missing = MissingFeature(run, feature)) return missing;
  }
  if (needs.denied_peer && !target.denied_peer) {
    return Missing(Outcome::kSkipped, "needs an address that the server is known to refuse");
  }
  return MissingPeer(run, needs, place->family);
}

Verdict Judge(const Case& test_case, Session& session) {
  try {
    Test test(test_case, session);
    test_case.run(test);
    return {};
  } catch (const Stop& stop) {
    Verdict verdict = stop.verdict;
    if (stop.graded) {
      verdict.outcome =
          Grade(test_case.clauses.empty() ? Level::kMust : test_case.clauses.front().level);
    }
    return verdict;
  } catch (const Interruption&) {
    return Missing(Outcome::kSkipped, WhyStopped());
  } catch (const std::exception& e) {
    return Missing(Outcome::kError, fmt::format("unexpected exception: {}", e.what()));
  } catch (...) {
    return Missing(Outcome::kError, "unexpected exception");
  }
}

CaseResult Attempt(RunContext& run, const Case& test_case, const Place& place, int attempt) {
  CaseResult result;
  result.test_case = &test_case;
  result.transport = place.transport;
  result.family = place.family;
  const Timestamp before = RealNow();
  Session session(run, test_case.id, attempt, place.transport, place.family,
                  test_case.slow ? kSlowCaseLimit : kCaseLimit);
  result.verdict = Judge(test_case, session);
  result.exchange = std::move(session.exchange());
  result.elapsed = RealNow() - before;
  return result;
}

bool WorthRepeating(Outcome outcome) {
  return outcome == Outcome::kFail || outcome == Outcome::kWeak || outcome == Outcome::kBlocked ||
         outcome == Outcome::kError;
}

}  // namespace

std::string WhyStopped() {
  return Interrupted() ? "the run was stopped" : "the time of the whole run was over";
}

CaseResult RunCase(RunContext& run, const Case& test_case, const Overlay* overlay, bool repeat) {
  const Known* known = nullptr;
  if (overlay) {
    const auto found = overlay->expected.find(test_case.id);
    if (found != overlay->expected.end()) known = &found->second;
  }
  const auto place = FindPlace(run.target(), test_case.needs);
  CaseResult result;
  if (auto verdict = CanNotRun(run, test_case, place)) {
    result.test_case = &test_case;
    result.transport = test_case.needs.transport.value_or(run.target().transport);
    result.family = test_case.needs.family.value_or(run.target().family);
    result.verdict = std::move(*verdict);
  } else {
    result = Attempt(run, test_case, *place, 1);
    const bool expected = known && Compare(result.verdict, *known) == Expectation::kExpectedFail;
    if (repeat && WorthRepeating(result.verdict.outcome) && !expected && !Interrupted() &&
        !run.OutOfTime() && result.elapsed < kTooLongToRepeat) {
      const Verdict first = result.verdict;
      result = Attempt(run, test_case, *place, 2);
      if (result.verdict.outcome == Outcome::kPass && first.outcome != Outcome::kBlocked) {
        result.flaky = true;
        result.first_failure = first.expected.empty() ? first.reason
                                                      : fmt::format("expected {}, got {}",
                                                                    first.expected, first.actual);
      }
    }
  }
  if (known) {
    result.expectation = Compare(result.verdict, *known);
    if (result.expectation != Expectation::kNone) result.known = known->Text();
  }
  return result;
}

}  // namespace rtclab::conformance
