"""The catalogue of metrics: what real processes serve is what it says."""
