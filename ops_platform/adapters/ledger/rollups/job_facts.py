"""The facts of jobs: the attempts that touch a span of hours, and what happened to them.

Facts carry ``dim``, the number of a row of ``dims``, so that grouping a million of them compares
numbers and not texts. All moments are milliseconds since 1970. One that only an event's ``time``
tells has whole seconds and may lie before one that is exact; what is between them is then no time.
Amounts are integers, so that sums are exact in whatever order they are made: vCPUs by the
thousand, prices by the billion.
"""

from ops_platform.domain.metric import Facts

HOUR_MS = 3_600_000
PLACE = """coalesce(instance_type, '') AS instance_type,
  coalesce(availability_zone, '') AS availability_zone,
  split_part(regexp_replace(cluster, '^AWSBatch-(.*)-[0-9a-f-]{36}$', '\\1'), '_Batch', 1)
    AS compute_environment"""
_WHOSE = "account, queue, definition, flow, step, owner"


def _moments(column: str) -> str:
    """Return a list of Postgres, as its text, as a list of milliseconds."""
    listed = f"CAST('[' || trim({column}, '{{}}') || ']' AS TIMESTAMPTZ[])"
    return f"list_transform({listed}, lambda each: epoch_ms(each))"


def between(begin: str, end: str) -> str:
    """Return the milliseconds between two moments, at least none; NULL if one is unknown."""
    return f"CASE WHEN {end} < {begin} THEN 0 ELSE {end} - {begin} END"


PREPARE = (
    f"""
CREATE TABLE jobs AS
SELECT row_number() OVER () AS job, account, queue, definition, coalesce(flow, '') AS flow,
  coalesce(step, '') AS step, coalesce(owner, '') AS owner, status, reason, cancelled, terminated,
  stale, epoch_ms(created_at) AS created, epoch_ms(submitted_at) AS submitted,
  epoch_ms(pending_at) AS pending, epoch_ms(started_at) AS started, epoch_ms(ended_at) AS ended,
  {_moments("runnable_ats")} AS runnables, {_moments("starting_ats")} AS startings,
  {_moments("running_ats")} AS runnings,
  from_json(attempts, '[{{"started_at": "TIMESTAMPTZ", "stopped_at": "TIMESTAMPTZ",'
    ' "container_instance": "VARCHAR"}}]') AS tried,
  container_instance, CAST(round(coalesce(vcpus, 0) * 1000) AS HUGEINT) AS vcpus,
  CAST(coalesce(memory_mib, 0) AS HUGEINT) AS memory,
  greatest(coalesce(len(runnables), 0), coalesce(len(startings), 0), coalesce(len(runnings), 0),
    coalesce(len(tried), 0)) AS tries
FROM taken_jobs
""",
    f"""
CREATE TABLE kinds AS
SELECT row_number() OVER () AS kind, each.* FROM (SELECT DISTINCT {_WHOSE} FROM jobs) AS each
""",
    f"""
CREATE TABLE hosts AS SELECT *, dense_rank() OVER (
  ORDER BY instance_type, availability_zone, compute_environment) AS place
FROM (SELECT account, instance_arn, epoch_ms(registered_at) // {HOUR_MS} * {HOUR_MS} AS hour,
    {PLACE}
  FROM taken_instances) AS each
""",
    """
CREATE TABLE priced AS
SELECT place, arg_max(vcpu_hour, rank) AS vcpu_hour, arg_max(gib_hour, rank) AS gib_hour
FROM (SELECT DISTINCT place, instance_type FROM hosts UNION SELECT 0, '') AS places
JOIN prices ON pattern = instance_type OR (suffix(pattern, '*')
  AND starts_with(instance_type, left(pattern, -1)))
GROUP BY place
""",
    f"""
-- While a job waits for a retry, Batch still tells when the attempt before it had started.
CREATE TABLE attempts AS
SELECT job, kind, coalesce(place, 0) AS place, number, status, created, pending, ended, vcpus,
  number = max(number) FILTER (WHERE began) OVER (PARTITION BY job) AS is_last,
  memory, runnable, starting, told_running, running, stopped
FROM (
  SELECT *, runnables[number] AS runnable,
    startings[number] AS starting, runnings[number] AS told_running,
    coalesce(epoch_ms(tried[number].started_at), runnings[number],
      CASE WHEN number = tries AND started IS DISTINCT FROM epoch_ms(tried[number - 1].started_at)
        THEN started END) AS running,
    number <= len(tried) OR starting IS NOT NULL OR running IS NOT NULL AS began,
    coalesce(epoch_ms(tried[number].stopped_at),
      least(runnables[number + 1], startings[number + 1], runnings[number + 1]), ended) AS stopped,
    coalesce(least(starting, told_running, running), stopped) AS placed,
    coalesce(tried[number].container_instance,
      CASE WHEN number = tries THEN container_instance END) AS host
  FROM (SELECT *, unnest(range(1, tries + 1)) AS number FROM jobs JOIN kinds USING ({_WHOSE}))
) AS each
-- Of a later hour it tells nothing, or its first event would change the hours before itself.
LEFT JOIN hosts ON hosts.account = each.account AND hosts.instance_arn = each.host
  AND hosts.hour <= each.placed
""",
    f"""
CREATE TABLE dims AS
SELECT row_number() OVER () AS dim, kind, place, {_WHOSE},
  coalesce(instance_type, '') AS instance_type,
  coalesce(availability_zone, '') AS availability_zone,
  coalesce(compute_environment, '') AS compute_environment
FROM (SELECT DISTINCT kind, place FROM attempts UNION SELECT kind, 0 FROM kinds) AS used
JOIN kinds USING (kind)
LEFT JOIN (
  SELECT DISTINCT place, instance_type, availability_zone, compute_environment FROM hosts
) AS places USING (place)
""",
    """
CREATE TABLE placed AS SELECT attempts.*, dims.dim, bare.dim AS bare,
  greatest(created, pending, max(greatest(runnable, starting, running, stopped)) OVER (
    PARTITION BY job ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS opened
FROM attempts JOIN dims USING (kind, place)
JOIN dims AS bare ON bare.kind = attempts.kind AND bare.place = 0
""",
    f"""
CREATE TABLE ends AS
SELECT dims.dim, status, reason, ended AS moment, cancelled, terminated, stale,
  {between("last.running", "last.stopped")} AS running_ms,
  {between("created", "ended")} AS total_ms,
  CASE WHEN total_ms < ran THEN 0 ELSE total_ms - coalesce(ran, 0) END AS waiting_ms
FROM jobs JOIN kinds USING ({_WHOSE})
LEFT JOIN (
  SELECT job, max(place) FILTER (WHERE is_last) AS place,
    sum(stopped - running) FILTER (WHERE stopped > running) AS ran,
    max(running) FILTER (WHERE is_last) AS running, max(stopped) FILTER (WHERE is_last) AS stopped
  FROM attempts GROUP BY job
) AS last USING (job)
JOIN dims ON dims.kind = kinds.kind AND dims.place = coalesce(last.place, 0)
WHERE status IN ('SUCCEEDED', 'FAILED')
""",
    f"""
CREATE TABLE bare_jobs AS SELECT jobs.*, dim FROM jobs JOIN kinds USING ({_WHOSE})
JOIN dims ON dims.kind = kinds.kind AND dims.place = 0
""",
)


_BEGAN = "coalesce(starting, running)"
_USD = "(vcpus * vcpu_hour * 1024 + memory * gib_hour * 1000)"

RELATIONS = {
    Facts.SUBMISSIONS: "SELECT dim, created AS moment FROM bare_jobs",
    Facts.TRANSITIONS: """
SELECT dim, 'SUBMITTED' AS state, submitted AS moment FROM bare_jobs
UNION ALL SELECT dim, 'PENDING', pending FROM bare_jobs
UNION ALL SELECT bare, 'RUNNABLE', runnable FROM placed
UNION ALL SELECT dim, 'STARTING', starting FROM placed
UNION ALL SELECT dim, 'RUNNING', told_running FROM placed
UNION ALL SELECT dim, status, moment FROM ends
""",
    Facts.RETRIES: "SELECT bare AS dim, runnable AS moment FROM placed WHERE number > 1",
    Facts.READIES: f"""
SELECT bare AS dim, runnable AS moment, {between("created", "runnable")} AS waited_ms
FROM placed WHERE number = 1
""",
    Facts.PLACEMENTS: f"""
SELECT dim, starting AS moment, number = 1 AS first, {between("runnable", "starting")} AS waited_ms,
  {between("created", "starting")} AS since_submitted_ms
FROM placed
""",
    Facts.STARTS: f"""
SELECT dim, running AS moment, {between("starting", "running")} AS waited_ms FROM placed
""",
    Facts.ATTEMPT_ENDS: f"""
SELECT dim, stopped AS moment, {between("running", "stopped")} AS running_ms,
  {between(_BEGAN, "stopped")} AS total_ms,
  CASE WHEN is_last AND status = 'SUCCEEDED' THEN 'succeeded' ELSE 'failed' END AS outcome,
  outcome = 'failed' AS failed, total_ms * {_USD} AS cost_usd
FROM placed JOIN priced USING (place) WHERE {_BEGAN} IS NOT NULL
""",
    Facts.JOB_ENDS: "SELECT * FROM ends",
    Facts.FAILURES: "SELECT * FROM ends WHERE status = 'FAILED'",
    # A job is in one state at a time: none begins before those ahead of it, however it was cut off.
    Facts.STATES: """
SELECT dim, 'SUBMITTED' AS state, created AS began,
  least(pending, runnables[1], startings[1], runnings[1], started, ended) AS ended FROM bare_jobs
UNION ALL SELECT dim, 'PENDING', CASE WHEN pending < created THEN created ELSE pending END,
  least(runnables[1], startings[1], runnings[1], started, ended) FROM bare_jobs
UNION ALL SELECT bare, 'RUNNABLE', greatest(runnable, opened), least(starting, running, stopped)
FROM placed WHERE runnable IS NOT NULL
UNION ALL SELECT bare, 'STARTING', greatest(starting, runnable, opened), least(running, stopped)
FROM placed WHERE starting IS NOT NULL
UNION ALL SELECT bare, 'RUNNING', greatest(running, starting, runnable, opened), stopped
FROM placed WHERE running IS NOT NULL
""",
    Facts.RUNNABLE: """
SELECT bare AS dim, runnable AS began, least(starting, running, stopped) AS ended FROM placed
""",
    Facts.RESERVATIONS: f"""
SELECT dim, {_BEGAN} AS began, stopped AS ended, vcpus, memory AS memory_mib,
  memory AS memory_gib, {_USD} AS usd_an_hour
FROM placed JOIN priced USING (place)
""",
    Facts.QUEUE_BLOCKS: """
SELECT account, queue, definition, coalesce(flow, '') AS flow, coalesce(step, '') AS step,
  coalesce(owner, '') AS owner, epoch_ms(moment) AS moment
FROM taken_blocks
""",
}
