"""Pure: who is held out of a campaign, and what the campaign changed. Whole numbers in, intervals out."""
