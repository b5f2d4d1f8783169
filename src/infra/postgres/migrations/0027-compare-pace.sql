-- Until when the calls for comparing whole objects are spoken for: the pace at which everything is read again.
create table crm_compare (
  crm text not null,
  object text not null,
  spoken_until timestamptz not null,
  primary key (crm, object)
);
