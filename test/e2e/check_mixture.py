"""Makes a small random mixture-of-experts checkpoint, compiles it and compares its logits with a decoder in NumPy, in double precision.

    check_mixture.py FAMILY MODEL.qn FOLDER [NAME=VALUE…]

FAMILY is `olmoe`, `granitemoe` or `granitemoeshared`, written here from the models' papers and configurations alone. NAME=VALUE changes
a field of the configuration. Half of the experts are chosen by no token where `unused` is 1, all tokens choose the same where `hot` is.
"""

import json
import pathlib
import subprocess
import sys

import numpy

import model
import safetensors_file

BASE = {"vocab_size": 96, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "num_experts_per_tok": 2,
        "hidden_act": "silu", "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}}
FAMILIES = {
    "olmoe": {"num_experts": 6, "norm_topk_prob": False, "num_key_value_heads": 4},
    "granitemoe": {"num_local_experts": 5, "embedding_multiplier": 6.0, "attention_multiplier": 0.3,
                   "residual_multiplier": 0.45, "logits_scaling": 1.6, "tie_word_embeddings": True},
    "granitemoeshared": {"num_local_experts": 5, "embedding_multiplier": 6.0, "attention_multiplier": 0.3,
                         "residual_multiplier": 0.45, "logits_scaling": 1.6, "shared_intermediate_size": 80},
}


def make_weights(family, c, hot, unused):
    rng = numpy.random.default_rng(7)
    draw = lambda *shape: rng.normal(0, shape[-1] ** -0.5, shape)
    norm = lambda n: rng.normal(1, 0.1, n)
    h, f, count = c["hidden_size"], c["intermediate_size"], c.get("num_experts") or c["num_local_experts"]
    d = h // c["num_attention_heads"]
    kv = c["num_key_value_heads"] * d
    w = {"model.embed_tokens.weight": rng.normal(0, 1, (c["vocab_size"], h)), "model.norm.weight": norm(h)}
    if not c.get("tie_word_embeddings"):
        w["lm_head.weight"] = draw(c["vocab_size"], h)
    for i in range(c["num_hidden_layers"]):
        p = f"model.layers.{i}."
        w[p + "input_layernorm.weight"], w[p + "post_attention_layernorm.weight"] = norm(h), norm(h)
        for name, rows, columns in [("q", h, h), ("k", kv, h), ("v", kv, h), ("o", h, h)]:
            w[f"{p}self_attn.{name}_proj.weight"] = draw(rows, columns)
        router = draw(count, h) * 3
        if hot:
            router[:] = router[0] * numpy.linspace(1, 0, count)[:, None]
        if unused:
            router[count // 2:] = 0
            router[count // 2:, 0] = -1e-3
        if family == "olmoe":
            w[p + "self_attn.q_norm.weight"], w[p + "self_attn.k_norm.weight"] = norm(h), norm(kv)
            w[p + "mlp.gate.weight"] = router
            for e in range(count):
                for name, rows, columns in [("gate", f, h), ("up", f, h), ("down", h, f)]:
                    w[f"{p}mlp.experts.{e}.{name}_proj.weight"] = draw(rows, columns)
        else:
            w[p + "block_sparse_moe.router.layer.weight"] = router
            w[p + "block_sparse_moe.input_linear.weight"] = draw(count, 2 * f, h)
            w[p + "block_sparse_moe.output_linear.weight"] = draw(count, h, f)
        if shared := c.get("shared_intermediate_size"):
            w[p + "shared_mlp.input_linear.weight"], w[p + "shared_mlp.output_linear.weight"] = draw(2 * shared, h), draw(h, shared)
    return {name: value.astype(numpy.float32) for name, value in w.items()}


def rms(x, weight, eps):
    return x / numpy.sqrt((x * x).mean(-1, keepdims=True) + eps) * weight


def softmax(x):
    powers = numpy.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def swiglu(x, gate, up, down):
    g = gate @ x
    return down @ (g / (1 + numpy.exp(-g)) * (up @ x))


def rotate(x, theta):
    n, _, d = x.shape
    angle = numpy.arange(n)[:, None] * theta ** (-numpy.arange(d // 2) * 2 / d)
    cos, sin = numpy.cos(angle)[:, None], numpy.sin(angle)[:, None]
    a, b = x[..., :d // 2], x[..., d // 2:]
    return numpy.concatenate([a * cos - b * sin, b * cos + a * sin], -1)


class Decoder:
    def __init__(self, family, config, weights):
        self.family, self.c = family, config
        self.w = {name: value.astype(numpy.float64) for name, value in weights.items()}

    def attention(self, p, x):
        c, w, n = self.c, self.w, len(x)
        heads, groups = c["num_attention_heads"], c["num_key_value_heads"]
        d = c["hidden_size"] // heads
        q, k, v = (x @ w[f"{p}{name}_proj.weight"].T for name in "qkv")
        if self.family == "olmoe":
            q, k = rms(q, w[p + "q_norm.weight"], c["rms_norm_eps"]), rms(k, w[p + "k_norm.weight"], c["rms_norm_eps"])
        q, k = rotate(q.reshape(n, heads, d), 1e4), rotate(k.reshape(n, groups, d), 1e4)
        k, v = (numpy.repeat(t.reshape(n, groups, d), heads // groups, axis=1) for t in (k, v))
        scores = numpy.einsum("ihd,jhd->hij", q, k) * c.get("attention_multiplier", d ** -0.5)
        scores = numpy.where(numpy.tri(n, dtype=bool), scores, -numpy.inf)
        return numpy.einsum("hij,jhd->ihd", softmax(scores), v).reshape(n, -1) @ w[p + "o_proj.weight"].T

    def expert(self, p, e):
        if self.family == "olmoe":
            return [self.w[f"{p}mlp.experts.{e}.{name}_proj.weight"] for name in ("gate", "up", "down")]
        both = self.w[p + "block_sparse_moe.input_linear.weight"][e]
        return [*numpy.split(both, 2), self.w[p + "block_sparse_moe.output_linear.weight"][e]]

    def mixture(self, p, row):
        k = self.c["num_experts_per_tok"]
        router = self.w[p + ("mlp.gate.weight" if self.family == "olmoe" else "block_sparse_moe.router.layer.weight")]
        scores = router @ row
        chosen = numpy.argsort(-scores, kind="stable")[:k]
        weights = softmax(scores)[chosen] if self.family == "olmoe" else softmax(scores[chosen])
        if self.c.get("norm_topk_prob"):
            weights = weights / weights.sum()
        y = sum(weight * swiglu(row, *self.expert(p, e)) for weight, e in zip(weights, chosen))
        if self.c.get("shared_intermediate_size"):
            y = y + swiglu(row, *numpy.split(self.w[p + "shared_mlp.input_linear.weight"], 2),
                           self.w[p + "shared_mlp.output_linear.weight"])
        return y

    def logits(self, tokens):
        c, w, eps = self.c, self.w, self.c["rms_norm_eps"]
        x = w["model.embed_tokens.weight"][tokens] * c.get("embedding_multiplier", 1)
        for i in range(c["num_hidden_layers"]):
            p = f"model.layers.{i}."
            branch = c.get("residual_multiplier", 1)
            x = x + branch * self.attention(p + "self_attn.", rms(x, w[p + "input_layernorm.weight"], eps))
            normed = rms(x, w[p + "post_attention_layernorm.weight"], eps)
            x = x + branch * numpy.stack([self.mixture(p, row) for row in normed])
        head = w.get("lm_head.weight", w["model.embed_tokens.weight"])
        return rms(x, w["model.norm.weight"], eps) @ head.T / c.get("logits_scaling", 1)


def main():
    family, source, folder, *changes = sys.argv[1:]
    config = BASE | FAMILIES[family] | {"model_type": family}
    special = {"hot": 0, "unused": 0}
    for change in changes:
        name, _, value = change.partition("=")
        (special if name in special else config)[name] = json.loads(value)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = make_weights(family, config, **special)
    (folder / "config.json").write_text(json.dumps(config))
    safetensors_file.save(folder / "model.safetensors", weights)
    subprocess.run(["quern", "compile", source, "--weights", folder, "--exact", "-o", folder / "model"], check=True)
    tokens = numpy.random.default_rng(8).integers(0, config["vocab_size"], 23).astype(numpy.int32)
    error = numpy.abs(model.logits_of(str(folder / "model"), tokens) - Decoder(family, config, weights).logits(tokens)).max()
    print(f"{family} {' '.join(changes)}: largest error {error:.3g}")
    sys.exit(not error <= 1e-4)


if __name__ == "__main__":
    main()
