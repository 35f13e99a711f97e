import type { Result } from '../core/shared/result.ts'
import type { RouterState } from '../core/shared/router-state.ts'
import type { ServiceRoutes } from '../core/shared/routes.ts'
import type { FencingToken } from '../core/shared/token.ts'

/** Who sends requests to instances. Routes are absolute and fenced; the truth is what `readState` answers. */
export interface Router {
  readonly kind: string
  /** Makes sure the data plane is there and reachable (starts it where it is ours). Safe to repeat. */
  reconcile(): Promise<Result<void>>
  /** Puts routes in force. Resolves once new requests follow them. Lower token: `STALE_TOKEN`; equal token: success, no change. */
  setRoutes(routes: ServiceRoutes): Promise<Result<void>>
  /** Weights, instances in flight and drains, as they are now. Also counts as a sign of life for the loss policy. */
  readState(service: string): Promise<Result<RouterState>>
  /** Leaves nothing of this service behind: no routes, no listener. Repeatable. */
  finalize(request: { token: FencingToken; service: string }): Promise<Result<void>>
}
