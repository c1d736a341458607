"""A link to nowhere: root may read whatever else is there."""

from pathlib import Path

Path("gone.feature").symlink_to("nowhere.feature")
