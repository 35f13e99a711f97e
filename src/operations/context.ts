import type * as z from 'zod'
import type { ServiceSettings } from '../core/release/settings.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import type { ServiceView } from '../core/rollout/view/view.ts'
import type { Result } from '../core/shared/result.ts'
import type { RouterAbilities, RouterName } from '../core/shared/router-ability.ts'
import type { Engine } from '../engine/engine.ts'
import type { Clock } from '../ports/clock.ts'
import type { Freezes } from '../ports/freezes.ts'
import type { Ids } from '../ports/ids.ts'
import type { ProxyProgram } from '../ports/proxy.ts'
import type { Store } from '../ports/store.ts'
import type { Target } from '../ports/target.ts'
import type { Operation } from './operation.ts'

/** What operations work with; made by the composition root. */
export interface OperationContext {
  readonly engine: Engine
  readonly store: Store
  readonly target: Target
  readonly freezes: Freezes
  /** The built-in proxy as a program. */
  readonly proxy: ProxyProgram
  /** What a router can and cannot do on this machine, asked of its program. */
  abilitiesOf(router: RouterName): Promise<RouterAbilities>
  /** The newest lines that the built-in proxy wrote about requests; none where it writes none. */
  accessLines(stream: string, count: number): Promise<Result<string[]>>
  /** Reads the certificate that the settings name: why it cannot serve, or what a plan should warn of. */
  checkCertificate(settings: ServiceSettings): Promise<Result<string[]>>
  /** Certificates and keys that the file names, for every service in every environment; absolute paths. */
  certificateFiles(): string[]
  readonly clock: Clock
  readonly ids: Ids
  /** Reads and checks the file anew; the file of this moment counts. */
  loadSettings(environment: string): Result<ServiceSettings[]>
  /** Notification channels that could not be heard of, and metrics that could not judge, as things are; in one sentence each. */
  channelWarnings(settings: ServiceSettings): string[]
  /** SHA-256 over the canonical JSON of a value, in hex. */
  digest(value: unknown): string
  viewOf(stream: string, loaded: { state: ServiceState; revision: number }): ServiceView
  /** Runs a task that makes an artifact and records its release, safe from the removal of old artifacts. */
  preparing<T>(task: () => Promise<T>): Promise<T>
  /** Runs tasks of one name one after the other. */
  inTurn<T>(name: string, task: () => Promise<T>): Promise<T>
  /** Something was decided about the stream: whoever looks after it should look now, and somebody should. */
  attend(stream: string): void
  /** Ends the controller; with `everything` also the instances, the agent and the proxy. Returns when it is under way. */
  shutdown(everything: boolean): void
}

export const operationOf = <Input extends z.ZodType, Output extends z.ZodType>(
  definition: Operation<OperationContext, Input, Output>,
): Operation<OperationContext, Input, Output> => definition
