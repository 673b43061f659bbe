#include "conformance/engine/text_file.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace rtclab::conformance {
namespace {

constexpr std::size_t kMaxTextFile = std::size_t{16} << 20;

}  // namespace

Result<std::string> ReadTextFile(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      std::fopen(path.c_str(), "rb"), [](std::FILE* f) { return f ? std::fclose(f) : 0; });
  if (!file) return Fail(fmt::format("{}: {}", path, std::strerror(errno)));
  std::string out;
  std::array<char, 65'536> piece{};
  while (const std::size_t count = std::fread(piece.data(), 1, piece.size(), file.get())) {
    out.append(piece.data(), count);
    if (out.size() > kMaxTextFile) return Fail(path + ": larger than 16 MB");
  }
  if (std::ferror(file.get()) != 0) return Fail(fmt::format("{}: {}", path, std::strerror(errno)));
  return out;
}

Result<std::string> ReadSecretFile(const std::string& path) {
  auto text = ReadTextFile(path);
  if (text) text->resize(std::min(text->find_first_of("\r\n"), text->size()));
  return text;
}

}  // namespace rtclab::conformance
