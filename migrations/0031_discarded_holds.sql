-- A discarded dead letter settles what its event had debited of budgets, as an orphan does: held becomes settled, nothing is released.
alter table dead_letters
  -- [{"counter": uuid, "hold": text, "debit": text, "cost": text}] as the event has them
  add settled_holds jsonb not null default '[]' check (jsonb_typeof(settled_holds) = 'array'),
  add constraint discarded_settles check (state = 'discarded' or settled_holds = '[]');
grant update (settled_holds) on dead_letters to turnpike_writer;
