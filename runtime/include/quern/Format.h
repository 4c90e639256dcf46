/*===- Format.h - the contract between compiled code and the runtime --------------------------===*
 *
 * What the compiler writes into a binary and the runtime reads: the programs' calling convention, and the data that
 * follows the native code in the file. Plain C, no dependencies. All integers are little-endian.
 *
 *===------------------------------------------------------------------------------------------===*/

#ifndef QUERN_FORMAT_H
#define QUERN_FORMAT_H

#include "Positions.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this contract: a runtime runs programs of its own only. */
#define QUERN_ABI_VERSION 3

/* What a program needs for one run. A program is one entry for one set of sizes (its variant), compiled for one
 * target. */
struct QuernProgramArgs {
  /* Scratch memory of `arena_bytes` of the program's description, aligned to QUERN_ALIGNMENT. */
  void *arena;
  /* The packed weights, aligned to QUERN_ALIGNMENT. */
  const void *weights;
  /* The states in the order of the description, each aligned to QUERN_ALIGNMENT. */
  void *const *states;
  /* The entry's arguments, then its results, row-major, in the order of the description, each aligned to
     QUERN_ALIGNMENT. */
  void *const *operands;
  /* The values of the entry's symbolic dimensions in the order of the description. */
  const int32_t *dims;
  /* Row r of paged caches is row r % QUERN_PAGE_ROWS of page pages[r / QUERN_PAGE_ROWS] of their memory. */
  const int32_t *pages;
  /* How many entries `pages` has, 1 or more. */
  int32_t page_count;
  /* How many cache rows the token of this step that sees most of them sees (0 for entries without positions). */
  int32_t visible;
  /* The first row of all tokens' sequences, or -1 where they differ, or where an input's tokens are not consecutive
     rows. */
  int32_t first;
  /* Called around every kernel when not null: `kernel` indexes the description's list of kernels. */
  void (*profile)(void *context, int32_t kernel, int32_t begin);
  void *profile_context;
  /* What kernels of a device are told of it; null on the processor. All addresses above but those of `states`,
     `operands` and `dims` themselves are the device's. */
  void *device;
};

/* Where programs find these fields: FIELD(name, offset in bytes, pointer or i32). The compiler takes them from here,
   and whoever includes this file has them there. Another layout is another QUERN_ABI_VERSION. */
#define QUERN_PROGRAM_ARGS(FIELD)                                                                                      \
  FIELD(arena, 0, pointer)                                                                                             \
  FIELD(weights, 8, pointer)                                                                                           \
  FIELD(states, 16, pointer)                                                                                           \
  FIELD(operands, 24, pointer)                                                                                         \
  FIELD(dims, 32, pointer)                                                                                             \
  FIELD(pages, 40, pointer)                                                                                            \
  FIELD(page_count, 48, i32)                                                                                           \
  FIELD(visible, 52, i32)                                                                                              \
  FIELD(first, 56, i32)                                                                                                \
  FIELD(profile, 64, pointer)                                                                                          \
  FIELD(profile_context, 72, pointer)                                                                                  \
  FIELD(device, 80, pointer)

#define QUERN_SIZE_pointer 8
#define QUERN_SIZE_i32 4
#define QUERN_CHECK_FIELD(name, offset, kind)                                                                          \
  static_assert(offsetof(struct QuernProgramArgs, name) == offset, "`" #name "` lies where programs find it");         \
  static_assert(sizeof(((struct QuernProgramArgs *)0)->name) == QUERN_SIZE_##kind, "`" #name "` is a " #kind);
QUERN_PROGRAM_ARGS(QUERN_CHECK_FIELD)
static_assert(sizeof(struct QuernProgramArgs) == 88, "programs know every field");
#undef QUERN_CHECK_FIELD
#undef QUERN_SIZE_pointer
#undef QUERN_SIZE_i32

/* Runs a program. 0, or the first kernel's error code; the kernel's message went to halide_error's handler. */
typedef int32_t (*QuernProgram)(const struct QuernProgramArgs *args);

#define QUERN_ALIGNMENT 64

/* What a cache of f16 holds of a number beyond f16: a NaN, by its bits apart from one that it was given. */
#define QUERN_BEYOND_F16 0x7e01
/* Caches lie in memory by pages of so many rows, one sequence's in each: sequences begin at multiples of it. A cache
   that is not paged, since something beside appends and attention reads it, is one page as long as it is. */
#define QUERN_PAGE_ROWS 256
/* Of tensors that attention reads beside caches, sequences begin at multiples of so many rows. */
#define QUERN_SEQUENCE_ROWS 16

/* What a device's driver is given of a kernel: text, ended by a zero, and behind it at multiples of
   QUERN_MODULE_ALIGNMENT, where the kernel was assembled for some devices of CUDA, their images: this, then `bytes`. */
struct QuernModuleImage {
  uint32_t capability; /* the compute capability, 80 for 8.0: it runs on those of the same major one, not below it */
  uint32_t reserved;   /* 0 */
  uint64_t bytes;
};
#define QUERN_MODULE_ALIGNMENT 16

/* One row per program, in the order of the description's `targets` and, within a target, its `programs`. */
struct QuernProgramTable {
  uint32_t count;
  const QuernProgram *programs;
};

/* The symbols that the compiler defines and the runtime refers to: the programs, and the description. */
extern const struct QuernProgramTable quern_programs;
/* UTF-8 JSON, see below; not terminated by a zero. */
extern const uint8_t quern_description[];
extern const uint64_t quern_description_size;

/*
 * The description, one JSON object:
 *
 *   version        3
 *   model          name of the root module
 *   entries        [{name, role?, inputs: [{name, dtype, shape}], results: [{name, dtype, shape}],
 *                    symbols: ["s", "r"], bounds: {"s": 512, "r": 512}}]
 *                  dtype: "f32" | "i32" | "position"; shape: sizes or symbol names, outermost first;
 *                  a position is a `struct QuernPosition`, QUERN_POSITION_FIELDS i32
 *                  role: what more may be done with it than to run it on tensors: "language_model", an entry
 *                  (i32[s], position[s], i32[r]) -> f32[r, vocabulary], behind which f32[r, hidden] may follow;
 *                  "guesser", f32[r, hidden] -> i32[r, heads, guesses], tokens by rank, or "image_classifier",
 *                  f32[n, c, h, w] -> f32[n, classes] with one or three channels
 *                  every symbol has a bound and occurs in an input's shape
 *                  an i32 or position input may have below: a list of sizes and symbols; its elements are indices
 *                  (rotary positions) from 0 and below each, which the runtime checks because programs do not
 *                  a position input may have rows: such a list of what its cache rows are below, beside the states'
 *   states         [{name, kind, bytes, dtype, shape, layout?, start?}]  kind: "cache", whose shape[0] is how many
 *                  tokens a sequence in it has at most, or "variable"; start: the offset of the packed weights that it
 *                  starts as, zeros without; layout, of a cache: how its rows lie, in elements, {bytes: of an element,
 *                  lanes: [count, stride], groups: stride, elements: [count, stride], heads: [count, stride], pages?:
 *                  stride}: row r of a page begins at r / lanes * groups + r % lanes * (stride of lanes) and has heads
 *                  times elements; a cache without pages is one; bytes: of one sequence
 *   weights_bytes  size of the packed weights
 *   parameters     [{name, dtype, shape, offset, bytes}]  offsets into the packed weights
 *                  often: the first bytes of it that are often read, of experts that a routing profile tells of
 *                  (absent: all)
 *   experts        absent, or [{name, experts, numbers}]  arrays of experts that rows choose among, and how many
 *                  numbers the weights of one have; order: the experts as they lie in memory (absent: ascending)
 *   targets        [{name, device: "cpu" | "cuda" | "opencl",      what runs the kernels (absent: "cpu")
 *                    same_bits: "target" | "device", where a text has the same bits in whatever pieces and company: on
 *                               every machine, or on one device by one driver (absent: "target")
 *                    rows_apart: steps of so many rows at most have others (absent: none have)
 *                    features: ["avx512f", …],              every feature that the CPU must have, by its Linux name
 *                    programs: [{entry: index into entries, when: {"s": 1}, arena_bytes,
 *                                kernels: [{symbol, form, arithmetic, location, bytes, operations}],
 *                                routing: [{array: index into experts, rows, slots, launch, order, begins,
 *                                           readers}]}]}]
 *                  CPUs first, the best target of each device first; programs of one entry: most special first;
 *                  `when` {} fits all sizes
 *                  arithmetic: "f32" | "i8" | "bf16", what products are computed in (absent: "f32")
 *                  bytes and operations of a launch, for the kernels that the program launches: lists of terms
 *                  [number, sizes…]; the sum of number × sizes, which are symbols, "@visible", the cache rows that a
 *                  token sees at most, or "@chosen", the experts that at least one row chose
 *                  routing (absent: none): after launch number `launch`, counted from 0, the arena holds at byte
 *                  `order` i32[rows, slots], every slot once, and at byte `begins` i32[experts + 1]: the slots of rows
 *                  that chose the expert at place p are order[begins[p]] … order[begins[p + 1] - 1], ascending; the
 *                  launches `readers` read the weights of experts that they chose; rows: a size or symbol
 *   quantization   {"q4_1": bytes, …}      bytes of the packed weights per storage type
 *   exact          whether activations stay f32
 *   text           null, or {tokenizer: {offset, bytes}, chat_template: string or null, bos: string or null,
 *                  eos: string or null, bos_id, eos_ids: [ids that end a text], add_bos: bool, vocab_size}
 *                  the tokenizer is a tokenizer.json at that offset of the file's data section
 *   image          absent, or null, or {resize: null, {height, width} or {shortest_edge},
 *                  filter: "bilinear" or "bicubic", align_corners: bool, antialias: bool, crop: null or
 *                  {height, width}, rescale_factor, mean: [numbers], std: [numbers], labels: [strings],
 *                  probabilities: bool}
 *                  how pictures become the input of an image classifier
 *   medusa         absent, or null, or {tree: [paths], source: "file", "calibration" or "assumed", expected_tokens?}
 *                  which guesses of the guesser a step tries: a path is the rank of each head's guess, those of
 *                  the nodes of a tree but the root by length and then lexicographically; how many tokens a step
 *                  is expected to write, by accuracies that were measured or assumed
 *   versions       {quern, llvm, halide}
 *
 * The data section stands at the end of the file, after the native code:
 *
 *   … ELF … | padding to QUERN_DATA_ALIGNMENT | weights | other data (tokenizer) | struct QuernTrailer
 */
#define QUERN_DATA_ALIGNMENT 4096

/* The last bytes of the file. */
struct QuernTrailer {
  uint64_t data_offset; /* from the start of the file to the weights */
  uint64_t data_bytes;  /* weights and other data, without the trailer */
  uint64_t checksum;    /* FNV-1a 64 of this trailer's bytes before this field and of the description */
  char magic[8];        /* "QUERN\0\0\1" */
};

#define QUERN_TRAILER_MAGIC "QUERN\0\0\1"

#ifdef __cplusplus
}
#endif

#endif /* QUERN_FORMAT_H */
