-- Who is at work on which record of a CRM, so that any number of workers share them. A lease is good as long as the session of its
-- holder lasts, and that is told by the holder's advisory lock.
create table crm_lease (
  ref text not null,
  crm text not null,
  holder uuid not null,
  -- The holder's pass in which it was looked at: once in each.
  pass smallint not null,
  primary key (ref, crm)
);
create index on crm_lease (crm, holder);

-- Which CRM record somebody has just taken for a subject of ours, until it is written there: two workers never take the same.
create table crm_claim (
  crm_id text not null,
  crm text not null,
  object text not null check (object in ('contact', 'company')),
  ref text not null,
  holder uuid not null,
  primary key (crm_id, crm, object)
);
create index on crm_claim (crm, holder);
