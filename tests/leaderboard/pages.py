"""What a page says."""

from __future__ import annotations

import re


def text_of(response, status=200):
    """The page's source with one space for each gap; files as they are."""
    assert response.status_code == status
    text = response.content.decode()
    return re.sub(r"[ \n]+", " ", text) if "html" in response["Content-Type"] else text


def names_in(page):
    return re.findall(r'<th scope="row" class="col-model">\s*<a href="/models/([^/]+)/"', page)
