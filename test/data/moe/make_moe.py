#!/usr/bin/env python3
"""Makes the twins of this folder: `make_moe.py OUT`. Needs NumPy and gguf 0.19.0; the same versions give the same bytes.

For each family of mixture-of-experts models `NAME/` is a tiny random one as transformers writes it (`config.json`, `model.safetensors`),
and `NAME.gguf` the same as llama.cpp's converter writes it: keys, names, shapes, order of rows and stacks of experts as its
`conversion/*.py` makes them. Weights are f32. `mixtral-old.gguf` has a tensor for each expert, `deepseek_v*-old.gguf` whole keys and values,
as files from before 2025 do; `*-stacked/` is what transformers 5 writes when it keeps the names that it has in memory.
"""
import json
import pathlib
import struct
import sys

import gguf
import numpy as np

HIDDEN, HEADS, KEY_HEADS, HEAD, VOCABULARY, CONTEXT = 16, 4, 2, 4, 24, 64


def write_safetensors(path, tensors):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, array in sorted(tensors.items()):
        raw = np.ascontiguousarray(array, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


class Model:
    """A model in Hugging Face's terms."""

    def __init__(self, name, seed, **config):
        self.name = name
        self.random = np.random.Generator(np.random.PCG64(seed))
        self.config = {"hidden_act": "silu", "hidden_size": HIDDEN, "max_position_embeddings": CONTEXT, "num_attention_heads": HEADS,
                       "num_key_value_heads": KEY_HEADS, "num_hidden_layers": 2, "rms_norm_eps": 1e-6, "vocab_size": VOCABULARY,
                       "rope_parameters": {"rope_theta": 50000.0, "rope_type": "default"}, "tie_word_embeddings": False,
                       "dtype": "float32", "bos_token_id": 1, "eos_token_id": 2, **config}
        self.tensors = {}
        self.add("model.embed_tokens.weight", VOCABULARY, HIDDEN)
        self.add("model.norm.weight", HIDDEN)
        if not self.config["tie_word_embeddings"]:
            self.add("lm_head.weight", VOCABULARY, HIDDEN)

    def add(self, name, *shape):
        self.tensors[name] = self.random.standard_normal(shape).astype("<f4")

    def layer(self, i):
        prefix = f"model.layers.{i}."
        self.add(prefix + "input_layernorm.weight", HIDDEN)
        self.add(prefix + "post_attention_layernorm.weight", HIDDEN)
        return prefix

    def attention(self, prefix, bias=False, norms=None):
        size = self.config.get("head_dim") or HIDDEN // HEADS
        for name, rows in (("q", HEADS * size), ("k", KEY_HEADS * size), ("v", KEY_HEADS * size)):
            self.add(f"{prefix}self_attn.{name}_proj.weight", rows, HIDDEN)
            if bias:
                self.add(f"{prefix}self_attn.{name}_proj.bias", rows)
        self.add(prefix + "self_attn.o_proj.weight", HIDDEN, HEADS * size)
        if norms:
            self.add(prefix + "self_attn.q_norm.weight", norms[0])
            self.add(prefix + "self_attn.k_norm.weight", norms[1])

    def ffn(self, prefix, width, names=("gate_proj", "up_proj", "down_proj")):
        for name, shape in zip(names, ((width, HIDDEN), (width, HIDDEN), (HIDDEN, width))):
            self.add(f"{prefix}{name}.weight", *shape)

    def save(self, out, name=None, tensors=None):
        folder = out / (name or self.name)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(dict(sorted(self.config.items())), indent=2) + "\n")
        write_safetensors(folder / "model.safetensors", tensors or self.tensors)


def interleave(rows, heads):
    """What the converter does to the rows of queries and keys of llama and granite."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


class Writer:
    """The same model in GGUF's terms."""

    def __init__(self, model, arch, path):
        self.model, self.c, self.arch = model, model.config, arch
        self.w = gguf.GGUFWriter(path, arch)
        w, c = self.w, self.c
        w.add_name(model.name), w.add_block_count(c["num_hidden_layers"]), w.add_context_length(CONTEXT), w.add_embedding_length(HIDDEN)
        w.add_feed_forward_length(c["intermediate_size"]), w.add_head_count(HEADS)
        w.add_rope_freq_base(c["rope_parameters"]["rope_theta"]), w.add_layer_norm_rms_eps(c["rms_norm_eps"])
        w.add_vocab_size(VOCABULARY), w.add_file_type(gguf.LlamaFileType.ALL_F32)
        w.add_bos_token_id(1), w.add_eos_token_id(2)
        w.add_expert_count(c.get("num_local_experts") or c.get("num_experts") or c.get("n_routed_experts"))
        w.add_expert_used_count(c["num_experts_per_tok"])
        self.put("token_embd.weight", "model.embed_tokens.weight")
        self.put("output_norm.weight", "model.norm.weight")
        if "lm_head.weight" in model.tensors:
            self.put("output.weight", "lm_head.weight")

    def put(self, name, of, change=lambda array: array):
        array = self.model.tensors[of] if isinstance(of, str) else of
        self.w.add_tensor(name, np.ascontiguousarray(change(array), np.float32))

    def layers(self):
        for i in range(self.c["num_hidden_layers"]):
            self.put(f"blk.{i}.attn_norm.weight", f"model.layers.{i}.input_layernorm.weight")
            self.put(f"blk.{i}.ffn_norm.weight", f"model.layers.{i}.post_attention_layernorm.weight")
            yield f"blk.{i}.", f"model.layers.{i}."

    def attention(self, blk, prefix, permuted):
        for name, heads in (("q", HEADS), ("k", KEY_HEADS), ("v", 0)):
            for kind in ("weight", "bias"):
                of = f"{prefix}self_attn.{name}_proj.{kind}"
                if of in self.model.tensors:
                    self.put(f"{blk}attn_{name}.{kind}", of, lambda a: interleave(a, heads) if heads and permuted else a)
        self.put(blk + "attn_output.weight", prefix + "self_attn.o_proj.weight")
        for name in ("q", "k"):
            if f"{prefix}self_attn.{name}_norm.weight" in self.model.tensors:
                self.put(f"{blk}attn_{name}_norm.weight", f"{prefix}self_attn.{name}_norm.weight")

    def experts(self, blk, pattern, names, count):
        for gguf_name, name in zip(("gate", "up", "down"), names):
            stack = np.stack([self.model.tensors[f"{pattern.replace('*', str(e))}{name}.weight"] for e in range(count)])
            self.put(f"{blk}ffn_{gguf_name}_exps.weight", stack)

    def close(self):
        self.w.write_header_to_file(), self.w.write_kv_data_to_file(), self.w.write_tensors_to_file(), self.w.close()


PROJECTIONS = ("gate_proj", "up_proj", "down_proj")


def fuse(tensors, pattern, names, count, gate_up, down):
    """Experts in the two stacks that transformers has in memory; `pattern` has the layer's prefix."""
    result = {k: v for k, v in tensors.items() if not k.startswith(pattern.split("*")[0])}
    take = lambda name: np.stack([tensors[f"{pattern.replace('*', str(e))}{name}.weight"] for e in range(count)])
    result[gate_up] = np.concatenate([take(names[0]), take(names[1])], axis=1)
    result[down] = take(names[2])
    return result


def mixtral(out):
    m = Model("mixtral", 1, model_type="mixtral", num_local_experts=3, num_experts_per_tok=2, intermediate_size=8, sliding_window=None,
              rms_norm_eps=1e-5)
    names = ("w1", "w3", "w2")
    for i in range(2):
        p = m.layer(i)
        m.attention(p)
        m.add(p + "block_sparse_moe.gate.weight", 3, HIDDEN)
        for e in range(3):
            m.ffn(f"{p}block_sparse_moe.experts.{e}.", 8, names)
    m.save(out)
    for path, is_old in ((out / "mixtral.gguf", False), (out / "mixtral-old.gguf", True)):
        w = Writer(m, "llama", path)
        w.w.add_head_count_kv(KEY_HEADS), w.w.add_rope_dimension_count(HEAD)
        for blk, p in w.layers():
            w.attention(blk, p, True)
            w.put(blk + "ffn_gate_inp.weight", p + "block_sparse_moe.gate.weight")
            if not is_old:
                w.experts(blk, p + "block_sparse_moe.experts.*.", names, 3)
            for e in range(3 if is_old else 0):
                for g, name in zip(("gate", "up", "down"), names):
                    w.put(f"{blk}ffn_{g}.{e}.weight", f"{p}block_sparse_moe.experts.{e}.{name}.weight")
        w.close()
    fused = m.tensors
    for i in range(2):
        p = f"model.layers.{i}."
        fused = fuse(fused, p + "block_sparse_moe.experts.*.", names, 3, p + "mlp.experts.gate_up_proj", p + "mlp.experts.down_proj")
        fused[p + "mlp.gate.weight"] = fused.pop(p + "block_sparse_moe.gate.weight")
    m.save(out, "mixtral-stacked", fused)


def qwen2_moe(out):
    m = Model("qwen2_moe", 2, model_type="qwen2_moe", num_experts=4, num_experts_per_tok=2, intermediate_size=12, moe_intermediate_size=6,
              shared_expert_intermediate_size=10, norm_topk_prob=False, decoder_sparse_step=1, mlp_only_layers=[], qkv_bias=True)
    for i in range(2):
        p = m.layer(i)
        m.attention(p, bias=True)
        m.add(p + "mlp.gate.weight", 4, HIDDEN)
        m.add(p + "mlp.shared_expert_gate.weight", 1, HIDDEN)
        m.ffn(p + "mlp.shared_expert.", 10)
        for e in range(4):
            m.ffn(f"{p}mlp.experts.{e}.", 6)
    m.save(out)
    w = Writer(m, "qwen2moe", out / "qwen2_moe.gguf")
    w.w.add_head_count_kv(KEY_HEADS), w.w.add_expert_feed_forward_length(6), w.w.add_expert_shared_feed_forward_length(10)
    for blk, p in w.layers():
        w.attention(blk, p, False)
        w.put(blk + "ffn_gate_inp.weight", p + "mlp.gate.weight")
        w.put(blk + "ffn_gate_inp_shexp.weight", p + "mlp.shared_expert_gate.weight", np.squeeze)
        for g, name in zip(("gate", "up", "down"), PROJECTIONS):
            w.put(f"{blk}ffn_{g}_shexp.weight", f"{p}mlp.shared_expert.{name}.weight")
        w.experts(blk, p + "mlp.experts.*.", PROJECTIONS, 4)
    w.close()


def qwen3_moe(out):
    m = Model("qwen3_moe", 3, model_type="qwen3_moe", num_experts=4, num_experts_per_tok=3, intermediate_size=12, moe_intermediate_size=6,
              norm_topk_prob=True, decoder_sparse_step=1, mlp_only_layers=[], head_dim=6, attention_bias=False, tie_word_embeddings=True)
    for i in range(2):
        p = m.layer(i)
        m.attention(p, norms=(6, 6))
        m.add(p + "mlp.gate.weight", 4, HIDDEN)
        for e in range(4):
            m.ffn(f"{p}mlp.experts.{e}.", 6)
    m.save(out)
    w = Writer(m, "qwen3moe", out / "qwen3_moe.gguf")
    w.w.add_head_count_kv(KEY_HEADS), w.w.add_key_length(6), w.w.add_value_length(6), w.w.add_expert_feed_forward_length(6)
    for blk, p in w.layers():
        w.attention(blk, p, False)
        w.put(blk + "ffn_gate_inp.weight", p + "mlp.gate.weight")
        w.experts(blk, p + "mlp.experts.*.", PROJECTIONS, 4)
    w.close()
    fused = m.tensors
    for i in range(2):
        p = f"model.layers.{i}."
        fused = fuse(fused, p + "mlp.experts.*.", PROJECTIONS, 4, p + "mlp.experts.gate_up_proj", p + "mlp.experts.down_proj")
    m.config["num_local_experts"] = m.config.pop("num_experts")
    m.save(out, "qwen3_moe-stacked", fused)


def olmoe(out):
    m = Model("olmoe", 4, model_type="olmoe", num_experts=4, num_experts_per_tok=2, intermediate_size=6, norm_topk_prob=False,
              attention_bias=False, num_key_value_heads=KEY_HEADS, clip_qkv=None, rms_norm_eps=1e-5)
    for i in range(2):
        p = m.layer(i)
        m.attention(p, norms=(HEADS * HEAD, KEY_HEADS * HEAD))
        m.add(p + "mlp.gate.weight", 4, HIDDEN)
        for e in range(4):
            m.ffn(f"{p}mlp.experts.{e}.", 6)
    m.save(out)
    w = Writer(m, "olmoe", out / "olmoe.gguf")
    w.w.add_head_count_kv(KEY_HEADS)
    for blk, p in w.layers():
        w.attention(blk, p, False)
        w.put(blk + "ffn_gate_inp.weight", p + "mlp.gate.weight")
        w.experts(blk, p + "mlp.experts.*.", PROJECTIONS, 4)
    w.close()


def granite(out, shared):
    name = "granitemoeshared" if shared else "granitemoe"
    m = Model(name, 5 + shared, model_type=name, num_local_experts=3, num_experts_per_tok=2, intermediate_size=6, attention_bias=False,
              embedding_multiplier=12.0, residual_multiplier=0.22, attention_multiplier=0.015625, logits_scaling=6.0)
    if shared:
        m.config["shared_intermediate_size"] = 10
    for i in range(2):
        p = m.layer(i)
        m.attention(p)
        m.add(p + "block_sparse_moe.router.layer.weight", 3, HIDDEN)
        m.add(p + "block_sparse_moe.input_linear.weight", 3, 12, HIDDEN)
        m.add(p + "block_sparse_moe.output_linear.weight", 3, HIDDEN, 6)
        if shared:
            m.add(p + "shared_mlp.input_linear.weight", 20, HIDDEN)
            m.add(p + "shared_mlp.output_linear.weight", HIDDEN, 10)
    m.save(out)
    w = Writer(m, "granitemoe", out / f"{name}.gguf")
    w.w.add_head_count_kv(KEY_HEADS), w.w.add_rope_dimension_count(HEAD)
    w.w.add_attention_scale(0.015625), w.w.add_embedding_scale(12.0), w.w.add_residual_scale(0.22), w.w.add_logit_scale(6.0)
    if shared:
        w.w.add_expert_shared_feed_forward_length(10)
    for blk, p in w.layers():
        w.attention(blk, p, True)
        w.put(blk + "ffn_gate_inp.weight", p + "block_sparse_moe.router.layer.weight")
        w.put(blk + "ffn_gate_exps.weight", p + "block_sparse_moe.input_linear.weight", lambda a: a[:, :6])
        w.put(blk + "ffn_up_exps.weight", p + "block_sparse_moe.input_linear.weight", lambda a: a[:, 6:])
        w.put(blk + "ffn_down_exps.weight", p + "block_sparse_moe.output_linear.weight")
        if shared:
            w.put(blk + "ffn_gate_shexp.weight", p + "shared_mlp.input_linear.weight", lambda a: a[:10])
            w.put(blk + "ffn_up_shexp.weight", p + "shared_mlp.input_linear.weight", lambda a: a[10:])
            w.put(blk + "ffn_down_shexp.weight", p + "shared_mlp.output_linear.weight")
    w.close()


def deepseek(out, version):
    nope, rope, value, rank, q_rank = 4, 2, 3, 5, 7
    yarn = {"rope_theta": 50000.0, "rope_type": "yarn", "factor": 40.0, "original_max_position_embeddings": 16, "beta_fast": 32.0,
            "beta_slow": 1.0, "mscale": 0.707, "mscale_all_dim": 0.707}
    m = Model(f"deepseek_v{version}", 7 + version, model_type=f"deepseek_v{version}", n_routed_experts=4, num_experts_per_tok=2,
              intermediate_size=12, moe_intermediate_size=6, n_shared_experts=2, n_group=2, topk_group=1,
              routed_scaling_factor=2.5 if version == 3 else 1.0, norm_topk_prob=version == 3, first_k_dense_replace=1,
              kv_lora_rank=rank, qk_nope_head_dim=nope, qk_rope_head_dim=rope, v_head_dim=value, num_key_value_heads=HEADS,
              attention_bias=False, rope_parameters=yarn)
    if version == 3:
        m.config.update(q_lora_rank=q_rank)
    else:
        m.config.update(q_lora_rank=None, topk_method="group_limited_greedy")
    for i in range(2):
        p = m.layer(i)
        a = p + "self_attn."
        if version == 3:
            m.add(a + "q_a_proj.weight", q_rank, HIDDEN), m.add(a + "q_a_layernorm.weight", q_rank)
            m.add(a + "q_b_proj.weight", HEADS * (nope + rope), q_rank)
        else:
            m.add(a + "q_proj.weight", HEADS * (nope + rope), HIDDEN)
        m.add(a + "kv_a_proj_with_mqa.weight", rank + rope, HIDDEN), m.add(a + "kv_a_layernorm.weight", rank)
        m.add(a + "kv_b_proj.weight", HEADS * (nope + value), rank), m.add(a + "o_proj.weight", HIDDEN, HEADS * value)
        if i == 0:
            m.ffn(p + "mlp.", 12)
            continue
        m.add(p + "mlp.gate.weight", 4, HIDDEN)
        if version == 3:
            m.add(p + "mlp.gate.e_score_correction_bias", 4)
        m.ffn(p + "mlp.shared_experts.", 12)
        for e in range(4):
            m.ffn(f"{p}mlp.experts.{e}.", 6)
    m.save(out)
    for path, is_old in ((out / f"{m.name}.gguf", False), (out / f"{m.name}-old.gguf", True)):
        w = Writer(m, "deepseek2", path)
        g = w.w
        g.add_head_count_kv(HEADS if is_old else 1), g.add_leading_dense_block_count(1), g.add_kv_lora_rank(rank)
        if version == 3:
            g.add_q_lora_rank(q_rank), g.add_expert_weights_norm(True)
        if is_old:
            g.add_key_length(nope + rope), g.add_value_length(value)
        else:
            g.add_key_length(rank + rope), g.add_value_length(rank)
            g.add_key_length_mla(nope + rope), g.add_value_length_mla(value)
            g.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID if version == 3 else gguf.ExpertGatingFuncType.SOFTMAX)
        g.add_expert_feed_forward_length(6), g.add_expert_shared_count(2), g.add_expert_group_count(2), g.add_expert_group_used_count(1)
        g.add_expert_weights_scale(m.config["routed_scaling_factor"]), g.add_rope_dimension_count(rope)
        g.add_rope_scaling_type(gguf.RopeScalingType.YARN), g.add_rope_scaling_factor(40.0), g.add_rope_scaling_orig_ctx_len(16)
        g.add_rope_scaling_yarn_beta_fast(32.0), g.add_rope_scaling_yarn_beta_slow(1.0), g.add_rope_scaling_yarn_log_mul(0.1 * 0.707)
        for blk, p in w.layers():
            a = p + "self_attn."
            for gg, name in (("q", "q_proj"), ("q_a", "q_a_proj"), ("q_a_norm", "q_a_layernorm"), ("q_b", "q_b_proj"),
                             ("kv_a_mqa", "kv_a_proj_with_mqa"), ("kv_a_norm", "kv_a_layernorm"), ("output", "o_proj")):
                if f"{a}{name}.weight" in m.tensors:
                    w.put(f"{blk}attn_{gg}.weight", f"{a}{name}.weight")
            if is_old:
                w.put(blk + "attn_kv_b.weight", a + "kv_b_proj.weight")
            else:
                kv = m.tensors[a + "kv_b_proj.weight"].reshape(HEADS, nope + value, rank)
                w.put(blk + "attn_k_b.weight", kv[:, :nope].swapaxes(1, 2))
                w.put(blk + "attn_v_b.weight", kv[:, nope:])
            if p + "mlp.gate.weight" not in m.tensors:
                for gg, name in zip(("gate", "up", "down"), PROJECTIONS):
                    w.put(f"{blk}ffn_{gg}.weight", f"{p}mlp.{name}.weight")
                continue
            w.put(blk + "ffn_gate_inp.weight", p + "mlp.gate.weight")
            if version == 3:
                w.put(blk + "exp_probs_b.bias", p + "mlp.gate.e_score_correction_bias")
            for gg, name in zip(("gate", "up", "down"), PROJECTIONS):
                w.put(f"{blk}ffn_{gg}_shexp.weight", f"{p}mlp.shared_experts.{name}.weight")
            w.experts(blk, p + "mlp.experts.*.", PROJECTIONS, 4)
        w.close()


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    mixtral(out), qwen2_moe(out), qwen3_moe(out), olmoe(out), granite(out, False), granite(out, True), deepseek(out, 2), deepseek(out, 3)


main()
