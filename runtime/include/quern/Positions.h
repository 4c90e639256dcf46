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

#endif /* QUERN_POSITIONS_H */
