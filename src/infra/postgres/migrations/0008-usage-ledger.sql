-- Rollups of one tracking plan. Readers use the live generation; another one is being rebuilt beside it.
create table rollup_generation (
  generation text primary key,
  live boolean not null default false,
  started_at timestamptz not null default now()
);
create unique index on rollup_generation (live) where live;
insert into rollup_generation (generation, live) values ('initial', true);

alter table rollup_day add column generation text not null default 'initial'
  references rollup_generation (generation) on delete cascade;
alter table rollup_day alter column generation drop default;
alter table rollup_day drop constraint rollup_day_pkey;
alter table rollup_day add primary key (source, generation, day);

-- The rollups that this version needs.
alter table mapping_version add column generation text not null default 'initial';
alter table mapping_version alter column generation drop default;

-- What a source really sends: event names, and properties with each JSON type that they came with.
create table schema_seen (
  source text not null,
  kind text not null check (kind in ('event', 'property')),
  name text not null,
  type text not null,
  first_day date not null,
  -- The latest of the event days on which it was seen, newest first.
  days date[] not null,
  primary key (source, kind, name, type)
);
create table schema_change (
  source text not null,
  kind text not null,
  name text not null,
  change text not null check (change in ('new', 'vanished', 'retyped')),
  day date not null,
  mapped boolean not null,
  detail text,
  noticed_at timestamptz not null default now(),
  -- A vanished one came back, or what it is has been explained by older usage since.
  ended_at timestamptz,
  primary key (source, kind, name, change, day)
);
create index on schema_change (noticed_at);

-- What somebody should be told of, once for each time it happens.
create table notice (
  id bigint generated always as identity primary key,
  kind text not null,
  source text not null,
  at timestamptz not null default now(),
  ended_at timestamptz,
  details jsonb not null default '{}'
);
create unique index on notice (kind, source) where ended_at is null;
create index on notice (at);
create index on run (step, key, started_at);
