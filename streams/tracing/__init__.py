"""What became of one event: where it lies, what was made of it, which triggers it caused."""
