import type { AlsoServed, ServiceSettings } from '../core/release/settings.ts'
import { isWorker } from '../core/release/worker.ts'
import { type Conflict, conflict } from './conflict.ts'
import { addressText, previewOf, sameAddress } from './shared-addresses.ts'

/** More routers that could not serve beside the first one. */
export function alsoConflicts(settings: ServiceSettings): Conflict[] {
  const { also = [], strategy } = settings
  if (also.length === 0) return []
  if (isWorker(settings))
    return [
      conflict(
        ['also', 'listen'],
        'needs an address, and this service has none (listen: none)',
        'Remove it.',
      ),
    ]
  return [
    ...also.flatMap((one, index) => ofOne(settings, one, also.slice(0, index))),
    ...(strategy.kind === 'canary' && strategy.sticky !== undefined
      ? [
          conflict(
            ['also', 'strategy.canary.sticky'],
            'cannot stand beside sticky: each router deals users by itself, so that one who comes to both would meet both versions',
            'Remove one of the two.',
          ),
        ]
      : []),
    ...(strategy.kind === 'ab'
      ? [
          conflict(
            ['also', 'strategy.ab'],
            'cannot stand beside an A/B test: each router counts its users by itself, so that one who comes to both would count twice',
            'Remove it for the test, or write another strategy.',
          ),
        ]
      : []),
  ]
}

function ofOne(settings: ServiceSettings, { router, listen }: AlsoServed, before: AlsoServed[]): Conflict[] {
  const refused = (paths: string[], message: string, remedy: string) => [
    conflict(['also', ...paths], message, remedy),
  ]
  if (router === settings.router && settings.routerFound === true)
    return refused(
      ['router'],
      `names ${router}, which router: auto has found here`,
      `Write router: with the name of the other one that you mean, for example ${router === 'builtin' ? 'haproxy' : 'builtin'}.`,
    )
  if (router === settings.router || before.some((one) => one.router === router))
    return refused(
      router === settings.router ? ['router'] : [],
      `names ${router} a second time, and one router serves a service at one address`,
      'Name each router once.',
    )
  if (listen.port === 0)
    return refused(
      [],
      'has port 0, which is another port each time, so that nobody would know where to come',
      'Write a port.',
    )
  const preview = previewOf(settings.strategy)
  const taken = [
    ...(settings.listen === null ? [] : [{ path: 'listen', address: settings.listen }]),
    ...before.map((one) => ({ path: 'also', address: one.listen })),
    ...(preview === null ? [] : [preview]),
  ].find(({ address }) => sameAddress(address, listen))
  if (taken === undefined) return []
  return refused(
    taken.path === 'also' ? [] : [taken.path],
    `has ${addressText(listen)} for ${router}, which ${taken.path === 'also' ? 'another one of them' : `"${taken.path}"`} has already`,
    'Give each router an address of its own.',
  )
}
