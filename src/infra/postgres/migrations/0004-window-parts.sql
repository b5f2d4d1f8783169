-- What a window was read from, where its source can be listed: fingerprints of objects of a bucket.
alter table source_window add column parts text[] not null default '{}';
