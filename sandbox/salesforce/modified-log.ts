/** Ids by the moment of their last change, so that "what changed since" need not look at all. */
export class ModifiedLog {
  private stamps: number[] = []
  private ids: string[] = []
  private readonly last = new Map<string, number>()

  /** Notes that a record changed at a moment; what was noted before no longer counts. */
  note(id: string, at: number): void {
    this.last.set(id, at)
    const end = this.stamps.length
    const isLast = end === 0 || (this.stamps[end - 1] ?? 0) <= at
    const place = isLast ? end : this.place(at + 1)
    if (isLast) {
      this.stamps.push(at)
      this.ids.push(id)
    } else {
      this.stamps.splice(place, 0, at)
      this.ids.splice(place, 0, id)
    }
    if (this.ids.length > 1000 && this.ids.length > this.last.size * 2) this.compact()
  }

  forget(id: string): void {
    this.last.delete(id)
  }

  /** Ids whose last change lies in `[from, until)`, oldest first. */
  *between(from: number, until = Number.POSITIVE_INFINITY): Generator<string> {
    // A record that changed twice within a second stands here twice.
    const seen = new Set<string>()
    for (let place = this.place(from); place < this.ids.length; place++) {
      const stamp = this.stamps[place] ?? 0
      if (stamp >= until) return
      const id = this.ids[place] ?? ''
      if (this.last.get(id) !== stamp || seen.has(id)) continue
      seen.add(id)
      yield id
    }
  }

  /** The first place whose stamp is not before `at`. */
  private place(at: number): number {
    let low = 0
    let high = this.stamps.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.stamps[middle] ?? 0) < at) low = middle + 1
      else high = middle
    }
    return low
  }

  private compact(): void {
    const seen = new Set<string>()
    const stamps: number[] = []
    const ids: string[] = []
    for (const [place, id] of this.ids.entries()) {
      const stamp = this.stamps[place] ?? 0
      if (this.last.get(id) !== stamp || seen.has(id)) continue
      seen.add(id)
      stamps.push(stamp)
      ids.push(id)
    }
    this.stamps = stamps
    this.ids = ids
  }
}
