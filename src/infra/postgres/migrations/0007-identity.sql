-- An account is named by its key, domain:<domain> or group:<analytics group>; it may have no domain.
alter table account add column key text;
update account set key = 'domain:' || domain;
alter table account alter column key set not null;
alter table account add unique (key);
alter table account alter column domain drop not null;

-- Which rule put the person into the account, and what it went by.
alter table person add column account_rule text
  check (account_rule in ('override', 'crm', 'group', 'domain'));
alter table person add column account_value text;

-- Joins that were not made: of an id that is shared (b is empty), or between two that are not the same.
create table identity_refusal (
  a text not null,
  b text not null default '',
  kind text not null,
  identities integer not null,
  since timestamptz not null default now(),
  primary key (a, b)
);

-- The company that a CRM itself has a contact under; without one, when we looked.
create table crm_contact_company (
  ref text not null,
  crm text not null,
  company_id text,
  domain text,
  seen_at timestamptz not null,
  primary key (ref, crm)
);
create index on crm_contact_company (crm, seen_at);
