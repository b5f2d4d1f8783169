import { fieldFiles, type PackageFile } from './field-files.ts'
import { changeDataCaptureFiles, flowFiles, leadConvertFiles } from './optional-files.ts'
import { permissionFiles } from './permission-files.ts'
import { viewFiles } from './view-files.ts'

/** Package directories, the first one the default; the others are deployed when they are wanted. */
const DIRECTORIES: Readonly<Record<string, () => PackageFile[]>> = {
  'force-app': () => [...fieldFiles(), ...permissionFiles(), ...viewFiles()],
  'lead-convert': leadConvertFiles,
  'change-data-capture': changeDataCaptureFiles,
  'flow-draft': flowFiles,
}

/** Every file of the SFDX project: path within `embed/salesforce`, and text. */
export function packageFiles(): ReadonlyMap<string, string> {
  const files = Object.entries(DIRECTORIES).flatMap(([directory, make]) =>
    make().map(([path, text]) => [`${directory}/main/default/${path}`, text] as const),
  )
  return new Map([['sfdx-project.json', projectFile()], ...files])
}

function projectFile(): string {
  const packageDirectories = Object.keys(DIRECTORIES).map((path, index) =>
    index === 0 ? { path, default: true } : { path },
  )
  const project = { packageDirectories, namespace: '', sourceApiVersion: '67.0' }
  return `${JSON.stringify(project, null, 2)}\n`
}
