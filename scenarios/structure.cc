#include "scenarios/structure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace rtclab::scenarios {
namespace {

using Kind = Type::Kind;

bool Accepts(const Type& type, const Node& node) {
  switch (type.kind) {
    case Kind::kAny:
      return true;
    case Kind::kText:
    case Kind::kName:
    case Kind::kQuantity:
    case Kind::kEnum:
      return node.IsString();
    case Kind::kTolerance:
      return node.IsString() || (type.values.front() == "integer" && node.IsNumber());
    case Kind::kBool:
      return node.type == Node::Type::kBool;
    case Kind::kInteger:
      return node.IsNumber();
    case Kind::kObject:
      return node.IsObject();
    case Kind::kList:
      return node.IsArray();
    case Kind::kChoice:
      break;
  }
  return std::any_of(type.alternatives.begin(), type.alternatives.end(),
                     [&](const Type* t) { return Accepts(*t, node); });
}

class Checker {
 public:
  explicit Checker(Report& report) : report_(report) {}

  void Check(const Node& node, const Type& type) {
    if (!Accepts(type, node)) {
      report_.Add(node.origin, fmt::format("expected {}, found {}{}", type.noun, Describe(node),
                                           UnitHint(type, node)));
      return;
    }
    switch (type.kind) {
      case Kind::kAny:
      case Kind::kText:
      case Kind::kBool:
        return;
      case Kind::kName:
        return Name(node);
      case Kind::kInteger:
        return Integer(node, type);
      case Kind::kQuantity:
        return Quantity(node, type);
      case Kind::kTolerance:
        return Tolerance(node, type);
      case Kind::kEnum:
        return Enum(node, type);
      case Kind::kObject:
        return Object(node, type);
      case Kind::kList:
        return List(node, type);
      case Kind::kChoice:
        return Choice(node, type);
    }
  }

 private:
  static std::string UnitHint(const Type& type, const Node& node) {
    const Type* quantity = &type;
    if (type.kind == Kind::kChoice) quantity = type.alternatives.front();
    if (quantity->kind != Kind::kQuantity || !node.IsNumber()) return "";
    std::vector<std::string_view> units;
    for (const Unit& unit : Units(quantity->quantity)) units.push_back(unit.name);
    return fmt::format("; quantities are strings with a unit (one of: {})", fmt::join(units, ", "));
  }

  void Name(const Node& node) {
    if (IsName(node.text)) return;
    report_.Add(
        node.origin,
        fmt::format("{} is no name; expected letters, digits, \".\", \"_\" or \"-\", at most 64",
                    Quoted(node.text)));
  }

  void Integer(const Node& node, const Type& type) {
    const std::string range = type.max == INT64_MAX ? fmt::format("{} or more", type.min)
                                                    : fmt::format("{} to {}", type.min, type.max);
    if (node.type != Node::Type::kInteger) {
      report_.Add(node.origin,
                  fmt::format("expected a whole number, {}, found {}", range, Describe(node)));
    } else if (node.integer < type.min || node.integer > type.max) {
      report_.Add(node.origin, fmt::format("{} is out of range; expected {}", node.integer, range));
    }
  }

  void Quantity(const Node& node, const Type& type) {
    const auto value = ParseQuantity(node.text, type.quantity);
    if (!value) {
      report_.Add(node.origin, value.error());
    } else if (type.positive && *value <= 0) {
      report_.Add(node.origin, fmt::format("{} is zero; expected more", Quoted(node.text)));
    }
  }

  void Tolerance(const Node& node, const Type& type) {
    if (node.IsNumber()) {
      if (node.type != Node::Type::kInteger || node.integer < 0) {
        report_.Add(
            node.origin,
            fmt::format("expected a whole number, 0 or more, or a percentage such as \"5 %\", "
                        "found {}",
                        Describe(node)));
      }
      return;
    }
    if (ParseQuantity(node.text, QuantityKind::kShare)) return;
    if (type.values.front() == "quantity") {
      if (const auto value = ParseQuantity(node.text, type.quantity); !value)
        report_.Add(node.origin, value.error());
    } else {
      report_.Add(
          node.origin,
          fmt::format("{} is no tolerance; expected a whole number or a percentage such as \"5 %\"",
                      Quoted(node.text)));
    }
  }

  void Enum(const Node& node, const Type& type) {
    if (std::find(type.values.begin(), type.values.end(), node.text) != type.values.end()) return;
    report_.Add(node.origin, fmt::format("unknown {} {}{}", type.noun, Quoted(node.text),
                                         Suggestion(node.text, type.values)));
  }

  void Object(const Node& node, const Type& type) {
    if (type.item != nullptr && node.members.size() > kMaxNames) {
      report_.Add(node.origin, fmt::format("{} entries are too many; expected at most {}",
                                           node.members.size(), kMaxNames));
      return;
    }
    for (const Member& member : node.members) {
      if (const Field* field = type.Find(member.key)) {
        Check(member.value, *field->type);
      } else if (type.item == nullptr) {
        UnknownKey(member, type);
      } else if (!IsName(member.key)) {
        report_.Add(
            member.value.origin,
            fmt::format(
                "{} is no name; expected letters, digits, \".\", \"_\" or \"-\", at most 64",
                Quoted(member.key)),
            true);
      } else {
        Check(member.value, *type.item);
      }
    }
    for (const Field& field : type.fields) {
      if (field.required && node.Find(field.key) == nullptr) {
        report_.Add(node.origin,
                    fmt::format("lacks the key \"{}\": {}", field.key, field.type->noun));
      }
    }
  }

  void UnknownKey(const Member& member, const Type& type) {
    std::vector<std::string> keys;
    for (const Field& field : type.fields) keys.push_back(field.key);
    report_.Add(member.value.origin,
                fmt::format("unknown key {}{}", Quoted(member.key), Suggestion(member.key, keys)),
                true);
  }

  void List(const Node& node, const Type& type) {
    const auto size = static_cast<int64_t>(node.items.size());
    if (size < type.min || size > type.max) {
      report_.Add(node.origin, type.min == type.max
                                   ? fmt::format("expected {}, found {} entries", type.noun, size)
                                   : fmt::format("expected {} with {} to {} entries, found {}",
                                                 type.noun, type.min, type.max, size));
      return;
    }
    for (const Node& item : node.items) Check(item, *type.item);
  }

  void Choice(const Node& node, const Type& type) {
    const Type* match = nullptr;
    for (const Type* alternative : type.alternatives) {
      if (!Accepts(*alternative, node)) continue;
      if (match != nullptr)
        return;  // only the names that it refers to tell which one: checked with the references
      match = alternative;
    }
    Check(node, *match);
  }

  Report& report_;
};

}  // namespace

void CheckStructure(const Node& node, const Type& type, Report& report) {
  Checker(report).Check(node, type);
}

bool IsName(std::string_view text) {
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= 64 && alphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

double QuantityOf(const Node& node, QuantityKind kind) {
  return ParseQuantity(node.text, kind).value_or(0);
}

TimeDelta DurationOf(const Node& node) {
  return TimeDelta::Nanos(std::llround(QuantityOf(node, QuantityKind::kDuration)));
}

DataRate RateOf(const Node& node) {
  return DataRate::BitsPerSec(
      std::max<int64_t>(1, std::llround(QuantityOf(node, QuantityKind::kRate))));
}

int64_t SizeOf(const Node& node) {
  return std::max<int64_t>(1, std::llround(QuantityOf(node, QuantityKind::kSize)));
}

std::size_t IndexOf(const Node& node, const std::vector<std::string>& names) {
  const auto found = std::find(names.begin(), names.end(), node.text);
  return found == names.end() ? 0 : static_cast<std::size_t>(found - names.begin());
}

void Read(const Node& object, std::string_view key, bool& out) {
  With(object, key, [&](const Node& v) { out = v.boolean; });
}
void Read(const Node& object, std::string_view key, int& out) {
  With(object, key, [&](const Node& v) { out = static_cast<int>(v.integer); });
}
void Read(const Node& object, std::string_view key, uint16_t& out) {
  With(object, key, [&](const Node& v) { out = static_cast<uint16_t>(v.integer); });
}
void Read(const Node& object, std::string_view key, std::string& out) {
  With(object, key, [&](const Node& v) { out = v.text; });
}
void Read(const Node& object, std::string_view key, DataRate& out) {
  With(object, key, [&](const Node& v) { out = RateOf(v); });
}
void Read(const Node& object, std::string_view key, TimeDelta& out) {
  With(object, key, [&](const Node& v) { out = DurationOf(v); });
}

}  // namespace rtclab::scenarios
