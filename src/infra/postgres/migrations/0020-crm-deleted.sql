-- When the CRM was seen to have the record no more, which nobody here took away: it is not made again where the
-- mapping says so. Null again with the next record that is taken.
alter table crm_record add column deleted_at timestamptz;
