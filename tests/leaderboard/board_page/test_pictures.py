"""The images beside the models of a board."""

from __future__ import annotations

import pytest
from django.db.models.signals import post_init

from arena.models import Entry
from leaderboard.board_page import pictures
from leaderboard.models import Record
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_no_more_images_are_read_than_are_shown():
    """A board of fifty models on 300 prompts once read 8,500 images to show 250."""
    competition = make.make_competition()
    models = [make.make_model() for _ in range(3)]
    for number in range(7):
        prompt = make.make_prompt(competition)
        for place, model in enumerate(models):
            make.make_entry(prompt, model)
            won = (number + 2 * place) % 7
            Record.objects.create(prompt=prompt, image_model=model, won=won, lost=6 - won)
    read = []
    post_init.connect(note := lambda instance, **_: read.append(instance), sender=Entry, weak=False)
    try:
        shown = pictures.of_models(competition.category, [model.pk for model in models])
    finally:
        post_init.disconnect(note, sender=Entry)
    assert [[round(image.share * 6) for image in shown[model.pk]] for model in models] == [[6, 5, 4, 1, 0]] * 3
    assert len(read) == 15
