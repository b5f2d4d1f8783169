-- Since when something is asked for that nobody has done yet: what fails and is tried again every minute changes all the time.
alter table work add column open_since timestamptz;
update work set open_since = changed_at where requested > done;
