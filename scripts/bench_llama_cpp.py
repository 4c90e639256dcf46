"""The llama.cpp side of scripts/bench: quantises a file, or times prefill and decode in tokens per second.

    python bench_llama_cpp.py quantise SOURCE TARGET FTYPE
    python bench_llama_cpp.py time FILE PREFILL DECODE THREADS DEPTH...

Prints a JSON array: prefill of PREFILL tokens in an empty context, then decode of DECODE tokens after each DEPTH. Timed as
llama-bench does it: a warm-up of each test, an empty cache filled with DEPTH tokens, then one batch of PREFILL tokens, or
DECODE batches of one token.
"""

import json
import sys
import time

import llama_cpp as llama


def quantise(source, target, ftype):
    params = llama.llama_model_quantize_default_params()
    params.allow_requantize = True
    params.ftype = int(ftype)
    if llama.llama_model_quantize(source.encode(), target.encode(), params) != 0:
        sys.exit(f"llama.cpp could not quantise {source}")


class Timer:
    def __init__(self, path, context, threads):
        llama.llama_backend_init()
        model_params = llama.llama_model_default_params()
        self.model = llama.llama_model_load_from_file(path.encode(), model_params)
        params = llama.llama_context_default_params()
        params.n_ctx = context
        params.n_batch = 2048
        params.n_ubatch = 512
        params.n_threads = params.n_threads_batch = threads
        self.context = llama.llama_init_from_model(self.model, params)
        self.memory = llama.llama_get_memory(self.context)

    def run(self, count):
        tokens = (llama.llama_token * count)(*[(i * 7919) % 40000 + 10 for i in range(count)])
        if llama.llama_decode(self.context, llama.llama_batch_get_one(tokens, count)) != 0:
            sys.exit("llama_decode failed")
        llama.llama_synchronize(self.context)

    def rate(self, batches, size, depth):
        llama.llama_memory_clear(self.memory, True)
        if depth:
            self.run(depth)
        begin = time.perf_counter()
        for _ in range(batches):
            self.run(size)
        return batches * size / (time.perf_counter() - begin)


def main():
    if sys.argv[1] == "quantise":
        quantise(*sys.argv[2:5])
        return
    path, (prefill, decode, threads, *depths) = sys.argv[2], map(int, sys.argv[3:])
    timer = Timer(path, max(prefill, decode + max(depths, default=0)) + 8, threads)
    timer.rate(1, prefill, 0)
    rates = [timer.rate(1, prefill, 0)]
    for depth in depths:
        timer.rate(4, 1, depth)
        rates.append(timer.rate(decode, 1, depth))
    print(json.dumps(rates))


if __name__ == "__main__":
    main()
