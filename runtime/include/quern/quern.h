/*===- quern.h - a compiled model as a library ------------------------------------------------===*
 *
 * The C interface of a shared library made with `quern compile --emit shared`: run the model's entries on raw tensors.
 *
 *   char error[256];
 *   quern_session *session = quern_open(NULL, 0, error, sizeof(error));
 *   ...
 *   quern_close(session);
 *
 * Ownership: a session belongs to the caller, who closes it; what a query returns belongs to the session. Threads: one
 * thread at a time may use a session; several sessions may run at once. Errors: a function that can fail takes a buffer
 * and its size (null and 0 are allowed) for a message, which ends with a zero and is cut off if it is longer.
 *
 *===------------------------------------------------------------------------------------------===*/

#ifndef QUERN_QUERN_H
#define QUERN_QUERN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QUERN_MAX_RANK 8

/* A loaded model with its states. */
typedef struct quern_session quern_session;

typedef enum quern_dtype {
  QUERN_F32 = 0,
  QUERN_I32 = 1, /* also of positions, whose last axis is {rotary position, cache row, first row of its sequence} */
} quern_dtype;

/* A dense row-major array in the caller's memory. */
typedef struct quern_tensor {
  quern_dtype dtype;
  uint32_t rank;
  int64_t shape[QUERN_MAX_RANK]; /* outermost first */
  void *data;
  uint64_t bytes; /* the room at `data`; that of the elements at least */
} quern_tensor;

/* Opens the model. `path`: the file with the model's data; null for the library's own file, where the compiler puts it.
   `threads`: 1 to 1024, or 0 for the CPUs that the process may use. A library that was compiled for CUDA runs on a GPU
   where there is one. Null on failure. */
quern_session *quern_open(const char *path, uint32_t threads, char *error, size_t error_size);

/* The same on a device that the library was compiled for: "cpu", "cuda" or "opencl". Tensors stay the processor's. */
quern_session *quern_open_on(const char *path, uint32_t threads, const char *device, char *error, size_t error_size);

/* Closes a session; null is allowed. */
void quern_close(quern_session *session);

/* The entries by number, and the number of an entry by name, -1 if there is none. */
uint32_t quern_entry_count(const quern_session *session);
const char *quern_entry_name(const quern_session *session, uint32_t entry);
int32_t quern_find_entry(const quern_session *session, const char *name);

/* What the compiler says of the model, JSON as quern/Format.h describes it: entries, shapes, bounds. Not terminated. */
const char *quern_describe(const quern_session *session, size_t *size);

/* How many rows of the states a sequence may have; -1 for a model without caches. */
int64_t quern_state_rows(const quern_session *session);

/* Sets all states to what they start as, with room for `sequences` sequences, 1 or more, of as many rows as one may
   have: how many rows lie between the first rows of two, or 0 where there is no such room. Sequence i begins at row i
   times that number, the field `first` of its tokens' positions. The results of a sequence do not depend on the others;
   memory is taken for rows that are written. */
int64_t quern_make_room(quern_session *session, int64_t sequences);

/* Runs an entry. `inputs` and `results` are in the entry's order and as many as it has. Of a result the caller sets
   `data` and `bytes`; the run sets the rest. 0, or 1 (bad input) or 3 (a mistake of Quern's). */
int quern_run(quern_session *session, uint32_t entry, const quern_tensor *inputs, size_t input_count,
              quern_tensor *results, size_t result_count, char *error, size_t error_size);

/* Sets all states to what they start as: caches to zero. */
void quern_reset(quern_session *session);

#ifdef __cplusplus
}
#endif

#endif /* QUERN_QUERN_H */
