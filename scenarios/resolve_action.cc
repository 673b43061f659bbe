#include "scenarios/resolve_action.h"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/language.h"
#include "scenarios/structure.h"

namespace rtclab::scenarios {
namespace {

// Fits every link preset with IPv6, UDP and TURN around it.
constexpr double kLargestDatagram = 1200;
constexpr TimeDelta kLongestDelay = TimeDelta::Seconds(60);

using ActionKind = ActionSpec::Kind;

bool IsOfLink(ActionKind kind) {
  return kind == ActionKind::kLinkDown || kind == ActionKind::kLinkUp ||
         kind == ActionKind::kSetLink;
}

bool NeedsMedia(ActionKind kind) {
  return kind == ActionKind::kMediaPause || kind == ActionKind::kMediaResume ||
         kind == ActionKind::kAddVideo;
}

class ActionResolver {
 public:
  ActionResolver(const Node& node, const SessionSpec& session, NetworkResolver& network,
                 Report& report)
      : node_(node), session_(session), network_(network), report_(report) {}

  ActionSpec Action(TimeDelta run_end) {
    Read(node_, "at", action_.at);
    ReadEnum(node_, "do", kActionNames, action_.kind);
    if (session_.start + action_.at >= run_end) {
      report_.Add(node_.Find("at")->origin,
                  fmt::format("would happen after the run's end, {} s", run_end.seconds()));
    }
    FitsSession();
    Target();
    SendData();
    SetLink();
    return std::move(action_);
  }

 private:
  const std::string& Verb() const { return node_.Find("do")->text; }

  void FitsSession() {
    const OriginId origin = node_.Find("do")->origin;
    if (action_.kind == ActionKind::kClose && !session_.peer) {
      report_.Add(origin, "close needs a session with \"media\" or \"data\"");
    }
    if (NeedsMedia(action_.kind) && !(session_.peer && session_.peer->media)) {
      report_.Add(origin, fmt::format("{} needs a session with \"media\"", Verb()));
    }
    if (action_.kind == ActionKind::kSendData && session_.peer) {
      report_.Add(origin,
                  "send-data is for sessions of ICE alone; this one has \"media\" or \"data\"");
    }
  }

  void Only(std::string_view verb, std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
      if (const Node* value = node_.Find(key)) {
        report_.Add(value->origin, fmt::format("\"{}\" is for {} only", key, verb), true);
      }
    }
  }

  void SendData() {
    if (action_.kind != ActionKind::kSendData) {
      return Only("send-data", {"count", "size", "interval"});
    }
    action_.count = 1;
    action_.size = 1000;
    action_.interval = TimeDelta::Millis(20);
    Read(node_, "count", action_.count);
    Read(node_, "interval", action_.interval);
    With(node_, "size", [&](const Node& v) {
      const double size = QuantityOf(v, QuantityKind::kSize);
      if (size < 1 || size > kLargestDatagram) {
        report_.Add(v.origin, fmt::format("{} is out of range; expected 1 B to {} B",
                                          Quoted(v.text), kLargestDatagram));
      }
      action_.size = static_cast<int>(std::min(size, kLargestDatagram));
    });
  }

  void SetLink() {
    if (action_.kind != ActionKind::kSetLink) {
      return Only("set-link", {"rate", "delay", "loss", "direction"});
    }
    With(node_, "rate", [&](const Node& v) { action_.rate = RateOf(v); });
    With(node_, "delay", [&](const Node& v) {
      action_.delay = DurationOf(v);
      if (*action_.delay > kLongestDelay) {
        report_.Add(v.origin, fmt::format("is more than the {} s that a link may take",
                                          kLongestDelay.seconds()));
      }
    });
    With(node_, "loss", [&](const Node& v) { action_.loss = QuantityOf(v, QuantityKind::kShare); });
    With(node_, "direction", [&](const Node& v) {
      action_.up = v.text != "down";
      action_.down = v.text != "up";
    });
    if (!action_.rate && !action_.delay && !action_.loss) {
      report_.Add(node_.origin,
                  "set-link changes nothing; expected \"rate\", \"delay\" or \"loss\"");
    }
  }

  void Target() {
    const Node* host = node_.Find("host");
    const Node* network = node_.Find("network");
    const bool of_nat = action_.kind == ActionKind::kNatReboot;
    const bool of_endpoint = !of_nat && !IsOfLink(action_.kind);
    if ((host != nullptr) == (network != nullptr) || (of_endpoint && host == nullptr) ||
        (of_nat && network == nullptr)) {
      report_.Add(node_.origin, fmt::format("{} needs {}", Verb(),
                                            of_endpoint ? "a \"host\" of the session"
                                            : of_nat    ? "a \"network\" with a NAT"
                                                        : "either a \"host\" or a \"network\""));
      return;
    }
    host != nullptr ? Host(*host, of_endpoint) : Network(*network, of_nat);
  }

  void Host(const Node& host, bool of_endpoint) {
    action_.target = host.text;
    const std::vector<std::string> hosts = {session_.a.host, session_.b.host};
    if (of_endpoint && host.text != hosts[0] && host.text != hosts[1]) {
      report_.Add(host.origin, fmt::format("the host {} is not in this session{}",
                                           Quoted(host.text), Suggestion(host.text, hosts)));
    } else if (!of_endpoint && network_.FindHost(host.text) == nullptr) {
      report_.Add(host.origin, fmt::format("unknown host {}{}", Quoted(host.text),
                                           Suggestion(host.text, network_.HostNames())));
    }
  }

  void Network(const Node& network, bool of_nat) {
    action_.target = network.text;
    const sim::LanSpec* lan = network_.FindLan(network.text);
    if (lan == nullptr) {
      report_.Add(network.origin, fmt::format("unknown network {}{}", Quoted(network.text),
                                              Suggestion(network.text, network_.LanNames())));
    } else if (of_nat && !lan->nat) {
      report_.Add(network.origin, fmt::format("the network {} has no NAT", Quoted(network.text)));
    }
  }

  const Node& node_;
  const SessionSpec& session_;
  NetworkResolver& network_;
  Report& report_;
  ActionSpec action_;
};

}  // namespace

ActionSpec ResolveAction(const Node& node, const SessionSpec& session, NetworkResolver& network,
                         TimeDelta run_end, Report& report) {
  return ActionResolver(node, session, network, report).Action(run_end);
}

}  // namespace rtclab::scenarios
