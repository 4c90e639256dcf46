//===- Types.td - element types and the planned buffer ----------------------------------------===//

#ifndef QUERN_TYPES_TD
#define QUERN_TYPES_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "dialect/Dialect.td"

class Quern_Type<string name, string typeMnemonic, list<Trait> traits = []>
    : TypeDef<Quern_Dialect, name, traits> {
  let mnemonic = typeMnemonic;
}

/// A row of BlockFormats.def, spelled by its keyword.
def Quern_BlockFormat : TypeParameter<"::quern::BlockFormat", "a block-quantised number format"> {
  let parser = "parseFormat($_parser)";
  let printer = "$_printer << ::quern::getTraits($_self).keyword";
}

def Quern_Block : Quern_Type<"Block", "block"> {
  let summary = "one element of a tensor stored in quantised blocks along its last axis";
  let description = [{
    The formats are GGUF's (`q8_0` … `q6_k`), and `q8_1` for activations quantised on the fly: per 32 values an
    int8 each, one f32 scale of 22 bits, about max|x| / 127, and the i32 sum of the quants.

    Example: `tensor<576x576x!quern.block<q4_1>>`
  }];
  let parameters = (ins Quern_BlockFormat:$format);
  let assemblyFormat = "`<` $format `>`";
}

def Quern_Position : Quern_Type<"Position", "position"> {
  let summary = "what one step knows of one of its tokens";
  let description = [{
    A record {position, row, first}: the rotary position, the cache row that the token writes, and the first row of the
    token's sequence. A token sees the cache rows first … row: several sequences share a step and a cache, each with
    rows of its own. In memory i32[s, 3]. Token trees add a field, which of the rows before its own a token does not
    see; the ops that read it stay as they are.
  }];
}

def Quern_Buffer : Quern_Type<"Buffer", "buffer"> {
  let summary = "planned memory that holds a tensor";
  let parameters = (ins "::mlir::RankedTensorType":$tensor);
  let assemblyFormat = "`<` $tensor `>`";
}

#endif // QUERN_TYPES_TD
