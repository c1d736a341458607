"""Where scenarios run, and what judges them."""
