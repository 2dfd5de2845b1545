"""The facts of jobs: which jobs and attempts touch a span of hours, and what happened to them.

Facts carry ``dim``, the number of a row of ``rolled_dims``, so that grouping a million of them
compares numbers and not texts. A moment that only an event's ``time`` tells has whole seconds and
may lie before one that is exact; a time between them is then none.
"""

from ops_platform.domain.metric import Facts

PREPARE = (
    """
CREATE TEMP TABLE rolled_jobs ON COMMIT DROP AS
SELECT row_number() OVER ()::integer AS job, account, queue, definition, coalesce(flow, '') AS flow, coalesce(step, '') AS step,
  coalesce(owner, '') AS owner, status, coalesce(reason, 'unknown') AS reason,
  cancelled, terminated, coalesce(starts_with(status_reason, :stale_mark), false) AS stale,
  created_at, submitted_at, pending_at, runnable_ats, starting_ats, running_ats, started_at,
  CASE WHEN status IN ('SUCCEEDED', 'FAILED') THEN coalesce(stopped_at, changed_at)
    WHEN status = 'LOST' THEN changed_at END AS ended_at,
  attempts, container_instance, coalesce(vcpus, 0)::numeric AS vcpus,
  coalesce(memory_mib, 0)::numeric AS memory_mib,
  greatest(coalesce(cardinality(runnable_ats), 0), coalesce(cardinality(starting_ats), 0),
    coalesce(cardinality(running_ats), 0), coalesce(jsonb_array_length(attempts), 0)) AS tries
FROM jobs
WHERE array_size IS NULL AND (created_at IS NULL OR created_at < :until)
  AND (changed_at >= :since - interval '1 hour' OR status NOT IN ('SUCCEEDED', 'FAILED'))
""",
    """
CREATE TEMP TABLE rolled_kinds ON COMMIT DROP AS
SELECT row_number() OVER ()::integer AS kind, each.*
FROM (SELECT DISTINCT account, queue, definition, flow, step, owner FROM rolled_jobs) AS each
""",
    """
CREATE TEMP TABLE rolled_places ON COMMIT DROP AS
SELECT account, instance_arn, coalesce(instance_type, '') AS instance_type,
  coalesce(availability_zone, '') AS availability_zone,
  split_part(regexp_replace(cluster, '^AWSBatch-(.*)-[0-9a-f-]{36}$', '\\1'), '_Batch', 1)
    AS compute_environment,
  dense_rank() OVER (ORDER BY instance_type, availability_zone, cluster)::integer AS place
FROM container_instances
""",
    """
CREATE TEMP TABLE rolled_attempts ON COMMIT DROP AS
SELECT job.job, kinds.kind, coalesce(places.place, 0) AS place,
  number, number = job.tries AS is_last, job.status, job.created_at, job.ended_at,
  job.vcpus, job.memory_mib, job.runnable_ats[number] AS runnable_at,
  job.starting_ats[number] AS starting_at, job.running_ats[number] AS told_running_at,
  coalesce(ended.started_at, job.running_ats[number],
    CASE WHEN number = job.tries THEN job.started_at END) AS running_at,
  coalesce(ended.stopped_at,
    least(job.runnable_ats[number + 1], job.starting_ats[number + 1], job.running_ats[number + 1]),
    job.ended_at) AS stopped_at,
  places.instance_type
FROM rolled_jobs AS job
JOIN rolled_kinds AS kinds USING (account, queue, definition, flow, step, owner)
CROSS JOIN LATERAL generate_series(1, job.tries) AS number
LEFT JOIN LATERAL (
  SELECT (tried->>'started_at')::timestamptz AS started_at,
    (tried->>'stopped_at')::timestamptz AS stopped_at,
    tried->>'container_instance' AS container_instance
  FROM (SELECT job.attempts->(number - 1) AS tried) AS listed
) AS ended ON true
LEFT JOIN rolled_places AS places ON places.account = job.account
  AND places.instance_arn = coalesce(ended.container_instance,
    CASE WHEN number = job.tries THEN job.container_instance END)
""",
    """
CREATE TEMP TABLE rolled_dims ON COMMIT DROP AS
SELECT row_number() OVER ()::integer AS dim, used.kind, used.place,
  jsonb_strip_nulls(jsonb_build_object(
    'account', nullif(account, ''), 'queue', nullif(queue, ''),
    'definition', nullif(definition, ''), 'flow', nullif(flow, ''), 'step', nullif(step, ''),
    'owner', nullif(owner, ''), 'instance_type', nullif(instance_type, ''),
    'availability_zone', nullif(availability_zone, ''),
    'compute_environment', nullif(compute_environment, ''))) AS dimensions
FROM (
  SELECT kind, place FROM rolled_attempts UNION SELECT kind, 0 FROM rolled_kinds
) AS used
JOIN rolled_kinds USING (kind)
LEFT JOIN (
  SELECT DISTINCT place, instance_type, availability_zone, compute_environment FROM rolled_places
) AS places USING (place)
""",
)

_LAST = """rolled_jobs AS job
JOIN rolled_kinds AS kinds USING (account, queue, definition, flow, step, owner)
LEFT JOIN (
  SELECT job, max(place) FILTER (WHERE is_last) AS place,
    sum(extract(epoch FROM stopped_at - running_at) * 1000)
      FILTER (WHERE stopped_at > running_at) AS ran_ms,
    max(running_at) FILTER (WHERE is_last) AS running_at,
    max(stopped_at) FILTER (WHERE is_last) AS stopped_at
  FROM rolled_attempts GROUP BY 1
) AS tried USING (job)
JOIN rolled_dims AS dims ON dims.kind = kinds.kind AND dims.place = coalesce(tried.place, 0)
WHERE job.status IN ('SUCCEEDED', 'FAILED')"""
_OF_KIND = "JOIN rolled_dims AS dims ON dims.kind = attempt.kind AND dims.place = 0"
_OF_PLACE = "JOIN rolled_dims AS dims USING (kind, place)"
_BEGAN = "coalesce(starting_at, running_at)"


def millis(begin: str, end: str) -> str:
    """Return what is the time between two moments in whole milliseconds, at least none."""
    return (
        f"CASE WHEN {end} < {begin} THEN 0"
        f" ELSE floor(extract(epoch FROM {end} - {begin}) * 1000) END"
    )


RELATIONS = {
    Facts.SUBMISSIONS: """
SELECT dims.dim, job.created_at AS at FROM rolled_jobs AS job
JOIN rolled_kinds AS kinds USING (account, queue, definition, flow, step, owner)
JOIN rolled_dims AS dims ON dims.kind = kinds.kind AND dims.place = 0
""",
    Facts.TRANSITIONS: f"""
SELECT dims.dim, moved.state, moved.at FROM rolled_jobs AS job
JOIN rolled_kinds AS kinds USING (account, queue, definition, flow, step, owner)
JOIN rolled_dims AS dims ON dims.kind = kinds.kind AND dims.place = 0
CROSS JOIN LATERAL (VALUES ('SUBMITTED', submitted_at), ('PENDING', pending_at))
  AS moved(state, at)
UNION ALL
SELECT dims.dim, 'RUNNABLE', runnable_at FROM rolled_attempts AS attempt {_OF_KIND}
UNION ALL
SELECT dims.dim, moved.state, moved.at FROM rolled_attempts AS attempt {_OF_PLACE}
CROSS JOIN LATERAL (VALUES ('STARTING', starting_at), ('RUNNING', told_running_at))
  AS moved(state, at)
UNION ALL
SELECT dim, status, at FROM rolled_ends
""",
    Facts.RETRIES: f"""
SELECT dims.dim, runnable_at AS at FROM rolled_attempts AS attempt {_OF_KIND} WHERE number > 1
""",
    Facts.READIES: f"""
SELECT dims.dim, runnable_at AS at, {millis("created_at", "runnable_at")} AS waited_ms
FROM rolled_attempts AS attempt {_OF_KIND} WHERE number = 1
""",
    Facts.PLACEMENTS: f"""
SELECT dims.dim, starting_at AS at, number = 1 AS first,
  {millis("runnable_at", "starting_at")} AS waited_ms,
  {millis("created_at", "starting_at")} AS since_submitted_ms
FROM rolled_attempts AS attempt {_OF_PLACE}
""",
    Facts.STARTS: f"""
SELECT dims.dim, running_at AS at, {millis("starting_at", "running_at")} AS waited_ms
FROM rolled_attempts AS attempt {_OF_PLACE}
""",
    Facts.ATTEMPT_ENDS: f"""
SELECT dims.dim, stopped_at AS at, {millis("running_at", "stopped_at")} AS running_ms,
  {millis(_BEGAN, "stopped_at")} AS total_ms,
  CASE WHEN is_last AND status = 'SUCCEEDED' THEN 'succeeded' ELSE 'failed' END AS outcome,
  NOT (is_last AND status = 'SUCCEEDED') AS failed,
  {millis(_BEGAN, "stopped_at")} / 3600000.0
    * (vcpus * price.vcpu_hour + memory_mib / 1024.0 * price.gib_hour) AS cost_usd
FROM rolled_attempts AS attempt {_OF_PLACE} JOIN rolled_prices AS price USING (place)
WHERE {_BEGAN} IS NOT NULL
""",
    Facts.JOB_ENDS: "SELECT * FROM rolled_ends",
    Facts.FAILURES: "SELECT * FROM rolled_ends WHERE status = 'FAILED'",
    Facts.STATES: f"""
SELECT dims.dim, lasted.state, lasted.began, lasted.ended FROM rolled_jobs AS job
JOIN rolled_kinds AS kinds USING (account, queue, definition, flow, step, owner)
JOIN rolled_dims AS dims ON dims.kind = kinds.kind AND dims.place = 0
CROSS JOIN LATERAL (VALUES
  ('SUBMITTED', created_at,
    least(pending_at, runnable_ats[1], starting_ats[1], running_ats[1], started_at, ended_at)),
  ('PENDING', pending_at,
    least(runnable_ats[1], starting_ats[1], running_ats[1], started_at, ended_at))
) AS lasted(state, began, ended)
UNION ALL
SELECT dims.dim, lasted.state, lasted.began, lasted.ended
FROM rolled_attempts AS attempt {_OF_KIND}
CROSS JOIN LATERAL (VALUES
  ('RUNNABLE', runnable_at, least(starting_at, running_at, stopped_at)),
  ('STARTING', starting_at, least(running_at, stopped_at)),
  ('RUNNING', running_at, stopped_at)
) AS lasted(state, began, ended)
""",
    Facts.RUNNABLE: f"""
SELECT dims.dim, runnable_at AS began, least(starting_at, running_at, stopped_at) AS ended
FROM rolled_attempts AS attempt {_OF_KIND}
""",
    Facts.RESERVATIONS: f"""
SELECT dims.dim, {_BEGAN} AS began, stopped_at AS ended, vcpus, memory_mib,
  memory_mib / 1024.0 AS memory_gib,
  vcpus * price.vcpu_hour + memory_mib / 1024.0 * price.gib_hour AS usd_an_hour
FROM rolled_attempts AS attempt {_OF_PLACE} JOIN rolled_prices AS price USING (place)
""",
}

ENDS = f"""
CREATE TEMP TABLE rolled_ends ON COMMIT DROP AS
SELECT dims.dim, job.status, job.reason, job.ended_at AS at, job.cancelled, job.terminated,
  job.stale, {millis("tried.running_at", "tried.stopped_at")} AS running_ms,
  {millis("job.created_at", "job.ended_at")} AS total_ms,
  greatest(0, {millis("job.created_at", "job.ended_at")} - floor(coalesce(tried.ran_ms, 0)))
    AS waiting_ms
FROM {_LAST}
"""
