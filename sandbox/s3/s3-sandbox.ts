import { createHash } from 'node:crypto'
import express, { type Request, type Response } from 'express'
import { createCallLog, type UsageCall } from '../usage-calls.ts'
import {
  type BytesFault,
  createFaults,
  type EarlyFault,
  type FaultPlayer,
  type FaultScript,
  playBytes,
  playEarly,
} from '../usage-faults.ts'
import { listObjects } from './list-objects.ts'
import { type S3Error, sendError } from './s3-error.ts'
import { refuseSignature, type S3Login } from './signature.ts'

/** What can go wrong besides faults of the wire. */
export type S3Fault =
  | EarlyFault
  | BytesFault
  | { readonly kind: 's3-error'; readonly error: S3Error }

export interface S3SandboxOptions extends S3Login {
  readonly bucket: string
  /** Most names in one page of a listing; 1000 as with S3. */
  readonly pageSize?: number
  readonly now?: () => Date
}

export interface StoredObject {
  readonly body: Buffer
  readonly etag: string
  readonly lastModified: Date
}

/** A running stand-in for an S3 bucket that is read by path: ListObjectsV2 and GetObject. */
export interface S3Sandbox {
  readonly router: express.Router
  /** The range that a rule's `when` sees is the name of the object twice; null for a listing. */
  readonly faults: FaultScript<S3Fault>
  put(key: string, body: Buffer): void
  remove(key: string): void
  calls(): readonly UsageCall[]
  resetCalls(): void
}

interface State {
  readonly options: S3SandboxOptions
  readonly objects: Map<string, StoredObject>
  readonly faults: FaultPlayer<Exclude<S3Fault, EarlyFault>>
}

/** Makes a stand-in for one bucket, to be mounted at the root of a server. */
export function createS3Sandbox(options: S3SandboxOptions): S3Sandbox {
  const faults = createFaults<Exclude<S3Fault, EarlyFault>>()
  const state: State = { options, objects: new Map(), faults }
  const calls = createCallLog()
  const router = express.Router()
  router.get('/:bucket{/*key}', async (req, res) => {
    const key = keyOf(req)
    const range = key === '' ? null : { from: key, to: key }
    calls.note(req, res, range)
    await answer(state, req, res, key)
  })
  const now = options.now ?? (() => new Date())
  return {
    router,
    faults,
    put(key, body) {
      const etag = `"${createHash('md5').update(body).digest('hex')}"`
      state.objects.set(key, { body, etag, lastModified: now() })
    },
    remove: (key) => void state.objects.delete(key),
    calls: () => calls.list(),
    resetCalls: () => calls.reset(),
  }
}

/** Decoded; empty for the bucket itself. */
function keyOf(req: Request): string {
  const { pathname } = new URL(req.originalUrl, 'http://sandbox')
  return decodeURIComponent(pathname.split('/').slice(2).join('/'))
}

async function answer(state: State, req: Request, res: Response, key: string) {
  const { options, objects, faults } = state
  const range = key === '' ? null : { from: key, to: key }
  const early = faults.takeEarly(range)
  if (early !== undefined && (await playEarly(res, early))) return
  const refused = refuseSignature(req, options, (options.now ?? (() => new Date()))())
  if (refused) return sendError(res, refused)
  if (req.params['bucket'] !== options.bucket) return sendError(res, NO_BUCKET)
  const fault = early === undefined ? faults.takeForBody(range) : undefined
  if (fault?.kind === 's3-error') return sendError(res, fault.error)
  if (key === '') return listObjects(req, res, options.bucket, objects, options.pageSize ?? 1000)
  const object = objects.get(key)
  if (!object) return sendError(res, NO_KEY)
  const wanted = req.headers['if-match']
  if (wanted !== undefined && wanted !== object.etag) return sendError(res, CHANGED)
  await sendObject(res, object, fault)
}

async function sendObject(res: Response, object: StoredObject, fault: BytesFault | undefined) {
  const { body, etag, lastModified } = object
  res.status(200).set({
    'content-type': 'application/octet-stream',
    'content-length': String(body.length),
    'last-modified': lastModified.toUTCString(),
    etag,
  })
  if (fault) await playBytes(res, body, fault)
  else res.end(body)
}

const NO_BUCKET: S3Error = {
  status: 404,
  code: 'NoSuchBucket',
  message: 'The specified bucket does not exist',
}
const NO_KEY: S3Error = {
  status: 404,
  code: 'NoSuchKey',
  message: 'The specified key does not exist.',
}
const CHANGED: S3Error = {
  status: 412,
  code: 'PreconditionFailed',
  message: 'At least one of the pre-conditions you specified did not hold',
}
