"""Makes two small SentencePiece models and the ids that the sentencepiece package gives for some texts.

Run with sentencepiece 0.2.3: `python make_sentencepiece.py` writes `bpe/` and `unigram/`.
"""

import json
import os
import tempfile
from pathlib import Path

import sentencepiece

HERE = Path(__file__).parent
CORPUS = """The sea is there and the other shore is there.
She sells sea shells on the sea shore; the shells she sells are sea shells.
When the wind blows the water rises and falls, and the ship goes on and on.
A weight is a number. A model is many weights, and a text is many tokens.
Ünïcode: é è ê ñ ö. Numbers: 1 2 3 42 365 2024.
""".splitlines()
TEXTS = ["", "a", " ", "hello", "The sea", " the sea", "the  sea   shore ", "\tshells\n\nsea", "She sells 365 shells.",
         "日本", "😀 sea", "e\u0301", "ﬁve ＡＢ", "sea▁shore", "x" * 40, "Zqj%"]
# Full-width letters and a ligature, spaces for tabs and ends of lines.
RULES = [("Ａ", "A"), ("Ｂ", "B"), ("ﬁ", "fi"), ("\t", " "), ("\n", " ")]


def train(name, **options):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_prefix="model", user_defined_symbols=["<user>"], minloglevel=2,
        num_threads=1, hard_vocab_limit=False, **options)
    model = Path("model.model").read_bytes()
    (folder / "tokenizer.model").write_bytes(model)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    lines = [json.dumps({"text": text, "ids": processor.encode(text)}, ensure_ascii=False) for text in TEXTS]
    (folder / "golden.json").write_text('{"cases": [\n' + ",\n".join(lines) + "\n]}\n", encoding="utf-8")


def main():
    # The models name the files that they were made of: here, without a folder.
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        train("bpe", model_type="bpe", vocab_size=340, byte_fallback=True, normalization_rule_name="identity",
              remove_extra_whitespaces=False)
        with open("rules.tsv", "w", encoding="utf-8") as rules:
            for pair in RULES:
                rules.write("\t".join(" ".join(f"{ord(letter):X}" for letter in text) for text in pair) + "\n")
        train("unigram", model_type="unigram", vocab_size=90, normalization_rule_tsv="rules.tsv")


main()
