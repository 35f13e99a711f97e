import { STATE_SCHEMA_VERSION } from './state.ts'

type Fields = Record<string, unknown>

/**
 * Older shapes of the state become the present one, a step for each version. Pure; what does not look like the old shape
 * passes unchanged and is refused by the schema afterwards. Events need none: what they gained since has a default.
 */
export function upcastState(schemaVersion: number, stored: unknown): unknown {
  let state = stored
  for (let version = schemaVersion; version < STATE_SCHEMA_VERSION; version += 1)
    if (isFields(state)) state = { ...UPCASTERS[version]?.(state), schemaVersion: version + 1 }
  return state
}

/** By the version that is read. */
const UPCASTERS: Record<number, (state: Fields) => Fields> = {
  // 2: sets are asserted anew under each epoch, parts are looked at before they are acted on, and failures are remembered.
  1: (state) => ({
    ...state,
    unseen: ['router', 'target'],
    lightWatch: null,
    freeze: null,
    freezeAsOf: 0,
    drift: null,
    rollout: isFields(state.rollout) ? { ...state.rollout, heldSince: null, heldMs: 0 } : state.rollout,
    blocks: [],
    automaticRollbacks: [],
    breaker: null,
    attempts: [],
    sets: listOf(state.sets).map((set) => ({ ...set, assertedEpoch: 0 })),
  }),
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const listOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isFields) : [])
