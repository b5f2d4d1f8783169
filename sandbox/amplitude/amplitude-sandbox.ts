import { Buffer } from 'node:buffer'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import express, { type Request, type Response } from 'express'
import { type GrowingRows, growingRows, type UsageRows } from '../company/usage-rows.ts'
import { type AskedRange, createCallLog, type UsageCall } from '../usage-calls.ts'
import {
  type BytesFault,
  createFaults,
  type EarlyFault,
  type FaultPlayer,
  type FaultScript,
  playBytes,
  playEarly,
} from '../usage-faults.ts'
import { corruptFirst, duplicated, exportEntries } from './export-archive.ts'
import { type ZipEntry, zipBytes } from './zip-writer.ts'

/** What can go wrong with an archive. */
export type ArchiveFault =
  | BytesFault
  /** A 200 that ends well on the wire, with the last third of the zip missing. */
  | { readonly kind: 'zip-cut-short' }
  /** A sound zip whose first entry holds broken gzip data. */
  | { readonly kind: 'corrupt-entry' }
  /** Every row twice, in entries of their own, as after an overlapping backfill. */
  | { readonly kind: 'duplicates' }

/** How the stand-in for Amplitude is set up. */
export interface AmplitudeSandboxOptions {
  readonly apiKey: string
  readonly secretKey: string
  /** Leads the entry names. */
  readonly projectId?: string
  /** Rows by UTC hour of upload, `YYYY-MM-DDTHH`. */
  readonly events: UsageRows
  /** Before every answer. */
  readonly latencyMs?: number
  /** Of data before compression; 4 GB as with Amplitude. */
  readonly sizeLimitBytes?: number
}

/** A running stand-in for Amplitude's Export API. */
export interface AmplitudeSandbox {
  readonly router: express.Router
  readonly faults: FaultScript<EarlyFault | ArchiveFault>
  /** Lets more events arrive in their hours. */
  add(rows: UsageRows): void
  calls(): readonly UsageCall[]
  resetCalls(): void
}

const LONGEST_RANGE_MS = 365 * 86_400_000

interface State {
  readonly options: AmplitudeSandboxOptions
  readonly rows: GrowingRows
  readonly faults: FaultPlayer<ArchiveFault>
  readonly sizes: Map<string, number>
}

/** Makes a stand-in for Amplitude's Export API, to be mounted at the root of a server. */
export function createAmplitudeSandbox(options: AmplitudeSandboxOptions): AmplitudeSandbox {
  const state: State = {
    options,
    rows: growingRows(options.events),
    faults: createFaults<ArchiveFault>(),
    sizes: new Map(),
  }
  const calls = createCallLog()
  const router = express.Router()
  router.get('/api/2/export', async (req, res) => {
    const range = askedRange(req)
    calls.note(req, res, range)
    await answer(state, req, res, range)
  })
  return {
    router,
    faults: state.faults,
    add(rows) {
      state.rows.add(rows)
      for (const key of rows.keys()) state.sizes.delete(key)
    },
    calls: () => calls.list(),
    resetCalls: () => calls.reset(),
  }
}

async function answer(state: State, req: Request, res: Response, range: AskedRange | null) {
  const { latencyMs = 0 } = state.options
  if (latencyMs > 0) await sleep(latencyMs)
  const early = state.faults.takeEarly(range)
  if (early !== undefined && (await playEarly(res, early))) return
  const found = await hoursFor(state, req, range)
  if ('text' in found) {
    res.status(found.status).type('text').send(found.text)
    return
  }
  const fault = early === undefined ? state.faults.takeForBody(range) : undefined
  await sendArchive(state, res, found.hours, fault)
}

interface Refusal {
  readonly status: number
  readonly text: string
}

/** The hours to send, or why not, in Amplitude's words where they are known. */
async function hoursFor(
  state: State,
  req: Request,
  range: AskedRange | null,
): Promise<Refusal | { readonly hours: readonly string[] }> {
  const { apiKey, secretKey, sizeLimitBytes = 4 * 2 ** 30 } = state.options
  const login = Buffer.from(`${apiKey}:${secretKey}`).toString('base64')
  const given = req.headers.authorization
  if (given === undefined) return { status: 401, text: 'Unauthorized' }
  if (given !== `Basic ${login}`) return { status: 403, text: 'Invalid API Key' }
  const from = hourKey(range?.from)
  const to = hourKey(range?.to)
  if (from === null || to === null) {
    return { status: 400, text: 'start and end must be hours in the form YYYYMMDDTHH' }
  }
  if (from > to) return { status: 400, text: 'start must not be later than end' }
  if (Date.parse(`${to}:00Z`) - Date.parse(`${from}:00Z`) >= LONGEST_RANGE_MS) {
    return { status: 400, text: 'The time range must not exceed 365 days' }
  }
  const hours = state.rows.between(from, to)
  if (hours.length === 0) return { status: 404, text: 'Raw data files were not found.' }
  if ((await sizeOf(state, hours)) > sizeLimitBytes) {
    return { status: 400, text: 'The exported data is too large. Shorten the time range.' }
  }
  return { hours }
}

async function sendArchive(
  { rows, options }: State,
  res: Response,
  hours: readonly string[],
  fault: ArchiveFault | undefined,
) {
  const bytes = zipBytes(
    entriesWith(fault, exportEntries(options.projectId ?? '431207', rows, hours)),
  )
  res.status(200).set({
    'content-type': 'application/zip',
    'content-disposition': 'attachment; filename="export.zip"',
  })
  if (fault === undefined || fault.kind === 'corrupt-entry' || fault.kind === 'duplicates') {
    // A client that leaves in the middle is no failure of the server.
    await pipeline(Readable.from(bytes), res).catch(() => res.destroy())
    return
  }
  const body = await buffer(Readable.from(bytes))
  if (fault.kind === 'zip-cut-short') res.end(body.subarray(0, Math.ceil((body.length * 2) / 3)))
  else await playBytes(res, body, fault)
}

function entriesWith(fault: ArchiveFault | undefined, entries: AsyncIterable<ZipEntry>) {
  if (fault?.kind === 'corrupt-entry') return corruptFirst(entries)
  return fault?.kind === 'duplicates' ? duplicated(entries) : entries
}

/** Bytes of the rows before compression; measured once for each hour, without holding up others. */
async function sizeOf({ rows, sizes }: State, hours: readonly string[]): Promise<number> {
  let sum = 0
  for (const hour of hours) {
    let size = sizes.get(hour)
    if (size === undefined) {
      size = rows.get(hour)?.reduce((all, row) => all + Buffer.byteLength(row) + 1, 0) ?? 0
      sizes.set(hour, size)
      await setImmediate()
    }
    sum += size
  }
  return sum
}

function askedRange({ query }: Request): AskedRange | null {
  const { start, end } = query
  return typeof start === 'string' && typeof end === 'string' ? { from: start, to: end } : null
}

/** `20260901T05` as the key of its bucket, or null when there is no such hour. */
function hourKey(text: string | undefined): string | null {
  const found = /^(\d{4})(\d{2})(\d{2})T(\d{2})$/.exec(text ?? '')
  if (found === null) return null
  const key = `${found[1]}-${found[2]}-${found[3]}T${found[4]}`
  const when = new Date(`${key}:00Z`)
  return !Number.isNaN(when.getTime()) && when.toISOString().startsWith(key) ? key : null
}
