/** Record ids by one property's value, in lower case. Single ids are kept bare to stay small. */
export class ValueIndex {
  private readonly ids = new Map<string, string | Set<string>>()

  add(value: string, id: string): void {
    const key = value.toLowerCase()
    const held = this.ids.get(key)
    if (held === undefined || held === id) this.ids.set(key, id)
    else if (typeof held === 'string') this.ids.set(key, new Set([held, id]))
    else held.add(id)
  }

  remove(value: string, id: string): void {
    const key = value.toLowerCase()
    const held = this.ids.get(key)
    if (held === id) this.ids.delete(key)
    else if (typeof held === 'object') {
      held.delete(id)
      if (held.size === 0) this.ids.delete(key)
    }
  }

  find(value: string): readonly string[] {
    const held = this.ids.get(value.toLowerCase())
    if (held === undefined) return []
    return typeof held === 'string' ? [held] : [...held]
  }
}
