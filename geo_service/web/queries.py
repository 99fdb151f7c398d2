"""The pages' queries, standing as SQL. Days are the town's (Asia/Shanghai); a week is seven."""

TOWN = """
SELECT
    (
        SELECT name FROM areas AS a
        ORDER BY
            level <> 'town',
            NOT EXISTS (SELECT FROM grids WHERE starts_with(parent, a.code)),
            length(code), code
        LIMIT 1
    ),
    (SELECT code FROM areas ORDER BY code LIMIT 1),
    st_xmin(e), st_ymin(e), st_xmax(e), st_ymax(e),
    now()
FROM (SELECT st_extent(geom) AS e FROM grids WHERE valid_to IS NULL) AS town
"""

SEARCH = """
SELECT
    {layer} AS layer, id, code, {label} AS label,
    CASE
        WHEN code = %(q)s OR {label} = %(q)s THEN 0
        WHEN starts_with(lower(code), lower(%(q)s)) THEN 1
        WHEN starts_with(lower({label}), lower(%(q)s)) THEN 1
        ELSE 2
    END AS rank,
    st_x(st_pointonsurface(geom)) AS lon, st_y(st_pointonsurface(geom)) AS lat,
    st_xmin(geom) AS west, st_ymin(geom) AS south, st_xmax(geom) AS east, st_ymax(geom) AS north
FROM {table}
WHERE
    {current} AND geom IS NOT NULL
    AND (strpos(lower(code), lower(%(q)s)) > 0 OR strpos(lower({label}), lower(%(q)s)) > 0)
"""

COUNTS = """
SELECT count(*), {grouping}{columns}
FROM {table}
WHERE {current} AND {time}
GROUP BY GROUPING SETS ({sets})
"""

# One statement, so that every figure is of the same snapshot.
WALL = """
WITH
clock AS (
    SELECT
        now() AS at,
        date_trunc('day', now(), 'Asia/Shanghai') AS today,
        date_trunc('day', now(), 'Asia/Shanghai') - interval '6 days' AS week,
        date_trunc('day', now(), 'Asia/Shanghai') - interval '29 days' AS month
),
event AS (
    SELECT
        'disputes' AS layer, id, code, category, status, occurred_at AS at, due_at, grid_now, geom,
        status IN ('resolved', 'closed') AS closed
    FROM disputes
    UNION ALL
    SELECT
        'hazards', id, code, category, status, found_at, due_at, grid_now, geom,
        status = 'verified'
    FROM hazards
),
figure AS (
    SELECT
        layer,
        json_build_object(
            'open', count(*) FILTER (WHERE NOT closed),
            'today', count(*) FILTER (WHERE event.at >= today),
            'week', count(*) FILTER (WHERE event.at >= week),
            'overdue', count(*) FILTER (WHERE NOT closed AND due_at < clock.at),
            'closed', count(*) FILTER (WHERE closed),
            'total', count(*)
        ) AS figures
    FROM event CROSS JOIN clock
    GROUP BY layer
),
recent AS (
    SELECT event.* FROM event CROSS JOIN clock WHERE event.at >= month AND event.at <= clock.at
),
camera AS (
    SELECT json_build_object(
        'total', count(*),
        'online', count(*) FILTER (WHERE status = 'online'),
        'offline', count(*) FILTER (WHERE status = 'offline'),
        'fault', count(*) FILTER (WHERE status = 'fault')
    ) AS figures
    FROM cameras
),
grid AS (
    SELECT json_build_object(
        'total', count(*),
        'households', coalesce(sum(households), 0),
        'population', coalesce(sum(population), 0),
        'staff', coalesce(sum(staff), 0)
    ) AS figures
    FROM grids
    WHERE valid_to IS NULL
),
daily AS (
    SELECT json_agg(
        json_build_object('day', day, 'disputes', disputes, 'hazards', hazards) ORDER BY day
    ) AS days
    FROM (
        SELECT
            to_char(days.day AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD') AS day,
            count(*) FILTER (WHERE layer = 'disputes') AS disputes,
            count(*) FILTER (WHERE layer = 'hazards') AS hazards
        FROM clock
        CROSS JOIN LATERAL generate_series(month, today, interval '1 day') AS days (day)
        LEFT JOIN recent ON date_trunc('day', recent.at, 'Asia/Shanghai') = days.day
        GROUP BY days.day
    ) AS counted
),
category AS (
    SELECT
        layer,
        json_agg(json_build_object('code', category, 'count', n) ORDER BY n DESC, category) AS codes
    FROM (SELECT layer, category, count(*) AS n FROM recent GROUP BY layer, category) AS counted
    GROUP BY layer
),
busiest AS (
    SELECT json_agg(
        json_build_object('grid', code, 'name', name, 'disputes', disputes, 'hazards', hazards)
        ORDER BY disputes + hazards DESC, code
    ) AS grids
    FROM (
        SELECT
            g.code, g.name,
            count(*) FILTER (WHERE r.layer = 'disputes') AS disputes,
            count(*) FILTER (WHERE r.layer = 'hazards') AS hazards
        FROM recent AS r
        JOIN grids AS g ON g.code = r.grid_now AND g.valid_to IS NULL
        GROUP BY g.code, g.name
        ORDER BY count(*) DESC, g.code
        LIMIT 8
    ) AS counted
),
latest AS (
    SELECT json_agg(
        json_build_object(
            'layer', e.layer, 'id', e.id, 'code', e.code, 'category', e.category,
            'status', e.status, 'grid', e.grid_now, 'grid_name', g.name, 'at', e.at,
            'center', json_build_array(st_x(e.geom), st_y(e.geom))
        )
        ORDER BY e.at DESC, e.id DESC
    ) AS events
    FROM (
        SELECT recent.* FROM recent ORDER BY recent.at DESC, recent.id DESC LIMIT 12
    ) AS e
    LEFT JOIN grids AS g ON g.code = e.grid_now AND g.valid_to IS NULL
),
alert AS (
    SELECT json_agg(
        json_build_object(
            'id', id, 'code', code, 'kind', kind, 'state', state, 'window_start', window_start,
            'window_end', window_end, 'observed', observed, 'expected', expected
        )
        ORDER BY window_end DESC, id
    ) AS alerts
    FROM alerts
    WHERE state <> 'closed'
),
nothing AS (
    SELECT
        '{"open":0,"today":0,"week":0,"overdue":0,"closed":0,"total":0}'::json AS figures
)
SELECT json_build_object(
    'at', clock.at,
    'disputes', coalesce((SELECT figures FROM figure WHERE layer = 'disputes'), nothing.figures),
    'hazards', coalesce((SELECT figures FROM figure WHERE layer = 'hazards'), nothing.figures),
    'cameras', (SELECT figures FROM camera),
    'grids', (SELECT figures FROM grid),
    'daily', (SELECT days FROM daily),
    'categories', json_build_object(
        'disputes', coalesce((SELECT codes FROM category WHERE layer = 'disputes'), '[]'::json),
        'hazards', coalesce((SELECT codes FROM category WHERE layer = 'hazards'), '[]'::json)
    ),
    'busiest', coalesce((SELECT grids FROM busiest), '[]'::json),
    'latest', coalesce((SELECT events FROM latest), '[]'::json),
    'alerts', coalesce((SELECT alerts FROM alert), '[]'::json)
)::text
FROM clock CROSS JOIN nothing
"""
