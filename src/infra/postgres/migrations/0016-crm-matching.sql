-- Whether we made the record in the CRM ourselves: only such a record is ever put away. What was made
-- before this migration is not known to be ours.
alter table crm_record add column created boolean not null default false;
-- What else happens to the record of somebody who left the model's population.
alter table crm_record add column on_leave text check (on_leave in ('archive'));
-- Ids of the records that it might have been, when there were several.
alter table crm_record add column candidates text[];
-- Open records are read slice by slice; matches ask who has a CRM record already.
create index on crm_record (crm, object, ref) where state in ('pending', 'writing');
create index on crm_record (crm, crm_id);
-- A company's contacts are asked for before it is created.
create index on crm_record (crm, company_ref) where company_ref is not null;
