-- Windows that streamed in and are in no rollup of the live generation yet, by event day.
create table rollup_added (
  source text not null,
  generation text not null references rollup_generation (generation) on delete cascade,
  day date not null,
  window_key text not null,
  primary key (source, generation, day, window_key)
);

-- What was added to the rollup of a day since the day was rebuilt: it counts beside the file of rollup_day.
create table rollup_part (
  source text not null,
  generation text not null references rollup_generation (generation) on delete cascade,
  day date not null,
  file_id text not null references lake_file (id),
  primary key (source, generation, day, file_id)
);
create index on rollup_part (file_id);
