import { expect, it } from 'vitest'
import { abilitiesFake } from '../testkit/fakes/router-abilities.ts'
import { releaseRecord, simulatedSettings } from '../testkit/simulator/settings.ts'
import { fitRouter } from './router-fit.ts'

const release = (router: 'builtin' | 'haproxy') => releaseRecord('1.1.0', { ...simulatedSettings(), router })

it('says in the plan who serves, and that it holds the last weights without a controller', async () => {
  const abilities = {
    ...abilitiesFake('haproxy', { revert: 'HAProxy has no such policy.' }),
    notes: ['A share is exact to 0.4%.', 'Something that only "router check" tells.'],
  }
  const fit = await fitRouter(
    { abilitiesOf: async () => abilities },
    { release: release('haproxy'), stable: null },
  )
  expect(fit).toEqual({
    kind: 'ok',
    value: {
      router: {
        text: 'HAProxy 1.0.0',
        notes: ['A share is exact to 0.4%.', 'While no controller speaks to it, it holds the last weights.'],
      },
    },
  })
})

it('says nothing about the built-in proxy that nobody named', async () => {
  const fit = await fitRouter(
    { abilitiesOf: async () => abilitiesFake() },
    { release: release('builtin'), stable: null },
  )
  expect(fit).toEqual({ kind: 'ok', value: {} })
})
