"""State machine definitions, written as Metaflow's deployer writes them."""

from typing import Any

TOKEN = "production-token-0-abcd"


def metaflow_definition(*, flow: str, owner: str) -> dict[str, Any]:
    """Return the definition of a flow of one step, with what we read and what we must not."""
    return {
        "StartAt": "start",
        "States": {
            "start": {
                "Type": "Task",
                "Resource": "arn:aws:states:::batch:submitJob.sync",
                "Parameters": {
                    "JobName": f"SFN-{flow}--start--",
                    "JobQueue": "arn:aws:batch:eu-west-1:123456789012:job-queue/flows",
                    "JobDefinition": "arn:aws:batch:eu-west-1:123456789012:job-definition/m:1",
                    "Parameters": {
                        "metaflow.user": "SFN",
                        "metaflow.owner": owner,
                        "metaflow.flow_name": flow,
                        "metaflow.step_name": "start",
                        "metaflow.run_id.$": "$$.Execution.Name",
                        "metaflow.production_token": TOKEN,
                    },
                    "ContainerOverrides": {
                        "Environment": [
                            {"Name": "METAFLOW_RUN_ID", "Value.$": "$$.Execution.Name"},
                            {"Name": "METAFLOW_FLOW_NAME", "Value": flow},
                            {"Name": "METAFLOW_OWNER", "Value": owner},
                            {"Name": "METAFLOW_PRODUCTION_TOKEN", "Value": TOKEN},
                        ],
                    },
                },
                "End": True,
            }
        },
    }


def foreign_definition() -> dict[str, Any]:
    """Return the definition of a machine that has nothing to do with Metaflow."""
    return {"StartAt": "only", "States": {"only": {"Type": "Pass", "End": True}}}
