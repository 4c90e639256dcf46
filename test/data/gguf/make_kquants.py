"""A small LLaMA with every quantised format that the gguf package reads but does not write: Q4_K, Q5_K, Q6_K, Q5_0, Q5_1.

    python make_kquants.py OUT

Made with Python 3.11, gguf 0.19.0, numpy 2.4.6, safetensors 0.8.0. The blocks are random, with scales that make weights of mean 0 and
deviation 0.06. Expected results: gguf dequantises, NumPy computes in double precision.
"""

import sys
from pathlib import Path

import gguf
import numpy as np
from gguf import GGML_QUANT_SIZES, quants
from gguf import GGMLQuantizationType as Q
from safetensors.numpy import save_file

HIDDEN, INNER, HEADS, GROUPS, DIM, VOCABULARY, CONTEXT = 256, 256, 4, 2, 64, 64, 128
EPS, THETA = 1e-5, 10000.0
# Of each layer: the first mixes all, the second is as llama.cpp's quantiser would choose.
LAYERS = [
    dict(attn_q=Q.Q4_K, attn_k=Q.Q5_K, attn_v=Q.Q6_K, attn_output=Q.Q5_0, ffn_gate=Q.Q5_1, ffn_up=Q.Q5_K, ffn_down=Q.Q4_K),
    dict(attn_q=Q.Q4_K, attn_k=Q.Q4_K, attn_v=Q.Q6_K, attn_output=Q.Q5_K, ffn_gate=Q.Q5_0, ffn_up=Q.Q5_0, ffn_down=Q.Q5_1),
]
SHAPES = dict(attn_q=(HEADS * DIM, HIDDEN), attn_k=(GROUPS * DIM, HIDDEN), attn_v=(GROUPS * DIM, HIDDEN),
              attn_output=(HIDDEN, HEADS * DIM), ffn_gate=(INNER, HIDDEN), ffn_up=(INNER, HIDDEN), ffn_down=(HIDDEN, INNER))
# Where the f16 scale of a block is, the deviation of random quants that it scales, and where an f16 offset is, in scales.
SCALES = {Q.Q4_K: (0, 257.0, (2, 7.5)), Q.Q5_K: (0, 530.0, (2, 15.5)), Q.Q6_K: (208, 1366.0, None), Q.Q5_0: (0, 9.2, None),
          Q.Q5_1: (0, 9.2, (2, -15.5))}


def random_blocks(random, shape, kind):
    numbers, size = GGML_QUANT_SIZES[kind]
    count = shape[0] * shape[1] // numbers
    data = random.integers(0, 256, (count, size), dtype=np.uint8)
    position, deviation, offset = SCALES[kind]
    scale = random.uniform(0.03, 0.09, count) / deviation
    halves = {position: scale} | ({offset[0]: offset[1] * scale} if offset else {})
    for place, values in halves.items():
        data[:, place : place + 2] = values.astype(np.float16).view(np.uint8).reshape(count, 2)
    return data.reshape(shape[0], -1)


def write_model(path, random):
    """Writes the file; its tensors as numbers."""
    file = gguf.GGUFWriter(path, "llama")
    file.add_context_length(CONTEXT)
    file.add_embedding_length(HIDDEN)
    file.add_block_count(len(LAYERS))
    file.add_feed_forward_length(INNER)
    file.add_head_count(HEADS)
    file.add_head_count_kv(GROUPS)
    file.add_layer_norm_rms_eps(EPS)
    file.add_rope_freq_base(THETA)
    file.add_rope_dimension_count(DIM)
    file.add_vocab_size(VOCABULARY)
    tensors = {}

    def blocks(name, shape, kind):
        data = random_blocks(random, shape, kind)
        file.add_tensor(name, data, raw_dtype=kind)
        tensors[name] = quants.dequantize(data, kind).astype(np.float64)

    def norm(name):
        values = (1 + random.normal(0, 0.1, HIDDEN)).astype(np.float32)
        file.add_tensor(name, values)
        tensors[name] = values.astype(np.float64)

    blocks("token_embd.weight", (VOCABULARY, HIDDEN), Q.Q6_K)
    for i, kinds in enumerate(LAYERS):
        norm(f"blk.{i}.attn_norm.weight")
        norm(f"blk.{i}.ffn_norm.weight")
        for name, kind in kinds.items():
            blocks(f"blk.{i}.{name}.weight", SHAPES[name], kind)
    norm("output_norm.weight")
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return tensors


def rms_norm(x, weight):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + EPS) * weight


def rotate(x):
    """GGUF's `llama` pairs neighbours."""
    angle = np.arange(len(x))[:, None, None] * THETA ** (-2 * np.arange(DIM // 2) / DIM)
    u, v = x[..., 0::2], x[..., 1::2]
    return np.stack((u * np.cos(angle) - v * np.sin(angle), v * np.cos(angle) + u * np.sin(angle)), -1).reshape(x.shape)


def attend(q, k, v):
    k, v = (np.repeat(t, HEADS // GROUPS, axis=1) for t in (k, v))
    score = np.einsum("qhd,khd->hqk", q, k) / np.sqrt(DIM)
    score[:, np.triu(np.ones(score.shape[1:], bool), 1)] = -np.inf
    weight = np.exp(score - score.max(-1, keepdims=True))
    return np.einsum("hqk,khd->qhd", weight / weight.sum(-1, keepdims=True), v)


def logits(tensors, tokens):
    x = tensors["token_embd.weight"][tokens]
    for i in range(len(LAYERS)):
        w = {name: tensors[f"blk.{i}.{name}.weight"] for name in [*SHAPES, "attn_norm", "ffn_norm"]}
        a = rms_norm(x, w["attn_norm"])
        q, k, v = ((a @ w[name].T).reshape(len(x), -1, DIM) for name in ("attn_q", "attn_k", "attn_v"))
        x = x + attend(rotate(q), rotate(k), v).reshape(len(x), -1) @ w["attn_output"].T
        b = rms_norm(x, w["ffn_norm"])
        gate = b @ w["ffn_gate"].T
        x = x + (gate / (1 + np.exp(-gate)) * (b @ w["ffn_up"].T)) @ w["ffn_down"].T
    return rms_norm(x, tensors["output_norm.weight"]) @ tensors["token_embd.weight"].T


def greedy(tensors, prompt):
    """32 tokens, or None where the choice of one is close."""
    tokens = list(prompt)
    for _ in range(32):
        last = logits(tensors, tokens)[-1]
        second, first = np.sort(last)[-2:]
        if first - second < 2e-3:
            return None
        tokens.append(int(last.argmax()))
    return tokens[len(prompt):]


def main(out):
    random = np.random.default_rng(1)
    tensors = write_model(Path(out, "llama-kquants.gguf"), random)
    expected, found = {}, 0
    while found < 3:
        prompt = random.integers(0, VOCABULARY, (1, 7, 20)[found])
        text = greedy(tensors, prompt)
        if text is None:
            continue
        expected[f"prompt.{found}.input_ids"] = prompt.astype(np.int32)
        expected[f"prompt.{found}.logits"] = logits(tensors, prompt).astype(np.float32)
        expected[f"prompt.{found}.greedy"] = np.array(text, np.int32)
        found += 1
    save_file(expected, Path(out, "llama-kquants.expected.safetensors"))


main(sys.argv[1])
