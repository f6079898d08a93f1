"""Which colours an image file's numbers stand for, and the same image in sRGB.

A file declares its colours by an ICC profile, by code points (PNG cICP, AVIF nclx; ITU-T H.273), by gAMA and cHRM, or
not at all, which means sRGB. All of them become an ICC profile here, so that one library converts them (Little CMS).
What takes precedence: PNG third edition §4.3 (cICP, iCCP, sRGB, gAMA with cHRM); in AVIF an ICC profile.
"""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from providers.transfer import metadata

PQ, HLG = 16, 18  # transfer characteristics of HDR

Chromaticities = tuple[float, ...]  # eight: x and y of white, red, green and blue

_D65 = (0.3127, 0.3290)
_SRGB: Chromaticities = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_PRIMARIES: dict[int, Chromaticities] = {  # by colour primaries of H.273, table 2
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
_EXPONENTS = {4: 2.2, 5: 2.8, 8: 1.0}  # transfer characteristics that are a power; 709 and its kin are shown as sRGB
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_D50 = np.array([0.9642, 1.0, 0.8249])


def is_hdr(data: bytes) -> bool:
    """True for a file in PQ or HLG, which would be shown washed out."""
    return metadata.transfer(data) in (PQ, HLG)


def profile_of(data: bytes, image: Image.Image) -> bytes | None:
    """The ICC profile of the opened file's colours: embedded, or made from what it declares; None for sRGB."""
    embedded: bytes | None = image.info.get("icc_profile")
    codes = metadata.code_points(data)
    if codes is not None and (image.format == "PNG" or not embedded):
        primaries, transfer = codes
        chromaticities, exponent = _PRIMARIES.get(primaries, _SRGB), _EXPONENTS.get(transfer)
        return None if chromaticities == _SRGB and exponent is None else icc_profile(chromaticities, exponent)
    if embedded or "srgb" in image.info or image.format != "PNG":
        return embedded
    return _profile_of_gamma(image)


def _profile_of_gamma(image: Image.Image) -> bytes | None:
    """From gAMA and cHRM, as Pillow reads them from a PNG."""
    gamma, chromaticities = image.info.get("gamma"), image.info.get("chromaticity")
    if not gamma or not 0.1 <= gamma <= 10:
        return None
    usual = abs(gamma - 1 / 2.2) < 0.005
    known = _SRGB
    if chromaticities is not None and len(chromaticities) == 8 and not np.allclose(chromaticities, _SRGB, atol=0.002):
        known = tuple(map(float, chromaticities))
    if usual and known == _SRGB:
        return None
    try:
        return icc_profile(known, None if usual else 1 / gamma)
    except (np.linalg.LinAlgError, ZeroDivisionError, struct.error, ValueError):
        return None  # primaries that span no triangle


def to_srgb(colour: Image.Image, profile: bytes | None) -> Image.Image:
    """An image without transparency as RGB in sRGB, read by an ICC profile where there is one that can be read."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            if source.profile.xcolor_space.strip() == "RGB":
                colour = colour.convert("RGB")  # a grey image may carry its maker's RGB profile
            converted = ImageCms.profileToProfile(colour, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            return converted or colour.convert("RGB")
        except (ImageCms.PyCMSError, OSError):
            pass  # a broken profile is no reason to lose the image: its numbers are taken as sRGB
    return colour.convert("RGB")


# Profiles ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def icc_profile(chromaticities: Chromaticities, exponent: float | None) -> bytes:
    """A matrix/TRC display profile (ICC.1:2001-04) with a power curve; `exponent` None is sRGB's curve."""
    columns = _xyz_d50(chromaticities)
    curve = _curve(exponent)
    parts = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 4) + b"RGB\0" + bytes(78),
        b"cprt": b"text" + bytes(4) + b"CC0\0",
        b"wtpt": _xyz_tag(_D50),
        b"rXYZ": _xyz_tag(columns[:, 0]),
        b"gXYZ": _xyz_tag(columns[:, 1]),
        b"bXYZ": _xyz_tag(columns[:, 2]),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, body, at = struct.pack(">I", len(parts)), b"", 128 + 4 + 12 * len(parts)
    for name, part in parts.items():
        part += bytes(-len(part) % 4)
        table += name + struct.pack(">II", at + len(body), len(part))
        body += part
    size = 128 + len(table) + len(body)
    header = struct.pack(">I4xI", size, 0x02400000) + b"mntrRGB XYZ " + struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    header += b"acsp" + bytes(28) + _xyz_number(_D50) + bytes(48)
    return header + table + body


def _xyz_d50(chromaticities: Chromaticities) -> NDArray[np.float64]:
    """The primaries' XYZ as columns, scaled to the white point and adapted from it to D50 (Bradford)."""
    (white, *primaries) = [
        np.array([x / y, 1.0, (1 - x - y) / y]) for x, y in zip(chromaticities[::2], chromaticities[1::2], strict=True)
    ]
    matrix = np.column_stack(primaries)
    matrix = matrix * np.linalg.solve(matrix, white)
    scale = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white))
    adapted: NDArray[np.float64] = np.linalg.inv(_BRADFORD) @ scale @ _BRADFORD @ matrix
    return adapted


def _curve(exponent: float | None) -> bytes:
    if exponent is None:
        x = np.linspace(0, 1, 1024)
        values = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    else:
        values = np.linspace(0, 1, 1024) ** exponent
    return b"curv" + bytes(4) + struct.pack(">I", 1024) + np.round(values * 65535).astype(">u2").tobytes()


def _xyz_number(xyz: NDArray[np.float64]) -> bytes:
    return struct.pack(">3i", *(round(float(value) * 65536) for value in xyz))


def _xyz_tag(xyz: NDArray[np.float64]) -> bytes:
    return b"XYZ " + bytes(4) + _xyz_number(xyz)
