-- What usage told of a person's traits, dated: the facts of the lake are read for it once more.
alter table person rename column traits to told;
update person set told = '{}';
insert into work (step, key, requested, whole)
  select 'identity', 'all', 1, 1 where exists (select from person)
  on conflict (step, key) do update
    set requested = work.requested + 1, whole = work.requested + 1, params = null, changed_at = now();

-- What CRMs and files say. `about` is a person's or account's id (CRM), a node of the identity graph or
-- domain:<domain> (files), so that nobody need be known yet; who that is, is looked up when it is read.
create table trait (
  about text not null,
  id bigint generated always as identity,
  origin text not null,
  name text not null,
  value text not null,
  told_at timestamptz not null,
  -- When it was no longer said.
  ended_at timestamptz,
  recorded_at timestamptz not null,
  primary key (about, id)
);
create index on trait (origin, about) where ended_at is null;

-- The sales status, as each CRM said it last of a person or account.
create table sales_state (
  about text not null,
  source text not null,
  status text not null
    check (status in ('none', 'accepted', 'rejected', 'opportunity', 'won', 'lost')),
  since timestamptz not null,
  reason text,
  -- The scores when it was said, by model.
  scores jsonb not null default '{}',
  primary key (about, source)
);
alter table score_change add column from_sales text;
alter table score_change add column to_sales text;

-- When the fields of a CRM record were read last, and which.
create table crm_read (
  ref text not null,
  crm text not null,
  crm_id text not null,
  asked text not null,
  read_at timestamptz not null,
  primary key (ref, crm)
);

create index on person_alias (person_id);
