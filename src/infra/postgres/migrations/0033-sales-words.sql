-- What each source said of a person or account, word by word: a score of the past sees what was said then.
create table sales_word (
  about text not null,
  id bigint generated always as identity,
  source text not null,
  status text not null
    check (status in ('none', 'accepted', 'rejected', 'opportunity', 'won', 'lost')),
  since timestamptz not null,
  reason text,
  weight smallint not null default 0,
  scores jsonb not null default '{}',
  recorded_at timestamptz not null,
  primary key (about, id)
);
insert into sales_word (about, source, status, since, reason, weight, scores, recorded_at)
  select about, source, status, since, reason, weight, scores, since from sales_state;

-- A CRM may tell later than a value ended that it did; null where that was learnt when it ended.
alter table trait add column end_recorded_at timestamptz;
