const MAX_CALLS = 200_000

/** The calls so far; the oldest are forgotten after 200,000. */
export class CallLog<Call> {
  private entries: Call[] = []

  add(call: Call): void {
    this.entries.push(call)
    if (this.entries.length > MAX_CALLS * 1.1) this.entries = this.entries.slice(-MAX_CALLS)
  }

  list(): readonly Call[] {
    return [...this.entries]
  }

  clear(): void {
    this.entries = []
  }
}
