//===- BlockFormats.cpp - Block-quantised number formats ------------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/BlockFormats.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"

#include <cassert>
#include <cmath>

using namespace llvm;
using namespace quern;
using support::endian::read16le;
using support::endian::read32le;

// A value is a rounded product plus a minimum in every stage; a fused
// multiply-add here would make the compiler's flags part of the result.
#pragma STDC FP_CONTRACT OFF

static constexpr BlockTraits traitsTable[] = {
#define QUERN_BLOCK_FORMAT(Name, keyword, elements, bytes, group, zero, hasMins)                                       \
  {#keyword, elements, bytes, group, zero, hasMins},
#include "dialect/BlockFormats.def"
};

const BlockTraits &quern::getTraits(BlockFormat format) { return traitsTable[static_cast<size_t>(format)]; }

std::optional<BlockFormat> quern::parseBlockFormat(StringRef keyword) {
  for (size_t i = 0; i < std::size(traitsTable); ++i)
    if (traitsTable[i].keyword == keyword)
      return static_cast<BlockFormat>(i);
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// One decoder per format, named after its enumerator
//===----------------------------------------------------------------------===//

static float readHalf(const uint8_t *at) { return halfToFloat(read16le(at)); }

/// Splits 16 bytes into 32 numbers: low nibbles first, then high nibbles.
static void splitNibbles(const uint8_t *bytes, int64_t count, uint8_t *quants) {
  for (int64_t i = 0; i < count; ++i) {
    quants[i] = bytes[i] & 0xf;
    quants[i + count] = bytes[i] >> 4;
  }
}

/// Adds bit i of `high` to number i as its fifth bit.
static void addFifthBits(uint32_t high, uint8_t *quants) {
  for (int i = 0; i < 32; ++i)
    quants[i] |= ((high >> i) & 1) << 4;
}

/// int8[32] as numbers with zero 128.
static void biasSigned(const uint8_t *bytes, uint8_t *quants) {
  for (int i = 0; i < 32; ++i)
    quants[i] = bytes[i] ^ 0x80;
}

// { f16 d; i8 q[32] }
static void decodeQ8_0(const uint8_t *block, DecodedBlock &out) {
  out.scales[0] = readHalf(block);
  out.mins[0] = 0;
  biasSigned(block + 2, out.quants.data());
}

// { f16 d; u8 nibbles[16] }
static void decodeQ4_0(const uint8_t *block, DecodedBlock &out) {
  out.scales[0] = readHalf(block);
  out.mins[0] = 0;
  splitNibbles(block + 2, 16, out.quants.data());
}

// { f16 d; f16 m; u8 nibbles[16] }
static void decodeQ4_1(const uint8_t *block, DecodedBlock &out) {
  out.scales[0] = readHalf(block);
  out.mins[0] = readHalf(block + 2);
  splitNibbles(block + 4, 16, out.quants.data());
}

// { f16 d; u32 fifth bits; u8 nibbles[16] }
static void decodeQ5_0(const uint8_t *block, DecodedBlock &out) {
  out.scales[0] = readHalf(block);
  out.mins[0] = 0;
  splitNibbles(block + 6, 16, out.quants.data());
  addFifthBits(read32le(block + 2), out.quants.data());
}

// { f16 d; f16 m; u32 fifth bits; u8 nibbles[16] }
static void decodeQ5_1(const uint8_t *block, DecodedBlock &out) {
  out.scales[0] = readHalf(block);
  out.mins[0] = readHalf(block + 2);
  splitNibbles(block + 8, 16, out.quants.data());
  addFifthBits(read32le(block + 4), out.quants.data());
}

/// The 6-bit scales and minimums of q4_k and q5_k, eight of each in 12 bytes:
/// bytes 0..3 hold scales 0..3, bytes 4..7 minimums 0..3 (low 6 bits); bytes
/// 8..11 hold the low nibbles of scale and minimum 4..7, whose upper two bits
/// are the upper two of bytes 0..7.
static void decodeKScales(const uint8_t *block, DecodedBlock &out) {
  float scale = readHalf(block);
  float min = readHalf(block + 2);
  const uint8_t *packed = block + 4;
  for (int i = 0; i < 8; ++i) {
    uint8_t s = i < 4 ? packed[i] & 63 : (packed[i + 4] & 0xf) | ((packed[i - 4] >> 6) << 4);
    uint8_t m = i < 4 ? packed[i + 4] & 63 : (packed[i + 4] >> 4) | ((packed[i] >> 6) << 4);
    out.scales[i] = scale * float(s);
    out.mins[i] = -(min * float(m));
  }
}

// { f16 d; f16 dmin; u8 scales[12]; u8 nibbles[128] }
static void decodeQ4_K(const uint8_t *block, DecodedBlock &out) {
  decodeKScales(block, out);
  for (int part = 0; part < 4; ++part)
    splitNibbles(block + 16 + 32 * part, 32, out.quants.data() + 64 * part);
}

// { f16 d; f16 dmin; u8 scales[12]; u8 fifth bits[32]; u8 nibbles[128] }
// Bit g of byte i of the fifth bits belongs to number 32 g + i.
static void decodeQ5_K(const uint8_t *block, DecodedBlock &out) {
  decodeKScales(block, out);
  for (int part = 0; part < 4; ++part)
    splitNibbles(block + 48 + 32 * part, 32, out.quants.data() + 64 * part);
  for (int group = 0; group < 8; ++group)
    for (int i = 0; i < 32; ++i)
      out.quants[32 * group + i] |= ((block[16 + i] >> group) & 1) << 4;
}

// { u8 low nibbles[128]; u8 upper two bits[64]; i8 scales[16]; f16 d }, in two
// halves of 128 numbers: number 32 j + i of a half (j = 0..3) has its low nibble
// in byte 32 (j % 2) + i, low half of the byte if j < 2, and its upper bits at
// bit 2 j of byte i.
static void decodeQ6_K(const uint8_t *block, DecodedBlock &out) {
  float scale = readHalf(block + 208);
  for (int i = 0; i < 16; ++i) {
    out.scales[i] = scale * float(static_cast<int8_t>(block[192 + i]));
    out.mins[i] = 0;
  }
  for (int i = 0; i < 256; ++i) {
    int half = i / 128, j = i % 128 / 32, lane = i % 32;
    uint8_t low = block[64 * half + 32 * (j % 2) + lane] >> (j < 2 ? 0 : 4);
    uint8_t high = block[128 + 32 * half + lane] >> (2 * j);
    out.quants[i] = (low & 0xf) | ((high & 3) << 4);
  }
}

// { i8 q[32]; f32 d; i32 sum of q }
static void decodeQ8_1(const uint8_t *block, DecodedBlock &out) {
  out.scales[0] = bit_cast<float>(read32le(block + 32));
  out.mins[0] = 0;
  biasSigned(block, out.quants.data());
}

void quern::decodeBlock(BlockFormat format, ArrayRef<uint8_t> block, DecodedBlock &out) {
  assert(int64_t(block.size()) == getTraits(format).bytes && "one whole block");
  switch (format) {
#define QUERN_BLOCK_FORMAT(Name, ...)                                                                                  \
  case BlockFormat::Name:                                                                                              \
    return decode##Name(block.data(), out);
#include "dialect/BlockFormats.def"
  }
}

void quern::dequantizeRow(BlockFormat format, ArrayRef<uint8_t> bytes, MutableArrayRef<float> values) {
  const BlockTraits &traits = getTraits(format);
  assert(int64_t(values.size()) % traits.elements == 0 && "whole blocks");
  assert(int64_t(bytes.size()) == int64_t(values.size()) / traits.elements * traits.bytes &&
         "as many bytes as the values take");
  DecodedBlock block;
  for (size_t b = 0; b * traits.elements < values.size(); ++b) {
    decodeBlock(format, bytes.slice(b * traits.bytes, traits.bytes), block);
    for (int64_t i = 0; i < traits.elements; ++i) {
      int64_t group = i / traits.group;
      float product = block.scales[group] * float(int32_t(block.quants[i]) - traits.zero);
      values[b * traits.elements + i] = traits.hasMins ? product + block.mins[group] : product;
    }
  }
}
