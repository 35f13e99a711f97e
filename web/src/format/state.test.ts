import { expect, it } from 'vitest'
import type { ServiceView } from '../../../src/core/rollout/view/view.ts'
import { serviceMark, serviceSentence, tabTitle, weightDrift } from './state.ts'

const empty: ServiceView = {
  schemaVersion: 1,
  asOf: 0,
  revision: 1,
  stream: 'shop.local',
  service: 'shop',
  environment: 'local',
  production: false,
  listen: '127.0.0.1:8080',
  stable: null,
  sets: [],
  rollout: null,
  queued: null,
  freeze: null,
  drift: null,
  lightWatch: null,
  timeline: [],
  actions: [],
  warnings: [],
}
const stable: ServiceView = { ...empty, stable: { release: 'r1', version: '1.0.0', since: 0 } }

it('says that nothing is deployed, or which version serves', () => {
  expect(serviceMark(empty).label).toBe('Nothing deployed')
  expect(serviceSentence(empty)).toBe('shop has no version in local yet.')
  expect(serviceSentence(stable)).toBe('shop 1.0.0 serves all traffic in local.')
  expect(tabTitle(stable)).toBe('shop 1.0.0')
})

it('keeps an unconfirmed weight apart from a wrong one', () => {
  expect(weightDrift({ desiredPermille: 50, observedPermille: null })).toBe('unconfirmed')
  expect(weightDrift({ desiredPermille: 50, observedPermille: 0 })).toBe('differs')
  expect(weightDrift({ desiredPermille: 50, observedPermille: 50 })).toBe('none')
})
