"""Names as a state keeps them: whole where they are short, cut or hashed where they are not."""

from hashlib import blake2b

#: Most UTF-8 bytes of a name that is kept to be shown: an id of 64 ASCII characters whole.
NAME_BYTES = 64


def cut(name: str) -> str:
    """``name``, or as many of its first characters as have ``NAME_BYTES`` in UTF-8."""
    encoded = name.encode()
    if len(encoded) <= NAME_BYTES:
        return name
    return encoded[:NAME_BYTES].decode(errors="ignore")


def name_hash(name: str, size: int = 8) -> bytes:
    """The ``size`` bytes by which a name is known where it is not kept."""
    return blake2b(name.encode(), digest_size=size).digest()
