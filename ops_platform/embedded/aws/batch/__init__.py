"""AWS Batch: jobs as local processes, under queues with limited capacity."""
