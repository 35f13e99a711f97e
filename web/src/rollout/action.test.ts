import { describe, expect, it } from 'vitest'
import type { ServiceView } from '../../../src/core/rollout/view/view.ts'
import { ACTIONS, consequence, isComplete, mostUseful, orderedActions } from './action.ts'

const view: ServiceView = {
  schemaVersion: 1,
  asOf: 0,
  revision: 1,
  stream: 'shop.local',
  service: 'shop',
  environment: 'local',
  production: false,
  listen: '127.0.0.1:8080',
  stable: { release: 'r1', version: '1.0.0', since: 0 },
  sets: [],
  rollout: null,
  queued: null,
  freeze: null,
  drift: null,
  lightWatch: null,
  timeline: [],
  actions: [
    { name: 'deploy', allowed: true, whyNot: null },
    { name: 'rollback', allowed: false, whyNot: 'There is no earlier release.' },
  ],
  warnings: [],
}

describe('action', () => {
  it('leaves the deploy to the terminal', () => {
    expect(orderedActions(view).map((action) => action.name)).toEqual(['rollback'])
  })

  it('has nothing to offer first when nothing runs', () => {
    expect(mostUseful(null)).toBeNull()
  })

  it('asks a reason for what is hard to undo', () => {
    expect(isComplete(ACTIONS.abort, view, { reason: '  ', typed: '' })).toBe(false)
    expect(isComplete(ACTIONS.abort, view, { reason: 'bad errors', typed: '' })).toBe(true)
    expect(isComplete(ACTIONS.pause, view, { reason: '', typed: '' })).toBe(true)
  })

  it('asks for the name of the service in production', () => {
    const production = { ...view, production: true }
    expect(isComplete(ACTIONS.pause, production, { reason: '', typed: 'shopp' })).toBe(false)
    expect(isComplete(ACTIONS.pause, production, { reason: '', typed: 'shop' })).toBe(true)
  })

  it('says what a rollback will do', () => {
    expect(consequence('rollback', view)).toContain('The release before 1.0.0 is started again')
  })
})
