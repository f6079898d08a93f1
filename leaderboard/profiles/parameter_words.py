"""What the shipped catalogue says its parameters mean, so that pages say it in the reader's language.

The catalogue is data, and gettext collects from code: the same sentences stand here, and a test compares both. What a
catalogue of another operator says beyond these stays in its own words.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop

MEANINGS = frozenset(
    (
        gettext_noop("1 refuses most, 5 least."),
        gettext_noop("1 refuses most, 6 least."),
        gettext_noop("A style of your own at the provider."),
        gettext_noop("Area of the image in megapixels; overrules size."),
        gettext_noop("Background of the image; transparent needs PNG or WebP."),
        gettext_noop("Check the image for unsafe content."),
        gettext_noop("Cut prompts that are too long."),
        gettext_noop("Do not check the image for unsafe content."),
        gettext_noop("Faster run with additional optimisations."),
        gettext_noop("Fewer steps with tuned settings."),
        gettext_noop("File format of the image. Converted here when the provider cannot make it."),
        gettext_noop("From which likelihood on unsafe images are blocked."),
        gettext_noop("Have the image inside the answer and not stored by the provider."),
        gettext_noop("How closely the image follows the prompt."),
        gettext_noop("How closely the source images are kept."),
        gettext_noop("How long the model plans before it draws."),
        gettext_noop("How much is let through: 0 is the strictest."),
        gettext_noop("How strictly content is filtered."),
        gettext_noop("How thoroughly the prompt is improved."),
        gettext_noop("Less processed, more natural images."),
        gettext_noop("Let the model look things up on the web."),
        gettext_noop("Let the provider improve the prompt."),
        gettext_noop("Let the provider write the prompt out at greater length."),
        gettext_noop("Make one image per call whatever the prompt says about numbers."),
        gettext_noop("Number of denoising steps."),
        gettext_noop("Overall style, by the name the provider has for it."),
        gettext_noop("Overall style."),
        gettext_noop("Quality of lossy formats (JPEG, WebP)."),
        gettext_noop("Quality of lossy formats; without effect on PNG."),
        gettext_noop("Rendering quality; the price depends on it."),
        gettext_noop("Several images are requested with n, so that each of them is counted."),
        gettext_noop("The same seed and prompt bring the same or a similar image."),
        gettext_noop("Trade quality for speed."),
        gettext_noop("Trade quality for speed; the price depends on it."),
        gettext_noop("What the image should not show."),
        gettext_noop("What the image should show, or what to change in it."),
    )
)
