"""How well methods stylize: what is measured, over all pairs, and what it says."""
