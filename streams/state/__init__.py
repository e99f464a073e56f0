"""Customer state in Redis: codec, keys, the store and its scripts, the reader."""
