"""Who likes a wish, as the store knows them: by a hash, as the live state does.

What is said of a wish is its owner's, and goes with the owner's erasure. Whoever likes it may be erased, too,
and has no row here by whose key they could be found: so their id is not stored at all.
"""

import msgspec

from schemas.wish import Wish, WishEvent
from streams.domain.names import name_hash
from streams.query.facts import storable


def pseudonymous(event: WishEvent) -> Wish:
    """What ``event`` says, with the hexadecimal hash of who did it in place of their id, and no phone.

    The owner stays who they are: a like of one's own wish is told by that.
    """
    liker = event.data.liker_id
    if liker is not None and storable(liker) != storable(event.subject):
        liker = name_hash(liker).hex()
    return msgspec.structs.replace(event.data, liker_id=liker, device_hash=None)
