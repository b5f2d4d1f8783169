import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../../../core/errors.ts'
import { FILE_KINDS, type FileKind, jsonSchemaOf } from '../../../core/mapping/file-kinds.ts'
import { table } from '../tables.ts'
import { print, printJson } from '../with-app.ts'

interface SchemaOptions {
  readonly out?: string
  readonly json?: boolean
}

/** `ripen schema`: the JSON Schemas of the files that RevOps edits, for editors and other tools. */
export async function schemaCommand(name: string | undefined, options: SchemaOptions) {
  const kinds = name === undefined ? FILE_KINDS : [kindNamed(name)]
  if (options.out !== undefined) return writeSchemas(kinds, options.out, options.json === true)
  const [first] = kinds
  if (name !== undefined && first) return printJson(jsonSchemaOf(first))
  if (options.json) {
    return printJson(Object.fromEntries(kinds.map((kind) => [kind.name, jsonSchemaOf(kind)])))
  }
  print(table(kinds.map((kind) => [kind.name, kind.files.join(', '), kind.title])))
  print('\nOne of them: ripen schema <kind>; all as files for an editor: ripen schema --out <dir>')
}

/** @throws {ConfigError} naming those that there are. */
function kindNamed(name: string): FileKind {
  const found = FILE_KINDS.find((kind) => kind.name === name)
  if (found) return found
  const known = FILE_KINDS.map((kind) => kind.name).join(', ')
  throw new ConfigError(`${name} is no kind of mapping file; take one of ${known}`)
}

async function writeSchemas(
  kinds: readonly FileKind[],
  folder: string,
  asJson: boolean,
): Promise<void> {
  const written = kinds.map((kind) => {
    return { kind: kind.name, files: kind.files, path: join(folder, `${kind.name}.schema.json`) }
  })
  try {
    await mkdir(folder, { recursive: true })
    for (const [index, kind] of kinds.entries()) {
      const text = `${JSON.stringify(jsonSchemaOf(kind), null, 2)}\n`
      await writeFile(written[index]?.path ?? '', text)
    }
  } catch (cause) {
    throw new ConfigError(`the folder ${folder} cannot be written; check --out`, { cause })
  }
  if (asJson) return printJson({ written })
  print(table(written.map(({ path, files }) => [path, files.join(', ')])))
  print('\nFirst line of a file that an editor is to check, with the path from the file:')
  print(`# yaml-language-server: $schema=${written[0]?.path}`)
}
