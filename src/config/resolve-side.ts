import type { SideSettings, StickySettings } from '../core/release/side-settings.ts'
import type { RequestMatch } from '../core/shared/side-routes.ts'
import { DEFAULT_STICKY } from './defaults.ts'
import type { LayeredReader } from './layers.ts'
import type { Overrides } from './schema.ts'
import type { MatchSection, RouteSection, SideKeys, StickySection } from './schema-side.ts'
import { msOf } from './units.ts'

type Place<S> = { path: string; sectionIn(strategy: Overrides['strategy']): S | undefined }

/** Preview address and tester routes, where the file asks for them. */
export function sideOf(reader: LayeredReader, { path, sectionIn }: Place<SideKeys>): SideSettings {
  const preview = reader.find(`${path}.preview`, ({ strategy }) => sectionIn(strategy)?.preview)
  const routes = reader.find(`${path}.routes`, ({ strategy }) => sectionIn(strategy)?.routes)
  return {
    ...(preview === undefined ? {} : { preview }),
    ...(routes === undefined || routes.length === 0 ? {} : { routes: routes.flatMap(matchOf) }),
  }
}

export function stickyOf(
  reader: LayeredReader,
  { path: above, sectionIn }: Place<{ sticky?: StickySection | undefined }>,
): { sticky?: StickySettings } {
  const path = `${above}.sticky`
  const chosen = reader.find(path, ({ strategy }) => sectionIn(strategy)?.sticky)
  if (chosen === undefined || chosen === 'off') return {}
  reader.origins.delete(path)
  const part = <K extends 'cookie' | 'for'>(key: K) =>
    reader.find(`${path}.${key}`, ({ strategy }) => {
      const section = sectionIn(strategy)?.sticky
      return section === 'off' ? undefined : section?.[key]
    })
  const { cookie, for: forDefault } = DEFAULT_STICKY
  return { sticky: { cookie: part('cookie') ?? cookie, forMs: part('for') ?? msOf(forDefault) } }
}

function matchOf({ header, cookie }: RouteSection): RequestMatch[] {
  if (header !== undefined) return [match('header', header)]
  return cookie === undefined ? [] : [match('cookie', cookie)]
}

const match = (place: RequestMatch['in'], { name, value, pattern }: MatchSection): RequestMatch =>
  pattern === undefined
    ? { kind: 'exact', in: place, name, value: value ?? '' }
    : { kind: 'pattern', in: place, name, pattern }
