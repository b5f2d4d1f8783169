-- When what touched somebody arrived here; null when nothing arrived, and only time has passed.
alter table touched add column arrived_at timestamptz default clock_timestamp();

-- How long what happens takes to the CRM, for each record. What is due came by an event and is not in the CRM yet.
create table freshness (
  ref text not null,
  crm text not null,
  object text not null check (object in ('contact', 'company')),
  qualified boolean not null,
  -- When the oldest event that is not in the CRM yet arrived here, and how old it was by then.
  due_since timestamptz,
  due_age_ms bigint,
  -- The last time that the CRM came to say what happened.
  arrived_at timestamptz,
  event_at timestamptz,
  in_crm_at timestamptz,
  primary key (ref, crm),
  foreign key (ref, crm) references crm_record (ref, crm) on delete cascade on update cascade
);
create index on freshness (crm, qualified, due_since) where due_since is not null;

-- The same for tasks: when what they are about arrived.
alter table task_intent
  add column arrived_at timestamptz,
  add column event_age_ms bigint,
  add column in_crm_at timestamptz;

-- Counts by the time that it took: the bounds are those of src/core/freshness/bounds.ts, with one more for what took
-- longer. Hours are kept, so that a share can be told for a day, and never change once they are over.
create table freshness_hour (
  crm text not null,
  hour timestamptz not null,
  object text not null check (object in ('contact', 'company', 'task')),
  qualified boolean not null,
  since text not null check (since in ('arrival', 'event')),
  bound smallint not null,
  n bigint not null,
  seconds double precision not null,
  primary key (crm, hour, object, qualified, since, bound)
);
