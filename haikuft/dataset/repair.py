"""Repair: a new file with the safe mends made and listed. What they cannot mend stays refused."""

import os

from haikuft.base_models import DEFAULT, BaseModel
from haikuft.dataset.conversion import Conversion, convert_file

__all__ = ["repair_file"]


def repair_file(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    base_model: BaseModel = DEFAULT,
) -> Conversion:
    """Write a file anew without what is safe to take away; the source stays as it is.

    Taken away are a byte order mark, CR before LF, blank lines, white space at the ends of texts,
    exact duplicates, a system prompt of null, and keys that only tell about an example, such as
    "id" (`haikuft.dataset.misfits.HARMLESS_KEYS`). The result lists each of them.

    Args:
        source: Examples in any format; the new file has records of the base model's.
        target: The new file.
        base_model: Whose reserved strings are refused.

    Raises:
        SettingsError: the target is the source.
        DataError: something is wrong that has no safe mend; nothing was written.
    """
    return convert_file(source, target, repair=True, base_model=base_model)
