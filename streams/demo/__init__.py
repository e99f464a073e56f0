"""`huitou demo`: a stack, workers, a source and a view of it all, ended by a proof that nothing was lost."""
