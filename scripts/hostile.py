"""What the fuzz run throws: hostile answers, mutated pages of the providers, mutated picture files."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from pack import ROOT, load_pack
from PIL import Image, ImageCms

load_pack()

from kling_pack.errors import UnreadError  # noqa: E402 - the pack comes first
from kling_pack.jobs.decode import LARGEST_PIXELS, decode_fitted, decode_into, inspect  # noqa: E402
from kling_pack.jobs.http import LARGEST_ANSWER  # noqa: E402
from kling_pack.jobs.links import LinkError, check_link  # noqa: E402
from kling_pack.jobs.redact import redact, redact_json  # noqa: E402
from kling_pack.providers import ADAPTERS  # noqa: E402
from kling_pack.providers.base import Created, Place, Refused, Reply, Status, Unclear  # noqa: E402

SECRET = "sk-live-9f8e7d6c5b4a3f2e1d0c"  # noqa: S105 - nobody's
STATUSES = (200, 200, 200, 201, 204, 302, 400, 401, 402, 404, 408, 429, 500, 503, 999)
WORDS = ("success", "completed", "failed", "error", "cancelled", "processing", "https://a.example/a.png", SECRET)
ODD = (None, True, False, 0, -1, 10**400, 1e308, -0.0, "", "\0", "\ud800", "1" * 400, "{", [], {}, [[]], {"": None})
SLOW = (
    "é",
    "x_é",
    "https://a/",
    "https://é",
    "api_key",
    "api_key: ",
    "bearer ",
    "é://",
    "data:é/",
    "password",
    "A" * 119 + " ",
)
"""What repeated makes a text that careless patterns are slow on."""
DECODED_HERE = 4_000_000
"""Pixels above which only a fitted copy is made of most pictures; the large ones take their time."""


# Answers.


def any_json(random: Random, names: list[str], depth: int = 0) -> Any:
    """A JSON value of any shape, with the providers' own names where there are names."""
    pick = random.random()
    if depth > 6 or pick < 0.3:
        return random.choice(ODD)
    if pick < 0.5:
        return random.choice(WORDS)
    if pick < 0.65:
        return [any_json(random, names, depth + 1) for _ in range(random.randrange(5))]
    return {
        random.choice(names) if random.random() < 0.9 else any_text(random): any_json(random, names, depth + 1)
        for _ in range(random.randrange(6))
    }


def any_text(random: Random) -> str:
    return "".join(chr(random.choice((random.randrange(0x80), random.randrange(0x110000)))) for _ in range(5))


def changed(random: Random, value: Any, names: list[str]) -> Any:
    """`value` with some of what it holds replaced, taken away or repeated."""
    if random.random() < 0.12:
        return any_json(random, names)
    if isinstance(value, dict):
        return {
            (random.choice(names) if random.random() < 0.05 else name): changed(random, item, names)
            for name, item in value.items()
            if random.random() > 0.05
        }
    if isinstance(value, list):
        return [changed(random, item, names) for item in value] * random.choice((1, 1, 1, 0, 3))
    return value


def nested(random: Random) -> bytes:
    """A body that is deep, long or both; up to the largest that is taken."""
    size = random.choice((10**3, 10**4, 10**5, 10**6)) if random.random() < 0.98 else LARGEST_ANSWER
    inner = random.choice((b"[", b'{"data":', b'{"output":[', b'{"error":', b"9", b'"\\u0000', b" ", b"1e9"))
    start = random.choice((b"", b'{"status":"success","output":', b'{"code":200,"data":{"state":"completed","result":'))
    return (start + inner * (size // len(inner)))[:LARGEST_ANSWER]


def wide(random: Random) -> bytes:
    """Many links, names or long texts."""
    size = random.choice((10, 1000, 30_000))
    item = random.choice(('"https://a.example/a.png"', '{"url":"https://a.example/a"}', f'"{SECRET}"', '"QUJD"', "1"))
    text = ",".join([item] * size)
    long = random.choice((*SLOW, "A")) * size
    return random.choice((f'{{"status":"success","output":[{text}]}}', f'{{"error":"{long}"}}')).encode()


def broken(random: Random, data: bytes, times: int) -> bytes:
    """`data` with bytes flipped, cut out, repeated or written over."""
    made = bytearray(data)
    for _ in range(random.randint(1, times)):
        if not made:
            break
        at, length = random.randrange(len(made)), random.choice((1, 1, 2, 4, 16, 64))
        match random.randrange(6):
            case 0:
                made[at] ^= 1 << random.randrange(8)
            case 1:
                made[at : at + length] = random.randbytes(length)
            case 2:
                del made[at : at + length]
            case 3:
                made[at:at] = made[random.randrange(len(made)) :][:length]
            case 4:
                made[at : at + 4] = random.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1"))
            case _:
                del made[at:]
    return bytes(made)


@cache
def pages() -> tuple[list[Any], list[str]]:
    """The answers of the providers' pages, and every name in them."""
    written = [json.loads(file.read_text("utf-8")) for file in (ROOT / "tests/providers/fixtures").rglob("*.json")]
    answers = [page["reply"]["json"] for page in written if "reply" in page]
    names: set[str] = {"url", "id", "message", "api_key", "metrics", "cost", "images"}

    below = [*answers]
    while below:
        value = below.pop()
        if isinstance(value, dict):
            names.update(value)
            below += value.values()
        elif isinstance(value, list):
            below += value
    return answers, sorted(names)


def judge(status: int, body: bytes) -> str:
    """Every step of every adapter reads the answer, and what is kept of it holds no secret."""
    reply = Reply(status, body)
    words = []
    for adapter in ADAPTERS.values():
        created, placed, told = adapter.created(reply), adapter.place(reply, "image/png"), adapter.status(reply)
        assert isinstance(created, Created | Refused | Unclear) and isinstance(placed, Place | Refused | Unclear)
        assert isinstance(told, Status | Refused | Unclear)
        assert isinstance(told.reason, str) and SECRET not in redact(told.reason, [SECRET])
        if isinstance(told, Status):
            assert isinstance(told.word, str) and all(isinstance(link, str) for link in told.links)
            for link in told.links[:10]:
                judge_link(link)
        words.append(type(told).__name__)
    kept = redact_json(reply.json(), [SECRET]) if len(body) < 10**6 else None
    assert SECRET not in json.dumps(kept, ensure_ascii=False)
    return min(words, key=("Status", "Refused", "Unclear").index)


def judge_link(link: str) -> None:
    try:
        check_link(link, None)
    except LinkError as error:
        assert link not in str(error) or len(link) < 5


def fuzz_shapes(random: Random, folder: Path) -> str:
    answers, names = pages()
    body = any_json(random, names) if random.random() < 0.3 else changed(random, random.choice(answers), names)
    return judge(random.choice(STATUSES), json.dumps(body).encode())


def fuzz_bytes(random: Random, folder: Path) -> str:
    answers, _ = pages()
    return judge(random.choice(STATUSES), broken(random, json.dumps(random.choice(answers)).encode(), 8))


def fuzz_sizes(random: Random, folder: Path) -> str:
    return judge(random.choice(STATUSES), random.choice((nested, wide))(random))


# Pictures.


@cache
def samples() -> dict[str, bytes]:
    """Small pictures of every kind that is read, with and without profiles, rotation and transparency."""
    shades = np.add.outer(np.arange(24) * 7, np.arange(31) * 5).astype(np.uint8)
    colours = Image.fromarray(np.dstack([shades, shades.T[:24, :24].repeat(2, 1)[:, :31], 255 - shades]))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a picture"
    made: dict[str, bytes] = {}

    def save(name: str, image: Image.Image, format: str, **options: Any) -> None:
        file = BytesIO()
        image.save(file, format, **options)
        made[name] = file.getvalue()

    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        save(f"png-{mode}", colours.convert(mode), "PNG", exif=exif)
    save("png-16", Image.fromarray(shades.astype(np.uint16) * 257), "PNG")
    save("png-profile", colours, "PNG", icc_profile=srgb)
    save("png-odd-profile", colours, "PNG", icc_profile=profile)
    for mode in ("L", "RGB", "CMYK"):
        save(f"jpeg-{mode}", colours.convert(mode), "JPEG", exif=exif, icc_profile=srgb)
    save("jpeg-progressive", colours, "JPEG", progressive=True, quality=40)
    save("webp", colours, "WEBP", exif=exif, icc_profile=srgb)
    save("webp-lossless", colours.convert("RGBA"), "WEBP", lossless=True)
    save("webp-animated", colours, "WEBP", save_all=True, append_images=[colours.rotate(90)])
    return made


def resized(random: Random, data: bytes) -> bytes:
    """A PNG that claims another size, depth, colour type or interlacing, with a checksum that holds."""
    if not data.startswith(b"\x89PNG"):
        return data
    sides = [random.choice((0, 1, 30, 32, 5000, 32_768, 2**31 - 1, 2**32 - 1)) for _ in range(2)]
    depth, colour = random.choice((1, 2, 4, 8, 16, 3)), random.choice((0, 2, 3, 4, 6, 7))
    interlace = random.choice((0, 1, 9))
    header = b"IHDR" + struct.pack(">IIBBBBB", *sides, depth, colour, 0, 0, interlace)
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def checked(random: Random, data: bytes) -> bytes:
    """A PNG with one chunk broken and its checksum made to hold, so that the damage comes through to the decoder."""
    if not data.startswith(b"\x89PNG"):
        return broken(random, data, 3)
    at, chunks = 8, []
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append(data[at + 4 : at + 8 + length])
        at += 12 + length
    place = random.randrange(len(chunks))
    chunks[place] = chunks[place][:4] + broken(random, chunks[place][4:], 3)
    if random.random() < 0.3:
        chunks.insert(random.randrange(len(chunks)), random.choice(chunks))
    told = (struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks)
    return data[:8] + b"".join(told)


def _scratched(random: Random, data: bytes) -> bytes:
    return broken(random, data, 6)


def fuzz_picture(random: Random, folder: Path) -> str:
    change = random.choices((_scratched, checked, resized), (6, 6, 1))[0]
    file = folder / "picture"
    file.write_bytes(change(random, random.choice(list(samples().values()))))
    try:
        told = inspect(file)
        pixels = told.width * told.height
        assert told.format in ("png", "jpeg", "webp") and 0 < pixels <= LARGEST_PIXELS
        if pixels <= DECODED_HERE:
            out = np.full((told.height, told.width, 3), -1, np.float32)
            decode_into(file, out)
        else:
            decode_fitted(file, out := np.full((8, 8, 3), -1, np.float32))
        assert out.min() >= 0 and out.max() <= 1
    except UnreadError as error:
        assert len(str(error)) < 1000
        return "unread"
    return "read"


KINDS: dict[str, tuple[Callable[[Random, Path], str], float]] = {
    "answer, other shape": (fuzz_shapes, 40),
    "answer, broken bytes": (fuzz_bytes, 14),
    "answer, deep or long": (fuzz_sizes, 1),
    "picture": (fuzz_picture, 45),
}
