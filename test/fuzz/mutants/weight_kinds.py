"""Mutants of checkpoints: GGUF and safetensors."""

import json
import math
import struct

import gguf_file
import mutation
from case import Case, Step
from model_kinds import FORWARD, MODEL, check_step, compile_step, read_folder, run_steps, write_folder

GGUF_FILES = ["q4_0", "q4_1", "q8_0", "f16", "f32"]
NUMBERS = [0, 0x80, 0x7f, 0xff]


def spoil_value(random, key):
    """A value of the key's type that is wrong, or another type."""
    value = key.value
    if isinstance(value, gguf_file.Array):
        action = random.randrange(7)
        items = value.items
        if action == 0:
            value.count = mutation.integer(random, len(items))
        elif action == 1 and items:
            items[random.randrange(len(items))] = items[random.randrange(len(items))]
        elif action == 2 and items:
            sample = items[0]
            items[random.randrange(len(items))] = random.choice([b"", b"\xff", b"a b", b"x" * 1000]) if isinstance(sample, bytes) else mutation.integer(random)
        elif action == 3:
            del items[random.randrange(len(items) + 1):]
        elif action == 4:
            items.extend(items[:random.choice([1, 5, len(items)])])
        elif action == 5:
            value.type = random.choice([*range(14), 2**31])
        else:
            key.value = gguf_file.Array(gguf_file.ARRAY, [value] * random.choice([1, 3]))
            for _ in range(random.choice([0, 0, 3, 2000])):
                key.value = gguf_file.Array(gguf_file.ARRAY, [key.value])
    elif isinstance(value, bytes):
        key.value = random.choice([b"", b"llama", b"gpt2", b"qwen2", b"mistral", b"\xff\xfe", b"{{ x", b"yarn", b"none", value * 2, b"a" * 100000])
    else:
        key.value = mutation.integer(random, int(value)) if random.random() < 0.7 else random.choice(mutation.FLOATS)
        if isinstance(key.value, float) and not math.isfinite(key.value) and key.type not in (6, 12):
            key.value = 0


NEW_KEYS = [("llama.rope.scale_linear", 6, 4.0), ("llama.rope.scaling.factor", 6, 2.0), ("llama.rope.scaling.type", 8, b"yarn"),
            ("llama.attention.sliding_window", 4, 16), ("llama.expert_count", 4, 8), ("llama.logit_scale", 6, 0.5), ("general.alignment", 4, 64),
            ("general.alignment", 4, 0), ("general.alignment", 4, 2**31), ("general.alignment", 4, 1), ("split.count", 2, 2),
            ("tokenizer.ggml.pre", 8, b"llama-bpe"), ("tokenizer.ggml.pre", 8, b"no-such"), ("tokenizer.ggml.add_bos_token", 7, 1),
            ("tokenizer.ggml.bos_token_id", 4, 2**32 - 1), ("tokenizer.ggml.eos_token_id", 4, 320), ("tokenizer.ggml.model", 8, b"llama"),
            ("tokenizer.chat_template", 8, b"{% for x in range(100000000) %}a{% endfor %}"), ("general.name", 8, b"\xff"), ("a" * 70000, 4, 1)]


def change_gguf(random, file):
    action = random.randrange(12)
    key = random.choice(file.keys) if file.keys else gguf_file.Key(b"x", 4, 0)
    tensor = random.choice(file.tensors) if file.tensors else gguf_file.Tensor(b"x", [1], 0, 0, b"")
    about = key.name[:60]
    if action <= 2:
        spoil_value(random, key)
    elif action == 3:
        key.type = random.choice([*range(14), 2**32 - 1])
        about += b" type"
        if key.type == gguf_file.STRING and not isinstance(key.value, bytes):
            key.value = b"1"
        elif key.type in gguf_file.FORMATS and isinstance(key.value, (bytes, gguf_file.Array)):
            key.value = 1
        elif key.type == gguf_file.ARRAY and not isinstance(key.value, gguf_file.Array):
            key.value = gguf_file.Array(4, [1, 2])
    elif action == 4:
        file.keys.remove(key) if file.keys else None
        about = b"no " + about
    elif action == 5:
        name, kind, value = random.choice(NEW_KEYS)
        file.keys = [old for old in file.keys if old.name != name.encode() or random.random() < 0.3] + [gguf_file.Key(name.encode(), kind, value)]
        about = name.encode()[:60]
    elif action == 6:
        field = random.choice(["version", "key_count", "tensor_count", "alignment"])
        about = field.encode()
        setattr(file, field, random.choice([16, 64, 4096]) if field == "alignment" else mutation.integer(random, 3))
    elif action == 7:
        about = b"sizes of " + tensor.name
        tensor.sizes = random.choice([[], [0], [1], tensor.sizes[::-1], tensor.sizes + [1], [2**63, 2], [2**32, 2**32], tensor.sizes * 2, [1] * 9,
                                      [mutation.integer(random, size) % 2**64 for size in tensor.sizes]])
    elif action == 8:
        about = b"type of " + tensor.name
        tensor.type = random.choice([*range(42), 2**31])
    elif action == 9:
        about = b"offset of " + tensor.name
        tensor.place = tensor.offset
        tensor.offset = random.choice([1, 16, 2**63, 2**64 - 32, tensor.offset + 32, mutation.integer(random, tensor.offset) % 2**64])
    elif action == 10:
        about = b"data of " + tensor.name
        data = bytearray(tensor.data)
        for _ in range(random.choice([1, 100])):
            at = random.randrange(len(data) - 3)
            data[at:at + 4] = random.choice([b"\xff\xff\xff\xff", b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\0\x7c\0\x7c", b"\xff\xfb\xff\xfb", b"\0" * 4])
        tensor.data = bytes(data)
    else:
        about = b"name of " + tensor.name
        if random.random() < 0.3 and file.tensors:
            file.tensors.append(random.choice(file.tensors))
        tensor.name = random.choice([b"", b"output.weight", b"blk.999.attn_q.weight", b"rope_freqs.weight", b"\xff", random.choice(file.tensors).name if file.tensors else b"y"])
    return about.decode("latin-1")


def keep_gguf(random, file):
    """A change that changes nothing of what the file means."""
    action = random.randrange(4)
    if action == 0:
        random.shuffle(file.keys)
    elif action == 1:
        file.keys.append(gguf_file.Key(b"general.comment", 8, b"any"))
    elif action == 2:
        random.shuffle(file.tensors)
        gguf_file.lay_out(file)
    else:
        file.alignment = random.choice([32, 64, 256])
        file.keys.append(gguf_file.Key(b"general.alignment", 4, file.alignment))
        gguf_file.lay_out(file)
    return ("keys in another order", "one more key", "tensors in another order", "alignment")[action]


def same_steps(first, second):
    """The tokens of a file, then of another that must mean the same."""
    steps = []
    for name, path in (("a", first), ("b", second)):
        steps.append(Step(["{quern}", "compile", "{llama}", "--weights", path, "--target", "{target}", "-o", f"{{out}}/{name}"], makes=[name], statuses=[0]))
        steps.append(Step([f"{{out}}/{name}", *FORWARD], statuses=[0], prints="same"))
    return steps


def gguf(random, root):
    path = f"test/data/gguf/llama-gqa-{random.choice(GGUF_FILES)}.gguf"
    file = gguf_file.parse((root / path).read_bytes())
    if random.random() < 0.05:
        changes = [keep_gguf(random, file)]
        return Case("gguf", {"w.gguf": gguf_file.write(file)}, same_steps(f"{{source}}/{path}", "{in}/w.gguf"), changes)
    changes = [path] + [change_gguf(random, file) for _ in range(random.choice([1, 1, 1, 2, 4]))]
    data = gguf_file.write(file)
    if random.random() < 0.1:
        data = mutation.change_bytes(random, data) if random.random() < 0.5 else data[:random.randrange(min(len(data), 20000))]
        changes.append("bytes")
    steps = [check_step("{llama}", "{in}/w.gguf")]
    if random.random() < 0.3:
        steps += [compile_step("{llama}", "{in}/w.gguf"), *run_steps(random)]
    return Case("gguf", {"w.gguf": data}, steps, changes)


def read_safetensors(data):
    (size,) = struct.unpack_from("<Q", data)
    return json.loads(data[8:8 + size]), data[8 + size:]


def write_safetensors(header, data, size=None):
    text = header if isinstance(header, bytes) else mutation.dump(header).encode("utf-8", "surrogatepass")
    return gguf_file.wrap(len(text) if size is None else size, "Q") + text + data


def is_whole(header):
    """Whether there are tensors, and all that says where they lie can be changed once more."""
    tensors = [item for name, item in header.items() if name != "__metadata__"]
    return bool(tensors) and all(
        isinstance(item, dict) and isinstance(item.get("shape"), list) and isinstance(item.get("data_offsets"), list)
        and len(item["data_offsets"]) == 2 and all(isinstance(offset, int) for offset in item["data_offsets"]) for item in tensors)


def spoil_tensor(random, header, data):
    name = random.choice([key for key in header if key != "__metadata__"])
    tensor = header[name]
    action = random.randrange(6)
    if action == 0:
        tensor["dtype"] = random.choice(["F64", "F16", "BF16", "F8_E4M3", "I64", "U8", "BOOL", "f32", "", 1, None])
    elif action == 1:
        tensor["shape"] = random.choice([[], [0], tensor["shape"][::-1], tensor["shape"] + [1], [2**63, 2], [-1], [1.5], "x", [2**32] * 2, [1] * 100])
    elif action == 2:
        begin, end = tensor["data_offsets"]
        tensor["data_offsets"] = random.choice([[end, begin], [begin, end + 1], [0, 2**63], [-1, end], [begin], [begin + 4, end + 4], [begin, end, 1], None,
                                                [2**64 - 4, 2**64], list(random.choice(list(header.values())).get("data_offsets", [0, 0]))])
    elif action == 3:
        header[random.choice(["", "model.norm.weight", "x" * 5000, "model.layers.99999999999.x", "\ud7ff", "lm_head.weight"])] = header.pop(name)
    elif action == 4:
        begin, end = tensor["data_offsets"]
        at = begin + 4 * random.randrange(max(1, (end - begin) // 4))
        data[at:at + 4] = random.choice([b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\0\0\x80\xff", b"\xff\xff\x7f\x7f"])
    else:
        return mutation.change_tree(random, header)
    return f"{('dtype', 'shape', 'offsets', 'name', 'data')[action]} of {name}"


def safetensors(random, root):
    files = read_folder(root / "test/data/llama-gqa", MODEL)
    header, data = read_safetensors(files["model.safetensors"])
    data = bytearray(data)
    if random.random() < 0.05:
        items = list(header.items())
        random.shuffle(items)
        files["model.safetensors"] = write_safetensors({"__metadata__": {"format": "pt", "": "x"}, **dict(items)}, bytes(data))
        return Case("safetensors", write_folder(files), same_steps("{source}/test/data/llama-gqa", "{in}/w"), ["another order"])
    changes = [spoil_tensor(random, header, data) for _ in range(random.choice([1, 1, 2, 3])) if is_whole(header)]
    size = mutation.integer(random, 1000) % 2**64 if random.random() < 0.05 else None
    file = write_safetensors(header, bytes(data), size)
    if random.random() < 0.15:
        file = mutation.change_bytes(random, file[:random.choice([40, 4000, len(file)])])
        changes.append("bytes")
    files["model.safetensors"] = file
    steps = [check_step("{llama}", "{in}/w")]
    if random.random() < 0.3:
        steps += [compile_step("{llama}", "{in}/w"), *run_steps(random)]
    return Case("safetensors", write_folder(files), steps, changes)


EXPERT_FILES = ["mixtral.gguf", "mixtral-old.gguf", "qwen2_moe.gguf", "deepseek_v2.gguf", "deepseek_v3.gguf", "granitemoeshared.gguf"]
EXPERT_FOLDERS = ["moe/mixtral", "moe/mixtral-stacked", "moe/granitemoeshared", "fp8"]
EXPERT_KEYS = ["expert_count", "expert_used_count", "expert_gating_func", "expert_group_count", "attention.key_length_mla", "rope.dimension_count"]


def experts(random, root):
    """Weights of experts, of latent heads and of FP8, in every container; no model is compiled for most of them."""
    if random.random() < 0.5:
        file = gguf_file.parse((root / "test/data/moe" / random.choice(EXPERT_FILES)).read_bytes())
        changes = [change_gguf(random, file) for _ in range(random.choice([1, 1, 2]))]
        if random.random() < 0.3:
            arch = random.choice(["llama", "deepseek2", "qwen2moe", "granitemoe"])
            file.keys.append(gguf_file.Key(f"{arch}.{random.choice(EXPERT_KEYS)}".encode(), 4, random.choice([0, 1, 2, 3, 7, 2**31])))
        return Case("experts", {"w.gguf": gguf_file.write(file)}, [check_step("{experts}", "{in}/w.gguf")], changes)
    files = read_folder(root / "test/data" / random.choice(EXPERT_FOLDERS), ["config.json", "model.safetensors"])
    header, data = read_safetensors(files["model.safetensors"])
    data = bytearray(data)
    changes = [spoil_tensor(random, header, data) for _ in range(random.choice([1, 1, 2])) if is_whole(header)]
    files["model.safetensors"] = write_safetensors(header, bytes(data))
    if random.random() < 0.5:
        tree = json.loads(files["config.json"])
        tree.update(random.choice([
            {"num_local_experts": random.choice([0, 1, 2, 4, -1, 2**62, "3"])}, {"model_type": random.choice(["qwen3_moe", "granitemoe", 3])},
            {"quantization_config": random.choice([{}, 3, {"quant_method": "fp8", "weight_block_size": random.choice([[1, 1], [2**62, 2**62], [0, 1], 7])}])},
            {"dtype": "float32"}]))
        files["config.json"] = mutation.dump(tree).encode("utf-8", "surrogatepass")
        changes.append("config.json")
    return Case("experts", write_folder(files), [check_step("{experts}", "{in}/w")], changes)


ROUTING_KEYS = [("format", "quern routing trace"), ("version", 2), ("model", 7), ("layers", {}), ("name", "model.layers.1.mlp.experts"),
                ("experts", 2**40), ("experts", 7), ("numbers", 0), ("rows", 0), ("rows", 2**63), ("counts", [0] * 8), ("counts", [1] * 5000),
                ("counts", [2**50] * 8)]


def routing(random, root):
    """Routing profiles of a small mixture."""
    layers = []
    for number in range(2):
        counts = [0] * 8
        for _ in range(10):
            for expert in random.sample(range(8), 3):
                counts[expert] += 1
        layers.append({"name": f"model.layers.{number}.mlp.experts", "experts": 8, "numbers": 6144, "rows": 10, "counts": counts})
    tree = {"format": "quern routing profile", "version": 1, "model": "qwen3_moe", "layers": layers}
    changes = [mutation.change_tree(random, tree, ROUTING_KEYS) for _ in range(random.choice([0, 1, 1, 2]))]
    data = mutation.dump(tree).encode("utf-8", "surrogatepass")
    if random.random() < 0.15:
        data = mutation.change_bytes(random, data)
        changes.append("bytes")
    words = ["{quern}", "compile", "{mixture}", "--weights", "{source}/test/data/qwen3_moe", "--routing-profile", "{in}/profile.json"]
    steps = [Step([*words, "--emit", "graph"], statuses=[0, 1] if changes else [0])]
    return Case("routing", {"profile.json": data}, steps, changes)


MEDUSA_KEYS = [("format", "quern routing profile"), ("positions", 0), ("positions", 2**63), ("accuracies", []), ("accuracies", [[0.1] * 10] * 4),
               ("step_seconds", []), ("step_seconds", [[1, 1e300]]), ("step_seconds", [[64, 1]]), ("step_seconds", [[1, 1], [2**40, 2]]),
               ("medusa_num_heads", 0), ("medusa_num_heads", 2), ("medusa_num_heads", 2**40), ("medusa_num_layers", 2), ("version", None),
               ("hidden_size", 7), ("rope_scaling", 3), ("quantization_config", {"quant_method": "fp8"})]


def medusa(random, root):
    """Medusa heads with their configuration, trees of their guesses, and calibrations."""
    files = read_folder(root / "test/data/medusa", ["config.json", "medusa_lm_head.safetensors", "tree.json"])
    calibration = {"format": "quern-medusa-calibration-1", "positions": 100, "accuracies": [[0.5 ** (i + 1) for i in range(10)]] * 3,
                   "step_seconds": [[rows, 1 + 0.1 * rows] for rows in (1, 2, 8, 64)]}
    trees = {"config.json": json.loads(files["config.json"]), "tree.json": json.loads(files["tree.json"]), "calibration.json": calibration}
    files["calibration.json"] = mutation.dump(calibration).encode()
    name = random.choice([*trees, "medusa_lm_head.safetensors"])
    if name in trees:
        changes = [mutation.change_tree(random, trees[name], MEDUSA_KEYS) for _ in range(random.choice([0, 1, 1, 2]))]
        files[name] = mutation.dump(trees[name]).encode("utf-8", "surrogatepass")
    else:
        header, data = read_safetensors(files[name])
        data = bytearray(data)
        changes = [spoil_tensor(random, header, data) for _ in range(random.choice([1, 1, 2])) if is_whole(header)]
        files[name] = write_safetensors(header, bytes(data))
    if random.random() < 0.15:
        files[name] = mutation.change_bytes(random, files[name])
        changes.append("bytes")
    option = "tree" if name == "tree.json" else "calibration"
    words = ["{quern}", "compile", "{medusa}", "--base", "{llama}", "--weights", "{source}/test/data/medusa/base", "--weights", "medusa_head={in}/w",
             f"--medusa-{option}", f"{{in}}/w/{option}.json", "--emit", "graph"]
    return Case("medusa", write_folder(files), [Step(words, statuses=[0, 1] if changes else [0])], changes)


SCHEDULE_KEYS = [("format", "quern-schedules-3"), ("key", "0" * 63), ("key", "G" * 64), ("version", -1), ("threads", 0), ("threads", 2**63),
                 ("plan", {}), ("plan", {"rows": 2**63 - 1}), ("plan", {"rows": 0, "other": -7}), ("base", {}), ("samples", []),
                 ("samples", [[1, 1]] * 256), ("samples", [[1, 1]] * 257), ("samples", [[1, 2, 3]]), ("samples", [[0, 1]]), ("form", "unknown"),
                 ("rows", []), ("machine", {}), ("models", {"contract": {"zen4": {"features": ["a"], "weights": []}}}), ("kernel", "\u009b2J")]


def schedules(random, root):
    """Databases of measured schedules, merged with a right one and shown."""
    text = (root / "test/fuzz/schedules/whole.json").read_bytes()
    tree = json.loads(text)
    changes = [mutation.change_tree(random, tree, SCHEDULE_KEYS) for _ in range(random.choice([0, 1, 1, 2]))]
    data = mutation.dump(tree).encode("utf-8", "surrogatepass")
    if random.random() < 0.15:
        data = mutation.change_bytes(random, data)
        changes.append("bytes")
    statuses = [0, 1] if changes else [0]
    steps = [Step(["{quern}", "tune", "merge", "{in}/right.json", "{in}/tuned.json", "-o", "{out}/merged.json"], makes=["merged.json"], statuses=statuses),
             Step(["{quern}", "tune", "show", "{in}/tuned.json"], statuses=statuses)]
    return Case("schedules", {"right.json": text, "tuned.json": data}, steps, changes)
