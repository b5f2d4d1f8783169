-- Where an events file kept properties of an event, such as user.email; '*' is everywhere.
alter table lake_file add column kept text[] not null default '{}';
