-- Events that came by webhook and are not in the lake yet. Bodies are JSON text, as they came.
create table staged_event (
  source text not null,
  id bigint generated always as identity,
  received_at timestamptz not null default clock_timestamp(),
  body text not null,
  primary key (source, id)
);

-- Who did something that a step has not looked at yet: profiles (`<source>/u:…`) for rollup and
-- identity, people and accounts for score. A step that is asked for these alone looks at no others.
create table touched (
  id bigint generated always as identity primary key,
  step text not null,
  subject text not null
);
create index on touched (step);

-- The last request that was about everything and not about touched subjects alone.
alter table work add column whole bigint not null default 0;
update work set whole = requested;
