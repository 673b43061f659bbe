#include "conformance/cases/requirements.h"

#include <vector>

#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

std::vector<Requirement> CollectRequirements() {
  std::vector<Requirement> all;
  const auto add = [&all](std::span<const Requirement> some) {
    all.insert(all.end(), some.begin(), some.end());
  };
  add(Requirements8489());
  add(Requirements8656());
  add(Requirements6062());
  add(Requirements8016And7635());
  add(RequirementsSafety());
  add(RequirementsNat());
  return all;
}

}  // namespace

std::span<const Requirement> Requirements() {
  static const std::vector<Requirement> kAll = CollectRequirements();
  return kAll;
}

}  // namespace rtclab::conformance
