-- What nobody searches in is kept as it was written: to take it apart into jsonb, by the million, cost
-- more than to store it.
alter table score
  alter column contributions type json using contributions::json,
  alter column changed drop default,
  alter column changed type json using changed::json,
  alter column missing drop default,
  alter column missing type json using missing::json;
alter table score alter column changed set default '[]', alter column missing set default '[]';
alter table score_change alter column contributions type json using contributions::json;
