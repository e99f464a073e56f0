"""The console command `huitou`, one command group a file; main.py has the table of them."""
