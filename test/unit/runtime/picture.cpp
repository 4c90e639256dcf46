/// `picture FILE` writes what the decoder makes of an image: its height and width, a line feed, its bytes.

#include "runtime/vision/Picture.h"

#include <cstdio>

using namespace quern::runtime;

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  Result<Picture> picture = readPicture(argv[1]);
  if (!picture) {
    std::fprintf(stderr, "%s\n", picture.error().message.c_str());
    return static_cast<int>(picture.error().kind);
  }
  std::printf("%lld %lld\n", static_cast<long long>(picture->height), static_cast<long long>(picture->width));
  std::fwrite(picture->rgb.data(), 1, picture->rgb.size(), stdout);
  return 0;
}
