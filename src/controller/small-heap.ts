import { setFlagsFromString } from 'node:v8'

/** The heap may grow by this over what lived at the last collection. By itself V8 lets it grow to several times as much. */
const GROWING_PERCENT = 30

/**
 * A controller with very many rollouts holds a state for each, and most of what it makes besides is gone at once. So more
 * collections cost little, and without a bound the process would hold two to three times the memory it needs. Call it first.
 */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`)
}
