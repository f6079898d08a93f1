"""A catalogue of one model with two offerings."""

from __future__ import annotations

SMALL = """
[labs]
north = "North"

[parameters.prompt]
type = "string"
group = "core"
required = true

[parameters.steps]
type = "integer"
group = "additional"
target = "num_steps"

[families.square]
takes = ["prompt"]
size = { family = "list", field = "size", sizes = ["1024x1024"] }

[families.square-edit]
like = "square"
takes_also = ["steps"]
set = { steps = { minimum = 1, maximum = 8 } }
images = { field = "image_urls" }
size = { auto = { size = "auto" } }

[[models]]
slug = "kite-1.0"
name = "Kite"
lab = "north"
released = 2026-01-15
modes = ["text-to-image", "edit"]

[[models.offerings]]
provider = "fal"
mode = "text-to-image"
endpoint = "north/kite"
family = "square"
price = "0.04"
source = "North's price list"
seen = 2026-11-22

[[models.offerings]]
provider = "fal"
mode = "edit"
endpoint = "north/kite/edit"
family = "square-edit"
active = false
"""
