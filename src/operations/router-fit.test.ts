import { expect, it } from 'vitest'
import type { RouterName } from '../core/shared/router-ability.ts'
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

it('names each of several routers with its address, and which of them a note is about', async () => {
  const settings = {
    ...simulatedSettings(),
    also: [{ router: 'haproxy' as const, listen: { host: '127.0.0.1', port: 8090 } }],
  }
  const abilitiesOf = async (name: RouterName) => ({
    ...abilitiesFake(name, name === 'haproxy' ? { revert: 'HAProxy has no such policy.' } : {}),
    notes: name === 'haproxy' ? ['A share is exact to 0.4%.'] : [],
  })
  const fit = await fitRouter({ abilitiesOf }, { release: releaseRecord('1.1.0', settings), stable: null })
  expect(fit).toEqual({
    kind: 'ok',
    value: {
      router: {
        text: 'the built-in proxy at 127.0.0.1:8080, and HAProxy 1.0.0 at 127.0.0.1:8090',
        notes: [
          'HAProxy: A share is exact to 0.4%.',
          'HAProxy: While no controller speaks to it, it holds the last weights.',
        ],
      },
    },
  })
})

it('says on a move how long the router of before still matters, also on the way back to the built-in proxy', async () => {
  const move = (to: 'builtin' | 'haproxy', from: 'builtin' | 'haproxy') =>
    fitRouter(
      { abilitiesOf: async () => abilitiesFake(to) },
      { release: moved(to), stable: { ...release(from), id: 'r-before' } },
    )
  const sentence = (who: string) =>
    `${who} serves 127.0.0.1:8080 until the new routes are confirmed, and then finishes what it has for 5s at most: no instance that it uses is stopped before.`
  expect(await move('haproxy', 'builtin')).toMatchObject({
    value: { router: { notes: expect.arrayContaining([sentence('The built-in proxy')]) } },
  })
  expect(await move('builtin', 'haproxy')).toMatchObject({
    value: { router: { notes: expect.arrayContaining([sentence('HAProxy')]) } },
  })
})

function moved(router: 'builtin' | 'haproxy') {
  const { settings, ...rest } = release(router)
  return { ...rest, settings: { ...settings, listen: { host: '127.0.0.1', port: 8081 } } }
}
