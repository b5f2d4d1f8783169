/** Disjoint sets of ids; each set is named by its smallest id. */
export interface Forest {
  /** The name of an id's set; an id that is new is a set of its own. */
  readonly find: (id: string) => string
  readonly join: (a: string, b: string) => void
  /** Every id → the name of its set. */
  readonly roots: () => Map<string, string>
}

export function createForest(ids: Iterable<string> = []): Forest {
  const parent = new Map<string, string>()
  for (const id of ids) parent.set(id, id)
  const find = (id: string): string => {
    let root = id
    for (let up = parent.get(root); up !== undefined && up !== root; up = parent.get(root))
      root = up
    for (let at = id; at !== root; ) {
      const next = parent.get(at) ?? root
      parent.set(at, root)
      at = next
    }
    if (!parent.has(root)) parent.set(root, root)
    return root
  }
  return {
    find,
    join(a, b) {
      const [ra, rb] = [find(a), find(b)]
      if (ra < rb) parent.set(rb, ra)
      else if (rb < ra) parent.set(ra, rb)
    },
    roots: () => new Map([...parent.keys()].map((id) => [id, find(id)])),
  }
}
