#include "scenarios/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "scenarios/language.h"
#include "scenarios/structure.h"

namespace rtclab::scenarios {
namespace {

constexpr std::size_t kLongestLabel = 200;
constexpr std::size_t kMaxAxisValues = 50'000;

// The label as part of a file name: "20 ms" becomes "20-ms", "1 %" becomes "1-pct".
std::string Slug(std::string_view label) {
  std::string out;
  for (const char c : label) {
    if (c == '%') {
      out += "pct";
    } else if (IsName(std::string_view(&c, 1)) || c == '.' || c == '_' || c == '-') {
      out += c;
    } else {
      out += '-';
    }
  }
  constexpr std::size_t kLongest = 48;
  if (out.size() > kLongest) out.resize(kLongest);
  return out.empty() ? "empty" : out;
}

std::optional<std::string> ScalarText(const Node& node) {
  switch (node.type) {
    case Node::Type::kNull:
      return "null";
    case Node::Type::kBool:
      return node.boolean ? "true" : "false";
    case Node::Type::kInteger:
      return std::to_string(node.integer);
    case Node::Type::kReal:
      return fmt::format("{}", node.real);
    case Node::Type::kString:
      return node.text;
    case Node::Type::kArray:
    case Node::Type::kObject:
      break;
  }
  return std::nullopt;
}

// "1..5".
std::optional<std::pair<int64_t, int64_t>> ParseRange(std::string_view text) {
  const auto dots = text.find("..");
  if (dots == std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view s) -> std::optional<int64_t> {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
    if (error != std::errc() || end != s.data() + s.size()) return std::nullopt;
    return value;
  };
  const auto low = number(text.substr(0, dots)), high = number(text.substr(dots + 2));
  if (!low || !high || *low > *high) return std::nullopt;
  return std::pair(*low, *high);
}

std::size_t Weight(const Node& node) {
  std::size_t weight = 100 + node.text.size();
  for (const Node& item : node.items) weight += Weight(item);
  for (const Member& member : node.members) weight += member.key.size() + Weight(member.value);
  return weight;
}

Node NullNode(OriginId origin) {
  Node node;
  node.origin = origin;
  return node;
}

Node StringNode(std::string text, OriginId origin) {
  Node node;
  node.type = Node::Type::kString;
  node.text = std::move(text);
  node.origin = origin;
  return node;
}

// The values that a text stands for, or none.
std::vector<Node> NamedValues(const Node& node, Report& report) {
  std::vector<std::string> names;
  if (node.text == "nat-presets") {
    names = NatPresetNames();
  } else if (node.text == "firewall-presets") {
    names = FirewallPresetNames();
  } else if (node.text == "link-presets") {
    names = LinkPresetNames();
  } else if (const auto range = ParseRange(node.text)) {
    const auto count = static_cast<uint64_t>(range->second) - static_cast<uint64_t>(range->first);
    if (count >= kMaxAxisValues) {
      report.Add(node.origin, fmt::format("{} are too many values; expected at most {}",
                                          Quoted(node.text), kMaxAxisValues));
      return {};
    }
    std::vector<Node> out;
    for (int64_t v = range->first;; ++v) {
      Node& value = out.emplace_back();
      value.type = Node::Type::kInteger;
      value.integer = v;
      value.real = static_cast<double>(v);
      value.origin = node.origin;
      if (v == range->second) return out;
    }
  } else {
    const std::vector<std::string> valid = {"nat-presets", "link-presets", "firewall-presets"};
    report.Add(node.origin,
               fmt::format("{} is neither a list, a range such as \"1..5\" nor a name of a list{}",
                           Quoted(node.text), Suggestion(node.text, valid)));
    return {};
  }
  std::vector<Node> out;
  out.reserve(names.size());
  for (std::string& name : names) out.push_back(StringNode(std::move(name), node.origin));
  return out;
}

AxisValue ReadValue(const Node& item, Report& report) {
  AxisValue out;
  const Node* label = item.IsObject() ? item.Find("label") : nullptr;
  const Node* value = item.IsObject() ? item.Find("value") : nullptr;
  if (label != nullptr && value != nullptr && item.members.size() == 2 && label->IsString() &&
      label->text.size() <= kLongestLabel) {
    out.label = label->text;
    out.value = *value;
    out.labelled = true;
  } else if (auto text = ScalarText(item); text && text->size() > kLongestLabel) {
    report.Add(item.origin,
               fmt::format("a value of a matrix has {} characters; expected at most {}, or "
                           "{{\"label\": \"...\", \"value\": ...}}",
                           text->size(), kLongestLabel));
  } else if (text) {
    out.label = std::move(*text);
    out.value = item;
  } else {
    report.Add(item.origin, fmt::format("{} needs a label as a value of a matrix; expected "
                                        "{{\"label\": \"...\", \"value\": ...}}",
                                        Describe(item)));
  }
  out.slug = Slug(out.label);
  return out;
}

void MakeSlugsUnique(Axis& axis) {
  std::set<std::string> seen;
  for (AxisValue& value : axis.values) {
    std::string slug = value.slug;
    for (int n = 2; !seen.insert(slug).second; ++n) slug = fmt::format("{}~{}", value.slug, n);
    value.slug = std::move(slug);
  }
}

}  // namespace

Matrix::Matrix() : combinations_{{}} {}

Matrix::Matrix(const Node& node, std::size_t max_combinations, Report& report) {
  const std::size_t before = report.count();
  CheckStructure(node, *TheLanguage().matrix, report);
  if (report.count() > before) return;
  With(node, "groups", [&](const Node& groups) { groups_ = groups; });
  std::vector<Axis> paired;
  With(node, "cartesian", [&](const Node& axes) { ReadAxes(axes, axes_, report); });
  With(node, "paired", [&](const Node& axes) { ReadAxes(axes, paired, report); });
  if (report.count() > before) return;
  Multiply(paired, max_combinations, node, report);
  if (report.count() == before) CheckGroups(report);
  if (report.count() > before) {
    combinations_.clear();
    return;
  }
  With(node, "exclude", [&](const Node& patterns) {
    std::vector<Combination> kept;
    for (const Combination& c : combinations_) {
      const bool excluded =
          std::any_of(patterns.items.begin(), patterns.items.end(),
                      [&](const Node& pattern) { return Matches(pattern, c, report); });
      if (!excluded) kept.push_back(c);
    }
    combinations_ = std::move(kept);
  });
  if (combinations_.empty() && report.count() == before) {
    report.Add(node.origin, "\"exclude\" leaves no combination of this matrix");
  }
}

void Matrix::ReadAxes(const Node& axes, std::vector<Axis>& out, Report& report) const {
  for (const Member& member : axes.members) {
    if (FindAxis(member.key) != nullptr) {
      report.Add(member.value.origin, fmt::format("the axis \"{}\" is given twice", member.key),
                 true);
      continue;
    }
    Axis axis{.name = member.key, .values = {}};
    const bool named = member.value.IsString();
    for (const Node& item : named ? NamedValues(member.value, report) : member.value.items) {
      AxisValue value = ReadValue(item, report);
      axis.values.push_back(std::move(value));
    }
    for (const AxisValue& value : axis.values) {
      if (!axis.labels.insert(value.label).second && !value.label.empty()) {
        report.Add(value.value.origin, fmt::format("the value {} is twice in axis \"{}\"",
                                                   Quoted(value.label), axis.name));
      }
    }
    MakeSlugsUnique(axis);
    out.push_back(std::move(axis));
  }
}

void Matrix::Multiply(const std::vector<Axis>& paired, std::size_t max_combinations,
                      const Node& node, Report& report) {
  if (axes_.empty() && paired.empty()) {
    report.Add(node.origin,
               "an empty matrix gives no runs; expected \"cartesian\" or \"paired\" with an axis");
    return;
  }
  const std::size_t rows = paired.empty() ? 1 : paired.front().values.size();
  for (const Axis& axis : paired) {
    if (axis.values.size() == rows) continue;
    report.Add(node.Find("paired")->Find(axis.name)->origin,
               fmt::format("paired axes need equally many values; \"{}\" has {}, \"{}\" has {}",
                           paired.front().name, rows, axis.name, axis.values.size()));
    return;
  }
  std::size_t total = rows;
  for (const Axis& axis : axes_) {
    if (axis.values.size() > max_combinations / std::max<std::size_t>(total, 1)) {
      report.Add(node.origin,
                 fmt::format("the matrix has more than {} combinations", max_combinations));
      return;
    }
    total *= axis.values.size();
  }
  const std::size_t cartesian = axes_.size();
  axes_.insert(axes_.end(), paired.begin(), paired.end());
  for (std::size_t i = 0; i < total; ++i) {
    Combination combination(axes_.size(), i % rows);
    std::size_t rest = i / rows;
    for (std::size_t a = cartesian; a-- > 0; rest /= axes_[a].values.size())
      combination[a] = rest % axes_[a].values.size();
    combinations_.push_back(std::move(combination));
  }
}

bool Matrix::ElementMatches(const Node& element, const Axis& axis, const AxisValue& value,
                            Report& report) const {
  if (element.IsString() && element.text.starts_with('@')) {
    const std::string name = element.text.substr(1);
    const Node* group = groups_.Find(name);
    if (group == nullptr) {
      std::vector<std::string> names;
      for (const Member& member : groups_.members) names.push_back("@" + member.key);
      report.Add(element.origin, fmt::format("unknown group {}{}", Quoted(element.text),
                                             Suggestion(element.text, names)));
      return false;
    }
    bool any = false;
    for (const Node& item : group->items) any |= ValueMatches(item, axis, value, report);
    return any;
  }
  return ValueMatches(element, axis, value, report);
}

bool Matrix::ValueMatches(const Node& element, const Axis& axis, const AxisValue& value,
                          Report& report) {
  const auto text = ScalarText(element);
  if (text == std::optional(value.label)) return true;
  if (!text || !axis.labels.contains(*text)) {
    std::vector<std::string> labels;
    for (const AxisValue& v : axis.values) labels.push_back(v.label);
    report.Add(element.origin, fmt::format("{} is no value of the axis \"{}\"{}", Describe(element),
                                           axis.name, Suggestion(text.value_or(""), labels)));
  }
  return false;
}

// A group that nothing uses has to fit some axis.
void Matrix::CheckGroups(Report& report) const {
  for (const Member& group : groups_.members) {
    for (const Node& item : group.value.items) {
      const auto text = ScalarText(item);
      if (text &&
          std::ranges::any_of(axes_, [&](const Axis& a) { return a.labels.contains(*text); }))
        continue;
      std::vector<std::string> labels;
      for (const Axis& axis : axes_) {
        for (const AxisValue& v : axis.values) {
          if (std::ranges::find(labels, v.label) == labels.end()) labels.push_back(v.label);
        }
      }
      report.Add(item.origin, fmt::format("{} is no value of any axis{}", Describe(item),
                                          Suggestion(text.value_or(""), labels)));
    }
  }
}

bool Matrix::Matches(const Node& pattern, const Combination& combination, Report& report) const {
  bool matches = true;
  for (const Member& member : pattern.members) {
    const Axis* axis = FindAxis(member.key);
    if (axis == nullptr) {
      report.Add(member.value.origin,
                 fmt::format("the matrix has no axis {}{}", Quoted(member.key),
                             Suggestion(member.key, AxisNames())),
                 true);
      return false;
    }
    const AxisValue& value =
        axis->values[combination[static_cast<std::size_t>(axis - axes_.data())]];
    bool any = false;
    if (member.value.IsArray()) {
      for (const Node& element : member.value.items)
        any |= ElementMatches(element, *axis, value, report);
    } else {
      any = ElementMatches(member.value, *axis, value, report);
    }
    matches &= any;
  }
  return matches;
}

const Axis* Matrix::FindAxis(std::string_view name) const {
  const auto found =
      std::find_if(axes_.begin(), axes_.end(), [&](const Axis& a) { return a.name == name; });
  return found == axes_.end() ? nullptr : &*found;
}

std::vector<std::string> Matrix::AxisNames() const {
  std::vector<std::string> names;
  for (const Axis& axis : axes_) names.push_back(axis.name);
  return names;
}

Node Matrix::Substituted(const Node& node, const Combination& combination, Report& report) const {
  std::size_t budget = kMaxExpansion;
  Node out = Substitute(node, combination, report, budget);
  if (budget == 0) report.Add(node.origin, "the parameters make this too large");
  return out;
}

Node Matrix::Substitute(const Node& node, const Combination& combination, Report& report,
                        std::size_t& budget) const {
  if (budget == 0) return NullNode(node.origin);
  if (node.IsString() && node.text.find("${") != std::string::npos) {
    // A text that is one parameter becomes its value.
    if (node.text.starts_with("${") && node.text.find('}') == node.text.size() - 1) {
      const std::string name = node.text.substr(2, node.text.size() - 3);
      if (const Axis* axis = FindAxis(name)) {
        const Node& value =
            axis->values[combination[static_cast<std::size_t>(axis - axes_.data())]].value;
        budget -= std::min(budget, Weight(value));
        return budget == 0 ? NullNode(node.origin) : value;
      }
    }
    Node out = StringNode(Expanded(node, combination, report), node.origin);
    budget -= std::min(budget, Weight(out));
    return out;
  }
  Node out = node;
  for (Node& item : out.items) item = Substitute(item, combination, report, budget);
  for (Member& member : out.members)
    member.value = Substitute(member.value, combination, report, budget);
  return out;
}

std::string Matrix::Expanded(const Node& node, const Combination& combination,
                             Report& report) const {
  std::string out;
  std::string_view rest = node.text;
  for (;;) {
    const auto open = rest.find("${");
    out += rest.substr(0, open);
    if (open == std::string_view::npos) return out;
    const auto close = rest.find('}', open);
    if (close == std::string_view::npos) {
      report.Add(node.origin, fmt::format("\"${{\" without \"}}\" in {}", Quoted(node.text)));
      return out;
    }
    const std::string name(rest.substr(open + 2, close - open - 2));
    rest.remove_prefix(close + 1);
    const Axis* axis = FindAxis(name);
    if (axis == nullptr) {
      report.Add(node.origin, axes_.empty()
                                  ? fmt::format("{} names a parameter, and there is no matrix",
                                                Quoted("${" + name + "}"))
                                  : fmt::format("unknown parameter {}{}", Quoted(name),
                                                Suggestion(name, AxisNames())));
      continue;
    }
    const AxisValue& value =
        axis->values[combination[static_cast<std::size_t>(axis - axes_.data())]];
    if (const auto text = ScalarText(value.value)) {
      out += *text;
    } else {
      report.Add(
          node.origin,
          fmt::format(
              "the parameter \"{}\" is {} and can only be a whole value, not a part of a text",
              name, Describe(value.value)));
    }
  }
}

Json Matrix::Parameters(const Combination& combination) const {
  Json out = Json::object();
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    const AxisValue& value = axes_[i].values[combination[i]];
    out[axes_[i].name] = value.labelled ? Json(value.label) : value.value.ToJson();
  }
  return out;
}

std::string Matrix::Id(const Combination& combination) const {
  std::string out;
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    out += fmt::format("{}{}={}", i == 0 ? "" : ",", axes_[i].name,
                       axes_[i].values[combination[i]].slug);
  }
  return out;
}

}  // namespace rtclab::scenarios
