"""For services that send events to a shop's topics, and our own sources: publish, replay, simulator."""
