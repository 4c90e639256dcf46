"""Makes a small random mixture-of-experts checkpoint, compiles it and compares its logits with a decoder in NumPy, in double precision.

    check_mixture.py FAMILY MODEL.qn FOLDER [NAME=VALUE…]

FAMILY is `olmoe`, `granitemoe`, `granitemoeshared`, `deepseek_v2` or `deepseek_v3`, written here from the models' papers and
configurations alone. NAME=VALUE changes a field of the configuration. Half of the experts are chosen by no token where `unused` is 1,
all tokens choose the same where `hot` is. With `gguf=1` the model is compiled from the GGUF twin of the checkpoint. `tokens` is the
length of the text, 23 unless given.
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
DEEPSEEK = {"num_key_value_heads": 4, "intermediate_size": 64, "moe_intermediate_size": 16, "n_routed_experts": 8, "n_shared_experts": 2,
            "num_experts_per_tok": 3, "first_k_dense_replace": 1, "q_lora_rank": 24, "kv_lora_rank": 16, "qk_nope_head_dim": 8,
            "qk_rope_head_dim": 4, "v_head_dim": 12, "n_group": 1, "topk_group": 1, "routed_scaling_factor": 1.0,
            "rope_parameters": {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 16,
                                "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 0.707, "mscale_all_dim": 0.707}}
FAMILIES["deepseek_v2"] = DEEPSEEK | {"topk_method": "greedy", "norm_topk_prob": False}
FAMILIES["deepseek_v3"] = DEEPSEEK | {"topk_method": "noaux_tc", "scoring_func": "sigmoid", "norm_topk_prob": True}


def draw_latent_attention(p, c, draw, norm):
    h, heads, rank = c["hidden_size"], c["num_attention_heads"], c["kv_lora_rank"]
    nope, turning, value = c["qk_nope_head_dim"], c["qk_rope_head_dim"], c["v_head_dim"]
    w = {p + "kv_a_proj_with_mqa.weight": draw(rank + turning, h), p + "kv_a_layernorm.weight": norm(rank),
         p + "kv_b_proj.weight": draw(heads * (nope + value), rank), p + "o_proj.weight": draw(h, heads * value)}
    if c["q_lora_rank"] is None:
        return w | {p + "q_proj.weight": draw(heads * (nope + turning), h)}
    return w | {p + "q_a_proj.weight": draw(c["q_lora_rank"], h), p + "q_a_layernorm.weight": norm(c["q_lora_rank"]),
                p + "q_b_proj.weight": draw(heads * (nope + turning), c["q_lora_rank"])}


def draw_ffn(p, h, f, draw):
    return {f"{p}{name}_proj.weight": draw(*shape) for name, shape in (("gate", (f, h)), ("up", (f, h)), ("down", (h, f)))}


def make_weights(family, c, hot, unused):
    rng = numpy.random.default_rng(7)
    draw = lambda *shape: rng.normal(0, shape[-1] ** -0.5, shape)
    norm = lambda n: rng.normal(1, 0.1, n)
    h, f, count = c["hidden_size"], c["intermediate_size"], c.get("num_experts") or c.get("num_local_experts") or c["n_routed_experts"]
    d = h // c["num_attention_heads"]
    kv = c["num_key_value_heads"] * d
    is_latent = family.startswith("deepseek")
    w = {"model.embed_tokens.weight": rng.normal(0, 1, (c["vocab_size"], h)), "model.norm.weight": norm(h)}
    if not c.get("tie_word_embeddings"):
        w["lm_head.weight"] = draw(c["vocab_size"], h)
    for i in range(c["num_hidden_layers"]):
        p = f"model.layers.{i}."
        w[p + "input_layernorm.weight"], w[p + "post_attention_layernorm.weight"] = norm(h), norm(h)
        if is_latent:
            w |= draw_latent_attention(p + "self_attn.", c, draw, norm)
        for name, rows, columns in [] if is_latent else [("q", h, h), ("k", kv, h), ("v", kv, h), ("o", h, h)]:
            w[f"{p}self_attn.{name}_proj.weight"] = draw(rows, columns)
        if i < c.get("first_k_dense_replace", 0):
            w |= draw_ffn(p + "mlp.", h, f, draw)
            continue
        router = draw(count, h) * 3
        if hot:
            router[:] = router[0] * numpy.linspace(1, 0, count)[:, None]
        if unused:
            router[count // 2:] = 0
            router[count // 2:, 0] = -1e-3
        if family == "olmoe" or is_latent:
            w[p + "mlp.gate.weight"] = router
            for e in range(count):
                w |= draw_ffn(f"{p}mlp.experts.{e}.", h, c.get("moe_intermediate_size", f), draw)
        if family == "olmoe":
            w[p + "self_attn.q_norm.weight"], w[p + "self_attn.k_norm.weight"] = norm(h), norm(kv)
        elif is_latent:
            if family == "deepseek_v3":
                w[p + "mlp.gate.e_score_correction_bias"] = rng.normal(0, 0.2, count)
            if c["n_shared_experts"]:
                w |= draw_ffn(p + "mlp.shared_experts.", h, c["moe_intermediate_size"] * c["n_shared_experts"], draw)
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
            feed_forward = self.mixture if i >= c.get("first_k_dense_replace", 0) else self.dense
            x = x + branch * numpy.stack([feed_forward(p, row) for row in normed])
        head = w.get("lm_head.weight", w["model.embed_tokens.weight"])
        return rms(x, w["model.norm.weight"], eps) @ head.T / c.get("logits_scaling", 1)


class DeepseekDecoder(Decoder):
    """Keys and values of each head made of the latent, as the papers write it; nothing is absorbed."""

    def get_yarn(self):
        """Angles per position of the pairs, and what scores are multiplied by beside 1/√d."""
        rope, d = self.c["rope_parameters"], self.c["qk_rope_head_dim"]
        i, theta, positions = numpy.arange(d // 2), rope["rope_theta"], rope["original_max_position_embeddings"]
        pair_of = lambda turns: d * numpy.log(positions / (turns * 2 * numpy.pi)) / (2 * numpy.log(theta))
        low = max(numpy.floor(pair_of(rope["beta_fast"])), 0)
        high = min(numpy.ceil(pair_of(rope["beta_slow"])), d - 1)
        ramp = numpy.clip((i - low) / max(high - low, 1e-3), 0, 1)
        frequencies = theta ** (-2 * i / d)
        frequencies = frequencies / rope["factor"] * ramp + frequencies * (1 - ramp)
        return frequencies, (0.1 * rope["mscale_all_dim"] * numpy.log(rope["factor"]) + 1) ** 2

    def turn(self, x, frequencies):
        angle = (numpy.arange(len(x))[:, None] * frequencies)[:, None]
        a, b = x[..., ::2], x[..., 1::2]
        return numpy.stack([a * numpy.cos(angle) - b * numpy.sin(angle), b * numpy.cos(angle) + a * numpy.sin(angle)], -1).reshape(x.shape)

    def attention(self, p, x):
        c, w, n, heads = self.c, self.w, len(x), self.c["num_attention_heads"]
        nope, rank = c["qk_nope_head_dim"], c["kv_lora_rank"]
        if c["q_lora_rank"] is None:
            q = x @ w[p + "q_proj.weight"].T
        else:
            q = rms(x @ w[p + "q_a_proj.weight"].T, w[p + "q_a_layernorm.weight"], 1e-6) @ w[p + "q_b_proj.weight"].T
        latent = x @ w[p + "kv_a_proj_with_mqa.weight"].T
        kv = rms(latent[:, :rank], w[p + "kv_a_layernorm.weight"], 1e-6) @ w[p + "kv_b_proj.weight"].T
        q, kv = q.reshape(n, heads, -1), kv.reshape(n, heads, -1)
        frequencies, scale = self.get_yarn()
        turned = numpy.repeat(self.turn(latent[:, None, rank:], frequencies), heads, 1)
        q = numpy.concatenate([q[..., :nope], self.turn(q[..., nope:], frequencies)], -1)
        k = numpy.concatenate([kv[..., :nope], turned], -1)
        scores = numpy.einsum("ihd,jhd->hij", q, k) * q.shape[-1] ** -0.5 * scale
        scores = numpy.where(numpy.tri(n, dtype=bool), scores, -numpy.inf)
        return numpy.einsum("hij,jhd->ihd", softmax(scores), kv[..., nope:]).reshape(n, -1) @ w[p + "o_proj.weight"].T

    def ffn(self, p):
        return [self.w[f"{p}{name}_proj.weight"] for name in ("gate", "up", "down")]

    def dense(self, p, row):
        return swiglu(row, *self.ffn(p + "mlp."))

    def mixture(self, p, row):
        c, scores = self.c, self.w[p + "mlp.gate.weight"] @ row
        if self.family == "deepseek_v2":
            likely = ranked = softmax(scores)
            best = 1
        else:
            likely = 1 / (1 + numpy.exp(-scores))
            ranked, best = likely + self.w[p + "mlp.gate.e_score_correction_bias"], 2
        if c["topk_method"] != "greedy":
            grouped = ranked.reshape(c["n_group"], -1)
            open_groups = numpy.argsort(-numpy.sort(grouped, -1)[:, -best:].sum(-1), kind="stable")[:c["topk_group"]]
            masked = numpy.full_like(grouped, -numpy.inf)
            masked[open_groups] = grouped[open_groups]
            ranked = masked.reshape(-1)
        chosen = numpy.argsort(-ranked, kind="stable")[:c["num_experts_per_tok"]]
        weights = likely[chosen] / likely[chosen].sum() if c["norm_topk_prob"] else likely[chosen]
        weights = weights * c["routed_scaling_factor"]
        y = sum(weight * swiglu(row, *self.ffn(f"{p}mlp.experts.{e}.")) for weight, e in zip(weights, chosen))
        return y + swiglu(row, *self.ffn(p + "mlp.shared_experts.")) if c["n_shared_experts"] else y


def main():
    family, source, folder, *changes = sys.argv[1:]
    config = BASE | FAMILIES[family] | {"model_type": family}
    special = {"hot": 0, "unused": 0}
    run = {"gguf": 0, "tokens": 23}
    for change in changes:
        name, _, value = change.partition("=")
        next((known for known in (special, run) if name in known), config)[name] = json.loads(value)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = make_weights(family, config, **special)
    (folder / "config.json").write_text(json.dumps(config))
    safetensors_file.save(folder / "model.safetensors", weights)
    checkpoint = folder
    if run["gguf"]:
        checkpoint = folder / "model.gguf"
        subprocess.run([sys.executable, pathlib.Path(__file__).parent / "write_twin.py", folder, checkpoint], check=True)
    subprocess.run(["quern", "compile", source, "--weights", checkpoint, "--exact", "-o", folder / "model"], check=True)
    tokens = numpy.random.default_rng(8).integers(0, config["vocab_size"], run["tokens"]).astype(numpy.int32)
    decoder = (DeepseekDecoder if family.startswith("deepseek") else Decoder)(family, config, weights)
    error = numpy.abs(model.logits_of(str(folder / "model"), tokens) - decoder.logits(tokens)).max()
    print(f"{family} {' '.join(changes)}: largest error {error:.3g}")
    sys.exit(not error <= 1e-4)


if __name__ == "__main__":
    main()
