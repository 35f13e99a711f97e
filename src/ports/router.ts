import type { Result } from '../core/shared/result.ts'
import type { RouterAbilities, RouterName } from '../core/shared/router-ability.ts'
import type { RouterState } from '../core/shared/router-state.ts'
import type { ServiceRoutes } from '../core/shared/routes.ts'
import type { FencingToken } from '../core/shared/token.ts'
import type { MetricSource } from './metric.ts'

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

/** Who sends the requests of a service, by the name in its settings. */
export type RouterOf = (name: RouterName) => Pick<DataPlane, 'router' | 'counts'>

/** A router that runs as a program of its own, with the counters that come from it. */
export type DataPlane = {
  router: Router
  counts: MetricSource
  /** What it can and cannot do on this machine, asked of the program itself. Changes nothing; may be asked at any time. */
  abilities(): Promise<RouterAbilities>
  /** Lets go of sockets and timers of this process. Traffic goes on. Repeatable. */
  close(): Promise<void>
  /** Ends the program that serves, after its drains. Repeatable; one that does not run is success. */
  end(): Promise<void>
}
