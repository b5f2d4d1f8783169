-- What Ripen wrote into each property of a record (a hash), when, and what somebody else did to it since; by property.
alter table crm_record add column ledger jsonb not null default '{}';
-- True while a property of it is left alone because somebody else puts another value back each time.
alter table crm_record add column has_parked boolean not null
  generated always as (jsonb_path_exists(ledger, '$.*.parked')) stored;
-- Counts what is written and what is found to be otherwise: whoever looked before does not store it after.
alter table crm_record add column turn bigint not null default 0;
-- Something that waits is written then with nothing else changed.
alter table crm_record add column due_at timestamptz;
-- People and companies to call now go first.
alter table crm_record add column urgent boolean not null default false;
create index on crm_record (crm, due_at) where due_at is not null;
create index on crm_record (crm) where has_parked;
create index on crm_record (crm, object, (not urgent), changed_at, ref) where state in ('pending', 'writing');

-- Each value of ours that somebody else changed in the CRM, and what became of it; never the value.
create table crm_edit (
  ref text not null,
  id bigint not null generated always as identity,
  crm text not null,
  property text not null,
  seen_at timestamptz not null,
  outcome text not null check (outcome in ('restored', 'respected', 'taken', 'parked')),
  primary key (ref, id),
  foreign key (ref, crm) references crm_record (ref, crm) on delete cascade
);
create index on crm_edit (crm, seen_at);

-- The rules that the records of an object were held against last.
create table crm_rules (
  crm text not null,
  object text not null,
  hash text not null,
  primary key (crm, object)
);
