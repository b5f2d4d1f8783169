-- What a vendor says about its allowance, and what all processes must know of it at once.
alter table pace
  -- As the vendor's headers tell; null until it said something.
  add column calls integer,
  add column interval_ms integer,
  add column paused_until timestamptz,
  add column paused_why text,
  -- The share of the allowance that is used after a refusal; it grows back with time.
  add column slowed real not null default 1,
  add column slowed_at timestamptz;

-- The quota of an account for a day, which apps of others use up too.
create table pace_day (
  name text primary key,
  calls bigint,
  calls_left bigint,
  seen_at timestamptz,
  time_zone text,
  paused_until timestamptz,
  paused_why text
);
