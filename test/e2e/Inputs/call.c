/* Runs the entry `forward` of docs/examples/mlp.qn on three rows and prints the result, one number a line; then asks
   for what it refuses. */

#include "libmlp.h"

#include <stdio.h>
#include <string.h>

int main(void) {
  char error[256] = "";
  quern_session *session = quern_open(NULL, 2, error, sizeof(error));
  if (!session) {
    fprintf(stderr, "%s\n", error);
    return 1;
  }
  int32_t entry = quern_find_entry(session, "forward");
  if (entry < 0 || quern_find_entry(session, "backward") != -1 ||
      strcmp(quern_entry_name(session, (uint32_t)entry), "forward") != 0) {
    fprintf(stderr, "the entries are not found\n");
    return 1;
  }
  float x[48], y[48];
  for (int i = 0; i < 48; ++i)
    x[i] = -1.0f + 2.0f * (float)i / 47.0f;
  quern_tensor input = {QUERN_F32, 2, {3, 16}, x, sizeof(x)}, result = {.data = y, .bytes = sizeof(y)};
  if (quern_run(session, (uint32_t)entry, &input, 1, &result, 1, error, sizeof(error)) != 0) {
    fprintf(stderr, "%s\n", error);
    return 1;
  }
  if (result.dtype != QUERN_F32 || result.rank != 2 || result.shape[0] != 3 || result.shape[1] != 16) {
    fprintf(stderr, "the result has another shape\n");
    return 1;
  }
  for (int i = 0; i < 48; ++i)
    printf("%.9g\n", y[i]);
  input.shape[1] = 15;
  if (quern_run(session, (uint32_t)entry, &input, 1, &result, 1, error, sizeof(error)) != 1 ||
      !strstr(error, "the size 15 on axis 1, expected 16")) {
    fprintf(stderr, "rows of 15 are not refused: %s\n", error);
    return 1;
  }
  quern_close(session);
  return 0;
}
