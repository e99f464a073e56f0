"""The arbiter of declared campaigns: what stands between a campaign that heard of a moment and its offer."""
