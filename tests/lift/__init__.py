"""Is what is said of a campaign's lift true? Made-up shops whose true lift is known, looked at day by day."""
