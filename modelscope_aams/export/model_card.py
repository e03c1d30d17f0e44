"""The card of a hub's model repository, in Chinese and in English."""
import pathlib
import string
from typing import Sequence, Tuple

from modelscope_aams.network.options import TransferOptions

#: The text; front matter and body as ModelScope's hub reads them.
TEMPLATE = pathlib.Path(__file__).parent / 'model_card.md'

#: Of the weights that come with this package: languages and what is said.
BUNDLED_WEIGHTS = {
    'zh': '编码器为 VGG-16（到 `conv4_1`），权重来自 Simonyan 与 Zisserman（2014）在 ImageNet 上的训练，'
          '许可为 CC BY 4.0。自注意力与解码器由 modelscope-aams 在 2,852 张图片上训练：照片来自 ImageNet、'
          'MS-COCO train2017 与 BSDS500，画作来自 WikiArt。权重为 float16。',
    'en': 'The encoder is VGG-16 (up to `conv4_1`) with the ImageNet weights of Simonyan and '
          'Zisserman (2014), licensed CC BY 4.0. Attention and decoder were trained by '
          'modelscope-aams on 2,852 pictures: photographs from ImageNet, MS-COCO train2017 and '
          'BSDS500, and paintings from WikiArt. The weights are in float16.',
}
OTHER_WEIGHTS = {
    'zh': '权重由本仓库的作者用 modelscope-aams 训练或转换，为 float16。请在此说明所用的数据。',
    'en': "The weights were trained or converted with modelscope-aams by this repository's owner; "
          'they are in float16. Say here on what data.',
}


def model_card(model_id: str, options: TransferOptions, examples: Sequence[Tuple[str, str]],
               is_bundled: bool) -> str:
    """The text of README.md.

    Args:
        model_id: ``OWNER/NAME`` on the hub.
        options: whose scales and theta are told.
        examples: content and style of each example, as paths inside the repository.
        is_bundled: whether the weights are those that come with this package.
    """
    weights = BUNDLED_WEIGHTS if is_bundled else OTHER_WEIGHTS
    return string.Template(TEMPLATE.read_text(encoding='utf-8')).substitute(
        model_id=model_id, theta=f'{options.theta:g}',
        scales='({})'.format(', '.join(f'{scale:.4g}' for scale in options.scales)),
        widget_examples='\n'.join(_widget_example(number, *pair)
                                  for number, pair in enumerate(examples, start=1)),
        weights_zh=weights['zh'], weights_en=weights['en'])


def _widget_example(number, content, style):
    # The hub's page finds what git:// names in the repository itself.
    return (f'  - name: {number}\n    title: 示例{number}\n    inputs:\n'
            f'    - name: content\n      data: git://{content}\n'
            f'    - name: style\n      data: git://{style}')
