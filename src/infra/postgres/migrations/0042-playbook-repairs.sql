-- Why a start of a playbook came to nothing, such as a text that does not render for this account; it is tried again as long as
-- its evidence is fresh.
alter table playbook_start add column parked text;
create index on playbook_start (crm) where parked is not null;

-- What a playbook waits to begin with: another trigger is another first look.
alter table playbook_look add column trigger text;
-- It holds, and something keeps the playbook from starting; it may start yet.
alter table playbook_standing add column held boolean not null default false;

alter table task_intent
  -- It was taken in by a task that ended before its reason was told: it has a task of its own now, and is taken in no more.
  add column returned_at timestamptz,
  -- The CRM refused it, in difference to what came to nothing by itself.
  add column refused boolean not null default false;
create index on task_intent (merged_into) where merged_into is not null;
-- The task that was taken in and of which the line tells.
alter table task_amendment add column intent_key text;
