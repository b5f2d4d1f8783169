import type { ColumnType, Generated, JSONColumnType } from 'kysely'
import type {
  CrmDealState,
  CrmEngagementKind,
  CrmTask,
  CrmTaskStatus,
} from '../../core/ports/crm.ts'

/** Instants are read as `Date` and may be written as `Date` or ISO text. */
type Instant = ColumnType<Date, Date | string, Date | string>
type InstantOrNull = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
/** `jsonb`: read as `unknown` until a schema or the one writer vouches for it; written as JSON text. */
type Json = ColumnType<unknown, string, string>
type JsonOrNull = ColumnType<unknown, string | null | undefined, string | null>
/** Text that may be left out when a row is added. */
type TextOrNull<T extends string = string> = ColumnType<
  T | null,
  T | null | undefined,
  T | null | undefined
>
/** `bigint`: `pg` is told to read it as a number (counters stay far below 2^53). */
type Count = ColumnType<number, number | undefined, number>

type SchemaKind = 'event' | 'property'

/** What became of a value that somebody else gave to a property of ours. */
export type EditOutcome = 'restored' | 'respected' | 'taken' | 'parked'

/** How a task stands with us. */
export type TaskState =
  | 'planned'
  | 'creating'
  | 'created'
  | 'closing'
  | 'closed'
  | 'done'
  | 'deleted'
  | 'parked'
  /** Another task took it in. */
  | 'merged'
  /** A note on the open deal is on its way, or there, in its place. */
  | 'noting'
  | 'noted'

export interface Tables {
  installation: { id: Generated<string>; forget_key: Generated<Buffer> }
  forget_receipt: {
    id: Generated<string>
    requested_at: Generated<Date>
    finished_at: InstantOrNull
    removed: ColumnType<unknown, string | undefined, string>
    in_crm: ColumnType<unknown, string | undefined, string>
  }
  forgotten: { hash: string; receipt_id: string }
  mapping_version: {
    id: Generated<number>
    hash: string
    usage_hash: string
    /** The rollups that this version needs. */
    generation: string
    folder: string
    files: JSONColumnType<Record<string, string>>
    published_at: Generated<Date>
    /** The user of the operating system; null for versions of an older Ripen. */
    published_by: string | null
    note: string | null
    /** The version whose files this one repeats. */
    rolled_back_to: number | null
  }
  work: {
    step: string
    key: string
    params: JsonOrNull
    requested: Count
    done: Count
    failed: Count
    whole: Count
    error_kind: string | null
    error: string | null
    changed_at: Generated<Date>
    open_since: Date | null
  }
  staged_event: {
    source: string
    id: Generated<number>
    received_at: Generated<Date>
    body: string
  }
  touched: {
    id: Generated<number>
    step: string
    subject: string
    arrived_at: ColumnType<Date | null, Date | null | undefined, Date | null>
  }
  lake_file: {
    id: string
    source: string
    kind: 'events' | 'rollup'
    rows: Count
    bytes: Count
    kept: Generated<string[]>
    created_at: Generated<Date>
    unused_since: InstantOrNull
  }
  source_window: {
    source: string
    window_key: string
    file_id: string | null
    content_hash: string
    rows: Count
    event_days: ColumnType<string[], string[], string[]>
    pulled_at: Instant
    parts: Generated<string[]>
  }
  rollup_generation: { generation: string; live: boolean; started_at: Generated<Date> }
  source_cursor: {
    source: string
    name: string
    state: Json
    changed_at: ColumnType<Date, Date | undefined, Date>
  }
  rollup_day: {
    source: string
    generation: string
    day: ColumnType<string, string, string>
    file_id: string | null
    events: Count
    requested: Count
    done: Count
  }
  rollup_added: {
    source: string
    generation: string
    day: ColumnType<string, string, string>
    window_key: string
  }
  rollup_part: {
    source: string
    generation: string
    day: ColumnType<string, string, string>
    file_id: string
  }
  schema_seen: {
    source: string
    kind: SchemaKind
    name: string
    type: string
    first_day: ColumnType<string, string, string>
    days: ColumnType<string[], string[], string[]>
  }
  schema_change: {
    source: string
    kind: SchemaKind
    name: string
    change: 'new' | 'vanished' | 'retyped'
    day: ColumnType<string, string, string>
    mapped: boolean
    detail: string | null
    noticed_at: Generated<Date>
    ended_at: InstantOrNull
  }
  notice: {
    id: Generated<number>
    kind: string
    source: string
    at: Generated<Date>
    ended_at: InstantOrNull
    details: Json
  }
  account: {
    id: string
    key: string
    domain: string | null
    name: string
    created_at: Generated<Date>
  }
  person: {
    id: string
    email: string | null
    email_kind: string
    account_id: string | null
    account_rule: 'override' | 'crm' | 'group' | 'domain' | null
    account_value: string | null
    /** What usage told of her traits: see `Told`. */
    told: Json
    first_seen: InstantOrNull
    last_seen: InstantOrNull
    created_at: Generated<Date>
    slot: ColumnType<number, never, never>
  }
  person_alias: { id: string; person_id: string; since: Generated<Date> }
  identity_refusal: {
    a: string
    b: Generated<string>
    kind: string
    identities: number
    since: Generated<Date>
  }
  crm_contact_company: {
    ref: string
    crm: string
    company_id: string | null
    domain: string | null
    seen_at: Instant
  }
  identity_node: { node: string; person_id: string }
  trait: {
    about: string
    id: Generated<number>
    origin: string
    name: string
    value: string
    told_at: Instant
    ended_at: InstantOrNull
    recorded_at: Instant
    end_recorded_at: InstantOrNull
  }
  sales_state: {
    about: string
    source: string
    status: string
    since: Instant
    reason: string | null
    scores: Json
    weight: Generated<number>
  }
  sales_word: {
    about: string
    id: Generated<number>
    source: string
    status: string
    since: Instant
    reason: string | null
    weight: number
    scores: Json
    recorded_at: Instant
  }
  crm_owner: {
    owner_id: string
    crm: string
    email: string | null
    name: string
    active: boolean
    user_id: string | null
    time_zone: TextOrNull
    seen_at: Instant
  }
  crm_deal: {
    deal_id: string
    crm: string
    name: string
    pipeline: string
    stage: string
    label: string
    state: CrmDealState
    stage_since: Instant
    state_since: Instant
    amount: string | null
    currency: string | null
    owner_id: string | null
    created_at: Instant
    close_at: InstantOrNull
    seen_at: Instant
  }
  crm_deal_stage: {
    deal_id: string
    crm: string
    at: Instant
    pipeline: string
    stage: string
    label: string
    state: CrmDealState
  }
  crm_deal_record: { ref: string; crm: string; deal_id: string }
  first_contact: {
    ref: string
    crm: string
    qualified_at: Instant
    at: Instant
    kind: CrmEngagementKind
    owner_id: string | null
    engagement_id: string
    seen_at: Instant
  }
  crm_look: {
    ref: string
    crm: string
    what: 'deals' | 'engagements'
    crm_id: string
    looked_at: Instant
  }
  crm_read: {
    ref: string
    crm: string
    crm_id: string
    asked: string
    read_at: Instant
    stale: Count
    reads: Count
    seen: string | null | undefined
  }
  crm_cursor: {
    crm: string
    object: string
    asked: string
    cursor: string | null
    polled_at: InstantOrNull
    again_at: InstantOrNull
  }
  crm_stream: {
    crm: string
    account: string
    place: Buffer | null
    state: 'live' | 'broken' | 'refused'
    why: TextOrNull
    since: Generated<Date>
    heard_at: InstantOrNull
  }
  crm_delivery: {
    id: Generated<number>
    crm: string
    body: string
    received_at: Generated<Date>
    taken_at: InstantOrNull
  }
  crm_former: {
    crm: string
    object: string
    crm_id: string
    ref: string
    erased: Generated<boolean>
    since: Generated<Date>
  }
  score: {
    subject_id: string
    subject: 'person' | 'account'
    model: string
    model_version: number
    score: number
    grade: string
    usage_status: string
    sales_status: string
    status_since: Instant
    qualified_at: InstantOrNull
    change: number
    trend: string
    contributions: Json
    held_until: InstantOrNull
    rose_last: boolean
    changed: Json
    missing: Json
    facts: Json
    evidence_at: InstantOrNull
    next_change_at: InstantOrNull
    as_of: Instant
  }
  score_change: {
    subject_id: string
    id: Generated<number>
    model: string
    model_version: number
    cause: string
    from_score: number | null
    to_score: number
    from_status: string | null
    to_status: string
    /** Only of a change of the sales status. */
    from_sales: string | null | undefined
    to_sales: string | null | undefined
    contributions: Json
    evidence_at: InstantOrNull
    as_of: Instant
    recorded_at: Generated<Date>
  }
  crm_record: {
    ref: string
    crm: string
    object: 'contact' | 'company'
    crm_id: string | null
    owner_id: string | null
    may_create: boolean
    lookup: Json
    desired: Json
    desired_on_create: Json
    written: JsonOrNull
    state: 'pending' | 'writing' | 'in-sync' | 'parked' | 'unlinked'
    reason: string | null
    code: string | null
    correlation_id: string | null
    company_ref: string | null
    company_linked: string | null
    created: Generated<boolean>
    on_leave: Generated<'archive' | null>
    candidates: Generated<string[] | null>
    deleted_at: InstantOrNull
    changed_at: Generated<Date>
    ledger: ColumnType<unknown, string | undefined, string>
    has_parked: ColumnType<boolean, never, never>
    turn: Count
    due_at: InstantOrNull
    urgent: Generated<boolean>
  }
  alert: {
    kind: string
    about: string
    firing: boolean
    since: InstantOrNull
    leaning_since: InstantOrNull
    text: string
    looked_at: Instant
  }
  alert_message: {
    id: Generated<string>
    channel: string
    subject: string
    body: string
    created_at: Generated<Date>
    tries: Generated<number>
    again_at: Generated<Date>
    ended_at: InstantOrNull
    outcome: TextOrNull<'sent' | 'refused'>
    error: TextOrNull
  }
  canary_beat: {
    crm: string
    let_go_at: Instant
    token: string
    seen_at: InstantOrNull
  }
  freshness: {
    ref: string
    crm: string
    object: 'contact' | 'company'
    qualified: boolean
    due_since: InstantOrNull
    due_age_ms: number | null
    arrived_at: InstantOrNull
    event_at: InstantOrNull
    in_crm_at: InstantOrNull
  }
  freshness_hour: {
    crm: string
    hour: Instant
    object: 'contact' | 'company' | 'task'
    qualified: boolean
    since: 'arrival' | 'event'
    bound: number
    n: Count
    seconds: number
  }
  crm_edit: {
    ref: string
    id: Generated<number>
    crm: string
    property: string
    seen_at: Instant
    outcome: EditOutcome
  }
  crm_compare: { crm: string; object: string; spoken_until: Instant }
  crm_rules: { crm: string; object: string; hash: string }
  task_intent: {
    key: string
    crm: string
    account_ref: string
    marker: string
    state: TaskState
    task: Json
    crm_task_id: string | null
    reason: string | null
    settle_after: InstantOrNull
    created_at: Generated<Date>
    /** The entry into `qualified` that the task is about. */
    qualified_at: InstantOrNull
    baseline: TextOrNull
    status: TextOrNull<CrmTaskStatus>
    /** Whom we gave it to, then whoever has it. */
    owner_id: TextOrNull
    completed_at: InstantOrNull
    note: TextOrNull
    read_at: InstantOrNull
    /** When what the task is about arrived, how old it was by then, and when the task was there. */
    arrived_at: InstantOrNull
    event_age_ms: ColumnType<number | null, number | null | undefined, number | null>
    in_crm_at: InstantOrNull
    playbook: Generated<string>
    person_ref: TextOrNull
    assigned_by: TextOrNull
    assigned_at: InstantOrNull
    merged_into: TextOrNull
    /** The deal that its note is on. */
    deal_id: TextOrNull
    told: JsonOrNull
    escalated_at: InstantOrNull
    contact_at: InstantOrNull
    contact_by: TextOrNull<CrmEngagementKind | 'completion'>
  }
  crm_action: {
    key: string
    id: Generated<number>
    crm: string
    ref: string
    kind: 'add' | 'remove' | 'event'
    target: string
    member_status: TextOrNull
    properties: ColumnType<unknown, string | undefined, string>
    state: Generated<'planned' | 'done' | 'refused'>
    reason: TextOrNull
    created_at: Instant
  }
  task_amendment: {
    task_key: string
    id: Generated<number>
    kind: 'reason' | 'story' | 'escalation'
    note: string
    person_refs: Generated<string[]>
    owner_id: TextOrNull
    priority: TextOrNull<CrmTask['priority']>
    state: Generated<'planned' | 'done' | 'refused'>
    reason: TextOrNull
    created_at: Generated<Date>
  }
  playbook_start: {
    key: string
    crm: string
    playbook: string
    subject_id: string
    account_ref: string
    segment: string
    evidence_at: InstantOrNull
    started_at: Instant
  }
  playbook_message: {
    key: string
    address_variable: string
    secret_variable: string | null
    body: string
    state: Generated<'planned' | 'delivered' | 'dead'>
    tries: Generated<number>
    next_at: Instant
    reason: string | null
    created_at: Instant
  }
  playbook_look: { playbook: string; crm: string; first_at: Instant }
  playbook_standing: { subject_id: string; playbook: string; crm: string; since: Instant }
  playbook_turn: { crm: string; playbook: string; segment: string; credits: Json }
  crm_provisioned: { crm: string; plan_hash: string }
  crm_bulk_job: {
    crm: string
    job_id: string
    object: string
    records: number
    begun_at: Generated<Date>
  }
  crm_account: { crm: string; account: string; seen_at: Generated<Date> }
  credential: {
    connection: string
    kind: string
    key_id: string
    sealed: Buffer
    generation: Count
    account: string | null
    scopes: string[] | null
    expires_at: Instant
    refresh_at: Instant
    forced: ColumnType<number, number | undefined, number>
    forced_since: InstantOrNull
    connected_at: ColumnType<Date, Date | undefined, Date>
    refreshed_at: ColumnType<Date, Date | undefined, Date>
  }
  oauth_state: {
    id: string
    connection: string
    secret_hash: Buffer
    redirect_uri: string
    key_id: string
    verifier: Buffer | null
    expires_at: Instant
  }
  pace: {
    name: string
    spoken_until: Instant
    calls: number | null
    interval_ms: number | null
    paused_until: InstantOrNull
    paused_why: string | null
    slowed: Generated<number>
    slowed_at: InstantOrNull
  }
  pace_day: {
    name: string
    calls: number | null
    calls_left: number | null
    seen_at: InstantOrNull
    time_zone: string | null
    paused_until: InstantOrNull
    paused_why: string | null
  }
  run: {
    id: Generated<number>
    step: string
    key: string
    started_at: Instant
    finished_at: InstantOrNull
    outcome: string | null
    counts: Json
    error: string | null
  }
  run_record: {
    run_id: number
    ref: string
    outcome: string
    reason: string | null
    correlation_id: string | null
  }
}
