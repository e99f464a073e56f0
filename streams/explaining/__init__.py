"""Why a customer got what a campaign offers, or did not, at any moment: folded again from the log."""
