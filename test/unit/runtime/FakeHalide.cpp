#include "FakeHalide.h"

#include <utility>

extern "C" {
using halide_do_par_for_t = int (*)(void *, halide_task_t, int, int, uint8_t *);
using halide_error_handler_t = void (*)(void *, const char *);
using halide_malloc_t = void *(*)(void *, size_t);
using halide_free_t = void (*)(void *, void *);
}

namespace {

struct Hooks {
  halide_do_par_for_t parallelFor = nullptr;
  halide_error_handler_t error = nullptr;
  halide_malloc_t allocate = nullptr;
  halide_free_t release = nullptr;
};

Hooks hooks;

} // namespace

extern "C" {

halide_do_par_for_t halide_set_custom_do_par_for(halide_do_par_for_t hook) {
  return std::exchange(hooks.parallelFor, hook);
}
halide_error_handler_t halide_set_error_handler(halide_error_handler_t hook) {
  return std::exchange(hooks.error, hook);
}
halide_malloc_t halide_set_custom_malloc(halide_malloc_t hook) { return std::exchange(hooks.allocate, hook); }
halide_free_t halide_set_custom_free(halide_free_t hook) { return std::exchange(hooks.release, hook); }

int halide_do_par_for(void *user, halide_task_t task, int min, int size, uint8_t *closure) {
  return hooks.parallelFor(user, task, min, size, closure);
}
void halide_error(void *user, const char *message) { hooks.error(user, message); }
void *halide_malloc(void *user, size_t bytes) { return hooks.allocate(user, bytes); }
void halide_free(void *user, void *block) { hooks.release(user, block); }
}
