import { describe, expect, it } from 'vitest'
import { problem } from '../../core/shared/problem.ts'
import { type EngineFacts, engineFindings } from './findings.ts'

const KEPT = { release: 'shop@1', image: 'r.local/shop@sha256:1', digest: 'sha256:1' }
const GOOD: EngineFacts = {
  where: '/var/run/docker.sock',
  version: '28.2.2',
  livesThroughRestart: true,
  kept: [KEPT],
  pins: [{ digest: 'sha256:1', name: 'sluice.local/held-x:sha256-1', bytes: 10 }],
  missing: new Map(),
  pinNameOf: (digest) => `sluice.local/held-x:${digest.replace(':', '-')}`,
  containers: [{ name: 'shop-1', state: 'running', instance: 'shop-1', service: 'shop' }],
  known: new Set(['shop-1']),
}
const said = (facts: Partial<EngineFacts>) =>
  engineFindings({ ...GOOD, ...facts }).map(
    ({ level, message, remedy }) => `${level}: ${message} ${remedy ?? ''}`,
  )

describe('what doctor says about the engine', () => {
  it('is one good line where nothing is wrong', () => {
    expect(said({})).toEqual([
      'ok: The Docker Engine 28.2.2 answers on /var/run/docker.sock; the image of 1 release is held. ',
    ])
  })

  it.each<[string, Partial<EngineFacts>, RegExp]>([
    ['an old engine', { version: '19.03.15' }, /^warning: The Docker Engine is version 19\.03\.15/],
    [
      'one that ends containers with it',
      { livesThroughRestart: false },
      /^warning: .*live-restore.*daemon\.json/,
    ],
    [
      'an image that is not held',
      { pins: [] },
      /^warning: .*is not held.*docker tag r\.local\/shop@sha256:1 sluice\.local/,
    ],
    [
      'an image that is gone and can be had again',
      { missing: new Map([['sha256:1', null]]) },
      /^warning: .*not on this machine any more\. It is pulled again.*docker pull r\.local/,
    ],
    [
      'an image that is gone for good',
      {
        missing: new Map([['sha256:1', problem('IMAGE_GONE', { message: 'no registry', remedy: 'Build.' })]]),
      },
      /^problem: .*cannot be pulled again: no new instance of it can start\. IMAGE_GONE: no registry\. Build\./,
    ],
    [
      'an image that nobody needs',
      { pins: [...GOOD.pins, { digest: 'sha256:2', name: 'sluice.local/pulled-x:sha256-2', bytes: 3e6 }] },
      /^warning: .*\(3 MiB\) is held, and no release needs it.*docker image rm sluice\.local\/pulled/,
    ],
    [
      'a container that nobody knows',
      { known: new Set() },
      /^problem: The container shop-1 \(running\).*docker rm --force shop-1/,
    ],
  ])('names %s, with the remedy', (_, facts, words) => {
    expect(said(facts)).toEqual([expect.stringMatching(words)])
  })

  it('takes 20.10 for new enough', () => {
    expect(said({ version: '20.10.24+dfsg1' })[0]).toMatch(/^ok/)
    expect(said({ version: '20.9.0' })[0]).toMatch(/^warning/)
  })
})
