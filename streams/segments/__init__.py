"""A shop's customers by their scores: who they are, and thresholds that divide them into fifths."""
