import { sql } from 'kysely'
import type { Db } from '../../src/infra/postgres/database.ts'
import { REFUSED_TEXT, type Size } from './population.ts'

const CRM = 'salesforce'

/** Records as `desire` leaves them: see population.ts for the same in words. */
export async function seedBooks(db: Db, { people, accounts }: Size): Promise<void> {
  await sql`insert into crm_record (ref, crm, object, may_create, lookup, desired, desired_on_create, state)
    select 'acc_' || lpad(i::text, 7, '0'), ${CRM}, 'company', true,
      jsonb_build_object('emails', '[]'::jsonb, 'domains', jsonb_build_array(domain), 'thorough', false),
      jsonb_build_object('PQA_Score__c', (i * 7 + 13) % 101, 'PQA_Grade__c', substr('ABCD', (i + 1) % 4 + 1, 1),
        'PQA_Reason_1__c', 'use of company ' || i, 'PQA_Domain__c', domain),
      jsonb_build_object('Name', 'Company ' || i, 'Website', 'https://www.' || domain), 'pending'
    from (select i, 'company-' || i || '.example' as domain from generate_series(0, ${accounts - 1}::int) i) n`.execute(
    db,
  )
  await sql`insert into crm_record (ref, crm, object, may_create, lookup, desired, desired_on_create, company_ref, state)
    select 'per_' || lpad(i::text, 7, '0'), ${CRM}, 'contact', true,
      jsonb_build_object('emails', jsonb_build_array(mail), 'domains', '[]'::jsonb, 'thorough', false),
      jsonb_build_object('PQL_Score__c', (i * 7 + 13) % 101, 'PQL_Grade__c', substr('ABCD', (i + 1) % 4 + 1, 1),
        'PQL_Reason_1__c', case when i % 1000 = 500 then ${REFUSED_TEXT}::text else 'reason ' || i end),
      jsonb_build_object('Email', mail, 'LastName', 'Person ' || i, 'Company', 'Company ' || i % ${accounts}::int),
      'acc_' || lpad((i % ${accounts}::int)::text, 7, '0'), 'pending'
    from (select i, 'p' || i || '@company-' || i % ${accounts}::int || '.example' as mail
      from generate_series(0, ${people - 1}::int) i) n`.execute(db)
  await sql`analyze crm_record`.execute(db)
}

/** Everybody says something else from now on, also who is refused for what has not changed. */
export async function changeBooks(db: Db): Promise<void> {
  await sql`update crm_record set state = 'pending', changed_at = now(), desired = desired
      || case object when 'contact'
        then jsonb_build_object('PQL_Score__c', (i * 7 + 26) % 101, 'PQL_Grade__c', substr('ABCD', (i + 2) % 4 + 1, 1))
        else jsonb_build_object('PQA_Score__c', (i * 7 + 26) % 101, 'PQA_Grade__c', substr('ABCD', (i + 2) % 4 + 1, 1)) end
    from (select ref as it, substr(ref, 5)::int as i from crm_record) n
    where ref = it`.execute(db)
}
