"""Draws four style pictures with strokes as different as oil, woodcut, dots and washes.

    python examples/draw_styles.py [FOLDER]

Everything is computed from a seed with NumPy and OpenCV, so the pictures are the project's
own. Inside, pictures are float32 RGB arrays in 0..1, [SIZE, SIZE, 3], and are drawn on a
canvas of twice the size, which shrinking makes smooth.
"""
import pathlib
import sys

import cv2
import numpy as np

SIZE = 512
CANVAS = 2 * SIZE


def coordinates(size=CANVAS):
    """Rows y and columns x of a square, each [size, size] from 0 to 1."""
    line = (np.arange(size, dtype=np.float32) + 0.5) / size
    return np.meshgrid(line, line, indexing='ij')


def noise(rng, cells, octaves=4, size=CANVAS):
    """Smooth noise [size, size], mean 0 and deviation 1; ``cells`` blobs along a side."""
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        grid = rng.standard_normal((cells * 2 ** octave + 3,) * 2).astype(np.float32)
        total += cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC) / 2 ** octave
    return (total - total.mean()) / total.std()


def ramp(values, stops):
    """Colours [..., 3] of values in 0..1, interpolated between (position, '#rrggbb') stops."""
    positions = [position for position, _ in stops]
    colours = np.array([colour(text) for _, text in stops])
    return np.stack([np.interp(values, positions, colours[:, channel])
                     for channel in range(3)], axis=-1).astype(np.float32)


def colour(text):
    """'#rrggbb' as three floats in 0..1."""
    return np.array([int(text[start:start + 2], 16) for start in (1, 3, 5)], np.float32) / 255


def mix(below, above, alpha):
    """``above`` laid over ``below`` with the cover ``alpha`` [rows, columns]."""
    return below + (above - below) * alpha[..., None]


def step(values, edge, softness):
    """0 below ``edge`` and 1 above it, with a smooth passage ``softness`` wide."""
    position = np.clip((values - edge) / softness + 0.5, 0, 1)
    return position * position * (3 - 2 * position)


def finished(canvas, rng, relief=None, depth=0.0, grain=0.02):
    """The canvas lit from the upper left over its relief, shrunk, as uint8 RGB."""
    if relief is not None:
        rows, columns = np.gradient(cv2.GaussianBlur(relief, (0, 0), 1.2))
        canvas = canvas + depth * np.tanh(6 * (rows + columns))[..., None]
    canvas = canvas + grain * noise(rng, CANVAS // 4, 1)[..., None]
    small = cv2.resize(canvas, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return (np.clip(small, 0, 1) * 255 + 0.5).astype(np.uint8)


# Oil: thick curved strokes of many bristles that follow swirls in a night sky.

SWIRLS = (  # column, row, radius, turn, glow
    (0.30, 0.30, 0.17, 1.0, 0.85), (0.66, 0.42, 0.22, -1.0, 0.92),
    (0.88, 0.14, 0.10, 1.0, 1.0), (0.10, 0.62, 0.11, -1.0, 0.75),
    (0.50, 0.10, 0.07, 1.0, 0.8), (0.40, 0.72, 0.11, 1.0, 0.7),
)


def swirl_field():
    """Directions [CANVAS, CANVAS, 2] as unit vectors (x, y), and glow [CANVAS, CANVAS]."""
    y, x = coordinates()
    along = 0.7 + 0 * x
    down = 0.45 * np.cos(7 * x + 3 * y)
    glow = np.zeros_like(x)
    for column, row, radius, turn, brightness in SWIRLS:
        dx, dy = x - column, y - row
        distance = np.sqrt(dx * dx + dy * dy) + 1e-4
        pull = 3.2 * np.exp(-(distance / (1.15 * radius)) ** 2)
        along += -turn * dy / distance * pull
        down += turn * dx / distance * pull
        rings = 0.5 + 0.5 * np.cos(2 * np.pi * distance / (0.55 * radius))
        halo = np.exp(-(distance / radius) ** 2)
        core = np.exp(-(distance / (0.42 * radius)) ** 2)
        glow = np.maximum(glow, brightness * np.maximum(halo * (0.45 + 0.55 * rings), core))
    length = np.sqrt(along ** 2 + down ** 2) + 1e-6
    return np.stack([along / length, down / length], axis=-1), glow


def traced(field, start, count, stride):
    """Points [count, 2] (x, y) along the directions of ``field`` from ``start``."""
    points = [np.asarray(start, np.float32)]
    for _ in range(count - 1):
        x, y = np.clip(points[-1], 0, CANVAS - 1).astype(int)
        points.append(points[-1] + stride * field[y, x])
    return np.array(points)


def brush(canvas, relief, path, width, paint, rng):
    """Draws one stroke of bristles along ``path``, each of a colour of its own."""
    ahead = np.gradient(path, axis=0)
    across = np.stack([-ahead[:, 1], ahead[:, 0]], axis=-1)
    across /= np.linalg.norm(across, axis=-1, keepdims=True) + 1e-6
    swell = np.sin(np.linspace(0.25, np.pi - 0.1, len(path)))[:, None] ** 0.5
    bristles = max(3, int(width / 3))
    for offset in rng.permutation(np.linspace(-0.5, 0.5, bristles)):
        first = rng.integers(0, 2)
        line = (path + across * offset * width * swell)[first:len(path) - rng.integers(0, 2)]
        shade = 1 + 0.16 * rng.standard_normal() - 0.25 * abs(offset)
        tint = np.clip(paint * shade + 0.025 * rng.standard_normal(3), 0, 1)
        thickness = max(2, int(round(1.7 * width / bristles)))
        points = np.round(line * 8).astype(np.int32)[:, None]
        cv2.polylines(canvas, [points], False, tint.tolist(), thickness, cv2.LINE_AA, 3)
        cv2.polylines(relief, [points], False, float(rng.uniform(0.2, 1.0)), thickness,
                      cv2.LINE_AA, 3)


def draw_oil(seed=1):
    """A night sky of swirls in thick oil: ultramarine, cobalt and lemon yellow."""
    rng = np.random.default_rng(seed)
    field, glow = swirl_field()
    y, x = coordinates()
    tone = np.clip(0.26 + 0.09 * noise(rng, 5) + 0.14 * np.sin(9 * y + 4 * x), 0.0, 0.62)
    scene = ramp(np.maximum(tone, glow), (
        (0.0, '#0b1740'), (0.18, '#16327e'), (0.34, '#2459ad'), (0.5, '#5b9bc9'),
        (0.62, '#b9cf9f'), (0.75, '#f0cf4e'), (0.88, '#fbe58a'), (1.0, '#fff6cf')))
    ridge = 0.83 + 0.05 * np.sin(5.2 * x + 0.6) + 0.03 * np.sin(13 * x)
    hills = ramp(np.clip(0.5 + 0.2 * noise(rng, 6) + 1.2 * (y - ridge), 0, 1), (
        (0.0, '#0a1c2e'), (0.5, '#1d4b52'), (0.8, '#4f8a57'), (1.0, '#c2b04a')))
    ground = step(y, ridge, 0.01)
    scene = mix(scene, hills, ground)
    slope = np.stack([np.ones_like(x), 0.35 * np.cos(5.2 * x + 0.6)], axis=-1)
    field = mix(field, slope / np.linalg.norm(slope, axis=-1, keepdims=True), ground)

    canvas = np.full((CANVAS, CANVAS, 3), colour('#122a63'), np.float32)
    relief = np.zeros((CANVAS, CANVAS), np.float32)
    for width, points, stride, count in ((34, 9, 11, 900), (22, 9, 9, 2200), (13, 8, 7, 3200)):
        for column, row in rng.uniform(0, CANVAS, (count, 2)):
            paint = scene[int(row), int(column)] * (1 + 0.1 * rng.standard_normal())
            path = traced(field, (column, row), points, stride)
            brush(canvas, relief, path, width * rng.uniform(0.8, 1.2), paint, rng)
    return finished(canvas, rng, relief, depth=0.1)


# Woodcut: black cuts on cream paper, whose width gives the tone.

def cuts(phase, darkness, rng, spacing):
    """Ink 0..1 of lines along the level sets of ``phase`` (in pixels), swelling with tone."""
    wobble = 0.16 * noise(rng, 24, 3)
    saw = np.abs(((phase / spacing + wobble) % 1) - 0.5) * 2
    ragged = darkness + 0.07 * noise(rng, 60, 2)
    return step(ragged - saw, 0.0, 5.0 / spacing)


def draw_woodcut(seed=2):
    """Mountains, a sun and a lake in black cuts on cream paper."""
    rng = np.random.default_rng(seed)
    y, x = coordinates()
    rows, columns = y * CANVAS, x * CANVAS
    from_sun = np.hypot(x - 0.66, y - 0.25)
    sky = np.clip(0.12 + 1.0 * np.abs(from_sun - 0.11) + 0.1 * noise(rng, 4), 0.0, 0.72)
    ink = cuts(from_sun * CANVAS, sky, rng, 17)
    ink *= step(from_sun, 0.115, 0.006)
    ink = np.maximum(ink, step(0.006 - np.abs(from_sun - 0.115), 0.0, 0.003))

    ridges = ((0.46, 0.13, 3.1, 0.4), (0.58, 0.11, 4.3, 2.2), (0.70, 0.07, 6.0, 4.0))
    for index, (height, swing, frequency, start) in enumerate(ridges):
        jagged = 0.035 * noise(rng, 6, 5)[0]
        top = height + swing * np.sin(frequency * x + start) + jagged[None]
        inside = step(y, top, 0.004)
        light = 0.55 * np.sign(np.gradient(cv2.GaussianBlur(top, (0, 0), 9), axis=1))
        below = y - top
        tone = np.clip(0.42 + 0.28 * light + 0.12 * index - 0.9 * below
                       + 0.16 * noise(rng, 7), 0.06, 0.95)
        lean = (0.9, -0.75, 0.5)[index]
        phase = rows * 0.55 + columns * lean + 46 * noise(rng, 3, 3)
        layer = cuts(phase, tone, rng, 18)
        cross = cuts(rows * 0.8 - columns * lean, np.clip(1.6 * (tone - 0.55), 0, 1), rng, 15)
        layer = np.maximum(layer, cross)
        outline = step(0.007 - np.abs(below), 0.0, 0.003)
        ink = np.maximum(ink * (1 - inside), np.maximum(layer * inside, outline))

    shore = 0.80 + 0.012 * np.sin(9 * x)
    water = step(y, shore, 0.004)
    ripple = 10 * np.sin(columns / 47 + rows / 13) + 9 * noise(rng, 9, 2)
    glitter = np.exp(-((x - 0.66) / 0.12) ** 2)
    tone = np.clip(0.62 - 0.55 * glitter + 0.14 * noise(rng, 6), 0.05, 0.9)
    ink = ink * (1 - water) + cuts(rows + ripple, tone, rng, 19) * water

    paper = colour('#f1e6cb') * (1 + 0.02 * noise(rng, 40, 3)[..., None])
    black = colour('#17140f') * (1 + 0.25 * noise(rng, 90, 2)[..., None])
    return finished(mix(paper, black, ink).astype(np.float32), rng, grain=0.01)


# Dots: dabs of pure warm colours side by side, with cool ones between.

def scattered(rng, spacing):
    """Points [n, 2] (x, y) on a grid of cells, each moved at random inside its cell."""
    line = np.arange(-spacing, CANVAS + spacing, spacing, dtype=np.float32)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    return rng.permutation(grid + rng.uniform(0, spacing, grid.shape))


def draw_dots(seed=3):
    """A field of poppies under an evening sun, in dabs of orange, red, gold and violet."""
    rng = np.random.default_rng(seed)
    y, x = coordinates()
    glow = np.exp(-(np.hypot(1.1 * (x - 0.35), y - 0.36) / 0.34) ** 2)
    sky = ramp(np.clip(0.75 * y + 0.55 * glow + 0.05 * noise(rng, 5), 0, 1), (
        (0.0, '#5c3f8f'), (0.2, '#b0568d'), (0.4, '#ee7d52'), (0.6, '#f9a63a'),
        (0.8, '#ffd25c'), (1.0, '#fff3b8')))
    sky = mix(sky, colour('#fff6cc'), step(0.075 - np.hypot(x - 0.35, y - 0.36), 0, 0.01))
    rows = np.sin(46 * (x - 0.35) / (0.15 + np.maximum(y - 0.52, 0.0)) * 0.25)
    field = ramp(np.clip(0.5 + 0.3 * rows + 0.16 * noise(rng, 8), 0, 1), (
        (0.0, '#5b2a5e'), (0.3, '#a3283a'), (0.55, '#dd4a28'), (0.75, '#f08a2c'),
        (1.0, '#f4c84b')))
    scene = mix(sky, field, step(y, 0.56 + 0.02 * np.sin(8 * x), 0.01))
    trees = step(0.055 + 0.03 * noise(rng, 9, 3)[0][None] - np.abs(y - 0.54), 0, 0.01)
    scene = mix(scene, colour('#3f3a6b'), trees)

    canvas = np.full((CANVAS, CANVAS, 3), colour('#e9cfa6'), np.float32)
    relief = np.zeros((CANVAS, CANVAS), np.float32)
    for spacing, radius in ((19, 13), (15, 9), (13, 7)):
        for column, row in scattered(rng, spacing):
            at = scene[int(np.clip(row, 0, CANVAS - 1)), int(np.clip(column, 0, CANVAS - 1))]
            tint = at * (1 + 0.16 * rng.standard_normal()) + 0.07 * rng.standard_normal(3)
            if rng.random() < 0.10:
                tint = 0.45 * tint + 0.55 * colour(rng.choice(['#3b5fb0', '#2f8f8a', '#ffe9a0']))
            long = radius * rng.uniform(0.85, 1.25)
            box = ((float(column), float(row)), (2 * long, 1.5 * long),
                   float(20 * rng.standard_normal() + (90 if row > 0.57 * CANVAS else 10)))
            cv2.ellipse(canvas, box, np.clip(tint, 0, 1).tolist(), -1, cv2.LINE_AA)
            cv2.ellipse(relief, box, float(rng.uniform(0.3, 1.0)), -1, cv2.LINE_AA)
    return finished(canvas, rng, relief, depth=0.07)


# Watercolour: broad transparent washes that darken at their edges, on grained paper.

def wash(canvas, shape, pigment, strength, rng):
    """Lays one transparent wash where ``shape`` is positive; returns the canvas."""
    ragged = shape + 0.012 * noise(rng, 30, 4)
    inside = step(ragged, 0.0, 0.012)
    soft = cv2.GaussianBlur(inside, (0, 0), 14)
    rim = inside * np.clip(1 - soft, 0, 1)
    pools = 0.62 + 0.26 * noise(rng, 4, 5)
    amount = strength * inside * np.clip(pools, 0.12, 1.4) + 0.75 * strength * rim
    return canvas * np.exp(-np.clip(amount, 0, 3)[..., None] * (1 - pigment) * 1.5)


def draw_watercolour(seed=4):
    """Green and rose washes: hills, a bay and clouds, wet in wet, on cold-pressed paper."""
    rng = np.random.default_rng(seed)
    y, x = coordinates()
    paper = noise(rng, 170, 2)
    canvas = np.ones((CANVAS, CANVAS, 3), np.float32) * colour('#fbf8ef')

    def drifting(cells, amount):
        return amount * noise(rng, cells, 4)

    for row, tint, strength in ((0.10, '#6fb3d2', 0.7), (0.2, '#8fc7dc', 0.5),
                                (0.34, '#f2b9a0', 0.55), (0.42, '#f0d08a', 0.5)):
        canvas = wash(canvas, 0.11 - np.abs(y - row) + drifting(3, 0.06), colour(tint),
                      strength, rng)
    for base, swing, tint, strength in ((0.46, 0.07, '#8f9fce', 0.7),
                                        (0.54, 0.07, '#6fa8bd', 0.6),
                                        (0.63, 0.06, '#74b892', 0.6),
                                        (0.76, 0.05, '#a9c766', 0.6),
                                        (0.88, 0.04, '#5f9f76', 0.7)):
        start = rng.uniform(0, 6)
        top = base + swing * np.sin(5 * x + start) + drifting(4, 0.02)
        canvas = wash(canvas, np.minimum(y - top, top + 0.2 - y + drifting(5, 0.03)),
                      colour(tint), strength, rng)
    for _ in range(26):
        column, row = rng.uniform(0.02, 0.98), rng.uniform(0.5, 0.97)
        size = rng.uniform(0.02, 0.06)
        tint = rng.choice(['#d8587f', '#e88b4f', '#7a4f9c', '#2f6f6a', '#e6b93f', '#b03a58'])
        distance = np.hypot(x - column, (y - row) * rng.uniform(0.8, 1.5))
        spot = size - distance + drifting(9, 0.012)
        # The colour underneath is lifted first, as with a wet brush, and stays bright.
        canvas = mix(canvas, colour('#fbf3e2'), 0.6 * step(spot, 0.0, 0.03))
        canvas = wash(canvas, spot, colour(tint), rng.uniform(0.9, 1.3), rng)
    grain = 1 - 0.05 * np.clip(paper, -1.5, 2)[..., None] * (1.15 - canvas)
    return finished((canvas * grain).astype(np.float32), rng, paper, depth=0.012, grain=0.004)


STYLES = {'oil': draw_oil, 'woodcut': draw_woodcut, 'dots': draw_dots,
          'watercolour': draw_watercolour}


def draw_styles(folder):
    """Writes every style picture to ``folder`` (created); returns {name: path} of the PNGs."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name, draw in STYLES.items():
        paths[name] = folder / f'style_{name}.png'
        if not cv2.imwrite(str(paths[name]), draw()[..., ::-1]):
            raise OSError(f'cannot write {paths[name]}')
    return paths


if __name__ == '__main__':
    for path in draw_styles(sys.argv[1] if len(sys.argv) > 1 else 'out').values():
        print(path)
