import { failed, ok, type Result } from '../../../core/shared/result.ts'

/** Why the blocks of a file cannot be put together: they hold themselves, lie too deep, or grow too large. */
export type Tangle = 'cycle' | 'depth' | 'size'

/** The deepest key of Compose lies about eight levels deep. */
const MAX_DEPTH = 40
/** Values of the whole file, each alias counted as often as it stands for its block: 100 services have some thousands. */
const MAX_VALUES = 200_000
const MERGE_KEY = '<<'

/** A part of the file put together, with how many values it stands for and how deep they lie. */
type Block = { value: unknown; values: number; depth: number }

/**
 * Fills in the merge keys (`<<: *defaults`) of a tree whose aliases are shared objects. A block is put together once
 * however often it is named, and counted each time: a file that is made to grow is refused before it has grown.
 */
export function mergeKeys(tree: unknown): Result<unknown, Tangle> {
  const blocks: Blocks = { done: new Map(), open: new Set(), values: 0 }
  try {
    return ok(put(tree, blocks).value)
  } catch (error) {
    if (error instanceof TangleError) return failed(error.tangle)
    throw error
  }
}

type Blocks = { done: Map<object, Block>; open: Set<object>; values: number }

function put(node: unknown, blocks: Blocks): Block {
  if (typeof node !== 'object' || node === null) {
    count(1, blocks)
    return { value: node, values: 1, depth: 0 }
  }
  const known = blocks.done.get(node)
  if (known !== undefined) {
    if (blocks.open.size + known.depth > MAX_DEPTH) throw new TangleError('depth')
    count(known.values, blocks)
    return known
  }
  if (blocks.open.has(node)) throw new TangleError('cycle')
  if (blocks.open.size >= MAX_DEPTH) throw new TangleError('depth')
  blocks.open.add(node)
  count(1, blocks)
  const { value, parts } = Array.isArray(node) ? putList(node, blocks) : putMapping(node, blocks)
  blocks.open.delete(node)
  const block = {
    value,
    values: parts.reduce((sum, part) => sum + part.values, 1),
    depth: parts.reduce((most, part) => Math.max(most, part.depth), 0) + 1,
  }
  blocks.done.set(node, block)
  return block
}

type Put = { value: unknown; parts: Block[] }

function putList(list: readonly unknown[], blocks: Blocks): Put {
  const parts = list.map((item) => put(item, blocks))
  return { value: parts.map(({ value }) => value), parts }
}

/** What the mapping says itself comes first, then its merge keys in their order. */
function putMapping(mapping: object, blocks: Blocks): Put {
  const parts: Block[] = []
  const merged = new Map<string, unknown>()
  const sources: unknown[] = []
  for (const [key, child] of Object.entries(mapping)) {
    if (key === MERGE_KEY) {
      sources.push(...(Array.isArray(child) ? child : [child]))
      continue
    }
    const part = put(child, blocks)
    parts.push(part)
    merged.set(key, part.value)
  }
  for (const source of sources) {
    const part = put(source, blocks)
    parts.push(part)
    const isMapping = typeof part.value === 'object' && part.value !== null && !Array.isArray(part.value)
    for (const [key, value] of isMapping ? Object.entries(part.value ?? {}) : [])
      if (!merged.has(key)) merged.set(key, value)
  }
  // A key may be called like a part of every object, so none is ever assigned.
  return { value: Object.fromEntries(merged), parts }
}

function count(more: number, blocks: Blocks): void {
  blocks.values += more
  if (blocks.values > MAX_VALUES) throw new TangleError('size')
}

class TangleError extends Error {
  readonly tangle: Tangle
  constructor(tangle: Tangle) {
    super(tangle)
    this.tangle = tangle
  }
}
