/* The C interface of a compiled model, from C: what is documented works, what is wrong is refused. */

#include "quern/quern.h"

#include <stdio.h>
#include <string.h>

static int failures = 0;

static void check(int holds, const char *text, int line) {
  if (holds)
    return;
  ++failures;
  fprintf(stderr, "c-interface.c:%d: %s\n", line, text);
}
#define CHECK(condition) check(condition, #condition, __LINE__)

/* y = x · factor, for the entry `scale` of the toy model: x f32[n, 4], factor f32[1]. */
static void testRun(quern_session *session) {
  /* Not aligned: a caller's memory need not be. */
  float memory[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8}, factor = 2, y[8] = {0};
  quern_tensor inputs[2] = {{QUERN_F32, 2, {2, 4}, memory + 1, 32}, {QUERN_F32, 1, {1}, &factor, 4}};
  quern_tensor result = {QUERN_F32, 0, {0}, y, sizeof(y)};
  char error[200] = "";
  uint32_t entry = (uint32_t)quern_find_entry(session, "scale");
  CHECK(quern_run(session, entry, inputs, 2, &result, 1, error, sizeof(error)) == 0);
  CHECK(result.rank == 2 && result.shape[0] == 2 && result.shape[1] == 4 && result.dtype == QUERN_F32);
  CHECK(y[0] == 2 && y[7] == 16);

  CHECK(quern_run(session, 99, inputs, 2, &result, 1, error, sizeof(error)) == 1);
  CHECK(strcmp(error, "there is no entry 99, the model has 3") == 0);
  CHECK(quern_run(session, entry, inputs, 1, &result, 1, error, sizeof(error)) == 1);
  CHECK(quern_run(session, entry, inputs, 2, &result, 0, error, sizeof(error)) == 1);
  result.bytes = 31;
  CHECK(quern_run(session, entry, inputs, 2, &result, 1, error, sizeof(error)) == 1);
  CHECK(strcmp(error, "result 0 needs 32 bytes, found room for 31") == 0);
  result.bytes = 32;
  inputs[0].bytes = 31;
  CHECK(quern_run(session, entry, inputs, 2, &result, 1, error, sizeof(error)) == 1);
  inputs[0].bytes = 32;
  inputs[0].rank = 9;
  CHECK(quern_run(session, entry, inputs, 2, &result, 1, NULL, 0) == 1);
  inputs[0].rank = 2;
  inputs[0].shape[0] = -1;
  CHECK(quern_run(session, entry, inputs, 2, &result, 1, error, 5) == 1);
  CHECK(strcmp(error, "inpu") == 0);
  inputs[0].shape[0] = 2;
  factor = -1;
  CHECK(quern_run(session, entry, inputs, 2, &result, 1, error, sizeof(error)) == 3);
  CHECK(strcmp(error, "the entry `scale` failed with code -7: the factor is negative") == 0);
}

int main(int argc, char **argv) {
  (void)argc;
  (void)argv;
  char error[200] = "";
  CHECK(quern_open("/", 1, error, sizeof(error)) == NULL && error[0]);
  CHECK(quern_open(NULL, 2000, error, sizeof(error)) == NULL);
  CHECK(strcmp(error, "the number of threads is 2000, expected 1 to 1024") == 0);
  CHECK(quern_open_on(NULL, 2, "cuda", error, sizeof(error)) == NULL && strstr(error, "`cuda`, only for `cpu`"));
  quern_session *session = quern_open(NULL, 2, error, sizeof(error));
  quern_session *other = quern_open(NULL, 0, error, sizeof(error));
  if (!session || !other) {
    fprintf(stderr, "%s\n", error);
    return 1;
  }
  CHECK(quern_entry_count(session) == 3);
  CHECK(strcmp(quern_entry_name(session, 0), "forward") == 0);
  CHECK(quern_entry_name(session, 3) == NULL);
  CHECK(quern_find_entry(session, "backward") == -1);
  size_t size = 0;
  CHECK(quern_describe(session, &size)[0] == '{' && size > 100);
  testRun(session);
  testRun(other);
  CHECK(quern_state_rows(session) == 600);
  CHECK(quern_make_room(session, 3) == 768);
  CHECK(quern_make_room(session, 1 << 30) == 0);
  CHECK(quern_make_room(session, 0) == 0);
  quern_reset(session);
  quern_close(other);
  testRun(session);
  quern_close(session);
  quern_close(NULL);
  return failures != 0;
}
