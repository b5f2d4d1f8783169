-- What playbooks tell others: Slack and webhooks. The key is the id of the message, the same with every try.
create table playbook_message (
  key text primary key,
  -- Names of the variables that hold the address, and what it is signed with; null for one that is not signed.
  address_variable text not null,
  secret_variable text,
  body text not null,
  state text not null default 'planned' check (state in ('planned', 'delivered', 'dead')),
  tries integer not null default 0,
  next_at timestamptz not null,
  reason text,
  created_at timestamptz not null
);
create index on playbook_message (next_at) where state = 'planned';
