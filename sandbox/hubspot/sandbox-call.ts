/** One call, noted when it was answered or broken off. */
export interface SandboxCall {
  readonly method: string
  /** The path with placeholders, such as `/crm/v3/objects/:objectType/batch/upsert`. */
  readonly route: string
  /** The path as it was called, without the query. */
  readonly path: string
  /** 0 when the connection was broken off instead. */
  readonly status: number
  readonly kind: 'read' | 'write'
  /** Records named: the length of `inputs`, or 1. */
  readonly inputs: number
  /** Milliseconds since 1970. */
  readonly at: number
}
