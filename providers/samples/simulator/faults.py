"""Answers that do not arrive as they should, after the work was taken on."""

from __future__ import annotations

from dataclasses import replace

from .http import SimulatorReply, html_reply
from .scenarios import Scenario


def spoilt(scenario: Scenario, reply: SimulatorReply) -> SimulatorReply:
    """The answer to an accepted order, as the scenario lets it through."""
    if "reset" in scenario:
        return SimulatorReply(reset=True)
    if "cut" in scenario and isinstance(reply.body, bytes):
        return replace(reply, cut_at=len(reply.body) // 2)
    return html_reply(200) if "html" in scenario else reply
