import type { Event } from '../core/rollout/event.ts'
import type { ServiceState } from '../core/rollout/state.ts'

/** What a command led to, written: its events, the state after them, and the number of the last one. */
export type Decided = { state: ServiceState; revision: number; events: readonly Event[] }
