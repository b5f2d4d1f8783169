-- Every time that a playbook was started for a person or account. The key names the CRM, the playbook, the subject and the
-- episode, so that nothing is started twice.
create table playbook_start (
  key text primary key,
  crm text not null,
  playbook text not null,
  subject_id text not null,
  -- The account of the subject, else the subject itself.
  account_ref text not null,
  segment text not null,
  evidence_at timestamptz,
  started_at timestamptz not null
);
create index on playbook_start (subject_id, playbook, started_at);
create index on playbook_start (account_ref);
-- What was started before playbooks had a table.
insert into playbook_start (key, crm, playbook, subject_id, account_ref, segment, started_at)
  select key, crm, 'account-qualified', account_ref, account_ref, 'all', created_at from task_intent;

-- For whom the reason of a playbook holds that starts when something begins to hold. A playbook that has never looked
-- notes who is there already, and starts nothing for them.
create table playbook_look (
  playbook text not null,
  crm text not null,
  first_at timestamptz not null,
  primary key (playbook, crm)
);
create table playbook_standing (
  subject_id text not null,
  playbook text not null,
  crm text not null,
  since timestamptz not null,
  primary key (subject_id, playbook, crm)
);

-- What each member of a team is ahead or behind in its turns.
create table playbook_turn (
  crm text not null,
  playbook text not null,
  segment text not null,
  credits jsonb not null,
  primary key (crm, playbook, segment)
);

alter table task_intent drop constraint task_intent_state_check;
alter table task_intent add constraint task_intent_state_check check (state in
  ('planned', 'creating', 'created', 'closing', 'closed', 'done', 'deleted', 'parked', 'merged', 'noting', 'noted'));
alter table task_intent
  add column playbook text not null default 'account-qualified',
  -- The person whom it is about; null where it is about the account.
  add column person_ref text,
  -- By which rule the owner was found; the owner stays once she is.
  add column assigned_by text,
  add column assigned_at timestamptz,
  -- The task that took this one in.
  add column merged_into text,
  -- What the reader of the task knows of the score.
  add column told jsonb,
  add column escalated_at timestamptz,
  -- When sales spoke to somebody of the account after the trigger, and by what that is known.
  add column contact_at timestamptz,
  add column contact_by text check (contact_by in ('call', 'email', 'meeting', 'completion'));
create index on task_intent (account_ref);

-- What is to be added to a task that is open.
create table task_amendment (
  task_key text not null references task_intent (key) on delete cascade,
  id bigint generated always as identity,
  kind text not null check (kind in ('reason', 'story', 'escalation')),
  note text not null,
  person_refs text[] not null default '{}',
  owner_id text,
  priority text,
  state text not null default 'planned' check (state in ('planned', 'done', 'refused')),
  reason text,
  created_at timestamptz not null default now(),
  primary key (task_key, id)
);
