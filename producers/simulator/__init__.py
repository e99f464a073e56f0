"""Customers who never were: seeded, calibrated on Taobao's sample, good and bad input alike."""

from producers.simulator.calibration import SAMPLE_FIGURES, Behaviour, Fulfilment
from producers.simulator.mischief import Mischief
from producers.simulator.simulator import Simulator

__all__ = ["SAMPLE_FIGURES", "Behaviour", "Fulfilment", "Mischief", "Simulator"]
