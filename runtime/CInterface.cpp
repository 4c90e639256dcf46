//===- CInterface.cpp - a compiled model as a library ------------------------------------------===//

#include "quern/quern.h"

#include "quern/Runtime.h"

#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <limits>

using namespace quern::runtime;

struct quern_session {
  std::unique_ptr<Session> session;
};

/// Copies a message into the caller's buffer; the code.
static int report(const Error &error, char *buffer, size_t size) {
  if (buffer && size) {
    size_t count = std::min(size - 1, error.message.size());
    std::memcpy(buffer, error.message.data(), count);
    buffer[count] = 0;
  }
  return static_cast<int>(error.kind);
}

/// The file that this code was loaded from.
static Result<std::string> findOwnFile() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void *>(&quern_programs), &info) || !info.dli_fname)
    return Error{"could not find the library's own file; give its path"};
  return std::string(info.dli_fname);
}

static Result<std::unique_ptr<Session>> openSession(const char *path, uint32_t threads, const char *device) {
  SessionOptions options;
  if (threads)
    options.threads = threads;
  if (device)
    options.device = device;
  if (path)
    return Session::open(path, options);
  Result<std::string> own = findOwnFile();
  if (!own)
    return own.error();
  return Session::open(*own, options);
}

/// The caller's array as a tensor of the session, whose memory is aligned.
static Result<Tensor> copyInput(const quern_tensor &input, size_t index) {
  std::string name = "input " + std::to_string(index);
  if (input.rank > QUERN_MAX_RANK)
    return Error{name + " has the rank " + std::to_string(input.rank) + ", expected at most " +
                 std::to_string(QUERN_MAX_RANK)};
  if (input.dtype != QUERN_F32 && input.dtype != QUERN_I32)
    return Error{name + " has an unknown dtype, expected QUERN_F32 or QUERN_I32"};
  std::vector<int64_t> shape(input.shape, input.shape + input.rank);
  uint64_t room = input.bytes / sizeof(float);
  uint64_t count = 1;
  for (int64_t size : shape) {
    if (size < 1 || count > room / static_cast<uint64_t>(size))
      return Error{name + " of the shape " + formatShape(shape) + " does not lie within its " +
                   std::to_string(input.bytes) + " bytes"};
    count *= static_cast<uint64_t>(size);
  }
  if (!input.data || count > room)
    return Error{name + " has no data"};
  Tensor tensor(input.dtype == QUERN_F32 ? DType::F32 : DType::I32, shape);
  std::memcpy(tensor.mutableView().data, input.data, tensor.getByteCount());
  return tensor;
}

static Result<void> copyResult(const Tensor &result, quern_tensor &output, size_t index) {
  if (result.getShape().size() > QUERN_MAX_RANK || !output.data || output.bytes < result.getByteCount())
    return Error{"result " + std::to_string(index) + " needs " + std::to_string(result.getByteCount()) +
                 " bytes, found room for " + std::to_string(output.data ? output.bytes : 0)};
  output.dtype = result.getDType() == DType::F32 ? QUERN_F32 : QUERN_I32;
  output.rank = static_cast<uint32_t>(result.getShape().size());
  std::copy(result.getShape().begin(), result.getShape().end(), output.shape);
  std::memcpy(output.data, result.view().data, result.getByteCount());
  return {};
}

static Result<void> runEntry(Session &session, uint32_t entry, std::span<const quern_tensor> inputs,
                             std::span<quern_tensor> outputs) {
  const std::vector<Entry> &entries = session.getDescription().entries;
  if (entry >= entries.size())
    return Error{"there is no entry " + std::to_string(entry) + ", the model has " + std::to_string(entries.size())};
  if (outputs.size() != entries[entry].results.size())
    return Error{"got room for " + std::to_string(outputs.size()) + " results, expected " +
                 std::to_string(entries[entry].results.size())};
  std::vector<Tensor> tensors;
  std::vector<TensorView> views;
  for (const quern_tensor &input : inputs) {
    Result<Tensor> tensor = copyInput(input, tensors.size());
    if (!tensor)
      return tensor.error();
    tensors.push_back(std::move(*tensor));
  }
  for (const Tensor &tensor : tensors)
    views.push_back(tensor.view());
  Result<std::vector<Tensor>> results = session.run(entry, views);
  if (!results)
    return results.error();
  for (size_t i = 0; i < outputs.size(); ++i)
    if (Result<void> done = copyResult((*results)[i], outputs[i], i); !done)
      return done;
  return {};
}

extern "C" {

quern_session *quern_open(const char *path, uint32_t threads, char *error, size_t error_size) {
  return quern_open_on(path, threads, nullptr, error, error_size);
}

quern_session *quern_open_on(const char *path, uint32_t threads, const char *device, char *error, size_t error_size) {
  Result<std::unique_ptr<Session>> session = openSession(path, threads, device);
  if (session)
    return new quern_session{std::move(*session)};
  report(session.error(), error, error_size);
  return nullptr;
}

void quern_close(quern_session *session) { delete session; }

uint32_t quern_entry_count(const quern_session *session) {
  return static_cast<uint32_t>(session->session->getDescription().entries.size());
}

const char *quern_entry_name(const quern_session *session, uint32_t entry) {
  const std::vector<Entry> &entries = session->session->getDescription().entries;
  return entry < entries.size() ? entries[entry].name.c_str() : nullptr;
}

int32_t quern_find_entry(const quern_session *session, const char *name) {
  std::optional<uint32_t> entry = session->session->findEntry(name);
  return entry ? static_cast<int32_t>(*entry) : -1;
}

const char *quern_describe(const quern_session *, size_t *size) {
  *size = static_cast<size_t>(quern_description_size);
  return reinterpret_cast<const char *>(quern_description);
}

int64_t quern_state_rows(const quern_session *session) { return session->session->getStateRows().value_or(-1); }

int64_t quern_make_room(quern_session *session, int64_t sequences) {
  Session &made = *session->session;
  int64_t rows = made.getStateRows().value_or(0), pages = countPages(rows);
  if (!made.hasPages() || sequences < 1 || sequences > std::numeric_limits<int32_t>::max() / QUERN_PAGE_ROWS / pages) {
    made.resetStates();
    return sequences == 1 ? rows : 0;
  }
  Result<int64_t> given = made.resizePages(sequences * pages);
  return given && *given >= sequences * pages ? pages * QUERN_PAGE_ROWS : 0;
}

int quern_run(quern_session *session, uint32_t entry, const quern_tensor *inputs, size_t input_count,
              quern_tensor *results, size_t result_count, char *error, size_t error_size) {
  Result<void> done = runEntry(*session->session, entry, {inputs, input_count}, {results, result_count});
  return done ? 0 : report(done.error(), error, error_size);
}

void quern_reset(quern_session *session) { session->session->resetStates(); }
}
