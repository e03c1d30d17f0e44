"""Every text of the page, in each of its languages."""
from typing import Dict, Optional

ENGLISH, CHINESE = 'en', 'zh'
#: What browsers call them; of Chinese, Gradio's page knows these alone.
LOCALES = {'en': ENGLISH, 'zh-CN': CHINESE, 'zh-TW': CHINESE}

#: English and Chinese by key.
TEXTS = {
    'title': ('Style transfer with attention-aware strokes', '注意力感知的多笔触风格迁移'),
    'heading': (
        '# Style transfer with attention-aware strokes\n'
        'A photograph and a painting go in; the photograph comes out in the style of the '
        'painting, with fine strokes where the eye looks and broad ones elsewhere.',
        '# 注意力感知的多笔触风格迁移\n'
        '给出一张照片和一幅画，照片便会以这幅画的风格重绘：视线聚焦之处笔触细腻，其余之处笔触粗放。'),
    'content': ('Photograph', '照片'),
    'style': ('Style', '风格图'),
    'upload': ('Drop a picture here\nor tap to choose', '拖放图片到此处\n或点击选择'),
    'examples': ('Or try one of these', '或试试这些示例'),
    'run': ('Paint', '开始绘制'),
    'result': ('Result', '结果'),
    'download': ('Download ({columns} × {rows}, PNG)', '下载（{columns} × {rows}，PNG）'),
    'enlarged': ('Painted at {columns} × {rows} and enlarged. More settings offer more pixels.',
                 '以 {columns} × {rows} 处理后放大；可在“更多设置”中调高边长。'),
    'attention': ('Attention', '注意力'),
    'strokes': ('Strokes', '笔触'),
    'attention_alt': ('Heat map: where the eye looks', '热力图：视线聚焦之处'),
    'strokes_alt': ('Colours: which stroke went where', '各颜色表示各级笔触的位置'),

    'method': ('Method', '方法'),
    'aams': ('AAMS: strokes by attention', 'AAMS：按注意力选择笔触'),
    'avatar-net': ('Avatar-Net: one stroke', 'Avatar-Net：单一笔触'),
    'wct': ('WCT: colours and textures', 'WCT：色彩与纹理'),
    'adain': ('AdaIN: closest to the photograph', 'AdaIN：最忠于照片'),
    'style_weight': ('Amount of style', '风格强度'),
    'style_weight_info': ('0 is the photograph, 1 full style', '0 为原照片，1 为完整风格'),
    'keep_colours': ("Keep the photograph's colours", '保留照片的颜色'),
    'scales': ('Number of stroke sizes', '笔触级数'),
    'scales_info': ("the finest is the photograph's own detail", '最细一级为照片自身的细节'),
    'theta': ('How sharply strokes change', '笔触过渡的锐利程度'),
    'theta_info': ('0 blends them all everywhere', '0 表示各处均匀混合'),
    'patch_size': ('Size of the pieces of style', '风格块大小'),
    'patch_size_info': ('larger pieces keep more of its patterns', '越大越保留风格的图案'),
    'max_length': ('Work on at most (pixels a side)', '处理时的最大边长（像素）'),
    'max_length_info': ('more is sharper, with finer strokes, and slower', '越大越清晰、笔触越细，也越慢'),

    'more': ('More settings', '更多设置'),

    'coarsest': ('coarse', '粗'),
    'finest': ('fine', '细'),

    'stage_reading': ('Reading the pictures', '读取图片'),
    'stage_style': ('Looking at the style', '分析风格'),
    'stage_content': ('Looking at the photograph', '分析照片'),
    'stage_transfer': ('Matching them', '匹配风格'),
    'stage_strokes': ('Choosing strokes', '选择笔触'),
    'stage_painting': ('Painting', '绘制'),
    'stage_finishing': ('Finishing', '收尾'),

    'missing_content': ('Choose a photograph first.', '请先选择一张照片。'),
    'missing_style': ('Choose a style first.', '请先选择一张风格图。'),
    'unusable_content': ('The photograph cannot be used: {reason}.',
                         '这张照片无法使用，请换一张。（{reason}）'),
    'unusable_style': ('The style cannot be used: {reason}.',
                       '这张风格图无法使用，请换一张。（{reason}）'),
    'closing': ('The page is being closed.', '页面正在关闭。'),
    'no_memory': ('There is not enough memory for this size; choose a smaller one.',
                  '内存不足，请减小处理尺寸。'),
}


def text(key: str, language: str = ENGLISH) -> str:
    """The text of a key of TEXTS."""
    return TEXTS[key][language == CHINESE]


def translations() -> Dict[str, Dict[str, str]]:
    """All texts by locale, as Gradio's page takes them."""
    return {locale: {key: text(key, language) for key in TEXTS}
            for locale, language in LOCALES.items()}


def preferred(accept_language: Optional[str]) -> str:
    """The language that the page has for a browser's Accept-Language header.

    As Gradio's page, which is told no more, it goes by the first entry alone.
    """
    first = (accept_language or '').split(',')[0].split(';')[0].strip()
    return LOCALES.get(first, ENGLISH)
