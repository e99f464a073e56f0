"""Names as a state keeps them: whole where they are short, cut or hashed where they are not."""

from hashlib import blake2b

#: Most UTF-8 bytes of a name that is kept to be shown: an id of 64 ASCII characters whole.
NAME_BYTES = 64
#: Hexadecimal digits of the hash that stands for the rest of a name which is told apart by what is kept.
_TOLD_APART = 16
#: Never fed itself.
_EIGHT = blake2b(digest_size=8)


def cut(name: str) -> str:
    """``name``, or as many of its first characters as have ``NAME_BYTES`` in UTF-8."""
    encoded = name.encode()
    if len(encoded) <= NAME_BYTES:
        return name
    return encoded[:NAME_BYTES].decode(errors="ignore")


def short(name: str, most: int = NAME_BYTES) -> str:
    """``name`` where it has at most ``most`` bytes in UTF-8; else its beginning and the hash of all of it.

    Unlike ``cut`` it tells names apart that begin alike, so that it can be known by what is kept. The
    short form of a short form is itself.
    """
    # No character has more than 4 bytes.
    if len(name) * 4 <= most or (name.isascii() and len(name) <= most):
        return name
    encoded = name.encode()
    if len(encoded) <= most:
        return name
    beginning = encoded[: most - _TOLD_APART].decode(errors="ignore")
    return beginning + name_hash(name, _TOLD_APART // 2).hex()


def name_hash(name: str, size: int = 8) -> bytes:
    """The ``size`` bytes by which a name is known where it is not kept."""
    return hash_of_eight(name.encode()) if size == 8 else hash_of_bytes(name.encode(), size)


def hash_of_bytes(data: bytes, size: int = 8) -> bytes:
    """The BLAKE2b of ``data`` with ``size`` bytes, of which none is asked for more often than 8."""
    return hash_of_eight(data) if size == 8 else blake2b(data, digest_size=size).digest()


def hash_of_eight(data: bytes) -> bytes:
    """The BLAKE2b of ``data`` with 8 bytes."""
    # Every event has several: a copy costs half of a new one, whose parameters are read first.
    hasher = _EIGHT.copy()
    hasher.update(data)
    return hasher.digest()
