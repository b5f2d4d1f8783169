-- Reasons are words of the model and made when somebody reads them.
alter table score drop column reasons;
alter table score add column held_until timestamptz;
alter table score add column rose_last boolean not null default true;
alter table score add column changed jsonb not null default '[]';
alter table score add column missing jsonb not null default '[]';
-- Scores of before are worked out anew: contributions have another shape.
update score set contributions = '[]';
update score_change set contributions = '[]';
insert into work (step, key, requested, whole) select 'score', 'all', 1, 1 where exists (select from score)
  on conflict (step, key) do update
    set requested = work.requested + 1, whole = work.requested + 1, params = null, changed_at = now();

-- Everybody of an account is in one slot: shards of the scores are ranges of slots.
alter table person add column slot integer not null
  generated always as ((hashtextextended(coalesce(account_id, id), 0) & 16383)::integer) stored;
create index on person (slot);
