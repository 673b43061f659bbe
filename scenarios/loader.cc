#include "scenarios/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>

#include "scenarios/document.h"
#include "scenarios/language.h"
#include "scenarios/matrix.h"
#include "scenarios/resolve.h"
#include "scenarios/structure.h"

namespace rtclab::scenarios {
namespace {

constexpr std::size_t kMaxSeeds = 50'000;
constexpr std::size_t kMaxFailedCombinations = 64;  // by then every kind of mistake has shown
// Runs times bytes of the file: what all RunSpecs together may take, roughly.
constexpr std::size_t kMaxTotalSize = std::size_t{1} << 30;

uint64_t Fnv1a(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

// A part of a run's id as a file name: at most 200 characters, still unique.
std::string Component(std::string text) {
  constexpr std::size_t kLongest = 200;
  if (text.size() <= kLongest) return text;
  const std::string hash = fmt::format("-{:016x}", Fnv1a(text));
  text.resize(kLongest - hash.size());
  return text + hash;
}

std::string DefaultName(std::string_view file) {
  if (const auto slash = file.find_last_of("/\\"); slash != std::string_view::npos)
    file.remove_prefix(slash + 1);
  if (file.ends_with(".json")) file.remove_suffix(5);
  std::string name;
  for (const char c : file.substr(0, 64)) name += IsName("a" + std::string(1, c)) ? c : '-';
  return IsName(name) ? name : "scenario";
}

Node Without(const Node& object, std::span<const std::string_view> keys) {
  Node out = object;
  std::erase_if(out.members, [&](const Member& m) {
    return std::find(keys.begin(), keys.end(), m.key) != keys.end();
  });
  return out;
}

class Expander {
 public:
  Expander(const LoadOptions& options, const Document& document, std::size_t bytes, Report& report,
           LoadResult& result)
      : options_(options), document_(document), bytes_(bytes), report_(report), result_(result) {}

  void File() {
    const Node& root = document_.root;
    if (!root.IsObject()) {
      report_.Add(
          root.origin,
          fmt::format("expected a scenario (an object with \"hosts\") or a suite (an object with "
                      "\"scenarios\"), found {}",
                      Describe(root)));
      return;
    }
    if (root.Find("scenarios") != nullptr) return Suite(root);
    With(root, "name", [&](const Node& v) {
      if (v.IsString() && IsName(v.text)) result_.suite = v.text;
    });
    Scenario(root, result_.suite, result_.suite);
  }

 private:
  void Suite(const Node& root) {
    const std::size_t before = report_.count();
    CheckStructure(root, *TheLanguage().suite, report_);
    if (report_.count() > before) return;
    Read(root, "suite", result_.suite);
    const Node& scenarios = *root.Find("scenarios");
    if (scenarios.members.empty())
      report_.Add(scenarios.origin, "there are no scenarios; expected at least one");
    const Node* common = root.Find("common");
    if (common != nullptr && !common->IsObject()) {
      report_.Add(
          common->origin,
          fmt::format("expected an object with parts of a scenario, found {}", Describe(*common)));
      return;
    }
    for (const Member& member : scenarios.members) {
      if (!member.value.IsObject()) {
        report_.Add(member.value.origin,
                    fmt::format("expected a scenario, found {}", Describe(member.value)));
        continue;
      }
      if (const Node* name = member.value.Find("name")) {
        report_.Add(name->origin, "in a suite, a scenario's name is its key", true);
        continue;
      }
      Scenario(common == nullptr ? member.value : Merged(*common, member.value), member.key,
               result_.suite + "/" + member.key);
    }
  }

  void Scenario(const Node& scenario, const std::string& name, const std::string& id) {
    static constexpr std::string_view kNotSubstituted[] = {"matrix", "seeds", "$schema",
                                                           "description", "name"};
    const std::size_t before = report_.count();
    for (const char* key : {"$schema", "description", "name"}) {
      With(scenario, key, [&](const Node& v) {
        CheckStructure(v, *TheLanguage().scenario->Find(key)->type, report_);
      });
    }
    const std::vector<uint64_t> seeds = Seeds(scenario);
    const Node* node = scenario.Find("matrix");
    const Matrix matrix = node == nullptr ? Matrix() : Matrix(*node, options_.max_runs, report_);
    if (report_.count() > before) return;
    const std::size_t runs = matrix.combinations().size() * seeds.size();
    if (runs > options_.max_runs - std::min(options_.max_runs, result_.runs.size()) ||
        runs * bytes_ > kMaxTotalSize) {
      report_.Add(
          node == nullptr ? scenario.origin : node->origin,
          fmt::format(
              "the file expands to more than {} runs, or to more data than the loader takes",
              options_.max_runs));
      return;
    }
    const Node body = Without(scenario, kNotSubstituted);
    std::size_t failed = 0;
    for (const Combination& combination : matrix.combinations()) {
      if (report_.full() || failed >= kMaxFailedCombinations) return;
      if (!OneCombination(body, matrix, combination, seeds, name, id)) ++failed;
    }
  }

  bool OneCombination(const Node& body, const Matrix& matrix, const Combination& combination,
                      const std::vector<uint64_t>& seeds, const std::string& name,
                      const std::string& id) {
    const std::size_t before = report_.count();
    const Node node = matrix.Substituted(body, combination, report_);
    if (report_.count() == before) CheckStructure(node, *TheLanguage().scenario, report_);
    if (report_.count() > before) return false;
    RunSpec run = Resolve(node, matrix, combination, document_.origins, report_);
    if (report_.count() > before) return false;
    run.scenario = name;
    run.parameters = matrix.Parameters(combination);
    const std::string parameters = matrix.Id(combination);
    for (const uint64_t seed : seeds) {
      RunSpec& one = result_.runs.emplace_back(run);
      one.seed = seed;
      one.network.seed = seed;
      one.id = fmt::format("{}{}{}/seed={}", id, parameters.empty() ? "" : "/",
                           Component(parameters), seed);
    }
    return true;
  }

  std::vector<uint64_t> Seeds(const Node& scenario) {
    const Node* node = scenario.Find("seeds");
    const std::size_t before = report_.count();
    std::vector<uint64_t> seeds;
    if (node == nullptr) {
      seeds = {1};
    } else {
      CheckStructure(*node, *TheLanguage().seeds, report_);
      if (report_.count() > before) return {};
      if (node->IsString()) {
        auto parsed = ParseSeeds(node->text);
        if (!parsed) report_.Add(node->origin, parsed.error().reason);
        seeds = parsed.value_or(std::vector<uint64_t>{});
      } else if (node->IsNumber()) {
        for (int64_t seed = 1; seed <= node->integer; ++seed)
          seeds.push_back(static_cast<uint64_t>(seed));
      } else {
        std::set<uint64_t> seen;
        for (const Node& item : node->items) {
          const auto seed = static_cast<uint64_t>(item.integer);
          if (!seen.insert(seed).second)
            report_.Add(item.origin, fmt::format("the seed {} is given twice", seed));
          seeds.push_back(seed);
        }
      }
    }
    return options_.seeds.empty() ? seeds : options_.seeds;
  }

  const LoadOptions& options_;
  const Document& document_;
  std::size_t bytes_;
  Report& report_;
  LoadResult& result_;
};

LoadResult Failed(std::string file, std::string message) {
  LoadResult result;
  result.suite = DefaultName(file);
  result.diagnostics.push_back(Diagnostic{std::move(file), 0, 0, "", std::move(message)});
  return result;
}

}  // namespace

LoadResult LoadText(std::string_view text, std::string_view file, const LoadOptions& options) {
  if (text.size() > options.max_bytes) {
    return Failed(std::string(file), fmt::format("has {} bytes; a scenario file has at most {}",
                                                 text.size(), options.max_bytes));
  }
  auto document = ParseDocument(text, file);
  LoadResult result;
  result.suite = DefaultName(file);
  result.digest = fmt::format("{:016x}", Fnv1a(text));
  if (!document) {
    result.diagnostics.push_back(std::move(document.error()));
    return result;
  }
  Report report(std::string(file), document->origins,
                std::max<std::size_t>(options.max_diagnostics, 1));
  Expander(options, *document, text.size(), report, result).File();
  result.diagnostics = report.Take();
  if (!result.ok()) result.runs.clear();
  return result;
}

LoadResult Load(const std::filesystem::path& file, const LoadOptions& options) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) return Failed(file.string(), "there is no such file");
  if (std::filesystem::is_directory(status))
    return Failed(file.string(), "is a directory; expected a scenario file");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Failed(file.string(), "cannot be opened for reading");
  std::string text(options.max_bytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return Failed(file.string(), "cannot be read");
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > options.max_bytes) {
    return Failed(file.string(),
                  fmt::format("has more than {} bytes, the most that a scenario file may have",
                              options.max_bytes));
  }
  LoadResult result = LoadText(text, file.string(), options);
  result.text = std::move(text);
  return result;
}

Result<std::vector<uint64_t>> ParseSeeds(std::string_view text) {
  const std::string what = fmt::format(
      "{} is no list of seeds; expected such as \"7\", \"1..100\" or \"1,5,10..12\"", Quoted(text));
  std::vector<uint64_t> seeds;
  std::set<uint64_t> seen;
  std::size_t offset = 0;
  for (;;) {
    const auto comma = text.find(',', offset);
    const std::string_view part =
        text.substr(offset, comma == std::string_view::npos ? comma : comma - offset);
    uint64_t low = 0, high = 0;
    const char* const end = part.data() + part.size();
    const auto first = std::from_chars(part.data(), end, low);
    if (first.ec != std::errc()) return Fail(what, offset);
    high = low;
    if (first.ptr != end) {
      if (!std::string_view(first.ptr, end).starts_with("..")) return Fail(what, offset);
      const auto second = std::from_chars(first.ptr + 2, end, high);
      if (second.ec != std::errc() || second.ptr != end || high < low) return Fail(what, offset);
    }
    if (high > static_cast<uint64_t>(INT64_MAX))
      return Fail(fmt::format("{}; a seed is at most {}", what, INT64_MAX), offset);
    if (high - low >= kMaxSeeds - seeds.size()) {
      return Fail(
          fmt::format("{} are too many seeds; expected at most {}", Quoted(text), kMaxSeeds),
          offset);
    }
    for (uint64_t seed = low; seed <= high; ++seed) {
      if (!seen.insert(seed).second)
        return Fail(fmt::format("the seed {} is twice in {}", seed, Quoted(text)), offset);
      seeds.push_back(seed);
    }
    if (comma == std::string_view::npos) return seeds;
    offset = comma + 1;
  }
}

}  // namespace rtclab::scenarios
