"""The settings with which stock Metaflow works on an embedded account."""

from pathlib import Path

from ops_platform.embedded.aws.account import METAFLOW_BUCKET, EmbeddedAccount, metadata_folder

DEFAULT_QUEUE = "metaflow"


def metaflow_environment(
    account: EmbeddedAccount,
    folder: Path,
    *,
    user: str,
    shared_s3: str | None = None,
    ui_url: str | None = None,
) -> dict[str, str]:
    """Return what to add to the environment of ``python flow.py step-functions create``.

    Args:
        account: The account to deploy to.
        folder: The folder that the account was started with.
        user: Who deploys; Metaflow refuses root.
        shared_s3: The endpoint of the account that owns the datastore; None if this one does.
        ui_url: The address of a Metaflow UI, if there is one.
    """
    role = account.role_arn()
    settings = {
        "METAFLOW_USER": user,
        "METAFLOW_HOME": str(folder / "metaflow-home"),
        "METAFLOW_S3_ENDPOINT_URL": shared_s3 or account.endpoint_url,
        "METAFLOW_DEFAULT_DATASTORE": "s3",
        "METAFLOW_DATASTORE_SYSROOT_S3": f"s3://{METAFLOW_BUCKET}/metaflow",
        "METAFLOW_DEFAULT_METADATA": "local",
        "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(metadata_folder(folder)),
        "METAFLOW_SFN_IAM_ROLE": role,
        "METAFLOW_EVENTS_SFN_ACCESS_IAM_ROLE": role,
        "METAFLOW_ECS_S3_ACCESS_IAM_ROLE": role,
        "METAFLOW_SFN_DYNAMO_DB_TABLE": account.dynamodb_table,
        "METAFLOW_BATCH_JOB_QUEUE": DEFAULT_QUEUE,
        "METAFLOW_BATCH_EMIT_TAGS": "1",
        # Each command would lint once more, for a second; `soteria check` asks for it by itself.
        "METAFLOW_PYLINT": "0",
    }
    return account.environment | settings | ({"METAFLOW_UI_URL": ui_url} if ui_url else {})
