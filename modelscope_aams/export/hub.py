"""A whole model repository for a ModelScope hub."""
import pathlib
import shutil
from typing import Optional

from modelscope_aams.checkpoints import BUNDLED, native
from modelscope_aams.checkpoints.atomic import write_directory_atomically
from modelscope_aams.checkpoints.layout import Weights, build_network
from modelscope_aams.network.options import TransferOptions
from modelscope_aams.network.preprocess import finish, prepare_content
from modelscope_aams.network.transfer import StyleTransfer
from modelscope_aams.pictures.contact_sheet import Captioned, contact_sheet
from modelscope_aams.pictures.reading import read_rgb
from modelscope_aams.pictures.writing import write_rgb

from . import tf_graph
from .model_card import model_card

WEIGHTS, CARD = f'aams{native.SUFFIX}', 'README.md'
#: Pictures of the repository: the folder, and which content goes with which style.
EXAMPLES = 'examples'
PAIRS = (('content_coffee.jpg', 'style_oil.jpg'), ('content_rocket.jpg', 'style_woodcut.jpg'),
         ('content_chelsea.jpg', 'style_watercolour.jpg'))
SHEET_SIDE = 300


def export(path, weights: Weights, options: TransferOptions = TransferOptions(),
           model_id: Optional[str] = None):
    """Writes the directory: configuration, card, native weights, frozen graph and examples.

    The configuration names the pipeline alone, so that ModelScope runs the graph where this
    package is not installed; where it is, the native weights are found and read.

    Args:
        model_id: ``OWNER/NAME`` on the hub, for the card; without it the owner is left open.
    """
    def write(folder):
        folder = pathlib.Path(folder)
        native.save_weights(folder / WEIGHTS, weights)
        # The graph of what was saved: float16 is all that the other pipeline gets.
        saved = native.read_weights(folder / WEIGHTS)
        tf_graph.write_model(folder, saved, options)
        is_bundled = (folder / WEIGHTS).read_bytes() == (BUNDLED / WEIGHTS).read_bytes()
        (folder / CARD).write_text(model_card(
            model_id or f'OWNER/{pathlib.Path(path).name}', options,
            [tuple(f'{EXAMPLES}/{name}' for name in pair) for pair in PAIRS], is_bundled),
            encoding='utf-8')
        _write_examples(folder / EXAMPLES, saved, options)

    write_directory_atomically(path, write)


def _write_examples(folder, weights, options):
    """Contents, styles, and a sheet of what the weights make of them."""
    folder.mkdir()
    transfer, rows = StyleTransfer(build_network(weights)), []
    for pair in PAIRS:
        for name in pair:
            shutil.copyfile(BUNDLED / EXAMPLES / name, folder / name)
        content, style = (read_rgb(folder / name) for name in pair)
        prepared = prepare_content(content)
        features = transfer.prepare_style(style, options.style_scales, options.patch_size)
        stylized = transfer.stylize(prepared.picture, features, options)
        result = finish(stylized.picture, prepared)[..., ::-1]
        rows.append([Captioned(picture, '') for picture in (content, style, result)])
    write_rgb(folder / 'overview.jpg', contact_sheet(rows, SHEET_SIDE))
