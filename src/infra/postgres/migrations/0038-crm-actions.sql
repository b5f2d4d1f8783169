-- What playbooks do in a CRM besides tasks: memberships of lists and campaigns, and events. The key names the start of the
-- playbook, its action and whom it is about, so that nothing is done twice.
create table crm_action (
  key text primary key,
  id bigint not null generated always as identity,
  crm text not null,
  -- Whom it is about, by our id.
  ref text not null,
  kind text not null check (kind in ('add', 'remove', 'event')),
  -- Id of the list or campaign, or name of the event.
  target text not null,
  member_status text,
  properties jsonb not null default '{}',
  state text not null default 'planned' check (state in ('planned', 'done', 'refused')),
  reason text,
  created_at timestamptz not null
);
create index on crm_action (crm, id) where state = 'planned';
create index on crm_action (ref);
