"""The protocol: transport, claim, recovery, cycle, publisher, journal, clock."""
