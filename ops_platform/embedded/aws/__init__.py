"""An emulated AWS account: Batch, Step Functions, EventBridge and SQS on one loopback port."""
