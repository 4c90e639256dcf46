//===- Packer.cpp - weights into the kernels' layout ------------------------------------------===//

#include "codegen/Packer.h"
#include "dialect/ExpertUse.h"
#include "dialect/PackedLayout.h"
#include "dialect/ParameterStream.h"
#include "dialect/Reference.h"
#include "runtime/Workers.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Support/Endian.h"

#include <cerrno>
#include <cmath>
#include <unistd.h>

using namespace mlir;

#pragma STDC FP_CONTRACT OFF

namespace quern::codegen {
namespace {

/// Every parameter begins at a multiple of a cache line.
constexpr uint64_t alignment = 64;

/// Gives the stored bytes of one row of a parameter.
using ReadRow = llvm::function_ref<llvm::Expected<ArrayRef<uint8_t>>(int64_t)>;

/// Writes one parameter.
class ParameterWriter {
public:
  ParameterWriter(ParameterOp parameter, llvm::raw_ostream &os)
      : parameter(parameter), type(parameter.getTensorType()), os(os) {}

  LogicalResult writeDense(ReadRow readRow);
  LogicalResult writePacked(ReadRow readRow);

private:
  FailureOr<ArrayRef<uint8_t>> read(ReadRow readRow, int64_t row, int64_t rowBytes);
  LogicalResult checkFinite(ArrayRef<uint8_t> bytes, int64_t row);
  LogicalResult refuse(int64_t row, int64_t column, StringRef what);
  void packFloats(const PackedLayout &layout, ArrayRef<uint8_t> bytes, int64_t i, uint8_t *panel);
  LogicalResult packCompressed(const PackedLayout &layout, ArrayRef<uint8_t> bytes, int64_t row, uint8_t *panel);
  LogicalResult packBlocks(const PackedLayout &layout, ArrayRef<uint8_t> bytes, int64_t row, uint8_t *panel);

  ParameterOp parameter;
  RankedTensorType type;
  llvm::raw_ostream &os;
};

} // namespace

LogicalResult ParameterWriter::refuse(int64_t row, int64_t column, StringRef what) {
  return parameter.emitError("tensor `") << parameter.getSymName() << "` has a " << what << " at row " << row
                                         << ", column " << column << " that is not finite";
}

FailureOr<ArrayRef<uint8_t>> ParameterWriter::read(ReadRow readRow, int64_t row, int64_t rowBytes) {
  llvm::Expected<ArrayRef<uint8_t>> bytes = readRow(row);
  if (!bytes)
    return parameter.emitError("cannot read row ")
           << row << " of tensor `" << parameter.getSymName() << "`: " << toString(bytes.takeError());
  if (int64_t(bytes->size()) != rowBytes)
    return parameter.emitError("row ") << row << " of tensor `" << parameter.getSymName() << "` has " << bytes->size()
                                       << " bytes, expected " << rowBytes;
  return *bytes;
}

/// Whether bits of a float with `exponentMask` hold an infinity or a NaN, for each element of a row.
template <typename T> static int64_t findNotFinite(ArrayRef<uint8_t> bytes, T exponentMask) {
  for (size_t i = 0; i < bytes.size() / sizeof(T); ++i)
    if ((llvm::support::endian::read<T, llvm::endianness::little>(bytes.data() + i * sizeof(T)) & exponentMask) ==
        exponentMask)
      return i;
  return -1;
}

LogicalResult ParameterWriter::checkFinite(ArrayRef<uint8_t> bytes, int64_t row) {
  Type element = type.getElementType();
  int64_t column = -1;
  if (element.isF32())
    column = findNotFinite<uint32_t>(bytes, 0x7f800000);
  else if (element.isF16())
    column = findNotFinite<uint16_t>(bytes, 0x7c00);
  else if (element.isBF16())
    column = findNotFinite<uint16_t>(bytes, 0x7f80);
  return column < 0 ? success() : refuse(row, column, "value");
}

LogicalResult ParameterWriter::writeDense(ReadRow readRow) {
  int64_t rows = type.getRank() < 2 ? 1 : type.getDimSize(0);
  int64_t rowBytes = rows == 0 ? 0 : *getParameterBytes(type, std::nullopt) / rows;
  for (int64_t row = 0; row < rows; ++row) {
    FailureOr<ArrayRef<uint8_t>> bytes = read(readRow, row, rowBytes);
    if (failed(bytes) || failed(checkFinite(*bytes, row)))
      return failure();
    os.write(reinterpret_cast<const char *>(bytes->data()), bytes->size());
  }
  return success();
}

/// Spreads a row to every `stride` bytes from `lane` on, one T at a time; the last one may be incomplete.
template <typename T> static void spread(ArrayRef<uint8_t> bytes, uint8_t *lane, int64_t stride) {
  for (; bytes.size() >= sizeof(T); bytes = bytes.drop_front(sizeof(T)), lane += stride)
    memcpy(lane, bytes.data(), sizeof(T));
  std::copy(bytes.begin(), bytes.end(), lane);
}

/// Row `i` of a panel becomes lane i of [group][i].
void ParameterWriter::packFloats(const PackedLayout &layout, ArrayRef<uint8_t> bytes, int64_t i, uint8_t *panel) {
  uint8_t *lane = panel + layout.elementOffset(i, 0);
  if (layout.group * layout.bits == 32)
    spread<uint32_t>(bytes, lane, layout.blockBytes());
  else
    spread<uint16_t>(bytes, lane, layout.blockBytes());
}

LogicalResult ParameterWriter::packCompressed(const PackedLayout &layout, ArrayRef<uint8_t> bytes, int64_t row,
                                              uint8_t *panel) {
  int64_t i = row % PackedLayout::panelRows;
  std::optional<uint8_t> base = findExponentBase(bytes);
  if (!base)
    return parameter.emitError("row ") << row << " of tensor `" << parameter.getSymName()
                                       << "` has exponents that do not fit 13 bits";
  std::fill_n(panel + 4 * i, 4, *base);
  uint8_t *block = panel + layout.blocksOffset();
  for (int64_t unit = 0; !bytes.empty(); ++unit) {
    if (unit == PackedLayout::blockUnits) {
      unit = 0;
      block += layout.blockBytes();
    }
    uint8_t *nibbles = block + PackedLayout::nibblesLine(unit) * PackedLayout::lineBytes;
    uint8_t *lows = block + PackedLayout::lowLine(unit) * PackedLayout::lineBytes;
    for (int64_t c = 0; c < PackedLayout::unitColumns && !bytes.empty(); ++c, bytes = bytes.drop_front(2)) {
      int64_t place = PackedLayout::lineByte(i, c);
      uint8_t exponent = bytes[1] & 0x7f, nibble = exponent == 0 ? 0 : exponent - *base;
      block[place] |= bytes[1] >> 7 << (7 - unit);
      nibbles[place] |= nibble << (unit % 2 * 4);
      lows[place] = bytes[0];
    }
  }
  return success();
}

static void storeScale(const PackedLayout &layout, uint8_t *at, float value) {
  if (layout.scaleBytes == 2)
    llvm::support::endian::write16le(at, floatToHalf(value));
  else
    llvm::support::endian::write32le(at, llvm::bit_cast<uint32_t>(value));
}

LogicalResult ParameterWriter::packBlocks(const PackedLayout &layout, ArrayRef<uint8_t> bytes, int64_t row,
                                          uint8_t *panel) {
  BlockFormat format = cast<BlockType>(type.getElementType()).getFormat();
  const BlockTraits &traits = getTraits(format);
  int64_t i = row % PackedLayout::panelRows;
  SmallVector<std::pair<int64_t, int64_t>, 32> places; // of the quants of row i: byte within the block, shift
  for (int64_t c = 0; c < layout.group; ++c)
    places.push_back({layout.elementOffset(i, c), layout.elementShift(c)});
  DecodedBlock decoded;
  for (int64_t column = 0; !bytes.empty(); bytes = bytes.drop_front(traits.bytes)) {
    decodeBlock(format, bytes.take_front(traits.bytes), decoded);
    for (int64_t g = 0; g < traits.groups(); ++g, column += layout.group, panel += layout.blockBytes()) {
      if (!std::isfinite(decoded.scales[g]) || !std::isfinite(decoded.mins[g]))
        return refuse(row, column, "scale or minimum");
      storeScale(layout, panel + layout.scalesOffset() + i * layout.scaleBytes, decoded.scales[g]);
      if (layout.hasMins)
        storeScale(layout, panel + layout.minsOffset() + i * layout.scaleBytes, decoded.mins[g]);
      const uint8_t *quants = decoded.quants.data() + g * layout.group;
      for (auto [place, quant] : llvm::zip(places, ArrayRef(quants, layout.group)))
        panel[place.first] |= quant << place.second;
    }
  }
  return success();
}

LogicalResult ParameterWriter::writePacked(ReadRow readRow) {
  PackedLayout layout = *getPackedLayout(type.getElementType(), *parameter.getPacking());
  int64_t n = type.getDimSize(0);
  FailureOr<int64_t> rowBytes = getStorageBytes(type.getElementType(), type.getDimSize(1));
  if (failed(rowBytes))
    return parameter.emitError("tensor `")
           << parameter.getSymName() << "` has rows of " << type.getDimSize(1) << " values, expected whole blocks";
  std::vector<uint8_t> panel(layout.panelBytes(type.getDimSize(1)));
  for (int64_t first = 0; first < n; first += PackedLayout::panelRows) {
    std::fill(panel.begin(), panel.end(), 0);
    for (int64_t row = first; row < std::min(n, first + PackedLayout::panelRows); ++row) {
      FailureOr<ArrayRef<uint8_t>> bytes = read(readRow, row, *rowBytes);
      if (failed(bytes) || failed(checkFinite(*bytes, row)))
        return failure();
      if (layout.isQuantised() && failed(packBlocks(layout, *bytes, row, panel.data())))
        return failure();
      if (layout.isCompressed() && failed(packCompressed(layout, *bytes, row, panel.data())))
        return failure();
      if (!layout.isQuantised() && !layout.isCompressed())
        packFloats(layout, *bytes, row - first, panel.data());
    }
    os.write(reinterpret_cast<const char *>(panel.data()), panel.size());
  }
  return success();
}

/// Writes `parameter` from the checkpoint, or as its initialiser evaluates: some rows at a time, so that memory holds
/// no matrix. Each has an evaluator of its own, so that memory holds what one initialiser needs.
static LogicalResult writeParameter(ModuleOp module, ParameterOp parameter, ParameterSource &source,
                                    llvm::raw_ostream &os) {
  ParameterWriter writer(parameter, os);
  auto write = [&](ReadRow readRow) {
    return parameter.getPacking() ? writer.writePacked(readRow) : writer.writeDense(readRow);
  };
  if (parameter.isExternal())
    return write([&](int64_t row) { return source.readRow(parameter.getSymName(), row); });
  if (parameter.getTensorType().getRank() < 2) {
    FailureOr<Tensor> value = Evaluator(module, source).evaluateParameter(parameter);
    if (failed(value))
      return failure();
    return write([&](int64_t) -> llvm::Expected<ArrayRef<uint8_t>> { return value->getBytes(); });
  }
  ParameterStream stream(parameter, source);
  return write([&](int64_t row) -> llvm::Expected<ArrayRef<uint8_t>> {
    FailureOr<ArrayRef<uint8_t>> bytes = stream.readRow(row);
    if (failed(bytes))
      return llvm::createStringError("its initialiser has no value");
    return *bytes;
  });
}

/// The names of the parameters that something other than a parameter's initialiser reads.
static llvm::DenseSet<StringAttr> getReadParameters(ModuleOp module) {
  llvm::DenseSet<StringAttr> names;
  for (auto state : module.getOps<StateOp>())
    if (FlatSymbolRefAttr start = state.getStartAttr())
      names.insert(start.getAttr());
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<ParameterOp>(op))
      return WalkResult::skip();
    if (auto param = dyn_cast<ParamOp>(op))
      names.insert(param.getParameterAttr().getAttr());
    else if (auto buffer = dyn_cast<ParamBufferOp>(op))
      names.insert(buffer.getParameterAttr().getAttr());
    return WalkResult::advance();
  });
  return names;
}

/// How many of the `bytes` of a parameter are often read.
static uint64_t countOften(ModuleOp module, ParameterOp parameter, uint64_t bytes) {
  std::optional<ExpertUse> use = getExpertUse(module, findExpertArray(parameter));
  return use ? bytes / use->getCounts().size() * uint64_t(use->countOften()) : bytes;
}

FailureOr<SmallVector<ParameterPlacement>> placeParameters(ModuleOp module, uint64_t &weightsBytes) {
  llvm::DenseSet<StringAttr> read = getReadParameters(module);
  SmallVector<ParameterPlacement> placements;
  uint64_t end = 0;
  for (auto parameter : module.getOps<ParameterOp>()) {
    if (!read.contains(parameter.getSymNameAttr()))
      continue;
    RankedTensorType type = parameter.getTensorType();
    std::optional<Packing> packing = parameter.getPacking();
    FailureOr<int64_t> bytes = getParameterBytes(type, packing);
    if (failed(bytes))
      return parameter.emitError("tensor `")
             << parameter.getSymName() << "` has type " << type << ", expected a weight of rank 2, or numbers";
    uint64_t offset = llvm::alignTo(end, alignment);
    placements.push_back({parameter.getSymName().str(), type, offset, uint64_t(*bytes), packing,
                          countOften(module, parameter, uint64_t(*bytes))});
    end = offset + *bytes;
  }
  weightsBytes = end;
  return placements;
}

/// The parameter of each placement.
static FailureOr<SmallVector<ParameterOp>> findParameters(ModuleOp module, ArrayRef<ParameterPlacement> placements) {
  SymbolTable symbols(module);
  SmallVector<ParameterOp> parameters;
  for (const ParameterPlacement &placement : placements) {
    parameters.push_back(symbols.lookup<ParameterOp>(placement.name));
    if (!parameters.back())
      return module.emitError("no parameter named `") << placement.name << "`";
  }
  return parameters;
}

LogicalResult packParameters(ModuleOp module, ArrayRef<ParameterPlacement> placements, ParameterSource &source,
                             llvm::raw_ostream &os) {
  FailureOr<SmallVector<ParameterOp>> parameters = findParameters(module, placements);
  if (failed(parameters))
    return failure();
  uint64_t end = 0;
  for (auto [parameter, placement] : llvm::zip_equal(*parameters, placements)) {
    os.write_zeros(placement.offset - end);
    if (failed(writeParameter(module, parameter, source, os)))
      return failure();
    end = placement.offset + placement.bytes;
  }
  return success();
}

namespace {

/// Writes to a file from a place on, whatever other processes do with the file.
class PlacedStream final : public llvm::raw_ostream {
public:
  PlacedStream(int descriptor, uint64_t place) : descriptor(descriptor), place(place) {
    SetBufferSize(size_t{1} << 20);
  }
  ~PlacedStream() override { flush(); }

  /// What the system said of the first write that failed; 0 while there is none.
  int getError() const { return error; }

private:
  void write_impl(const char *data, size_t size) override {
    while (size != 0 && error == 0) {
      ssize_t written = pwrite(descriptor, data, size, static_cast<off_t>(place));
      if (written < 0) {
        error = errno == EINTR ? 0 : errno;
        continue;
      }
      data += written, size -= written, place += written;
    }
  }
  uint64_t current_pos() const override { return place; }

  int descriptor;
  uint64_t place;
  int error = 0;
};

} // namespace

LogicalResult packParameters(ModuleOp module, ArrayRef<ParameterPlacement> placements, ParameterSource &source,
                             const WeightsFile &file, unsigned processes) {
  FailureOr<SmallVector<ParameterOp>> parameters = findParameters(module, placements);
  if (failed(parameters))
    return failure();
  // The largest first, so that none is left over at the end for one process.
  SmallVector<size_t> order = llvm::to_vector(llvm::seq(placements.size()));
  llvm::sort(order,
             [&](size_t a, size_t b) { return std::pair(placements[b].bytes, a) < std::pair(placements[a].bytes, b); });
  constexpr int32_t refused = -1;
  std::vector<int32_t> outcomes = runtime::shareOut(order.size(), processes, [&](size_t turn) -> int32_t {
    size_t i = order[turn];
    ScopedDiagnosticHandler silent(module.getContext(), [](Diagnostic &) { return success(); });
    PlacedStream os(file.descriptor, file.begin + placements[i].offset);
    LogicalResult result = writeParameter(module, (*parameters)[i], source, os);
    os.flush();
    return os.getError() ? os.getError() : failed(result) ? refused : 0;
  });
  for (auto [turn, outcome] : llvm::enumerate(outcomes)) {
    if (outcome == 0)
      continue;
    ParameterOp parameter = (*parameters)[order[turn]];
    if (outcome > 0)
      return module.emitError("could not write `") << file.path << "`: " << std::generic_category().message(outcome);
    // What was refused, or ended the process, is so again, and says why here.
    llvm::raw_null_ostream nowhere;
    if (failed(writeParameter(module, parameter, source, nowhere)))
      return failure();
    return parameter.emitError("the process that packed tensor `") << parameter.getSymName() << "` was ended";
  }
  return success();
}

static float loadScale(const PackedLayout &layout, const uint8_t *at) {
  if (layout.scaleBytes == 2)
    return halfToFloat(llvm::support::endian::read16le(at));
  return llvm::bit_cast<float>(llvm::support::endian::read32le(at));
}

/// Row `i`, column `c` of the block at `block` of a compressed panel.
static float unpackCompressed(const uint8_t *panel, const uint8_t *block, int64_t i, int64_t c) {
  int64_t unit = c / PackedLayout::unitColumns;
  auto at = [&](int64_t line) { return block[line * PackedLayout::lineBytes + PackedLayout::lineByte(i, c)]; };
  uint8_t nibble = at(PackedLayout::nibblesLine(unit)) >> (unit % 2 * 4) & 0xf, base = panel[4 * i];
  uint8_t sign = at(0) << unit & 0x80;
  uint8_t high = sign | (nibble == 0 ? 0 : base + nibble);
  return bfloatToFloat(high << 8 | at(PackedLayout::lowLine(unit)));
}

/// One value of a group that begins at `block`.
static float unpackValue(const PackedLayout &layout, Type element, const uint8_t *block, int64_t i, int64_t c) {
  const uint8_t *at = block + layout.elementOffset(i, c);
  if (element.isF32())
    return llvm::bit_cast<float>(llvm::support::endian::read32le(at));
  if (element.isF16())
    return halfToFloat(llvm::support::endian::read16le(at));
  if (element.isBF16())
    return bfloatToFloat(llvm::support::endian::read16le(at));
  int32_t quant = (*at >> layout.elementShift(c)) & ((1 << layout.bits) - 1);
  float value = loadScale(layout, block + layout.scalesOffset() + i * layout.scaleBytes) * float(quant - layout.zero);
  return layout.hasMins ? value + loadScale(layout, block + layout.minsOffset() + i * layout.scaleBytes) : value;
}

std::vector<float> unpackWeight(const ParameterPlacement &placement, ArrayRef<uint8_t> packed) {
  RankedTensorType type = placement.type;
  PackedLayout layout = *getPackedLayout(type.getElementType(), *placement.packing);
  int64_t n = type.getDimSize(0), k = type.getDimSize(1);
  std::vector<float> values;
  values.reserve(n * k);
  for (int64_t row = 0; row < n; ++row)
    for (int64_t column = 0; column < k; ++column) {
      const uint8_t *panel = packed.data() + row / PackedLayout::panelRows * layout.panelBytes(k);
      const uint8_t *block = panel + layout.blocksOffset() + column / layout.group * layout.blockBytes();
      int64_t i = row % PackedLayout::panelRows, c = column % layout.group;
      values.push_back(layout.isCompressed() ? unpackCompressed(panel, block, i, c)
                                             : unpackValue(layout, type.getElementType(), block, i, c));
    }
  return values;
}

} // namespace quern::codegen
