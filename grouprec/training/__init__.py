"""Choose, judge, refit: the pipeline, its jobs, its cost, the evidence and the map of users."""
