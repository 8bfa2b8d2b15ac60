"""A headless Chromium that measures pages and takes pictures of them, with nothing but the standard library."""

import html
import json
import re
import shutil
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path
from typing import Any

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no chromium, chromium-browser or google-chrome")

_MEASURE = """
<script>
addEventListener("load", () => {
  const size = e => { const box = e.getBoundingClientRect(); return [box.width, box.height]; };
  const scrolls = e => !e || e === document.body ? document.body
    : /auto|scroll/.test(getComputedStyle(e).overflowX) ? e : scrolls(e.parentElement);
  const math = [...document.querySelectorAll("math")].map(e => {
    const inner = e.querySelector("mtable") || e, box = scrolls(e);
    const [width, height] = size(e);
    return {latex: e.querySelector("annotation")?.textContent ?? "", width, height,
            content: Math.max(width, size(inner)[0]), room: box.clientWidth};
  });
  const page = document.scrollingElement;
  document.documentElement.dataset.measured = JSON.stringify({
    math, width: innerWidth, page: page.scrollWidth,
    requests: performance.getEntriesByType("resource").map(e => e.name),
    svg: [...document.querySelectorAll("svg")].map(size),
    boxes: [...document.querySelectorAll("pre, table, figure")].map(size),
  });
});
</script>
"""


def measure(path: str | Path, width: int = 900) -> dict[str, Any]:
    """What a page measures in a window of this width, in pixels of CSS, and what it asked the network for.

    `math` has for each formula its latex, width, height, the width of its content, and the room that its
    scrolling box, or the page, gives it; `page` is how wide the page is, `svg` and `boxes` are the sizes
    of pictures and of tables, listings and figures, `requests` the addresses of what was loaded.
    """
    page = Path(path)
    with tempfile.NamedTemporaryFile("w", dir=page.parent, suffix=".html", encoding="utf-8") as copy:
        copy.write(page.read_text(encoding="utf-8") + _MEASURE)  # beside the page, for what it refers to
        copy.flush()
        dom = _run("--dump-dom", f"--window-size={width},1200", address=Path(copy.name))
    found = re.search(r'<html[^>]* data-measured="([^"]*)"', dom)
    assert found, f"{page}: no measures in what the browser wrote"
    return json.loads(html.unescape(found[1]))


def screenshot(path: str | Path, png: str | Path, size: tuple[int, int] = (900, 1200), scale: float = 1) -> Path:
    """A picture of the page's upper part in a window of this size; `scale` is the zoom."""
    shape = f"--window-size={size[0]},{size[1]}"
    _run(f"--screenshot={Path(png).resolve()}", shape, f"--force-device-scale-factor={scale}", address=Path(path))
    return Path(png)


def inked(png: str | Path) -> float:
    """Which part of a picture's rows of pixels is not of one colour: 0 for a blank one."""
    data = Path(png).read_bytes()
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    bytes_each = {2: 3, 6: 4}[kind]
    assert depth == 8, depth
    rows, step = zlib.decompress(_pixels(data)), width * bytes_each + 1
    return sum(_varies(rows[i * step : (i + 1) * step], bytes_each) for i in range(height)) / height


def _pixels(data: bytes) -> bytes:
    """The parts of a PNG's chunks of pixels, one after the other."""
    place, found = 8, b""
    while place < len(data):
        (size,) = struct.unpack(">I", data[place : place + 4])
        found += data[place + 8 : place + 8 + size] if data[place + 4 : place + 8] == b"IDAT" else b""
        place += size + 12
    return found


def _varies(row: bytes, bytes_each: int) -> bool:
    """Whether a filtered row has more than one colour, or is not like its neighbour."""
    kind, first, rest = row[0], row[1 : 1 + bytes_each], row[1 + bytes_each :]
    return rest != first * (len(rest) // bytes_each) if kind == 0 else any(rest)


def _run(*arguments: str, address: Path) -> str:
    """The browser's output; names of hosts lead nowhere, so a page has what is in its files alone."""
    assert BROWSER is not None
    with tempfile.TemporaryDirectory(prefix="browser", ignore_cleanup_errors=True) as profile:
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")
        offline = ("--host-resolver-rules=MAP * ~NOTFOUND", "--no-first-run", "--disable-background-networking")
        command = [BROWSER, *options, *offline, f"--user-data-dir={profile}", *arguments, address.resolve().as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=100, check=True).stdout
