-- IANA time zone of an owner, where the CRM tells it.
alter table crm_owner add column time_zone text;
