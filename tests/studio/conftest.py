"""The page as a process of its own, a browser to look at it with, and pictures."""
import os
import shutil
import warnings

import cv2
import numpy as np
import pytest
from PIL import Image
from studio_process import MAX_PIXELS, PATIENCE, running

BROWSERS = ('chromium', 'chromium-browser', 'google-chrome')
SWITCHES = ('--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
            '--disable-background-networking', '--disable-component-update', '--disable-sync')


@pytest.fixture(scope='module')
def address():
    """Of a page of the bundled model that takes pictures of MAX_PIXELS at most."""
    with running('--max-pixels', str(MAX_PIXELS)) as (_, found, errors):
        yield found
    # What happened to its users is no matter for its log.
    assert errors == []


# Not for the session: as long as Playwright runs, asyncio takes its thread for occupied.
@pytest.fixture(scope='module')
def chromium():
    """A headless Chromium; tests that need one are left out where there is none."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        reason = f'no browser to test the page with ({", ".join(BROWSERS)})'
        if os.environ.get('AAMS_REQUIRE_BROWSER') == '1':
            pytest.fail(f'{reason}, and AAMS_REQUIRE_BROWSER=1', pytrace=False)
        # Shown once at the end, whatever pytest is told to show of those left out.
        warnings.warn(f'{reason}; its tests are left out', stacklevel=1)
        pytest.skip(reason)
    from playwright.sync_api import expect, sync_playwright
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(SWITCHES))
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, address):
    """Opens the page; at the end, nothing was asked of other machines, and no error logged."""
    contexts, asked, errors = [], [], []

    def open_it(width=1280, height=900, locale='en-GB'):
        context = chromium.new_context(
            viewport={'width': width, 'height': height}, locale=locale)
        contexts.append(context)
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        page.on('request', lambda request: asked.append(request.url))
        page.on('console', lambda message: errors.append(message.text)
                if message.type == 'error' else None)
        page.on('pageerror', lambda error: errors.append(str(error)))
        page.goto(address)
        page.locator('#run').wait_for()
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert asked
    assert [url for url in asked if not url.startswith((address, 'data:', 'blob:'))] == []
    assert errors == []


def waves(rows, columns, turn):
    """A colourful picture, RGB uint8 [rows, columns, 3]."""
    noise = np.random.default_rng(round(turn * 10)).integers(0, 256, (5, 7, 3), np.uint8)
    return cv2.resize(noise, (columns, rows), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope='session')
def pictures(tmp_path_factory):
    """Files: ``content`` is a photograph held upright; ``text`` is no picture."""
    folder = tmp_path_factory.mktemp('pictures')
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(waves(64, 96, 1)).save(folder / 'my photo.jpg', exif=exif, quality=95)
    Image.fromarray(waves(72, 60, 2)).save(folder / 'ink.png')
    Image.fromarray(waves(120, 170, 3)).save(folder / 'wide.webp', lossless=True)
    (folder / 'notes.png').write_text('no picture')
    Image.fromarray(np.zeros((500, 501, 3), np.uint8)).save(folder / 'large.png')
    return {'content': folder / 'my photo.jpg', 'style': folder / 'ink.png',
            'wide': folder / 'wide.webp', 'text': folder / 'notes.png',
            'large': folder / 'large.png'}


@pytest.fixture(scope='session')
def bundled():
    """A pipeline on the bundled weights, in this process."""
    from modelscope.pipelines import pipeline

    import modelscope_aams  # noqa: F401  (registers the pipeline)
    return pipeline('image-style-transfer')
