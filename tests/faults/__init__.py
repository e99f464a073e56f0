"""Faults on a real Kafka, a real Redis and real workers while events flow: `make faults`.

Nothing may be lost, doubled or changed by them: `huitou verify` and the independent oracle say so.
"""
