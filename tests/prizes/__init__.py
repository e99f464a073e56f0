"""Draws that anybody can recompute, and the codes of coupons."""
