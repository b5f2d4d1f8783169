-- Who published a version and what for; a version that repeats an older one names it.
alter table mapping_version
  add column published_by text,
  add column note text,
  add column rolled_back_to bigint references mapping_version (id);
