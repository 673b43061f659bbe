#include "scenarios/schema.h"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/language.h"

namespace rtclab::scenarios {
namespace {

constexpr char kNamePattern[] = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";
constexpr char kParameterPattern[] = R"(\$\{[^}]+\})";

class SchemaWriter {
 public:
  Json Write() {
    const Language& language = TheLanguage();
    Json root = Json::object();
    root["$schema"] = "http://json-schema.org/draft-07/schema#";
    root["title"] = "rtclab scenario";
    root["description"] =
        "A scenario or a suite of scenarios. Written from the language's tables; see "
        "scenarios/README.md.";
    root["if"] = {{"required", {"scenarios"}}};
    root["then"] = Reference(*language.suite);
    root["else"] = Reference(*language.scenario);
    definitions_["parameter"] = {{"type", "string"},
                                 {"pattern", std::string("^") + kParameterPattern + "$"},
                                 {"description", "A parameter of the matrix, put in whole."}};
    // In a suite the scenarios and what they have in common only make a whole together.
    part_ = true;
    const Json scenario = Reference(*language.scenario);
    Json& common = definitions_["suite"]["properties"]["common"];
    const Json description = common["description"];
    common = scenario;
    if (common.contains("$ref")) common = {{"allOf", Json::array({common})}};
    common["description"] = description;
    definitions_["suite"]["properties"]["scenarios"]["additionalProperties"] = scenario;
    definitions_["suite"]["properties"]["scenarios"]["minProperties"] = 1;
    root["definitions"] = definitions_;
    return root;
  }

 private:
  using Kind = Type::Kind;

  Json Reference(const Type& type) {
    if (type.name.empty()) return Definition(type);
    const std::string name = type.name + (part_ && HasParts(type) ? "-part" : "");
    if (!definitions_.contains(name)) {
      definitions_[name] =
          nullptr;  // keeps the order of first use, whatever the definition refers to
      Json definition = Definition(type);
      definitions_[name] = std::move(definition);
    }
    return {{"$ref", "#/definitions/" + name}};
  }

  // Whether a suite may give this in pieces: objects are merged, everything else is replaced.
  static bool HasParts(const Type& type) {
    if (type.kind != Kind::kChoice) return type.kind == Kind::kObject;
    return std::any_of(type.alternatives.begin(), type.alternatives.end(),
                       [](const Type* t) { return HasParts(*t); });
  }

  // A type whose JSON type is not string can still be written as "${name}".
  Json OrParameter(Json schema) {
    return {{"anyOf", {std::move(schema), {{"$ref", "#/definitions/parameter"}}}}};
  }

  Json List(const Type& type) {
    const bool part = part_;
    part_ = false;  // lists are replaced as a whole, so that what is in them is whole
    Json out = {{"type", "array"}, {"items", Reference(*type.item)}};
    part_ = part;
    if (type.min > 0) out["minItems"] = type.min;
    out["maxItems"] = type.max;
    return out;
  }

  Json Definition(const Type& type) {
    switch (type.kind) {
      case Kind::kAny:
        return Json::object();
      case Kind::kText:
        return {{"type", "string"}};
      case Kind::kName:
        return Name(type);
      case Kind::kBool:
        return OrParameter({{"type", "boolean"}});
      case Kind::kInteger:
        return Integer(type);
      case Kind::kQuantity:
        return {{"type", "string"},
                {"pattern", QuantityPattern(type.quantity)},
                {"description", type.description}};
      case Kind::kTolerance:
        return Tolerance(type);
      case Kind::kEnum:
        return OrParameter({{"type", "string"}, {"enum", type.values}});
      case Kind::kObject:
        return Object(type);
      case Kind::kList:
        return List(type);
      case Kind::kChoice:
        break;
    }
    Json out = {{"anyOf", Json::array()}};
    for (const Type* alternative : type.alternatives)
      out["anyOf"].push_back(Reference(*alternative));
    return out;
  }

  static Json Name(const Type&) {
    return {{"type", "string"},
            {"pattern", fmt::format("{}|{}", kNamePattern, kParameterPattern)},
            {"description", "Letters, digits, \".\", \"_\" or \"-\", at most 64."}};
  }

  Json Integer(const Type& type) {
    Json out = {{"type", "integer"}, {"minimum", type.min}};
    if (type.max != INT64_MAX) out["maximum"] = type.max;
    return OrParameter(std::move(out));
  }

  static std::string QuantityPattern(QuantityKind kind) {
    std::string units;
    for (const Unit& unit : Units(kind))
      units += (units.empty() ? "" : "|") + std::string(unit.name);
    return fmt::format("^[0-9]+(\\.[0-9]+)? ({})$|{}", units, kParameterPattern);
  }

  static Json Tolerance(const Type& type) {
    Json text = {{"type", "string"}, {"pattern", QuantityPattern(QuantityKind::kShare)}};
    if (type.values.front() == "integer")
      return {{"anyOf", {std::move(text), {{"type", "integer"}, {"minimum", 0}}}}};
    return {{"anyOf",
             {std::move(text), {{"type", "string"}, {"pattern", QuantityPattern(type.quantity)}}}}};
  }

  Json Object(const Type& type) {
    Json out = {{"type", "object"}};
    Json properties = Json::object();
    Json required = Json::array();
    for (const Field& field : type.fields) {
      Json property = Reference(*field.type);
      // draft-07 ignores what stands beside "$ref", so that a description needs a level of its own.
      if (property.contains("$ref")) property = {{"allOf", {std::move(property)}}};
      property["description"] = field.description;
      if (&type != TheLanguage().matrix &&
          (field.type->kind == Kind::kObject || field.type->kind == Kind::kList)) {
        property = OrParameter(std::move(property));
        property["description"] = field.description;
      }
      if (part_)
        property = {{"anyOf", {property, {{"type", "null"}}}}, {"description", field.description}};
      properties[field.key] = std::move(property);
      if (field.required && !part_) required.push_back(field.key);
    }
    if (!properties.empty()) out["properties"] = std::move(properties);
    if (!required.empty()) out["required"] = std::move(required);
    if (type.item == nullptr) {
      out["additionalProperties"] = false;
    } else {
      out["propertyNames"] = {{"pattern", kNamePattern}};
      out["additionalProperties"] = Reference(*type.item);
      if (part_)
        out["additionalProperties"] = {
            {"anyOf", {out["additionalProperties"], {{"type", "null"}}}}};
    }
    return out;
  }

  Json definitions_ = Json::object();
  bool part_ = false;
};

}  // namespace

Json ScenarioSchema() { return SchemaWriter().Write(); }

}  // namespace rtclab::scenarios
