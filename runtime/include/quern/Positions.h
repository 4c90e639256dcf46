/*===- Positions.h - what a step knows of each of its tokens ----------------------------------===*
 *
 * The record behind an element of type `position`, by the rows of Positions.def.
 *===------------------------------------------------------------------------------------------===*/

#ifndef QUERN_POSITIONS_H
#define QUERN_POSITIONS_H

#include <stdint.h>

struct QuernPosition {
#define QUERN_POSITION(Name, field, words) int32_t field;
#include "Positions.def"
};

/* The number of each field, in the order of memory, and how many there are. */
enum QuernPositionField {
#define QUERN_POSITION(Name, field, words) QUERN_POSITION_##Name,
#include "Positions.def"
  QUERN_POSITION_FIELDS
};

/* Bit i: the token sees the i-th row of its tree; see Positions.def. */
static inline uint64_t quern_ancestors(const struct QuernPosition *at) {
  return (uint64_t)(uint32_t)at->ancestors_high << 32 | (uint32_t)at->ancestors_low;
}

#endif /* QUERN_POSITIONS_H */
