import { abort } from './abort.ts'
import { adopt } from './adopt.ts'
import { blockRelease } from './block-release.ts'
import { checkRouters } from './check-routers.ts'
import { closeBreaker } from './close-breaker.ts'
import type { OperationContext } from './context.ts'
import { deploy } from './deploy.ts'
import { diagnose } from './diagnose.ts'
import { discardRelease } from './discard-release.ts'
import { explainRollout } from './explain-rollout.ts'
import { freeze, unfreeze } from './freeze.ts'
import { getLogs } from './get-logs.ts'
import { getPlan } from './get-plan.ts'
import { getRollout } from './get-rollout.ts'
import { getSeries } from './get-series.ts'
import { getService } from './get-service.ts'
import { jump } from './jump.ts'
import { listMessages } from './list-messages.ts'
import { listReleases } from './list-releases.ts'
import { listRollouts } from './list-rollouts.ts'
import { listServices } from './list-services.ts'
import type { Operation } from './operation.ts'
import { pause } from './pause.ts'
import { plan } from './plan.ts'
import { promote } from './promote.ts'
import { replayRollout } from './replay-rollout.ts'
import { resume } from './resume.ts'
import { rollback } from './rollback.ts'
import { shutdown } from './shutdown.ts'
import { unadopt } from './unadopt.ts'
import { unblockRelease } from './unblock-release.ts'
import { getProxy, upgradeRouter } from './upgrade-router.ts'

/** Every use case there is. Each becomes a route, a command and an entry of the reference. */
export const OPERATIONS: readonly Operation<OperationContext>[] = [
  listServices,
  getService,
  plan,
  getPlan,
  deploy,
  promote,
  jump,
  pause,
  resume,
  abort,
  rollback,
  adopt,
  unadopt,
  checkRouters,
  getProxy,
  upgradeRouter,
  freeze,
  unfreeze,
  listRollouts,
  getRollout,
  getSeries,
  explainRollout,
  replayRollout,
  getLogs,
  listReleases,
  discardRelease,
  blockRelease,
  unblockRelease,
  closeBreaker,
  listMessages,
  diagnose,
  shutdown,
]
