import type { Request, Response } from 'express'
import { escapeXml, sendError, XML } from './s3-error.ts'
import type { StoredObject } from './s3-sandbox.ts'

/** ListObjectsV2: names in order, page by page. */
export function listObjects(
  { query }: Request,
  res: Response,
  bucket: string,
  objects: ReadonlyMap<string, StoredObject>,
  pageSize: number,
): void {
  if (query['list-type'] !== '2') {
    const message = 'Only ListObjectsV2 is played here'
    sendError(res, { status: 501, code: 'NotImplemented', message })
    return
  }
  const prefix = String(query['prefix'] ?? '')
  const after = afterOf(query['continuation-token'])
  if (after === null) {
    const message = 'The continuation token provided is incorrect'
    sendError(res, { status: 400, code: 'InvalidArgument', message })
    return
  }
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort()
  const page = keys.slice(0, pageSize)
  const last = page.at(-1)
  const more = last !== undefined && keys.length > page.length
  const contents = page.map((key) => contentsOf(key, objects.get(key)))
  const next = more ? `<NextContinuationToken>${tokenOf(last)}</NextContinuationToken>` : ''
  res.status(200).type('application/xml')
  res.send(
    `${XML}<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${escapeXml(bucket)}</Name><Prefix>${escapeXml(prefix)}</Prefix><KeyCount>${page.length}</KeyCount><MaxKeys>${pageSize}</MaxKeys><IsTruncated>${more}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
  )
}

function contentsOf(key: string, object: StoredObject | undefined): string {
  const { etag = '', body, lastModified } = object ?? {}
  return `<Contents><Key>${escapeXml(key)}</Key><LastModified>${lastModified?.toISOString()}</LastModified><ETag>${escapeXml(etag)}</ETag><Size>${body?.length ?? 0}</Size><StorageClass>STANDARD</StorageClass></Contents>`
}

const MARK = 'after '
const tokenOf = (key: string): string => Buffer.from(`${MARK}${key}`).toString('base64')

/** The name after which a page begins; null when the token is none of ours. */
function afterOf(token: unknown): string | null {
  if (token === undefined) return ''
  const text = Buffer.from(String(token), 'base64').toString()
  return text.startsWith(MARK) ? text.slice(MARK.length) : null
}
