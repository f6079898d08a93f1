"""/files/<name>: where result images are, and everything that can be wrong with such an address."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from urllib.parse import urlencode

from PIL import Image

from .gallery import Picture
from .http import Request, SimulatorReply, html_reply, json_reply
from .jobs import SimulatedJob, Workshop

HUGE = 70  # MB
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def address_of(job: SimulatedJob, picture: Picture, origin: str) -> str:
    """The picture's address as the provider would give it, with the fault of the job's prompt built in."""
    fault = job.scenario.result
    if fault == "private":
        return f"https://10.0.0.7/files/{picture.name}"
    address = f"{origin}/files/{picture.name}"
    if fault:
        query = {"fault": fault, "argument": job.scenario.text(f"result-{fault}"), "job": job.id}
        address += f"?{urlencode(query)}"
    return address


def serve(workshop: Workshop, request: Request) -> SimulatorReply:
    """An image's download, with the fault that its URL's parameters name."""
    picture = workshop.gallery.find(request.path)
    if picture is None:
        return json_reply({"detail": "Not found"}, 404)
    parameters = request.parameters()
    fault, argument = parameters.get("fault", ""), parameters.get("argument", "")
    data = picture.read()
    whole = SimulatorReply(200, data, {"Content-Type": picture.content_type})
    if fault.isdigit():
        times = int(argument) if argument.isdigit() else 10**9
        key = f"file {parameters.get('job')} {request.path}"
        return json_reply({"detail": "Not now"}, int(fault)) if workshop.once.still(key, times) else whole
    if fault == "redirect":
        left = int(argument or 1)
        query = urlencode({"fault": "redirect", "argument": left - 1}) if left > 1 else ""
        return SimulatorReply(302, b"", {"Location": f"/files/{request.path}?{query}".rstrip("?")})
    match fault:
        case "html":
            return html_reply(200)
        case "zero":
            return SimulatorReply(200, b"", {"Content-Type": picture.content_type})
        case "huge":
            return SimulatorReply(200, _huge(data), {"Content-Type": picture.content_type})
        case "cut":
            return SimulatorReply(200, data, whole.headers, cut_at=len(data) // 2)
        case "slow":
            return SimulatorReply(200, data, whole.headers, cut_at=100, stall=float(argument or 5))
        case "wrong-type":
            return SimulatorReply(200, SVG, whole.headers)
        case "mislabelled":
            return SimulatorReply(200, data, {"Content-Type": "application/octet-stream"})
        case "animated":
            return SimulatorReply(200, _animated(), {"Content-Type": "image/gif"})
    return whole


def damaged(fault: str, data: bytes) -> bytes:
    """What is in the place of a picture that travels inside the answer."""
    match fault:
        case "html":
            return b"<html></html>"
        case "zero":
            return b""
        case "cut":
            return data[: len(data) // 2]
        case "wrong-type":
            return SVG
        case "animated":
            return _animated()
    return data


def _huge(data: bytes) -> Iterator[bytes]:
    yield data
    for _ in range(HUGE):
        yield bytes(2**20)


def _animated() -> bytes:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "green")]
    buffer = BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()
