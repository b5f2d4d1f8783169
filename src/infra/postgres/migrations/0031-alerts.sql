-- How everything that is watched stands, by kind and what it is about.
create table alert (
  kind text not null,
  about text not null,
  firing boolean not null,
  since timestamptz,
  leaning_since timestamptz,
  text text not null,
  looked_at timestamptz not null,
  primary key (kind, about)
);

-- What is to be told of a change, to each channel once; kept for a while after it was.
create table alert_message (
  id uuid primary key default gen_random_uuid(),
  channel text not null,
  subject text not null,
  body text not null,
  created_at timestamptz not null default clock_timestamp(),
  tries int not null default 0,
  again_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  outcome text check (outcome in ('sent', 'refused')),
  error text
);
create index on alert_message (again_at) where ended_at is null;

-- The last time that the canary was let go, and how far it came.
create table canary_beat (
  crm text primary key,
  let_go_at timestamptz not null,
  token text not null,
  seen_at timestamptz
);
