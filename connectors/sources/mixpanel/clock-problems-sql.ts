import type { DownloadedFile, SqlQuery } from '../../../src/core/ports/usage-source.ts'

/** What the clock is told from; nothing else of a row is read. */
const CLOCK =
  'STRUCT("time" VARCHAR, "$mp_api_timestamp_ms" VARCHAR, mp_processing_time_ms VARCHAR, "$import" VARCHAR)'

/** Fewer rows on a day say nothing about a clock. */
const LEAST_ROWS = 20
/** Zones differ by quarters of an hour; half of one is noise. */
const TOLERANCE_S = 450

/**
 * Measures how far a project's clock is from UTC: `time` against the instant at which Mixpanel took
 * the event in, which is true UTC, for each day's rows that were not imported. Devices send late, never early, so the
 * quarter of the rows that came soonest tells the clock. Where it disagrees with the configured zone,
 * every event would land at the wrong time.
 */
export function clockProblemsSql(files: readonly DownloadedFile[], timezone: string): SqlQuery {
  return {
    params: { files: files.map((file) => file.path), zone: timezone },
    sql: problemsSql(
      `select wall::date::varchar as day, epoch(wall) - taken_s as ahead_s, date_trunc('hour', wall) as hour
      from (
        select make_timestamp(try_cast(try_cast(p."time" as double) * 1000000 as bigint)) as wall,
          coalesce(try_cast(p."$mp_api_timestamp_ms" as double),
            try_cast(p.mp_processing_time_ms as double)) / 1000 as taken_s
        from (
          select properties as p
          from read_json($files, format = 'newline_delimited', maximum_object_size = 4194304,
            columns = {event: 'VARCHAR', properties: '${CLOCK}'})
        )
        where p."$import" is distinct from 'true'
      ) where wall is not null`,
      `epoch(hour) - epoch((hour at time zone $zone) at time zone 'UTC')`,
    ),
  }
}

/** The same for rows of `narrowEventsSql` in the table `batch`, which say by how much they are ahead. */
export function clockOfBatchSql(timezone: string): SqlQuery {
  return {
    params: { zone: timezone },
    sql: problemsSql(
      `select window_key as day, clock_ahead_s as ahead_s,
        date_trunc('hour', occurred_at) as hour
      from batch where occurred_at is not null and window_key is not null`,
      `epoch((hour at time zone 'UTC') at time zone $zone) - epoch(hour)`,
    ),
  }
}

/**
 * @param told rows of `day, ahead_s, hour`, where `ahead_s` is null for rows that say nothing.
 * @param zone by how much the zone is ahead of UTC at an `hour`.
 */
function problemsSql(told: string, zone: string): string {
  return `with told as (${told}),
      days as (
        select day, quantile_cont(ahead_s, 0.75) as ahead_s
        from told where ahead_s is not null
        group by day having count(*) >= ${LEAST_ROWS}
      ),
      -- A zone is asked once for each hour, not for each row: that is slow.
      zones as (
        select day, median(${zone}) as zone_s
        from (select distinct day, hour from told)
        group by day
      )
      select 'Mixpanel events of ' || day || ' are ' || format('{:+.2f}', ahead_s / 3600.0) ||
        ' h from UTC by their own clock, but the configured zone ' || $zone || ' is ' ||
        format('{:+.2f}', zone_s / 3600.0) ||
        ' h; set MIXPANEL_TIMEZONE to the zone of the project (Project settings), or to UTC for a project from 2023 or later. Nothing was kept' as problem
      from days join zones using (day)
      where abs(ahead_s - zone_s) > ${TOLERANCE_S}
      order by day desc limit 3`
}
