"""Writes a Hugging Face mixture of experts as llama.cpp's converter does:

    write_twin.py FOLDER OUT.gguf [F32|F16|Q8_0|Q4_0] [--rounded FOLDER2]

Names, order of rows, stacks of experts, split keys and values of DeepSeek, metadata; without a vocabulary. The type is that of matrices
whose rows its blocks divide; all others, norms, biases and routers are F32. --rounded: a copy of FOLDER with the numbers that the matrices
stand for in that type.
"""

import argparse
import json
import pathlib
import struct
import sys

import numpy

import safetensors_file

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "fuzz" / "mutants"))
import gguf_file

U32, F32, BOOL, STRING = 4, 6, 7, 8
SWIGLU = {"gate_proj": "gate", "up_proj": "up", "down_proj": "down"}
DENSE = {f"mlp.{name}": f"ffn_{short}" for name, short in SWIGLU.items()}
SHARED = {f"mlp.{module}.{name}": f"ffn_{short}_shexp" for module in ("shared_expert", "shared_experts") for name, short in SWIGLU.items()}
NAMES = {
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    **{f"self_attn.{name}_proj": f"attn_{name}" for name in "qkv"}, "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
    "self_attn.q_a_proj": "attn_q_a", "self_attn.q_a_layernorm": "attn_q_a_norm", "self_attn.q_b_proj": "attn_q_b",
    "self_attn.kv_a_proj_with_mqa": "attn_kv_a_mqa", "self_attn.kv_a_layernorm": "attn_kv_a_norm",
    "block_sparse_moe.gate": "ffn_gate_inp", "block_sparse_moe.router.layer": "ffn_gate_inp", "mlp.gate": "ffn_gate_inp",
    "mlp.shared_expert_gate": "ffn_gate_inp_shexp", **DENSE, **SHARED,
}
EXPERTS = {**SWIGLU, "w1": "gate", "w3": "up", "w2": "down"}
TOP = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}
ARCHITECTURES = {"mixtral": "llama", "qwen2_moe": "qwen2moe", "qwen3_moe": "qwen3moe", "olmoe": "olmoe", "granitemoe": "granitemoe",
                 "granitemoeshared": "granitemoe", "deepseek_v2": "deepseek2", "deepseek_v3": "deepseek2"}
# Whose queries and keys are stored for rotation of neighbours.
INTERLEAVED = ("llama", "granitemoe")


def interleave(rows, heads):
    return rows.reshape(heads, 2, len(rows) // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def get_blocks_q8_0(x):
    """x f32 [n, 32]: scales f16 [n], quants [n, 32], bytes [n, 34]."""
    scale = (numpy.abs(x).max(1) / 127).astype(numpy.float16)
    inverse = numpy.divide(1, scale.astype(numpy.float32), where=scale != 0, out=numpy.zeros(len(x), numpy.float32))
    quants = numpy.clip(numpy.rint(x * inverse[:, None]), -127, 127).astype(numpy.int8)
    return scale, quants, numpy.hstack([scale.view(numpy.uint8).reshape(-1, 2), quants.view(numpy.uint8)])


def get_blocks_q4_0(x):
    """x f32 [n, 32]: scales f16 [n], quants less 8 [n, 32], bytes [n, 18]; the low halves of bytes are the first 16."""
    extreme = numpy.take_along_axis(x, numpy.abs(x).argmax(1)[:, None], 1)[:, 0]
    scale = (extreme / -8).astype(numpy.float16)
    inverse = numpy.divide(1, scale.astype(numpy.float32), where=scale != 0, out=numpy.zeros(len(x), numpy.float32))
    quants = numpy.clip(numpy.rint(x * inverse[:, None]) + 8, 0, 15).astype(numpy.uint8)
    data = numpy.hstack([scale.view(numpy.uint8).reshape(-1, 2), quants[:, :16] | quants[:, 16:] << 4])
    return scale, quants.astype(numpy.int8) - 8, data


# Number in a file, elements in a block, bytes of a block, how blocks are made.
TYPES = {"F32": (0, 1, 4, None), "F16": (1, 1, 2, None), "Q4_0": (2, 32, 18, get_blocks_q4_0), "Q8_0": (8, 32, 34, get_blocks_q8_0)}


def store(array, kind):
    """The bytes of `array` in a type, and the numbers that they stand for."""
    if kind == "F32":
        return array.astype(numpy.float32).tobytes(), array
    if kind == "F16":
        halves = array.astype(numpy.float16)
        return halves.tobytes(), halves.astype(numpy.float32)
    scale, quants, data = TYPES[kind][3](numpy.ascontiguousarray(array).reshape(-1, 32))
    return data.tobytes(), (scale.astype(numpy.float32)[:, None] * quants).reshape(array.shape)


class Twin:
    def __init__(self, config, tensors, kind):
        self.c, self.given, self.kind = config, tensors, kind
        self.arch = ARCHITECTURES[config["model_type"]]
        self.keys, self.tensors, self.rounded = [], [], dict(tensors)

    def key(self, name, kind, value):
        if value is not None:
            value = value.encode() if kind == STRING else value
            self.keys.append(gguf_file.Key((name if "." in name and name.startswith("general.") else f"{self.arch}.{name}").encode(), kind, value))

    def add(self, name, array, is_matrix):
        """Adds a tensor; gives the numbers that it then stands for."""
        kind = self.kind if is_matrix and array.shape[-1] % TYPES[self.kind][1] == 0 else "F32"
        data, numbers = store(array, kind)
        sizes = [int(size) for size in array.shape[::-1]]
        self.tensors.append(gguf_file.Tensor(name.encode(), sizes, TYPES[kind][0], 0, data))
        return numbers

    def add_keys(self):
        c, u32, f32 = self.c, lambda name, key: self.key(name, U32, c.get(key)), lambda name, key: self.key(name, F32, c.get(key))
        self.key("general.architecture", STRING, self.arch)
        self.key("general.name", STRING, c["model_type"])
        u32("block_count", "num_hidden_layers"), u32("context_length", "max_position_embeddings"), u32("embedding_length", "hidden_size")
        u32("feed_forward_length", "intermediate_size"), u32("attention.head_count", "num_attention_heads"), u32("vocab_size", "vocab_size")
        f32("attention.layer_norm_rms_epsilon", "rms_norm_eps"), self.key("rope.freq_base", F32, c["rope_parameters"]["rope_theta"])
        self.key("expert_count", U32, c.get("num_local_experts") or c.get("num_experts") or c.get("n_routed_experts"))
        u32("expert_used_count", "num_experts_per_tok")
        if self.arch == "deepseek2":
            self.add_deepseek_keys()
            return
        u32("attention.head_count_kv", "num_key_value_heads")
        u32("expert_feed_forward_length", "moe_intermediate_size")
        u32("expert_shared_feed_forward_length", "shared_expert_intermediate_size")
        u32("expert_shared_feed_forward_length", "shared_intermediate_size")
        if self.arch in INTERLEAVED:
            self.key("rope.dimension_count", U32, c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"])
        if c.get("head_dim"):
            u32("attention.key_length", "head_dim"), u32("attention.value_length", "head_dim")
        f32("attention.scale", "attention_multiplier"), f32("embedding_scale", "embedding_multiplier")
        f32("residual_scale", "residual_multiplier"), f32("logit_scale", "logits_scaling")

    def add_deepseek_keys(self):
        c, u32, rope = self.c, lambda name, key: self.key(name, U32, self.c.get(key)), self.c["rope_parameters"]
        self.key("attention.head_count_kv", U32, 1)
        u32("attention.q_lora_rank", "q_lora_rank"), u32("attention.kv_lora_rank", "kv_lora_rank")
        self.key("attention.key_length", U32, c["kv_lora_rank"] + c["qk_rope_head_dim"]), u32("attention.value_length", "kv_lora_rank")
        self.key("attention.key_length_mla", U32, c["qk_nope_head_dim"] + c["qk_rope_head_dim"])
        u32("attention.value_length_mla", "v_head_dim"), u32("rope.dimension_count", "qk_rope_head_dim")
        u32("leading_dense_block_count", "first_k_dense_replace"), u32("expert_feed_forward_length", "moe_intermediate_size")
        u32("expert_shared_count", "n_shared_experts"), u32("expert_group_count", "n_group"), u32("expert_group_used_count", "topk_group")
        self.key("expert_gating_func", U32, 2 if c["model_type"] == "deepseek_v3" else 1)
        self.key("expert_weights_scale", F32, c.get("routed_scaling_factor"))
        if c.get("norm_topk_prob"):
            self.key("expert_weights_norm", BOOL, True)
        if rope["rope_type"] == "yarn":
            self.key("rope.scaling.type", STRING, "yarn"), self.key("rope.scaling.factor", F32, rope["factor"])
            self.key("rope.scaling.original_context_length", U32, rope["original_max_position_embeddings"])
            self.key("rope.scaling.yarn_beta_fast", F32, rope["beta_fast"]), self.key("rope.scaling.yarn_beta_slow", F32, rope["beta_slow"])
            self.key("rope.scaling.yarn_log_multiplier", F32, 0.1 * rope["mscale_all_dim"])

    def add_latent(self, layer, name):
        """Keys of heads transposed, and values, as two tensors."""
        c, heads = self.c, self.c["num_attention_heads"]
        whole = self.given[name].reshape(heads, c["qk_nope_head_dim"] + c["v_head_dim"], -1)
        keys = self.add(layer + "attn_k_b.weight", numpy.ascontiguousarray(whole[:, :c["qk_nope_head_dim"]].swapaxes(1, 2)), True)
        values = self.add(layer + "attn_v_b.weight", numpy.ascontiguousarray(whole[:, c["qk_nope_head_dim"]:]), True)
        self.rounded[name] = numpy.concatenate([keys.swapaxes(1, 2), values], 1).reshape(self.given[name].shape)

    def add_experts(self, layer, prefix, count):
        """Stacks of the experts' matrices, whose names begin with `prefix`."""
        for last, short in EXPERTS.items():
            names = [f"{prefix}{expert}.{last}.weight" for expert in range(count)]
            if names[0] in self.given:
                stack = self.add(f"{layer}ffn_{short}_exps.weight", numpy.stack([self.given[name] for name in names]), True)
                self.rounded.update(zip(names, stack))

    def add_halves(self, name, stems):
        """A matrix, or a stack of them, with the rows of two: of each its own."""
        halves = numpy.split(self.given[name], 2, axis=-2)
        self.rounded[name] = numpy.concatenate([self.add(f"{stem}.weight", numpy.ascontiguousarray(half), True)
                                                for stem, half in zip(stems, halves)], axis=-2)

    def add_layer_tensor(self, layer, name, part):
        array, (module, _, last) = self.given[name], part.rpartition(".")
        if part == "mlp.gate.e_score_correction_bias":
            self.add(layer + "exp_probs_b.bias", array, False)
        elif module == "self_attn.kv_b_proj":
            self.add_latent(layer, name)
        elif module in ("block_sparse_moe.input_linear", "shared_mlp.input_linear"):
            end = "exps" if "sparse" in module else "shexp"
            self.add_halves(name, [f"{layer}ffn_gate_{end}", f"{layer}ffn_up_{end}"])
        elif module in ("block_sparse_moe.output_linear", "shared_mlp.output_linear"):
            self.rounded[name] = self.add(f"{layer}ffn_down_{'exps' if 'sparse' in module else 'shexp'}.weight", array, True)
        else:
            heads = {"self_attn.q_proj": "num_attention_heads", "self_attn.k_proj": "num_key_value_heads"}.get(module)
            changed = interleave(array, self.c[heads]) if heads and self.arch in INTERLEAVED else array
            if module == "mlp.shared_expert_gate":
                changed = changed.reshape(-1)
            target, is_matrix = NAMES[module], changed.ndim == 2 and NAMES[module] != "ffn_gate_inp"
            numbers = self.add(f"{layer}{target}.{last}", numpy.ascontiguousarray(changed), is_matrix)
            if heads and self.arch in INTERLEAVED:
                size = len(array) // self.c[heads]
                numbers = numbers.reshape(self.c[heads], size // 2, 2, *array.shape[1:]).swapaxes(1, 2)
            self.rounded[name] = numpy.ascontiguousarray(numbers).reshape(array.shape)

    def add_tensors(self):
        """In the order of their names."""
        done = set()
        for name, array in sorted(self.given.items()):
            if name in TOP:
                self.rounded[name] = self.add(TOP[name], array, array.ndim == 2)
                continue
            _, _, number, part = name.split(".", 3)
            layer, (before, experts, _) = f"blk.{number}.", part.partition("experts.")
            if not experts or before.endswith("shared_"):
                self.add_layer_tensor(layer, name, part)
            elif layer not in done:
                done.add(layer)
                self.add_experts(layer, f"model.layers.{number}.{before}experts.",
                                 self.c.get("num_local_experts") or self.c.get("num_experts") or self.c.get("n_routed_experts"))

    def write(self, path):
        self.add_keys(), self.add_tensors()
        file = gguf_file.Gguf(b"GGUF", 3, self.keys, self.tensors)
        gguf_file.lay_out(file)
        pathlib.Path(path).write_bytes(gguf_file.write(file))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("out")
    parser.add_argument("type", choices=TYPES, nargs="?", default="F32")
    parser.add_argument("--rounded", type=pathlib.Path)
    options = parser.parse_args()
    config = json.loads((options.folder / "config.json").read_text())
    twin = Twin(config, safetensors_file.load(options.folder / "model.safetensors"), options.type)
    twin.write(options.out)
    if options.rounded:
        options.rounded.mkdir(parents=True, exist_ok=True)
        (options.rounded / "config.json").write_text(json.dumps(config))
        safetensors_file.save(options.rounded / "model.safetensors",
                              {name: numpy.ascontiguousarray(array, numpy.float32) for name, array in twin.rounded.items()})


main()
