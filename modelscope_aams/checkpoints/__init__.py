"""Weights on disk."""
import pathlib

#: Model directory that comes with the package.
BUNDLED = pathlib.Path(__file__).parents[1] / 'bundled'
