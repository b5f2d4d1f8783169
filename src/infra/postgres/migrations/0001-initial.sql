-- Who this installation is: queues on a shared Redis carry this name.
create table installation (
  id uuid primary key default gen_random_uuid(),
  only_one boolean not null default true unique check (only_one)
);
insert into installation default values;

-- What RevOps published: every worker reads the newest version.
create table mapping_version (
  id bigint generated always as identity primary key,
  hash text not null,
  usage_hash text not null,
  folder text not null,
  files jsonb not null,
  published_at timestamptz not null default now()
);

-- Level-triggered work: requested > done means "look again".
create table work (
  step text not null,
  key text not null,
  params jsonb,
  requested bigint not null default 0,
  done bigint not null default 0,
  failed bigint not null default 0,
  error_kind text,
  error text,
  changed_at timestamptz not null default now(),
  primary key (step, key)
);

-- The manifest of the lake.
create table lake_file (
  id text primary key,
  source text not null,
  kind text not null check (kind in ('events', 'rollup')),
  rows bigint not null,
  bytes bigint not null,
  created_at timestamptz not null default now(),
  unused_since timestamptz
);
create table source_window (
  source text not null,
  window_key text not null,
  file_id text references lake_file (id),
  content_hash text not null,
  rows bigint not null,
  event_days date[] not null,
  pulled_at timestamptz not null,
  primary key (source, window_key)
);
create index on source_window (file_id);
create index on source_window using gin (event_days);
create table rollup_day (
  source text not null,
  day date not null,
  file_id text references lake_file (id),
  events bigint not null default 0,
  requested bigint not null default 1,
  done bigint not null default 0,
  primary key (source, day)
);
create index on rollup_day (file_id);

create table account (
  id text primary key,
  domain text not null unique,
  name text not null,
  created_at timestamptz not null default now()
);
create table person (
  id text primary key,
  email text,
  email_kind text not null,
  account_id text references account (id),
  traits jsonb not null default '{}',
  first_seen timestamptz,
  last_seen timestamptz,
  created_at timestamptz not null default now()
);
create index on person (account_id);
create index on person (email);
create table person_alias (
  id text primary key,
  person_id text not null,
  since timestamptz not null default now()
);
-- Every id of the identity graph, and the person it belongs to.
create table identity_node (
  node text primary key,
  person_id text not null
);
create index on identity_node (person_id);

create table score (
  subject_id text not null,
  subject text not null check (subject in ('person', 'account')),
  model text not null,
  model_version integer not null,
  score smallint not null check (score between 0 and 100),
  grade text not null,
  usage_status text not null,
  sales_status text not null default 'none',
  status_since timestamptz not null,
  qualified_at timestamptz,
  change smallint not null,
  trend text not null,
  contributions jsonb not null,
  reasons jsonb not null,
  facts jsonb not null,
  evidence_at timestamptz,
  next_change_at timestamptz,
  as_of timestamptz not null,
  primary key (subject_id, model)
);
create index on score (model, score desc);
create index on score (next_change_at);
create table score_change (
  subject_id text not null,
  id bigint generated always as identity,
  model text not null,
  model_version integer not null,
  cause text not null,
  from_score smallint,
  to_score smallint not null,
  from_status text,
  to_status text not null,
  contributions jsonb not null,
  evidence_at timestamptz,
  as_of timestamptz not null,
  recorded_at timestamptz not null default now(),
  primary key (subject_id, id)
);
create index on score_change (id);

create table crm_record (
  ref text not null,
  crm text not null,
  object text not null check (object in ('contact', 'company')),
  crm_id text,
  owner_id text,
  may_create boolean not null,
  lookup jsonb not null,
  desired jsonb not null,
  desired_on_create jsonb not null,
  written jsonb,
  state text not null check (state in ('pending', 'writing', 'in-sync', 'parked', 'unlinked')),
  reason text,
  code text,
  correlation_id text,
  company_ref text,
  company_linked text,
  changed_at timestamptz not null default now(),
  primary key (ref, crm)
);
create index on crm_record (crm, object, state);
create table task_intent (
  key text primary key,
  crm text not null,
  account_ref text not null,
  marker text not null,
  state text not null check (state in ('planned', 'creating', 'created', 'parked')),
  task jsonb not null,
  crm_task_id text,
  reason text,
  settle_after timestamptz,
  created_at timestamptz not null default now()
);
create index on task_intent (crm, state);
create table crm_provisioned (
  crm text primary key,
  plan_hash text not null
);

-- One row for each allowance of a vendor: the instant until which it is spoken for (GCRA).
create table pace (
  name text primary key,
  spoken_until timestamptz not null
);

create table run (
  id bigint generated always as identity primary key,
  step text not null,
  key text not null,
  started_at timestamptz not null,
  finished_at timestamptz,
  outcome text,
  counts jsonb not null default '{}',
  error text
);
create table run_record (
  run_id bigint not null references run (id),
  ref text not null,
  outcome text not null,
  reason text,
  correlation_id text,
  primary key (run_id, ref)
);
