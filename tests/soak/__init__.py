"""Half an hour of steady load: does a worker's memory stand still?"""
