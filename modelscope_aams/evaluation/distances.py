"""How far apart two pictures are, from features, patches, luminance and attention.

All functions are pure. Feature maps are float32 tensors [channels, rows, columns].
"""
from typing import NamedTuple

import numpy as np
import torch

#: Added to the variance of a channel before it is divided by.
EPSILON = 1e-5
#: Weights of red, green and blue in luminance (ITU-R BT.601).
LUMINANCE = (0.299, 0.587, 0.114)


class Moments(NamedTuple):
    """Mean and deviation of each channel over positions, each [channels]."""
    mean: torch.Tensor
    deviation: torch.Tensor


def moments(features: torch.Tensor) -> Moments:
    """Of a feature map."""
    # Positions by channels, as they lie in memory.
    positions = features.permute(1, 2, 0).flatten(0, 1)
    mean = positions.mean(dim=0)
    return Moments(mean, (positions - mean).square_().mean(dim=0).sqrt())


def layer_style_distance(result: Moments, style: Moments) -> float:
    """(‖Δmean‖² + ‖Δdeviation‖²) / (‖mean‖² + ‖deviation‖² of the style); 0 if equal.

    The statistics are those of Huang and Belongie's style loss (2017, equation 13), made
    relative so that layers of any scale count alike.
    """
    difference = sum(float((a - b).square().sum()) for a, b in zip(result, style))
    size = sum(float(part.square().sum()) for part in style)
    return difference / size


def normalised(features: torch.Tensor) -> torch.Tensor:
    """Each channel with mean 0 and deviation 1 over positions."""
    mean, deviation = (part[:, None, None] for part in moments(features))
    return (features - mean) / (deviation.square() + EPSILON).sqrt()


def content_distance(result: torch.Tensor, content: torch.Tensor) -> float:
    """Mean square difference of two :func:`normalised` maps of one shape.

    A channel that is not flat in either adds 2 (1 - correlation): 0 if equal, about 2 for
    pictures that have nothing in common.
    """
    return float((result - content).square().mean())


def luminance(picture: np.ndarray) -> np.ndarray:
    """RGB [rows, columns, 3], 0..255, to float32 [rows, columns], 0..255."""
    return picture.astype(np.float32) @ np.array(LUMINANCE, np.float32)


def structural_similarity(result: np.ndarray, content: np.ndarray) -> float:
    """SSIM (Wang, Bovik, Sheikh and Simoncelli 2004) of two luminances, at most 1.

    With their Gaussian window of deviation 1.5.
    """
    from skimage.metrics import structural_similarity as similarity
    return float(similarity(result, content, data_range=255, gaussian_weights=True, sigma=1.5,
                            use_sample_covariance=False))


def attention_consistency(result: np.ndarray, content: np.ndarray) -> float:
    """Pearson correlation of two attention maps of one shape; 0 if either is flat.

    The method claims that a result is looked at where its content is (Yao et al. 2019).
    """
    a, b = (np.asarray(part, np.float64).ravel() for part in (result, content))
    a, b = a - a.mean(), b - b.mean()
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size > 0 else 0.0
