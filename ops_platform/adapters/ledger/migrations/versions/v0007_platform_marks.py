"""What changes the platform's own metrics marks their hours, whoever changes it.

Alerts, cancellations and rejected messages are counted in the hour they belong to, which may be
over when it is known what became of them. Rows that are deleted mark nothing: rollups outlive them.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

_MARKING = """
CREATE FUNCTION mark_platform_hours(VARIADIC moments timestamptz[]) RETURNS void
LANGUAGE sql AS $$
INSERT INTO marked_hours (noun, hour, until, marked_at)
SELECT DISTINCT 'platform', hour, hour + interval '1 hour', now()
FROM (SELECT date_bin('1 hour', at, 'epoch') AS hour FROM unnest(moments) AS at) AS each
WHERE hour IS NOT NULL
$$
"""
_COUNTED = """
CREATE FUNCTION counted_at(alert alerts) RETURNS timestamptz LANGUAGE sql STABLE AS $$
SELECT coalesce(to_timestamp((alert).message_ts::double precision), (alert).due_at)
WHERE (alert).part = 'message' AND (alert).told_with IS NULL
  AND ((alert).message_ts IS NOT NULL OR (alert).state = 'dead')
$$
"""
_CHANGED_ALERT = """
CREATE FUNCTION alert_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (counted_at(OLD), OLD.message_ts IS NULL)
    IS DISTINCT FROM (counted_at(NEW), NEW.message_ts IS NULL)
  THEN
    PERFORM mark_platform_hours(counted_at(OLD), counted_at(NEW));
  END IF;
  RETURN NULL;
END
$$
"""
_CHANGED_INCIDENT = """
CREATE FUNCTION incident_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM mark_platform_hours(counted_at(alerts)) FROM alerts WHERE incident_id = NEW.id;
  RETURN NULL;
END
$$
"""
_CHANGED_CANCELLATION = """
CREATE FUNCTION cancellation_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM mark_platform_hours(OLD.judged_at, NEW.judged_at);
  RETURN NULL;
END
$$
"""
_CHANGED_REJECTION = """
CREATE FUNCTION rejection_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM mark_platform_hours(OLD.first_seen_at, NEW.first_seen_at);
  RETURN NULL;
END
$$
"""
_FUNCTIONS = (
    _MARKING,
    _COUNTED,
    _CHANGED_ALERT,
    _CHANGED_INCIDENT,
    _CHANGED_CANCELLATION,
    _CHANGED_REJECTION,
)
# By its name: what it looks at, and what it does.
_TRIGGERS = {
    "alert_marks": ("INSERT OR UPDATE ON alerts", "alert_changed"),
    "incident_marks": ("UPDATE OF account, flow, owner, kind ON incidents", "incident_changed"),
    "cancellation_marks": ("INSERT OR UPDATE ON cancellations", "cancellation_changed"),
    "rejection_marks": (
        "INSERT OR UPDATE OF first_seen_at ON rejected_messages",
        "rejection_changed",
    ),
}


def upgrade() -> None:
    """Create the triggers."""
    for function in _FUNCTIONS:
        op.execute(function)
    for name, (change, function) in _TRIGGERS.items():
        op.execute(
            f"CREATE TRIGGER {name} AFTER {change} FOR EACH ROW EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    """Remove them; late changes are then in no hour until somebody computes it."""
    for name, (change, _) in _TRIGGERS.items():
        op.execute(f"DROP TRIGGER {name} ON {change.rpartition(' ')[2]}")
    for function in ("alert", "incident", "cancellation", "rejection"):
        op.execute(f"DROP FUNCTION {function}_changed()")
    op.execute("DROP FUNCTION counted_at(alerts)")
    op.execute("DROP FUNCTION mark_platform_hours(VARIADIC timestamptz[])")
