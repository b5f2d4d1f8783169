import type { ObjectType } from './object-types.ts'

export interface AssociationEnd {
  readonly type: ObjectType
  readonly id: string
}

export interface AssociationLink {
  readonly typeId: number
  readonly category: string
}

interface HeldLink extends AssociationLink {
  /** True on the side that was written, false on the side that follows from it. */
  readonly written: boolean
}

/** An association as it was written. */
export interface Association extends AssociationLink {
  readonly from: AssociationEnd
  readonly to: AssociationEnd
}

/** Who is associated with whom; every link is visible from both ends. */
export class AssociationGraph {
  private readonly edges = new Map<string, Map<string, HeldLink[]>>()
  private readonly ends = new Map<string, AssociationEnd>()

  add(
    from: AssociationEnd,
    to: AssociationEnd,
    link: AssociationLink,
    reverseTypeId: number,
  ): void {
    if (this.links(from, to).some(({ typeId }) => typeId === link.typeId)) return
    this.put(from, to, { ...link, written: true })
    this.put(to, from, { ...link, typeId: reverseTypeId, written: false })
  }

  /** Removes one kind of link, or all of them without `typeId`. */
  remove(from: AssociationEnd, to: AssociationEnd, typeId?: number, reverseTypeId?: number): void {
    this.drop(from, to, typeId)
    this.drop(to, from, reverseTypeId)
  }

  links(from: AssociationEnd, to: AssociationEnd): readonly AssociationLink[] {
    return this.edges.get(key(from))?.get(key(to)) ?? []
  }

  /** Everything of one type that is associated with `from`, in order of association. */
  neighbours(from: AssociationEnd, type: ObjectType): { id: string; links: AssociationLink[] }[] {
    const found: { id: string; links: AssociationLink[] }[] = []
    for (const [other, links] of this.edges.get(key(from)) ?? []) {
      const end = this.ends.get(other)
      if (end?.type === type) found.push({ id: end.id, links })
    }
    return found
  }

  /** Every association of a record, seen from it. */
  of(from: AssociationEnd): Association[] {
    const found: Association[] = []
    for (const [other, links] of this.edges.get(key(from)) ?? []) {
      const to = this.ends.get(other)
      if (to === undefined) continue
      for (const { typeId, category } of links) found.push({ from, to, typeId, category })
    }
    return found
  }

  /** Every association once, in the direction in which it was written. */
  *all(): Generator<Association> {
    for (const [id, others] of this.edges) {
      const from = this.ends.get(id)
      for (const [other, links] of others) {
        const to = this.ends.get(other)
        for (const { typeId, category, written } of links) {
          if (from && to && written) yield { from, to, typeId, category }
        }
      }
    }
  }

  private put(from: AssociationEnd, to: AssociationEnd, link: HeldLink): void {
    this.ends.set(key(from), from)
    const others = this.edges.get(key(from)) ?? new Map<string, HeldLink[]>()
    this.edges.set(key(from), others)
    others.set(key(to), [...(others.get(key(to)) ?? []), link])
  }

  private drop(from: AssociationEnd, to: AssociationEnd, typeId: number | undefined): void {
    const others = this.edges.get(key(from))
    const kept = (others?.get(key(to)) ?? []).filter(
      (link) => typeId !== undefined && link.typeId !== typeId,
    )
    if (kept.length > 0) others?.set(key(to), kept)
    else others?.delete(key(to))
  }
}

function key({ type, id }: AssociationEnd): string {
  return `${type}:${id}`
}
