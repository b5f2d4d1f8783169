type Present<Given> = { [Name in keyof Given]: Exclude<Given[Name], undefined> }

/** The same without what is undefined, for options that must be absent or there. */
export function dropAbsent<Given extends object>(given: Given): Present<Given> {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Present<Given>
}
