"""The OpenVINO GenAI side of scripts/bench llama: times prefill and decode in tokens per second.

    python bench_openvino.py time FILE PRECISION PREFILL DECODE THREADS DEPTH...

PRECISION is f32 or bf16, what it is held to, or `default`. Prints a JSON array: prefill of PREFILL tokens in an empty context, then decode of DECODE tokens after each DEPTH. Times are
those of inference alone, as the library reports them per token. No two prompts begin alike, because it would reuse what it
knows of the earlier one.
"""

import json
import sys

import numpy as np
import openvino as ov
import openvino_genai as genai


class Timer:
    def __init__(self, path, precision, threads):
        hint = {} if precision == "default" else {"INFERENCE_PRECISION_HINT": precision}
        self.pipeline = genai.LLMPipeline(path, "CPU", INFERENCE_NUM_THREADS=threads, **hint)
        self.prompts = 0

    def run(self, prompt, generated):
        """Seconds of inference per step: the prompt, then each new token but the last, which nothing reads."""
        self.prompts += 1
        tokens = np.array([[((i + self.prompts) * 7919) % 40000 + 10 for i in range(prompt)]], dtype=np.int64)
        config = genai.GenerationConfig()
        config.max_new_tokens = generated + 1
        config.ignore_eos = True
        inputs = genai.TokenizedInputs(ov.Tensor(tokens), ov.Tensor(np.ones_like(tokens)))
        metrics = self.pipeline.generate(inputs, config).perf_metrics
        return [duration * 1e-6 for duration in metrics.raw_metrics.token_infer_durations]

    def rate_prefill(self, prompt):
        self.run(prompt, 0)
        return prompt / self.run(prompt, 0)[0]

    def rate_decode(self, depth, generated):
        self.run(max(depth, 1), 4)
        steps = self.run(max(depth, 1), generated)[1:]
        return len(steps) / sum(steps)


def main():
    path, precision, (prefill, decode, threads, *depths) = *sys.argv[2:4], map(int, sys.argv[4:])
    timer = Timer(path, precision, threads)
    print(json.dumps([timer.rate_prefill(prefill), *(timer.rate_decode(depth, decode) for depth in depths)]))


if __name__ == "__main__":
    main()
