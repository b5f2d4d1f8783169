import { XMLBuilder } from 'fast-xml-parser'

/** An element's content; a list repeats the element. */
export type Metadata = {
  readonly [element: string]: string | number | boolean | Metadata | readonly (string | Metadata)[]
}

const NAMESPACE = 'http://soap.sforce.com/2006/04/metadata'

const builder = new XMLBuilder({
  format: true,
  indentBy: '    ',
  ignoreAttributes: false,
  suppressBooleanAttributes: false,
})

/** The text of one metadata file, such as a `CustomField`. */
export function metadataXml(type: string, content: Metadata): string {
  const root = { [type]: { '@_xmlns': NAMESPACE, ...content } }
  return `<?xml version="1.0" encoding="UTF-8"?>\n${builder.build(root)}`
}
