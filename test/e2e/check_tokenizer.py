"""Compares a binary's tokenizer and chat template with those of independent implementations (test/data/README.md).

    check_tokenizer.py BINARY CASES.json CHAT.json
"""

import json
import os
import subprocess
import sys

import model


def check(name, found, expected):
    if found != expected:
        print(f"{name}: tokens {found}, expected {expected}")
    return found != expected


def check_text(binary, case):
    """A text on the standard input, and as an argument where that can hold it (no zero byte, not `-`)."""
    text = bytes.fromhex(case["utf8_hex"])
    failures = check(repr(case["text"]), model.tokens_of(binary, text, "--no-special"), case["ids"])
    if b"\0" in text or text == b"-":
        return failures + check(repr(case["text"]), model.tokens_of(binary, text), case["ids_special"])
    argument = subprocess.run([binary, "--tokenize", os.fsdecode(text)], check=True, stdout=subprocess.PIPE)
    return failures + check(repr(case["text"]) + " as an argument", json.loads(argument.stdout), case["ids_special"])


def check_chat(binary, case):
    """The answer to a message is what follows the template's tokens."""
    (message,) = case["messages"]
    command = [binary, message["content"], "--chat", "-n", "4", "--print-tokens", "--ignore-eos"]
    answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    failures = check(repr(message["content"]) + " as a message", answer, model.greedy_of(binary, case["ids"], 4))
    # The same text with its special tokens spelled out.
    return failures + check("its template's text", model.tokens_of(binary, case["text"].encode()), case["ids"])


def main():
    binary, cases_path, chat_path = sys.argv[1:]
    with open(cases_path) as file:
        cases = json.load(file)["cases"]
    with open(chat_path) as file:
        # The command line holds conversations of one message.
        chats = [case for case in json.load(file)["cases"] if [message["role"] for message in case["messages"]] == ["user"]]
    if not cases or not chats:
        sys.exit("there are no cases")
    failures = sum(check_text(binary, case) for case in cases) + sum(check_chat(binary, case) for case in chats)
    print(f"{len(cases)} texts and {len(chats)} conversations, {failures} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
