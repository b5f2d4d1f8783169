-- What tells that a record of a CRM should be read again. `stale` counts the signals since it was read,
-- `reads` the readings (who read longer ago than another must not store it after him), and `seen` is a hash
-- of what it said then: what a search repeats, our own writes above all, asks for nothing.
alter table crm_read add column stale bigint not null default 0;
alter table crm_read add column reads bigint not null default 0;
alter table crm_read add column seen text;
create index on crm_read (crm) where stale > 0;
create index on crm_record (crm, crm_id);

-- How far the changes of each object were followed, for each question that is asked of it.
create table crm_cursor (
  crm text not null,
  object text not null,
  asked text not null,
  -- Null asks for another one; it is the connector's own text otherwise.
  cursor text,
  polled_at timestamptz,
  primary key (crm, object, asked)
);

-- Webhooks as they came; removed some days after they were taken.
create table crm_delivery (
  id bigint generated always as identity primary key,
  crm text not null,
  body text not null,
  received_at timestamptz not null default now(),
  taken_at timestamptz
);
create index on crm_delivery (crm, id) where taken_at is null;
create index on crm_delivery (taken_at) where taken_at is not null;

-- Ids under which records of ours lay, or lie by what was told, beside the one that they have: signals about
-- them may come late, and in any order. `ref` is a person or account; nothing is written of whom the CRM deleted for good.
create table crm_former (
  crm text not null,
  object text not null,
  crm_id text not null,
  ref text not null,
  erased boolean not null default false,
  since timestamptz not null default now(),
  primary key (crm, object, crm_id, ref)
);
create index on crm_former (ref);

create function keep_former_crm_id() returns trigger language plpgsql as $$
begin
  insert into crm_former (crm, object, crm_id, ref) values (old.crm, old.object, old.crm_id, old.ref)
    on conflict (crm, object, crm_id, ref) do update set since = excluded.since;
  return null;
end $$;
create trigger keep_former_crm_id after update of crm_id on crm_record for each row
  when (old.crm_id is not null and old.crm_id is distinct from new.crm_id)
  execute function keep_former_crm_id();
