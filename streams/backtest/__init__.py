"""What campaigns would have done, by recorded events: the same fold and the same arbiter, before launch."""
