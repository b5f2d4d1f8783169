-- What people who asked to be forgotten are hashed with: their ids can be recognised, but not read.
alter table installation add column forget_key bytea not null
  default decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');

-- What was removed for one request, without anything that says whom it was about.
create table forget_receipt (
  id uuid primary key default gen_random_uuid(),
  requested_at timestamptz not null default now(),
  finished_at timestamptz,
  removed jsonb not null default '{}',
  in_crm jsonb not null default '[]'
);

-- Hashes of their ids and addresses; every pull leaves out what bears one.
create table forgotten (
  hash text primary key,
  receipt_id uuid not null references forget_receipt (id)
);
create index on forgotten (receipt_id);
