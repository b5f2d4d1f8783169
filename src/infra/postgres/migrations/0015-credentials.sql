-- Tokens that a person gave by connecting, one row for each connection. `sealed` holds them encrypted.
create table credential (
  connection text primary key,
  kind text not null,
  key_id text not null,
  sealed bytea not null,
  -- Counts the grants, so that whoever waited for a refresh sees that it was done.
  generation bigint not null default 1,
  account text,
  scopes text[],
  expires_at timestamptz not null,
  -- From when on the next call asks for a new access token.
  refresh_at timestamptz not null,
  -- Renewals because the vendor refused a token before its end, since an instant.
  forced integer not null default 0,
  forced_since timestamptz,
  connected_at timestamptz not null default now(),
  refreshed_at timestamptz not null default now()
);

-- Authorisations that were begun; each is taken out by the first answer that names it.
create table oauth_state (
  id text primary key,
  connection text not null,
  secret_hash bytea not null,
  redirect_uri text not null,
  key_id text not null,
  -- The proof key (PKCE), encrypted; null without one.
  verifier bytea,
  expires_at timestamptz not null
);

-- Which account a CRM's records lie in: ids of another one would be other people's records.
create table crm_account (
  crm text primary key,
  account text not null,
  seen_at timestamptz not null default now()
);
