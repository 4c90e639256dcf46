//===- HalideGlue.cpp - what Halide's kernels call back ---------------------------------------===//

#include "runtime/HalideGlue.h"

// The part of Halide's runtime that is replaced, as HalideRuntime.h (Halide 21) declares it. The binary holds that
// runtime as an object of its own; building this library does not need Halide.
extern "C" {
using halide_task_t = int (*)(void *user_context, int task_number, uint8_t *closure);
using halide_do_par_for_t = int (*)(void *, halide_task_t, int, int, uint8_t *);
using halide_error_handler_t = void (*)(void *, const char *);
using halide_malloc_t = void *(*)(void *, size_t);
using halide_free_t = void (*)(void *, void *);
halide_do_par_for_t halide_set_custom_do_par_for(halide_do_par_for_t do_par_for);
halide_error_handler_t halide_set_error_handler(halide_error_handler_t handler);
halide_malloc_t halide_set_custom_malloc(halide_malloc_t user_malloc);
halide_free_t halide_set_custom_free(halide_free_t user_free);
}

namespace quern::runtime {

thread_local KernelHost::Seat *KernelHost::current = nullptr;

Result<std::unique_ptr<KernelHost>> KernelHost::create(unsigned threads) {
  std::unique_ptr<KernelHost> host(new KernelHost);
  if (threads <= maxThreads)
    host->seats.reserve(threads);
  for (unsigned i = 0; i < threads && i < maxThreads; ++i) {
    host->seats.push_back(std::make_unique<Seat>());
    host->seats.back()->host = host.get();
  }
  Result<std::unique_ptr<ThreadPool>> pool = ThreadPool::create(threads, {startThread, host.get()});
  if (!pool)
    return pool.error();
  host->pool = std::move(*pool);
  installCallbacks();
  return host;
}

KernelHost::~KernelHost() = default;

void KernelHost::installCallbacks() {
  halide_set_custom_do_par_for(doParallelFor);
  halide_set_error_handler(reportError);
  halide_set_custom_malloc(allocate);
  halide_set_custom_free(release);
}

void KernelHost::startThread(void *context, unsigned thread) {
  current = static_cast<KernelHost *>(context)->seats[thread].get();
}

int32_t KernelHost::run(int32_t (*function)(void *context), void *context) {
  Seat *outer = current;
  current = seats[0].get();
  int32_t code = function(context);
  current = outer;
  return code;
}

std::string KernelHost::takeMessage() {
  std::lock_guard<std::mutex> guard(messageLock);
  return std::exchange(message, {});
}

int KernelHost::doParallelFor(void *user, ThreadPool::Task task, int min, int size, uint8_t *closure) {
  if (current)
    return current->host->pool->parallelFor(task, user, min, size, closure);
  for (int i = 0; i < size; ++i)
    if (int code = task(user, min + i, closure))
      return code;
  return 0;
}

void KernelHost::reportError(void *, const char *text) {
  if (!current)
    return;
  KernelHost &host = *current->host;
  std::lock_guard<std::mutex> guard(host.messageLock);
  if (!host.message.empty())
    return;
  host.message = text;
  while (!host.message.empty() && host.message.back() == '\n')
    host.message.pop_back();
}

void *KernelHost::allocate(void *, size_t bytes) {
  return ScratchCache::allocate(current ? &current->scratch : nullptr, bytes);
}

void KernelHost::release(void *, void *block) { ScratchCache::release(current ? &current->scratch : nullptr, block); }

} // namespace quern::runtime
