import { randomUUID } from 'node:crypto'

/** A profile that the stand-in keeps. */
export interface SandboxProfile {
  readonly distinctId: string
  readonly properties: Readonly<Record<string, unknown>>
  /** The data group that it belongs to; absent for a person. */
  readonly dataGroupId?: string
}

/** Profiles, handed out in pages of a session: what was there when its first page was asked for. */
export interface EngageBook {
  /** The page that a form asks for, or why not, in Mixpanel's words. */
  answer(form: Readonly<Record<string, unknown>>): object | { readonly error: string }
  set(profiles: readonly SandboxProfile[]): void
  expireSessions(): void
}

export function createEngageBook(first: readonly SandboxProfile[], pageSize: number): EngageBook {
  let profiles = first
  const sessions = new Map<string, readonly SandboxProfile[]>()
  return {
    answer(form) {
      const page = form['page'] === undefined ? 0 : Number(form['page'])
      const given = form['session_id']
      if (!Number.isInteger(page) || page < 0) return { error: "Invalid parameter 'page'" }
      if (page > 0 && typeof given !== 'string') {
        return { error: 'session_id is required for pages after the first' }
      }
      const session = typeof given === 'string' ? given : randomUUID()
      if (page === 0) {
        const group = form['data_group_id']
        sessions.set(
          session,
          profiles.filter(({ dataGroupId }) => dataGroupId === group),
        )
      }
      const all = sessions.get(session)
      if (!all) return { error: 'session_id is unknown or has expired' }
      return {
        computed_at: '2026-09-01T00:00:00.000000+00:00',
        page,
        page_size: pageSize,
        results: all.slice(page * pageSize, (page + 1) * pageSize).map((profile) => ({
          $distinct_id: profile.distinctId,
          $properties: profile.properties,
        })),
        session_id: session,
        status: 'ok',
        total: all.length,
      }
    },
    set(next) {
      profiles = next
    },
    expireSessions: () => sessions.clear(),
  }
}
