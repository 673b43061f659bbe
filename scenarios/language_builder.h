// The language's types under construction: language.cc has the whole, language_network.cc the virtual internet,
// language_session.cc and language_media.cc what happens in it and what has to come of it.
#ifndef RTCLAB_SCENARIOS_LANGUAGE_BUILDER_H_
#define RTCLAB_SCENARIOS_LANGUAGE_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "scenarios/language.h"

namespace rtclab::scenarios {

// Owns the types; they point at each other.
class LanguageBuilder {
 public:
  Language Build();

 private:
  using Kind = Type::Kind;

  Type* New(Kind kind, std::string noun, std::string name = {}) {
    Type& type = types_.emplace_back();
    type.kind = kind;
    type.noun = std::move(noun);
    type.name = std::move(name);
    return &type;
  }
  const Type* Integer(int64_t min, int64_t max) {
    Type* type = New(Kind::kInteger, "a whole number");
    type->min = min;
    type->max = max;
    return type;
  }
  const Type* Quantity(QuantityKind kind, bool positive) {
    static constexpr const char* kNames[] = {"duration", "rate", "percentage", "size"};
    const auto index = static_cast<std::size_t>(kind);
    Type* type = New(Kind::kQuantity, std::string(QuantityNoun(kind)),
                     (positive ? "positive-" : "") + std::string(kNames[index]));
    type->quantity = kind;
    type->positive = positive;
    type->description =
        std::string(QuantityNoun(kind)) + ", at most " + std::string(QuantityLimit(kind));
    return type;
  }
  const Type* Enum(std::string noun, std::vector<std::string> values, std::string name = {}) {
    Type* type = New(Kind::kEnum, std::move(noun), std::move(name));
    type->values = std::move(values);
    return type;
  }
  const Type* List(const Type* item, int64_t min, int64_t max, std::string noun) {
    Type* type = New(Kind::kList, std::move(noun));
    type->item = item;
    type->min = min;
    type->max = max;
    return type;
  }
  const Type* Map(const Type* item, std::string noun, std::string name = {},
                  std::vector<Field> fields = {}) {
    Type* type = New(Kind::kObject, std::move(noun), std::move(name));
    type->item = item;
    type->fields = std::move(fields);
    return type;
  }
  const Type* Object(std::string noun, std::string name, std::vector<Field> fields) {
    return Map(nullptr, std::move(noun), std::move(name), std::move(fields));
  }
  const Type* Choice(std::string noun, std::string name, std::vector<const Type*> alternatives) {
    Type* type = New(Kind::kChoice, std::move(noun), std::move(name));
    type->alternatives = std::move(alternatives);
    return type;
  }

  const Type* Nat();
  const Type* Firewall();
  const Type* Link();
  const Type* Network();
  const Type* Host();
  const Type* Server();
  const Type* Ice();
  const Type* Session();
  const Type* Media();
  const Type* Data();
  const Type* Dtls();
  const Type* Flow();
  const Type* Window();
  std::vector<Field> MediaExpectations();
  const Type* Probe();
  const Type* Matrix();
  const Type* Seeds();
  const Type* Check(const Type* value, const std::string& noun, bool ordered);
  const Type* SessionExpectation();
  const Type* ProbeExpectation();
  const Type* FlowExpectation();
  const Type* Expect();
  const Type* Scenario(const Type* matrix, const Type* seeds);

  static std::deque<Type> types_;

  const Type* any_ = New(Kind::kAny, "any value");
  const Type* text_ = New(Kind::kText, "a text");
  const Type* name_ = New(Kind::kName, "a name", "name");
  const Type* bool_ = New(Kind::kBool, "true or false");
  const Type* duration_ = Quantity(QuantityKind::kDuration, false);
  const Type* long_duration_ = Quantity(QuantityKind::kDuration, true);
  const Type* rate_ = Quantity(QuantityKind::kRate, true);
  const Type* share_ = Quantity(QuantityKind::kShare, false);
  const Type* size_ = Quantity(QuantityKind::kSize, true);
  const Type* families_ =
      List(Enum("address family", {"ipv4", "ipv6"}, "family"), 1, 2, "a list of address families");
  const Type* names_ = List(name_, 0, static_cast<int64_t>(kMaxNames), "a list of names");
  const Type* ice_ = nullptr;
  const Type* window_ = nullptr;
  const Type* session_expectation_ = nullptr;
  const Type* probe_expectation_ = nullptr;
  const Type* flow_expectation_ = nullptr;
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_LANGUAGE_BUILDER_H_
