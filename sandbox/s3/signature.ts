import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Request } from 'express'
import type { S3Error } from './s3-error.ts'

export interface S3Login {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
}

const SKEW_MS = 15 * 60_000

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/

/**
 * Verifies a request's Signature Version 4 in its Authorization header, as S3 does; null when it is good.
 * Only requests without a body come here.
 */
export function refuseSignature(req: Request, login: S3Login, now: Date): S3Error | null {
  const match = AUTHORIZATION.exec(req.headers.authorization ?? '')
  if (!match) return { status: 403, code: 'AccessDenied', message: 'Access Denied' }
  const [, keyId = '', day = '', region = '', signed = '', signature = ''] = match
  if (keyId !== login.accessKeyId) {
    return {
      status: 403,
      code: 'InvalidAccessKeyId',
      message: 'The AWS Access Key Id you provided does not exist in our records.',
    }
  }
  if (region !== login.region) {
    return {
      status: 400,
      code: 'AuthorizationHeaderMalformed',
      message: `The authorization header is malformed; the region '${region}' is wrong; expecting '${login.region}'`,
    }
  }
  const at = String(req.headers['x-amz-date'] ?? '')
  if (!at.startsWith(day) || Math.abs(instantOf(at) - now.getTime()) > SKEW_MS) {
    return {
      status: 403,
      code: 'RequestTimeTooSkewed',
      message: 'The difference between the request time and the current time is too large.',
    }
  }
  const names = signed.split(';')
  const complete = names.includes('host') && names.includes('x-amz-date')
  const scope = `${day}/${region}/s3/aws4_request`
  const text = ['AWS4-HMAC-SHA256', at, scope, sha256(canonicalRequest(req, names))].join('\n')
  const right = hmac(signingKey(login.secretAccessKey, day, region), text)
  if (complete && timingSafeEqual(right, Buffer.from(signature, 'hex'))) return null
  return {
    status: 403,
    code: 'SignatureDoesNotMatch',
    message: 'The request signature we calculated does not match the signature you provided.',
  }
}

/** The request in the one form that both sides sign. */
function canonicalRequest(req: Request, names: readonly string[]): string {
  const { pathname, searchParams } = new URL(req.originalUrl, 'http://sandbox')
  const query = [...searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&')
  const headers = names.map((name) => `${name}:${String(req.headers[name] ?? '').trim()}\n`)
  return [
    req.method,
    pathname
      .split('/')
      .map((part) => encode(decodeURIComponent(part)))
      .join('/'),
    query,
    headers.join(''),
    names.join(';'),
    String(req.headers['x-amz-content-sha256'] ?? ''),
  ].join('\n')
}

function signingKey(secret: string, day: string, region: string): Buffer {
  const parts = [day, region, 's3', 'aws4_request']
  return parts.reduce(hmac, Buffer.from(`AWS4${secret}`))
}

/** `20260901T050000Z`; NaN for anything else. */
function instantOf(text: string): number {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text)
  const [, year, month, day, hour, minute, second] = match ?? []
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}

const encode = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  )
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
