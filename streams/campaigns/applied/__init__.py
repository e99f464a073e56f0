"""What shops applied of their campaigns: the fold of shop.campaigns, and which version judges an event."""
