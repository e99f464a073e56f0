"""Which campaigns a moment of a customer's life concerns: the catalogue's triggers, heard and looked up."""
