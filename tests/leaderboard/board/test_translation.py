"""Sentences of the pure modules: English as text, translated for pages, the same after a cache."""

from __future__ import annotations

import pickle

from django.utils import translation

from leaderboard.board.translation import translated
from leaderboard.rating import number_words, verdict
from leaderboard.rating.verdict import Finding
from providers.web.sentence import MidSentence, sentence, sentences


def test_a_sentence_is_its_english_text():
    assert sentence("%(name)s leads.", name="Heron") == "Heron leads."
    assert sentence("About %(votes)s more.", votes=1200) == "About 1,200 more."
    one, two = (sentences("%(n)s model", "%(n)s models", n, n=n) for n in (1, 2))
    assert (one, two) == ("1 model", "2 models")


def test_it_is_translated_with_its_values_and_in_its_number():
    leads = sentence("%(names)s is first.", names=number_words.either(["Heron", "Kite"]))
    votes = sentence("About %(votes)s more votes between the first two would separate them.", votes=1200)
    voters = sentences(
        "%(voters)s voter: more voters would help more than more votes of the same.",
        "%(voters)s voters: more voters would help more than more votes of the same.",
        3,
        voters=3,
    )
    with translation.override("de"):
        assert translated(leads) == "Vorn liegt Heron oder Kite."
        assert translated(votes) == "Etwa 1.200 weitere Stimmen zwischen den ersten beiden würden sie trennen."
        assert translated(voters) == "3 Abstimmende: Mehr Abstimmende hülfen mehr als mehr Stimmen derselben."
        assert translated("Heron XL") == "Heron XL"
    assert translated(leads) == leads == "Heron or Kite is first."


def test_a_name_in_the_middle_of_a_sentence_is_lower_case_in_english_alone():
    one, several = "%(votes)s vote in %(category)s", "%(votes)s votes in %(category)s"
    votes = sentences(one, several, 3, votes=3, category=MidSentence("Text to image"))
    cached = pickle.loads(pickle.dumps(votes))  # noqa: S301
    assert votes == translated(votes) == "3 votes in text to image"
    with translation.override("de"):
        assert translated(votes) == translated(cached) == "3 Stimmen in „Text to image“"


def test_a_verdict_from_the_cache_can_still_be_translated():
    cached = pickle.loads(pickle.dumps(verdict.of_board(Finding("no votes"), [])))  # noqa: S301
    assert cached.claim == "No votes yet."
    with translation.override("de"):
        assert translated(cached.claim) == "Noch keine Stimmen."
