-- Jobs of a CRM's bulk interface that were begun and are not known to be over.
create table crm_bulk_job (
  crm text not null,
  job_id text not null,
  object text not null,
  records integer not null,
  begun_at timestamptz not null default now(),
  primary key (crm, job_id)
);
