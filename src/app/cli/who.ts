import { userInfo } from 'node:os'

/** The user of the operating system who runs this: a name, or a number where there is no name. */
export function whoRuns(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run as a number that no name belongs to.
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
