"""Mutants of what a compilation reads beside its weights: configurations, tokenizers, chat templates and model files."""

import json
import re

import mutation
from case import Case, Step

FORWARD = ["--prompt-tokens", "1,2,3", "-n", "4", "--print-tokens", "--threads", "1"]


def compile_step(model, weights, *options):
    return Step(["{quern}", "compile", model, "--weights", weights, "--target", "{target}", "-o", "{out}/m", *options], makes=["m"])


def check_step(model, weights):
    return Step(["{quern}", "check", model, "--weights", weights])


def run_steps(random):
    """What is asked of a compiled language model."""
    info = Step(["{out}/m", "--info"], statuses=[0], prints="json")
    return [info, random.choice([
        Step(["{out}/m", *FORWARD], prints="json"),
        Step(["{out}/m", "Hello", "-n", "3", "--temperature", "0.9", "--top-p", "0.1", "--threads", "1"]),
        Step(["{out}/m", "--tokenize", "-"], stdin="a\xc3\xa9\xff <|im_start|>\r\n", prints="json"),
        Step(["{out}/m", "--chat", "hello", "-n", "2", "--threads", "1"]),
    ])]


def read_folder(root, names):
    return {name: (root / name).read_bytes() for name in names}


def write_folder(files):
    return {f"w/{name}": data for name, data in files.items()}


MODEL = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]

CONFIG_KEYS = [
    ("num_hidden_layers", 65536), ("num_hidden_layers", 0), ("num_attention_heads", 3), ("num_key_value_heads", 3), ("vocab_size", 2**31),
    ("max_position_embeddings", 10**7), ("max_position_embeddings", 2**40), ("head_dim", 15), ("sliding_window", 16), ("model_type", "mistral"),
    ("rope_scaling", {"type": "linear", "factor": 4.0}), ("rope_scaling", {"rope_type": "yarn", "factor": 0}), ("rope_scaling", None),
    ("rope_theta", 0), ("rope_theta", -1.0), ("rope_theta", 1e300), ("rms_norm_eps", 0), ("rms_norm_eps", -1), ("rms_norm_eps", 1e300),
    ("quantization_config", {"quant_method": "gptq", "bits": 4}), ("hidden_act", "gelu"), ("eos_token_id", [1, 2, 3]),
    ("eos_token_id", list(range(100000))), ("bos_token_id", -1), ("eos_token_id", 2**40), ("attention_multiplier", 0.5),
    ("partial_rotary_factor", 0.5), ("tie_word_embeddings", False), ("text_config", {}), ("architectures", []), ("torch_dtype", "float8"),
    ("attention_bias", True), ("rope_parameters", {"rope_type": "llama3"}), ("head_dim", "x"), ("chat_template", "{{ messages }}"),
    ("add_bos_token", True), ("added_tokens_decoder", {"0": {"content": "a"}}), ("bos_token", {"content": 1}), ("eos_token", "none")]


def config(random, root):
    files = read_folder(root / "test/data/llama-gqa", MODEL)
    name = random.choice(["config.json", "config.json", "config.json", "tokenizer_config.json", "generation_config.json",
                          "special_tokens_map.json", "model.safetensors.index.json", "added_tokens.json", "preprocessor_config.json"])
    trees = {"generation_config.json": {"eos_token_id": [2], "bos_token_id": 1}, "special_tokens_map.json": {"bos_token": "<|im_start|>"},
             "model.safetensors.index.json": {"weight_map": {"model.norm.weight": "model.safetensors"}}, "added_tokens.json": {"<x>": 320},
             "preprocessor_config.json": {"do_resize": True, "size": {"height": 32, "width": 32}, "resample": 2, "image_mean": [0, 0, 0]}}
    tree = json.loads(files[name]) if name in files else trees[name]
    changes = [f"{name}: {mutation.change_tree(random, tree, CONFIG_KEYS)}" for _ in range(random.choice([1, 1, 2, 3]))]
    files[name] = mutation.dump(tree).encode("utf-8", "surrogatepass")
    if random.random() < 0.15:
        files[name] = mutation.change_bytes(random, files[name])
        changes.append("bytes")
    steps = [check_step("{llama}", "{in}/w")]
    if random.random() < 0.3:
        steps += [compile_step("{llama}", "{in}/w"), *run_steps(random)]
    return Case("config", write_folder(files), steps, changes)


def nested(part, times):
    """A tokenizer's part within sequences of itself."""
    return lambda: {"type": "Sequence", "normalizers": [part] * times, "pretokenizers": [part] * times, "decoders": [part] * times,
                    "processors": [part] * times}


TOKENIZER_PARTS = [
    {"type": "Replace", "pattern": {"String": "a"}, "content": "aa" * 20}, {"type": "Replace", "pattern": {"String": ""}, "content": "b"},
    {"type": "Replace", "pattern": {"Regex": "(a*)*$"}, "content": "b"}, {"type": "Replace", "pattern": {"Regex": "(("}, "content": ""},
    {"type": "Prepend", "prepend": "x" * 1000}, {"type": "NFKD"}, {"type": "NFKC"}, {"type": "Lowercase"}, {"type": "StripAccents"},
    {"type": "Precompiled", "precompiled_charsmap": "ALQCAACEAAA="}, {"type": "Precompiled", "precompiled_charsmap": "AAAAAA=="},
    {"type": "Strip", "content": "a", "start": 2**31, "stop": 5}, {"type": "Split", "pattern": {"Regex": "(?=(a|aa)+b)"},
     "behavior": "Isolated", "invert": False}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Metaspace", "replacement": "\u2581",
     "prepend_scheme": "always", "split": True}, {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    {"type": "CTC", "pad_token": "", "word_delimiter_token": "", "cleanup": True}, {"type": "WordPiece", "prefix": "", "cleanup": True},
    {"type": "FixedLength", "length": 0}, {"type": "Punctuation", "behavior": "Contiguous"}, {"type": "Digits", "individual_digits": True},
    {"type": "Novel"}]


def tokenizer(random, root):
    files = read_folder(root / "test/data/llama-gqa", MODEL)
    tree = json.loads(files["tokenizer.json"])
    vocabulary, merges = tree["model"]["vocab"], tree["model"]["merges"]
    changes = []
    for _ in range(random.choice([1, 1, 2, 3])):
        action = random.randrange(6)
        part = random.choice(TOKENIZER_PARTS)
        if action == 0:
            place = random.choice(["normalizer", "pre_tokenizer", "post_processor", "decoder"])
            tree[place] = nested(part, random.choice([1, 2, 30]))() if random.random() < 0.5 else part
            changes.append(f"{place} {part['type']}")
        elif action == 1 and isinstance(vocabulary, dict) and vocabulary:
            word = random.choice(sorted(vocabulary))
            vocabulary[word] = random.choice([mutation.integer(random), -1, 0, 1.5, None, "a"])
            changes.append(f"id of {word!r}")
        elif action == 2 and merges:
            at = random.randrange(len(merges))
            merges[at] = random.choice(["a", "a b c", ["a", "b"], ["a"], "", " ", None, "zz yy", merges[0]])
            changes.append(f"merge {at}")
        elif action == 3:
            text = random.choice([*mutation.TEXTS, *vocabulary])
            special = random.random() < 0.5
            tree["added_tokens"].append({"id": mutation.integer(random, 320), "content": text, "single_word": random.random() < 0.3,
                                         "lstrip": random.random() < 0.3, "rstrip": special, "normalized": not special, "special": special})
            changes.append(f"added {text[:20]!r}")
        elif action == 4:
            key, value = random.choice([("dropout", 0.5), ("unk_token", "zz"), ("byte_fallback", True), ("fuse_unk", True), ("ignore_merges", True),
                                        ("continuing_subword_prefix", "##"), ("end_of_word_suffix", "</w>"), ("type", "Unigram"),
                                        ("type", "WordPiece"), ("type", "WordLevel"), ("vocab", [["a", -1.0]]), ("vocab", {}), ("merges", [])])
            tree["model"][key] = value
            changes.append(f"model.{key}")
        else:
            changes.append(mutation.change_tree(random, tree))
            break
    files["tokenizer.json"] = mutation.dump(tree).encode("utf-8", "surrogatepass")
    steps = [compile_step("{llama}", "{in}/w"), Step(["{out}/m", "--info"], statuses=[0], prints="json")]
    # What was accepted while compiling can be asked.
    text = random.choice(["hello", "a" * 2000, "\xff\xfe", "<|im_start|>user", "\xe2\x96\x81 a\t\n" * 50, "".join(chr(random.randrange(256)) for _ in range(60))])
    steps.append(Step(["{out}/m", "--tokenize", "-"], stdin=text, statuses=[0], prints="json"))
    return Case("tokenizer", write_folder(files), steps, changes)


TEMPLATE_VALUES = ["messages", "messages[0]", "message.content", "message['role']", "bos_token", "eos_token", "tools", "loop.index", "loop.last",
                   "namespace(a=[])", "ns", "ns.a", "x", "''", "'ab'", "1", "0", "-1", "1.5", "none", "true", "[]", "[1, 2]", "{}", "{'a': 1}",
                   "range(3)", "range(100000000)", "9223372036854775807", "dict(a=1)", "undefined_name", "messages[-1]", "messages[9]",
                   "'x' * 1000", "'x' * 1000000000", "x ~ x", "x + x", "[x, x]", "(1, 2)", "lipsum()", "cycler(1)", "joiner()", "self", "raise_exception"]
TEMPLATE_FILTERS = ["trim", "tojson", "tojson(indent=4)", "tojson(indent=100000)", "length", "list", "string", "upper", "join(', ')", "join(x)",
                    "replace('a', x)", "replace('', 'ab')", "default('d')", "first", "last", "reverse", "sort", "unique", "map(attribute='role')",
                    "selectattr('role', 'equalto', 'user')", "int", "float", "abs", "round(100)", "items", "dictsort", "batch(2)", "slice(3)",
                    "indent(1000000000)", "format(1)", "center(100000000)", "safe", "escape", "urlencode", "pprint", "batch(0)", "wordcount", "sum"]
TEMPLATE_TESTS = ["defined", "none", "string", "mapping", "iterable", "sequence", "number", "odd", "divisibleby(0)", "equalto(1)", "in [1]", "sameas(x)"]


def expression(random, depth=0):
    value = random.choice(TEMPLATE_VALUES)
    for _ in range(random.choice([0, 0, 1, 1, 2, 6])):
        action = random.randrange(9)
        if action < 4:
            value = f"{value} | {random.choice(TEMPLATE_FILTERS)}"
        elif action == 4 and depth < 4:
            operator = random.choice(["+", "-", "*", "/", "//", "%", "**", "~", "==", "<", "in", "and", "or", "is", "if 1 else"])
            other = random.choice(TEMPLATE_TESTS) if operator == "is" else f"({expression(random, depth + 1)})"
            value = f"({value}) {operator} {other}"
        elif action == 5:
            value = f"({value})[{random.choice(['0', '-1', '1:', '::-1', '::0', ':1000000', repr('a'), 'x'])}]"
        elif action == 6:
            value = f"({value}).{random.choice(['a', 'items()', 'strip()', 'split(x)', 'upper()', 'startswith(1)', 'join([1])', '__class__', 'format(x)'])}"
        elif action == 7:
            value = random.choice([f"'%s' % ({value})", f"'{{:>1000000000}}'.format({value})", f"not ({value})", f"-({value})", f"[{value}] * 3"])
        else:
            value = f"({value})" if random.random() < 0.9 else "(" * 4000 + value + ")" * 4000
    return value


def statement(random, depth=0):
    body = "".join(statement(random, depth + 1) for _ in range(random.randrange(3))) if depth < 4 else "a"
    value = expression(random)
    return random.choice([
        f"{{{{ {value} }}}}", f"{{{{- {value} -}}}}", f"{{% set x = {value} %}}", f"{{% set ns = namespace(a={value}) %}}{{% set ns.a = ns %}}",
        f"{{% set ns.a = {value} %}}", f"{{% if {value} %}}{body}{{% elif x %}}b{{% else %}}{body}{{% endif %}}",
        f"{{% for x in {value} %}}{body}{{% endfor %}}", f"{{% for k, v in {value} %}}{body}{{% break %}}{{% endfor %}}",
        f"{{% for x in {value} recursive %}}{body}{{{{ loop(x) }}}}{{% endfor %}}", f"{{% macro f(x, y=1) %}}{body}{{{{ f(x) }}}}{{% endmacro %}}{{{{ f(1) }}}}",
        f"{{% set x %}}{body}{{% endset %}}", f"{{% filter upper %}}{body}{{% endfilter %}}", f"{{% generation %}}{body}{{% endgeneration %}}",
        f"{{% call f({value}) %}}{body}{{% endcall %}}", f"{{# {value} #}}", f"{{% raw %}}{body}{{% endraw %}}", f"{{% with x = {value} %}}{body}{{% endwith %}}",
        "{{ raise_exception('no') }}", "{{ strftime_now('%Y') }}", "{% include 'x' %}", "{% extends x %}", "text\r\n", "{{", "%}", "{%-", "\0"])


def template(random, root):
    files = read_folder(root / "test/data/llama-gqa", MODEL)
    tree = json.loads(files["tokenizer_config.json"])
    text = tree["chat_template"]
    parts = re.split(r"(\{[{%#].*?[}%#]\})", text)
    for _ in range(random.choice([1, 2, 4])):
        at = random.randrange(len(parts) + 1)
        parts[at:at + random.choice([0, 1])] = [statement(random)] * random.choice([1, 1, 1, 2, 50])
    text = "".join(parts)
    if random.random() < 0.1:
        text = mutation.change_bytes(random, text.encode()).decode("utf-8", "replace")
    if random.random() < 0.5:
        tree["chat_template"] = text
    else:
        del tree["chat_template"]
        files["chat_template.jinja"] = text.encode()
    files["tokenizer_config.json"] = json.dumps(tree).encode()
    steps = [compile_step("{llama}", "{in}/w"), Step(["{out}/m", "--info"], statuses=[0], prints="json"),
             Step(["{out}/m", "--chat", random.choice(["hello", "", "a" * 100, "{{ x }}"]), "-n", "2", "--threads", "1"])]
    return Case("template", write_folder(files), steps, [text])


TOKEN = re.compile(r"//[^\n]*|\"[^\"\n]*\"|[A-Za-z_]\w*|\d+(?:\.\d+)?(?:e-?\d+)?|\s+|->|<=|==|.", re.DOTALL)
MODEL_FILES = ["docs/examples/mlp.qn", "docs/examples/stripes.qn", "frontend/models/llama.qn", "frontend/models/inception_v1.qn",
               "frontend/std/transformer.qn", "frontend/std/vision.qn", "frontend/std/rope.qn", "test/fuzz/language/everything.qn"]
MODEL_WORDS = ["module", "fn", "entry", "for", "in", "if", "else", "return", "state", "config", "import", "tied", "to", "as", "where", "int", "float",
               "bool", "f32", "i32", "Linear", "KvCache", "attend", "gather", "concat", "rope", "softmax", "*", "/", "-", "(", ")", "[", "]", "{", "}", ";", ",",
               ":", "=", "->", "<=", "0", "1", "65536", "1000000", "9223372036854775807", "99999999999999999999", "1e999", "\"", "\"x\"", "//", "é", "\0"]


def blocks(tokens):
    """Spans of balanced brackets."""
    opened, found = [], []
    for at, token in enumerate(tokens):
        if token in "([{" and len(token) == 1:
            opened.append(at)
        elif token in ")]}" and len(token) == 1 and opened:
            found.append((opened.pop(), at + 1))
    return found


def change_tokens(random, tokens, other):
    at = random.randrange(len(tokens) + 1)
    action = random.randrange(9)
    spans, others = blocks(tokens), blocks(other)
    if action == 0:
        del tokens[at:at + random.choice([1, 1, 2, 5])]
    elif action == 1:
        tokens[at:at] = [random.choice(MODEL_WORDS), " "]
    elif action == 2:
        tokens[at:at + 1] = [random.choice(MODEL_WORDS)]
    elif action == 3:
        tokens[at:at] = [random.choice(other)]
    elif action == 4 and spans and others:
        (start, end), (first, last) = random.choice(spans), random.choice(others)
        tokens[start:end] = other[first:last]
    elif action == 5 and spans:
        start, end = random.choice(spans)
        tokens[start:start] = tokens[start:end] * random.choice([1, 2, 500])
    elif action == 6 and spans:
        start, end = random.choice(spans)
        tokens[start:end] = ["("] * 20000 if random.random() < 0.1 else tokens[start + 1:end - 1]
    elif action == 7:
        numbers = [i for i, token in enumerate(tokens) if token[0].isdigit()]
        if numbers:
            tokens[random.choice(numbers)] = str(mutation.integer(random))
    else:
        names = [i for i, token in enumerate(tokens) if token[0].isalpha()]
        if names:
            tokens[random.choice(names)] = tokens[random.choice(names)]
    return ("delete", "insert", "replace", "borrow", "graft", "repeat", "unwrap", "number", "rename")[action]


def model(random, root):
    name = random.choice(MODEL_FILES)
    tokens = TOKEN.findall((root / name).read_text())
    other = TOKEN.findall((root / random.choice(MODEL_FILES)).read_text())
    changes = [name] + [change_tokens(random, tokens, other) for _ in range(random.choice([1, 1, 2, 3, 6]))]
    path = "{in}/m.qn"
    weights = {"docs/examples/mlp.qn": "docs/examples/mlp.safetensors", "docs/examples/stripes.qn": "docs/examples/stripes",
               "frontend/models/llama.qn": "test/data/llama-gqa"}.get(name)
    steps = [Step(["{quern}", "check", path])]
    if weights:
        steps[0].words += ["--weights", f"{{source}}/{weights}"]
        if random.random() < 0.5:
            steps += [compile_step(path, f"{{source}}/{weights}"), Step(["{out}/m", "--info"], statuses=[0], prints="json")]
    if random.random() < 0.3:
        steps.insert(0, Step(["{quern}", "fmt", "--check", path]))
    return Case("model", {"m.qn": "".join(tokens).encode()}, steps, changes)
