"""Pure: draws of prizes that anybody can recompute."""
