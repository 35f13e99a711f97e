import { describe, expect, it } from 'vitest'
import type { Block } from '../core/rollout/block.ts'
import { newServiceState } from '../core/rollout/state.ts'
import { problem } from '../core/shared/problem.ts'
import { failed, ok } from '../core/shared/result.ts'
import { releaseRecord, simulatedSettings } from '../testkit/simulator/settings.ts'
import { blocksOf, refusalElsewhere } from './blocks.ts'

const release = releaseRecord('1.1.0', simulatedSettings())
const block = (over: Partial<Block> = {}): Block => ({
  release: '1.1.0-other-id',
  version: '1.1.0',
  digest: release.artifact.digest,
  at: 1,
  rollout: 'rollout-7',
  reason: {
    code: 'CHECK_CRITICAL',
    message: 'error rate 7%',
    evidence: {},
    actor: { kind: 'engine', name: 'sluice' },
  },
  ...over,
})
const STATE_LOST = problem('STATE_CORRUPT', { message: 'lost', remedy: 'Restore it.' })

/** Streams with their blocks; `null` is a state that cannot be read. */
const contextOf = (blocks: Record<string, Block[] | null>) => ({
  store: { streams: async () => ok(Object.keys(blocks)) },
  engine: {
    load: async (stream: string) => {
      const held = blocks[stream]
      return held === null
        ? failed(STATE_LOST)
        : ok({ state: { ...newServiceState(stream), blocks: held ?? [] }, revision: 1 })
    },
  },
})

describe('a release that failed in one environment', () => {
  it('is refused in every other one of the service, by its bytes, with where and why', async () => {
    const refusal = await refusalElsewhere(
      contextOf({ 'shop.staging': [block()], 'shop.local': [] }),
      release,
    )
    expect(refusal).toMatchObject({
      kind: 'ok',
      value: {
        code: 'RELEASE_BLOCKED',
        message: '1.1.0 (1.1.0-other-id) is blocked in shop.staging: error rate 7% (rollout-7).',
      },
    })
  })

  it('does not concern other bytes, other services, or its own environment, which decides itself', async () => {
    const context = contextOf({
      'shop.staging': [block({ digest: 'sha256:other' })],
      'api.staging': [block()],
      'shop.local': [block()],
    })
    expect(await refusalElsewhere(context, release)).toEqual(ok(null))
    const all = await blocksOf(context, 'shop.local')
    expect(all.kind === 'ok' && all.value.map(({ stream }) => stream)).toEqual(['shop.staging', 'shop.local'])
  })

  it('is not let through on a guess when the state of another environment cannot be read', async () => {
    expect(await refusalElsewhere(contextOf({ 'shop.staging': null }), release)).toEqual(failed(STATE_LOST))
  })
})
