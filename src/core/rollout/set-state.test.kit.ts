import type { Instance } from '../shared/instance.ts'
import type { SetState } from './state.ts'

/** A set of a release that nothing is the matter with, and what the test is about. */
export const setOf = (release: string, of: Partial<SetState> = {}): SetState => ({
  release,
  version: release,
  role: 'candidate',
  replicas: of.instances?.length ?? 1,
  leaving: [],
  dismissed: [],
  adoption: null,
  sequence: 1,
  stage: 'wanted',
  letGoAccepted: false,
  assertedEpoch: 0,
  since: 0,
  releaseAt: null,
  instances: [],
  ...of,
})

export const instanceOf = (release: string, index: number, of: Partial<Instance> = {}): Instance => ({
  id: `${release}-${index}`,
  service: 'shop.local',
  release,
  state: 'ready',
  host: '127.0.0.1',
  port: 4000 + index,
  pid: null,
  startedAt: 0,
  readyAt: of.state === undefined || of.state === 'ready' ? 0 : null,
  crashes: 0,
  consecutiveProbeFailures: 0,
  lastProbeFailure: null,
  lastExit: null,
  logTail: [],
  ...of,
})
