#include "stack/crypto/base64.h"

#include <gtest/gtest.h>

#include <utility>

namespace rtclab::crypto {
namespace {

TEST(Base64Test, VectorsOfRfc4648Section10) {
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(Base64Encode(AsBytes(plain)), coded);
    const auto decoded = Base64Decode(coded);
    ASSERT_TRUE(decoded) << coded;
    EXPECT_EQ(AsString(*decoded), plain);
  }
}

TEST(Base64Test, EveryByteSurvives) {
  Bytes all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint8_t>(i);
  EXPECT_EQ(Base64Decode(Base64Encode(all)), all);
}

TEST(Base64Test, AnythingElseIsRejected) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "=Zg=", "Z===", "====", "Zh==", "Zm9=",
                           "Zm9v\n", "Zm 9", "Zm-_", "Zg==Zg=="}) {
    EXPECT_FALSE(Base64Decode(text)) << text;
  }
}

}  // namespace
}  // namespace rtclab::crypto
