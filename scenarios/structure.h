// Checks a tree against the language's tables, and reads values out of a tree that has passed.
#ifndef RTCLAB_SCENARIOS_STRUCTURE_H_
#define RTCLAB_SCENARIOS_STRUCTURE_H_

#include <string>
#include <string_view>
#include <vector>

#include "scenarios/document.h"
#include "scenarios/language.h"
#include "stack/base/units.h"

namespace rtclab::scenarios {

// Reports every key, type, name, unit and range that the type does not allow. References are not its business.
void CheckStructure(const Node& node, const Type& type, Report& report);

// Letters, digits, ".", "_" and "-", at most 64, the first one a letter or digit.
bool IsName(std::string_view text);

// For values whose structure has been checked.
double QuantityOf(const Node& node, QuantityKind kind);  // in the base unit
TimeDelta DurationOf(const Node& node);
DataRate RateOf(const Node& node);  // at least 1 bit/s
int64_t SizeOf(const Node& node);   // whole bytes, at least 1
std::size_t IndexOf(const Node& node, const std::vector<std::string>& names);

// Calls `use` with the member's value if the object has it.
template <typename Use>
void With(const Node& object, std::string_view key, Use&& use) {
  if (const Node* value = object.Find(key)) use(*value);
}

void Read(const Node& object, std::string_view key, bool& out);
void Read(const Node& object, std::string_view key, int& out);
void Read(const Node& object, std::string_view key, uint16_t& out);
void Read(const Node& object, std::string_view key, std::string& out);
void Read(const Node& object, std::string_view key, TimeDelta& out);
void Read(const Node& object, std::string_view key, DataRate& out);

// Of an enumeration whose enumerators are numbered like `names`.
template <typename E>
void ReadEnum(const Node& object, std::string_view key, const std::vector<std::string>& names,
              E& out) {
  With(object, key, [&](const Node& v) { out = static_cast<E>(IndexOf(v, names)); });
}

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_STRUCTURE_H_
