-- The deal that has a note in place of a task.
alter table task_intent add column deal_id text;
create index on task_intent (crm, account_ref, deal_id) where state = 'noted';
