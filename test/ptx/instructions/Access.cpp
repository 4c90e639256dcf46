//===- Access.cpp - loads and stores -----------------------------------------------------------===//

#include "test/ptx/instructions/Decoders.h"

#include <algorithm>
#include <cstdio>

namespace quern::ptx {

using Places = std::array<std::byte *, lanes>;

Space takeSpace(Assembly &assembly) {
  static constexpr std::pair<std::string_view, Space> names[] = {
      {"global", Space::Global},      {"shared", Space::Shared},    {"shared::cta", Space::Shared},
      {"local", Space::Local},        {"param", Space::Param},      {"const", Space::Const},
      {"param::entry", Space::Param}, {"param::func", Space::Param}};
  for (auto [name, space] : names)
    if (assembly.take(name))
      return space;
  return Space::Generic;
}

void skipCaching(Assembly &assembly) {
  assembly.skip({"weak",
                 "relaxed",
                 "acquire",
                 "release",
                 "acq_rel",
                 "volatile",
                 "cta",
                 "cluster",
                 "gpu",
                 "sys",
                 "ca",
                 "cg",
                 "cs",
                 "cv",
                 "lu",
                 "wb",
                 "wt",
                 "nc",
                 "L1::evict_normal",
                 "L1::evict_unchanged",
                 "L1::evict_first",
                 "L1::evict_last",
                 "L1::no_allocate",
                 "L2::evict_normal",
                 "L2::evict_first",
                 "L2::evict_last",
                 "L2::64B",
                 "L2::128B",
                 "L2::256B"});
}

static void failAddress(const Instruction &instruction, Warp &warp, unsigned lane, Status status, uint64_t address,
                        uint32_t bytes, const std::string &what) {
  char text[64];
  std::snprintf(text, sizeof(text), "%u bytes at 0x%llx: ", bytes, static_cast<unsigned long long>(address));
  warp.fail(instruction, lane, status, text + what);
}

static void failMisaligned(const Instruction &instruction, Warp &warp, unsigned lane, uint64_t address,
                           uint32_t bytes) {
  failAddress(instruction, warp, lane, Status::MisalignedAddress, address, bytes, "the address is misaligned");
}

static uint64_t getAddress(const Instruction &instruction, Warp &warp, unsigned lane) {
  uint64_t base = instruction.addressBytes == 0   ? 0
                  : instruction.addressBytes == 4 ? warp.at<uint32_t>(instruction.address)[lane]
                                                  : warp.at<uint64_t>(instruction.address)[lane];
  return base + static_cast<uint64_t>(instruction.offset);
}

/// Looks for the allocation where the last one of this instruction does not hold the address.
static bool findRange(const Instruction &instruction, Warp &warp, unsigned lane, uint64_t address, uint32_t bytes,
                      Range &range) {
  range = warp.block.memory->find(address, bytes);
  if (range.host)
    return true;
  char text[96];
  warp.block.memory->describe(address, text, sizeof(text));
  failAddress(instruction, warp, lane, Status::IllegalAddress, address, bytes, text);
  return false;
}

bool resolveGlobal(const Instruction &instruction, Warp &warp, uint32_t mask, uint32_t bytes, Places &places) {
  Range &range = warp.block.ranges[warp.getNumber(instruction)];
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned lane = firstLane(rest);
    uint64_t address = getAddress(instruction, warp, lane);
    if (address & (bytes - 1)) [[unlikely]]
      return failMisaligned(instruction, warp, lane, address, bytes), false;
    if (!range.holds(address, bytes)) [[unlikely]]
      if (!findRange(instruction, warp, lane, address, bytes, range))
        return false;
    places[lane] = range.at(address);
  }
  return true;
}

/// Why a block must not use shared memory there.
static std::string describeShared(const BlockState &block, uint64_t address) {
  if (address < block.kernel->reservedShared)
    return "the first " + std::to_string(block.kernel->reservedShared) + " bytes of shared memory are the system's";
  return "the block has " + std::to_string(block.shared.size()) + " bytes of shared memory";
}

bool resolveShared(const Instruction &instruction, Warp &warp, uint32_t mask, uint32_t bytes, Places &places) {
  std::vector<std::byte> &shared = warp.block.shared;
  uint32_t reserved = warp.block.kernel->reservedShared;
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned lane = firstLane(rest);
    uint64_t address = getAddress(instruction, warp, lane);
    if (address & (bytes - 1)) [[unlikely]]
      return failMisaligned(instruction, warp, lane, address, bytes), false;
    if (bytes > shared.size() || address > shared.size() - bytes || address < reserved) [[unlikely]]
      return failAddress(instruction, warp, lane, Status::IllegalAddress, address, bytes,
                         describeShared(warp.block, address)),
             false;
    places[lane] = shared.data() + address;
  }
  return true;
}

/// A generic address, or one of a thread's own memory or of the parameters.
static std::byte *resolveOne(const Instruction &instruction, Warp &warp, unsigned lane, uint32_t bytes) {
  uint64_t address = getAddress(instruction, warp, lane), limit = 0;
  std::byte *base = nullptr;
  Space space = instruction.space;
  if (address & (bytes - 1))
    return failMisaligned(instruction, warp, lane, address, bytes), nullptr;
  if (space == Space::Generic) {
    static constexpr Space windows[] = {Space::Global, Space::Shared, Space::Local, Space::Param};
    uint64_t window = address >> windowShift;
    space = window < std::size(windows) ? windows[window] : Space::Global;
    address &= space == Space::Global ? UINT64_MAX : (uint64_t{1} << windowShift) - 1;
  }
  if (space == Space::Global) {
    Range range;
    return findRange(instruction, warp, lane, address, bytes, range) ? range.at(address) : nullptr;
  }
  if (space == Space::Shared) {
    limit = warp.block.shared.size();
    base = address < warp.block.kernel->reservedShared ? nullptr : warp.block.shared.data();
  } else if (space == Space::Local) {
    limit = warp.block.kernel->localBytes;
    base = warp.getLocal(lane);
  } else {
    limit = warp.block.kernel->parameterBytes;
    base = const_cast<std::byte *>(warp.block.parameters);
  }
  if (base && bytes <= limit && address <= limit - bytes)
    return base + address;
  failAddress(instruction, warp, lane, Status::IllegalAddress, address, bytes,
              "there are " + std::to_string(limit) + " bytes in that space");
  return nullptr;
}

bool resolve(const Instruction &instruction, Warp &warp, uint32_t mask, uint32_t bytes, Places &places) {
  if (instruction.space == Space::Global || instruction.space == Space::Const)
    return resolveGlobal(instruction, warp, mask, bytes, places);
  if (instruction.space == Space::Shared)
    return resolveShared(instruction, warp, mask, bytes, places);
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned lane = firstLane(rest);
    places[lane] = resolveOne(instruction, warp, lane, bytes);
    if (!places[lane])
      return false;
  }
  return true;
}

/// Elements of type T to registers of type R.
template <typename T, typename R> static void runLoad(const Instruction &instruction, Warp &warp, uint32_t mask) {
  Places places;
  uint32_t bytes = static_cast<uint32_t>(sizeof(T)) * instruction.count;
  if (!resolve(instruction, warp, mask, bytes, places))
    return;
  if (instruction.space == Space::Global)
    warp.block.bytesRead += uint64_t{bytes} * static_cast<unsigned>(std::popcount(mask));
  for (unsigned i = 0; i < instruction.count; ++i) {
    R *result = warp.at<R>(instruction.slots[i]);
    for (uint32_t rest = mask; rest; rest &= rest - 1) {
      T value;
      std::memcpy(&value, places[firstLane(rest)] + i * sizeof(T), sizeof(T));
      result[firstLane(rest)] = static_cast<R>(value);
    }
  }
}

template <typename T, typename R> static void runStore(const Instruction &instruction, Warp &warp, uint32_t mask) {
  Places places;
  if (!resolve(instruction, warp, mask, static_cast<uint32_t>(sizeof(T)) * instruction.count, places))
    return;
  for (unsigned i = 0; i < instruction.count; ++i) {
    const R *values = warp.at<R>(instruction.slots[i]);
    for (uint32_t rest = mask; rest; rest &= rest - 1) {
      T value = static_cast<T>(values[firstLane(rest)]);
      std::memcpy(places[firstLane(rest)] + i * sizeof(T), &value, sizeof(T));
    }
  }
}

template <bool IsStore, typename T, typename R> static Handler getAccess() {
  if constexpr (IsStore)
    return &runStore<T, R>;
  else
    return &runLoad<T, R>;
}

/// The handler for elements of type T and registers of `bytes` bytes, at least as many.
template <bool IsStore, typename T> static Handler forRegister(unsigned bytes) {
  if (bytes == 1 && sizeof(T) == 1)
    return getAccess<IsStore, T, uint8_t>();
  if constexpr (sizeof(T) <= 2)
    if (bytes == 2)
      return getAccess<IsStore, T, uint16_t>();
  if constexpr (sizeof(T) <= 4)
    if (bytes == 4)
      return getAccess<IsStore, T, uint32_t>();
  return bytes == 8 ? getAccess<IsStore, T, uint64_t>() : nullptr;
}

template <bool IsStore> static Handler getHandler(Type type, unsigned registerBytes) {
  bool extends = isSigned(type) && !IsStore;
  switch (getBytes(type)) {
  case 1:
    return extends ? forRegister<IsStore, int8_t>(registerBytes) : forRegister<IsStore, uint8_t>(registerBytes);
  case 2:
    return extends ? forRegister<IsStore, int16_t>(registerBytes) : forRegister<IsStore, uint16_t>(registerBytes);
  case 4:
    return extends ? forRegister<IsStore, int32_t>(registerBytes) : forRegister<IsStore, uint32_t>(registerBytes);
  default:
    return forRegister<IsStore, uint64_t>(registerBytes);
  }
}

/// The registers of a value or of a vector; all have the bytes of the first.
template <bool IsStore>
static unsigned setValues(Assembly &assembly, const Operand &operand, Type type, unsigned count) {
  bool isList = operand.kind == Operand::Kind::List;
  size_t found = isList ? operand.parts.size() : 1;
  if (found != count)
    return assembly.fail("there are " + std::to_string(found) + " values, expected " + std::to_string(count)), 0;
  unsigned registerBytes = 0;
  bool hasRegister = false;
  for (unsigned i = 0; i < count; ++i) {
    const Operand &part = isList ? operand.parts[i] : operand;
    unsigned bytes = 0;
    assembly.instruction.slots[i] = IsStore ? assembly.read(part, type, &bytes) : assembly.write(part, type, &bytes);
    bool isRegister = part.kind == Operand::Kind::Name && part.name != "_";
    if (isRegister && hasRegister && bytes != registerBytes)
      assembly.fail("the registers of a vector have different sizes");
    if (isRegister || registerBytes == 0)
      registerBytes = bytes;
    hasRegister |= isRegister;
  }
  // Numbers, and results that nobody wants, were given the bytes of the type: now they get those of the registers.
  for (unsigned i = 0; i < count && isList; ++i) {
    const Operand &part = operand.parts[i];
    if (registerBytes == getBytes(type))
      break;
    if (part.kind != Operand::Kind::Name)
      assembly.instruction.slots[i] = assembly.decoder.addConstant(part.bits, registerBytes);
    else if (part.name == "_")
      assembly.instruction.slots[i] = assembly.decoder.allocate(registerBytes);
  }
  return registerBytes;
}

template <bool IsStore> static void decodeAccess(Assembly &assembly) {
  Space space = takeSpace(assembly);
  skipCaching(assembly);
  unsigned count = assembly.take("v2") ? 2 : assembly.take("v4") ? 4 : 1;
  Type type = assembly.takeType();
  if (!assembly.expect(2))
    return;
  assembly.setAddress(IsStore ? 0 : 1, space);
  if (IsStore && (assembly.instruction.space == Space::Param || assembly.instruction.space == Space::Const))
    return assembly.fail("parameters and constants cannot be written");
  if (type == Type::Pred || count * getBytes(type) > 16)
    return assembly.fail("the value has more than 16 bytes, or is a predicate");
  unsigned registerBytes = setValues<IsStore>(assembly, assembly.getOperand(IsStore ? 1 : 0), type, count);
  assembly.instruction.count = static_cast<uint8_t>(count);
  assembly.set(getHandler<IsStore>(type, registerBytes));
  assembly.finish();
}

void decodeLoad(Assembly &assembly) { decodeAccess<false>(assembly); }
void decodeStore(Assembly &assembly) { decodeAccess<true>(assembly); }

static void runNothing(const Instruction &, Warp &, uint32_t) {}

void decodePrefetch(Assembly &assembly) {
  takeSpace(assembly);
  assembly.skip({"L1", "L2", "L2::evict_last", "L2::evict_normal"});
  assembly.set(&runNothing);
  assembly.finish();
}

} // namespace quern::ptx
