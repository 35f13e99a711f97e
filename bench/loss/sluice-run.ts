import { setTimeout as pause } from 'node:timers/promises'
import { type Cost, startPhasedLoad } from '../kit/phased-load.ts'
import { signal, until } from '../kit/processes.ts'
import { type ServiceStatus, type Stage, setStage } from '../kit/stage.ts'

/** Short, but each does what the long ones do. Latency is not judged: a tenth of the requests is slow on purpose. */
const SETTINGS = {
  drain: { requests: '5s', websockets: '3s' },
  strategy: {
    canary: {
      steps: [
        { weight: '5%', pause: '2s' },
        { weight: '25%', pause: '2s' },
        { weight: '50%', pause: '2s' },
        { weight: '100%' },
      ],
      watch: '2s',
      hold: '1s',
    },
  },
  analysis: {
    interval: '500ms',
    compare: { latency: 'off' },
    critical: { p99: 'off', p95TimesStable: 'off' },
    warning: { p99: 'off', p95TimesStable: 'off' },
  },
}
const OUTCOME_LIMIT_MS = 60_000
const WITHOUT_CONTROLLER_MS = 2_000
const QUARTER_PERMILLE = 250

export type SluiceRun = { deploy: Cost; rollback: Cost; kill: Cost }

/** One run: a release up to the stop of the old set, a rollback by hand, a release whose controller is killed. */
export async function runSluice(): Promise<SluiceRun> {
  const stage = await setStage(SETTINGS)
  try {
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) await stage.addRelease(version)
    await stage.sluice(['up'])
    await stage.sluice(['deploy', '1.0.0', '--yes'])
    const load = startPhasedLoad(stage.url)
    try {
      return {
        deploy: await load.phase(() => release(stage)),
        rollback: await load.phase(() => rollBack(stage)),
        kill: await load.phase(() => killInTheMiddle(stage)),
      }
    } finally {
      await load.end()
    }
  } finally {
    await stage.clear()
  }
}

async function release(stage: Stage): Promise<void> {
  await stage.sluice(['deploy', '1.1.0', '--yes'])
  await settled(stage, '1.1.0')
}

async function rollBack(stage: Stage): Promise<void> {
  await stage.sluice(['rollback', '--reason', 'bench'])
  await settled(stage, '1.0.0')
}

async function killInTheMiddle(stage: Stage): Promise<void> {
  await stage.sluice(['deploy', '1.2.0', '--yes', '--no-watch'])
  await reached(
    stage,
    'a quarter of the traffic',
    ({ rollout }) => (rollout.weight.observedPermille ?? 0) >= QUARTER_PERMILLE,
  )
  signal(stage.pids().controller, 'SIGKILL')
  await pause(WITHOUT_CONTROLLER_MS)
  await stage.sluice(['up'])
  await settled(stage, '1.2.0')
}

/** The version is stable, alone, and the set before it was drained and stopped. */
const settled = (stage: Stage, version: string): Promise<void> =>
  reached(
    stage,
    `${version} to be stable and alone`,
    ({ stable, sets, rollout }) =>
      stable?.version === version && sets.length === 1 && rollout.outcome !== null,
  )

const reached = (stage: Stage, what: string, holds: (status: ServiceStatus) => boolean): Promise<void> =>
  until(async () => holds(await stage.status()), { limitMs: OUTCOME_LIMIT_MS, what, everyMs: 500 })
