"""Makes this folder: a small Mistral with random weights, whose tokens see a window of 8, and what transformers computes with it.

    OMP_NUM_THREADS=1 python make_mistral.py [--out DIR]

Needs torch 2.15.0, transformers 5.24.0, safetensors 0.8.0 and numpy 2.4.6; `make_fixtures.py`, one folder up, has the helpers.
Prompts are longer than the window, and the 32 tokens behind each fill it again.
"""

import argparse
import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.dont_write_bytecode = True
import make_fixtures as M  # noqa: E402

SEED = "mistral"
CONFIG = dict(vocab_size=160, hidden_size=64, intermediate_size=112, num_hidden_layers=2, num_attention_heads=4,
              num_key_value_heads=2, max_position_embeddings=256, bos_token_id=1, eos_token_id=2, pad_token_id=None,
              tie_word_embeddings=False, sliding_window=8, head_dim=None, rms_norm_eps=1e-5,
              rope_parameters={"rope_type": "default", "rope_theta": 10000.0})
LENGTHS = (3, 21, 40)


def randomise(model):
    """Weights N(0, 0.08), norm weights 1 + N(0, 0.1); each tensor by its name."""
    import torch
    modules = dict(model.named_modules())
    for name, parameter in model.named_parameters():
        is_norm = "Norm" in type(modules[name.rpartition(".")[0]]).__name__
        z = M.rng(SEED, name).standard_normal(tuple(parameter.shape))
        z = 1 + 0.1 * z if is_norm else 0.08 * z
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(z).to(parameter.dtype))
    return model.eval()


def effect(model, window, ids):
    """How far another window moves the logits."""
    config = type(model.config).from_dict(model.config.to_dict() | {"sliding_window": window})
    config._attn_implementation = "eager"
    other = type(model)(config).float()
    other.load_state_dict(model.state_dict())
    return float(np.abs(M.all_logits(other.eval(), ids) - M.all_logits(model, ids)).max())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default=HERE)
    out = parser.parse_args().out
    torch = M.torch_quiet()
    import transformers
    config = transformers.MistralConfig(**CONFIG)
    config._attn_implementation = "eager"
    model = randomise(transformers.MistralForCausalLM(config).to(torch.float32))
    model = M.write_model(out, model, "bf16")
    M.write_expected(out, model, LENGTHS, (SEED, "prompt"), step_logits=1)
    probe = M.rng(SEED, "probe").integers(3, config.vocab_size, max(LENGTHS))
    for window in (None, CONFIG["sliding_window"] - 1, CONFIG["sliding_window"] + 1):
        assert effect(model, window, probe) > 0.005, window


if __name__ == "__main__":
    main()
