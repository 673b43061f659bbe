#include "scenarios/resolve_expect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "scenarios/cause_rules.h"
#include "scenarios/language.h"
#include "scenarios/structure.h"

namespace rtclab::scenarios {
namespace {

// What kind of quantity the values of this check are; nullopt: none.
using ValueKind = std::optional<QuantityKind>;
ValueKind ValueKindOf(const Type& check) {
  if (check.kind != Type::Kind::kChoice) return std::nullopt;
  const Type& value = *check.alternatives.front();
  return value.kind == Type::Kind::kQuantity ? ValueKind(value.quantity) : std::nullopt;
}

Json Value(const Node& node, ValueKind kind) {
  if (!kind) return node.ToJson();
  return *kind == QuantityKind::kDuration ? DurationOf(node).millis_f() : QuantityOf(node, *kind);
}

Json Tolerance(const Node& node, ValueKind kind, double equals) {
  if (node.IsNumber()) return node.real;
  if (kind == QuantityKind::kShare) return Value(node, kind);
  if (const auto share = ParseQuantity(node.text, QuantityKind::kShare)) return equals * *share;
  return Value(node, kind);
}

Json Range(const Node& node, ValueKind kind, Report& report) {
  const Node* min = node.Find("min");
  const Node* max = node.Find("max");
  const Node* equals = node.Find("equals");
  const Node* tolerance = node.Find("tolerance");
  const bool bounds = min != nullptr || max != nullptr;
  if (bounds == (equals != nullptr) || (tolerance != nullptr && equals == nullptr)) {
    report.Add(node.origin,
               "expected either \"min\" or \"max\" or both, or \"equals\" with a \"tolerance\"");
    return nullptr;
  }
  Json out = Json::object();
  if (equals != nullptr) {
    out["equals"] = Value(*equals, kind);
    out["tolerance"] =
        tolerance == nullptr ? Json(0) : Tolerance(*tolerance, kind, out["equals"].get<double>());
    return out;
  }
  if (min != nullptr) out["min"] = Value(*min, kind);
  if (max != nullptr) out["max"] = Value(*max, kind);
  if (min != nullptr && max != nullptr && out["min"].get<double>() > out["max"].get<double>()) {
    report.Add(node.origin, "\"min\" is more than \"max\"");
  }
  return out;
}

constexpr std::array<std::string_view, 3> kReserved = {"when", "because", "misses"};

bool IsReserved(std::string_view key) {
  return std::find(kReserved.begin(), kReserved.end(), key) != kReserved.end();
}

class ExpectationResolver {
 public:
  ExpectationResolver(const Matrix& matrix, const Combination& combination, const Origins& origins,
                      Report& report, RunSpec& run)
      : matrix_(matrix), combination_(combination), origins_(origins), report_(report), run_(run) {}

  void Entry(const Node& entry) {
    const Node* when = entry.Find("when");
    // The entry is checked even where it does not apply: its mistakes are the file's, not this run's.
    const bool applies = when == nullptr || matrix_.Matches(*when, combination_, report_);
    std::string because;
    Read(entry, "because", because);
    if (const Node* misses = entry.Find("misses"); misses != nullptr && applies) {
      run_.misses.push_back(misses->text);
    }
    for (const Member& member : entry.members) {
      if (!IsReserved(member.key)) Subject(member, because, applies);
    }
  }

 private:
  void Subject(const Member& subject, const std::string& because, bool applies) {
    const Type* type = TypeOf(subject);
    if (type == nullptr) return;
    const std::size_t before = report_.count();
    CheckStructure(subject.value, *type, report_);
    if (report_.count() > before) return;
    std::string reason = because;
    Read(subject.value, "because", reason);
    for (const Member& member : subject.value.members) {
      if (member.key == "because") continue;
      if (member.key == "cause") CheckCause(member.value, run_.network, applies, report_);
      NeedPeer(subject.key, member);
      const std::string pointer =
          origins_.Pointer(subject.value.origin) + "/" + PointerToken(member.key);
      if (member.key == "windows") {
        Windows(subject.key, member.value, pointer, reason, applies);
        continue;
      }
      Expectation expectation;
      expectation.pointer = pointer;
      expectation.subject = subject.key;
      expectation.key = member.key;
      expectation.because = reason;
      Add(std::move(expectation), member.value, *type->Find(member.key)->type, applies);
    }
  }

  void Add(Expectation expectation, const Node& value, const Type& type, bool applies) {
    const ValueKind kind = ValueKindOf(type);
    if (value.IsObject()) {
      expectation.value = Range(value, kind, report_);
    } else if (value.IsArray()) {
      expectation.value = Json::array();
      for (const Node& item : value.items) expectation.value.push_back(Value(item, kind));
    } else {
      expectation.value = Value(value, kind);
    }
    if (applies) run_.expectations.push_back(std::move(expectation));
  }

  // Some keys speak of what only a session with media or data has.
  void NeedPeer(const std::string& subject, const Member& member) {
    const auto session = std::find_if(run_.sessions.begin(), run_.sessions.end(),
                                      [&](const SessionSpec& s) { return s.name == subject; });
    if (session == run_.sessions.end() || session->peer || !IsPeerExpectation(member.key)) return;
    report_.Add(member.value.origin,
                fmt::format("\"{}\" needs a session with \"media\" or \"data\"", member.key), true);
  }

  void Windows(const std::string& subject, const Node& list, const std::string& pointer,
               const std::string& because, bool applies) {
    const SessionSpec& session =
        *std::find_if(run_.sessions.begin(), run_.sessions.end(),
                      [&](const SessionSpec& s) { return s.name == subject; });
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      const Node& item = list.items[i];
      const WindowSpec window = Window(item, session);
      std::string reason = because;
      Read(item, "because", reason);
      bool expects = false;
      for (const Member& member : item.members) {
        if (IsWindowFrame(member.key)) continue;
        expects = true;
        Expectation expectation;
        expectation.pointer = fmt::format("{}/{}/{}", pointer, i, member.key);
        expectation.subject = subject;
        expectation.key = member.key;
        expectation.window = window;
        expectation.because = reason;
        Add(std::move(expectation), member.value, *TheLanguage().window->Find(member.key)->type,
            applies);
      }
      if (!expects) report_.Add(item.origin, "expects nothing of this stretch of time");
    }
  }

  WindowSpec Window(const Node& item, const SessionSpec& session) {
    WindowSpec window{.sender = session.a.host};
    Read(item, "from", window.from);
    Read(item, "to", window.to);
    if (window.from >= window.to) {
      report_.Add(item.origin, "ends before it begins");
    } else if (session.start + window.to > run_.max_duration) {
      report_.Add(item.Find("to")->origin,
                  fmt::format("is after the run's end, {} s", run_.max_duration.seconds()));
    }
    With(item, "sender", [&](const Node& v) {
      const std::vector<std::string> hosts = {session.a.host, session.b.host};
      window.sender = v.text;
      if (v.text == hosts[0] || v.text == hosts[1]) return;
      report_.Add(v.origin, fmt::format("the host {} is not in this session{}", Quoted(v.text),
                                        Suggestion(v.text, hosts)));
    });
    With(item, "recovery_to", [&](const Node& v) {
      window.recovery_to = QuantityOf(v, QuantityKind::kShare);
      if (item.Find("recovery_time") == nullptr) {
        report_.Add(v.origin, "\"recovery_to\" needs \"recovery_time\"", true);
      }
    });
    return window;
  }

  static bool IsWindowFrame(std::string_view key) {
    return key == "from" || key == "to" || key == "sender" || key == "because" ||
           key == "recovery_to";
  }

  const Type* TypeOf(const Member& subject) {
    std::vector<std::string> names;
    for (const SessionSpec& session : run_.sessions) {
      if (session.name == subject.key) return TheLanguage().session_expectation;
      names.push_back(session.name);
    }
    for (const ProbeSpec& probe : run_.probes) {
      if (probe.name == subject.key) return TheLanguage().probe_expectation;
      names.push_back(probe.name);
    }
    for (const FlowSpec& flow : run_.flows) {
      if (flow.name == subject.key) return TheLanguage().flow_expectation;
      names.push_back(flow.name);
    }
    names.insert(names.end(), kReserved.begin(), kReserved.end());
    report_.Add(subject.value.origin,
                fmt::format("unknown session, probe or flow {}{}", Quoted(subject.key),
                            Suggestion(subject.key, names)),
                true);
    return nullptr;
  }

  const Matrix& matrix_;
  const Combination& combination_;
  const Origins& origins_;
  Report& report_;
  RunSpec& run_;
};

}  // namespace

void ResolveExpectations(const Node& expect, const Matrix& matrix, const Combination& combination,
                         const Origins& origins, Report& report, RunSpec& run) {
  for (const std::string_view reserved : kReserved) {
    for (const SessionSpec& session : run.sessions) {
      if (session.name == reserved)
        report.Add(expect.origin, fmt::format("a session cannot be called \"{}\"", reserved));
    }
    for (const ProbeSpec& probe : run.probes) {
      if (probe.name == reserved)
        report.Add(expect.origin, fmt::format("a probe cannot be called \"{}\"", reserved));
    }
    for (const FlowSpec& flow : run.flows) {
      if (flow.name == reserved)
        report.Add(expect.origin, fmt::format("a flow cannot be called \"{}\"", reserved));
    }
  }
  ExpectationResolver resolver(matrix, combination, origins, report, run);
  if (expect.IsObject()) resolver.Entry(expect);
  for (const Node& entry : expect.items) resolver.Entry(entry);
}

}  // namespace rtclab::scenarios
