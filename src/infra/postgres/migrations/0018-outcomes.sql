-- People whom records and tasks of a CRM may belong to, active or not.
create table crm_owner (
  owner_id text not null,
  crm text not null,
  email text,
  name text not null,
  active boolean not null,
  user_id text,
  seen_at timestamptz not null,
  primary key (owner_id, crm)
);

-- Deals of records of ours, as they were seen last.
create table crm_deal (
  deal_id text not null,
  crm text not null,
  name text not null,
  pipeline text not null,
  stage text not null,
  label text not null,
  state text not null check (state in ('open', 'won', 'lost')),
  -- Since when it is in that stage.
  stage_since timestamptz not null,
  -- Since when it is open, won or lost.
  state_since timestamptz not null,
  amount numeric,
  currency text,
  owner_id text,
  created_at timestamptz not null,
  close_at timestamptz,
  seen_at timestamptz not null,
  primary key (deal_id, crm)
);
-- Every stage that a deal has been in, for reports.
create table crm_deal_stage (
  deal_id text not null,
  crm text not null,
  at timestamptz not null,
  pipeline text not null,
  stage text not null,
  label text not null,
  state text not null check (state in ('open', 'won', 'lost')),
  primary key (deal_id, crm, at, stage)
);
-- Which of our records a deal belongs to now.
create table crm_deal_record (
  ref text not null,
  crm text not null,
  deal_id text not null,
  primary key (ref, crm, deal_id)
);
create index on crm_deal_record (crm, deal_id);

-- The first time that sales spoke to somebody after an entry into qualified.
create table first_contact (
  ref text not null,
  crm text not null,
  qualified_at timestamptz not null,
  at timestamptz not null,
  kind text not null check (kind in ('call', 'email', 'meeting')),
  owner_id text,
  engagement_id text not null,
  seen_at timestamptz not null,
  primary key (ref, crm, qualified_at)
);

-- When deals and engagements of a CRM record were read last.
create table crm_look (
  ref text not null,
  crm text not null,
  what text not null check (what in ('deals', 'engagements')),
  crm_id text not null,
  looked_at timestamptz not null,
  primary key (ref, crm, what)
);

-- Of several sources the heavier one stands.
alter table sales_state add column weight smallint not null default 0;

-- What becomes of a task.
alter table task_intent drop constraint task_intent_state_check;
alter table task_intent add constraint task_intent_state_check check
  (state in ('planned', 'creating', 'created', 'closing', 'closed', 'done', 'deleted', 'parked'));
alter table task_intent
  add column qualified_at timestamptz,
  -- Names the task as we made it: one that is otherwise was touched by a person.
  add column baseline text,
  add column status text,
  add column owner_id text,
  add column completed_at timestamptz,
  -- Why it is closed; part of the task from then on.
  add column note text,
  add column read_at timestamptz;
-- The key ends with the instant of the episode.
update task_intent set qualified_at = substring(key from '[^|]*$')::timestamptz;
-- Nobody knows any more how tasks of before looked when they were made: none of them is closed.
update task_intent set baseline = 'touched' where state = 'created';
