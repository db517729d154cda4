"""What to say when a training runs out of memory."""

from __future__ import annotations

import errno

from grouprec.core.memory import device_is_full

NO_MEMORY = "There is not enough memory for this run"
ADVICE = "keep fewer items (data.min_item_users), choose preset quick or fewer encoders, and try again"


def memory_sentence(error: BaseException) -> str:
    """Return what to do where an error means that memory did not suffice, "" where it means something else.

    PyTorch has no error of its own for the processor, where only the words tell, nor has Arrow where a value finds no
    room as an object of Python.
    """
    words = str(error).lower()
    if device_is_full(error):
        return (
            "The GPU has not enough memory for this run; set a smaller batch_size of its encoders, or train with "
            "--device cpu."
        )
    arrow = type(error).__name__ == "ArrowException" and "wrapping" in words
    lacks = arrow or isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
    if lacks or (isinstance(error, RuntimeError) and ("can't allocate memory" in words or "bad_alloc" in words)):
        return f"{NO_MEMORY}; {ADVICE}."
    return ""
