import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { exportEntries } from '../amplitude/export-archive.ts'
import { zipBytes } from '../amplitude/zip-writer.ts'
import type { SampleCompany } from './sample-company.ts'

/** Where the two export files lie. */
export interface CompanyFiles {
  readonly amplitude: string
  readonly mixpanel: string
}

/** Writes everything as the files that the two vendors would hand out; makes `dir` when missing. */
export async function writeCompanyFiles(
  company: SampleCompany,
  dir: string,
): Promise<CompanyFiles> {
  await mkdir(dir, { recursive: true })
  const files = { amplitude: join(dir, 'amplitude.zip'), mixpanel: join(dir, 'mixpanel.jsonl') }
  const hours = [...company.amplitude.keys()]
  const entries = exportEntries(String(company.projects.amplitude), company.amplitude, hours)
  await pipeline(Readable.from(zipBytes(entries)), createWriteStream(files.amplitude))
  await pipeline(Readable.from(dayTexts(company)), createWriteStream(files.mixpanel))
  return files
}

function* dayTexts({ mixpanel }: SampleCompany): Generator<string> {
  for (const day of mixpanel.keys()) yield `${(mixpanel.get(day) ?? []).join('\n')}\n`
}
