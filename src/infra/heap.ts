import { setFlagsFromString } from 'node:v8'

/**
 * Keeps V8 from placing new objects straight among the old ones where it saw many survive, as scores of
 * one shard do: there they keep what they point to alive until a full collection, and every small one
 * copies it. Call it first of all.
 */
export function tuneHeap(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
}
