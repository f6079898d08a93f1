"""What the catalogue's page says, in the reader's language: its filters in words, and its sentences."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.text import format_lazy
from django.utils.translation import gettext, gettext_lazy, ngettext

from leaderboard.chooser import catalogue
from leaderboard.chooser.catalogue import CatalogueFilters, CatalogueRow
from leaderboard.rating.verdict import Verdict
from providers.models import ImageModel
from providers.spending.money import usd
from providers.web.numbers import significant

TASKS = {"text-to-image": gettext_lazy("text to image"), "edit": gettext_lazy("image editing")}

# What a sentence about a limit calls a filter.
LIMITS = {
    "price": gettext_lazy("price"), "seconds": gettext_lazy("seconds"), "rights": gettext_lazy("rights"),
    "size": gettext_lazy("size"), "edits": gettext_lazy("edits"), "provider": gettext_lazy("provider"),
    "lab": gettext_lazy("lab"), "weights": gettext_lazy("weights"), "licence": gettext_lazy("licence"),
    "ratio": gettext_lazy("shape"), "need": gettext_lazy("must-haves"), "q": gettext_lazy("name"),
}  # fmt: skip

# Parameters that a buyer may not do without.
NEEDS = {
    "seed": gettext_lazy("a seed"),
    "negative_prompt": gettext_lazy("a negative prompt"),
    "n": gettext_lazy("several images in one call"),
    "output_format": gettext_lazy("a choice of file format"),
    "quality": gettext_lazy("quality levels"),
    "background": gettext_lazy("transparent background"),
    "image": gettext_lazy("reference images"),
}

# Why models are left out, by the reasons of `choice`.
REASONS = {
    "price": gettext_lazy("too dear"), "seconds": gettext_lazy("too slow"), "rights": gettext_lazy("for rights"),
    "size": gettext_lazy("too small"), "needs": gettext_lazy("without a must-have"),
    "lab": gettext_lazy("of other labs"), "provider": gettext_lazy("of other providers"),
    "name": gettext_lazy("by name"), "several": gettext_lazy("for more than one of these"),
}  # fmt: skip

_UNITS = {
    "megapixel": gettext_lazy("per megapixel"), "megapixel-started": gettext_lazy("per megapixel"),
    "image-by-quality": gettext_lazy("by quality"), "image-by-tier": gettext_lazy("by size"),
    "megapixel-in-out": gettext_lazy("per MP, in and out"),
}  # fmt: skip


def price_note(row: CatalogueRow) -> str:
    """How the price counts, where it is not simply one for an image."""
    if row.price is None:
        return ""
    unit = row.facts.sellers[0].offering.price_unit
    return gettext("estimated") if row.facts.is_estimated else str(_UNITS.get(unit, ""))


def edits(row: CatalogueRow) -> str:
    """How many source images an edit may have, as far as that is known."""
    if row.sources is None:
        return "–"
    images = ngettext("%(images)s image", "%(images)s images", row.sources) % {"images": row.sources}
    return images if row.sources else gettext("yes")


def conditions(filters: CatalogueFilters) -> str:
    """After a number of models: up to $0.02 with commercial rights."""
    rights = {
        "yes": gettext("with commercial rights"),
        "ask": gettext("with rights to ask for"),
        "no": gettext("without commercial rights"),
    }
    words = [
        gettext("called “%(text)s”") % {"text": filters.q} if filters.q else "",
        "" if filters.price is None else gettext("up to %(words)s") % {"words": usd(filters.price)},
        ""
        if filters.seconds is None
        else gettext("within %(time)s") % {"time": f"{significant(float(filters.seconds), 6)} s"},
        rights.get(filters.rights, ""),
        gettext("that reach %(size)s") % {"size": filters.size} if filters.size else "",
        gettext("that edit images") if filters.edits else "",
        gettext("at %(provider)s") % {"provider": filters.given["provider"]} if filters.provider else "",
        gettext("of %(lab)s") % {"lab": filters.given["lab"]} if filters.lab else "",
        gettext("with open weights") if filters.open_weights else "",
        gettext("under the licence %(licence)s") % {"licence": filters.licence} if filters.licence else "",
        gettext("of shape %(shape)s") % {"shape": filters.ratio} if filters.ratio else "",
        gettext("with %(abilities)s") % {"abilities": _needed(filters)} if filters.needs else "",
    ]
    return " ".join(filter(None, words))


def _needed(filters: CatalogueFilters) -> str:
    first, *others = (NEEDS[name] for name in filters.needs)
    for other in others:
        first = format_lazy(gettext("{one} and {other}"), one=first, other=other)
    return str(first)


def verdict(rows: Sequence[CatalogueRow], shown: Sequence[CatalogueRow], filters: CatalogueFilters) -> Verdict:
    """How many models there are for what; where none is left, what leaves them out."""
    if not shown:
        claim = gettext("No model %(conditions)s.") % {"conditions": conditions(filters)}
        return Verdict(claim.replace(" .", "."), _helpful(rows, filters))
    waiting = _waiting(shown)
    models = ngettext("%(models)s model", "%(models)s models", len(shown)) % {"models": len(shown)}
    price = _lowest(shown)
    values = {"models": models, "of": len(rows), "conditions": conditions(filters), "price": price}
    if filters.active and price:
        return Verdict(gettext("%(models)s of %(of)s %(conditions)s, from %(price)s an image.") % values, waiting)
    if filters.active:
        return Verdict(gettext("%(models)s of %(of)s %(conditions)s.") % values, waiting)
    values["free"] = sum(row.commercial.answer == "yes" for row in shown)
    claim = (
        gettext("%(models)s, from %(price)s an image; %(free)s may be used commercially without asking.")
        if price
        else gettext("%(models)s; %(free)s may be used commercially without asking.")
    )
    return Verdict(claim % values, " ".join([gettext("Tick two to four to compare."), waiting]))


def _waiting(shown: Sequence[CatalogueRow]) -> str:
    """How many have a rating here, and how many of the others could get one: imported names have no images."""
    unrated = [row for row in shown if row.rating is None]
    imported = sum(row.image_model.origin == ImageModel.Origin.IMPORTED for row in unrated)
    values = {"rated": len(shown) - len(unrated), "others": len(unrated) - imported, "imported": imported}
    waiting = gettext("%(rated)s rated by votes; %(others)s not rated yet.") % values
    if imported:
        waiting += " " + gettext("%(imported)s known from imported votes only.") % values
    return waiting


def _lowest(shown: Sequence[CatalogueRow]) -> str:
    """The lowest price, of a sample only where nothing else has one; "" where none is known."""
    prices = [row.price for row in shown if row.price is not None and not row.image_model.is_sample]
    prices = prices or [row.price for row in shown if row.price is not None]
    return usd(min(prices)) if prices else ""


def _helpful(rows: Sequence[CatalogueRow], filters: CatalogueFilters) -> str:
    """Without which single limit most models would be left."""
    best = catalogue.without(rows, filters)
    if best is None:
        return gettext("Loosen one of the limits.")
    return gettext("%(more)s do without the filter “%(limit)s”.") % {"more": best[0], "limit": LIMITS[best[1]]}
