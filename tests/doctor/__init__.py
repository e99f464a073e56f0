"""`huitou doctor`."""
