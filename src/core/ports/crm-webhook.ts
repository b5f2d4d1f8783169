import type { ChangedObject } from './crm.ts'

/** A request as it came in, before anybody believed it. */
export interface WebhookRequest {
  readonly method: string
  /** The public address that the sender called, query included: it is part of what is signed. */
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The body byte for byte. */
  readonly body: Uint8Array
}

/** Why a request is not believed: without signature or time, too old, from the future, or not signed by the CRM. */
export type WebhookRefusal = 'unsigned' | 'stale' | 'future' | 'forged'

/** What happened to a record: a reason to look at it, never a fact by itself. */
export type SignalKind =
  | 'changed'
  | 'created'
  | 'deleted'
  | 'restored'
  | 'merged'
  | 'associated'
  /** A person asked the CRM's owner to be deleted for good. */
  | 'erased'

export interface CrmSignal {
  /** Id of the account that it is about; null when the CRM does not say. */
  readonly account: string | null
  readonly object: ChangedObject
  readonly crmId: string
  readonly kind: SignalKind
  /** Of `changed`: the property; null when the CRM does not say. */
  readonly property: string | null
  /** What it was changed to, where the CRM says so; nothing is taken from it but that it may be our own write. */
  readonly value?: string | null
  /** Of `merged`: the record that is left. */
  readonly mergedInto: string | null
}

/** What one delivery says, and how much of it nobody understood. */
export interface Signals {
  readonly signals: readonly CrmSignal[]
  /** Events of kinds or objects that are not looked at, and what could not be read. */
  readonly ignored: number
  /** Objects of which more happened than was told: what changed there must be asked for. */
  readonly missed?: readonly ChangedObject[]
}

/** A CRM that tells what happens to its records. What it tells may be lost, repeated, and in any order. */
export interface CrmTeller {
  /** Name of the CRM. */
  readonly name: string
  /** Reads a stored body; never throws. */
  parse(body: string): Signals
}

/** Tells by requests. */
export interface CrmWebhook extends CrmTeller {
  /** @returns null when the request is the CRM's. */
  verify(request: WebhookRequest, now: Date): WebhookRefusal | null
}
