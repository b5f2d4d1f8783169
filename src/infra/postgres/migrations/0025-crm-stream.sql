-- How far the stream of a CRM's changes was followed, and how it stands with it. The place is the CRM's own, to be
-- read by nobody else, and of one account; null begins with what happens next.
create table crm_stream (
  crm text primary key,
  account text not null,
  place bytea,
  state text not null check (state in ('live', 'broken', 'refused')),
  why text,
  since timestamptz not null default now(),
  heard_at timestamptz
);

-- What is complete only from then on: whoever asked before it asks once more.
alter table crm_cursor add column again_at timestamptz;
