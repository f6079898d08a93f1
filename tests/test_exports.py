"""Names that others choose, in files: no formula runs in a spreadsheet, no markup in Markdown; hashes stay."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client

from arena import voting
from leaderboard.board import snapshots
from leaderboard.rating import reproduction
from leaderboard.templatetags.markdown import md, md_code
from providers.web.spreadsheets import safe_cell
from tests import factories as make

HOSTILE = '=HYPERLINK("http://evil.example","x")'
MARKUP = "<img src=x onerror=alert(1)> [x](javascript:alert(1)) `a`\n# Title"


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_what_begins_like_a_formula_is_text(text):
    assert safe_cell(text) == f"'{text}" == safe_cell(safe_cell(text))


def test_other_text_stays():
    assert [safe_cell(text) for text in ("", "FLUX.2 [dev]", "a=1", "'quoted'")] == [
        "",
        "FLUX.2 [dev]",
        "a=1",
        "'quoted'",
    ]


@pytest.mark.django_db
def test_every_csv_of_the_leaderboard_is_harmless_and_snapshots_keep_their_hash(client: Client):
    lab = make.make_model().lab
    assert lab
    lab.name = "@SUM(1)"
    lab.save()
    category = make.make_category()
    prompt = make.make_prompt(make.make_competition(category))
    models = [make.make_model(f"m{n}", HOSTILE if n else "-2+3", origin="imported", lab=lab) for n in range(2)]
    left, right = (make.make_entry(prompt, model) for model in models)
    voting.cast_vote(make.make_battle(left=left, right=right), "left")
    taken = snapshots.take(category)
    assert taken
    base = "/leaderboard"
    for url in (f"{base}/{category.slug}.csv", "/leaderboard/overall.csv", f"/snapshots/{taken.pk}.csv"):
        text = client.get(url).content.decode()
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row if not is_number(cell)]
        assert not [cell for cell in cells if cell != safe_cell(cell)], url
    exact = client.get(f"/snapshots/{taken.pk}.csv", {"exact": ""}).content.decode()
    assert reproduction.digest(exact) == taken.sha256
    taken.cells = [[HOSTILE, "m", "left", 1]]  # as an earlier release stored it
    assert snapshots.cells_csv(taken).splitlines()[1].startswith("\"'=HYPERLINK")
    assert HOSTILE in next(csv.reader(io.StringIO(snapshots.cells_csv(taken, exact=True).splitlines()[1])))


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_markdown_of_others_is_one_line_of_plain_text():
    assert md(MARKUP) == r"&lt;img src=x onerror=alert(1)&gt; \[x\](javascript:alert(1)) \`a\` # Title"
    assert md("FLUX.2 – it's “new”") == "FLUX.2 – it's “new”"
    assert md_code("a`b\nc") == "a'b c"


@pytest.mark.django_db
def test_markdown_pages_hold_no_markup_of_others(client: Client):
    model = make.make_model("odd", MARKUP, description=MARKUP, licence=MARKUP[:60])
    make.make_category(name=MARKUP[:60])
    for url in (f"/models/{model.slug}.md", "/llms.txt"):
        text = client.get(url).content.decode()
        assert "onerror" in text, url
        assert "<img" not in text, url
        assert "[x](javascript" not in text, url
        assert "\n# Title" not in text, url
