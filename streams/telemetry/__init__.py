"""What every process of huitou measures: the one catalogue of metrics, and what is asked of them."""
