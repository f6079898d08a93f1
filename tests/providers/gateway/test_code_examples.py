"""The programs that pages show: several models, prompts with quotes, languages that parse. Running them: profiles."""

from __future__ import annotations

import ast
import shlex
import shutil
import subprocess
from itertools import pairwise

import pytest

from providers.gateway import code_examples

PROMPT = "@dusk; keep 'the \"rest\"'\nand a line"
FIELDS = {"prompt": PROMPT, "size": "1:1", "seed": 7, "response_format": "url", "user": ""}


@pytest.mark.parametrize("edit", [False, True])
@pytest.mark.parametrize("models", [["sample-a"], ["sample-a", "sample-b"]])
def test_every_program_parses_and_names_every_model(models, edit):
    for example in code_examples.examples("https://x.test/openai/v1", models, FIELDS, edit=edit):
        assert "".join(piece.text for piece in example.pieces) == example.code
        assert all(model in example.code for model in models)
        assert "https://x.test/openai/v1" in example.code
        assert "user" not in example.code  # empty parameters are left out
        if example.file.endswith(".py"):
            assert PROMPT in {
                node.value for node in ast.walk(ast.parse(example.code)) if isinstance(node, ast.Constant)
            }
        elif example.file.endswith(".sh"):
            subprocess.run(["sh", "-n"], input=example.code, text=True, check=True)
        elif node := shutil.which("node"):
            subprocess.run([node, "--input-type=module", "--check", "-"], input=example.code, text=True, check=True)


def test_the_curl_command_of_an_edit_sends_the_whole_prompt_as_text():
    curl, *_ = code_examples.examples("https://x.test/openai/v1", ["sample-a"], FIELDS, edit=True)
    words = shlex.split(curl.code)
    texts = [text for option, text in pairwise(words) if option == "--form-string"]
    assert texts == ["model=sample-a", f"prompt={PROMPT}", "size=1:1", "seed=7", "response_format=url"]
    assert [text for option, text in pairwise(words) if option == "-F"] == ["image=@photo.png"]  # -F would read ; and @
