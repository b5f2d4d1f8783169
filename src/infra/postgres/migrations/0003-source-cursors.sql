-- Where a source's sweeps for late events and its profiles stand; the shape belongs to who works there.
create table source_cursor (
  source text not null,
  name text not null,
  state jsonb not null,
  changed_at timestamptz not null default now(),
  primary key (source, name)
);
