/// The functions of Halide's runtime that kernels call, without Halide: they go to what the runtime has set.
#ifndef QUERN_TEST_UNIT_RUNTIME_FAKEHALIDE_H
#define QUERN_TEST_UNIT_RUNTIME_FAKEHALIDE_H

#include <cstddef>
#include <cstdint>

extern "C" {
using halide_task_t = int (*)(void *user_context, int task_number, uint8_t *closure);
int halide_do_par_for(void *user_context, halide_task_t task, int min, int size, uint8_t *closure);
void halide_error(void *user_context, const char *message);
void *halide_malloc(void *user_context, size_t bytes);
void halide_free(void *user_context, void *block);
}

#endif
