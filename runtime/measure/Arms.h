/*===- Arms.h - a model whose kernels have several plans ----------------------------------------===*
 *
 * What the compiler links into a program that measures plans: programs call each kernel through a pointer, and of each
 * kernel there are several functions, its arms, that compute the same.
 *
 *===--------------------------------------------------------------------------------------------===*/

#ifndef QUERN_RUNTIME_MEASURE_ARMS_H
#define QUERN_RUNTIME_MEASURE_ARMS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The function that kernel k, of the description's list, is launched by; at first its arm 0. */
extern const void *quern_chosen_kernels[];
/* The arms of kernel k are those from quern_arm_begins[k] to quern_arm_begins[k + 1] - 1. */
extern const void *const quern_arms[];
extern const uint32_t quern_arm_begins[];
extern const uint32_t quern_kernel_count;

#ifdef __cplusplus
}
#endif

/* What runs, in memory that the program shares with whoever started it: who sees that it died, or does not go on, reads
   here by what. */
struct QuernMeasureState {
  int32_t kernel; /* -1: none */
  int32_t arm;
  uint64_t launches; /* how many began so far */
};

#endif /* QUERN_RUNTIME_MEASURE_ARMS_H */
